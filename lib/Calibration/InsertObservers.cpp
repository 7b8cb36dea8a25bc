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

static void insertInFunction(func::FuncOp function,
                             const llvm::StringSet<> &keepFloat,
                             llvm::StringMap<unsigned> &usedIds,
                             llvm::StringSet<> &unknown) {
  QuantizationSites sites(function, usedIds);
  QuantizationSites::OpSet selected = sites.select(keepFloat);
  auto *context = function.getContext();
  for (const QuantizationSites::Layer &layer : sites.layers())
    if (keepFloat.contains(layer.name)) {
      unknown.erase(layer.name);
      layer.op->setAttr(kKeepFloatAttr, UnitAttr::get(context));
    }
  for (QuantizationSites::RecurrentLayer layer : sites.recurrentLayers())
    if (keepFloat.contains(layer.name)) {
      unknown.erase(layer.name);
      layer.op->setAttr(kKeepFloatAttr, UnitAttr::get(context));
    }
  OpBuilder builder(context);
  for (auto [value, id] : sites.ids()) {
    if (!QuantizationSites::isUsedBy(value, selected))
      continue;
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
  }
}

LogicalResult qcc::insertObservers(ModuleOp module,
                                   const llvm::StringSet<> &keepFloat) {
  llvm::StringMap<unsigned> usedIds;
  llvm::StringSet<> unknown = keepFloat;
  module.walk([&](ObserveOp op) { usedIds[op.getId()] = 1; });
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && llvm::hasSingleElement(function.getBody()))
      insertInFunction(function, keepFloat, usedIds, unknown);
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
    llvm::StringSet<> names;
    for (const std::string &name : keepFloat)
      names.insert(name);
    if (failed(insertObservers(getOperation(), names)))
      signalPassFailure();
  }
};
} // namespace
