//===- InsertObservers.cpp - Observe what will be quantized ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/Passes.h"
#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

namespace qcc {
#define GEN_PASS_DEF_INSERTOBSERVERS
#include "qcc/Calibration/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Observes `value` for ops in 16 bits. Others that read it then read the same,
/// so that an op stores one form of its result.
static void observeWords(Value value, StringRef id,
                         const QuantizationSites::OpSet &wordOps) {
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  auto observe = ObserveOp::create(builder, value.getLoc(), value.getType(),
                                   value, id, /*words=*/true);
  bool isStored = value.getDefiningOp() && !value.getDefiningOp<ObserveOp>();
  value.replaceUsesWithIf(observe.getResult(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (user == observe || user->hasTrait<OpTrait::IsTerminator>())
      return false;
    return isStored || (wordOps.contains(user) && use.getOperandNumber() == 0);
  });
}

static LogicalResult insertInFunction(func::FuncOp function,
                                      const OtherPrecisions &others,
                                      llvm::StringMap<unsigned> &usedIds,
                                      llvm::StringSet<> &unknown) {
  QuantizationSites sites(function, usedIds);
  llvm::StringSet<> notInt8 = others.keepFloat;
  for (const auto &entry : others.int16)
    notInt8.insert(entry.getKey());
  QuantizationSites::OpSet selected = sites.select(notInt8), wordOps;
  auto *context = function.getContext();
  auto mark = [&](StringRef name, Operation *op) -> LogicalResult {
    if (!notInt8.contains(name))
      return success();
    unknown.erase(name);
    if (!others.int16.contains(name)) {
      op->setAttr(kKeepFloatAttr, UnitAttr::get(context));
      return success();
    }
    wordOps.insert(op);
    if (takesWords(op))
      return success();
    return op->emitError("layer '")
           << name
           << "' has no form in 16 bits (only convolutions without groups and "
              "products with a constant matrix have one); make it float or "
              "int8";
  };
  for (const QuantizationSites::Layer &layer : sites.layers())
    if (failed(mark(layer.name, layer.op)))
      return failure();
  for (QuantizationSites::RecurrentLayer layer : sites.recurrentLayers())
    if (failed(mark(layer.name, layer.op)))
      return failure();
  OpBuilder builder(context);
  for (auto [value, id] : sites.ids()) {
    auto observeForWords = [&, id = StringRef(id)](Value from) {
      if (llvm::any_of(from.getUses(), [&](OpOperand &use) {
            return wordOps.contains(use.getOwner()) &&
                   use.getOperandNumber() == 0;
          }))
        observeWords(from, id, wordOps);
    };
    if (!QuantizationSites::isUsedBy(value, selected)) {
      observeForWords(value);
      continue;
    }
    builder.setInsertionPointAfterValue(value);
    auto observe =
        ObserveOp::create(builder, value.getLoc(), value.getType(), value, id);
    bool quantizedProducer = selected.contains(value.getDefiningOp());
    value.replaceUsesWithIf(observe.getResult(), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      if (user == observe)
        return false;
      if (quantizedProducer)
        return true;
      return selected.contains(user) &&
             llvm::is_contained(
                 cast<QuantizableOpInterface>(user).getActivationOperands(),
                 use.getOperandNumber());
    });
    observeForWords(quantizedProducer ? observe.getResult() : value);
  }
  return success();
}

LogicalResult qcc::insertObservers(ModuleOp module,
                                   const OtherPrecisions &others) {
  llvm::StringMap<unsigned> usedIds;
  llvm::StringSet<> unknown = others.keepFloat;
  for (const auto &entry : others.int16)
    unknown.insert(entry.getKey());
  module.walk([&](ObserveOp op) { usedIds[op.getId()] = 1; });
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && llvm::hasSingleElement(function.getBody()) &&
        failed(insertInFunction(function, others, usedIds, unknown)))
      return failure();
  if (unknown.empty())
    return success();
  // StringSet has no order.
  StringRef first = unknown.begin()->getKey();
  for (const auto &entry : unknown)
    first = std::min(first, entry.getKey());
  return module.emitError("no layer that could be quantized has the name '")
         << first << "'";
}

namespace {
struct InsertObservers
    : public qcc::impl::InsertObserversBase<InsertObservers> {
  using InsertObserversBase::InsertObserversBase;
  void runOnOperation() override {
    OtherPrecisions others;
    others.keepFloat.insert(keepFloat.begin(), keepFloat.end());
    others.int16.insert(int16.begin(), int16.end());
    if (failed(insertObservers(getOperation(), others)))
      signalPassFailure();
  }
};
} // namespace
