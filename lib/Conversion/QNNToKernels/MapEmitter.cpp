//===- MapEmitter.cpp - Element by element over a box ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

/// Iterations per tile: some microseconds of work.
static constexpr int64_t grain = 8192;

unsigned MapEmitter::input(Value buffer, ArrayRef<int64_t> strides,
                           int64_t offset) {
  inputs.push_back({buffer, SmallVector<int64_t>(strides), offset});
  return inputs.size() - 1;
}

/// The strides with which a tensor of `tensorShape` broadcasts to `shape`.
static SmallVector<int64_t> broadcastStrides(ArrayRef<int64_t> tensorShape,
                                             ArrayRef<int64_t> shape) {
  SmallVector<int64_t> own = rowMajor(tensorShape), strides(shape.size(), 0);
  unsigned missing = shape.size() - tensorShape.size();
  for (unsigned d = 0; d < tensorShape.size(); ++d)
    if (tensorShape[d] != 1)
      strides[missing + d] = own[d];
  return strides;
}

unsigned MapEmitter::input(Value tensor) {
  return input(emitter.buffer(tensor),
               broadcastStrides(shapeOf(tensor), shape));
}

void MapEmitter::output(Value buffer, ArrayRef<int64_t> strides,
                        int64_t offset) {
  outputs.push_back({buffer, SmallVector<int64_t>(strides), offset});
}

void MapEmitter::addChannelParams(Real &real, ArrayRef<int64_t> tensorShape) {
  SmallVector<float> scales;
  SmallVector<int32_t> zeroPoints;
  for (unsigned c = 0, e = real.element.numChannels(); c != e; ++c) {
    QuantParams params = real.element.params(c);
    scales.push_back(params.scale);
    zeroPoints.push_back(params.zeroPoint);
  }
  SmallVector<int64_t> strides(shape.size(), 0);
  unsigned axis = real.element.perAxis.getQuantizedDimension();
  if (tensorShape[axis] != 1)
    strides[shape.size() - tensorShape.size() + axis] = 1;
  real.scale = input(constantOf(emitter, "scales", scales), strides);
  real.zeroPoint =
      input(constantOf(emitter, "zero_points", zeroPoints), strides);
}

MapEmitter::Real MapEmitter::realInput(Value tensor) {
  Real real{Element(tensor.getType()), 0};
  real.raw = input(tensor);
  if (real.element.perAxis)
    addChannelParams(real, shapeOf(tensor));
  return real;
}

MapEmitter::Real MapEmitter::realOutput(Value tensor) {
  Real real{Element(tensor.getType()), 0};
  output(emitter.buffer(tensor), rowMajor(shape));
  if (real.element.perAxis)
    addChannelParams(real, shapeOf(tensor));
  return real;
}

Value MapEmitter::Real::load(LoopBuilder &b, ValueRange raws) const {
  if (scale)
    return b.dequantize(raws[raw], element, raws[*scale], raws[*zeroPoint]);
  return b.toReal(raws[raw], element);
}

Value MapEmitter::Real::store(LoopBuilder &b, Value value,
                              ValueRange raws) const {
  if (scale)
    return b.quantize(value, element, raws[*scale], raws[*zeroPoint]);
  return b.fromReal(value, element);
}

void qcc::reference::collapseBox(SmallVectorImpl<int64_t> &shape,
                                 ArrayRef<SmallVector<int64_t> *> strides) {
  for (int d = int(shape.size()) - 1; d >= 0; --d) {
    bool drop = shape[d] == 1;
    if (!drop && d + 1 < int(shape.size())) {
      drop = llvm::all_of(strides, [&](SmallVector<int64_t> *s) {
        return (*s)[d] == (*s)[d + 1] * shape[d + 1];
      });
      if (drop)
        shape[d + 1] *= shape[d];
    }
    if (!drop)
      continue;
    shape.erase(shape.begin() + d);
    for (SmallVector<int64_t> *s : strides)
      s->erase(s->begin() + d);
  }
}

void MapEmitter::emit(StringRef stem, StringRef key, Body body) {
  SmallVector<SmallVector<int64_t> *> strides;
  for (auto *list : {&inputs, &outputs})
    for (Access &access : *list)
      strides.push_back(&access.strides);
  collapseBox(shape, strides);
  std::string fullKey = key.str();
  llvm::raw_string_ostream os(fullKey);
  auto describe = [&](ArrayRef<int64_t> numbers) {
    os << '[';
    llvm::interleaveComma(numbers, os);
    os << ']';
  };
  describe(shape);
  SmallVector<Value> args;
  SmallVector<Type> types;
  for (const auto *list : {&inputs, &outputs})
    for (const Access &access : *list) {
      describe(access.strides);
      os << access.offset << ' ';
      args.push_back(access.buffer);
      types.push_back(access.buffer.getType());
    }

  Tiling tiling(shape, grain);
  func::FuncOp kernel = emitter.kernel(
      stem, fullKey, types, loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        SmallVector<Value> memory;
        for (Value arg : args)
          memory.push_back(b.flat(arg));
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          auto position = [&](const Access &access) {
            Value sum;
            for (auto [iv, stride] : llvm::zip(ivs, access.strides)) {
              if (stride == 0)
                continue;
              Value term = b.mulIndex(iv, stride);
              sum = sum ? b.add(sum, term) : term;
            }
            return sum ? b.addIndex(sum, access.offset)
                       : b.index(access.offset);
          };
          SmallVector<Value> raws;
          for (auto [i, access] : llvm::enumerate(inputs))
            raws.push_back(b.load(memory[i], position(access)));
          SmallVector<Value> results = body(b, raws);
          for (auto [i, access] : llvm::enumerate(outputs))
            b.store(results[i], memory[inputs.size() + i], position(access));
        });
      });
  emitter.call(kernel, args, tiling.tiles(), loc);
}

void qcc::reference::emitMove(KernelEmitter &emitter, Location loc,
                              StringRef stem, Move move, Value from, Value to) {
  if (emitInterleave(emitter, loc, move, from, to) ||
      emitBlockTranspose(emitter, loc, move, from, to))
    return;
  MapEmitter map(emitter, loc, move.shape);
  map.input(from, move.fromStrides, move.fromOffset);
  map.output(to, move.toStrides, move.toOffset);
  map.emit(stem, "", [](LoopBuilder &, ValueRange raws) {
    return SmallVector<Value>(raws);
  });
}

void qcc::reference::emitCopy(KernelEmitter &emitter, Value from, Value to,
                              Location loc) {
  Move move;
  move.shape.assign(shapeOf(from).begin(), shapeOf(from).end());
  move.fromStrides = move.toStrides = rowMajor(move.shape);
  emitMove(emitter, loc, "copy", move, from, to);
}
