//===- ReferenceRoiAlign.cpp - Regions of images, pooled ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceIndexing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

namespace {

/// One dimension of a bin: where its parts begin, their extent and number.
struct Parts {
  Value start, extent, count;
};

/// Where a part is read along one dimension: two pixels and their weights.
struct Sample {
  Value low, high, lowWeight, highWeight, inside;
};

class RoiAlign {
public:
  RoiAlign(LoopBuilder &b, qnn::RoiAlignOp op, Type type)
      : b(b), op(op), type(type) {}

  /// Of bin `bin` of `bins`, between two corners of the region.
  Parts parts(Value from, Value to, Value bin, int64_t bins, int64_t extent);
  Sample sample(const Parts &parts, Value i, int64_t extent);

private:
  Value real(double c) { return b.real(type, c); }
  Value toReal(Value i) {
    return arith::SIToFPOp::create(
        b, type, arith::IndexCastOp::create(b, b.getI64Type(), i));
  }
  /// A number in [0, limit] as an index; NaN gives 0.
  Value toIndex(Value x, int64_t limit) {
    x = b.smaller(b.larger(x, real(0)), real(limit));
    Value i = arith::FPToSIOp::create(b, b.getI64Type(), x);
    i = arith::IndexCastOp::create(b, b.getIndexType(), i);
    return b.smaller(i, b.index(limit));
  }

  LoopBuilder &b;
  qnn::RoiAlignOp op;
  Type type;
};

} // namespace

Parts RoiAlign::parts(Value from, Value to, Value bin, int64_t bins,
                      int64_t extent) {
  double scale = op.getSpatialScale().convertToDouble();
  Value shift = real(op.getHalfPixel() ? 0.5 : 0);
  Value start = b.sub(b.mul(from, real(scale)), shift);
  Value region = b.sub(b.sub(b.mul(to, real(scale)), shift), start);
  if (!op.getHalfPixel())
    region = b.larger(region, real(1));
  Value size = b.div(region, real(bins));
  int64_t ratio = op.getSamplingRatio();
  Value count =
      ratio ? b.index(ratio) : toIndex(math::CeilOp::create(b, size), extent);
  return {b.add(start, b.mul(toReal(bin), size)), b.div(size, toReal(count)),
          count};
}

Sample RoiAlign::sample(const Parts &parts, Value i, int64_t extent) {
  Value x =
      b.add(parts.start, b.mul(b.add(toReal(i), real(0.5)), parts.extent));
  using Pred = arith::CmpFPredicate;
  Value inside = arith::AndIOp::create(
      b, arith::CmpFOp::create(b, Pred::OGE, x, real(-1)),
      arith::CmpFOp::create(b, Pred::OLE, x, real(extent)));
  x = b.larger(x, real(0));
  Value low = toIndex(x, extent - 1);
  Value isLast = b.greater(b.addIndex(low, 1), b.index(extent - 1));
  Value high = b.select(isLast, low, b.addIndex(low, 1));
  Value fraction = b.select(isLast, real(0), b.sub(x, toReal(low)));
  return {low, high, b.sub(real(1), fraction), fraction, inside};
}

LogicalResult qcc::reference::emitRoiAlign(Operation *op,
                                           KernelEmitter &emitter) {
  auto align = dyn_cast<qnn::RoiAlignOp>(op);
  if (!align)
    return failure();
  Element in(align.getInput().getType());
  ArrayRef<int64_t> shape = shapeOf(align.getInput());
  int64_t images = shape[0], channels = shape[1], height = shape[2],
          width = shape[3];
  int64_t rows = align.getOutputHeight(), columns = align.getOutputWidth();
  SmallVector<int64_t> box(align.getType().getShape());
  if (product(box) == 0)
    return success();
  Value x = emitter.buffer(align.getInput()),
        rois = emitter.buffer(align.getRois()),
        indices = emitter.buffer(align.getBatchIndices()),
        y = emitter.buffer(align.getResult());
  Tiling tiling(box, 256);
  func::FuncOp kernel = emitter.kernel(
      "roi_align", opKey(op), ValueRange{x, rois, indices, y}.getTypes(),
      op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]), corners = b.flat(args[1]),
              imageOf = b.flat(args[2]), to = b.flat(args[3]);
        Type type = in.real();
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          auto corner = [&](int64_t i) {
            return b.toReal(
                b.load(corners, b.addIndex(b.mulIndex(ivs[0], 4), i)), in);
          };
          RoiAlign code(b, align, type);
          Parts down = code.parts(corner(1), corner(3), ivs[2], rows, height);
          Parts across =
              code.parts(corner(0), corner(2), ivs[3], columns, width);
          Value image = arith::IndexCastOp::create(b, b.getIndexType(),
                                                   b.load(imageOf, ivs[0]));
          image = b.smaller(b.larger(image, b.index(0)), b.index(images - 1));
          Value plane = b.mulIndex(b.add(b.mulIndex(image, channels), ivs[1]),
                                   height * width);
          Value zero = b.real(type, 0);
          auto value = [&](const Sample &v, const Sample &h) {
            SmallVector<Value> products;
            for (auto [row, rowWeight] : {std::pair(v.low, v.lowWeight),
                                          std::pair(v.high, v.highWeight)})
              for (auto [column, weight] : {std::pair(h.low, h.lowWeight),
                                            std::pair(h.high, h.highWeight)}) {
                Value at = b.add(plane, b.add(b.mulIndex(row, width), column));
                products.push_back(b.mul(b.mul(rowWeight, weight),
                                         b.toReal(b.load(from, at), in)));
              }
            Value all = products[0];
            for (Value next : ArrayRef(products).drop_front())
              all = align.getMaximum() ? b.larger(all, next) : b.add(all, next);
            Value inside = arith::AndIOp::create(b, v.inside, h.inside);
            return b.select(inside, all, zero);
          };
          auto overParts = [&](Value init, auto combine) {
            return b.loop(
                b.index(0), down.count, init,
                [&](Value i, ValueRange outer) -> SmallVector<Value> {
                  Sample v = code.sample(down, i, height);
                  return b.loop(
                      b.index(0), across.count, outer,
                      [&](Value j, ValueRange acc) -> SmallVector<Value> {
                        Sample h = code.sample(across, j, width);
                        return {combine(acc[0], value(v, h))};
                      });
                })[0];
          };
          Value parts = b.mul(down.count, across.count), result;
          if (align.getMaximum()) {
            Value lowest =
                b.real(type, -std::numeric_limits<double>::infinity());
            result = overParts(
                lowest, [&](Value best, Value v) { return b.larger(v, best); });
            // A region without extent has no parts.
            Value isEmpty = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                                  parts, b.index(0));
            result = b.select(isEmpty, zero, result);
          } else {
            Value sum = overParts(
                zero, [&](Value acc, Value v) { return b.add(acc, v); });
            parts = b.larger(parts, b.index(1));
            result = b.div(
                sum, arith::SIToFPOp::create(
                         b, type,
                         arith::IndexCastOp::create(b, b.getI64Type(), parts)));
          }
          Value place = b.add(b.mulIndex(ivs[0], channels), ivs[1]);
          place = b.add(b.mulIndex(place, rows), ivs[2]);
          b.store(b.fromReal(result, in), to,
                  b.add(b.mulIndex(place, columns), ivs[3]));
        });
      });
  emitter.call(kernel, {x, rois, indices, y}, tiling.tiles(), op->getLoc());
  return success();
}
