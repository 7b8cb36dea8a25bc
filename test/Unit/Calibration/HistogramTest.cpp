//===- HistogramTest.cpp - Distributions ----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Histogram.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace qcc;

static std::vector<float> normal(size_t count, float scale, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float &value : values) { // a sum of uniforms is normal enough
    value = -6;
    for (int i = 0; i < 12; ++i)
      value += float(random() >> 8) / float(1 << 24);
    value *= scale;
  }
  return values;
}

static bool same(const Histogram &a, const Histogram &b) {
  std::vector<Histogram::Bin> x = a.bins(), y = b.bins();
  if (a.min() != b.min() || a.max() != b.max() || x.size() != y.size())
    return false;
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i].low != y[i].low || x[i].high != y[i].high ||
        x[i].count != y[i].count)
      return false;
  return true;
}

TEST(CalibrationHistogram, CountsEveryValueInItsBin) {
  std::vector<float> values = normal(20000, 3, 1);
  Histogram histogram;
  ASSERT_TRUE(histogram.add(values));
  EXPECT_EQ(histogram.count(), 20000u);
  EXPECT_EQ(histogram.min(), *std::min_element(values.begin(), values.end()));
  EXPECT_EQ(histogram.max(), *std::max_element(values.begin(), values.end()));
  uint64_t total = 0;
  double end = -HUGE_VAL;
  for (const Histogram::Bin &bin : histogram.bins()) {
    EXPECT_LE(end, bin.low);
    EXPECT_LE(bin.low, bin.high);
    end = bin.high;
    total += bin.count;
    if (bin.low > 0) {
      auto inside = std::count_if(values.begin(), values.end(), [&](float v) {
        return v >= bin.low && (v < bin.high || bin.high == histogram.max());
      });
      EXPECT_EQ(uint64_t(inside), bin.count);
    }
  }
  EXPECT_EQ(total, 20000u);
}

TEST(CalibrationHistogram, OrderAndGroupingDoNotMatter) {
  // The second is larger by far, so bins of the first leave the window.
  std::vector<float> small = normal(5000, 1e-8f, 1),
                     large = normal(5000, 1e6f, 2);
  small.push_back(0);
  Histogram a, b, c, part;
  ASSERT_TRUE(a.add(small) && a.add(large));
  ASSERT_TRUE(b.add(large) && b.add(small));
  ASSERT_TRUE(c.add(small) && part.add(large));
  c.merge(part);
  EXPECT_TRUE(same(a, b));
  EXPECT_TRUE(same(a, c));
  EXPECT_LE(a.bins().size(), 2 * 4096u + 1);
}

TEST(CalibrationHistogram, NaNAndInfinityAreRefused) {
  for (float bad : {NAN, -NAN, HUGE_VALF, -HUGE_VALF}) {
    Histogram histogram, reference;
    EXPECT_TRUE(histogram.add({1.f, 2.f}) && reference.add({1.f, 2.f}));
    EXPECT_FALSE(histogram.add({3.f, bad, 4.f}));
    EXPECT_TRUE(same(histogram, reference));
    EXPECT_TRUE(histogram.add({5.f}) && reference.add({5.f}));
    EXPECT_TRUE(same(histogram, reference));
  }
}

TEST(CalibrationHistogram, ExtremeValues) {
  Histogram empty, zeros, wide;
  EXPECT_TRUE(empty.add({}));
  EXPECT_EQ(empty.count(), 0u);
  EXPECT_TRUE(empty.bins().empty());
  EXPECT_TRUE(zeros.add({0.f, -0.f}));
  ASSERT_EQ(zeros.bins().size(), 1u);
  EXPECT_EQ(zeros.bins()[0].count, 2u);
  EXPECT_TRUE(wide.add({3.4e38f, -3.4e38f, 1e-45f}));
  EXPECT_EQ(wide.bins().size(), 3u);
  EXPECT_EQ(wide.quantile(0), double(-3.4e38f));
  EXPECT_EQ(wide.quantile(1), double(3.4e38f));
}

TEST(CalibrationHistogram, Quantiles) {
  std::vector<float> values;
  for (int i = 1; i <= 10000; ++i)
    values.push_back(float(i));
  Histogram histogram;
  ASSERT_TRUE(histogram.add(values));
  for (double part : {0.01, 0.25, 0.5, 0.99})
    EXPECT_NEAR(histogram.quantile(part), 10000 * part, 10000 * part / 100);
}
