//===- RangeRecorder.cpp - Ranges of what a kernel stores -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RangeRecorder.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::LoopBuilder;

static bool isQuantizedAtRunTime(Value tensor) {
  return llvm::any_of(tensor.getUsers(), [](Operation *user) {
    if (auto reshape = dyn_cast<ReshapeOp>(user))
      return isQuantizedAtRunTime(reshape.getResult());
    return isa<DynamicQuantizeOp>(user);
  });
}

Value RangeRecorder::bufferFor(Value tensor, int64_t tiles,
                               KernelEmitter &emitter) {
  if (!tensorTypeOf(tensor).getElementType().isF32() ||
      !isQuantizedAtRunTime(tensor))
    return {};
  Value ranges = emitter.scratch(
      MemRefType::get({tiles, 2}, Float32Type::get(emitter.context())));
  emitter.setRanges(tensor, ranges);
  return ranges;
}

Value RangeRecorder::rangesOf(Value tensor, KernelEmitter &emitter) {
  while (auto reshape = tensor.getDefiningOp<ReshapeOp>())
    tensor = reshape.getInput();
  return emitter.ranges(tensor);
}

RangeRecorder::RangeRecorder(LoopBuilder &b, int64_t lanes, Value ranges)
    : b(b), c(b, b.getLoc()), type(c.vectorType(b.getF32Type(), lanes)),
      ranges(ranges), low(c.stack(b.getF32Type(), lanes)),
      high(c.stack(b.getF32Type(), lanes)) {}

void RangeRecorder::beginTile() {
  for (Value buffer : {low, high})
    c.store(b.real(type, 0), buffer, c.index(0));
}

void RangeRecorder::add(ValueRange vectors, int64_t valid) {
  int64_t lanes = type.getDimSize(0);
  Value smallest = c.load(low, c.index(0), type);
  Value largest = c.load(high, c.index(0), type);
  for (auto [v, vector] : llvm::enumerate(vectors)) {
    int64_t count = std::min(valid - int64_t(v) * lanes, lanes);
    if (count <= 0)
      break;
    Value x = vector;
    if (count < lanes) {
      SmallVector<int64_t> mask;
      for (int64_t i = 0; i < lanes; ++i)
        mask.push_back(i < count ? i : lanes);
      x = c.shuffle(x, b.real(type, 0), mask);
    }
    smallest = b.smaller(x, smallest); // NaN is passed over
    largest = b.larger(x, largest);
  }
  c.store(smallest, low, c.index(0));
  c.store(largest, high, c.index(0));
}

Value RangeRecorder::reduce(Value vector, bool isLargest) {
  for (int64_t half = type.getDimSize(0) / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> lower, upper;
    for (int64_t i = 0; i < half; ++i) {
      lower.push_back(i);
      upper.push_back(half + i);
    }
    Value x = c.shuffle(vector, vector, lower),
          y = c.shuffle(vector, vector, upper);
    vector = isLargest ? b.larger(x, y) : b.smaller(x, y);
  }
  return vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{0});
}

void RangeRecorder::endTile(Value tile) {
  for (bool isLargest : {false, true}) {
    Value vector = c.load(isLargest ? high : low, c.index(0), type);
    b.store(reduce(vector, isLargest), ranges, {tile, c.index(isLargest)});
  }
}
