//===- KeptRows.cpp - Rows of floats on the stack -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KeptRows.h"
#include "../Conversion/QNNToKernels/FloatFunctions.h"

#include <limits>

using namespace mlir;
using namespace qcc;

static constexpr double infinity = std::numeric_limits<double>::infinity();

void KeptRows::forVectors(llvm::function_ref<void(Value, int64_t)> body) {
  c.loop(0, whole(), width, [&](Value column) { body(column, width); });
  if (whole() != length)
    body(c.index(whole()), length - whole());
}

Value KeptRows::onlyValid(Value value, double neutral) {
  SmallVector<bool> mask(width, false);
  std::fill_n(mask.begin(), length - whole(), true);
  auto maskType = c.vectorType(b.getI1Type(), width);
  Value isValid = arith::ConstantOp::create(
      b, DenseElementsAttr::get(maskType, ArrayRef<bool>(mask)));
  return b.select(isValid, value, b.real(type(), neutral));
}

SmallVector<Value>
KeptRows::reduce(double init, Step step, double neutral,
                 llvm::function_ref<Value(Value, Value)> join,
                 Transform transform) {
  auto stepAt = [&](size_t r, Value acc, Value column, int64_t count) {
    Value v = load(r, column);
    if (transform) {
      v = transform(r, v, column, count);
      store(v, r, column);
    }
    return step(r, acc, count < width ? onlyValid(v, neutral) : v);
  };
  SmallVector<Value> accs(count(), b.real(type(), init));
  accs = c.loop(c.index(0), c.index(whole()), width, accs,
                [&](Value column, ValueRange carried) {
                  SmallVector<Value> next;
                  for (auto [r, acc] : llvm::enumerate(carried))
                    next.push_back(stepAt(r, acc, column, width));
                  return next;
                });
  if (whole() != length)
    for (auto [r, acc] : llvm::enumerate(accs))
      acc = stepAt(r, acc, c.index(whole()), length - whole());
  for (int64_t half = width / 2; half >= 1; half /= 2)
    for (Value &acc : accs) {
      SmallVector<int64_t> low, high;
      for (int64_t i = 0; i < half; ++i) {
        low.push_back(i);
        high.push_back(half + i);
      }
      acc = join(c.shuffle(acc, acc, low), c.shuffle(acc, acc, high));
    }
  for (Value &acc : accs) {
    Value number = vector::ExtractOp::create(b, acc, ArrayRef<int64_t>{0});
    acc = vector::BroadcastOp::create(b, type(), number);
  }
  return accs;
}

SmallVector<Value> KeptRows::maxima(Transform transform) {
  return reduce(
      -infinity, [&](size_t, Value acc, Value v) { return b.larger(v, acc); },
      -infinity, [&](Value x, Value y) { return b.larger(x, y); }, transform);
}

SmallVector<Value> KeptRows::softmax(ValueRange largest) {
  reference::FloatFunctions functions(b, b.getLoc(), type());
  SmallVector<Value> sums = reduce(
      0, [&](size_t, Value acc, Value v) { return b.add(acc, v); }, 0,
      [&](Value x, Value y) { return b.add(x, y); },
      [&](size_t r, Value v, Value, int64_t) {
        return functions.expOfNegative(b.sub(v, largest[r]));
      });
  for (Value &sum : sums)
    sum = b.div(b.real(type(), 1), sum);
  return sums;
}
