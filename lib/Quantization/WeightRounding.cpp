//===- WeightRounding.cpp - Rounded weights of layers ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/WeightRounding.h"

#include "WeightScales.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Moments of fewer rows, as a multiple of the weights of a column, say too
/// little about other samples.
static constexpr size_t kRowsPerWeight = 2;

static std::vector<int8_t> roundGroup(ArrayRef<float> weights,
                                      const InputStatistics::Layer &layer,
                                      int64_t group, const RoundingGrid &grid,
                                      const WeightRoundingOptions &options) {
  auto depth = size_t(layer.rows->depth());
  std::vector<int8_t> integers = roundNearest(weights, depth, grid);
  if (!layer.hasMoments || layer.count < kRowsPerWeight * depth ||
      options.method == RoundingMethod::Nearest)
    return integers;
  Moments moments = InputStatistics::moments(layer, group, options.centered);
  std::vector<int8_t> better = options.method == RoundingMethod::SecondOrder
                                   ? roundSecondOrder(weights, moments, grid)
                                   : roundLearned(weights, moments, grid);
  keepBetterRows(weights, integers, better, moments, grid);
  return integers;
}

namespace {
struct Rounded {
  SmallVector<float> scales;
  std::vector<int8_t> integers; ///< in the order of the weight; empty: none
};
} // namespace

static Rounded roundLayer(const InputStatistics::Layer &layer,
                          const WeightRoundingOptions &options) {
  const LayerRows &rows = *layer.rows;
  std::vector<float> columns = readColumns(layer.op, rows);
  auto scales =
      chooseColumnScales(columns, rows, *parseWeightClip(options.clip));
  if (!scales)
    return {};
  Rounded result{*scales, std::vector<int8_t>(columns.size())};
  int64_t perGroup = rows.columnsPerGroup(), depth = rows.depth();
  for (int64_t group = 0; group < rows.groups(); ++group) {
    int64_t first = group * perGroup;
    RoundingGrid grid;
    grid.scales =
        ArrayRef<float>(*scales).slice(size_t(first), size_t(perGroup));
    std::vector<int8_t> integers =
        roundGroup(ArrayRef<float>(columns).slice(size_t(first * depth),
                                                  size_t(perGroup * depth)),
                   layer, group, grid, options);
    for (auto [i, value] : llvm::enumerate(integers))
      result.integers[size_t(rows.weightIndex(first + int64_t(i) / depth,
                                              int64_t(i) % depth))] = value;
  }
  return result;
}

void qcc::roundWeights(const InputStatistics &statistics,
                       const WeightRoundingOptions &options) {
  ArrayRef<InputStatistics::Layer> layers = statistics.layers();
  if (layers.empty())
    return;
  std::vector<Rounded> rounded(layers.size());
  parallelFor(layers.front().op->getContext(), 0, layers.size(), [&](size_t i) {
    if (layers[i].rows)
      rounded[i] = roundLayer(layers[i], options);
  });
  for (auto [layer, result] : llvm::zip_equal(layers, rounded)) {
    if (result.integers.empty())
      continue;
    Builder builder(layer.op->getContext());
    layer.op->setAttr(kRoundedWeightsAttr,
                      builder.getDenseI8ArrayAttr(result.integers));
    layer.op->setAttr(kWeightScalesAttr,
                      builder.getDenseF32ArrayAttr(result.scales));
  }
}

std::optional<std::vector<float>> qcc::readRoundedWeight(Operation *op) {
  auto integers = op->getAttrOfType<DenseI8ArrayAttr>(kRoundedWeightsAttr);
  auto scales = op->getAttrOfType<DenseF32ArrayAttr>(kWeightScalesAttr);
  if (!integers || !scales)
    return std::nullopt;
  auto quantizable = cast<QuantizableOpInterface>(op);
  Value weight = op->getOperand(*quantizable.getWeightOperand());
  WeightChannels channels(shapeOf(weight), quantizable.getWeightChannelAxis());
  std::vector<float> values;
  for (auto [i, integer] : llvm::enumerate(integers.asArrayRef()))
    values.push_back(float(integer) * scales[int64_t(channels.of(i))]);
  return values;
}
