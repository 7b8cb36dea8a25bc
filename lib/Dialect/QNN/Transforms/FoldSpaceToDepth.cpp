//===- FoldSpaceToDepth.cpp - Convolutions of pixels moved to channels ----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

#include "llvm/Support/MathExtras.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_FOLDSPACETODEPTH
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc::qnn;

namespace {
/// A slice of a slice ... of `source`: element i is source[starts + i * steps].
struct Slices {
  Value source;
  SmallVector<int64_t> starts, steps;

  explicit Slices(Value value)
      : source(value), starts(rankOf(value), 0), steps(rankOf(value), 1) {
    while (auto slice = source.getDefiningOp<SliceOp>()) {
      for (size_t d = 0; d < starts.size(); ++d) {
        starts[d] = slice.getStarts()[d] + starts[d] * slice.getSteps()[d];
        steps[d] *= slice.getSteps()[d];
      }
      source = slice.getInput();
    }
  }
};

/// A concatenation along the channels of the pixels of each place in blocks.
struct SpaceToDepth {
  Value source;
  SmallVector<int64_t> block;               ///< per spatial dimension
  SmallVector<SmallVector<int64_t>> places; ///< of the operands in the block

  static std::optional<SpaceToDepth> match(ConcatOp concat, int64_t channelDim);
};

struct SpaceToDepthIntoConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override;
};

struct FoldSpaceToDepth
    : qcc::qnn::impl::FoldSpaceToDepthBase<FoldSpaceToDepth> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SpaceToDepthIntoConv>(&getContext());
    if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

std::optional<SpaceToDepth> SpaceToDepth::match(ConcatOp concat,
                                                int64_t channelDim) {
  if (int64_t(concat.getAxis()) != channelDim)
    return std::nullopt;
  SpaceToDepth result;
  int64_t places = 1;
  for (Value operand : concat.getInputs()) {
    Slices slices(operand);
    bool isFirst = !result.source;
    if (isFirst)
      result.source = slices.source;
    if (slices.source != result.source)
      return std::nullopt;
    SmallVector<int64_t> place;
    for (int64_t d = 0; d < rankOf(operand); ++d) {
      int64_t step = slices.steps[d], start = slices.starts[d];
      // All of the source, block by block.
      if (step < 1 || start >= step ||
          shapeOf(operand)[d] * step != shapeOf(result.source)[d])
        return std::nullopt;
      if (d == 0 || d == channelDim) {
        if (step != 1)
          return std::nullopt;
        continue;
      }
      if (isFirst) {
        result.block.push_back(step);
        places *= step;
      } else if (result.block[place.size()] != step) {
        return std::nullopt;
      }
      place.push_back(start);
    }
    if (llvm::is_contained(result.places, place))
      return std::nullopt;
    result.places.push_back(place);
  }
  if (places == 1 || int64_t(result.places.size()) != places)
    return std::nullopt;
  return result;
}

/// The filter over the source: a tap of a channel of the concatenation is one
/// of the pixels of a block.
static Value spreadFilter(PatternRewriter &rewriter, Value filter,
                          const SpaceToDepth &source) {
  std::optional<ConstantBytes> bytes = ConstantBytes::get(filter);
  auto perAxis =
      dyn_cast<quant::UniformQuantizedPerAxisType>(elementTypeOf(filter));
  if (!bytes || (perAxis && perAxis.getQuantizedDimension() != 0))
    return {};
  ArrayRef<int64_t> from = shapeOf(filter);
  int64_t spatial = source.block.size();
  int64_t channels = from[1] / int64_t(source.places.size());
  SmallVector<int64_t> to = {from[0], channels};
  for (int64_t d = 0; d < spatial; ++d)
    to.push_back(from[2 + d] * source.block[d]);

  int64_t size = tensorTypeOf(filter).getNumElements();
  int64_t elementBytes = size == 0 ? 0 : bytes->bytes().size() / size;
  std::vector<char> spread(bytes->bytes().size());
  for (int64_t i = 0; i < size; ++i) {
    // The coordinates of the element, from the innermost one on.
    int64_t rest = i, at = 0, pitch = 1;
    SmallVector<int64_t> taps(spatial);
    for (int64_t d = spatial - 1; d >= 0; --d) {
      taps[d] = rest % from[2 + d];
      rest /= from[2 + d];
    }
    int64_t channel = rest % from[1], row = rest / from[1];
    for (int64_t d = spatial - 1; d >= 0; --d) {
      int64_t place = source.places[channel / channels][d];
      at += (taps[d] * source.block[d] + place) * pitch;
      pitch *= to[2 + d];
    }
    at += (row * channels + channel % channels) * pitch;
    std::copy_n(bytes->bytes().begin() + i * elementBytes, elementBytes,
                spread.begin() + at * elementBytes);
  }
  return createConstant(rewriter, filter.getLoc(),
                        tensorTypeOf(filter).clone(to), spread, "weights");
}

LogicalResult
SpaceToDepthIntoConv::matchAndRewrite(ConvOp op,
                                      PatternRewriter &rewriter) const {
  auto concat = op.getInput().getDefiningOp<ConcatOp>();
  if (!concat || !concat->hasOneUse() || op.getGroup() != 1 ||
      llvm::any_of(op.getDilations(), [](int64_t d) { return d != 1; }))
    return failure();
  std::optional<SpaceToDepth> source =
      SpaceToDepth::match(concat, op.getChannelDim());
  if (!source)
    return failure();
  SmallVector<int64_t> strides(op.getStrides()), pads(op.getPads());
  auto multiply = [](int64_t &value, int64_t block) {
    // What the op's verifier takes.
    return !llvm::MulOverflow(value, block, value) && value <= INT32_MAX;
  };
  for (auto [d, block] : llvm::enumerate(source->block))
    if (!multiply(strides[d], block) || !multiply(pads[d], block) ||
        !multiply(pads[strides.size() + d], block))
      return failure();
  Value filter = spreadFilter(rewriter, op.getFilter(), *source);
  if (!filter)
    return failure();
  rewriter.modifyOpInPlace(op, [&] {
    op.getInputMutable().assign(source->source);
    op.getFilterMutable().assign(filter);
    op.setStrides(strides);
    op.setPads(pads);
    mergeLocation(op, concat);
  });
  return success();
}
