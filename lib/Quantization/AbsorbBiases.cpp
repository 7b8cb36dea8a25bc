//===- AbsorbBiases.cpp - Offsets of channels move to the next layer ------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Quantization/ChannelStatistics.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// So many deviations below its mean a channel is taken to end.
static constexpr double kDeviations = 3;

/// The layer's bias as one float per column; zeros where it has none, nothing
/// where it is anything else.
static std::optional<std::vector<double>> readBias(const WeightRows &rows) {
  auto index = cast<QuantizableOpInterface>(rows.op).getBiasOperand();
  if (!index)
    return std::vector<double>(size_t(rows.columns()), 0);
  Value bias = rows.op->getOperand(*index);
  auto values = getConstantFloats(bias);
  if (!values || rankOf(bias) != 1 || int64_t(values->size()) != rows.columns())
    return std::nullopt;
  return std::vector<double>(values->begin(), values->end());
}

static void setBias(const WeightRows &rows, ArrayRef<double> values) {
  OpBuilder builder(rows.op);
  std::vector<float> floats(values.begin(), values.end());
  Value bias = createConstant(builder, rows.op->getLoc(), {rows.columns()},
                              ArrayRef<float>(floats));
  if (auto conv = dyn_cast<ConvOp>(rows.op))
    conv.getBiasMutable().assign(bias);
  else
    cast<MatmulOp>(rows.op).getBiasMutable().assign(bias);
}

/// Padding would not have the offset.
static bool hasPadding(Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  return conv && llvm::any_of(conv.getPads(), [](int64_t pad) { return pad; });
}

/// The dimension of an op's result that holds its output channels.
static int64_t resultChannelDim(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op))
    return conv.getChannelDim();
  return tensorTypeOf(op->getResult(0)).getRank() - 1;
}

static bool absorb(Value value, const ChannelStatistics &statistics) {
  Operation *op = value.getDefiningOp();
  auto producer = op ? WeightRows::get(op) : std::nullopt;
  auto activation =
      op ? op->getAttrOfType<ActivationAttr>("activation") : ActivationAttr();
  if (!producer || !activation || activation.getKind() != UnaryKind::Relu ||
      cast<QuantizableOpInterface>(op).getActivationOperands().size() != 1 ||
      producer->columns() != int64_t(statistics.means.size()))
    return false;
  SmallVector<WeightRows> consumers;
  for (OpOperand &use : value.getUses()) {
    auto rows = WeightRows::get(use.getOwner());
    if (!rows || use.getOperandNumber() != 0 || hasPadding(use.getOwner()) ||
        rows->channels != producer->columns() ||
        rows->channelDim != resultChannelDim(op) || !readBias(*rows))
      return false;
    consumers.push_back(*rows);
  }
  auto bias = readBias(*producer);
  if (consumers.empty() || !bias)
    return false;
  std::vector<double> offsets;
  bool changes = false;
  for (auto [mean, deviation] :
       llvm::zip_equal(statistics.means, statistics.deviations)) {
    offsets.push_back(std::max(double(mean) - kDeviations * deviation, 0.0));
    changes |= offsets.back() > 0;
  }
  if (!changes)
    return false;
  for (auto [own, offset] : llvm::zip_equal(*bias, offsets))
    own -= offset;
  setBias(*producer, *bias);
  for (const WeightRows &rows : consumers) {
    std::vector<double> moved = *readBias(rows);
    auto weights = ConstantBytes::get(rows.weight());
    for (auto [i, weight] : llvm::enumerate(weights->as<float>()))
      moved[size_t(rows.columnOf(int64_t(i)))] +=
          double(weight) * offsets[size_t(rows.rowOf(int64_t(i)))];
    setBias(rows, moved);
  }
  return true;
}

unsigned qcc::absorbBiases(func::FuncOp function,
                           const StatisticsByValue &statistics) {
  SmallVector<Value> values;
  function.walk([&](Operation *op) {
    for (Value result : op->getResults())
      values.push_back(result);
  });
  unsigned changed = 0;
  for (Value value : values) {
    auto entry = statistics.find(value);
    if (entry != statistics.end())
      changed += absorb(value, entry->second);
  }
  return changed;
}
