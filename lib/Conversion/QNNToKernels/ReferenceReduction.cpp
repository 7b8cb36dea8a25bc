//===- ReferenceReduction.cpp - reduce, arg_reduce, softmax ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatFunctions.h"
#include "Groups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qnn::ReduceKind;

static constexpr double infinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Reduce
//===----------------------------------------------------------------------===//

namespace {
/// A reduction as fold and finish over numbers of type `sum`.
struct Reducer {
  Element in, out;
  ReduceKind kind;
  int64_t n;
  Type sum;
  bool isExactMean = false; ///< quantized: an exact sum of integers
  bool isRaw = false;       ///< maximum or minimum of storage integers

  Reducer(qnn::ReduceOp op, int64_t n);
  bool isSupported() const;
  Value init(LoopBuilder &b) const;
  Value element(LoopBuilder &b, Value raw) const;
  Value combine(LoopBuilder &b, Value x, Value y) const;
  Value finish(LoopBuilder &b, Value acc, Value maximum) const;
};
} // namespace

Reducer::Reducer(qnn::ReduceOp op, int64_t n)
    : in(op.getInput().getType()), out(op.getType()), kind(op.getKind()), n(n) {
  MLIRContext *context = op.getContext();
  bool isExtremum = kind == ReduceKind::Max || kind == ReduceKind::Min;
  isRaw = isExtremum && in.type == out.type && !in.perAxis;
  isExactMean = kind == ReduceKind::Mean && in.isQuantized() &&
                out.isQuantized() && !in.perAxis && !out.perAxis;
  if (isRaw)
    sum = in.storage;
  else if (isExactMean)
    sum = IntegerType::get(context, in.width() > 8 || n >= (1 << 23) ? 64 : 32);
  else if (in.isInteger())
    sum = IntegerType::get(context, kind == ReduceKind::Mean ? 64 : in.width());
  else
    sum = in.real();
}

bool Reducer::isSupported() const {
  if (in.perAxis || out.perAxis)
    return false;
  if (!in.isInteger() || isRaw)
    return true;
  // Plain integers: what has an exact result.
  return out.isInteger() && in.width() == out.width() &&
         (kind == ReduceKind::Sum || kind == ReduceKind::Mean ||
          kind == ReduceKind::Prod || kind == ReduceKind::L1 ||
          kind == ReduceKind::SumSquare);
}

Value Reducer::init(LoopBuilder &b) const {
  if (kind == ReduceKind::Prod)
    return b.number(sum, 1);
  if (kind != ReduceKind::Max && kind != ReduceKind::Min)
    return b.number(sum, 0);
  bool isMax = kind == ReduceKind::Max;
  if (isa<FloatType>(sum))
    return b.real(sum, isMax ? -infinity : infinity);
  unsigned width = sum.getIntOrFloatBitWidth();
  if (in.isUnsigned)
    return b.integer(sum, isMax ? 0 : -1);
  return b.integer(sum, isMax ? llvm::minIntN(width) : llvm::maxIntN(width));
}

Value Reducer::element(LoopBuilder &b, Value raw) const {
  Value v;
  if (isRaw)
    return raw;
  if (isExactMean)
    return b.centered(raw, in, sum);
  v = in.isInteger() ? b.widen(raw, in, sum) : b.toReal(raw, in);
  switch (kind) {
  case ReduceKind::L1:
    if (in.isInteger())
      return in.isUnsigned ? v : Value(math::AbsIOp::create(b, v));
    return math::AbsFOp::create(b, v);
  case ReduceKind::L2:
  case ReduceKind::SumSquare:
    return b.mul(v, v);
  default:
    return v;
  }
}

Value Reducer::combine(LoopBuilder &b, Value x, Value y) const {
  switch (kind) {
  case ReduceKind::Max:
    return b.larger(y, x, in.isUnsigned);
  case ReduceKind::Min:
    return b.smaller(y, x, in.isUnsigned);
  case ReduceKind::Prod:
    return b.mul(x, y);
  default:
    return b.add(x, y);
  }
}

Value Reducer::finish(LoopBuilder &b, Value acc, Value maximum) const {
  if (isRaw)
    return acc;
  if (isExactMean) {
    Type f32 = b.getF32Type();
    float m = meanMultiplier(in.params().scale, n, out.params().scale);
    Value scaled = b.mul(arith::SIToFPOp::create(b, f32, acc), b.real(f32, m));
    return b.roundToStorage(scaled, out.params(), out.storage);
  }
  if (in.isInteger()) {
    if (kind == ReduceKind::Mean && n > 0)
      acc = b.div(acc, b.integer(sum, n), in.isUnsigned);
    return acc.getType() == out.storage
               ? acc
               : Value(arith::TruncIOp::create(b, out.storage, acc));
  }
  switch (kind) {
  case ReduceKind::Mean:
    acc = b.div(acc, b.real(sum, double(n)));
    break;
  case ReduceKind::L2:
    acc = math::SqrtOp::create(b, acc);
    break;
  case ReduceKind::LogSum:
    acc = math::LogOp::create(b, acc);
    break;
  case ReduceKind::LogSumExp:
    acc = b.add(math::LogOp::create(b, acc), maximum);
    break;
  default:
    break;
  }
  return b.fromReal(b.convert(acc, Element(sum), Element(out.real())), out);
}

/// The largest finite-or-not element per result; an infinite one would make
/// x - max undefined, so it counts as 0.
static void reduceMaximum(Groups::Code &code, LoopBuilder &b, Value memory,
                          Value buffer, const Element &in) {
  Type real = in.real();
  code.reduce(
      memory, buffer, b.real(real, -infinity),
      [&](Value acc, Value raw, Value, auto) {
        return b.larger(b.toReal(raw, in), acc);
      },
      [&](Value x, Value y) { return b.larger(x, y); });
}

static LogicalResult emit(qnn::ReduceOp op, KernelEmitter &emitter) {
  ArrayRef<int64_t> shape = shapeOf(op.getInput());
  Groups groups(shape, op.getAxes());
  Reducer reducer(op, groups.size());
  if (!reducer.isSupported())
    return failure();
  bool isLogSumExp = op.getKind() == ReduceKind::LogSumExp;
  Value x = emitter.buffer(op.getInput()), y = emitter.buffer(op.getResult());
  Tiling tiling = groups.tiling();
  func::FuncOp kernel = emitter.kernel(
      ("reduce_" + qnn::stringifyReduceKind(op.getKind())).str(), opKey(op),
      TypeRange{x.getType(), y.getType()}, op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]), to = b.flat(args[1]);
        Value sums = b.local(reducer.sum, groups.bufferSize()), maxima;
        if (isLogSumExp)
          maxima = b.local(reducer.sum, groups.bufferSize());
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Groups::Code code(groups, b, ivs);
          if (isLogSumExp) {
            reduceMaximum(code, b, from, maxima, reducer.in);
            // exp(x - max) is not defined for infinite maxima.
            code.forResults([&](Value j, Value) {
              Value m = b.load(maxima, j);
              Value isFinite = b.less(math::AbsFOp::create(b, m),
                                      b.real(reducer.sum, infinity));
              b.store(b.select(isFinite, m, b.real(reducer.sum, 0)), maxima, j);
            });
          }
          code.reduce(
              from, sums, reducer.init(b),
              [&](Value acc, Value raw, Value, auto param) {
                Value v = reducer.element(b, raw);
                if (isLogSumExp)
                  v = math::ExpOp::create(b, b.sub(v, param(maxima)));
                return reducer.combine(b, acc, v);
              },
              [&](Value x, Value y) { return reducer.combine(b, x, y); });
          code.forResults([&](Value j, Value position) {
            Value maximum = isLogSumExp ? b.load(maxima, j) : Value();
            b.store(reducer.finish(b, b.load(sums, j), maximum), to, position);
          });
        });
      });
  emitter.call(kernel, {x, y}, tiling.tiles(), op.getLoc());
  return success();
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static LogicalResult emit(qnn::SoftmaxOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  Groups groups(shapeOf(op.getInput()), {int64_t(op.getAxis())});
  Value x = emitter.buffer(op.getInput()), y = emitter.buffer(op.getResult());
  Type real = in.real();
  Tiling tiling = groups.tiling(/*passes=*/8);
  func::FuncOp kernel = emitter.kernel(
      op.getLog() ? "log_softmax" : "softmax", opKey(op),
      TypeRange{x.getType(), y.getType()}, op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]), to = b.flat(args[1]);
        Value maxima = b.local(real, groups.bufferSize());
        Value sums = b.local(real, groups.bufferSize());
        auto add = [&](Value x, Value y) { return b.add(x, y); };
        // Of what lies below the largest one.
        auto exp = [&](Value shifted) -> Value {
          if (!real.isF32())
            return math::ExpOp::create(b, shifted);
          return FloatFunctions(b, b.getLoc(), shifted.getType())
              .expOfNegative(shifted);
        };
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Groups::Code code(groups, b, ivs);
          reduceMaximum(code, b, from, maxima, in);
          bool keepsExp = !op.getLog() && out.storage == real;
          code.reduce(
              from, sums, b.real(real, 0),
              [&](Value acc, Value raw, Value position, auto param) {
                Value shifted = b.sub(b.toReal(raw, in), param(maxima));
                Value e = exp(shifted);
                if (keepsExp)
                  b.store(e, to, position);
                return b.add(acc, e);
              },
              add);
          if (op.getLog()) {
            code.forResults([&](Value j, Value) {
              b.store(math::LogOp::create(b, b.load(sums, j)), sums, j);
            });
            code.forEach(from, [&](Value raw, Value position, auto param) {
              Value shifted = b.sub(b.toReal(raw, in), param(maxima));
              b.store(b.fromReal(b.sub(shifted, param(sums)), out), to,
                      position);
            });
            return;
          }
          code.forResults([&](Value j, Value) {
            b.store(b.div(b.real(real, 1), b.load(sums, j)), sums, j);
          });
          code.forEach(
              keepsExp ? to : from, [&](Value raw, Value position, auto param) {
                Value e = raw;
                if (!keepsExp)
                  e = exp(b.sub(b.toReal(raw, in), param(maxima)));
                b.store(b.fromReal(b.mul(e, param(sums)), out), to, position);
              });
        });
      });
  emitter.call(kernel, {x, y}, tiling.tiles(), op.getLoc());
  return success();
}

//===----------------------------------------------------------------------===//
// Index of the extremum
//===----------------------------------------------------------------------===//

static LogicalResult emit(qnn::ArgReduceOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  if (in.perAxis)
    return failure();
  ArrayRef<int64_t> shape = shapeOf(op.getInput());
  int64_t axis = op.getAxis(), extent = shape[axis];
  int64_t inner = product(shape.drop_front(axis + 1));
  SmallVector<int64_t> box{product(shape.take_front(axis)), inner};
  Value x = emitter.buffer(op.getInput()), y = emitter.buffer(op.getResult());
  Tiling tiling(box, std::max<int64_t>(1, 4096 / std::max<int64_t>(1, extent)));
  func::FuncOp kernel = emitter.kernel(
      op.getMinimum() ? "arg_min" : "arg_max", opKey(op),
      TypeRange{x.getType(), y.getType()}, op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]), to = b.flat(args[1]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value first = b.add(b.mulIndex(ivs[0], extent * inner), ivs[1]);
          Value start = b.load(from, first);
          SmallVector<Value> best = b.loop(
              b.index(1), b.index(extent), ValueRange{start, b.index(0)},
              [&](Value i, ValueRange best) -> SmallVector<Value> {
                Value v = b.load(from, b.add(first, b.mulIndex(i, inner)));
                // The best so far stays on a tie unless the last one wins.
                bool swap = op.getMinimum() != op.getSelectLast();
                Value lhs = swap ? best[0] : v, rhs = swap ? v : best[0];
                Value wins = b.greater(lhs, rhs, in.isUnsigned);
                if (op.getSelectLast()) { // not worse
                  Value isTrue = b.integer(b.getI1Type(), 1);
                  wins = arith::XOrIOp::create(b, wins, isTrue);
                }
                return {b.select(wins, v, best[0]), b.select(wins, i, best[1])};
              });
          Value position = b.add(b.mulIndex(ivs[0], inner), ivs[1]);
          b.store(arith::IndexCastOp::create(b, out.storage, best[1]), to,
                  position);
        });
      });
  emitter.call(kernel, {x, y}, extent ? tiling.tiles() : 0, op.getLoc());
  return success();
}

LogicalResult qcc::reference::emitReduction(Operation *op,
                                            KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qnn::ReduceOp, qnn::SoftmaxOp, qnn::ArgReduceOp>(
          [&](auto concrete) { return emit(concrete, emitter); })
      .Default([](Operation *) { return failure(); });
}
