//===- OutputErrorTest.cpp - Distances between outputs --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/OutputError.h"

#include "../UnitTest.h"

#include <cmath>

using namespace qcc;
using namespace qcc::test;

static HostTensor scores(std::vector<float> values, int64_t classes) {
  auto count = int64_t(values.size());
  return tensor("y", DType::F32, {count / classes, classes}, values);
}

TEST(OutputError, EqualOutputsHaveNone) {
  std::vector<HostTensor> y = {scores({1, 2, 3, -4}, 2)};
  OutputError error = compareOutputs(y, y);
  EXPECT_EQ(error.noise, 0);
  EXPECT_EQ(error.angle, 0);
  EXPECT_EQ(error.divergence, 0);
  EXPECT_EQ(error.disagreement, 0);
  EXPECT_EQ(toDecibels(0), 200);
}

TEST(OutputError, NoiseAveragesOverOutputs) {
  std::vector<HostTensor> x = {scores({3, 4}, 2), scores({1, 0}, 2)};
  std::vector<HostTensor> y = {scores({3, 5}, 2), scores({1, 0}, 2)};
  EXPECT_NEAR(compareOutputs(x, y).noise, 1.0 / 25 / 2, 1e-9);
  double cosine = 29 / std::sqrt(25.0 * 34);
  EXPECT_NEAR(compareOutputs(x, y).angle, (1 - cosine) / 2, 1e-9);
  EXPECT_NEAR(toDecibels(0.01), 20, 1e-9);
}

TEST(OutputError, ProbabilitiesAreTakenAsTheyAre) {
  std::vector<HostTensor> p = {scores({0.5, 0.5, 0.25, 0.75}, 2)};
  std::vector<HostTensor> q = {scores({0.25, 0.75, 0.25, 0.75}, 2)};
  double expected = 0.5 * std::log(2) + 0.5 * std::log(0.5 / 0.75);
  EXPECT_NEAR(compareOutputs(p, q).divergence, expected / 2, 1e-6);
  // Scores: the softmax does not see what is added to all.
  std::vector<HostTensor> a = {scores({1, 2}, 2)}, b = {scores({11, 12}, 2)};
  EXPECT_NEAR(compareOutputs(a, b).divergence, 0, 1e-9);
}

TEST(OutputError, DisagreementCountsPositions) {
  std::vector<HostTensor> x = {scores({1, 2, 5, 3}, 2)};
  std::vector<HostTensor> y = {scores({3, 2, 5, 3}, 2)};
  EXPECT_EQ(compareOutputs(x, y).disagreement, 0.5);
  EXPECT_EQ(compareOutputs(x, y, 2).disagreement, 0);
}

TEST(OutputError, LargestScores) {
  std::vector<HostTensor> x = {scores({1, 4, 4, 2}, 4)};
  EXPECT_TRUE(isAmongLargest(x, 1, 1));
  EXPECT_FALSE(isAmongLargest(x, 2, 1)); // of equal scores the first
  EXPECT_TRUE(isAmongLargest(x, 2, 2));
  EXPECT_FALSE(isAmongLargest(x, 0, 3));
  EXPECT_TRUE(isAmongLargest(x, 0, 4));
  EXPECT_FALSE(isAmongLargest(x, -1, 4));
  EXPECT_FALSE(isAmongLargest(x, 4, 9));
}
