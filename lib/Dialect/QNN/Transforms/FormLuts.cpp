//===- FormLuts.cpp - Functions of one 8-bit number as tables -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A chain of elementwise ops that starts at one 8-bit tensor and ends in an
// 8-bit tensor is a function of 256 values. The table holds what the ops give,
// each rounded to float32 as when they are executed one by one.
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/Evaluate.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

#include <array>
#include <cmath>

namespace qcc::qnn {
#define GEN_PASS_DEF_FORMLUTS
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using quant::UniformQuantizedType;

/// A chain longer than this is no activation function.
static constexpr size_t kMaxChain = 64;

/// What a value holds for each of the 256 inputs: floats, or storage integers
/// where it is quantized. Both are exact in double.
using Samples = std::array<double, 256>;

namespace {

struct Chain {
  Value source;
  llvm::SetVector<Operation *> ops; ///< users before producers
};

/// Computes the ops of a chain, for all 256 inputs at once.
class Evaluator {
public:
  explicit Evaluator(Value source);
  /// Fills in the result of `op`; false where it cannot be computed.
  bool run(Operation *op);
  const Samples &of(Value value) { return values.find(value)->second; }

private:
  std::optional<Samples> samples(Value value);
  bool unary(UnaryOp op);
  bool binary(BinaryOp op);

  llvm::DenseMap<Value, Samples> values;
};

} // namespace

/// The only value that a constant holds, in storage units; nothing otherwise.
static std::optional<double> getSplat(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return std::nullopt;
  Type element = tensorTypeOf(value).getElementType();
  SmallVector<double> values;
  if (element.isF32()) {
    if (auto floats = getConstantFloats(value))
      values = std::move(*floats);
  } else if (auto ints = getConstantInts(value);
             ints && getActivationType(value)) {
    values.assign(ints->begin(), ints->end());
  }
  if (values.empty() || !llvm::all_equal(values))
    return std::nullopt;
  return values[0];
}

static bool isFloat(Value value) {
  return tensorTypeOf(value).getElementType().isF32();
}

static double round32(double value) { return static_cast<float>(value); }

static double applyActivation(std::optional<ActivationAttr> activation,
                              double value) {
  if (!activation)
    return value;
  return round32(evaluateUnary(activation->getKind(), value,
                               activation->alpha(), activation->beta()));
}

Evaluator::Evaluator(Value source) {
  Samples &samples = values[source];
  bool isSigned = getActivationType(source).isSigned();
  for (int i = 0; i < 256; ++i)
    samples[i] = isSigned ? static_cast<int8_t>(i) : i;
}

std::optional<Samples> Evaluator::samples(Value value) {
  auto it = values.find(value);
  if (it != values.end())
    return it->second;
  auto splat = getSplat(value);
  if (!splat)
    return std::nullopt;
  Samples samples;
  samples.fill(*splat);
  return samples;
}

static double dequantizeSample(double q, UniformQuantizedType type) {
  return dequantize(static_cast<int64_t>(q), getQuantParams(type));
}
static double quantizeSample(double x, UniformQuantizedType type) {
  return static_cast<double>(
      quantize(static_cast<float>(x), getQuantParams(type)));
}

bool Evaluator::unary(UnaryOp op) {
  auto input = samples(op.getInput());
  UniformQuantizedType from = getActivationType(op.getInput());
  UniformQuantizedType to = getActivationType(op.getResult());
  if (!input || !(from || isFloat(op.getInput())) ||
      !(to || isFloat(op.getResult())))
    return false;
  Samples &out = values[op.getResult()];
  for (int i = 0; i < 256; ++i) {
    double x = from ? dequantizeSample((*input)[i], from) : (*input)[i];
    double y =
        round32(evaluateUnary(op.getKind(), x, op.getAlpha().convertToDouble(),
                              op.getBeta().convertToDouble()));
    out[i] = to ? quantizeSample(y, to) : y;
  }
  return true;
}

/// A quantized add, sub or mul of the formula in its description.
static std::optional<float> quantizedBinary(BinaryKind kind, double a, double b,
                                            const QuantParams &lhs,
                                            const QuantParams &rhs,
                                            float scale) {
  float x = static_cast<float>(a - lhs.zeroPoint);
  float y = static_cast<float>(b - rhs.zeroPoint);
  // Each step rounds to float32: no fused multiply-add.
  volatile float left = x * (lhs.scale / scale);
  volatile float right = y * (rhs.scale / scale);
  switch (kind) {
  case BinaryKind::Add:
    return left + right;
  case BinaryKind::Sub:
    return left - right;
  case BinaryKind::Mul:
    return (x * y) * requantizeMultiplier(lhs.scale, rhs.scale, scale);
  default:
    return std::nullopt;
  }
}

bool Evaluator::binary(BinaryOp op) {
  auto lhs = samples(op.getLhs()), rhs = samples(op.getRhs());
  if (!lhs || !rhs)
    return false;
  UniformQuantizedType to = getActivationType(op.getResult());
  UniformQuantizedType a = getActivationType(op.getLhs());
  UniformQuantizedType b = getActivationType(op.getRhs());
  Samples out;
  for (int i = 0; i < 256; ++i) {
    double x = (*lhs)[i], y = (*rhs)[i];
    if (to && a && b) {
      if (op.getActivation())
        return false;
      QuantParams params = getQuantParams(to);
      auto sum = quantizedBinary(op.getKind(), x, y, getQuantParams(a),
                                 getQuantParams(b), params.scale);
      if (!sum)
        return false;
      // In units of the result: one more rounding, none of the division.
      params.scale = 1.f;
      out[i] = static_cast<double>(quantize(*sum, params));
      continue;
    }
    if (!isFloat(op.getLhs()) || !isFloat(op.getRhs()) ||
        !isFloat(op.getResult()))
      return false;
    switch (op.getKind()) {
    case BinaryKind::Add:
      x = round32(x + y);
      break;
    case BinaryKind::Sub:
      x = round32(x - y);
      break;
    case BinaryKind::Mul:
      x = round32(x * y);
      break;
    case BinaryKind::Div:
      x = round32(x / y);
      break;
    case BinaryKind::Pow:
      x = round32(std::pow(x, y));
      break;
    case BinaryKind::Min:
      x = std::isnan(x) || x < y ? x : y;
      break;
    case BinaryKind::Max:
      x = std::isnan(x) || x > y ? x : y;
      break;
    case BinaryKind::PRelu:
      x = x < 0 ? round32(x * y) : x;
      break;
    default:
      return false;
    }
    out[i] = applyActivation(op.getActivation(), x);
  }
  values[op.getResult()] = out;
  return true;
}

bool Evaluator::run(Operation *op) {
  if (auto typed = dyn_cast<UnaryOp>(op))
    return unary(typed);
  if (auto typed = dyn_cast<BinaryOp>(op))
    return binary(typed);
  auto input = samples(op->getOperand(0));
  UniformQuantizedType from = getActivationType(op->getOperand(0));
  UniformQuantizedType to = getActivationType(op->getResult(0));
  if (!input)
    return false;
  Samples out;
  if (isa<DequantizeOp>(op) && from && isFloat(op->getResult(0))) {
    for (int i = 0; i < 256; ++i)
      out[i] = dequantizeSample((*input)[i], from);
  } else if (isa<QuantizeOp>(op) && to && isFloat(op->getOperand(0))) {
    for (int i = 0; i < 256; ++i)
      out[i] = quantizeSample((*input)[i], to);
  } else if (isa<RequantizeOp>(op) && from && to) {
    for (int i = 0; i < 256; ++i)
      out[i] = quantizeSample(dequantizeSample((*input)[i], from), to);
  } else if (auto lut = dyn_cast<LutOp>(op); lut && from && to) {
    auto table = ConstantBytes::get(lut.getTable());
    if (!table || table->bytes().size() != 256)
      return false;
    for (int i = 0; i < 256; ++i) {
      uint8_t bits = static_cast<uint8_t>(static_cast<int>((*input)[i]));
      char entry = table->bytes()[bits];
      out[i] = to.isSigned() ? static_cast<int8_t>(entry)
                             : static_cast<uint8_t>(entry);
    }
  } else {
    return false;
  }
  values[op->getResult(0)] = out;
  return true;
}

/// Ops that compute each element from the elements at the same place.
static bool isElementwise(Operation *op) {
  return isa<QuantizeOp, DequantizeOp, RequantizeOp, UnaryOp, BinaryOp, LutOp>(
      op);
}

/// The longest chain that ends in `root` and depends on one 8-bit tensor.
static std::optional<Chain> findChain(Operation *root) {
  std::optional<Chain> best;
  Chain chain;
  llvm::SetVector<Value> frontier;
  ArrayRef<int64_t> shape = shapeOf(root->getResult(0));
  auto expand = [&](Operation *op) {
    chain.ops.insert(op);
    for (Value operand : op->getOperands())
      if (!getSplat(operand))
        frontier.insert(operand);
  };
  expand(root);
  while (chain.ops.size() < kMaxChain && !frontier.empty()) {
    if (frontier.size() == 1 && getActivationType(frontier[0]) &&
        shapeOf(frontier[0]) == shape) {
      chain.source = frontier[0];
      best = chain;
    }
    // The last producer first: the others may be where it leads to.
    Operation *last = nullptr;
    for (Value value : frontier) {
      Operation *producer = value.getDefiningOp();
      if (!producer || !isElementwise(producer) ||
          producer->getBlock() != root->getBlock() || shapeOf(value) != shape)
        continue;
      if (!last || last->isBeforeInBlock(producer))
        last = producer;
    }
    if (!last)
      break;
    frontier.remove(last->getResult(0));
    expand(last);
  }
  return best;
}

/// Whether a table does more than one rescaling.
static bool isWorthTable(const Chain &chain) {
  unsigned rescalings = 0;
  for (Operation *op : chain.ops) {
    if (isa<UnaryOp, BinaryOp>(op) || (isa<LutOp>(op) && chain.ops.size() > 1))
      return true;
    rescalings += isa<QuantizeOp, RequantizeOp>(op);
  }
  return rescalings > 1;
}

namespace {

struct FormLuts : qcc::qnn::impl::FormLutsBase<FormLuts> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isElementwise(op) && op->getNumResults() == 1)
        ops.push_back(op);
    });
    // In program order, so that tables are composed of tables.
    SmallVector<Operation *> candidates; // for removal, in program order
    for (Operation *op : ops) {
      if (getActivationType(op->getResult(0)))
        if (Operation *lut = formLut(op)) {
          op->replaceAllUsesWith(lut);
          candidates.push_back(lut);
        }
      candidates.push_back(op);
    }
    for (Operation *op : llvm::reverse(candidates))
      if (isOpTriviallyDead(op))
        op->erase();
  }

  Operation *formLut(Operation *root) {
    auto chain = findChain(root);
    if (!chain || !isWorthTable(*chain))
      return nullptr;
    SmallVector<Operation *> order(chain->ops.begin(), chain->ops.end());
    llvm::sort(order, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    Evaluator evaluator(chain->source);
    for (Operation *op : order)
      if (!evaluator.run(op))
        return nullptr;
    Value result = root->getResult(0);
    std::vector<char> table;
    for (double entry : evaluator.of(result))
      table.push_back(static_cast<char>(static_cast<int>(entry)));
    Type storage = getStorageType(tensorTypeOf(result).getElementType());
    OpBuilder builder(root);
    SmallVector<Location> locations;
    for (Operation *op : order)
      if (isa<UnaryOp, BinaryOp, LutOp>(op))
        locations.push_back(op->getLoc());
    ++numLuts;
    return LutOp::create(
        builder, builder.getFusedLoc(locations), result.getType(),
        chain->source,
        makeElementsAttr(RankedTensorType::get({256}, storage), table, "lut"));
  }
};

} // namespace
