//===- FoldPad.cpp - Explicit padding in convolutions and average pools ---===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

#include "mlir/IR/IRMapping.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_FOLDPAD
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc::qnn;

/// The pads of `pad` along the spatial dimensions of an image, begins then
/// ends; nothing unless it adds zeros there and nowhere else.
static std::optional<SmallVector<int64_t>> getSpatialPads(PadOp pad,
                                                          Layout layout) {
  if (pad.getMode() != PadMode::Constant || !pad.getValue().isZero())
    return std::nullopt;
  int64_t rank = rankOf(pad.getInput()), spatial = rank - 2;
  int64_t first = layout == Layout::ChannelsLast ? 1 : 2;
  SmallVector<int64_t> result;
  for (int64_t side : {0, 1})
    for (int64_t d = 0; d < rank; ++d) {
      int64_t amount = pad.getPads()[side * rank + d];
      if (d >= first && d < first + spatial) {
        if (amount < 0 || amount > (1 << 20))
          return std::nullopt;
        result.push_back(amount);
      } else if (amount != 0) {
        return std::nullopt;
      }
    }
  return result;
}

/// The pad that `value` is, maybe seen through conversions, all of which keep
/// the real value 0.
static PadOp findPad(Value value, SmallVectorImpl<Operation *> &conversions) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto pad = dyn_cast<PadOp>(op))
      return pad;
    bool perAxis =
        op->getNumResults() == 1 && op->getNumOperands() == 1 &&
        (isa<quant::UniformQuantizedPerAxisType>(elementTypeOf(value)) ||
         isa<quant::UniformQuantizedPerAxisType>(
             elementTypeOf(op->getOperand(0))));
    if (!isa<QuantizeOp, DequantizeOp, RequantizeOp>(op) || perAxis ||
        !op->hasOneUse())
      return {};
    conversions.push_back(op);
    value = op->getOperand(0);
  }
  return {};
}

/// The sum of both; nothing where it is no longer a legal attribute.
static std::optional<SmallVector<int64_t>>
addPads(std::optional<SmallVector<int64_t>> pads, ArrayRef<int64_t> own) {
  if (!pads)
    return std::nullopt;
  for (auto [a, b] : llvm::zip_equal(*pads, own)) {
    a += b;
    if (a > std::numeric_limits<int32_t>::max())
      return std::nullopt;
  }
  return pads;
}

namespace {
struct PadIntoConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Operation *> conversions;
    PadOp pad = findPad(op.getInput(), conversions);
    if (!pad)
      return failure();
    // Padding of a quantized tensor is the zero point, which 0 is exactly.
    auto pads = addPads(getSpatialPads(pad, op.getLayout()), op.getPads());
    if (!pads)
      return failure();
    Value input = pad.getInput();
    for (Operation *conversion : llvm::reverse(conversions)) {
      IRMapping mapping;
      mapping.map(conversion->getOperand(0), input);
      Operation *clone = rewriter.clone(*conversion, mapping);
      Value result = clone->getResult(0);
      result.setType(tensorTypeOf(result).clone(shapeOf(input)));
      input = result;
    }
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(input);
      op.setPads(*pads);
      mergeLocation(op, pad);
    });
    return success();
  }
};

struct PadIntoAvgPool : OpRewritePattern<AvgPoolOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AvgPoolOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getInput().getDefiningOp<PadOp>();
    bool padded = llvm::any_of(op.getPads(), [](int64_t p) { return p != 0; });
    // The divisor counts the added zeros, but not padding of the pool's own.
    if (!pad || op.getCeilMode() || (padded && !op.getCountIncludePad()))
      return failure();
    auto pads = addPads(getSpatialPads(pad, op.getLayout()), op.getPads());
    if (!pads)
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(pad.getInput());
      op.setPads(*pads);
      op.setCountIncludePad(true);
      mergeLocation(op, pad);
    });
    return success();
  }
};

struct FoldPad : qcc::qnn::impl::FoldPadBase<FoldPad> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<PadIntoConv, PadIntoAvgPool>(&getContext());
    if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
