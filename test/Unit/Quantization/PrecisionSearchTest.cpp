//===- PrecisionSearchTest.cpp - Choices of layers ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/PrecisionSearch.h"

#include "gtest/gtest.h"

using namespace qcc;

static llvm::BitVector bits(llvm::StringRef text) {
  llvm::BitVector result(unsigned(text.size()));
  for (auto [i, c] : llvm::enumerate(text))
    result[unsigned(i)] = c == '1';
  return result;
}

TEST(PrecisionSearch, SlowRegionsLeaveEightBits) {
  // Slower than float: the second region with the conversion in front of it.
  EXPECT_EQ(leaveSlowRegions(bits("0010"), bits("0000"), {1, 1, 6, 3},
                             {9, 9, 9, 9}, {2, 2, 5, 4}),
            bits("0010"));
  EXPECT_EQ(leaveSlowRegions(bits("0010"), bits("0000"), {1, 1, 6, 5},
                             {9, 9, 9, 9}, {2, 2, 5, 4}),
            bits("0011"));
  // Faster than float, but slower than the 16 bits that the layer would take.
  EXPECT_EQ(leaveSlowRegions(bits("100"), bits("010"), {1, 4, 1}, {9, 2, 9},
                             {1, 6, 2}),
            bits("111"));
  // 16 bits count only for layers that take them.
  EXPECT_EQ(leaveSlowRegions(bits("100"), bits("000"), {1, 4, 1}, {1, 2, 1},
                             {1, 6, 2}),
            bits("100"));
}
