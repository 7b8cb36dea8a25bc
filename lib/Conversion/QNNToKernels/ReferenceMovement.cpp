//===- ReferenceMovement.cpp - Ops that only move elements ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexTables.h"
#include "LoopBuilder.h"
#include "Place.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

//===----------------------------------------------------------------------===//
// Transpose, slice, concat
//===----------------------------------------------------------------------===//

/// Copies a box; an element is requantized where `from` and `to` differ.
static void emitBox(KernelEmitter &emitter, Operation *op, StringRef stem,
                    ArrayRef<int64_t> shape, const Place &from,
                    const Place &to) {
  Element in(from.tensor.getType()), out(to.tensor.getType());
  Value source = emitter.buffer(from.tensor),
        target = emitter.buffer(to.tensor);
  if (in.type == out.type || !in.isQuantized() || !out.isQuantized()) {
    Move move{SmallVector<int64_t>(shape), from.strides, to.strides,
              from.offset, to.offset};
    emitMove(emitter, op->getLoc(), stem, move, source, target);
    return;
  }
  MapEmitter map(emitter, op->getLoc(), shape);
  map.input(source, from.strides, from.offset);
  map.output(target, to.strides, to.offset);
  map.emit(stem, opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    return SmallVector<Value>{b.fromReal(b.toReal(raws[0], in), out)};
  });
}

static LogicalResult emit(qnn::TransposeOp op, KernelEmitter &emitter) {
  auto concat = op.getInput().getDefiningOp<qnn::ConcatOp>();
  if (isReadThrough(op.getResult()) || (concat && isWrittenThrough(concat)))
    return success();
  Place from = Place::ofSource(op.getInput());
  from.transpose(op);
  emitBox(emitter, op, "transpose", op.getType().getShape(), from,
          Place::ofResult(op.getResult()));
  return success();
}

static LogicalResult emit(qnn::ConcatOp op, KernelEmitter &emitter) {
  Place to = Place::ofResult(op.getResult());
  auto placed = op->getAttrOfType<DenseBoolArrayAttr>(reference::kPlacedAttr);
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    ArrayRef<int64_t> shape = shapeOf(input);
    if (!placed || !placed[i])
      emitBox(emitter, op, "concat", shape, Place::ofSource(input), to);
    to.offset += shape[op.getAxis()] * to.strides[op.getAxis()];
  }
  return success();
}

static LogicalResult emit(qnn::SliceOp op, KernelEmitter &emitter) {
  if (isReadThrough(op.getResult()))
    return success();
  Place from = Place::ofSource(op.getInput());
  from.slice(op);
  emitBox(emitter, op, "slice", op.getType().getShape(), from,
          Place::ofResult(op.getResult()));
  return success();
}

//===----------------------------------------------------------------------===//
// Expand
//===----------------------------------------------------------------------===//

static LogicalResult emit(qnn::ExpandOp op, KernelEmitter &emitter) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  MapEmitter map(emitter, op.getLoc(), shape);
  map.input(op.getInput());
  map.output(emitter.buffer(op.getResult()), rowMajor(shape));
  map.emit("expand", "", [](LoopBuilder &, ValueRange raws) {
    return SmallVector<Value>(raws);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

/// Which input index an output index of a padded dimension holds.
static int32_t paddedIndex(qnn::PadMode mode, int64_t i, int64_t extent) {
  switch (mode) {
  case qnn::PadMode::Edge:
    return std::clamp<int64_t>(i, 0, extent - 1);
  case qnn::PadMode::Wrap:
    return ((i % extent) + extent) % extent;
  default: { // reflect, without repeating the border
    if (extent == 1)
      return 0;
    int64_t period = 2 * (extent - 1);
    i = ((i % period) + period) % period;
    return i < extent ? i : period - i;
  }
  }
}

static LogicalResult emit(qnn::PadOp op, KernelEmitter &emitter) {
  ArrayRef<int64_t> in = shapeOf(op.getInput()), out = op.getType().getShape();
  unsigned rank = in.size();
  ArrayRef<int64_t> pads = op.getPads();
  if (op.getMode() != qnn::PadMode::Constant) {
    IndexTables tables(rank);
    for (unsigned d = 0; d < rank; ++d) {
      if (out[d] == in[d] && pads[d] == 0)
        continue;
      SmallVector<int32_t> &table = tables[d].emplace();
      for (int64_t o = 0; o < out[d]; ++o)
        table.push_back(paddedIndex(op.getMode(), o - pads[d], in[d]));
    }
    emitIndexed(emitter, op, "pad", tables);
    return success();
  }

  Element element(op.getType());
  if (element.perAxis)
    return failure();
  Value result = emitter.buffer(op.getResult());
  double value = op.getValue().convertToDouble();
  SmallVector<int64_t> strides = rowMajor(out), inStrides = rowMajor(in);
  auto fill = [&](ArrayRef<int64_t> region, int64_t offset) {
    if (product(region) == 0)
      return;
    MapEmitter map(emitter, op.getLoc(), region);
    map.output(result, strides, offset);
    map.emit("fill", opKey(op), [&](LoopBuilder &b, ValueRange) {
      if (element.isQuantized())
        return SmallVector<Value>{b.integer(
            element.storage, quantize(float(value), element.params()))};
      return SmallVector<Value>{b.number(element.storage, value)};
    });
  };
  // The part of the input that stays.
  SmallVector<int64_t> box;
  int64_t from = 0, to = 0;
  for (unsigned d = 0; d < rank; ++d) {
    int64_t begin = std::max<int64_t>(0, -pads[d]);
    int64_t end = std::min(in[d], out[d] - pads[d]);
    box.push_back(std::max<int64_t>(0, end - begin));
    from += begin * inStrides[d];
    to += (begin + pads[d]) * strides[d];
  }
  if (product(box) == 0) {
    fill(out, 0);
    return success();
  }
  emitBox(emitter, op, "pad", box, {op.getInput(), inStrides, from},
          {op.getResult(), strides, to});
  // The border: below and above the box in each dimension, over the box's own
  // range in the dimensions before it.
  SmallVector<int64_t> region(out);
  int64_t corner = 0;
  for (unsigned d = 0; d < rank; ++d) {
    int64_t begin = std::max<int64_t>(0, pads[d]), end = begin + box[d];
    region[d] = begin;
    fill(region, corner);
    region[d] = out[d] - end;
    fill(region, corner + end * strides[d]);
    region[d] = box[d];
    corner += begin * strides[d];
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

static LogicalResult emit(qnn::GatherOp op, KernelEmitter &emitter) {
  ArrayRef<int64_t> in = shapeOf(op.getInput());
  int64_t axis = op.getAxis(), extent = in[axis];
  int64_t outer = product(in.take_front(axis)),
          inner = product(in.drop_front(axis + 1)),
          count = product(shapeOf(op.getIndices()));
  Element indexElement(op.getIndices().getType());
  Value x = emitter.buffer(op.getInput()),
        indices = emitter.buffer(op.getIndices()),
        y = emitter.buffer(op.getResult());
  SmallVector<int64_t> box{outer, count, inner};
  if (extent == 0 && product(box) != 0)
    return op.emitOpError("gathers from a dimension without elements"),
           failure();
  Tiling tiling(box, 8192);
  func::FuncOp kernel = emitter.kernel(
      "gather", opKey(op),
      TypeRange{x.getType(), indices.getType(), y.getType()}, op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]), table = b.flat(args[1]),
              to = b.flat(args[2]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value raw = b.load(table, ivs[1]);
          Value i =
              indexElement.isUnsigned
                  ? Value(
                        arith::IndexCastUIOp::create(b, b.getIndexType(), raw))
                  : Value(arith::IndexCastOp::create(b, b.getIndexType(), raw));
          i = b.select(b.less(i, b.index(0)), b.addIndex(i, extent), i);
          i = b.smaller(b.larger(i, b.index(0)), b.index(extent - 1));
          Value row = b.add(b.mulIndex(ivs[0], extent), i);
          Value v = b.load(from, b.add(b.mulIndex(row, inner), ivs[2]));
          Value outRow = b.add(b.mulIndex(ivs[0], count), ivs[1]);
          b.store(v, to, b.add(b.mulIndex(outRow, inner), ivs[2]));
        });
      });
  emitter.call(kernel, {x, indices, y}, tiling.tiles(), op.getLoc());
  return success();
}

LogicalResult qcc::reference::emitMovement(Operation *op,
                                           KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qnn::TransposeOp, qnn::ConcatOp, qnn::SliceOp, qnn::ExpandOp,
            qnn::PadOp, qnn::GatherOp>(
          [&](auto concrete) { return emit(concrete, emitter); })
      .Default([](Operation *) { return failure(); });
}
