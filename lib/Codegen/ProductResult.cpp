//===- ProductResult.cpp - From sums of a product to results --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProductResult.h"
#include "MatrixEpilogue.h"

using namespace mlir;
using namespace qcc;
using reference::LoopBuilder;

ProductResult::ProductResult(LoopBuilder &b, const Product &p,
                             const TargetLevel &level,
                             const ElementwiseChain &chain, ValueRange operands,
                             Value result, RangeRecorder *recorder)
    : b(b), c(b, b.getLoc()), p(p), level(level),
      chain(b, level, chain, operands, recorder), result(result) {}

void ProductResult::beginBlock(Value matrix, Value firstRow) {
  position = c.mul(c.add(c.mul(matrix, p.rows), firstRow), p.columns);
  to = c.add(p.resultStarts.of(c, matrix), c.mul(firstRow, p.resultPitch));
}

SmallVector<Value> qcc::realValues(CodeBuilder &c, const Product &p,
                                   ValueRange sums) {
  SmallVector<Value> values(sums);
  if (p.isSum)
    return values;
  Type f32 = c.b.getF32Type();
  for (Value &value : values) {
    if (p.isInteger)
      value = arith::MulFOp::create(
          c.b, c.loc,
          arith::SIToFPOp::create(c.b, c.loc, c.vectorType(f32, p.lanes),
                                  value),
          c.splat(f32, p.scale, p.lanes));
    value = p.activation.emit(c, value);
  }
  return values;
}

void ProductResult::store(ValueRange sums, int64_t valid, Value slot,
                          int64_t offset, Value column, Value factor) {
  auto rowIn = [&](Value block, int64_t pitch) {
    return c.add(c.add(c.add(block, c.mul(slot, pitch)), offset * pitch),
                 column);
  };
  Value target = rowIn(to, p.resultPitch);
  if (p.requantize) {
    SmallVector<Value> multipliers(sums.size(),
                                   c.splat(b.getF32Type(), p.scale, p.lanes));
    Value bytes = p.requantize->emit(c, level, sums, multipliers);
    return storeFirst(c, inOrder(c, level, bytes, sums.size()), valid, result,
                      target);
  }
  SmallVector<Value> values(sums);
  if (factor)
    for (Value &value : values)
      value = b.mul(value, factor);
  chain.store(realValues(c, p, values), valid, result, target,
              rowIn(position, p.columns), column);
}
