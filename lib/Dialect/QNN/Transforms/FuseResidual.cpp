//===- FuseResidual.cpp - Residual additions in the epilogue of a product -===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_FUSERESIDUAL
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc::qnn;

/// Depthwise kernels add nothing: a kernel for groups would take their place.
static bool isDepthwise(Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  return conv && conv.isDepthwise();
}

/// The product where `value` is a float product that only the addition uses and
/// that has nothing yet between the sum and its result.
template <typename OpTy> static OpTy getPlainProduct(Value value) {
  auto op = value.getDefiningOp<OpTy>();
  if (!op || isDepthwise(op) || !op->hasOneUse() || op.getActivation() ||
      op.getResidual() || !llvm::all_of(op->getOperands(), isFloat))
    return {};
  return op;
}

namespace {
template <typename OpTy> struct FuseAdd : OpRewritePattern<BinaryOp> {
  using OpRewritePattern<BinaryOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp add,
                                PatternRewriter &rewriter) const override {
    if (add.getKind() != BinaryKind::Add ||
        add.getLhs().getType() != add.getType() ||
        add.getRhs().getType() != add.getType())
      return failure();
    OpTy lhs = getPlainProduct<OpTy>(add.getLhs());
    OpTy rhs = getPlainProduct<OpTy>(add.getRhs());
    // Of two products, the later one: the other is ready by then.
    OpTy product =
        !lhs                                                              ? rhs
        : !rhs                                                            ? lhs
        : lhs->getBlock() == rhs->getBlock() && lhs->isBeforeInBlock(rhs) ? rhs
                                                                          : lhs;
    if (!product || product->getBlock() != add->getBlock())
      return failure();
    Value residual = product == rhs ? add.getLhs() : add.getRhs();
    if (residual == product.getResult() || residual.getDefiningOp<ConstantOp>())
      return failure();
    // At the addition's place, where the residual is known.
    rewriter.moveOpBefore(product, add);
    rewriter.modifyOpInPlace(product, [&] {
      product.getResidualMutable().assign(residual);
      product.setActivationAttr(add.getActivationAttr());
      mergeLocation(product, add);
    });
    rewriter.replaceOp(add, product.getResult());
    return success();
  }
};

struct FuseResidual : qcc::qnn::impl::FuseResidualBase<FuseResidual> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseAdd<ConvOp>, FuseAdd<MatmulOp>>(&getContext());
    populateFuseActivationPatterns(patterns);
    if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
