//===- InsertObservers.cpp - Observe what will be quantized ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/Passes.h"
#include "qcc/Calibration/QuantizationSites.h"

namespace qcc {
#define GEN_PASS_DEF_INSERTOBSERVERS
#include "qcc/Calibration/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Whether one of `ops` takes `value` as its first operand.
static bool isInputOf(OpOperand &use, const QuantizationSites::OpSet &ops) {
  return ops.contains(use.getOwner()) && use.getOperandNumber() == 0;
}

/// Observes `value` for layers in 16 bits; the rest of its users, but for
/// terminators, then read the same, so that an op stores one form of its
/// result. Returns what they read.
static Value observeInt16(Value value, StringRef id,
                          const QuantizationSites::OpSet &int16Layers) {
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  auto observe = ObserveOp::create(builder, value.getLoc(), value.getType(),
                                   value, id, /*int16=*/true);
  bool isStored = value.getDefiningOp() != nullptr;
  value.replaceUsesWithIf(observe.getResult(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (user == observe || user->hasTrait<OpTrait::IsTerminator>())
      return false;
    return isStored || isInputOf(use, int16Layers);
  });
  return isStored ? observe.getResult() : value;
}

static LogicalResult insertInFunction(func::FuncOp function,
                                      const OtherPrecisions &others,
                                      llvm::StringMap<unsigned> &usedIds,
                                      llvm::StringSet<> &unknown) {
  QuantizationSites sites(function, usedIds);
  llvm::StringSet<> notInt8 = others.keepFloat;
  for (const auto &entry : others.int16)
    notInt8.insert(entry.getKey());
  QuantizationSites::OpSet selected = sites.select(notInt8), int16Layers;
  auto *context = function.getContext();
  auto mark = [&](StringRef name, Operation *op) -> LogicalResult {
    if (!notInt8.contains(name))
      return success();
    unknown.erase(name);
    if (!others.int16.contains(name)) {
      op->setAttr(kKeepFloatAttr, UnitAttr::get(context));
      return success();
    }
    if (others.keepFloat.contains(name))
      return op->emitError("layer '")
             << name << "' is listed both as float and as int16";
    int16Layers.insert(op);
    if (hasInt16Form(op))
      return success();
    return op->emitError("layer '")
           << name
           << "' has no form in 16 bits (only convolutions without groups and "
              "products with a constant matrix have one, and not the deepest); "
              "make it float or int8";
  };
  for (const QuantizationSites::Layer &layer : sites.layers())
    if (failed(mark(layer.name, layer.op)))
      return failure();
  for (QuantizationSites::RecurrentLayer layer : sites.recurrentLayers())
    if (failed(mark(layer.name, layer.op)))
      return failure();
  OpBuilder builder(context);
  for (auto [value, id] : sites.ids()) {
    bool isQuantized = QuantizationSites::isUsedBy(value, selected);
    bool quantizedProducer = selected.contains(value.getDefiningOp());
    Value source = value;
    if (llvm::any_of(value.getUses(), [&](OpOperand &use) {
          return isInputOf(use, int16Layers);
        }))
      source = observeInt16(value, id, int16Layers);
    if (!isQuantized)
      continue;
    builder.setInsertionPointAfterValue(source);
    auto observe =
        ObserveOp::create(builder, value.getLoc(), value.getType(), source, id);
    source.replaceUsesWithIf(observe.getResult(), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      if (user == observe || isInputOf(use, int16Layers))
        return false;
      if (quantizedProducer)
        return true;
      return selected.contains(user) &&
             llvm::is_contained(
                 cast<QuantizableOpInterface>(user).getActivationOperands(),
                 use.getOperandNumber());
    });
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
