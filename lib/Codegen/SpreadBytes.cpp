//===- SpreadBytes.cpp - Bytes as 32-bit integers -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SpreadBytes.h"

using namespace mlir;
using namespace qcc;

bool qcc::canSpread(const TargetLevel &level, quant::QuantizedType type) {
  return level.hasInt8Dot && level.micro->accumulatorsPerVector() == 1 &&
         type.getStorageTypeIntegralWidth() == 8 &&
         type.isSigned() != level.unsignedActivations;
}

void qcc::addSpread(CodeBuilder &c, const TargetLevel &level, Value bytes,
                    MutableArrayRef<Value> sums) {
  MicroKernels &micro = *level.micro;
  auto type = c.vectorType(c.b.getI8Type(), level.vectorBytes);
  SmallVector<Value> activations = micro.prepareActivations(c.b, c.loc, bytes);
  for (size_t j = 0; j < sums.size(); ++j) {
    SmallVector<int8_t> ones(level.vectorBytes, 0);
    for (size_t i = j; i < ones.size(); i += sums.size())
      ones[i] = 1;
    Value weights = arith::ConstantOp::create(
        c.b, c.loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(ones)));
    micro.dot(c.b, c.loc, sums.slice(j, 1), activations,
              micro.prepareWeights(c.b, c.loc, weights));
  }
}

Value qcc::orderSpread(CodeBuilder &c, const TargetLevel &level, Value packed) {
  constexpr int64_t sums = 4;
  SmallVector<int64_t> mask(level.vectorBytes);
  for (auto [position, from] : llvm::enumerate(level.micro->packOrder(sums))) {
    int64_t j = from / level.lanes(), lane = from % level.lanes();
    mask[sums * lane + j] = position;
  }
  return c.shuffle(packed, packed, mask);
}
