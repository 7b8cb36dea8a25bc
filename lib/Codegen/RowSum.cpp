//===- RowSum.cpp - The sum of a row of bytes -----------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowSum.h"
#include "MatrixEpilogue.h"

using namespace mlir;
using namespace qcc;

void qcc::sumBytes(CodeBuilder &c, const TargetLevel &level, Value bytes,
                   Value at, int64_t count, RowBytes kind, Value rowSums,
                   Value slot) {
  Type i8 = c.b.getI8Type();
  int64_t step = level.vectorBytes, whole = count / step * step;
  auto type = c.vectorType(i8, step);
  MicroKernels &micro = *level.micro;
  Value one = c.splat(i8, 1, step);
  SmallVector<Value> ones = kind.isSigned
                                ? micro.prepareActivations(c.b, c.loc, one)
                                : micro.prepareWeights(c.b, c.loc, one);
  auto addChunk = [&](Value offset, int64_t size, ValueRange carried) {
    Value chunk = loadFirst(c, type, size, bytes, c.add(at, offset));
    if (kind.flip) {
      SmallVector<int8_t> mask(step, 0);
      std::fill_n(mask.begin(), size, int8_t(-128));
      chunk = arith::XOrIOp::create(
          c.b, c.loc, chunk,
          arith::ConstantOp::create(
              c.b, c.loc,
              DenseElementsAttr::get(type, ArrayRef<int8_t>(mask))));
    }
    SmallVector<Value> sums(carried);
    if (kind.isSigned) // as the weights of activations that are one
      micro.dot(c.b, c.loc, sums, ones,
                micro.prepareWeights(c.b, c.loc, chunk));
    else
      micro.dot(c.b, c.loc, sums, micro.prepareActivations(c.b, c.loc, chunk),
                ones);
    return sums;
  };
  SmallVector<Value> sums(micro.accumulatorsPerVector(),
                          c.splat(c.b.getI32Type(), 0, level.lanes()));
  if (whole == step)
    sums = addChunk(c.index(0), step, sums);
  else if (whole > step)
    sums = c.loop(c.index(0), c.index(whole), step, sums,
                  [&](Value offset, ValueRange carried) {
                    return addChunk(offset, step, carried);
                  });
  if (whole < count)
    sums = addChunk(c.index(whole), count - whole, sums);
  Value total =
      vector::ReductionOp::create(c.b, c.loc, vector::CombiningKind::ADD,
                                  micro.finishAccumulators(c.b, c.loc, sums));
  memref::StoreOp::create(c.b, c.loc, total, rowSums, slot);
}
