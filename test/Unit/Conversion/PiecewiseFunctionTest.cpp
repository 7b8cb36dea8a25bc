//===- PiecewiseFunctionTest.cpp - Polynomials against the functions ------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Conversion/QNNToKernels/PiecewiseFunction.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace qcc::reference;
using qcc::qnn::UnaryKind;

static double exact(UnaryKind kind, double x) {
  switch (kind) {
  case UnaryKind::Sigmoid:
    return 1 / (1 + std::exp(-x));
  case UnaryKind::Silu:
    return x / (1 + std::exp(-x));
  case UnaryKind::Gelu:
    return x * std::erfc(-x / std::sqrt(2.0)) / 2;
  default: // x (1 + tanh(u)) / 2
    return x /
           (1 + std::exp(-std::sqrt(8 / M_PI) * (x + 0.044715 * x * x * x)));
  }
}

/// x where an ascending stretch of the function has the value.
static double solve(UnaryKind kind, double value, double low, double high) {
  for (int i = 0; i < 60; ++i) {
    double middle = (low + high) / 2;
    (exact(kind, middle) < value ? low : high) = middle;
  }
  return low;
}

/// Evenly over the values that the byte has, and over x.
static std::vector<double> samples(UnaryKind kind, const ByteRange &range) {
  std::vector<double> xs;
  double turn = kind == UnaryKind::Sigmoid ? -100
                : kind == UnaryKind::Silu  ? -1.2784645
                : kind == UnaryKind::Gelu  ? -0.7517915
                                           : -0.7524614;
  constexpr int values = 500;
  for (int i = 0; i <= values; ++i) {
    double value = range.scale * (double(range.low) +
                                  double(range.high - range.low) * i / values);
    if (value >= exact(kind, turn))
      xs.push_back(solve(kind, value, turn, 100 + 2 * std::abs(value)));
  }
  for (double x = -25; x <= 25; x += 1 / 64.0)
    xs.push_back(x);
  for (double x = 1e-12; x < 1e4; x *= 1.1)
    xs.insert(xs.end(), {x, -x});
  return xs;
}

static double worstError(UnaryKind kind, const ByteRange &range,
                         const PiecewiseFunction &f) {
  auto clamp = [&](double y) {
    return std::clamp(y, double(range.low) - 0.5, double(range.high) + 0.5);
  };
  double worst = 0;
  for (double x : samples(kind, range)) {
    double y = f.evaluate(float(x));
    if (!std::isfinite(y))
      return HUGE_VAL;
    worst = std::max(
        worst, std::abs(clamp(exact(kind, float(x)) / range.scale) - clamp(y)));
  }
  return worst;
}

/// Over the range of a byte with the zero point, or 0 where there is no f.
static double worstError(UnaryKind kind, double scale, int64_t zeroPoint) {
  ByteRange range{float(scale), -zeroPoint, 255 - zeroPoint};
  std::optional<PiecewiseFunction> f = PiecewiseFunction::get(kind, range);
  return f ? worstError(kind, range, *f) : 0;
}

static const UnaryKind kinds[] = {UnaryKind::Sigmoid, UnaryKind::Silu,
                                  UnaryKind::Gelu, UnaryKind::GeluTanh};

TEST(ConversionPiecewiseFunction, IsWithinTheBoundAtAllScales) {
  for (UnaryKind kind : kinds)
    for (int64_t zeroPoint : {0, 1, 128, 255})
      for (double scale = 1e-8; scale < 10; scale *= 1.7)
        EXPECT_LE(worstError(kind, scale, zeroPoint),
                  PiecewiseFunction::mostError)
            << stringifyUnaryKind(kind).str() << " " << scale << " "
            << zeroPoint;
}

/// The byte saturates but for a sliver of one piece, or the error peaks between
/// coarse samples.
TEST(ConversionPiecewiseFunction, IsWithinTheBoundInSlivers) {
  for (int64_t zeroPoint : {0, 1})
    for (double scale : {9.25e-5, 1e-6, 1e-7})
      EXPECT_LE(worstError(UnaryKind::Silu, scale, zeroPoint),
                PiecewiseFunction::mostError);
  for (double scale : {4e-5, 4.5e-5, 5.3e-5})
    EXPECT_LE(worstError(UnaryKind::Silu, scale, 128),
              PiecewiseFunction::mostError);
  EXPECT_LE(worstError(UnaryKind::GeluTanh, 8.8e-6, 0),
            PiecewiseFunction::mostError);
  for (double scale = 0.013; scale < 0.0143; scale += 5e-5)
    EXPECT_LE(worstError(UnaryKind::Sigmoid, scale, 0),
              PiecewiseFunction::mostError);
}

TEST(ConversionPiecewiseFunction, ExistsAtTheUsualScales) {
  for (UnaryKind kind : kinds)
    for (double scale : {0.004, 0.02, 0.04})
      for (int64_t zeroPoint : {0, 14})
        EXPECT_TRUE(PiecewiseFunction::get(
            kind, {float(scale), -zeroPoint, 255 - zeroPoint}))
            << stringifyUnaryKind(kind).str() << " " << scale << " "
            << zeroPoint;
}

TEST(ConversionPiecewiseFunction, TakesWhatIsNotFinite) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (UnaryKind kind : kinds) {
    std::optional<PiecewiseFunction> f =
        PiecewiseFunction::get(kind, {0.02f, -14, 241});
    ASSERT_TRUE(f);
    EXPECT_NEAR(f->evaluate(-infinity), 0, 0.028);
    EXPECT_EQ(f->evaluate(std::numeric_limits<float>::quiet_NaN()),
              f->evaluate(-infinity));
    EXPECT_GT(f->evaluate(infinity), kind == UnaryKind::Sigmoid ? 49.9 : 241.4);
  }
}
