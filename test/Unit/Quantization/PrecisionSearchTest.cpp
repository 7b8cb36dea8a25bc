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
  EXPECT_EQ(leaveSlowRegions(bits("0010"), {1, 1, 6, 3}, {2, 2, 5, 4}),
            bits("0010"));
  EXPECT_EQ(leaveSlowRegions(bits("0010"), {1, 1, 6, 5}, {2, 2, 5, 4}),
            bits("0011"));
  EXPECT_EQ(leaveSlowRegions(bits("100"), {1, 4, 1}, {1, 2, 2}), bits("111"));
  EXPECT_EQ(leaveSlowRegions(bits("100"), {1, 4, 1}, {1, 6, 2}), bits("100"));
}

TEST(PrecisionSearch, SharedWeightsCountOnce) {
  Simulation::Layer layer;
  layer.weights = 100;
  layer.sharedWith = 0;
  std::vector<Simulation::Layer> layers = {layer, layer, layer};
  layers[2].sharedWith = 2; // the first two share a constant
  layers[2].weights = 10;
  auto count = [&](WeightForm a, WeightForm b, WeightForm c) {
    return countExtraBytes(layers, {a, b, c});
  };
  constexpr WeightForm int8 = WeightForm::Int8, int16 = WeightForm::Int16,
                       fp16 = WeightForm::Fp16, bf16 = WeightForm::Bf16,
                       single = WeightForm::Float;
  EXPECT_EQ(count(int8, int8, int8), 0);
  EXPECT_EQ(count(single, single, int8), 300);
  EXPECT_EQ(count(int8, single, int8), 400); // besides those of 8 bits
  EXPECT_EQ(count(fp16, fp16, single), 130);
  EXPECT_EQ(count(int16, int16, int16), 110);
  EXPECT_EQ(count(fp16, bf16, int8), 300);
  EXPECT_EQ(count(fp16, single, int8), 500);
}
