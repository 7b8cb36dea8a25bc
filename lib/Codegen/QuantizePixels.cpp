//===- QuantizePixels.cpp - Planes of reals to 8-bit pixels ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizePixels.h"
#include "../Conversion/QNNToKernels/LoopBuilder.h"
#include "Product.h"
#include "ResultQuantize.h"

#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Pixels per tile.
static constexpr int64_t grain = 4096;
/// The processor follows a plane no further than to the end of a page, so what
/// is read this many bytes later is asked for, line by line.
static constexpr int64_t prefetchBytes = 2048, lineBytes = 64;

namespace {
/// `planes` planes of `length` elements each, `images` times.
struct Planes {
  int64_t images, planes, length;

  /// Of the operand of a transposition that makes pixels of them.
  static std::optional<Planes> get(TransposeOp op);
};
} // namespace

std::optional<Planes> Planes::get(TransposeOp op) {
  ArrayRef<int64_t> shape = tensorTypeOf(op.getInput()).getShape();
  ArrayRef<int64_t> permutation = op.getPermutation();
  int64_t rank = shape.size();
  if (rank < 3 || permutation.front() != 0 || permutation.back() != 1)
    return std::nullopt;
  Planes planes{shape[0], shape[1], 1};
  for (int64_t d = 1; d < rank - 1; ++d) {
    if (permutation[d] != d + 1)
      return std::nullopt;
    planes.length *= shape[d + 1];
  }
  return planes;
}

/// Pixels of as many vectors of planes: the elements of all in turn.
/// Element i of a plane stands at position[i] of its vector.
static SmallVector<Value> makePixels(CodeBuilder &c, ArrayRef<Value> planes,
                                     ArrayRef<int64_t> position) {
  int64_t count = planes.size(), lanes = position.size();
  SmallVector<Value> pixels;
  for (int64_t part = 0; part < count; ++part) {
    Value merged = planes[0];
    // Of the first two planes, then each further one into its elements.
    for (int64_t plane = 1; plane < count; ++plane) {
      SmallVector<int64_t> mask;
      for (int64_t j = 0; j < lanes; ++j) {
        int64_t from = (part * lanes + j) % count,
                element = position[(part * lanes + j) / count];
        if (from == plane)
          mask.push_back(lanes + element);
        else
          mask.push_back(plane == 1 ? element : j);
      }
      merged = c.shuffle(merged, planes[plane], mask);
    }
    pixels.push_back(merged);
  }
  return pixels;
}

/// The body of the kernel: `input` and `result` are flat.
static void emitBody(CodeBuilder &c, const TargetLevel &level,
                     const Planes &planes, const Requantize &requantize,
                     Value input, Value result, Value begin, Value end) {
  int64_t lanes = level.lanes(), step = level.vectorBytes,
          count = planes.planes;
  auto f32 = c.vectorType(c.b.getF32Type(), lanes);
  SmallVector<int64_t> position(step);
  for (auto [p, element] : llvm::enumerate(level.micro->packOrder(4)))
    position[element] = p;
  Value last = c.index(planes.images * count * planes.length - 1);

  // What is left of whole runs belongs to the last one of an image.
  int64_t runs = std::max<int64_t>(1, planes.length / grain);
  c.loop(begin, end, 1, [&](Value tile) {
    Value image = c.div(tile, runs), run = c.rem(tile, runs);
    Value from = c.mul(image, count * planes.length);
    auto block = [&](Value pixel) {
      SmallVector<Value> bytes;
      for (int64_t plane = 0; plane < count; ++plane) {
        Value at = c.add(c.add(from, pixel), plane * planes.length);
        for (int64_t byte = 0; byte < 4 * step; byte += lineBytes)
          memref::PrefetchOp::create(
              c.b, c.loc, input,
              c.min(c.add(at, (prefetchBytes + byte) / 4), last),
              /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
        SmallVector<Value> values;
        for (int64_t i = 0; i < step; i += lanes)
          values.push_back(c.load(input, c.add(at, i), f32));
        bytes.push_back(requantize.emitReal(c, level, values));
      }
      Value to = c.add(from, c.mul(pixel, count));
      for (auto [part, pixels] :
           llvm::enumerate(makePixels(c, bytes, position)))
        c.store(pixels, result, c.add(to, int64_t(part) * step));
    };
    Value isLast = c.compare(arith::CmpIPredicate::eq, run, runs - 1);
    Value first = c.mul(run, grain);
    c.loop(first,
           arith::SelectOp::create(c.b, c.loc, isLast,
                                   c.index(planes.length / step * step),
                                   c.add(first, grain)),
           step, block);
    if (planes.length % step) // once more, overlapping the block before
      c.branch(isLast, [&] { block(c.index(planes.length - step)); }, nullptr);
  });
}

LogicalResult qcc::emitQuantizedPixels(QuantizeOp op, KernelEmitter &emitter) {
  const TargetLevel &level = emitter.level();
  auto type = getActivationType(op.getResult());
  if (!type || !tensorTypeOf(op.getInput()).getElementType().isF32() ||
      !op->hasOneUse() ||
      op->getParentOfType<ModuleOp>()->hasAttr(kKeepTensorsAttr))
    return failure();
  auto transpose = dyn_cast<TransposeOp>(*op->user_begin());
  if (!transpose || transpose.use_empty() ||
      reference::isReadThrough(transpose.getResult()))
    return failure();
  std::optional<Planes> planes = Planes::get(transpose);
  if (!planes || planes->planes < 2 || planes->planes > 4 ||
      planes->images == 0 || planes->length < int64_t(level.vectorBytes))
    return failure();

  takeOver(transpose);
  Requantize requantize = *Requantize::get(type, ActivationAttr());
  Value buffers[] = {emitter.buffer(op.getInput()),
                     emitter.buffer(transpose.getResult())};
  Location loc =
      FusedLoc::get(op.getContext(), {op.getLoc(), transpose.getLoc()});
  func::FuncOp kernel = emitter.kernel(
      "quantize_pixels",
      llvm::formatv("{0} {1}", requantize.key(), requantize.scaleKey()).str(),
      ValueRange(buffers).getTypes(), loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        CodeBuilder c(builder, loc);
        emitBody(c, level, *planes, requantize, flatten(c, args[0]),
                 flatten(c, args[1]), begin, end);
      });
  emitter.call(kernel, buffers,
               planes->images * std::max<int64_t>(1, planes->length / grain),
               loc);
  return success();
}
