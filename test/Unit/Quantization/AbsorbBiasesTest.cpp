//===- AbsorbBiasesTest.cpp - Offsets move to the next layer --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Quantization/ChannelStatistics.h"

#include "mlir/Parser/Parser.h"

#include "../UnitTest.h"

using namespace qcc;
using namespace qcc::test;

static const char program[] = R"(
  func.func @main(%x: tensor<1x1xf32>, %i: tensor<1x1x2xf32>)
      -> (tensor<1x1xf32>, tensor<1x1x2xf32>) {
    %w1 = qnn.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32> as tensor<1x2xf32>
    %b1 = qnn.constant dense<[10.0, 1.0]> : tensor<2xf32> as tensor<2xf32>
    %w2 = qnn.constant dense<[[3.0], [5.0]]> : tensor<2x1xf32> as tensor<2x1xf32>
    %0 = qnn.matmul %x, %w1, %b1 {activation = #qnn.act<relu, 0.0, 0.0>} : (tensor<1x1xf32>, tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
    %1 = qnn.matmul %0, %w2 : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
    %f = qnn.constant dense<1.0> : tensor<1x1x1xf32> as tensor<1x1x1xf32>
    %c = qnn.constant dense<9.0> : tensor<1xf32> as tensor<1xf32>
    %2 = qnn.conv %i, %f, %c {activation = #qnn.act<relu, 0.0, 0.0>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>, tensor<1xf32>) -> tensor<1x1x2xf32>
    %g = qnn.constant dense<1.0> : tensor<1x1x3xf32> as tensor<1x1x3xf32>
    %3 = qnn.conv %2, %g {strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 1, 1>, group = 1 : i64} : (tensor<1x1x2xf32>, tensor<1x1x3xf32>) -> tensor<1x1x2xf32>
    return %1, %3 : tensor<1x1xf32>, tensor<1x1x2xf32>
  })";

static std::vector<double> biasOf(mlir::Operation *op) {
  auto index = mlir::cast<qnn::QuantizableOpInterface>(op).getBiasOperand();
  if (!index)
    return {};
  auto values = qnn::getConstantFloats(op->getOperand(*index));
  return {values->begin(), values->end()};
}

TEST(AbsorbBiases, MovesWhatIsBelowTheChannel) {
  mlir::MLIRContext context;
  context.loadDialect<mlir::func::FuncDialect, qnn::QNNDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(program, &context);
  auto main = module->lookupSymbol<mlir::func::FuncOp>("main");
  std::vector<mlir::Operation *> layers;
  StatisticsByValue statistics;
  main.walk([&](mlir::Operation *op) {
    if (WeightRows::get(op))
      layers.push_back(op);
  });
  ASSERT_EQ(layers.size(), 4u);
  // Channel 0 lies at 10 +- 1: 7 of it moves. Channel 1 reaches down to 0.
  statistics[layers[0]->getResult(0)] = {{13, 6}, {10, 2}, {1, 1}};
  statistics[layers[2]->getResult(0)] = {{10}, {9}, {1}};
  EXPECT_EQ(absorbBiases(main, statistics), 1u);
  EXPECT_EQ(biasOf(layers[0]), (std::vector<double>{3, 1}));
  EXPECT_EQ(biasOf(layers[1]), (std::vector<double>{21}));
  // Padding has no offset.
  EXPECT_EQ(biasOf(layers[2]), (std::vector<double>{9}));
  EXPECT_TRUE(biasOf(layers[3]).empty());
}

// A product over another dimension than the convolution's channels.
static const char *const crossed = R"(
  func.func @main(%i: tensor<1x1x2xf32>) -> tensor<1x2x1xf32> {
    %f = qnn.constant dense<1.0> : tensor<2x1x1xf32> as tensor<2x1x1xf32>
    %c = qnn.constant dense<9.0> : tensor<2xf32> as tensor<2xf32>
    %0 = qnn.conv %i, %f, %c {activation = #qnn.act<relu, 0.0, 0.0>, strides = array<i64: 1>, dilations = array<i64: 1>, pads = array<i64: 0, 0>, group = 1 : i64} : (tensor<1x1x2xf32>, tensor<2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
    %w = qnn.constant dense<1.0> : tensor<2x1xf32> as tensor<2x1xf32>
    %1 = qnn.matmul %0, %w : (tensor<1x2x2xf32>, tensor<2x1xf32>) -> tensor<1x2x1xf32>
    return %1 : tensor<1x2x1xf32>
  })";

TEST(AbsorbBiases, LeavesOtherDimensionsAlone) {
  mlir::MLIRContext context;
  context.loadDialect<mlir::func::FuncDialect, qnn::QNNDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(crossed, &context);
  auto main = module->lookupSymbol<mlir::func::FuncOp>("main");
  StatisticsByValue statistics;
  main.walk([&](qnn::ConvOp conv) {
    statistics[conv.getResult()] = {{13, 13}, {10, 10}, {1, 1}};
  });
  EXPECT_EQ(absorbBiases(main, statistics), 0u);
}
