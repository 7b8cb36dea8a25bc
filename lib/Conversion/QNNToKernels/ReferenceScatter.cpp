//===- ReferenceScatter.cpp - Elements and slices put at indices ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The input is copied, then updated in place. Several updates may meet in one
// element, so that tiles are parts of the result which no other tile updates,
// and each goes through the updates in their order.
//
//===----------------------------------------------------------------------===//

#include "ReferenceIndexing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qnn::ScatterReduction;

/// What becomes of the stored element `old` under the update `raw`.
static Value combine(LoopBuilder &b, ScatterReduction reduction,
                     const Element &element, Value old, Value raw) {
  if (reduction == ScatterReduction::None)
    return raw;
  bool isFloat = element.isFloat(), isUnsigned = element.isUnsigned;
  Value x = isFloat ? b.toReal(old, element) : old;
  Value y = isFloat ? b.toReal(raw, element) : raw;
  Value result;
  if (reduction == ScatterReduction::Add)
    result = b.add(x, y);
  else if (reduction == ScatterReduction::Mul)
    result = b.mul(x, y);
  else if (reduction == ScatterReduction::Min)
    result = b.smaller(x, y, isUnsigned);
  else
    result = b.larger(x, y, isUnsigned);
  if (!isFloat)
    return result;
  // Minimum and maximum are NaN where either is.
  Value isNaN = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
  return b.fromReal(b.select(isNaN, x, result), element);
}

/// A stored index as a position, counted from the end where it is negative;
/// clears `inside` where it lies beyond the extent.
static Value resolve(LoopBuilder &b, Value raw, int64_t extent, Value &inside) {
  Value i = arith::IndexCastOp::create(b, b.getIndexType(), raw);
  i = b.select(b.less(i, b.index(0)), b.addIndex(i, extent), i);
  Value fits = b.less(i, b.index(extent), /*isUnsigned=*/true);
  inside = inside ? Value(arith::AndIOp::create(b, inside, fits)) : fits;
  return i;
}

static LogicalResult emit(qnn::ScatterElementsOp op, KernelEmitter &emitter) {
  Element element(op.getInput().getType());
  ArrayRef<int64_t> shape = op.getType().getShape();
  ArrayRef<int64_t> updateShape = shapeOf(op.getUpdates());
  int64_t axis = op.getAxis(), count = updateShape[axis];
  SmallVector<int64_t> strides = rowMajor(shape),
                       updateStrides = rowMajor(updateShape), box(updateShape);
  // An update keeps its coordinates along the other dimensions: one tile for
  // some of these.
  int64_t stride = strides[axis], updateStride = updateStrides[axis];
  box.erase(box.begin() + axis);
  strides.erase(strides.begin() + axis);
  updateStrides.erase(updateStrides.begin() + axis);
  collapseBox(box, {&strides, &updateStrides});

  Value y = emitter.buffer(op.getResult());
  emitCopy(emitter, emitter.buffer(op.getInput()), y, op.getLoc());
  if (product(updateShape) == 0)
    return success();
  Value indices = emitter.buffer(op.getIndices()),
        updates = emitter.buffer(op.getUpdates());
  Tiling tiling(box, std::max<int64_t>(1, 4096 / count));
  func::FuncOp kernel = emitter.kernel(
      "scatter_elements", opKey(op), ValueRange{indices, updates, y}.getTypes(),
      op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value table = b.flat(args[0]), from = b.flat(args[1]),
              to = b.flat(args[2]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value source = b.index(0), target = b.index(0);
          for (auto [iv, s, t] : llvm::zip(ivs, updateStrides, strides)) {
            source = b.add(source, b.mulIndex(iv, s));
            target = b.add(target, b.mulIndex(iv, t));
          }
          b.loop(0, count, [&](Value i) {
            Value at = b.add(source, b.mulIndex(i, updateStride));
            Value inside;
            Value index = resolve(b, b.load(table, at), shape[axis], inside);
            b.ifThen(inside, [&] {
              Value place = b.add(target, b.mulIndex(index, stride));
              b.store(combine(b, op.getReduction(), element, b.load(to, place),
                              b.load(from, at)),
                      to, place);
            });
          });
        });
      });
  emitter.call(kernel, {indices, updates, y}, tiling.tiles(), op.getLoc());
  return success();
}

static LogicalResult emit(qnn::ScatterNDOp op, KernelEmitter &emitter) {
  Element element(op.getInput().getType());
  ArrayRef<int64_t> shape = op.getType().getShape();
  ArrayRef<int64_t> indexShape = shapeOf(op.getIndices());
  int64_t depth = indexShape.back(), tuples = product(indexShape.drop_back());
  int64_t inner = product(shape.drop_front(depth));
  SmallVector<int64_t> strides = rowMajor(shape);

  Value y = emitter.buffer(op.getResult());
  emitCopy(emitter, emitter.buffer(op.getInput()), y, op.getLoc());
  if (tuples * inner == 0)
    return success();
  Value indices = emitter.buffer(op.getIndices()),
        updates = emitter.buffer(op.getUpdates());
  // A tile is a part of every slice.
  int64_t block = std::min(inner, std::max<int64_t>(256, 8192 / tuples));
  func::FuncOp kernel = emitter.kernel(
      "scatter_nd", opKey(op), ValueRange{indices, updates, y}.getTypes(),
      op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value table = b.flat(args[0]), from = b.flat(args[1]),
              to = b.flat(args[2]);
        b.loop(begin, end, [&](Value tile) {
          Value low = b.mulIndex(tile, block);
          Value high = b.smaller(b.addIndex(low, block), b.index(inner));
          b.loop(0, tuples, [&](Value tuple) {
            Value inside, target = b.index(0);
            for (int64_t d = 0; d < depth; ++d) {
              Value raw =
                  b.load(table, b.addIndex(b.mulIndex(tuple, depth), d));
              Value i = resolve(b, raw, shape[d], inside);
              target = b.add(target, b.mulIndex(i, strides[d]));
            }
            Value source = b.mulIndex(tuple, inner);
            b.ifThen(inside, [&] {
              b.loop(low, high, [&](Value i) {
                Value place = b.add(target, i);
                b.store(combine(b, op.getReduction(), element,
                                b.load(to, place),
                                b.load(from, b.add(source, i))),
                        to, place);
              });
            });
          });
        });
      });
  emitter.call(kernel, {indices, updates, y}, (inner + block - 1) / block,
               op.getLoc());
  return success();
}

LogicalResult qcc::reference::emitScatter(Operation *op,
                                          KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qnn::ScatterElementsOp, qnn::ScatterNDOp>(
          [&](auto concrete) { return emit(concrete, emitter); })
      .Default([](Operation *) { return failure(); });
}
