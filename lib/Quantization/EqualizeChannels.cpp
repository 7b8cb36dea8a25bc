//===- EqualizeChannels.cpp - Balance channels between layers -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Quantization/ChannelStatistics.h"
#include "qcc/Quantization/Passes.h"

#include <cmath>

namespace qcc {
#define GEN_PASS_DEF_EQUALIZECHANNELS
#include "qcc/Quantization/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Factors stay within these powers of two.
static constexpr double kLargestExponent = 20;

/// f(c x) = c f(x) for c > 0.
static bool isHomogeneous(ActivationAttr activation) {
  return !activation || activation.getKind() == UnaryKind::Identity ||
         activation.getKind() == UnaryKind::Relu ||
         activation.getKind() == UnaryKind::LeakyRelu;
}

/// `constant` with element i multiplied by `factor(i)`.
static Value scaleConstant(Value constant,
                           llvm::function_ref<double(int64_t)> factor) {
  auto bytes = ConstantBytes::get(constant);
  std::vector<float> values;
  for (auto [i, value] : llvm::enumerate(bytes->as<float>()))
    values.push_back(float(value * factor(int64_t(i))));
  OpBuilder builder(constant.getDefiningOp());
  ArrayRef<char> raw(reinterpret_cast<const char *>(values.data()),
                     values.size() * sizeof(float));
  return createConstant(builder, constant.getLoc(), tensorTypeOf(constant), raw,
                        "equalized");
}

namespace {

/// A float constant that scales or shifts the channels of a tensor.
struct ChannelConstant {
  OpOperand *operand;
  /// The channel of element i.
  std::function<int64_t(int64_t)> channelOf;
};

/// The constants in front of a tensor that divide it when they are divided.
class Producer {
public:
  /// Nothing where the channels (dimension `dim`) of `value` cannot be scaled.
  static std::optional<Producer> get(Value value, int64_t dim);
  void divide(ArrayRef<double> factors) const;
  /// The largest weight of each channel; empty where no layer is in front.
  std::vector<double> weightMaxima(int64_t channels) const;

private:
  bool collect(Value value, int64_t dim);
  bool addBroadcast(OpOperand &operand, Value result, int64_t dim);
  bool addBias(OpOperand &operand, int64_t channels);

  SmallVector<ChannelConstant> constants;
  std::optional<WeightRows> layer;
};

} // namespace

/// Adds an operand that broadcasts to `result` along `dim` only.
bool Producer::addBroadcast(OpOperand &operand, Value result, int64_t dim) {
  Value value = operand.get();
  if (!value.getDefiningOp<ConstantOp>() ||
      !tensorTypeOf(value).getElementType().isF32())
    return false;
  int64_t missing = rankOf(result) - rankOf(value);
  for (auto [i, extent] : llvm::enumerate(shapeOf(value)))
    if (extent != 1 && int64_t(i) + missing != dim)
      return false;
  if (tensorTypeOf(value).getNumElements() != shapeOf(result)[dim])
    return false;
  constants.push_back({&operand, [](int64_t i) { return i; }});
  return true;
}

/// Adds a layer's constant bias with one value per channel.
bool Producer::addBias(OpOperand &operand, int64_t channels) {
  Value value = operand.get();
  if (!value.getDefiningOp<ConstantOp>() ||
      !tensorTypeOf(value).getElementType().isF32() ||
      tensorTypeOf(value).getNumElements() != channels)
    return false;
  constants.push_back({&operand, [](int64_t i) { return i; }});
  return true;
}

bool Producer::collect(Value value, int64_t dim) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (auto binary = dyn_cast<BinaryOp>(op)) {
    if (!isHomogeneous(binary.getActivationAttr()))
      return false;
    bool swapped = binary.getLhs().getDefiningOp<ConstantOp>() != nullptr;
    OpOperand &constant = op->getOpOperand(swapped ? 0 : 1);
    Value other = op->getOperand(swapped ? 1 : 0);
    if (!addBroadcast(constant, value, dim))
      return false;
    if (binary.getKind() == BinaryKind::Mul)
      return true;
    return binary.getKind() == BinaryKind::Add && other.hasOneUse() &&
           other.getType() == value.getType() && collect(other, dim);
  }
  layer = WeightRows::get(op);
  auto activation = op->getAttrOfType<ActivationAttr>("activation");
  int64_t resultDim = isa<ConvOp>(op) ? 1 : rankOf(value) - 1;
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  if (!layer || !isHomogeneous(activation) || resultDim != dim ||
      layer->columns() != shapeOf(value)[dim] ||
      quantizable.getActivationOperands().size() != 1)
    return false;
  WeightRows rows = *layer;
  constants.push_back({&op->getOpOperand(rows.weightOperand),
                       [rows](int64_t i) { return rows.columnOf(i); }});
  auto bias = quantizable.getBiasOperand();
  return !bias || addBias(op->getOpOperand(*bias), rows.columns());
}

std::optional<Producer> Producer::get(Value value, int64_t dim) {
  Producer producer;
  if (!producer.collect(value, dim))
    return std::nullopt;
  return producer;
}

void Producer::divide(ArrayRef<double> factors) const {
  for (const ChannelConstant &constant : constants)
    constant.operand->set(
        scaleConstant(constant.operand->get(), [&](int64_t i) {
          return 1 / factors[size_t(constant.channelOf(i))];
        }));
}

std::vector<double> Producer::weightMaxima(int64_t channels) const {
  if (!layer)
    return {};
  std::vector<double> maxima(size_t(channels), 0);
  auto bytes = ConstantBytes::get(layer->weight());
  for (auto [i, weight] : llvm::enumerate(bytes->as<float>())) {
    double &largest = maxima[size_t(layer->columnOf(int64_t(i)))];
    largest = std::max<double>(largest, std::abs(weight));
  }
  return maxima;
}

static bool equalize(Value value, ArrayRef<double> given, double alpha) {
  SmallVector<WeightRows> consumers;
  for (OpOperand &use : value.getUses()) {
    auto rows = WeightRows::get(use.getOwner());
    if (!rows || use.getOperandNumber() != 0)
      return false;
    consumers.push_back(*rows);
  }
  if (consumers.empty())
    return false;
  int64_t dim = consumers.front().channelDim,
          channels = consumers.front().channels;
  if (llvm::any_of(consumers, [&](const WeightRows &rows) {
        return rows.channelDim != dim || rows.channels != channels;
      }))
    return false;
  auto producer = Producer::get(value, dim);
  if (!producer)
    return false;
  std::vector<double> front = given.empty() ? producer->weightMaxima(channels)
                                            : std::vector<double>(given);
  if (front.empty())
    return false;
  std::vector<double> behind(size_t(channels), 0);
  for (const WeightRows &rows : consumers) {
    auto bytes = ConstantBytes::get(rows.weight());
    for (auto [i, weight] : llvm::enumerate(bytes->as<float>())) {
      double &largest = behind[size_t(rows.rowOf(int64_t(i)))];
      largest = std::max<double>(largest, std::abs(weight));
    }
  }
  std::vector<double> factors;
  bool changes = false;
  for (auto [a, w] : llvm::zip_equal(front, behind)) {
    double exponent = 0;
    if (a > 0 && w > 0 && std::isfinite(a) && std::isfinite(w))
      exponent =
          std::nearbyint(alpha * std::log2(a) - (1 - alpha) * std::log2(w));
    exponent = std::clamp(exponent, -kLargestExponent, kLargestExponent);
    factors.push_back(std::exp2(exponent));
    changes |= exponent != 0;
  }
  if (!changes)
    return false;
  producer->divide(factors);
  for (const WeightRows &rows : consumers)
    rows.op->setOperand(rows.weightOperand,
                        scaleConstant(rows.weight(), [&](int64_t i) {
                          return factors[size_t(rows.rowOf(i))];
                        }));
  return true;
}

unsigned qcc::equalizeChannels(func::FuncOp function,
                               const StatisticsByValue *statistics,
                               double alpha) {
  unsigned changed = 0;
  SmallVector<Value> values;
  function.walk([&](Operation *op) {
    for (Value result : op->getResults())
      values.push_back(result);
  });
  for (Value value : values) {
    std::vector<double> maxima;
    if (statistics) {
      auto entry = statistics->find(value);
      if (entry == statistics->end())
        continue;
      maxima.assign(entry->second.maxima.begin(), entry->second.maxima.end());
    }
    changed += equalize(value, maxima, alpha);
  }
  return changed;
}

namespace {
struct EqualizeChannels
    : public qcc::impl::EqualizeChannelsBase<EqualizeChannels> {
  using EqualizeChannelsBase::EqualizeChannelsBase;
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      numEqualized += equalizeChannels(function, nullptr, alpha);
  }
};
} // namespace
