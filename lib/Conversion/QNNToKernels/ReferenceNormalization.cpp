//===- ReferenceNormalization.cpp - batch_norm, normalize, lrn ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Groups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

static LogicalResult emit(qnn::BatchNormOp op, KernelEmitter &emitter) {
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  MapEmitter map(emitter, op.getLoc(), shape);
  unsigned x = map.input(op.getInput());
  SmallVector<int64_t> strides(shape.size(), 0);
  strides[op.getAxis()] = 1;
  SmallVector<Element> elements;
  for (Value vector :
       {op.getScale(), op.getShift(), op.getMean(), op.getVariance()}) {
    map.input(emitter.buffer(vector), strides);
    elements.emplace_back(vector.getType());
  }
  map.output(emitter.buffer(op.getResult()), rowMajor(shape));
  Element in(op.getInput().getType()), out(op.getType());
  map.emit("batch_norm", opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    Type real = in.real();
    auto vector = [&](unsigned i) {
      Value v = b.toReal(raws[1 + i], elements[i]);
      return b.convert(v, Element(v.getType()), Element(real));
    };
    Value deviation = math::SqrtOp::create(
        b, b.add(vector(3), b.real(real, op.getEpsilon().convertToFloat())));
    Value centered = b.sub(b.toReal(raws[x], in), vector(2));
    Value y = b.add(b.div(b.mul(vector(0), centered), deviation), vector(1));
    return SmallVector<Value>{b.fromReal(y, out)};
  });
  return success();
}

static LogicalResult emit(qnn::NormalizeOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  Groups groups(shapeOf(op.getInput()), op.getAxes());
  Type real = in.real();
  double n = double(groups.size());
  Value x = emitter.buffer(op.getInput()), y = emitter.buffer(op.getResult());
  Tiling tiling = groups.tiling(/*passes=*/3);
  func::FuncOp kernel = emitter.kernel(
      "normalize", opKey(op), TypeRange{x.getType(), y.getType()}, op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]), to = b.flat(args[1]);
        Value means = b.local(real, groups.bufferSize());
        Value factors = b.local(real, groups.bufferSize());
        auto add = [&](Value x, Value y) { return b.add(x, y); };
        Value zero = b.real(real, 0);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Groups::Code code(groups, b, ivs);
          if (!op.getRms()) {
            code.reduce(
                from, means, zero,
                [&](Value acc, Value raw, Value, auto) {
                  return b.add(acc, b.toReal(raw, in));
                },
                add);
            code.forResults([&](Value j, Value) {
              b.store(b.div(b.load(means, j), b.real(real, n)), means, j);
            });
          }
          auto centered = [&](Value raw, auto param) {
            Value v = b.toReal(raw, in);
            return op.getRms() ? v : b.sub(v, param(means));
          };
          // The mean first: the variance of what is left loses no digits.
          code.reduce(
              from, factors, zero,
              [&](Value acc, Value raw, Value, auto param) {
                Value v = centered(raw, param);
                return b.add(acc, b.mul(v, v));
              },
              add);
          code.forResults([&](Value j, Value) {
            Value variance = b.div(b.load(factors, j), b.real(real, n));
            variance =
                b.add(variance, b.real(real, op.getEpsilon().convertToFloat()));
            Value deviation = math::SqrtOp::create(b, variance);
            b.store(b.div(b.real(real, 1), deviation), factors, j);
          });
          code.forEach(from, [&](Value raw, Value position, auto param) {
            Value v = b.mul(centered(raw, param), param(factors));
            b.store(b.fromReal(v, out), to, position);
          });
        });
      });
  emitter.call(kernel, {x, y}, tiling.tiles(), op.getLoc());
  return success();
}

static LogicalResult emit(qnn::LrnOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  ArrayRef<int64_t> shape = shapeOf(op.getInput());
  int64_t axis = op.getAxis(), size = op.getSize();
  // The neighbour c + k of element i stands k * inner elements after it.
  int64_t inner = product(shape.drop_front(axis + 1));
  int64_t extent = shape[axis] * inner;
  int64_t block = std::clamp<int64_t>(extent, 1, 256);
  Tiling tiling({product(shape.take_front(axis)), (extent + block - 1) / block},
                std::max<int64_t>(1, 8192 / (block * size)));
  Value x = emitter.buffer(op.getInput()), y = emitter.buffer(op.getResult());
  func::FuncOp kernel = emitter.kernel(
      "lrn", opKey(op), TypeRange{x.getType(), y.getType()}, op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Type real = in.real();
        Value source = b.flat(args[0]), target = b.flat(args[1]);
        Value sums = b.local(real, block);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value row = b.mulIndex(ivs[0], extent);
          Value from = b.mulIndex(ivs[1], block), to = b.addIndex(from, block);
          if (extent % block)
            to = b.smaller(to, b.index(extent));
          b.loop(from, to, [&](Value i) {
            b.store(b.real(real, 0), sums, b.sub(i, from));
          });
          b.loop(0, size, [&](Value k) {
            Value shift = b.mulIndex(b.addIndex(k, -((size - 1) / 2)), inner);
            Value lo = b.larger(from, b.sub(b.index(0), shift));
            Value hi = b.smaller(to, b.sub(b.index(extent), shift));
            b.loop(lo, hi, [&](Value i) {
              Value at = b.add(b.add(row, i), shift), j = b.sub(i, from);
              Value v = b.toReal(b.load(source, at), in);
              b.store(b.add(b.load(sums, j), b.mul(v, v)), sums, j);
            });
          });
          b.loop(from, to, [&](Value i) {
            float alpha = op.getAlpha().convertToFloat() / float(size);
            Value sum =
                b.mul(b.real(real, alpha), b.load(sums, b.sub(i, from)));
            Value base =
                b.add(b.real(real, op.getBias().convertToFloat()), sum);
            Value power = math::PowFOp::create(
                b, base, b.real(real, op.getBeta().convertToFloat()));
            Value at = b.add(row, i);
            Value v = b.div(b.toReal(b.load(source, at), in), power);
            b.store(b.fromReal(v, out), target, at);
          });
        });
      });
  emitter.call(kernel, {x, y}, tiling.tiles(), op.getLoc());
  return success();
}

LogicalResult qcc::reference::emitNormalization(Operation *op,
                                                KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qnn::BatchNormOp, qnn::NormalizeOp, qnn::LrnOp>(
          [&](auto concrete) { return emit(concrete, emitter); })
      .Default([](Operation *) { return failure(); });
}
