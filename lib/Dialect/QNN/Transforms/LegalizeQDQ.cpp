//===- LegalizeQDQ.cpp - dequantize -> op -> quantize to quantized op -----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LegalizeQDQ.h"
#include "PatternUtils.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/QuantMath.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_LEGALIZEQDQ
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using quant::UniformQuantizedType;

Value qcc::qnn::getDequantizedSource(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (!dequantize || !tensorTypeOf(value).getElementType().isF32())
    return {};
  return dequantize.getInput();
}

static bool takesActivation(Operation *op) {
  return llvm::is_contained(op->getName().getAttributeNames(), "activation");
}

/// `activation`, or null where the quantization to `type` implies it.
static ActivationAttr dropImplied(ActivationAttr activation,
                                  UniformQuantizedType type) {
  if (activation &&
      isImpliedBySaturation(activation.getKind(), activation.alpha(),
                            activation.beta(), type))
    return {};
  return activation;
}

QuantizedResult QuantizedResult::get(Operation *op, unsigned bits) {
  QuantizedResult result;
  Value value = op->getResult(0);
  result.activation = op->getAttrOfType<ActivationAttr>("activation");
  auto ifStored = [&](UniformQuantizedType type) {
    unsigned width = type ? type.getStorageTypeIntegralWidth() : 0;
    return width == 8 || width == bits ? type : UniformQuantizedType();
  };
  result.type = ifStored(getCommonQuantizedType(value));
  if (result.type) {
    result.activation = dropImplied(result.activation, result.type);
    return result;
  }
  if (!value.hasOneUse() || result.activation)
    return result;
  auto unary = dyn_cast<UnaryOp>(*value.getUsers().begin());
  if (!unary)
    return result;
  UniformQuantizedType type = ifStored(getCommonQuantizedType(unary));
  if (!type)
    return result;
  auto activation = ActivationAttr::get(op->getContext(), unary.getKind(),
                                        unary.getAlpha().convertToFloat(),
                                        unary.getBeta().convertToFloat());
  activation = dropImplied(activation, type);
  if (activation && !takesActivation(op))
    return result;
  result.fused = unary;
  result.activation = activation;
  result.type = type;
  return result;
}

void qcc::qnn::replaceQuantizes(PatternRewriter &rewriter, Value value,
                                Value quantized) {
  for (Operation *user : llvm::make_early_inc_range(value.getUsers()))
    rewriter.replaceOp(user, quantized);
}

namespace {

/// Ops whose operands are all activations: binary, mean, avg_pool.
struct LegalizeOp : OpInterfaceRewritePattern<QuantizableOpInterface> {
  LegalizeOp(MLIRContext *context, Pass::Statistic &numLegalized)
      : OpInterfaceRewritePattern(context), numLegalized(numLegalized) {}

  LogicalResult matchAndRewrite(QuantizableOpInterface op,
                                PatternRewriter &rewriter) const override {
    // qnn-form-luts takes functions of one number.
    if (!op.isQuantizable() || isa<UnaryOp>(op) || op->getNumResults() != 1 ||
        op.getWeightOperand() || isa<MatmulOp>(op))
      return failure();
    SmallVector<unsigned> activations = op.getActivationOperands();
    if (activations.empty())
      return failure();
    SmallVector<Value> sources;
    for (unsigned i : activations) {
      Value source = getDequantizedSource(op->getOperand(i));
      if (!source || !getActivationType(source))
        return failure();
      sources.push_back(source);
    }
    auto result = QuantizedResult::get(op);
    if (!result.type)
      return failure();
    if (op.getScaleConstraint() == ScaleConstraint::SameScale &&
        llvm::any_of(sources, [&](Value source) {
          return getActivationType(source) != result.type;
        }))
      return failure();

    Operation *clone = rewriter.clone(*op);
    for (auto [i, source] : llvm::zip(activations, sources))
      clone->setOperand(i, source);
    if (takesActivation(op)) {
      if (result.activation)
        clone->setAttr("activation", result.activation);
      else
        clone->removeAttr("activation");
    }
    Value value = clone->getResult(0);
    value.setType(tensorTypeOf(value).clone(Type(result.type)));
    replaceQuantizes(rewriter, result.replaced(op), value);
    ++numLegalized;
    return success();
  }

  Pass::Statistic &numLegalized;
};

/// Whether a requantization from one type to the other leaves every integer as
/// it is, scales that differ in their last places, say.
static bool keepsIntegers(UniformQuantizedType from, UniformQuantizedType to) {
  if (getStorageType(from) != getStorageType(to) ||
      from.getStorageTypeIntegralWidth() > 16)
    return false;
  QuantParams source = getQuantParams(from), result = getQuantParams(to);
  for (int64_t q = source.qmin; q <= source.qmax; ++q)
    if (quantize(dequantize(q, source), result) != q)
      return false;
  return true;
}

/// `source` taken for integers of `type`: where it is defined, since whatever
/// reads the view can be computed from there on.
static Value viewAs(UniformQuantizedType type, Value source,
                    PatternRewriter &rewriter) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(source);
  RankedTensorType shape = tensorTypeOf(source);
  Value integers = StorageCastOp::create(
      rewriter, source.getLoc(), shape.clone(getStorageType(type)), source);
  return StorageCastOp::create(rewriter, source.getLoc(), shape.clone(type),
                               integers);
}

/// quantize(dequantize(q)) -> requantize(q), by its definition, or q where that
/// changes no integer.
struct LegalizePair : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    Value source = getDequantizedSource(op.getInput());
    UniformQuantizedType from =
        source ? getActivationType(source) : UniformQuantizedType();
    UniformQuantizedType to = getActivationType(op.getResult());
    if (!from || !to)
      return failure();
    if (from == to)
      rewriter.replaceOp(op, source);
    else if (keepsIntegers(from, to))
      rewriter.replaceOp(op, viewAs(to, source, rewriter));
    else
      rewriter.replaceOpWithNewOp<RequantizeOp>(op, op.getResult().getType(),
                                                source);
    return success();
  }
};

/// Whether all that is computed from the integers of `value` is their real
/// values, maybe moved; collects the moves.
static bool isOnlyDequantized(Value value,
                              SmallVectorImpl<Operation *> &moves) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    if (isa<DequantizeOp>(user))
      return true;
    if (!isa<TransposeOp, ReshapeOp>(user))
      return false;
    moves.push_back(user);
    return isOnlyDequantized(user->getResult(0), moves);
  });
}

/// quantize(clamp(x)) to 16 bits gives only a part of the range: a type that
/// says so leaves more room to sums of products with the result.
struct NarrowInt16 : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *producer = op.getInput().getDefiningOp();
    UniformQuantizedType type = getIntActivationType(op.getResult());
    SmallVector<Operation *> moves;
    if (!producer || !type || type.getStorageTypeIntegralWidth() != 16 ||
        !isOnlyDequantized(op.getResult(), moves))
      return failure();
    auto activation = producer->getAttrOfType<ActivationAttr>("activation");
    auto unary = dyn_cast<UnaryOp>(producer);
    if (unary)
      activation = ActivationAttr::get(op.getContext(), unary.getKind(),
                                       unary.getAlpha().convertToFloat(),
                                       unary.getBeta().convertToFloat());
    if (!activation)
      return failure();
    auto range = getClampRange(activation.getKind(), activation.alpha(),
                               activation.beta(), type);
    if (!range || range->first >= range->second ||
        (range->first == type.getStorageTypeMin() &&
         range->second == type.getStorageTypeMax()))
      return failure();
    auto narrow = UniformQuantizedType::get(
        type.getFlags(), type.getStorageType(), type.getExpressedType(),
        type.getScale(), type.getZeroPoint(), range->first, range->second);
    auto retype = [&](Operation *changed) {
      rewriter.modifyOpInPlace(changed, [&] {
        Value result = changed->getResult(0);
        result.setType(tensorTypeOf(result).clone(Type(narrow)));
      });
    };
    retype(op);
    for (Operation *move : moves)
      retype(move);
    if (unary) // implied by the saturation now
      rewriter.modifyOpInPlace(op,
                               [&] { op->setOperand(0, unary.getInput()); });
    return success();
  }
};

struct LegalizeQDQ : qcc::qnn::impl::LegalizeQDQBase<LegalizeQDQ> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LegalizeOp>(&getContext(), numLegalized);
    patterns.add<LegalizePair, NarrowInt16>(&getContext());
    populateLegalizeContraction(patterns, numLegalized);
    if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
