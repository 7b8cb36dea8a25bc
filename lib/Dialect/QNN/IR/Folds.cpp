//===- Folds.cpp - Folding of constants and identities --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EvaluateDetail.h"
#include "qcc/Dialect/QNN/IR/Evaluate.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

#include <cmath>

using namespace mlir;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

ElementsAttr qcc::qnn::evaluate(Operation *op, ArrayRef<Attribute> operands,
                                int64_t maxElements) {
  auto result = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (op->getNumResults() != 1 || !result || !result.hasStaticShape() ||
      result.getNumElements() > maxElements ||
      elementWidth(result.getElementType()) == 0)
    return {};
  for (auto [i, attr] : llvm::enumerate(operands)) {
    auto type = dyn_cast<RankedTensorType>(op->getOperand(i).getType());
    if (!isa_and_nonnull<ElementsAttr>(attr) || !type ||
        !type.hasStaticShape() || type.getNumElements() > maxElements)
      return {};
  }
  SmallVector<Constant> constants;
  for (auto [i, attr] : llvm::enumerate(operands)) {
    auto data = ConstantBytes::get(cast<ElementsAttr>(attr));
    if (!data)
      return {};
    constants.push_back(
        {cast<RankedTensorType>(op->getOperand(i).getType()), *data});
  }
  auto bytes = evaluateMovement(op, constants);
  if (!bytes)
    bytes = evaluateArithmetic(op, constants);
  if (!bytes)
    bytes = evaluateQuantization(op, constants);
  if (!bytes)
    return {};
  return makeElementsAttr(result, *bytes, "folded");
}

ElementsAttr qcc::qnn::reshapeElements(ElementsAttr attr,
                                       ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(attr.getType()).clone(shape);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (auto dense = dyn_cast<DenseElementsAttr>(attr))
    return dense.reshape(type);
  return {};
}

/// `op`'s operand where the op does nothing.
static OpFoldResult foldIfSameType(Operation *op) {
  if (op->getOperand(0).getType() == op->getResult(0).getType())
    return op->getOperand(0);
  return {};
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

OpFoldResult RequantizeOp::fold(FoldAdaptor) { return foldIfSameType(*this); }

OpFoldResult StorageCastOp::fold(FoldAdaptor adaptor) {
  // Both sides are stored alike.
  if (adaptor.getInput())
    return adaptor.getInput();
  if (auto producer = getInput().getDefiningOp<StorageCastOp>())
    if (producer.getInput().getType() == getType())
      return producer.getInput();
  return {};
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult same = foldIfSameType(*this))
    return same;
  return evaluate(*this, adaptor.getOperands());
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

OpFoldResult UnaryOp::fold(FoldAdaptor adaptor) {
  if (getKind() == UnaryKind::Identity)
    if (OpFoldResult same = foldIfSameType(*this))
      return same;
  if (auto producer = getInput().getDefiningOp<UnaryOp>()) {
    UnaryKind kind = getKind();
    bool sameKind = producer.getKind() == kind;
    if (sameKind && kind == UnaryKind::Not)
      return producer.getInput();
    bool idempotent = kind == UnaryKind::Relu || kind == UnaryKind::Abs ||
                      kind == UnaryKind::Floor || kind == UnaryKind::Ceil ||
                      kind == UnaryKind::Round;
    if (sameKind && idempotent && !isQuantized(elementType(getInput())))
      return foldIfSameType(*this);
  }
  return evaluate(*this, adaptor.getOperands());
}

/// Whether every element of a small constant is `number`.
static bool isAll(Attribute attr, double number) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(attr);
  if (!elements || elements.empty())
    return false;
  if (!elements.isSplat() && elements.getNumElements() > kMaxFoldElements)
    return false;
  if (isa<FloatType>(elements.getElementType()))
    return llvm::all_of(elements.getValues<APFloat>(), [&](const APFloat &f) {
      return f.convertToDouble() == number;
    });
  if (isa<IntegerType>(elements.getElementType()))
    return llvm::all_of(elements.getValues<APInt>(), [&](const APInt &i) {
      return i == uint64_t(int64_t(number));
    });
  return false;
}

OpFoldResult BinaryOp::fold(FoldAdaptor adaptor) {
  if (!getActivation() && !isQuantized(elementType(getResult()))) {
    Attribute lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
    bool keepLhs = false, keepRhs = false;
    switch (getKind()) {
    case BinaryKind::Add:
      keepLhs = isAll(rhs, 0);
      keepRhs = isAll(lhs, 0);
      break;
    case BinaryKind::Mul:
      keepLhs = isAll(rhs, 1);
      keepRhs = isAll(lhs, 1);
      break;
    case BinaryKind::Sub:
      keepLhs = isAll(rhs, 0);
      break;
    case BinaryKind::Div:
    case BinaryKind::Pow:
      keepLhs = isAll(rhs, 1);
      break;
    default:
      break;
    }
    if (keepLhs && getLhs().getType() == getType())
      return getLhs();
    if (keepRhs && getRhs().getType() == getType())
      return getRhs();
  }
  return evaluate(*this, adaptor.getOperands());
}

OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  if (auto condition =
          dyn_cast_or_null<DenseElementsAttr>(adaptor.getCondition()))
    if (condition.isSplat()) {
      Value chosen =
          condition.getSplatValue<bool>() ? getOnTrue() : getOnFalse();
      if (chosen.getType() == getType())
        return chosen;
    }
  if (getOnTrue() == getOnFalse() && getOnTrue().getType() == getType())
    return getOnTrue();
  return evaluate(*this, adaptor.getOperands());
}

OpFoldResult ReduceOp::fold(FoldAdaptor adaptor) {
  // Over single elements, these are the identity.
  bool identity = getKind() == ReduceKind::Sum ||
                  getKind() == ReduceKind::Mean ||
                  getKind() == ReduceKind::Max ||
                  getKind() == ReduceKind::Min || getKind() == ReduceKind::Prod;
  if (identity)
    if (OpFoldResult same = foldIfSameType(*this))
      if (llvm::all_of(getAxes(), [&](int64_t axis) {
            return shapeOf(getInput())[axis] == 1;
          }))
        return same;
  return evaluate(*this, adaptor.getOperands());
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult same = foldIfSameType(*this))
    return same;
  if (auto elements = dyn_cast_or_null<ElementsAttr>(adaptor.getInput()))
    return reshapeElements(elements, shapeOf(getResult()));
  if (auto producer = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return {};
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (llvm::is_sorted(getPermutation()))
    if (OpFoldResult same = foldIfSameType(*this))
      return same;
  // A splat only changes its shape.
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(adaptor.getInput()))
    return reshapeElements(splat, shapeOf(getResult()));
  if (auto producer = getInput().getDefiningOp<TransposeOp>()) {
    Shape composed;
    for (int64_t d : getPermutation())
      composed.push_back(producer.getPermutation()[d]);
    setPermutation(composed);
    getInputMutable().assign(producer.getInput());
    return getResult();
  }
  return evaluate(*this, adaptor.getOperands());
}

OpFoldResult ConcatOp::fold(FoldAdaptor adaptor) {
  if (getNumOperands() == 1)
    return foldIfSameType(*this);
  // Inputs without elements add nothing.
  SmallVector<Value> kept = llvm::filter_to_vector(
      getInputs(), [](Value v) { return !llvm::is_contained(shapeOf(v), 0); });
  if (!kept.empty() && kept.size() != getNumOperands()) {
    getInputsMutable().assign(kept);
    return getResult();
  }
  return evaluate(*this, adaptor.getOperands());
}

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  bool whole = getInput().getType() == getType();
  for (auto [step, size] : llvm::zip_equal(getSteps(), getSizes()))
    whole &= step == 1 || size <= 1;
  if (whole)
    return getInput();
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(adaptor.getInput()))
    if (!llvm::is_contained(getSizes(), 0))
      return splat.resizeSplat(
          cast<ShapedType>(splat.getType()).clone(getSizes()));
  return evaluate(*this, adaptor.getOperands());
}

OpFoldResult PadOp::fold(FoldAdaptor adaptor) {
  if (llvm::all_of(getPads(), [](int64_t pad) { return pad == 0; }))
    return foldIfSameType(*this);
  return evaluate(*this, adaptor.getOperands());
}

OpFoldResult ExpandOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult same = foldIfSameType(*this))
    return same;
  return evaluate(*this, adaptor.getOperands());
}

OpFoldResult GatherOp::fold(FoldAdaptor adaptor) {
  return evaluate(*this, adaptor.getOperands());
}

//===----------------------------------------------------------------------===//
// Canonicalization
//===----------------------------------------------------------------------===//

namespace {
/// A transpose that keeps the order of all dimensions but unit ones moves no
/// element.
struct TransposeToReshape : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<int64_t> order;
    for (int64_t d : op.getPermutation())
      if (shapeOf(op.getInput())[d] != 1)
        order.push_back(d);
    if (!llvm::is_sorted(order))
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), op.getInput());
    return success();
  }
};

/// Constants go to the right, so that patterns need look for them only there.
struct ConstantToTheRight : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    switch (op.getKind()) {
    case BinaryKind::Add:
    case BinaryKind::Mul:
    case BinaryKind::Min:
    case BinaryKind::Max:
    case BinaryKind::And:
    case BinaryKind::Or:
    case BinaryKind::Xor:
    case BinaryKind::Equal:
      break;
    default:
      return failure();
    }
    if (!op.getLhs().getDefiningOp<ConstantOp>() ||
        op.getRhs().getDefiningOp<ConstantOp>())
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      Value lhs = op.getLhs();
      op.getLhsMutable().assign(op.getRhs());
      op.getRhsMutable().assign(lhs);
    });
    return success();
  }
};
/// x / 2^n -> x * 2^-n, which is exact.
struct DivideByPowerOfTwo : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = tensorType(op.getRhs());
    if (op.getKind() != BinaryKind::Div || !type.getElementType().isF32() ||
        type.getNumElements() != 1)
      return failure();
    auto divisor = getConstantFloats(op.getRhs());
    int exponent;
    if (!divisor || std::abs(std::frexp(divisor->front(), &exponent)) != 0.5 ||
        std::abs(exponent) > 100)
      return failure();
    float inverse = static_cast<float>(1 / divisor->front());
    Value factor = createConstant(rewriter, op.getRhs().getLoc(),
                                  type.getShape(), inverse);
    rewriter.modifyOpInPlace(op, [&] {
      op.setKind(BinaryKind::Mul);
      op.getRhsMutable().assign(factor);
    });
    return success();
  }
};
} // namespace

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<TransposeToReshape>(context);
}

void BinaryOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<ConstantToTheRight, DivideByPowerOfTwo>(context);
}
