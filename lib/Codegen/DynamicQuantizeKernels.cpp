//===- DynamicQuantizeKernels.cpp - Quantization at run time --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ranges of parts of the tensor are there already; each call takes scale
// and zero point from them, which costs less than another step would.
//
//===----------------------------------------------------------------------===//

#include "../Conversion/QNNToKernels/DynamicScale.h"
#include "ElementwiseChain.h"
#include "ExactDivision.h"
#include "KernelLists.h"
#include "MatrixEpilogue.h"
#include "Product.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::LoopBuilder;

/// Elements per tile.
static constexpr int64_t grain = 8 * 1024;

namespace {
class DynamicQuantizeKernel {
public:
  DynamicQuantizeKernel(LoopBuilder &b, const TargetLevel &level,
                        int64_t elements, ValueRange args)
      : b(b), c(b, b.getLoc()), level(level), elements(elements),
        input(flatten(c, args[0])), ranges(args[1]),
        result(flatten(c, args[2])), scale(flatten(c, args[3])),
        zeroPoint(flatten(c, args[4])) {}

  void emit(Value begin, Value end);

private:
  void vectors(RuntimeQuantizer &quantizer, Value at, int64_t valid);

  LoopBuilder &b;
  CodeBuilder c;
  const TargetLevel &level;
  int64_t elements;
  Value input, ranges, result, scale, zeroPoint;
  Value offset; ///< the zero point in all lanes
};
} // namespace

void DynamicQuantizeKernel::emit(Value begin, Value end) {
  reference::DynamicScale chosen = reference::chooseScale(b, ranges);
  c.branch(c.compare(arith::CmpIPredicate::eq, begin, 0),
           [&] {
             b.store(chosen.scale, scale, b.index(0));
             b.store(chosen.zeroPoint, zeroPoint, b.index(0));
           },
           {});
  auto inAllLanes = [&](Value scalar) -> Value {
    return vector::BroadcastOp::create(
        b, c.vectorType(scalar.getType(), level.lanes()), scalar);
  };
  offset =
      inAllLanes(arith::ExtUIOp::create(b, b.getI32Type(), chosen.zeroPoint));
  RuntimeQuantizer quantizer(c, level, inAllLanes(chosen.scale), offset);
  int64_t step = level.vectorBytes, whole = elements / step * step;
  quantizer.emit([&] {
    Value last = c.min(c.mul(end, grain), c.index(whole));
    c.loop(c.mul(begin, grain), last, step,
           [&](Value at) { vectors(quantizer, at, step); });
    if (whole == elements)
      return;
    c.branch(c.compare(arith::CmpIPredicate::eq, end,
                       llvm::divideCeil(elements, grain)),
             [&] { vectors(quantizer, c.index(whole), elements - whole); }, {});
  });
}

/// A vector of bytes, of which the first `valid` are stored.
void DynamicQuantizeKernel::vectors(RuntimeQuantizer &quantizer, Value at,
                                    int64_t valid) {
  int64_t lanes = level.lanes();
  auto type = c.vectorType(b.getF32Type(), lanes);
  SmallVector<Value> rounded;
  for (int64_t first = 0; first < valid; first += lanes) {
    Value x = loadFirst(c, type, std::min(valid - first, lanes), input,
                        c.add(at, first));
    rounded.push_back(c.add(quantizer.centered(x), offset));
  }
  Value bytes = level.micro->packToBytes(b, b.getLoc(), rounded,
                                         /*zeroPoint=*/0, /*isUnsigned=*/true);
  storeFirst(c, inOrder(c, level, bytes, rounded.size()), valid, result, at);
}

static LogicalResult emitDynamicQuantize(Operation *operation,
                                         KernelEmitter &emitter) {
  auto op = dyn_cast<DynamicQuantizeOp>(operation);
  if (!op || !tensorTypeOf(op.getInput()).getElementType().isF32() ||
      !tensorTypeOf(op.getScale()).getElementType().isF32())
    return failure();
  Location loc = op.getLoc();
  int64_t elements = tensorTypeOf(op.getInput()).getNumElements();
  if (elements == 0)
    return failure();
  Value input = emitter.buffer(op.getInput());
  Value ranges = RangeRecorder::rangesOf(op.getInput(), emitter);
  if (!ranges)
    ranges = reference::emitRanges(
        input, elements, reference::Tiling({elements}, grain), emitter, loc);
  SmallVector<Value> args{input, ranges, emitter.buffer(op.getResult()),
                          emitter.buffer(op.getScale()),
                          emitter.buffer(op.getZeroPoint())};
  func::FuncOp kernel = emitter.kernel(
      "dynamic_quantize", std::to_string(elements), ValueRange(args).getTypes(),
      loc,
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        DynamicQuantizeKernel(b, emitter.level(), elements, values)
            .emit(begin, end);
      });
  emitter.call(kernel, args, llvm::divideCeil(elements, grain), loc);
  return success();
}

void qcc::populateDynamicQuantizeKernels(KernelGenerators &generators) {
  generators.push_back({"dynamic-quantize", emitDynamicQuantize});
}
