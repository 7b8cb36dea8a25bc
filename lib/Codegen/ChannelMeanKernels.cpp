//===- ChannelMeanKernels.cpp - Means of 8-bit channels -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The mean of each channel over an image whose channels are innermost: global
// average pooling. A tile is one vector of channels; the last one ends with the
// channels and may overlap the one before it.
//
//===----------------------------------------------------------------------===//

#include "KernelLists.h"
#include "MatrixEpilogue.h"
#include "Product.h"
#include "Requantize.h"
#include "SpreadBytes.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/QuantMath.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {
/// images x pixels x channels, of which the pixels are reduced.
struct ChannelMean {
  static std::optional<ChannelMean> match(ReduceOp op,
                                          const TargetLevel &level);
  void emit(CodeBuilder &c, const TargetLevel &level, Value input, Value result,
            Value begin, Value end) const;
  int64_t slices() const { return llvm::divideCeil(channels, vector); }
  /// Pixels in one vector where that holds several.
  int64_t pixelsPerVector() const {
    return std::max<int64_t>(1, vector / channels);
  }

  int64_t images = 1, pixels = 1, channels, vector;
  QuantParams from;
  float multiplier;
  Requantize requantize;
};
} // namespace

std::optional<ChannelMean> ChannelMean::match(ReduceOp op,
                                              const TargetLevel &level) {
  auto from = getActivationType(op.getInput()),
       to = getActivationType(op.getResult());
  if (op.getKind() != ReduceKind::Mean || !from || !to ||
      !canSpread(level, from))
    return std::nullopt;
  ChannelMean mean;
  ArrayRef<int64_t> shape = tensorTypeOf(op.getInput()).getShape();
  ArrayRef<int64_t> axes = op.getAxes();
  for (auto [dim, extent] : llvm::enumerate(shape.drop_back())) {
    if (llvm::is_contained(axes, int64_t(dim)))
      mean.pixels *= extent;
    else if (mean.pixels == 1)
      mean.images *= extent;
    else if (extent != 1)
      return std::nullopt;
  }
  mean.channels = shape.back();
  mean.vector = level.vectorBytes;
  bool isWhole = mean.channels >= mean.vector ||
                 (mean.channels > 0 && mean.channels % 4 == 0 &&
                  mean.vector % mean.channels == 0 &&
                  mean.pixels % (mean.vector / mean.channels) == 0);
  // Sums must fit 32 bits.
  if (llvm::is_contained(axes, int64_t(shape.size()) - 1) || !isWhole ||
      mean.images == 0 || mean.pixels == 0 || mean.pixels >= 1 << 23)
    return std::nullopt;
  mean.from = getQuantParams(from);
  QuantParams out = getQuantParams(to);
  mean.multiplier = meanMultiplier(mean.from.scale, mean.pixels, out.scale);
  std::optional<Requantize> requantize = Requantize::get(to, {});
  if (!std::isfinite(mean.multiplier) || !requantize)
    return std::nullopt;
  mean.requantize = *requantize;
  mean.requantize.setBound(255.0 * double(mean.pixels) * mean.multiplier);
  return mean;
}

void ChannelMean::emit(CodeBuilder &c, const TargetLevel &level, Value input,
                       Value result, Value begin, Value end) const {
  constexpr int64_t taps = 4;
  // Enough sums that none waits for another.
  constexpr int64_t rowsAtOnce = 4;
  int64_t rows = pixels / pixelsPerVector(), lanes = level.lanes();
  int64_t stride = channels * pixelsPerVector();
  Type i32 = c.b.getI32Type(), f32 = c.b.getF32Type();
  auto bytes = c.vectorType(c.b.getI8Type(), vector);
  c.loop(begin, end, 1, [&](Value tile) {
    Value image = c.div(tile, slices()), slice = c.rem(tile, slices());
    Value channel = c.index(0);
    if (channels > vector)
      channel = c.min(c.mul(slice, vector), c.index(channels - vector));
    Value start = c.add(c.mul(image, pixels * channels), channel);
    SmallVector<Value> sums(rowsAtOnce * taps, c.splat(i32, 0, lanes));
    for (int64_t j = 0; j < taps; ++j)
      sums[j] = c.splat(i32, double(-rows * from.zeroPoint), lanes);
    auto addRow = [&](Value row, int64_t set, MutableArrayRef<Value> to) {
      Value at = c.add(start, c.mul(row, stride));
      addSpread(c, level, c.load(input, at, bytes), to.slice(set * taps, taps));
    };
    int64_t whole = rows / rowsAtOnce * rowsAtOnce;
    if (whole > 0)
      sums = c.loop(c.index(0), c.index(whole), rowsAtOnce, sums,
                    [&](Value row, ValueRange carried) {
                      SmallVector<Value> next(carried);
                      for (int64_t i = 0; i < rowsAtOnce; ++i)
                        addRow(c.add(row, i), i, next);
                      return next;
                    });
    for (int64_t row = whole; row < rows; ++row)
      addRow(c.index(row), row - whole, sums);
    SmallVector<Value> scaled;
    for (int64_t j = 0; j < taps; ++j) {
      Value sum = sums[j];
      for (int64_t i = 1; i < rowsAtOnce; ++i)
        sum = c.add(sum, sums[i * taps + j]);
      // Pixels side by side, until all lanes hold sums of whole images.
      for (int64_t distance = lanes / 2; distance * taps >= channels;
           distance /= 2) {
        SmallVector<int64_t> rotated;
        for (int64_t lane = 0; lane < lanes; ++lane)
          rotated.push_back((lane + distance) % lanes);
        sum = c.add(sum, c.shuffle(sum, sum, rotated));
      }
      Value real =
          arith::SIToFPOp::create(c.b, c.loc, c.vectorType(f32, lanes), sum);
      scaled.push_back(arith::MulFOp::create(c.b, c.loc, real,
                                             c.splat(f32, multiplier, lanes)));
    }
    Value means =
        orderSpread(c, level, requantize.emitScaled(c, level, scaled));
    storeFirst(c, means, std::min(channels, vector), result,
               c.add(c.mul(image, channels), channel));
  });
}

static LogicalResult emitChannelMean(Operation *op, KernelEmitter &emitter) {
  auto reduce = dyn_cast<ReduceOp>(op);
  std::optional<ChannelMean> mean;
  if (reduce)
    mean = ChannelMean::match(reduce, emitter.level());
  if (!mean)
    return failure();
  SmallVector<Value> args{emitter.buffer(reduce.getInput()),
                          emitter.buffer(reduce.getResult())};
  func::FuncOp kernel = emitter.kernel(
      "channel_mean", reference::opKey(reduce), ValueRange(args).getTypes(),
      op->getLoc(),
      [&](OpBuilder &b, Location loc, ValueRange args, Value begin, Value end) {
        CodeBuilder c(b, loc);
        mean->emit(c, emitter.level(), flatten(c, args[0]), flatten(c, args[1]),
                   begin, end);
      });
  emitter.call(kernel, args, mean->images * mean->slices(), op->getLoc());
  return success();
}

void qcc::populateChannelMeanKernels(KernelGenerators &generators) {
  generators.push_back({"channel-mean", emitChannelMean});
}
