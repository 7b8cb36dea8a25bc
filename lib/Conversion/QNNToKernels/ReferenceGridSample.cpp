//===- ReferenceGridSample.cpp - Interpolation at computed places ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceIndexing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qnn::ResizeMode;
using qnn::SampleBorder;

namespace {

/// A pixel that is read: its distance from the first one of its channel, its
/// weight, and whether it lies in the image (null: it does).
struct Tap {
  Value offset, weight, inside;
};

/// One spatial dimension of the image.
class Axis {
public:
  Axis(LoopBuilder &b, qnn::GridSampleOp op, int64_t extent, int64_t stride)
      : b(b), op(op), extent(extent), stride(stride),
        low(op.getAlignCorners() ? 0 : -0.5),
        high(op.getAlignCorners() ? extent - 1 : extent - 0.5) {}

  /// The pixels around a coordinate of the grid.
  SmallVector<Tap> taps(Value coordinate);

private:
  Value real(double c) { return b.real(type, c); }
  Value reflected(Value x);
  Tap tap(Value x, Value weight);
  SmallVector<Value> weights(Value t);

  LoopBuilder &b;
  qnn::GridSampleOp op;
  int64_t extent, stride;
  double low, high; ///< the borders of the image
  Type type;
};

} // namespace

/// A coordinate thrown back at the borders until it lies between them.
Value Axis::reflected(Value x) {
  double range = high - low;
  if (range == 0)
    return real(0);
  Value isBelow = b.less(x, real(low)), isAbove = b.greater(x, real(high));
  Value beyond = b.select(isBelow, b.sub(real(low), x), b.sub(x, real(high)));
  auto floor = [&](Value v) -> Value { return math::FloorOp::create(b, v); };
  Value turns = floor(b.div(beyond, real(range)));
  Value rest = b.sub(beyond, b.mul(turns, real(range)));
  Value pairs = b.mul(floor(b.mul(turns, real(0.5))), real(2));
  Value isEven =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, turns, pairs);
  Value fromLow =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, isBelow, isEven);
  Value inside =
      b.select(fromLow, b.add(real(low), rest), b.sub(real(high), rest));
  return b.select(arith::OrIOp::create(b, isBelow, isAbove), inside, x);
}

/// The pixel at a whole number.
Tap Axis::tap(Value x, Value weight) {
  Tap tap{{}, weight, {}};
  Value last = real(extent - 1);
  if (op.getBorder() == SampleBorder::Reflection)
    x = reflected(x);
  else if (op.getBorder() == SampleBorder::Zeros)
    tap.inside = arith::AndIOp::create(
        b, arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, x, real(0)),
        arith::CmpFOp::create(b, arith::CmpFPredicate::OLE, x, last));
  // Whatever the grid holds, NaN too, this is a pixel of the image.
  x = b.smaller(b.larger(x, real(0)), last);
  Value index = arith::IndexCastOp::create(
      b, b.getIndexType(), arith::FPToSIOp::create(b, b.getI64Type(), x));
  tap.offset = b.mulIndex(b.smaller(index, b.index(extent - 1)), stride);
  return tap;
}

/// Of the neighbours of a place that is `t` behind the one before it.
SmallVector<Value> Axis::weights(Value t) {
  Value one = real(1), rest = b.sub(one, t);
  if (op.getMode() == ResizeMode::Linear)
    return {rest, t};
  // Keys' kernel with a = -0.75, for distances below 1 and between 1 and 2.
  auto near = [&](Value d) {
    Value inner = b.sub(b.mul(real(1.25), d), real(2.25));
    return b.add(b.mul(b.mul(inner, d), d), one);
  };
  auto far = [&](Value d) {
    Value inner = b.add(b.mul(real(-0.75), d), real(3.75));
    return b.add(b.mul(b.sub(b.mul(inner, d), real(6)), d), real(3));
  };
  return {far(b.add(one, t)), near(t), near(rest), far(b.add(one, rest))};
}

SmallVector<Tap> Axis::taps(Value coordinate) {
  type = coordinate.getType();
  Value x = coordinate;
  if (!op.getInPixels()) {
    x = b.add(x, real(1));
    x = op.getAlignCorners()
            ? b.mul(b.mul(x, real(0.5)), real(extent - 1))
            : b.mul(b.sub(b.mul(x, real(extent)), real(1)), real(0.5));
  }
  if (op.getMode() == ResizeMode::Nearest)
    x = math::RoundEvenOp::create(b, x);
  if (op.getBorder() == SampleBorder::Reflection) {
    x = reflected(x);
  } else if (op.getBorder() == SampleBorder::Border) {
    x = b.select(b.less(x, real(low)), real(0), x);
    x = b.select(b.greater(x, real(high)), real(extent - 1), x);
  }
  if (op.getMode() == ResizeMode::Nearest)
    return {tap(x, real(1))};
  Value before = math::FloorOp::create(b, x);
  Value first =
      op.getMode() == ResizeMode::Cubic ? b.sub(before, real(1)) : before;
  SmallVector<Tap> result;
  for (auto [k, weight] : llvm::enumerate(weights(b.sub(x, before))))
    result.push_back(tap(k ? b.add(first, real(k)) : first, weight));
  return result;
}

/// The pixels of the whole neighbourhood: each of `lhs` with each of `rhs`.
static SmallVector<Tap> cross(LoopBuilder &b, ArrayRef<Tap> lhs,
                              ArrayRef<Tap> rhs) {
  SmallVector<Tap> result;
  for (const Tap &x : lhs)
    for (const Tap &y : rhs)
      result.push_back(
          {b.add(x.offset, y.offset), b.mul(x.weight, y.weight),
           x.inside ? Value(arith::AndIOp::create(b, x.inside, y.inside))
                    : Value()});
  return result;
}

LogicalResult qcc::reference::emitGridSample(Operation *op,
                                             KernelEmitter &emitter) {
  auto sample = dyn_cast<qnn::GridSampleOp>(op);
  if (!sample)
    return failure();
  Element in(sample.getInput().getType()), grid(sample.getGrid().getType());
  ArrayRef<int64_t> shape = shapeOf(sample.getInput());
  ArrayRef<int64_t> spatial = shape.drop_front(2);
  int64_t channels = shape[1], plane = product(spatial), rank = spatial.size();
  int64_t places = product(sample.getType().getShape().drop_front(2));
  int64_t taps = sample.getMode() == ResizeMode::Nearest ? 1 : 1 << rank;
  SmallVector<int64_t> box{shape[0], places}, strides = rowMajor(spatial);
  if (product(sample.getType().getShape()) == 0)
    return success();
  Value x = emitter.buffer(sample.getInput()),
        g = emitter.buffer(sample.getGrid()),
        y = emitter.buffer(sample.getResult());
  Tiling tiling(box, std::max<int64_t>(1, 4096 / (channels * taps)));
  func::FuncOp kernel = emitter.kernel(
      "grid_sample", opKey(op), ValueRange{x, g, y}.getTypes(), op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]), where = b.flat(args[1]),
              to = b.flat(args[2]);
        Element weight(grid.real()), real(in.real());
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value place = b.add(b.mulIndex(ivs[0], places), ivs[1]);
          SmallVector<Tap> pixels;
          for (int64_t d = 0; d < rank; ++d) {
            // The grid names the last dimension first.
            Value at = b.addIndex(b.mulIndex(place, rank), rank - 1 - d);
            Axis axis(b, sample, spatial[d], strides[d]);
            SmallVector<Tap> own = axis.taps(b.toReal(b.load(where, at), grid));
            pixels = d ? cross(b, pixels, own) : own;
          }
          for (Tap &pixel : pixels)
            pixel.weight = b.convert(pixel.weight, weight, real);
          b.loop(0, channels, [&](Value c) {
            Value channel = b.add(b.mulIndex(ivs[0], channels), c);
            Value first = b.mulIndex(channel, plane), sum;
            for (const Tap &pixel : pixels) {
              Value v = b.toReal(b.load(from, b.add(first, pixel.offset)), in);
              if (pixel.inside)
                v = b.select(pixel.inside, v, b.real(v.getType(), 0));
              if (pixels.size() > 1)
                v = b.mul(v, pixel.weight);
              sum = sum ? b.add(sum, v) : v;
            }
            b.store(b.fromReal(sum, in), to,
                    b.add(b.mulIndex(channel, places), ivs[1]));
          });
        });
      });
  emitter.call(kernel, {x, g, y}, tiling.tiles(), op->getLoc());
  return success();
}
