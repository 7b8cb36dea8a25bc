//===- CalibrateTest.cpp - Calibration runs -------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include "../UnitTest.h"

#include <cmath>

using namespace qcc;
using namespace qcc::test;

static const char program[] = R"(
  func.func @main(%x: tensor<2xf32> {qnn.name = "x"})
      -> (tensor<2xf32> {qnn.name = "y"}) {
    %0 = qnn.observe %x as "x" : tensor<2xf32> -> tensor<2xf32>
    %1 = qnn.unary relu %0 : (tensor<2xf32>) -> tensor<2xf32>
    %2 = qnn.observe %1 as "relu" : tensor<2xf32> -> tensor<2xf32>
    %p = qnn.reshape %2 : (tensor<2xf32>) -> tensor<1x2xf32>
    %q = qnn.observe %p as "relu" : tensor<1x2xf32> -> tensor<1x2xf32>
    %3 = qnn.unary sigmoid %2 : (tensor<2xf32>) -> tensor<2xf32>
    %4 = qnn.observe %3 as "sigmoid" : tensor<2xf32> -> tensor<2xf32>
    %c = qnn.constant dense<[-7.0, 7.0]> : tensor<2xf32> as tensor<2xf32>
    %5 = qnn.observe %c as "c" : tensor<2xf32> -> tensor<2xf32>
    %6 = qnn.binary add %4, %5
        : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    return %6 : tensor<2xf32>
  })";

namespace {
/// Runs the program above after the observers have become results.
class Evaluator : public ModelRunner {
public:
  explicit Evaluator(size_t results) : results(results) {}
  llvm::Expected<std::vector<HostTensor>>
  run(llvm::ArrayRef<HostTensor> inputs) override {
    std::vector<float> x = values<float>(inputs[0]), relu, sigmoid, y;
    for (float value : x) {
      relu.push_back(value > 0 ? value : value == value ? 0 : value);
      sigmoid.push_back(1 / (1 + std::exp(-relu.back())));
      y.push_back(sigmoid.back() + 7);
    }
    std::vector<HostTensor> outputs;
    for (const std::vector<float> &v : {y, relu, sigmoid})
      outputs.push_back(tensor("", DType::F32, {2}, v));
    if (results != outputs.size())
      return makeError("results");
    return outputs;
  }

private:
  size_t results;
};

class Samples : public Dataset {
public:
  explicit Samples(std::vector<std::vector<float>> samples)
      : samples(std::move(samples)) {}
  size_t size() const override { return samples.size(); }
  llvm::Expected<std::vector<HostTensor>> next() override {
    return std::vector<HostTensor>{
        tensor("x", DType::F32, {2}, samples[position++])};
  }

private:
  std::vector<std::vector<float>> samples;
  size_t position = 0;
};

struct CalibrationRun : ::testing::Test {
  CalibrationRun() {
    context.loadDialect<mlir::func::FuncDialect, qnn::QNNDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(program, &context);
  }
  llvm::Expected<CalibrationTable>
  calibrate(std::vector<std::vector<float>> samples) {
    Samples dataset(std::move(samples));
    RangeOptions options;
    options.method = RangeMethod::MinMax;
    return qcc::calibrate(
        *module, dataset,
        [](mlir::ModuleOp observed)
            -> llvm::Expected<std::unique_ptr<ModelRunner>> {
          EXPECT_TRUE(mlir::succeeded(observed.verify()));
          bool observers = false;
          observed.walk([&](qnn::ObserveOp) { observers = true; });
          EXPECT_FALSE(observers);
          auto main = observed.lookupSymbol<mlir::func::FuncOp>("main");
          return std::make_unique<Evaluator>(main.getNumResults());
        },
        options);
  }
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};
} // namespace

TEST_F(CalibrationRun, MeasuresEveryObserver) {
  auto table = calibrate({{-1, 2}, {3, -4}});
  ASSERT_TRUE(bool(table)) << llvm::toString(table.takeError());
  ASSERT_EQ(table->entries().size(), 4u);
  EXPECT_EQ(table->samples, 2u);
  EXPECT_EQ(table->find("x")->min, -4);
  EXPECT_EQ(table->find("x")->max, 3);
  EXPECT_EQ(table->find("relu")->min, 0);
  // The reshaped values are the same ones.
  EXPECT_EQ(table->find("relu")->count, 4u);
  EXPECT_EQ(table->find("relu")->zeros, 0.5);
  // Known without data.
  EXPECT_EQ(table->find("sigmoid")->min, 0);
  EXPECT_EQ(table->find("sigmoid")->max, 1);
  EXPECT_EQ(table->find("sigmoid")->method, "fixed");
  EXPECT_EQ(table->find("c")->min, -7);
  EXPECT_EQ(table->find("c")->max, 7);
}

TEST_F(CalibrationRun, NaNNamesTensorAndSample) {
  auto table = calibrate({{-1, 2}, {3, NAN}});
  ASSERT_FALSE(bool(table));
  std::string error = llvm::toString(table.takeError());
  EXPECT_NE(error.find("tensor 'x' holds NaN or infinite values for sample 1"),
            std::string::npos)
      << error;
}

TEST_F(CalibrationRun, InputSpecs) {
  auto inputs = getInputSpecs(*module);
  ASSERT_TRUE(bool(inputs)) << llvm::toString(inputs.takeError());
  ASSERT_EQ(inputs->size(), 1u);
  EXPECT_EQ((*inputs)[0].name, "x");
  EXPECT_EQ((*inputs)[0].dtype, DType::F32);
  EXPECT_EQ((*inputs)[0].shape, std::vector<int64_t>{2});
}
