//===- FoldConstantsTest.cpp - Folding by running a part of the model -----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

// softmax(c) and its relu depend on constants only; the sum does not. The
// observed value must not be folded away.
static const char program[] = R"(
  func.func @main(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
    %c = qnn.constant dense<[1.0, 2.0]> : tensor<2xf32> as tensor<2xf32>
    %0 = qnn.softmax %c {axis = 0 : i64} : (tensor<2xf32>) -> tensor<2xf32>
    %1 = qnn.unary relu %0 : (tensor<2xf32>) -> tensor<2xf32>
    %2 = qnn.binary add %x, %1
        : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %3 = qnn.observe %1 as "r" : tensor<2xf32> -> tensor<2xf32>
    return %2, %3 : tensor<2xf32>, tensor<2xf32>
  })";

namespace {
/// Gives the same numbers whatever it runs.
struct CannedRunner : ModelRunner {
  llvm::Expected<std::vector<HostTensor>>
  run(llvm::ArrayRef<HostTensor> inputs) override {
    EXPECT_TRUE(inputs.empty());
    HostTensor result;
    result.dtype = dtype;
    result.shape = {2};
    const float values[] = {7, 8};
    auto *bytes = reinterpret_cast<const char *>(values);
    result.data.assign(bytes, bytes + sizeof(values));
    return std::vector<HostTensor>{result};
  }
  DType dtype = DType::F32;
};

class DialectFoldConstants : public ::testing::Test {
protected:
  DialectFoldConstants() {
    context.loadDialect<func::FuncDialect, QNNDialect>();
    module = parseSourceString<ModuleOp>(program, &context);
  }
  LogicalResult fold(ModelRunnerFactory factory) {
    PassManager passes(&context);
    passes.addPass(createFoldConstants(std::move(factory)));
    return passes.run(*module);
  }
  /// What `add` and `observe` take now.
  template <typename OpTy> OpTy find() {
    OpTy found;
    module->walk([&](OpTy op) { found = op; });
    return found;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};
} // namespace

TEST_F(DialectFoldConstants, RunsTheConstantPart) {
  int runs = 0;
  ASSERT_TRUE(succeeded(
      fold([&](ModuleOp part) -> llvm::Expected<std::unique_ptr<ModelRunner>> {
        ++runs;
        EXPECT_TRUE(succeeded(part.verify()));
        auto main = part.lookupSymbol<func::FuncOp>("main");
        EXPECT_EQ(main.getNumArguments(), 0u);
        // Only what is wanted outside, once.
        EXPECT_EQ(main.getNumResults(), 1u);
        return std::make_unique<CannedRunner>();
      })));
  EXPECT_EQ(runs, 1);
  auto values = getConstantFloats(find<BinaryOp>().getRhs());
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, (llvm::SmallVector<double>{7, 8}));
  EXPECT_TRUE(getConstantFloats(find<ObserveOp>().getInput()));
  EXPECT_FALSE(find<SoftmaxOp>());
}

TEST_F(DialectFoldConstants, LeavesWhatCannotRun) {
  ASSERT_TRUE(succeeded(
      fold([](ModuleOp) -> llvm::Expected<std::unique_ptr<ModelRunner>> {
        return llvm::createStringError("no machine");
      })));
  EXPECT_TRUE(find<SoftmaxOp>());
}

TEST_F(DialectFoldConstants, LeavesWhatHasAnotherType) {
  ASSERT_TRUE(succeeded(
      fold([](ModuleOp) -> llvm::Expected<std::unique_ptr<ModelRunner>> {
        auto runner = std::make_unique<CannedRunner>();
        runner->dtype = DType::I32;
        return runner;
      })));
  EXPECT_TRUE(find<SoftmaxOp>());
}
