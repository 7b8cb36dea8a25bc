//===- CodeBuilder.cpp - Shorthand for kernel bodies ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CodeBuilder.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;

/// Calls emit(offset, lanes) so that the chunks cover [0, count): full vectors,
/// and a last one that overlaps its predecessor where count is no multiple.
static void forChunks(CodeBuilder &c, int64_t count, unsigned elementBytes,
                      unsigned vectorBytes,
                      llvm::function_ref<void(Value, int64_t)> emit) {
  int64_t lanes = std::min<int64_t>(vectorBytes / elementBytes,
                                    int64_t(llvm::bit_floor(uint64_t(count))));
  int64_t full = count / lanes * lanes;
  // Several vectors per iteration: one would be taken for a call of memcpy.
  constexpr int64_t unrolled = 4, straight = 12;
  int64_t step = unrolled * lanes, looped = 0;
  if (full > straight * lanes) {
    looped = full / step * step;
    c.loop(c.index(0), c.index(looped), step, [&](Value at) {
      for (int64_t i = 0; i < step; i += lanes)
        emit(c.add(at, i), lanes);
    });
  }
  for (int64_t at = looped; at < full; at += lanes)
    emit(c.index(at), lanes);
  if (full < count)
    emit(c.index(count - lanes), lanes);
}

static unsigned elementBytes(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getElementTypeBitWidth() / 8;
}

void CodeBuilder::copyRun(Value src, Value from, Value dst, Value to,
                          int64_t count, unsigned vectorBytes) {
  Type element = cast<MemRefType>(src.getType()).getElementType();
  forChunks(*this, count, elementBytes(src), vectorBytes,
            [&](Value at, int64_t lanes) {
              store(load(src, add(from, at), vectorType(element, lanes)), dst,
                    add(to, at));
            });
}

void CodeBuilder::fillRun(Value dst, Value to, int64_t count, double value,
                          unsigned vectorBytes) {
  Type element = cast<MemRefType>(dst.getType()).getElementType();
  forChunks(*this, count, elementBytes(dst), vectorBytes,
            [&](Value at, int64_t lanes) {
              store(splat(element, value, lanes), dst, add(to, at));
            });
}

void CodeBuilder::fillRun(Value dst, Value to, int64_t count, Value number,
                          unsigned vectorBytes) {
  forChunks(*this, count, elementBytes(dst), vectorBytes,
            [&](Value at, int64_t lanes) {
              auto type = vectorType(number.getType(), lanes);
              store(vector::BroadcastOp::create(b, loc, type, number), dst,
                    add(to, at));
            });
}
