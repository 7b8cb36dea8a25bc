//===- SharedOperand.cpp - Products that share their right-hand side ------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatternUtils.h"

using namespace mlir;
using namespace qcc::qnn;

/// The operand of which `value` repeats each matrix of its third dimension from
/// the end: [..., G, S, D] where `value` is [..., G*R, S, D]. Null if it does
/// not.
static Value getRepeated(Value value, SmallVectorImpl<int64_t> &shape,
                         int64_t &repeats) {
  auto merge = value.getDefiningOp<ReshapeOp>();
  auto expand = merge ? merge.getInput().getDefiningOp<ExpandOp>() : ExpandOp();
  if (!expand)
    return {};
  ArrayRef<int64_t> to = expand.getShape(), merged = shapeOf(value);
  SmallVector<int64_t> from(shapeOf(expand.getInput()));
  size_t rank = to.size();
  if (from.size() != rank || rank < 4 || merged.size() + 1 != rank)
    return {};
  size_t dim = rank - 3; // the one that is repeated
  SmallVector<int64_t> expected(to);
  expected[dim - 1] *= expected[dim];
  expected.erase(expected.begin() + dim);
  repeats = to[dim];
  from[dim] = repeats;
  if (merged != ArrayRef<int64_t>(expected) || from != to || repeats < 2 ||
      shapeOf(expand.getInput())[dim] != 1)
    return {};
  shape.assign(to.begin(), to.end());
  shape.erase(shape.begin() + dim);
  return expand.getInput();
}

namespace {
/// matmul(a, repeated b) -> one product per b, of the rows of all its a
struct ShareOperand : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getBias() || op.getResidual() || op.getTransposeLhs())
      return failure();
    SmallVector<int64_t> rhsShape;
    int64_t repeats;
    Value source = getRepeated(op.getRhs(), rhsShape, repeats);
    if (!source || rankOf(op.getLhs()) != rankOf(op.getRhs()))
      return failure();
    size_t rank = rhsShape.size();
    ArrayRef<int64_t> lhs = shapeOf(op.getLhs());
    if (lhs.drop_back(2) != shapeOf(op.getRhs()).drop_back(2))
      return failure();

    auto reshape = [&](Value value, ArrayRef<int64_t> shape) -> Value {
      return ReshapeOp::create(rewriter, op.getLoc(),
                               tensorTypeOf(value).clone(shape), value);
    };
    // [..., G*R, M, K] -> [..., G, R*M, K]
    auto merged = [&](ArrayRef<int64_t> shape) {
      SmallVector<int64_t> result(shape);
      result[rank - 3] /= repeats;
      result[rank - 2] *= repeats;
      return result;
    };
    RankedTensorType type = tensorTypeOf(op.getResult());
    Value product = MatmulOp::create(
        rewriter, op.getLoc(), type.clone(merged(type.getShape())),
        reshape(op.getLhs(), merged(lhs)), reshape(source, rhsShape), Value(),
        Value(), false, op.getTransposeRhs(), op.getActivationAttr(),
        op.getKeepFloat());
    rewriter.replaceOp(op, reshape(product, type.getShape()));
    return success();
  }
};
} // namespace

void qcc::qnn::populateShareOperand(RewritePatternSet &patterns) {
  patterns.add<ShareOperand>(patterns.getContext());
}
