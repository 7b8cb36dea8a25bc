//===- FuseActivation.cpp - Activations behind the op that feeds them -----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Epilogue.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_FUSEACTIVATION
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc::qnn;

bool qcc::qnn::isEpilogueActivation(UnaryKind kind) {
  switch (kind) {
  case UnaryKind::Relu:
  case UnaryKind::Clamp:
  case UnaryKind::LeakyRelu:
  case UnaryKind::Sigmoid:
  case UnaryKind::Tanh:
  case UnaryKind::HardSigmoid:
  case UnaryKind::HardSwish:
  case UnaryKind::Silu:
  case UnaryKind::Gelu:
  case UnaryKind::GeluTanh:
    return true;
  default:
    return false;
  }
}

namespace {
struct FuseUnary : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(UnaryOp op,
                                PatternRewriter &rewriter) const override {
    Operation *producer = skipMovement(op.getInput()).getDefiningOp();
    if (!isEpilogueActivation(op.getKind()) || !op.getInput().hasOneUse() ||
        !producer || !producer->hasOneUse() || !canTakeActivation(producer) ||
        op.getType() != op.getInput().getType())
      return failure();
    auto activation = ActivationAttr::get(op.getContext(), op.getKind(),
                                          op.getAlphaAttr(), op.getBetaAttr());
    rewriter.modifyOpInPlace(producer, [&] {
      producer->setAttr("activation", activation);
      mergeLocation(producer, op);
    });
    rewriter.replaceOp(op, op.getInput());
    return success();
  }

private:
  /// An activation does not mind where its elements are.
  static Value skipMovement(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (!isa<ReshapeOp, TransposeOp>(op) || !op->hasOneUse())
        break;
      value = op->getOperand(0);
    }
    return value;
  }
};

struct FuseActivation : qcc::qnn::impl::FuseActivationBase<FuseActivation> {
  void runOnOperation() override {
    // First all idioms: a fused activation would hide parts of them.
    for (auto populate :
         {populateActivationIdioms, populateFuseActivationPatterns}) {
      RewritePatternSet patterns(&getContext());
      populate(patterns);
      if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
        return signalPassFailure();
    }
  }
};
} // namespace

void qcc::qnn::populateFuseActivationPatterns(RewritePatternSet &patterns) {
  patterns.add<FuseUnary>(patterns.getContext());
}
