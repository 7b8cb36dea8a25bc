//===- ActivationIdioms.cpp - Chains of ops that are one function ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Frameworks spell activation functions out; each chain here becomes the one
// `qnn.unary` that it computes. Products are matched as sets of factors, since
// exporters put the constant anywhere in them.
//
//===----------------------------------------------------------------------===//

#include "PatternUtils.h"

using namespace mlir;
using namespace qcc::qnn;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// `value` as `kind` of two operands, without an activation.
static BinaryOp getBinary(Value value, BinaryKind kind) {
  auto op = value.getDefiningOp<BinaryOp>();
  return op && op.getKind() == kind && !op.getActivation() ? op : BinaryOp();
}

static UnaryOp getUnary(Value value, UnaryKind kind) {
  auto op = value.getDefiningOp<UnaryOp>();
  return op && op.getKind() == kind ? op : UnaryOp();
}

/// The other operand of `value` = x + constant; x null where it is none.
static std::pair<Value, double> getPlusConstant(Value value) {
  BinaryOp add = getBinary(value, BinaryKind::Add);
  if (!add)
    return {};
  if (auto c = getUniform(add.getRhs()))
    return {add.getLhs(), *c};
  if (auto c = getUniform(add.getLhs()))
    return {add.getRhs(), *c};
  return {};
}

namespace {
/// A product: a number times values that are no products themselves.
struct Product {
  double factor = 1;
  SmallVector<Value> values;

  static Product get(Value value) {
    Product result;
    result.collect(value, /*root=*/true);
    return result;
  }
  bool isFactor(double expected, Type type) const {
    return isClose(factor, expected, type);
  }

private:
  void collect(Value value, bool root = false) {
    if (auto c = getUniform(value)) {
      factor *= *c;
      return;
    }
    // Parts that others use as well are computed anyhow.
    if (root || value.hasOneUse()) {
      if (BinaryOp mul = getBinary(value, BinaryKind::Mul)) {
        collect(mul.getLhs());
        collect(mul.getRhs());
        return;
      }
      BinaryOp div = getBinary(value, BinaryKind::Div);
      if (div && getUniform(div.getRhs())) {
        factor /= *getUniform(div.getRhs());
        collect(div.getLhs());
        return;
      }
    }
    values.push_back(value);
  }
};
} // namespace

/// Whether `value` is number * x^power.
static bool isMonomial(Value value, double number, int power, Value x) {
  Product product = Product::get(value);
  if (!product.isFactor(number, elementTypeOf(x)))
    return false;
  if (int64_t(product.values.size()) == power &&
      llvm::all_equal(product.values))
    return product.values[0] == x;
  if (product.values.size() != 1)
    return false;
  BinaryOp pow = getBinary(product.values[0], BinaryKind::Pow);
  return pow && pow.getLhs() == x && getUniform(pow.getRhs()) == power;
}

/// sqrt(2 / pi) * (x + 0.044715 x^3), in the two ways it is written.
static bool isGeluTanhArgument(Value value, Value x) {
  constexpr double kSqrt2OverPi = 0.7978845608028653559, kCubic = 0.044715;
  Product product = Product::get(value);
  if (!product.isFactor(kSqrt2OverPi, elementTypeOf(x)))
    return false;
  if (product.values.size() == 1) {
    BinaryOp add = getBinary(product.values[0], BinaryKind::Add);
    return add &&
           ((add.getLhs() == x && isMonomial(add.getRhs(), kCubic, 3, x)) ||
            (add.getRhs() == x && isMonomial(add.getLhs(), kCubic, 3, x)));
  }
  if (product.values.size() != 2)
    return false;
  for (int i : {0, 1}) {
    auto [square, one] = getPlusConstant(product.values[1 - i]);
    if (product.values[i] == x && square && one == 1 &&
        isMonomial(square, kCubic, 2, x))
      return true;
  }
  return false;
}

/// The unary function that `product` = factor * x * gate(x) is.
static std::optional<UnaryKind> matchGate(double factor, Value x, Value gate) {
  Type type = elementTypeOf(x);
  auto isConstant = [&](double c) { return isClose(factor, c, type); };
  if (UnaryOp op = getUnary(gate, UnaryKind::Sigmoid);
      op && op.getInput() == x && isConstant(1))
    return UnaryKind::Silu;
  if (UnaryOp op = getUnary(gate, UnaryKind::Tanh); op && isConstant(1))
    if (UnaryOp inner = getUnary(op.getInput(), UnaryKind::Softplus))
      if (inner.getInput() == x)
        return UnaryKind::Mish;
  if (UnaryOp op = getUnary(gate, UnaryKind::HardSigmoid);
      op && op.getInput() == x && isConstant(1) &&
      isClose(op.getAlpha().convertToDouble(), 1.0 / 6, type) &&
      isClose(op.getBeta().convertToDouble(), 0.5, type))
    return UnaryKind::HardSwish;
  if (UnaryOp op = getUnary(gate, UnaryKind::Clamp);
      op && isConstant(1.0 / 6) && op.getAlpha().isZero() &&
      op.getBeta().convertToDouble() == 6) {
    auto [inner, three] = getPlusConstant(op.getInput());
    if (inner == x && three == 3)
      return UnaryKind::HardSwish;
  }
  auto [function, one] = getPlusConstant(gate);
  if (function && one == 1 && isConstant(0.5)) {
    if (UnaryOp op = getUnary(function, UnaryKind::Erf))
      if (isMonomial(op.getInput(), 0.70710678118654752440, 1, x))
        return UnaryKind::Gelu;
    if (UnaryOp op = getUnary(function, UnaryKind::Tanh))
      if (isGeluTanhArgument(op.getInput(), x))
        return UnaryKind::GeluTanh;
  }
  return std::nullopt;
}

static UnaryOp replaceByUnary(PatternRewriter &rewriter, Operation *op,
                              UnaryKind kind, Value x, float alpha = 0,
                              float beta = 0) {
  return rewriter.replaceOpWithNewOp<UnaryOp>(
      op, op->getResult(0).getType(), kind, x, APFloat(alpha), APFloat(beta));
}

namespace {

/// factor * x * gate(x) -> silu, mish, hard_swish, gelu, gelu_tanh
struct GatedProduct : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (!isFloat(op.getResult()) ||
        (op.getKind() != BinaryKind::Mul && op.getKind() != BinaryKind::Div) ||
        op.getActivation())
      return failure();
    Product product = Product::get(op.getResult());
    if (product.values.size() != 2)
      return failure();
    for (int i : {0, 1}) {
      Value x = product.values[i], gate = product.values[1 - i];
      // A gate with other users has to be computed all the same.
      if (x.getType() != op.getType() || !gate.hasOneUse())
        continue;
      if (auto kind = matchGate(product.factor, x, gate)) {
        replaceByUnary(rewriter, op, *kind, x);
        return success();
      }
    }
    return failure();
  }
};

/// clamp(x + 3, 0, 6) / 6 -> hard_sigmoid
struct SpelledHardSigmoid : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (!isFloat(op.getResult()) || op.getActivation())
      return failure();
    Product product = Product::get(op.getResult());
    Type type = elementTypeOf(op.getResult());
    if (product.values.size() != 1 || !product.isFactor(1.0 / 6, type))
      return failure();
    UnaryOp clamp = getUnary(product.values[0], UnaryKind::Clamp);
    if (!clamp || !clamp.getAlpha().isZero() ||
        clamp.getBeta().convertToDouble() != 6)
      return failure();
    auto [x, three] = getPlusConstant(clamp.getInput());
    if (!x || three != 3 || x.getType() != op.getType())
      return failure();
    replaceByUnary(rewriter, op, UnaryKind::HardSigmoid, x, float(1.0 / 6),
                   0.5f);
    return success();
  }
};

/// 1 / (1 + exp(-x)) -> sigmoid
struct SpelledSigmoid : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(UnaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != UnaryKind::Reciprocal || !isFloat(op.getResult()))
      return failure();
    auto [exp, one] = getPlusConstant(op.getInput());
    UnaryOp inner = exp ? getUnary(exp, UnaryKind::Exp) : UnaryOp();
    UnaryOp neg = inner ? getUnary(inner.getInput(), UnaryKind::Neg) : inner;
    if (!neg || one != 1 || neg.getInput().getType() != op.getType())
      return failure();
    replaceByUnary(rewriter, op, UnaryKind::Sigmoid, neg.getInput());
    return success();
  }
};

/// 1 / x -> reciprocal
struct DivideOne : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::Div || op.getActivation() ||
        getUniform(op.getLhs()) != 1.0 || op.getRhs().getType() != op.getType())
      return failure();
    replaceByUnary(rewriter, op, UnaryKind::Reciprocal, op.getRhs());
    return success();
  }
};

/// Whether an attribute, which is a float32, holds what a function of `x` has
/// to know of `number`.
bool fitsAttribute(double number, Value x) {
  return !elementTypeOf(x).isF64() || double(float(number)) == number;
}

/// max(x, c), min(x, c) -> relu, clamp
struct ExtremumToClamp : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    bool isMax = op.getKind() == BinaryKind::Max;
    if ((!isMax && op.getKind() != BinaryKind::Min) || op.getActivation() ||
        !isFloat(op.getResult()))
      return failure();
    Value x = op.getLhs();
    auto bound = getUniform(op.getRhs());
    if (!bound) {
      x = op.getRhs();
      bound = getUniform(op.getLhs());
    }
    if (!bound || std::isnan(*bound) || !fitsAttribute(*bound, x) ||
        x.getType() != op.getType())
      return failure();
    replaceByUnary(rewriter, op, UnaryKind::Clamp, x,
                   float(isMax ? *bound : -kInfinity),
                   float(isMax ? kInfinity : *bound));
    return success();
  }
};

/// prelu by one slope -> leaky_relu
struct UniformPRelu : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::PRelu || op.getActivation())
      return failure();
    auto slope = getUniform(op.getRhs());
    if (!slope || !fitsAttribute(*slope, op.getLhs()) ||
        op.getLhs().getType() != op.getType())
      return failure();
    replaceByUnary(rewriter, op, UnaryKind::LeakyRelu, op.getLhs(),
                   float(*slope));
    return success();
  }
};

/// The interval that relu and clamp restrict to.
std::optional<std::pair<float, float>> getInterval(UnaryOp op) {
  if (!op || !isFloat(op.getResult()))
    return std::nullopt;
  if (op.getKind() == UnaryKind::Relu)
    return std::pair(0.f, float(kInfinity));
  if (op.getKind() == UnaryKind::Clamp)
    return std::pair(op.getAlpha().convertToFloat(),
                     op.getBeta().convertToFloat());
  return std::nullopt;
}

/// clamp(clamp(x)) -> clamp(x), clamp(x, 0, inf) -> relu, clamp(x, -inf, inf)
/// -> x
struct MergeClamps : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(UnaryOp op,
                                PatternRewriter &rewriter) const override {
    auto outer = getInterval(op);
    if (!outer)
      return failure();
    Value x = op.getInput();
    auto [low, high] = *outer;
    if (auto inner = getInterval(x.getDefiningOp<UnaryOp>())) {
      low = std::clamp(inner->first, outer->first, outer->second);
      high = std::clamp(inner->second, outer->first, outer->second);
      x = x.getDefiningOp<UnaryOp>().getInput();
    }
    if (low == float(-kInfinity) && high == float(kInfinity)) {
      rewriter.replaceOp(op, x);
      return success();
    }
    bool isRelu = low == 0 && high == float(kInfinity);
    UnaryKind kind = isRelu ? UnaryKind::Relu : UnaryKind::Clamp;
    if (x == op.getInput() && kind == op.getKind())
      return failure();
    Operation *inner =
        x == op.getInput() ? nullptr : op.getInput().getDefiningOp();
    UnaryOp merged = replaceByUnary(rewriter, op, kind, x, isRelu ? 0 : low,
                                    isRelu ? 0 : high);
    if (inner)
      mergeLocation(merged, inner);
    return success();
  }
};

/// quantize(clamp(dequantize(quantize(x)))) -> quantize(clamp(x)) for one type:
/// rounding is monotonic. So qnn-prepare-export writes it.
struct ClampOfQuantized : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(UnaryOp op,
                                PatternRewriter &rewriter) const override {
    auto dequantize = op.getInput().getDefiningOp<DequantizeOp>();
    auto quantize = dequantize
                        ? dequantize.getInput().getDefiningOp<QuantizeOp>()
                        : QuantizeOp();
    if (!getInterval(op) || !quantize || !op->hasOneUse() ||
        !quantize->hasOneUse() || !dequantize->hasOneUse())
      return failure();
    auto user = dyn_cast<QuantizeOp>(*op->user_begin());
    if (!user || user.getType() != quantize.getType() ||
        !getActivationType(user.getResult()))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.setOperand(quantize.getInput()); });
    return success();
  }
};

} // namespace

void qcc::qnn::populateActivationIdioms(RewritePatternSet &patterns) {
  patterns.add<ClampOfQuantized, DivideOne, ExtremumToClamp, GatedProduct,
               MergeClamps, SpelledHardSigmoid, SpelledSigmoid, UniformPRelu>(
      patterns.getContext());
}
