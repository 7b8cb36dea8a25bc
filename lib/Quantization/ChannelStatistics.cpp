//===- ChannelStatistics.cpp - Inputs of layers, by channel ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/ChannelStatistics.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/IR/IRMapping.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

std::optional<WeightRows> WeightRows::get(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op))
    if (conv.getFilter().getDefiningOp<ConstantOp>() &&
        tensorTypeOf(conv.getFilter()).getElementType().isF32() &&
        conv.getLayout() == Layout::ChannelsFirst)
      return WeightRows{op, 1, shapeOf(conv.getInput())[1], 1};
  if (auto matmul = dyn_cast<MatmulOp>(op))
    if (matmul.getRhs().getDefiningOp<ConstantOp>() &&
        tensorTypeOf(matmul.getRhs()).getElementType().isF32() &&
        rankOf(matmul.getRhs()) == 2 && rankOf(matmul.getLhs()) >= 2 &&
        !matmul.getTransposeLhs())
      return WeightRows{op, 1, shapeOf(matmul.getLhs()).back(),
                        rankOf(matmul.getLhs()) - 1};
  return std::nullopt;
}

int64_t WeightRows::rowOf(int64_t i) const {
  ArrayRef<int64_t> shape = shapeOf(weight());
  if (auto conv = dyn_cast<ConvOp>(op)) {
    int64_t taps = 1;
    for (int64_t extent : shape.drop_front(2))
      taps *= extent;
    int64_t perGroup = shape[0] / conv.getGroup();
    int64_t group = i / (shape[1] * taps) / perGroup;
    return group * shape[1] + i / taps % shape[1];
  }
  return cast<MatmulOp>(op).getTransposeRhs() ? i % shape[1] : i / shape[1];
}

int64_t WeightRows::columnOf(int64_t i) const {
  ArrayRef<int64_t> shape = shapeOf(weight());
  if (isa<ConvOp>(op))
    return i / (tensorTypeOf(weight()).getNumElements() / shape[0]);
  return cast<MatmulOp>(op).getTransposeRhs() ? i / shape[1] : i % shape[1];
}

int64_t WeightRows::columns() const {
  ArrayRef<int64_t> shape = shapeOf(weight());
  if (isa<ConvOp>(op))
    return shape[0];
  return shape[cast<MatmulOp>(op).getTransposeRhs() ? 0 : 1];
}

namespace {
struct Sums {
  std::vector<double> values, squares;
  double count = 0; ///< of each channel
};
} // namespace

static void addValues(ChannelStatistics &statistics, Sums &sums,
                      ArrayRef<float> values, int64_t inner) {
  size_t channels = statistics.maxima.size();
  for (auto [i, value] : llvm::enumerate(values)) {
    size_t channel = i / size_t(inner) % channels;
    statistics.maxima[channel] =
        std::max(statistics.maxima[channel], std::abs(value));
    sums.values[channel] += value;
    sums.squares[channel] += double(value) * value;
  }
  sums.count += double(values.size()) / double(channels);
}

llvm::Expected<StatisticsByValue>
qcc::measureChannels(ModuleOp module, ArrayRef<std::vector<HostTensor>> samples,
                     const ModelRunnerFactory &compile) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !llvm::hasSingleElement(main.getBody()))
    return makeError("the module has no function 'main' of one block");
  llvm::SetVector<Value> values;
  DenseMap<Value, int64_t> dims;
  main.walk([&](Operation *op) {
    auto rows = WeightRows::get(op);
    if (rows && tensorTypeOf(rows->input()).getElementType().isF32() &&
        values.insert(rows->input()))
      dims[rows->input()] = rows->channelDim;
  });

  IRMapping copies;
  OwningOpRef<ModuleOp> observed(cast<ModuleOp>(module->clone(copies)));
  auto copy = observed->lookupSymbol<func::FuncOp>("main");
  Operation *terminator = copy.getBody().front().getTerminator();
  SmallVector<Value> results(terminator->getOperands());
  unsigned own = unsigned(results.size());
  Builder builder(module.getContext());
  std::vector<Value> computed;
  for (Value value : values)
    if (!isa<BlockArgument>(value) && !value.getDefiningOp<ConstantOp>()) {
      computed.push_back(value);
      results.push_back(copies.lookup(value));
      auto attrs = builder.getDictionaryAttr(builder.getNamedAttr(
          "qnn.name",
          builder.getStringAttr("input " + std::to_string(computed.size()))));
      if (failed(copy.insertResult(unsigned(results.size() - 1),
                                   value.getType(), attrs)))
        return makeError("the inputs of layers cannot be observed");
    }
  terminator->setOperands(results);
  auto runner = compile(*observed);
  if (!runner)
    return runner.takeError();

  StatisticsByValue statistics;
  DenseMap<Value, Sums> sumsByValue;
  auto add = [&](Value value, const HostTensor &tensor) {
    int64_t dim = dims[value], inner = 1;
    for (size_t i = size_t(dim) + 1; i < tensor.shape.size(); ++i)
      inner *= tensor.shape[i];
    ChannelStatistics &entry = statistics[value];
    Sums &sums = sumsByValue[value];
    auto channels = size_t(tensor.shape[size_t(dim)]);
    entry.maxima.resize(channels);
    sums.values.resize(channels);
    sums.squares.resize(channels);
    addValues(entry, sums, tensor.as<float>(), inner);
  };
  for (const std::vector<HostTensor> &sample : samples) {
    auto outputs = (*runner)->run(sample);
    if (!outputs)
      return outputs.takeError();
    for (Value value : values)
      if (auto argument = dyn_cast<BlockArgument>(value))
        add(value, sample[argument.getArgNumber()]);
    for (auto [i, value] : llvm::enumerate(computed))
      add(value, (*outputs)[own + i]);
  }
  for (auto &[value, sums] : sumsByValue)
    for (auto [sum, square] : llvm::zip_equal(sums.values, sums.squares)) {
      double mean = sum / sums.count;
      double variance = std::max(square / sums.count - mean * mean, 0.0);
      statistics[value].means.push_back(float(mean));
      statistics[value].deviations.push_back(float(std::sqrt(variance)));
    }
  return statistics;
}
