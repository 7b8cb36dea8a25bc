//===- SimplifyMatmul.cpp - Transposes and biases into matrix products ----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_SIMPLIFYMATMUL
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc::qnn;

/// Whether `op` swaps its last two dimensions and nothing else.
static bool swapsMatrix(TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  int64_t rank = permutation.size();
  if (rank < 2 || permutation[rank - 1] != rank - 2 ||
      permutation[rank - 2] != rank - 1)
    return false;
  for (int64_t d = 0; d < rank - 2; ++d)
    if (permutation[d] != d)
      return false;
  return true;
}

namespace {

/// matmul(transpose(a), transpose(b)) -> matmul(a, b) that transposes itself
struct FoldTranspose : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto lhs = op.getLhs().getDefiningOp<TransposeOp>();
    auto rhs = op.getRhs().getDefiningOp<TransposeOp>();
    bool foldLhs = lhs && swapsMatrix(lhs), foldRhs = rhs && swapsMatrix(rhs);
    if (!foldLhs && !foldRhs)
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      if (foldLhs) {
        op.getLhsMutable().assign(lhs.getInput());
        op.setTransposeLhs(!op.getTransposeLhs());
      }
      if (foldRhs) {
        op.getRhsMutable().assign(rhs.getInput());
        op.setTransposeRhs(!op.getTransposeRhs());
      }
    });
    return success();
  }
};

/// matmul + bias -> matmul with bias, for one number per column that is
/// constant, maybe quantized.
struct FoldBias : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp add,
                                PatternRewriter &rewriter) const override {
    if (add.getKind() != BinaryKind::Add || add.getActivation() ||
        !isFloat(add.getResult()))
      return failure();
    for (auto [product, bias] : {std::pair(add.getLhs(), add.getRhs()),
                                 std::pair(add.getRhs(), add.getLhs())}) {
      auto matmul = product.getDefiningOp<MatmulOp>();
      if (!matmul || !matmul->hasOneUse() || matmul.getBias() ||
          matmul.getResidual() || matmul.getActivation() ||
          product.getType() != add.getType() || rankOf(matmul.getRhs()) < 2)
        continue;
      Value vector =
          getBiasVector(rewriter, add.getLoc(), bias, shapeOf(product).back());
      if (!vector)
        continue;
      rewriter.moveOpBefore(matmul, add);
      rewriter.modifyOpInPlace(matmul, [&] {
        matmul.getBiasMutable().assign(vector);
        mergeLocation(matmul, add);
      });
      rewriter.replaceOp(add, matmul.getResult());
      return success();
    }
    return failure();
  }

private:
  /// `bias` as a tensor of `columns` elements; null where it is none.
  static Value getBiasVector(PatternRewriter &rewriter, Location loc,
                             Value bias, int64_t columns) {
    auto dequantize = bias.getDefiningOp<DequantizeOp>();
    Value constant = dequantize ? dequantize.getInput() : bias;
    RankedTensorType type = tensorTypeOf(bias);
    if (!constant.getDefiningOp<ConstantOp>() || type.getRank() == 0 ||
        type.getShape().back() != columns || type.getNumElements() != columns)
      return {};
    if (type.getRank() == 1)
      return bias;
    return dequantize
               ? Value()
               : ReshapeOp::create(rewriter, loc, type.clone({columns}), bias);
  }
};

struct SimplifyMatmul : qcc::qnn::impl::SimplifyMatmulBase<SimplifyMatmul> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldBias, FoldTranspose>(&getContext());
    populateOneHotProduct(patterns);
    populateShareOperand(patterns);
    if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
