//===- LegalizeQDQ.cpp - dequantize -> op -> quantize to quantized op -----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LegalizeQDQ.h"

#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

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

/// quantize(dequantize(q)) -> requantize(q), by its definition.
struct LegalizePair : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    Value source = getDequantizedSource(op.getInput());
    if (!source || !getActivationType(source) ||
        !getActivationType(op.getResult()))
      return failure();
    if (source.getType() == op.getResult().getType())
      rewriter.replaceOp(op, source);
    else
      rewriter.replaceOpWithNewOp<RequantizeOp>(op, op.getResult().getType(),
                                                source);
    return success();
  }
};

/// quantize(clamp(x)) to 16 bits -> quantize(x) to the part of the range that
/// the clamp leaves: sums of products with the result have more room.
struct NarrowWords : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto unary = op.getInput().getDefiningOp<UnaryOp>();
    UniformQuantizedType type = getIntActivationType(op.getResult());
    if (!unary || !type || type.getStorageTypeIntegralWidth() != 16 ||
        !llvm::all_of(op->getUsers(), llvm::IsaPred<DequantizeOp>))
      return failure();
    auto range =
        getClampRange(unary.getKind(), unary.getAlpha().convertToFloat(),
                      unary.getBeta().convertToFloat(), type);
    if (!range || range->first >= range->second)
      return failure();
    auto narrow = UniformQuantizedType::get(
        type.getFlags(), type.getStorageType(), type.getExpressedType(),
        type.getScale(), type.getZeroPoint(), range->first, range->second);
    Value quantized = QuantizeOp::create(
        rewriter, op.getLoc(), tensorTypeOf(op.getResult()).clone(Type(narrow)),
        unary.getInput());
    for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
      rewriter.modifyOpInPlace(user, [&] { user->setOperand(0, quantized); });
    rewriter.eraseOp(op);
    return success();
  }
};

struct LegalizeQDQ : qcc::qnn::impl::LegalizeQDQBase<LegalizeQDQ> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LegalizeOp>(&getContext(), numLegalized);
    patterns.add<LegalizePair, NarrowWords>(&getContext());
    populateLegalizeContraction(patterns, numLegalized);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
