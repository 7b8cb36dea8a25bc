//===- OutputErrorTest.cpp - Distances between outputs --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/OutputError.h"

#include "../UnitTest.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/APFloat.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::test;

static HostTensor scores(std::vector<float> values, int64_t classes) {
  auto count = int64_t(values.size());
  return tensor("y", DType::F32, {count / classes, classes}, values);
}

/// Of all outputs, the first with scores.
static OutputError compare(ArrayRef<HostTensor> reference,
                           ArrayRef<HostTensor> outputs, unsigned classes = 1) {
  ComparedOutputs compared;
  for (unsigned i = 0; i < reference.size(); ++i)
    compared.signals.push_back(i);
  compared.scores = 0;
  return compareOutputs(compared, reference, outputs, classes);
}

/// The same numbers, which it holds, as another type.
static HostTensor convert(const HostTensor &from, DType dtype) {
  HostTensor to = from;
  to.dtype = dtype;
  to.data.clear();
  for (float x : from.as<float>()) {
    llvm::APFloat value(x);
    bool inexact;
    value.convert(dtype == DType::F16    ? llvm::APFloat::IEEEhalf()
                  : dtype == DType::BF16 ? llvm::APFloat::BFloat()
                                         : llvm::APFloat::IEEEdouble(),
                  llvm::APFloat::rmNearestTiesToEven, &inexact);
    EXPECT_FALSE(inexact);
    uint64_t bits = value.bitcastToAPInt().getZExtValue();
    auto *bytes = reinterpret_cast<const char *>(&bits);
    to.data.insert(to.data.end(), bytes, bytes + byteSize(dtype));
  }
  return to;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(OutputError, EqualOutputsHaveNone) {
  std::vector<HostTensor> y = {scores({1, 2, 3, -4}, 2)};
  OutputError error = compare(y, y);
  EXPECT_EQ(error.noise, 0);
  EXPECT_EQ(error.angle, 0);
  EXPECT_EQ(error.divergence, 0);
  EXPECT_EQ(error.disagreement, 0);
  EXPECT_EQ(toDecibels(0), 200);
}

TEST(OutputError, NoiseAveragesOverOutputs) {
  std::vector<HostTensor> x = {scores({3, 4}, 2), scores({1, 0}, 2)};
  std::vector<HostTensor> y = {scores({3, 5}, 2), scores({1, 0}, 2)};
  EXPECT_NEAR(compare(x, y).noise, 1.0 / 25 / 2, 1e-9);
  double cosine = 29 / std::sqrt(25.0 * 34);
  EXPECT_NEAR(compare(x, y).angle, (1 - cosine) / 2, 1e-9);
  EXPECT_NEAR(toDecibels(0.01), 20, 1e-9);
}

TEST(OutputError, ProbabilitiesAreTakenAsTheyAre) {
  std::vector<HostTensor> p = {scores({0.5, 0.5, 0.25, 0.75}, 2)};
  std::vector<HostTensor> q = {scores({0.25, 0.75, 0.25, 0.75}, 2)};
  double expected = 0.5 * std::log(2) + 0.5 * std::log(0.5 / 0.75);
  EXPECT_NEAR(compare(p, q).divergence, expected / 2, 1e-6);
  // Scores: the softmax does not see what is added to all.
  std::vector<HostTensor> a = {scores({1, 2}, 2)}, b = {scores({11, 12}, 2)};
  EXPECT_NEAR(compare(a, b).divergence, 0, 1e-9);
}

/// Rounded to the nearest number of the type.
static HostTensor round(HostTensor from, DType dtype) {
  for (float &x : llvm::MutableArrayRef(
           reinterpret_cast<float *>(from.data.data()), from.data.size() / 4)) {
    llvm::APFloat value(x);
    bool inexact;
    value.convert(dtype == DType::F16 ? llvm::APFloat::IEEEhalf()
                                      : llvm::APFloat::BFloat(),
                  llvm::APFloat::rmNearestTiesToEven, &inexact);
    value.convert(llvm::APFloat::IEEEsingle(),
                  llvm::APFloat::rmNearestTiesToEven, &inexact);
    x = value.convertToFloat();
  }
  return convert(from, dtype);
}

TEST(OutputError, RoundedProbabilitiesStayProbabilities) {
  // In bf16 the sum of the first position is 0.998.
  HostTensor p = scores({0.6016, 0.1994, 0.199, 0.25, 0.25, 0.5}, 3);
  HostTensor q = scores({0.25, 0.5, 0.25, 0.125, 0.375, 0.5}, 3);
  double expected = compare({p}, {q}).divergence;
  EXPECT_GT(expected, 0.1);
  EXPECT_NEAR(
      compare({round(p, DType::BF16)}, {round(q, DType::BF16)}).divergence,
      expected, 1e-2);
  // Many in f16 that are near its least number.
  constexpr int64_t kMany = 1 << 16;
  std::vector<float> flat(kMany, float(0.9) / kMany), peak(kMany, 0);
  flat[7] += 0.1f;
  peak[7] = 1;
  double wanted = std::log(1 / float(0.1));
  EXPECT_NEAR(compare({round(scores(peak, kMany), DType::F16)},
                      {round(scores(flat, kMany), DType::F16)})
                  .divergence,
              wanted, 0.02);
  EXPECT_GT(compare({round(scores(flat, kMany), DType::F16)},
                    {round(scores(peak, kMany), DType::F16)})
                .divergence,
            10);
}

TEST(OutputError, TheReferenceSaysWhatIsAProbability) {
  // The sum of what was quantized is 1.01, and one value below 0: no softmax.
  HostTensor p = scores({0.5, 0.5, 0}, 3), q = scores({0.5, 0.52, -0.01}, 3);
  EXPECT_LT(compare({p}, {q}).divergence, 1e-3);
  // Scores that by chance sum to 1 at one position are none.
  HostTensor x = scores({0.25, 0.75, 3, 5}, 2),
             y = scores({0.25, 0.75, 3, 4}, 2);
  HostTensor shifted = scores({1.25, 1.75, 3, 4}, 2);
  EXPECT_NEAR(compare({x}, {y}).divergence, compare({x}, {shifted}).divergence,
              1e-9);
  // Nothing favours no class.
  EXPECT_NEAR(compare({scores({1, 0}, 2)}, {scores({0, 0}, 2)}).divergence,
              std::log(2), 1e-9);
}

TEST(OutputError, LargeAndSmallDoubles) {
  auto doubles = [](std::vector<double> values) {
    return tensor<double>("y", DType::F64, {1, int64_t(values.size())}, values);
  };
  double cosine = 29 / std::sqrt(25.0 * 34);
  for (double unit : {1e-320, 1e-200, 1e-100, 1.0, 1e90, 1e200, 2e307}) {
    OutputError error = compare({doubles({3 * unit, 4 * unit})},
                                {doubles({3 * unit, 5 * unit})});
    EXPECT_NEAR(error.noise, 1.0 / 25, 1e-3) << unit;
    EXPECT_NEAR(error.angle, 1 - cosine, 1e-3) << unit;
  }
  // Far apart.
  OutputError error = compare({doubles({1e-300, 0})}, {doubles({1e300, 0})});
  EXPECT_EQ(error.noise, kSpoiled);
  EXPECT_NEAR(error.angle, 0, 1e-12);
  EXPECT_EQ(compare({doubles({0, 0})}, {doubles({1e-200, 0})}).noise, 1);
  EXPECT_EQ(compare({doubles({1e200, 0})}, {doubles({1e-200, 0})}).noise, 1);
}

TEST(OutputError, DisagreementCountsPositions) {
  std::vector<HostTensor> x = {scores({1, 2, 5, 3}, 2)};
  std::vector<HostTensor> y = {scores({3, 2, 5, 3}, 2)};
  EXPECT_EQ(compare(x, y).disagreement, 0.5);
  EXPECT_EQ(compare(x, y, 2).disagreement, 0);
}

TEST(OutputError, LargestScores) {
  std::vector<HostTensor> x = {scores({1, 4, 4, 2}, 4)};
  EXPECT_TRUE(isAmongLargest(x[0], 1, 1));
  EXPECT_FALSE(isAmongLargest(x[0], 2, 1)); // of equal scores the first
  EXPECT_TRUE(isAmongLargest(x[0], 2, 2));
  EXPECT_FALSE(isAmongLargest(x[0], 0, 3));
  EXPECT_TRUE(isAmongLargest(x[0], 0, 4));
  EXPECT_FALSE(isAmongLargest(x[0], -1, 4));
  EXPECT_FALSE(isAmongLargest(x[0], 4, 9));
}

TEST(OutputError, AllFloatTypesCount) {
  HostTensor x = scores({3, 4, 1, 2}, 2), y = scores({3, 5, 2, 1}, 2);
  OutputError expected = compare({x}, {y});
  EXPECT_NEAR(expected.noise, 3.0 / 30, 1e-12);
  EXPECT_EQ(expected.disagreement, 0.5);
  for (DType dtype : {DType::F16, DType::BF16, DType::F64}) {
    OutputError error = compare({convert(x, dtype)}, {convert(y, dtype)});
    EXPECT_EQ(error.noise, expected.noise) << name(dtype);
    EXPECT_EQ(error.angle, expected.angle) << name(dtype);
    EXPECT_EQ(error.divergence, expected.divergence) << name(dtype);
    EXPECT_EQ(error.disagreement, expected.disagreement) << name(dtype);
    EXPECT_TRUE(isAmongLargest(convert(x, dtype), 1, 1));
    EXPECT_FALSE(isAmongLargest(convert(x, dtype), 0, 1));
  }
}

TEST(OutputError, OnlyComparedOutputsCount) {
  std::vector<HostTensor> x = {tensor<int64_t>("k", DType::I64, {2}, {1, 2}),
                               scores({1, 2}, 2), scores({3, 4}, 2)};
  std::vector<HostTensor> y = {tensor<int64_t>("k", DType::I64, {2}, {7, 8}),
                               scores({1, 2}, 2), scores({3, 5}, 2)};
  OutputError error = compareOutputs({{2}, 2}, x, y);
  EXPECT_NEAR(error.noise, 1.0 / 25, 1e-12);
  EXPECT_GT(error.divergence, 0);
  EXPECT_EQ(compareOutputs({{}, std::nullopt}, x, y).noise, 0);
}

TEST(OutputError, NonFiniteValuesMustBeTheSame) {
  HostTensor x = scores({3, 4, -kInfinity, kNaN}, 4);
  EXPECT_EQ(compare({x}, {x}).noise, 0);
  EXPECT_NEAR(compare({x}, {scores({3, 5, -kInfinity, kNaN}, 4)}).noise,
              1.0 / 25, 1e-12);
  EXPECT_EQ(compare({x}, {scores({3, 4, 0, kNaN}, 4)}).noise, kSpoiled);
  EXPECT_EQ(compare({x}, {scores({3, 4, kInfinity, kNaN}, 4)}).noise, kSpoiled);
  EXPECT_EQ(compare({scores({1, 2}, 2)}, {scores({1, kNaN}, 2)}).noise,
            kSpoiled);
  EXPECT_EQ(toDecibels(kSpoiled), -200);
}

TEST(OutputError, PositionsWithoutClassesAreLeftOut) {
  HostTensor x = scores({1, kNaN, 1, 2, -kInfinity, -kInfinity}, 2);
  HostTensor y = scores({5, 1, 2, 1, 0, 0}, 2);
  OutputError error = compare({x}, {y});
  // Of three positions the second and the third choose a class, and the second
  // alone has probabilities.
  EXPECT_EQ(error.disagreement, 0.5);
  double p = 1 / (1 + std::exp(-1.0));
  EXPECT_NEAR(error.divergence, (2 * p - 1), 1e-9);
  NonFiniteOutputs counts;
  countNonFinite({{0}, 0}, {x}, counts);
  EXPECT_EQ(counts.values, 6u);
  EXPECT_EQ(counts.nonFinite, 3u);
  EXPECT_EQ(counts.positions, 3u);
  EXPECT_EQ(counts.undecided, 1u);
  EXPECT_EQ(counts.undistributed, 2u);
  // Of NaN that comes with quantization nothing is right.
  error = compare({scores({1, 2}, 2)}, {scores({kNaN, 2}, 2)});
  EXPECT_EQ(error.disagreement, 1);
  EXPECT_NEAR(error.divergence, std::log(1e12), 1e-9);
  EXPECT_FALSE(isAmongLargest(scores({kNaN, 2}, 2), 0, 1));
  // What a mask leaves out has no probability.
  HostTensor masked = scores({1, 2, -kInfinity}, 3);
  EXPECT_NEAR(compare({masked}, {masked}).divergence, 0, 1e-12);
}

TEST(OutputError, WhatQuantizationCanChangeIsCompared) {
  MLIRContext context;
  context.loadDialect<func::FuncDialect, qnn::QNNDialect>();
  auto module = parseSourceString<ModuleOp>(R"(
    func.func @main(%x: tensor<1x2xf32> {qnn.name = "x"})
        -> (tensor<1x2xi64> {qnn.name = "k"}, tensor<1x2xf32> {qnn.name = "x2"},
            tensor<2x2xf32> {qnn.name = "c"}, tensor<1x0xf32> {qnn.name = "e"},
            tensor<1x2xf16> {qnn.name = "h"}, tensor<1x2xf32> {qnn.name = "n"},
            tensor<1x2xf32> {qnn.name = "y"}) {
      %w = qnn.constant dense<1.0> : tensor<2x2xf32> as tensor<2x2xf32>
      %y = qnn.matmul %x, %w
          : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
      %k = qnn.cast %y : (tensor<1x2xf32>) -> tensor<1x2xi64>
      %h = qnn.cast %y : (tensor<1x2xf32>) -> tensor<1x2xf16>
      %n = qnn.unary neg %x : (tensor<1x2xf32>) -> tensor<1x2xf32>
      %e = qnn.slice %y {sizes = array<i64: 1, 0>, starts = array<i64: 0, 0>,
          steps = array<i64: 1, 1>} : (tensor<1x2xf32>) -> tensor<1x0xf32>
      return %k, %x, %w, %e, %h, %n, %y
          : tensor<1x2xi64>, tensor<1x2xf32>, tensor<2x2xf32>, tensor<1x0xf32>,
            tensor<1x2xf16>, tensor<1x2xf32>, tensor<1x2xf32>
    })",
                                            &context);
  ASSERT_TRUE(bool(module));
  auto main = module->lookupSymbol<func::FuncOp>("main");
  ComparedOutputs compared = ComparedOutputs::get(main);
  EXPECT_EQ(compared.signals, (SmallVector<unsigned>{4, 6}));
  EXPECT_EQ(compared.scores, 4u);
  EXPECT_EQ(describeOutputs(main),
            "'k' is i64, 'x2' is f32 that no quantized layer computes, "
            "'c' is f32 that no quantized layer computes, 'e' is f32 without "
            "elements, 'h' is f16 1x2, 'n' is f32 that no quantized layer "
            "computes, 'y' is f32 1x2");
}
