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
/// the high half of the lanes (element size 1 or 2 bytes).
static Value interleave(CodeBuilder &c, Value x, Value y, unsigned elementBytes,
                        bool high) {
  auto bytes = cast<VectorType>(x.getType());
  int64_t count = bytes.getNumElements() / elementBytes;
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
                   bytes);
}

std::array<Value, 4> qcc::sortLanes(CodeBuilder &c, ArrayRef<Value> vectors) {
  int64_t lanes = cast<VectorType>(vectors[0].getType()).getNumElements();
  std::array<Value, 4> result;
  for (int64_t r = 0; r < 4; ++r) {
    // From each pair of vectors, then from either pair.
    SmallVector<int64_t> fromPair, fromEither;
    for (int64_t i = 0; i < lanes; ++i) {
      int64_t channel = r * lanes + i, j = channel % 16 / 4;
      fromPair.push_back(j % 2 * lanes + channel / 16 * 4 + channel % 4);
      fromEither.push_back(j / 2 * lanes + i);
    }
    result[r] =
        c.shuffle(c.shuffle(vectors[0], vectors[1], fromPair),
                  c.shuffle(vectors[2], vectors[3], fromPair), fromEither);
  }
  return result;
}

std::array<Value, 4> qcc::interleaveTaps(CodeBuilder &c,
                                         std::array<Value, 4> taps) {
  Value zero;
  for (Value tap : taps)
    if (tap && !zero)
      zero = c.splat(c.b.getI8Type(), 0,
                     cast<VectorType>(tap.getType()).getNumElements());
  for (Value &tap : taps)
    if (!tap)
      tap = zero;
  std::array<Value, 4> result;
  for (int64_t half = 0; half < 2; ++half) {
    Value x01 = interleave(c, taps[0], taps[1], 1, half),
          x23 = interleave(c, taps[2], taps[3], 1, half);
    for (int64_t quarter = 0; quarter < 2; ++quarter)
      result[2 * half + quarter] = interleave(c, x01, x23, 2, quarter);
  }
  return result;
}
