//===- LayerRowsTest.cpp - Layers as products of rows ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/InputStatistics.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include "../UnitTest.h"

using namespace qcc;
using namespace qcc::test;

// Two groups of one channel, stride 2, dilation 2, padding that differs.
static const char program[] = R"(
  func.func @main(%x: tensor<1x2x4x5xf32>, %y: tensor<2x3xf32>)
      -> (tensor<1x2x2x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
    %w = qnn.constant dense<[[[[1.0, 2.0]]], [[[3.0, 4.0]]]]> : tensor<2x1x1x2xf32> as tensor<2x1x1x2xf32>
    %0 = qnn.conv %x, %w {strides = array<i64: 2, 1>, dilations = array<i64: 1, 2>, pads = array<i64: 0, 1, 0, 0>, group = 2 : i64} : (tensor<1x2x4x5xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x4xf32>
    %a = qnn.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32> as tensor<3x2xf32>
    %1 = qnn.matmul %y, %a : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
    %b = qnn.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> as tensor<2x3xf32>
    %2 = qnn.matmul %y, %b {transpose_rhs} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2xf32>
    return %0, %1, %2 : tensor<1x2x2x4xf32>, tensor<2x2xf32>, tensor<2x2xf32>
  })";

namespace {
struct LayerRowsTest : ::testing::Test {
  LayerRowsTest() {
    context.loadDialect<mlir::func::FuncDialect, qnn::QNNDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(program, &context);
  }
  mlir::func::FuncOp main() {
    return module->lookupSymbol<mlir::func::FuncOp>("main");
  }
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};
} // namespace

static std::vector<float> countUp(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = float(i);
  return values;
}

TEST_F(LayerRowsTest, ConvolutionRows) {
  InputStatistics statistics(main(), 1, {});
  ASSERT_EQ(statistics.layers().size(), 3u);
  const LayerRows &conv = *statistics.layers()[0].rows;
  EXPECT_EQ(conv.groups(), 2);
  EXPECT_EQ(conv.depth(), 2);
  EXPECT_EQ(conv.positions(), 8);
  std::vector<float> x = countUp(40), row(2);
  // Row 1 of the result reads row 2 of the input; its first column padding.
  conv.gather(x, 4, 1, row);
  EXPECT_EQ(row, (std::vector<float>{0, 31}));
  conv.gather(x, 7, 1, row);
  EXPECT_EQ(row, (std::vector<float>{32, 34}));
  // The mean row is the mean of all rows.
  std::vector<double> sums(4, 0);
  for (int64_t group = 0; group < 2; ++group)
    for (int64_t position = 0; position < 8; ++position) {
      conv.gather(x, position, group, row);
      for (size_t i = 0; i < 2; ++i)
        sums[size_t(group) * 2 + i] += row[i] / 8;
    }
  std::vector<double> means = conv.means(x);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(means[i], sums[i], 1e-9);
}

TEST_F(LayerRowsTest, ProductColumns) {
  InputStatistics statistics(main(), 1, {});
  for (size_t i : {1, 2}) {
    const InputStatistics::Layer &layer = statistics.layers()[i];
    EXPECT_EQ(layer.rows->positions(), 2);
    std::vector<float> expected = i == 1 ? std::vector<float>{1, 3, 5, 2, 4, 6}
                                         : std::vector<float>{1, 2, 3, 4, 5, 6};
    EXPECT_EQ(readColumns(layer.op, *layer.rows), expected);
    EXPECT_EQ(layer.rows->means(countUp(6)),
              (std::vector<double>{1.5, 2.5, 3.5}));
  }
}

TEST_F(LayerRowsTest, StatisticsOfTwoSamples) {
  InputStatisticsOptions options;
  options.moments = options.means = true;
  InputStatistics statistics(main(), 2, options);
  HostTensor x = tensor("", DType::F32, {1, 2, 4, 5}, countUp(40));
  HostTensor y =
      tensor("", DType::F32, {2, 3}, std::vector<float>{100, 0, 1, 102, 2, 1});
  statistics.add({&x, &y, &y});
  y = tensor("", DType::F32, {2, 3}, std::vector<float>{104, 0, 1, 106, 2, 1});
  statistics.add({&x, &y, &y});
  const InputStatistics::Layer &layer = statistics.layers()[1];
  ASSERT_TRUE(layer.hasMoments);
  // Columns 100 102 104 106, 0 2 0 2 and 1.
  Moments centered = InputStatistics::moments(layer, 0, true);
  EXPECT_NEAR(centered.at(0, 0), 5, 1e-4);
  EXPECT_NEAR(centered.at(0, 1), 1, 1e-4);
  EXPECT_NEAR(centered.at(1, 1), 1, 1e-4);
  EXPECT_NEAR(centered.at(2, 2), 0, 1e-6);
  Moments plain = InputStatistics::moments(layer, 0, false);
  EXPECT_NEAR(plain.at(0, 0), 103 * 103 + 5, 1e-1);
  EXPECT_NEAR(plain.at(2, 0), 103, 1e-3);
  // Results of the first sample: (101, 1, 1) by the columns of the weight.
  EXPECT_EQ(layer.sampleMeans[0], (std::vector<float>{109, 212}));
  ASSERT_EQ(layer.meanRows.size(), 3u);
  EXPECT_EQ(layer.meanRows[0], 206);
}
