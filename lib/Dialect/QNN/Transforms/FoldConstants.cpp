//===- FoldConstants.cpp - Values that depend on constants only -----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"
#include "qcc/Dialect/QNN/IR/Evaluate.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Larger tensors are not evaluated in the compiler.
static constexpr int64_t kMaxElements = int64_t(1) << 30;
/// A result may be this much larger than the operands, and always this large:
/// an expanded constant would only bloat the artefact.
static constexpr int64_t kMaxGrowth = 4, kMaxFreeBytes = 1 << 16;

static int64_t sizeInBytes(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return kMaxElements;
  Type storage = getStorageType(type.getElementType());
  int64_t width = std::max(storage.getIntOrFloatBitWidth() / 8, 1u);
  return type.getNumElements() * width;
}

/// Whether `op` could be replaced by its value if its operands were known.
static bool isFoldable(Operation *op, bool keepDequantize) {
  if (!isa_and_nonnull<QNNDialect>(op->getDialect()) || isa<ConstantOp>(op) ||
      op->getNumRegions() != 0 || !isPure(op))
    return false;
  // What has been quantized stays so for the ops that can use it.
  if (keepDequantize && isa<DequantizeOp>(op) &&
      llvm::any_of(op->getUsers(), [](Operation *user) {
        auto quantizable = dyn_cast<QuantizableOpInterface>(user);
        return quantizable && quantizable.isQuantizable();
      }))
    return false;
  int64_t operands = 0, results = 0;
  for (Value v : op->getOperands())
    operands += sizeInBytes(v);
  for (Value v : op->getResults()) {
    results += sizeInBytes(v);
    auto type = dyn_cast<RankedTensorType>(v.getType());
    if (!type || !type.hasStaticShape() || type.getNumElements() == 0 ||
        type.getNumElements() > kMaxElements ||
        byteSize(getDType(type.getElementType())) == 0)
      return false;
  }
  return results <= std::max(kMaxFreeBytes, kMaxGrowth * operands);
}

static void replaceByConstant(Value value, ElementsAttr elements) {
  OpBuilder builder(value.getDefiningOp());
  value.replaceAllUsesWith(
      ConstantOp::create(builder, value.getLoc(), value.getType(), elements));
}

/// Folds each op that the dialect's own evaluator can compute.
static void evaluateInPlace(FunctionOpInterface function, bool keepDequantize) {
  function.walk([&](Operation *op) {
    if (op->getNumResults() != 1 || !isFoldable(op, keepDequantize))
      return;
    SmallVector<Attribute> operands;
    for (Value v : op->getOperands()) {
      auto constant = v.getDefiningOp<ConstantOp>();
      operands.push_back(constant ? constant.getValue() : Attribute());
    }
    if (llvm::is_contained(operands, Attribute()))
      return;
    if (auto reshape = dyn_cast<ReshapeOp>(op)) {
      auto elements = reshapeElements(cast<ElementsAttr>(operands[0]),
                                      shapeOf(reshape.getResult()));
      if (elements)
        replaceByConstant(reshape.getResult(), elements);
      return;
    }
    if (ElementsAttr value = evaluate(op, operands, kMaxElements))
      replaceByConstant(op->getResult(0), value);
  });
}

namespace {
struct FoldConstants : qcc::qnn::impl::FoldConstantsBase<FoldConstants> {
  using Base::Base;
  FoldConstants(ModelRunnerFactory factory, const FoldConstantsOptions &options)
      : Base(options), factory(std::move(factory)) {}

  void runOnOperation() override {
    getOperation()->walk([&](FunctionOpInterface function) {
      evaluateInPlace(function, keepDequantize);
      if (factory)
        runSubgraphs(function);
      eraseUnused(function);
    });
  }

private:
  /// Runs all that still depends on constants only as one module.
  void runSubgraphs(FunctionOpInterface function) {
    llvm::SetVector<Operation *> known;
    SmallVector<Value> wanted;
    function.walk([&](Operation *op) {
      if (isFoldable(op, keepDequantize) && op->getNumOperands() != 0 &&
          llvm::all_of(op->getOperands(), [&](Value v) {
            Operation *def = v.getDefiningOp();
            return def && (isa<ConstantOp>(def) || known.contains(def));
          }))
        known.insert(op);
    });
    for (Operation *op : known)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !known.contains(user);
            }))
          wanted.push_back(result);
    if (wanted.empty())
      return;

    OwningOpRef<ModuleOp> module = buildModule(known.getArrayRef(), wanted);
    auto outputs = run(*module);
    // What cannot be run here is left to the machine; a real error in it will
    // be reported when the model itself is compiled.
    if (!outputs) {
      llvm::consumeError(outputs.takeError());
      return;
    }
    for (auto [value, tensor] : llvm::zip(wanted, *outputs)) {
      RankedTensorType type = tensorTypeOf(value);
      if (tensor.dtype != getDType(type.getElementType()) ||
          int64_t(tensor.data.size()) != sizeInBytes(value))
        continue;
      replaceByConstant(value, makeElementsAttr(type, tensor.data, "folded"));
    }
  }

  /// @main with the value of `ops` as constants and results.
  static OwningOpRef<ModuleOp> buildModule(ArrayRef<Operation *> ops,
                                           ArrayRef<Value> results) {
    Location loc = results.front().getLoc();
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
    auto main = func::FuncOp::create(
        builder, loc, "main",
        builder.getFunctionType({}, ValueRange(results).getTypes()));
    builder.setInsertionPointToStart(main.addEntryBlock());
    IRMapping mapping;
    for (Operation *op : ops) {
      for (Value v : op->getOperands())
        if (!mapping.contains(v))
          builder.clone(*v.getDefiningOp(), mapping);
      builder.clone(*op, mapping);
    }
    SmallVector<Value> returned = llvm::map_to_vector(
        results, [&](Value v) { return mapping.lookup(v); });
    func::ReturnOp::create(builder, loc, returned);
    return module;
  }

  llvm::Expected<std::vector<HostTensor>> run(ModuleOp module) {
    auto runner = factory(module);
    if (!runner)
      return runner.takeError();
    return (*runner)->run({});
  }

  static void eraseUnused(FunctionOpInterface function) {
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : llvm::reverse(ops))
      if (op != function && isOpTriviallyDead(op))
        op->erase();
  }

  ModelRunnerFactory factory;
};
} // namespace

std::unique_ptr<Pass> qcc::qnn::createFoldConstants(ModelRunnerFactory factory,
                                                    bool keepDequantize) {
  return std::make_unique<FoldConstants>(std::move(factory),
                                         FoldConstantsOptions{keepDequantize});
}
