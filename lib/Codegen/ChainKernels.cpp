//===- ChainKernels.cpp - Elementwise ops in one pass ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A chain of elementwise ops that no kernel computes behind its own result:
// read once, written once, whatever the ops between do (an activation that is
// written as several ops, rounding to 8 bits on the way, a scale and a shift).
//
//===----------------------------------------------------------------------===//

#include "../Conversion/QNNToKernels/Place.h"
#include "ElementRows.h"
#include "ElementwiseChain.h"
#include "KernelLists.h"
#include "MatrixEpilogue.h"
#include "Product.h"
#include "Starts.h"

#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::Element;
using reference::LoopBuilder;

/// Vectors of f32 that are worked on together: their 8-bit results fill one.
static constexpr int64_t unrolled = 4;

static LogicalResult emitChain(Operation *op, KernelEmitter &emitter) {
  std::optional<ElementwiseChain> chain =
      ElementwiseChain::fromMemory(ElementwiseChain::producerOf(op));
  const TargetLevel &level = emitter.level();
  int64_t lanes = level.lanes(), step = unrolled * lanes;
  if (!chain || !chain->contains(op))
    return failure();
  RankedTensorType type = tensorTypeOf(chain->result());
  int64_t length = type.getNumElements();
  if (length == 0)
    return failure();
  if (chain->hasColumns()) {
    length = type.getShape().back();
    if (length < lanes) // the reference loops cross rows
      return failure();
  }
  if (chain->last() != op)
    return success();

  // Where it is cut and put together again, it is stored where it ends up.
  std::optional<Starts> starts;
  Value target = chain->result();
  if (type.getRank() > 0 && type.getShape().back() >= lanes &&
      !op->getParentOfType<ModuleOp>()->hasAttr(kKeepTensorsAttr))
    if (std::optional<reference::Place> place =
            reference::holdInConcat(chain->result(), emitter)) {
      starts.emplace(type.getShape().drop_back(),
                     ArrayRef(place->strides).drop_back(), place->offset);
      length = type.getShape().back();
      target = place->tensor;
    }

  Value source = chain->source();
  quant::UniformQuantizedType stored = getIntActivationType(source);
  Rows rows(type.getNumElements() / length, length, step);
  SmallVector<Value> args{emitter.buffer(source)};
  for (Value operand : chain->operands())
    args.push_back(emitter.buffer(operand));
  args.push_back(emitter.buffer(target));
  func::FuncOp kernel = emitter.kernel(
      "elementwise", chain->key() + (starts ? starts->key() : ""),
      ValueRange(args).getTypes(), op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, level);
        CodeBuilder c(b, loc);
        SmallVector<Value> flat;
        for (Value arg : args)
          flat.push_back(flatten(c, arg));
        Value input = flat.front(), result = flat.back();
        ChainEmitter emit(b, level, *chain,
                          ValueRange(flat).drop_front().drop_back());
        auto load = [&](Value at, int64_t valid) {
          if (stored)
            return loadCentered(b, c, level, Element(stored), valid, input, at,
                                length);
          Type element = cast<MemRefType>(input.getType()).getElementType();
          SmallVector<Value> values;
          for (int64_t i = 0; i < valid; i += lanes)
            values.push_back(loadFirst(c, c.vectorType(element, lanes),
                                       std::min(valid - i, lanes), input,
                                       c.add(at, i)));
          return values;
        };
        rows.emit(c, begin, end,
                  [&](Value column, int64_t valid, Rows::ForRows forRows) {
                    forRows([&](Value at) {
                      Value to = at;
                      if (starts)
                        to = c.add(starts->of(c, c.div(at, length)), column);
                      emit.store(load(at, valid), valid, result, to, at,
                                 column);
                    });
                  });
      });
  emitter.call(kernel, args, rows.tiles(), op->getLoc());
  return success();
}

void qcc::populateChainKernels(KernelGenerators &generators) {
  generators.push_back({"chain", emitChain});
}
