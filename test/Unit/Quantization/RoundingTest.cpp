//===- RoundingTest.cpp - Which integer a weight becomes ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/Rounding.h"

#include "../UnitTest.h"

#include <cmath>
#include <numeric>

using namespace qcc;
using namespace qcc::test;

/// Numbers in [-1, 1) that are the same everywhere.
static std::vector<float> noise(size_t count, uint64_t state) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values.push_back(float(double(state >> 40) / (1 << 23) - 1));
  }
  return values;
}

/// Second moments of `samples` rows that share a common part.
static Moments correlated(size_t size, size_t samples) {
  std::vector<float> own = noise(size * samples, 3), common = noise(samples, 5);
  Moments moments{size, std::vector<float>(size * size, 0)};
  for (size_t s = 0; s < samples; ++s)
    for (size_t i = 0; i < size; ++i)
      for (size_t j = 0; j < size; ++j)
        moments.values[i * size + j] += (own[s * size + i] + 2 * common[s]) *
                                        (own[s * size + j] + 2 * common[s]);
  return moments;
}

static double total(const std::vector<double> &errors) {
  return std::accumulate(errors.begin(), errors.end(), 0.0);
}

TEST(Rounding, CorrelatedInputsWantOtherIntegers) {
  const size_t rows = 6, columns = 19;
  std::vector<float> weights = noise(rows * columns, 7);
  Moments moments = correlated(columns, 100);
  for (int qmax : {7, 127}) {
    std::vector<float> scales(rows, 1.f / float(qmax));
    RoundingGrid grid{scales, 0, -qmax, qmax};
    auto error = [&](const std::vector<int8_t> &integers) {
      return total(outputError(weights, integers, moments, grid));
    };
    std::vector<int8_t> nearest = roundNearest(weights, columns, grid),
                        gptq = roundSecondOrder(weights, moments, grid),
                        learned = roundLearned(weights, moments, grid);
    EXPECT_LT(error(gptq), 0.5 * error(nearest)) << qmax;
    EXPECT_LT(error(learned), 0.6 * error(nearest)) << qmax;
    for (size_t i = 0; i < weights.size(); ++i) {
      EXPECT_LE(std::abs(gptq[i]), qmax);
      EXPECT_LE(std::abs(learned[i]), qmax);
      // Learned rounding goes down or up, never further.
      EXPECT_LT(std::abs(float(learned[i]) - weights[i] * float(qmax)), 1.001);
    }
    // The better of each row.
    std::vector<int8_t> best = nearest;
    keepBetterRows(weights, best, gptq, moments, grid);
    EXPECT_LE(error(best), error(nearest));
    EXPECT_LE(error(best), error(gptq));
    keepBetterRows(weights, best, nearest, moments, grid);
    EXPECT_LE(error(best), error(gptq));
  }
}

TEST(Rounding, IndependentInputsWantTheNearest) {
  const size_t rows = 3, columns = 8;
  std::vector<float> weights = noise(rows * columns, 11);
  std::vector<float> scales = {0.01f, 0.1f, 1.f};
  Moments moments{columns, std::vector<float>(columns * columns, 0)};
  for (size_t i = 0; i < columns; ++i)
    moments.values[i * columns + i] = float(1 + i);
  RoundingGrid grid{scales};
  EXPECT_EQ(roundSecondOrder(weights, moments, grid),
            roundNearest(weights, columns, grid));
  EXPECT_EQ(roundLearned(weights, moments, grid),
            roundNearest(weights, columns, grid));
}

TEST(Rounding, Degenerate) {
  // No input at all, and fewer samples than weights.
  std::vector<float> weights = noise(5, 13), scale = {1.f / 127};
  RoundingGrid grid{scale};
  Moments zero{5, std::vector<float>(25, 0)};
  std::vector<int8_t> nearest = roundNearest(weights, 5, grid);
  EXPECT_EQ(roundSecondOrder(weights, zero, grid), nearest);
  EXPECT_EQ(roundLearned(weights, zero, grid), nearest);
  Moments singular = correlated(5, 1);
  EXPECT_LE(
      total(outputError(weights, roundSecondOrder(weights, singular, grid),
                        singular, grid)),
      total(outputError(weights, nearest, singular, grid)));
}

TEST(Rounding, BlocksHaveTheirOwnScales) {
  // Two rows of five weights in blocks of two, the last one short.
  std::vector<float> weights = {1, 2, 10, 20, 100, -1, -2, -10, -20, -100};
  std::vector<float> scales = {1, 10, 100, 1, 10, 100};
  RoundingGrid grid{scales, 2, -8, 7};
  std::vector<int8_t> expected = {1, 2, 1, 2, 1, -1, -2, -1, -2, -1};
  EXPECT_EQ(roundNearest(weights, 5, grid), expected);
  EXPECT_EQ(roundSecondOrder(weights, correlated(5, 20), grid), expected);
}
