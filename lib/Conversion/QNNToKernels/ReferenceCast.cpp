//===- ReferenceCast.cpp - quantize, dequantize, requantize, cast ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DynamicScale.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

/// result = quantize(dequantize(input)), with either half absent.
static LogicalResult emitConversion(Operation *op, StringRef stem,
                                    KernelEmitter &emitter) {
  Value result = op->getResult(0);
  MapEmitter map(emitter, op->getLoc(), shapeOf(result));
  MapEmitter::Real x = map.realInput(op->getOperand(0));
  MapEmitter::Real y = map.realOutput(result);
  map.emit(stem, opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    return SmallVector<Value>{y.store(b, x.load(b, raws), raws)};
  });
  return success();
}

static LogicalResult emit(qnn::QuantizeOp op, KernelEmitter &emitter) {
  return emitConversion(op, "quantize", emitter);
}
static LogicalResult emit(qnn::DequantizeOp op, KernelEmitter &emitter) {
  return emitConversion(op, "dequantize", emitter);
}

static LogicalResult emit(qnn::RequantizeOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  if (in.perAxis || out.perAxis || in.params().scale != out.params().scale)
    return emitConversion(op, "requantize", emitter);
  // The same scale: an exact shift of the zero point.
  MapEmitter map(emitter, op.getLoc(), shapeOf(op.getResult()));
  map.input(op.getInput());
  map.output(emitter.buffer(op.getResult()), rowMajor(shapeOf(op.getResult())));
  map.emit("requantize", opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    QuantParams from = in.params(), to = out.params();
    Type wide =
        in.width() > 16 || out.width() > 16 ? b.getI64Type() : b.getI32Type();
    Value q = b.widen(raws[0], in, wide);
    if (to.zeroPoint != from.zeroPoint)
      q = b.add(q, b.integer(wide, to.zeroPoint - from.zeroPoint));
    q = b.larger(q, b.integer(wide, to.qmin));
    q = b.smaller(q, b.integer(wide, to.qmax));
    return SmallVector<Value>{arith::TruncIOp::create(b, out.storage, q)};
  });
  return success();
}

static LogicalResult emit(qnn::CastOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  if (in.isQuantized() || out.isQuantized())
    return failure();
  MapEmitter map(emitter, op.getLoc(), shapeOf(op.getResult()));
  map.input(op.getInput());
  map.output(emitter.buffer(op.getResult()), rowMajor(shapeOf(op.getResult())));
  map.emit("cast", opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    return SmallVector<Value>{b.convert(raws[0], in, out)};
  });
  return success();
}

static LogicalResult emit(qnn::DynamicDequantizeOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  MapEmitter map(emitter, op.getLoc(), shapeOf(op.getResult()));
  unsigned x = map.input(op.getInput());
  MapEmitter::Real scale = map.realInput(op.getScale());
  std::optional<unsigned> zeroPoint;
  if (op.getZeroPoint())
    zeroPoint = map.input(op.getZeroPoint());
  map.output(emitter.buffer(op.getResult()), rowMajor(shapeOf(op.getResult())));
  map.emit(
      "dynamic_dequantize", opKey(op), [&](LoopBuilder &b, ValueRange raws) {
        Value q;
        Type real = scale.element.real();
        if (zeroPoint) {
          Element zp(op.getZeroPoint().getType());
          Type wide =
              b.getIntegerType(std::max(in.width(), zp.width()) > 16 ? 64 : 32);
          q = b.sub(b.widen(raws[x], in, wide),
                    b.widen(raws[*zeroPoint], zp, wide));
          q = arith::SIToFPOp::create(b, real, q);
        } else {
          q = b.convert(raws[x], in, Element(real));
        }
        Value value = b.mul(q, scale.load(b, raws));
        return SmallVector<Value>{b.fromReal(value, out)};
      });
  return success();
}

//===----------------------------------------------------------------------===//
// Dynamic quantization
//===----------------------------------------------------------------------===//

Value qcc::reference::emitRanges(Value x, int64_t elements,
                                 const Tiling &tiling, KernelEmitter &emitter,
                                 Location loc) {
  Element in(x.getType());
  int64_t tiles = tiling.tiles();
  constexpr int64_t lanes = 16, unrolled = 4;
  Type f32 = Float32Type::get(emitter.context());
  Value ranges = emitter.scratch(MemRefType::get({tiles, 2}, f32));
  func::FuncOp kernel = emitter.kernel(
      "range", std::to_string(elements),
      TypeRange{x.getType(), ranges.getType()}, loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value flat = b.flat(args[0]);
        auto widen = [&](ValueRange range, Value v) -> SmallVector<Value> {
          return {b.smaller(v, range[0]), b.larger(v, range[1])};
        };
        // LLVM does not vectorize such a loop: the order of comparisons matters
        // for NaN, which is skipped here in whichever lane it stands.
        b.loop(begin, end, [&](Value tile) {
          Value from = b.mulIndex(tile, tiling.block);
          Value to =
              b.smaller(b.addIndex(from, tiling.block), b.index(elements));
          Value steps = arith::DivUIOp::create(b, b.sub(to, from),
                                               b.index(unrolled * lanes));
          SmallVector<Value> all(2 * unrolled,
                                 b.real(VectorType::get({lanes}, f32), 0));
          all = b.loop(
              b.index(0), steps, all,
              [&](Value i, ValueRange carried) -> SmallVector<Value> {
                SmallVector<Value> next;
                Value at = b.add(from, b.mulIndex(i, unrolled * lanes));
                for (int64_t v = 0; v < unrolled; ++v)
                  next.append(widen(
                      carried.slice(2 * v, 2),
                      b.toReal(
                          b.loadVector(flat, b.addIndex(at, v * lanes), lanes),
                          in)));
                return next;
              });
          Value low = all[0], high = all[1];
          for (int64_t v = 1; v < unrolled; ++v) {
            low = b.smaller(all[2 * v], low);
            high = b.larger(all[2 * v + 1], high);
          }
          for (int64_t half = lanes / 2; half >= 1; half /= 2) {
            SmallVector<int64_t> lower, upper;
            for (int64_t i = 0; i < half; ++i) {
              lower.push_back(i);
              upper.push_back(half + i);
            }
            auto part = [&](Value v, ArrayRef<int64_t> mask) -> Value {
              return vector::ShuffleOp::create(b, v, v, mask);
            };
            low = b.smaller(part(low, upper), part(low, lower));
            high = b.larger(part(high, upper), part(high, lower));
          }
          auto number = [&](Value v) -> Value {
            return vector::ExtractOp::create(b, v, ArrayRef<int64_t>{0});
          };
          Value rest = b.add(from, b.mulIndex(steps, unrolled * lanes));
          SmallVector<Value> range =
              b.loop(rest, to, ValueRange{number(low), number(high)},
                     [&](Value i, ValueRange r) {
                       return widen(r, b.toReal(b.load(flat, i), in));
                     });
          b.store(range[0], args[1], {tile, b.index(0)});
          b.store(range[1], args[1], {tile, b.index(1)});
        });
      });
  emitter.call(kernel, {x, ranges}, tiles, loc);
  return ranges;
}

DynamicScale qcc::reference::chooseScale(LoopBuilder &b, Value ranges) {
  Type f32 = b.getF32Type();
  Value zero = b.real(f32, 0);
  SmallVector<Value> range =
      b.loop(b.index(0), b.index(shapeOf(ranges)[0]), ValueRange{zero, zero},
             [&](Value i, ValueRange r) -> SmallVector<Value> {
               return {b.smaller(b.load(ranges, {i, b.index(0)}), r[0]),
                       b.larger(b.load(ranges, {i, b.index(1)}), r[1])};
             });
  Value width = b.sub(range[1], range[0]);
  Value isZero =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, width, zero);
  Value scale = b.select(isZero, b.real(f32, 1.f / 255.f),
                         b.div(width, b.real(f32, 255)));
  QuantParams params;
  params.qmin = 0;
  params.qmax = 255;
  Value zeroPoint = b.roundToStorage(b.div(b.sub(zero, range[0]), scale),
                                     params, b.getI8Type());
  return {scale, zeroPoint};
}

static LogicalResult emit(qnn::DynamicQuantizeOp op, KernelEmitter &emitter) {
  Location loc = op.getLoc();
  Element in(op.getInput().getType()), scaleElement(op.getScale().getType());
  if (!in.storage.isF32() || !scaleElement.storage.isF32())
    return failure();
  Value x = emitter.buffer(op.getInput()), y = emitter.buffer(op.getResult());
  Value scale = emitter.buffer(op.getScale());
  Value zeroPoint = emitter.buffer(op.getZeroPoint());
  int64_t elements = product(shapeOf(x));
  Tiling tiling({elements}, 8192);
  Value ranges = emitRanges(x, elements, tiling, emitter, loc);
  func::FuncOp choose = emitter.kernel(
      "dynamic_scale", "",
      TypeRange{ranges.getType(), scale.getType(), zeroPoint.getType()}, loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        b.loop(begin, end, [&](Value) {
          DynamicScale chosen = chooseScale(b, args[0]);
          b.store(chosen.scale, b.flat(args[1]), b.index(0));
          b.store(chosen.zeroPoint, b.flat(args[2]), b.index(0));
        });
      });
  emitter.call(choose, {ranges, scale, zeroPoint}, 1, loc);

  MapEmitter map(emitter, loc, shapeOf(x));
  SmallVector<int64_t> none(shapeOf(x).size(), 0);
  map.input(op.getInput());
  map.input(scale, none);
  map.input(zeroPoint, none);
  map.output(y, rowMajor(shapeOf(x)));
  map.emit("dynamic_quantize", opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    Type f32 = b.getF32Type();
    Value zp = arith::UIToFPOp::create(b, f32, raws[2]);
    Value q = math::RoundEvenOp::create(b, b.div(raws[0], raws[1]));
    q = b.larger(q, b.sub(b.real(f32, 0), zp));
    q = b.smaller(q, b.sub(b.real(f32, 255), zp));
    Value z32 = arith::ExtUIOp::create(b, b.getI32Type(), raws[2]);
    Value result = b.add(arith::FPToSIOp::create(b, b.getI32Type(), q), z32);
    return SmallVector<Value>{
        arith::TruncIOp::create(b, b.getI8Type(), result)};
  });
  return success();
}

LogicalResult qcc::reference::emitCast(Operation *op, KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qnn::QuantizeOp, qnn::DequantizeOp, qnn::RequantizeOp, qnn::CastOp,
            qnn::DynamicQuantizeOp, qnn::DynamicDequantizeOp>(
          [&](auto concrete) { return emit(concrete, emitter); })
      .Default([](Operation *) { return failure(); });
}
