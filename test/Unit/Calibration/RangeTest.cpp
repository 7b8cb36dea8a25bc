//===- RangeTest.cpp - Ranges from distributions --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Range.h"

#include <cfloat>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace qcc;

/// Laplace-like, with a few outliers.
static std::vector<float> heavyTailed(size_t outliers) {
  std::mt19937 random(7);
  std::vector<float> values;
  for (int i = 0; i < 100000; ++i) {
    float uniform = (float(random() >> 8) + 0.5f) / float(1 << 24);
    values.push_back((i % 2 ? 1.f : -1.f) * -std::log(uniform));
  }
  for (size_t i = 0; i < outliers; ++i)
    values.push_back(60.f);
  return values;
}

static double measuredError(const std::vector<float> &values,
                            const QuantParams &params) {
  double sum = 0;
  for (float value : values) {
    double d = value - dequantize(quantize(value, params), params);
    sum += d * d;
  }
  return sum / double(values.size());
}

static Range estimate(const std::vector<float> &values, RangeMethod method) {
  Histogram histogram;
  EXPECT_TRUE(histogram.add(values));
  RangeOptions options;
  options.method = method;
  Range range = estimateRange(histogram, options);
  EXPECT_LE(range.min, 0);
  EXPECT_GE(range.max, 0);
  return range;
}

TEST(CalibrationRange, Parameters) {
  QuantParams p = chooseParams(-1.f, 3.f);
  EXPECT_EQ(p.scale, float(4.0 / 255));
  EXPECT_EQ(p.zeroPoint, 64); // roundeven(63.75)
  EXPECT_EQ(p.qmin, 0);
  EXPECT_EQ(p.qmax, 255);
  p = chooseParams(2.f, 6.f); // widened to 0
  EXPECT_EQ(p.scale, 6.f / 255);
  EXPECT_EQ(p.zeroPoint, 0);
  p = chooseParams(-6.f, -2.f);
  EXPECT_EQ(p.zeroPoint, 255);
  p = chooseParams(0, 0);
  EXPECT_EQ(p.scale, 1.f);
  EXPECT_EQ(p.zeroPoint, 0);
  p = chooseParams(0, 1e-44f);
  EXPECT_EQ(p.scale, FLT_MIN);
  p = chooseParams(-FLT_MAX, FLT_MAX);
  EXPECT_TRUE(std::isfinite(p.scale));
  EXPECT_EQ(p.zeroPoint, 128); // roundeven(127.5)
}

TEST(CalibrationRange, ErrorFromBinsIsTheMeasuredOne) {
  std::vector<float> values = heavyTailed(0);
  Histogram histogram;
  ASSERT_TRUE(histogram.add(values));
  for (float limit : {0.5f, 2.f, 6.f, 12.f}) {
    QuantParams params = chooseParams(-limit, limit);
    double measured = measuredError(values, params);
    EXPECT_NEAR(quantizationError(histogram.bins(), params), measured,
                measured * 0.03)
        << limit;
  }
}

TEST(CalibrationRange, MinMaxAndPercentile) {
  std::vector<float> values = heavyTailed(3);
  Range all = estimate(values, RangeMethod::MinMax);
  EXPECT_EQ(all.max, 60.f);
  EXPECT_EQ(all.min, *std::min_element(values.begin(), values.end()));
  Range inner = estimate(values, RangeMethod::Percentile);
  EXPECT_NEAR(inner.max, 8.5f, 1.5f); // -log(2 * 0.0001)
  EXPECT_NEAR(inner.min, -8.5f, 1.5f);
}

TEST(CalibrationRange, MSEIsLeastErrorOfAGrid) {
  std::vector<float> values = heavyTailed(0);
  Range range = estimate(values, RangeMethod::MSE);
  double best = measuredError(values, chooseParams(range.min, range.max));
  for (float lo = -16; lo <= -2; lo += 0.5f)
    for (float hi = 2; hi <= 16; hi += 0.5f)
      EXPECT_LE(best, measuredError(values, chooseParams(lo, hi)) * 1.02)
          << lo << ' ' << hi;
}

TEST(CalibrationRange, EntropyClipsTails) {
  std::vector<float> values = heavyTailed(3);
  Range range = estimate(values, RangeMethod::Entropy);
  EXPECT_EQ(range.method, RangeMethod::Entropy);
  EXPECT_LT(range.max, 45.f);
  EXPECT_GT(range.max, 3.f);
}

TEST(CalibrationRange, EntropyIgnoresTheZerosOfARelu) {
  std::vector<float> values = heavyTailed(0);
  for (float &value : values)
    value = std::max(value, 0.f);
  EXPECT_GT(estimate(values, RangeMethod::Entropy).max, 5.f);
}

TEST(CalibrationRange, AutoKeepsTheWholeRangeWhereClippingGainsLittle) {
  std::vector<float> uniform;
  for (int i = 0; i < 50000; ++i)
    uniform.push_back(float(i % 1000) / 1000);
  EXPECT_EQ(estimate(uniform, RangeMethod::Auto).method, RangeMethod::MinMax);
  std::vector<float> tailed = heavyTailed(1);
  Range range = estimate(tailed, RangeMethod::Auto);
  EXPECT_NE(range.method, RangeMethod::MinMax);
  EXPECT_LT(measuredError(tailed, chooseParams(range.min, range.max)),
            measuredError(tailed, chooseParams(-12, 60)));
}

TEST(CalibrationRange, ConstantsAndNothing) {
  for (RangeMethod method :
       {RangeMethod::Auto, RangeMethod::MinMax, RangeMethod::Percentile,
        RangeMethod::Entropy, RangeMethod::MSE}) {
    Range none = estimate({}, method), zeros = estimate({0, 0, 0}, method);
    EXPECT_EQ(none.max, 0);
    EXPECT_EQ(zeros.min, 0);
    EXPECT_EQ(zeros.max, 0);
    for (float value : {2.5f, -3e-20f, 1e30f}) {
      Range range = estimate({value, value, value}, method);
      QuantParams params = chooseParams(range.min, range.max);
      EXPECT_NEAR(dequantize(quantize(value, params), params), value,
                  std::abs(value) * 1e-2)
          << name(method).str();
    }
  }
}

TEST(CalibrationRange, MethodNames) {
  EXPECT_EQ(parseRangeMethod("mse"), RangeMethod::MSE);
  EXPECT_EQ(parseRangeMethod("median"), std::nullopt);
  EXPECT_EQ(name(RangeMethod::Percentile), "percentile");
}
