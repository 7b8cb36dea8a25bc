//===- Interleave.cpp - Bytes of neighbours for one dot product -----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interleave.h"

using namespace mlir;
using namespace qcc;

bool qcc::packsInterleaved(const TargetLevel &level) {
  for (auto [p, from] : llvm::enumerate(level.micro->packOrder(4)))
    if (from != int64_t(p / 4 % 4 * level.lanes() + p / 16 * 4 + p % 4))
      return false;
  return true;
}

/// Elements of x and y alternating within each 128-bit lane, from the low or
/// the high half of the lanes, as vectors of their type.
static Value interleave(CodeBuilder &c, Value x, Value y, unsigned elementBytes,
                        bool high) {
  auto given = cast<VectorType>(x.getType());
  int64_t count = given.getNumElements() * given.getElementTypeBitWidth() / 8 /
                  elementBytes;
  auto type = c.vectorType(c.b.getIntegerType(8 * elementBytes), count);
  int64_t perLane = 16 / elementBytes;
  SmallVector<int64_t> mask;
  for (int64_t lane = 0; lane < count; lane += perLane)
    for (int64_t i = 0; i < perLane / 2; ++i) {
      int64_t k = lane + i + (high ? perLane / 2 : 0);
      mask.push_back(k);
      mask.push_back(k + count);
    }
  return c.bitcast(c.shuffle(c.bitcast(x, type), c.bitcast(y, type), mask),
                   given);
}

SmallVector<Value> qcc::sortLanes(CodeBuilder &c, ArrayRef<Value> vectors) {
  int64_t lanes = cast<VectorType>(vectors[0].getType()).getNumElements();
  int64_t taps = vectors.size();
  SmallVector<Value> result;
  for (int64_t r = 0; r < taps; ++r) {
    // From each pair of vectors, then from either pair.
    SmallVector<int64_t> fromPair, fromEither;
    for (int64_t i = 0; i < lanes; ++i) {
      int64_t channel = r * lanes + i, j = channel % (4 * taps) / 4;
      fromPair.push_back(j % 2 * lanes + channel / (4 * taps) * 4 +
                         channel % 4);
      fromEither.push_back(j / 2 * lanes + i);
    }
    Value sorted = c.shuffle(vectors[0], vectors[1], fromPair);
    if (taps == 4)
      sorted = c.shuffle(sorted, c.shuffle(vectors[2], vectors[3], fromPair),
                         fromEither);
    result.push_back(sorted);
  }
  return result;
}

SmallVector<Value> qcc::interleaveTaps(CodeBuilder &c, ArrayRef<Value> given) {
  SmallVector<Value> taps(given);
  auto type = cast<VectorType>(
      (*llvm::find_if(taps, [](Value tap) { return bool(tap); })).getType());
  for (Value &tap : taps)
    if (!tap)
      tap = c.splat(type.getElementType(), 0, type.getNumElements());
  if (taps.size() == 2)
    return {interleave(c, taps[0], taps[1], 2, false),
            interleave(c, taps[0], taps[1], 2, true)};
  SmallVector<Value> result;
  for (bool half : {false, true}) {
    Value x01 = interleave(c, taps[0], taps[1], 1, half),
          x23 = interleave(c, taps[2], taps[3], 1, half);
    for (bool quarter : {false, true})
      result.push_back(interleave(c, x01, x23, 2, quarter));
  }
  return result;
}

Value qcc::packWords(CodeBuilder &c, ArrayRef<Value> vectors) {
  int64_t lanes = cast<VectorType>(vectors[0].getType()).getNumElements();
  auto words = c.vectorType(c.b.getI16Type(), 2 * lanes);
  SmallVector<int64_t> mask;
  for (int64_t channel = 0; channel < 2 * lanes; ++channel)
    mask.push_back(channel % 8 / 4 * 2 * lanes +
                   2 * (channel / 8 * 4 + channel % 4));
  return c.shuffle(c.bitcast(vectors[0], words), c.bitcast(vectors[1], words),
                   mask);
}
