//===- LayerRows.cpp - Layers as products of rows -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/LayerRows.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

static bool isConstantFloat(Value value) {
  return value.getDefiningOp<ConstantOp>() &&
         tensorTypeOf(value).getElementType().isF32() &&
         tensorTypeOf(value).getNumElements() > 0;
}

std::optional<LayerRows> LayerRows::get(Operation *op) {
  LayerRows rows;
  if (auto conv = dyn_cast<ConvOp>(op)) {
    if (!isConstantFloat(conv.getFilter()) ||
        conv.getLayout() != Layout::ChannelsFirst)
      return std::nullopt;
    ArrayRef<int64_t> input = shapeOf(conv.getInput()),
                      filter = shapeOf(conv.getFilter()),
                      result = shapeOf(conv.getResult());
    rows.batch = input[0];
    rows.numGroups = conv.getGroup();
    rows.numColumns = filter[0];
    rows.channelsPerGroup = filter[1];
    for (int64_t i = 0, e = conv.getSpatialRank(); i < e; ++i) {
      rows.dims.push_back({input[i + 2], result[i + 2], filter[i + 2],
                           conv.getStrides()[i], conv.getDilations()[i],
                           conv.getPads()[i]});
      rows.taps *= filter[i + 2];
      rows.outPositions *= result[i + 2];
      rows.inPositions *= input[i + 2];
    }
    return rows;
  }
  if (auto matmul = dyn_cast<MatmulOp>(op)) {
    if (!isConstantFloat(matmul.getRhs()) || rankOf(matmul.getRhs()) != 2 ||
        rankOf(matmul.getLhs()) < 2 || matmul.getTransposeLhs())
      return std::nullopt;
    ArrayRef<int64_t> weight = shapeOf(matmul.getRhs());
    rows.channelsLast = true;
    rows.columnsInside = !matmul.getTransposeRhs();
    rows.channelsPerGroup = weight[rows.columnsInside ? 0 : 1];
    rows.numColumns = weight[rows.columnsInside ? 1 : 0];
    rows.outPositions = tensorTypeOf(matmul.getLhs()).getNumElements() /
                        std::max<int64_t>(rows.channelsPerGroup, 1);
    rows.channelDim = rankOf(matmul.getResult()) - 1;
    return rows;
  }
  return std::nullopt;
}

int64_t LayerRows::weightIndex(int64_t column, int64_t i) const {
  return columnsInside ? i * numColumns + column : column * depth() + i;
}

void LayerRows::gather(ArrayRef<float> input, int64_t position, int64_t group,
                       MutableArrayRef<float> row) const {
  if (channelsLast) {
    std::copy_n(input.begin() + position * channelsPerGroup, channelsPerGroup,
                row.begin());
    return;
  }
  int64_t sample = position / outPositions, rest = position % outPositions;
  SmallVector<int64_t, 3> first(dims.size());
  for (size_t d = dims.size(); d-- > 0;) {
    first[d] = rest % dims[d].out * dims[d].stride - dims[d].pad;
    rest /= dims[d].out;
  }
  const float *channel = input.data() + (sample * numGroups + group) *
                                            channelsPerGroup * inPositions;
  // The offset of each tap; outside the input it is padding.
  for (int64_t tap = 0; tap < taps; ++tap) {
    int64_t offset = 0, left = tap, scale = 1;
    bool inside = true;
    for (size_t d = dims.size(); d-- > 0;) {
      int64_t at = first[d] + left % dims[d].kernel * dims[d].dilation;
      left /= dims[d].kernel;
      inside &= at >= 0 && at < dims[d].in;
      offset += at * scale;
      scale *= dims[d].in;
    }
    for (int64_t c = 0; c < channelsPerGroup; ++c)
      row[size_t(c * taps + tap)] =
          inside ? channel[c * inPositions + offset] : 0;
  }
}

/// What one tap reads of a channel, summed over all positions.
double LayerRows::sumOfTap(const float *channel, int64_t tap) const {
  // In each dimension the positions whose tap lies inside the input.
  SmallVector<int64_t, 3> begin(dims.size()), count(dims.size()),
      index(dims.size(), 0);
  for (size_t d = dims.size(); d-- > 0;) {
    const Dim &dim = dims[d];
    int64_t shift = tap % dim.kernel * dim.dilation - dim.pad;
    tap /= dim.kernel;
    int64_t first = shift >= 0 ? 0 : (-shift + dim.stride - 1) / dim.stride;
    int64_t last = dim.in - 1 < shift ? -1 : (dim.in - 1 - shift) / dim.stride;
    last = std::min(last, dim.out - 1);
    if (last < first)
      return 0;
    begin[d] = first * dim.stride + shift;
    count[d] = last - first + 1;
  }
  double sum = 0;
  size_t inner = dims.size() - 1;
  int64_t stride = dims[inner].stride;
  while (true) {
    int64_t offset = 0;
    for (size_t d = 0; d < inner; ++d)
      offset = (offset + begin[d] + index[d] * dims[d].stride) * dims[d + 1].in;
    const float *line = channel + offset + begin[inner];
    float lineSum = 0;
    for (int64_t i = 0; i < count[inner]; ++i)
      lineSum += line[i * stride];
    sum += lineSum;
    size_t d = inner;
    while (d > 0 && ++index[d - 1] == count[d - 1])
      index[--d] = 0;
    if (d == 0)
      return sum;
  }
}

std::vector<double> LayerRows::means(ArrayRef<float> input) const {
  std::vector<double> sums(size_t(numGroups * depth()), 0);
  if (channelsLast) {
    for (auto [i, value] : llvm::enumerate(input))
      sums[i % sums.size()] += value;
  } else {
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t c = 0; c < numGroups * channelsPerGroup; ++c)
        for (int64_t tap = 0; tap < taps; ++tap)
          sums[size_t(c * taps + tap)] +=
              sumOfTap(input.data() +
                           (n * numGroups * channelsPerGroup + c) * inPositions,
                       tap);
  }
  for (double &sum : sums)
    sum /= double(positions());
  return sums;
}
