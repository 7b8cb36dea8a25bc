//===- FuseNormalization.cpp - Spelled out normalizations and softmax -----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Frameworks and exporters write layer normalization, RMS normalization and
// softmax as a handful of reductions and elementwise ops. One op each computes
// them with one pass over the data, and in float: the pieces would be
// quantized one by one.
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_FUSENORMALIZATION
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc::qnn;

static BinaryOp getBinary(Value value, BinaryKind kind) {
  auto op = value.getDefiningOp<BinaryOp>();
  return op && op.getKind() == kind && !op.getActivation() ? op : BinaryOp();
}

static UnaryOp getUnary(Value value, UnaryKind kind) {
  auto op = value.getDefiningOp<UnaryOp>();
  return op && op.getKind() == kind ? op : UnaryOp();
}

/// `value` as a reduction that keeps the dimensions.
static ReduceOp getReduction(Value value, ReduceKind kind) {
  auto op = value.getDefiningOp<ReduceOp>();
  return op && op.getKind() == kind && op.getKeepdims() ? op : ReduceOp();
}

/// What `value` is the square of; null if it is none.
static Value getSquared(Value value) {
  if (BinaryOp mul = getBinary(value, BinaryKind::Mul))
    return mul.getLhs() == mul.getRhs() ? mul.getLhs() : Value();
  BinaryOp pow = getBinary(value, BinaryKind::Pow);
  return pow && getUniform(pow.getRhs()) == 2.0 ? pow.getLhs() : Value();
}

/// x where `value` is x - mean(x), with the axes of the mean.
static std::pair<Value, ReduceOp> getCentered(Value value) {
  BinaryOp sub = getBinary(value, BinaryKind::Sub);
  ReduceOp mean =
      sub ? getReduction(sub.getRhs(), ReduceKind::Mean) : ReduceOp();
  if (!mean || mean.getInput() != sub.getLhs())
    return {};
  return {sub.getLhs(), mean};
}

/// The mean of squares of x where `value` is max(mean(x^2) - mean(x)^2, 0),
/// the variance in one pass over the data; null if it is none.
static ReduceOp getOnePassVariance(Value value) {
  UnaryOp relu = getUnary(value, UnaryKind::Relu);
  auto sub = (relu ? relu.getInput() : value).getDefiningOp<BinaryOp>();
  if (!sub || sub.getKind() != BinaryKind::Sub)
    return {};
  ActivationAttr activation = sub.getActivationAttr();
  if (activation && activation.getKind() != UnaryKind::Relu)
    return {};
  ReduceOp squares = getReduction(sub.getLhs(), ReduceKind::Mean);
  Value root = getSquared(sub.getRhs());
  ReduceOp mean = root ? getReduction(root, ReduceKind::Mean) : ReduceOp();
  if (!squares || !mean || squares.getAxes() != mean.getAxes() ||
      getSquared(squares.getInput()) != mean.getInput())
    return {};
  return squares;
}

namespace {

/// What a normalization divides by: sqrt(variance + epsilon).
struct Deviation {
  Value variance;
  float epsilon = 0;

  /// From the square root; from its reciprocal.
  static std::optional<Deviation> get(Value value) {
    UnaryOp sqrt = getUnary(value, UnaryKind::Sqrt);
    BinaryOp add =
        sqrt ? getBinary(sqrt.getInput(), BinaryKind::Add) : BinaryOp();
    if (!add)
      return std::nullopt;
    Value variance = add.getLhs();
    auto epsilon = getUniform(add.getRhs());
    if (!epsilon) {
      variance = add.getRhs();
      epsilon = getUniform(add.getLhs());
    }
    if (!epsilon || !(*epsilon >= 0) || !std::isfinite(*epsilon) ||
        variance.getType() != add.getType())
      return std::nullopt;
    return Deviation{variance, float(*epsilon)};
  }
  static std::optional<Deviation> getReciprocal(Value value) {
    if (UnaryOp op = getUnary(value, UnaryKind::Reciprocal))
      return get(op.getInput());
    return std::nullopt;
  }
};

/// numerator / sqrt(variance(x) + epsilon) -> normalize(x)
struct SpelledNormalize : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (!isFloat(op.getResult()))
      return failure();
    Value lhs = op.getLhs(), rhs = op.getRhs();
    if (op.getKind() == BinaryKind::Div) {
      if (auto deviation = Deviation::get(rhs))
        return rewrite(rewriter, op, lhs, *deviation, {});
      return failure();
    }
    if (op.getKind() != BinaryKind::Mul)
      return failure();
    for (auto [numerator, factor] :
         {std::pair(lhs, rhs), std::pair(rhs, lhs)}) {
      if (auto deviation = Deviation::getReciprocal(factor))
        return rewrite(rewriter, op, numerator, *deviation, {});
      // The reciprocal may have been multiplied by the scale first.
      BinaryOp scaled = getBinary(factor, BinaryKind::Mul);
      if (!scaled)
        continue;
      for (auto [reciprocal, scale] :
           {std::pair(scaled.getLhs(), scaled.getRhs()),
            std::pair(scaled.getRhs(), scaled.getLhs())})
        if (auto deviation = Deviation::getReciprocal(reciprocal))
          return rewrite(rewriter, op, numerator, *deviation, scale);
    }
    return failure();
  }

private:
  static LogicalResult rewrite(PatternRewriter &rewriter, BinaryOp op,
                               Value numerator, const Deviation &deviation,
                               Value scale) {
    if (numerator.getType() != op.getType())
      return failure();
    auto [input, mean] = getCentered(numerator);
    ReduceOp squares = getOnePassVariance(deviation.variance);
    bool rms = false;
    if (squares) {
      if (!input || getSquared(squares.getInput()) != input)
        return failure();
    } else {
      squares = getReduction(deviation.variance, ReduceKind::Mean);
      if (!squares || getSquared(squares.getInput()) != numerator)
        return failure();
      if (!input) {
        input = numerator;
        rms = true;
      }
    }
    if (!rms && mean.getAxes() != squares.getAxes())
      return failure();
    if (input.getType() != op.getType() || (!scale && op.getActivation()))
      return failure();
    Value result = NormalizeOp::create(rewriter, op.getLoc(), op.getType(),
                                       input, squares.getAxes(),
                                       APFloat(deviation.epsilon), /*rms=*/rms);
    if (scale)
      result =
          BinaryOp::create(rewriter, op.getLoc(), op.getType(), BinaryKind::Mul,
                           result, scale, op.getActivationAttr());
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// exp(x) / sum(exp(x)) -> softmax(x)
struct SpelledSoftmax : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    UnaryOp exp = getUnary(op.getLhs(), UnaryKind::Exp);
    ReduceOp sum = getReduction(op.getRhs(), ReduceKind::Sum);
    if (op.getKind() != BinaryKind::Div || op.getActivation() || !exp || !sum ||
        sum.getInput() != op.getLhs() || sum.getAxes().size() != 1 ||
        op.getLhs().getType() != op.getType() || !isFloat(op.getResult()))
      return failure();
    rewriter.replaceOpWithNewOp<SoftmaxOp>(op, op.getType(), exp.getInput(),
                                           uint64_t(sum.getAxes()[0]));
    return success();
  }
};

/// softmax(x - max(x)) -> softmax(x), which subtracts it itself
struct SoftmaxOfShift : OpRewritePattern<SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    BinaryOp sub = getBinary(op.getInput(), BinaryKind::Sub);
    ReduceOp max =
        sub ? getReduction(sub.getRhs(), ReduceKind::Max) : ReduceOp();
    if (!max || max.getInput() != sub.getLhs() ||
        max.getAxes() != ArrayRef<int64_t>{int64_t(op.getAxis())})
      return failure();
    rewriter.modifyOpInPlace(
        op, [&] { op.getInputMutable().assign(sub.getLhs()); });
    return success();
  }
};

/// A reduction whose dimensions all users put back by a reshape keeps them.
struct KeepDimensions : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKeepdims() || op->use_empty())
      return failure();
    SmallVector<int64_t> kept(shapeOf(op.getInput()));
    for (int64_t axis : op.getAxes())
      kept[axis] = 1;
    for (Operation *user : op->getUsers())
      if (!isa<ReshapeOp>(user) ||
          shapeOf(user->getResult(0)) != ArrayRef<int64_t>(kept))
        return failure();
    auto keeping =
        ReduceOp::create(rewriter, op.getLoc(), op.getType().clone(kept),
                         op.getKind(), op.getInput(), op.getAxes(),
                         /*keepdims=*/true);
    for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
      rewriter.replaceOp(user, keeping.getResult());
    rewriter.eraseOp(op);
    return success();
  }
};

/// reshape between a small elementwise op and the reduction before it: the
/// reshape moves up, so that it meets the reduction.
struct ReshapeAboveElementwise : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *producer = op.getInput().getDefiningOp();
    if (!producer || !producer->hasOneUse() ||
        !isa<UnaryOp, BinaryOp>(producer) || !isFloat(op.getResult()))
      return failure();
    bool reduced = false;
    for (Value operand : producer->getOperands()) {
      reduced |= isReduced(operand);
      bool isNumber =
          getUniform(operand) && tensorTypeOf(operand).getNumElements() == 1;
      if (!isNumber && operand.getType() != op.getInput().getType())
        return failure();
    }
    if (!reduced)
      return failure();
    for (OpOperand &operand : producer->getOpOperands()) {
      // A number of rank 0 fits any shape.
      bool isNumber = operand.get().getType() != op.getInput().getType();
      RankedTensorType type =
          isNumber ? op.getType().clone(ArrayRef<int64_t>{}) : op.getType();
      rewriter.setInsertionPoint(producer);
      Value moved =
          ReshapeOp::create(rewriter, op.getLoc(), type, operand.get());
      rewriter.modifyOpInPlace(producer, [&] { operand.set(moved); });
    }
    rewriter.modifyOpInPlace(
        producer, [&] { producer->getResult(0).setType(op.getType()); });
    rewriter.replaceOp(op, producer->getResults());
    return success();
  }

private:
  /// Whether a few elementwise ops lead from a reduction to `value`.
  static bool isReduced(Value value) {
    for (int depth = 0; depth < 4; ++depth) {
      Operation *op = value.getDefiningOp();
      if (auto reduce = dyn_cast_or_null<ReduceOp>(op))
        return !reduce.getKeepdims();
      if (!isa_and_nonnull<UnaryOp, BinaryOp>(op))
        return false;
      value = op->getOperand(0);
    }
    return false;
  }
};

/// sum(x) * (1 / count) -> mean(x)
struct SumToMean : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    auto sum = op.getLhs().getDefiningOp<ReduceOp>();
    auto factor = getUniform(op.getRhs());
    if (!sum || !factor || sum.getKind() != ReduceKind::Sum ||
        op.getActivation() || sum.getType() != op.getType() ||
        !sum->hasOneUse())
      return failure();
    double count = 1;
    for (int64_t axis : sum.getAxes())
      count *= double(shapeOf(sum.getInput())[axis]);
    Type type = elementTypeOf(op.getResult());
    bool isMean = (op.getKind() == BinaryKind::Mul &&
                   isClose(*factor, 1 / count, type)) ||
                  (op.getKind() == BinaryKind::Div && *factor == count);
    if (!isMean || count == 0)
      return failure();
    rewriter.replaceOpWithNewOp<ReduceOp>(op, op.getType(), ReduceKind::Mean,
                                          sum.getInput(), sum.getAxes(),
                                          sum.getKeepdims());
    return success();
  }
};

struct FuseNormalization
    : qcc::qnn::impl::FuseNormalizationBase<FuseNormalization> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<KeepDimensions, ReshapeAboveElementwise, SoftmaxOfShift,
                 SpelledNormalize, SpelledSoftmax, SumToMean>(&getContext());
    populateActivationIdioms(patterns);
    if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
