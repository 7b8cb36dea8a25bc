//===- OneHotProduct.cpp - Products with one-hot matrices are look-ups ----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatternUtils.h"

#include "qcc/Dialect/QNN/IR/Evaluate.h"

using namespace mlir;
using namespace qcc::qnn;

/// Whether `value` is the constant 0, 1, ..., n-1 along its last dimension.
static bool isCounter(Value value) {
  RankedTensorType type = tensorTypeOf(value);
  if (type.getRank() == 0 || type.getNumElements() != type.getShape().back() ||
      type.getNumElements() > kMaxFoldElements)
    return false;
  auto numbers = getConstantInts(value);
  if (!numbers)
    return false;
  for (auto [i, number] : llvm::enumerate(*numbers))
    if (number != int64_t(i))
      return false;
  return true;
}

/// The indices i[...] where `value` is float(i[..., newaxis] == counter).
static Value getOneHotIndices(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  auto equal = cast ? cast.getInput().getDefiningOp<BinaryOp>() : BinaryOp();
  if (!equal || equal.getKind() != BinaryKind::Equal || !cast->hasOneUse())
    return {};
  SmallVector<int64_t> expected(shapeOf(value));
  if (expected.empty())
    return {};
  int64_t count = expected.back();
  expected.back() = 1;
  for (auto [index, counter] : {std::pair(equal.getLhs(), equal.getRhs()),
                                std::pair(equal.getRhs(), equal.getLhs())}) {
    Type type = elementTypeOf(index);
    if ((type.isSignlessInteger(32) || type.isSignlessInteger(64)) &&
        shapeOf(index) == ArrayRef<int64_t>(expected) && isCounter(counter) &&
        shapeOf(counter).back() == count)
      return index;
  }
  return {};
}

namespace {
/// act(one_hot(i) W + b) -> gather(act(W + b), i), with rows act(b) for
/// indices out of range
struct OneHotProduct : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getTransposeLhs() || op.getTransposeRhs() || op.getResidual() ||
        rankOf(op.getRhs()) != 2 || rankOf(op.getLhs()) < 2 ||
        !llvm::all_of(op->getOperands(), isFloat))
      return failure();
    Value indices = getOneHotIndices(op.getLhs());
    if (!indices)
      return failure();
    int64_t rows = shapeOf(op.getRhs())[0], columns = shapeOf(op.getRhs())[1];
    auto weights = getConstantFloats(op.getRhs());
    SmallVector<double> bias(columns, 0.0);
    if (op.getBias()) {
      auto vector = getChannelVector(op.getBias(), {columns}, 0);
      if (!vector)
        return failure();
      bias = *vector;
    }
    if (!weights)
      return failure();

    // One more row at either end for the indices below 0 and beyond.
    SmallVector<double> table;
    for (int64_t row = -1; row <= rows; ++row)
      for (int64_t c = 0; c < columns; ++c)
        table.push_back(
            finish(op, bias[c] + (row < 0 || row == rows
                                      ? 0.0
                                      : (*weights)[row * columns + c])));
    auto tableType = RankedTensorType::get({rows + 2, columns},
                                           elementTypeOf(op.getResult()));
    Value values =
        createFloatConstant(rewriter, op.getLoc(), tableType, table, "table");
    auto indexType = tensorTypeOf(indices).clone(shapeOf(indices).drop_back());
    Value index = ReshapeOp::create(rewriter, op.getLoc(), indexType, indices);
    for (auto [kind, number] : {std::pair(BinaryKind::Max, int64_t(-1)),
                                std::pair(BinaryKind::Min, rows),
                                std::pair(BinaryKind::Add, int64_t(1))})
      index = BinaryOp::create(rewriter, op.getLoc(), indexType, kind, index,
                               makeInteger(rewriter, op.getLoc(),
                                           indexType.getElementType(), number),
                               ActivationAttr());
    rewriter.replaceOpWithNewOp<GatherOp>(op, op.getType(), values, index,
                                          uint64_t(0));
    return success();
  }

private:
  static double finish(MatmulOp op, double sum) {
    auto activation = op.getActivation();
    if (!activation)
      return sum;
    // The sum is rounded before the activation, as the product's would be.
    return evaluateUnary(activation->getKind(), float(sum), activation->alpha(),
                         activation->beta());
  }
  static Value makeInteger(PatternRewriter &rewriter, Location loc, Type type,
                           int64_t number) {
    auto tensor = RankedTensorType::get({}, type);
    return ConstantOp::create(
        rewriter, loc, tensor,
        DenseElementsAttr::get(tensor, rewriter.getIntegerAttr(type, number)));
  }
};
} // namespace

void qcc::qnn::populateOneHotProduct(RewritePatternSet &patterns) {
  patterns.add<OneHotProduct>(patterns.getContext());
}
