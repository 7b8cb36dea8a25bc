//===- InsertObservers.cpp - Observe what will be quantized ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/Passes.h"
#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Dialect/QNN/Transforms/NarrowWeights.h"

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

std::vector<std::string> OtherPrecisions::names() const {
  std::vector<std::string> names;
  for (const llvm::StringSet<> *set : {&keepFloat, &int16, &fp16, &bf16})
    for (const auto &entry : *set)
      names.push_back(entry.getKey().str());
  llvm::sort(names);
  return names;
}

static llvm::StringSet<> toSet(ArrayRef<std::string> names) {
  llvm::StringSet<> set;
  set.insert(names.begin(), names.end());
  return set;
}

/// The weights of a layer in 16 bits, where `others` says so.
static LogicalResult narrowLayer(StringRef name, Operation *op,
                                 const OtherPrecisions &others,
                                 WeightNarrower &narrower) {
  bool isHalf = others.fp16.contains(name);
  if (!isHalf && !others.bf16.contains(name))
    return success();
  MLIRContext *context = op->getContext();
  FloatType type = isHalf ? FloatType(Float16Type::get(context))
                          : BFloat16Type::get(context);
  switch (narrower.narrow(op, type)) {
  case WeightNarrower::Result::Done:
    return success();
  case WeightNarrower::Result::NoForm:
    return op->emitError("layer '")
           << name
           << "' has no form with weights of 16 bits (only convolutions but "
              "depthwise ones, products with a constant matrix and recurrent "
              "layers have one); make it float or int8";
  case WeightNarrower::Result::OutOfRange:
  case WeightNarrower::Result::Inexact:
    break;
  }
  return op->emitError("layer '")
         << name << "' has weights that " << type << " cannot hold; make it "
         << (isHalf ? "bf16 or float" : "float");
}

/// Reports the first of names that no layer has.
static LogicalResult checkNames(ModuleOp module,
                                const llvm::StringSet<> &unknown) {
  if (unknown.empty())
    return success();
  // StringSet has no order.
  StringRef first = unknown.begin()->getKey();
  for (const auto &entry : unknown)
    first = std::min(first, entry.getKey());
  return module.emitError("no layer that could be quantized has the name '")
         << first << "'";
}

static void forEachLayer(const QuantizationSites &sites,
                         llvm::function_ref<void(StringRef, Operation *)> f) {
  for (const QuantizationSites::Layer &layer : sites.layers())
    f(layer.name, layer.op);
  for (const QuantizationSites::RecurrentLayer &layer : sites.recurrentLayers())
    f(layer.name, layer.op);
}

static bool isPlain(func::FuncOp function) {
  return !function.isExternal() && llvm::hasSingleElement(function.getBody());
}

LogicalResult qcc::narrowLayers(ModuleOp module,
                                const OtherPrecisions &others) {
  llvm::StringMap<unsigned> usedIds;
  OtherPrecisions narrow;
  narrow.fp16 = others.fp16;
  narrow.bf16 = others.bf16;
  llvm::StringSet<> unknown = toSet(others.names());
  WeightNarrower narrower;
  LogicalResult result = success();
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!isPlain(function))
      continue;
    QuantizationSites sites(function, usedIds);
    forEachLayer(sites, [&](StringRef name, Operation *op) {
      unknown.erase(name);
      if (succeeded(result))
        result = narrowLayer(name, op, narrow, narrower);
    });
  }
  narrower.eraseUnused();
  return failed(result) ? failure() : checkNames(module, unknown);
}

static LogicalResult insertInFunction(func::FuncOp function,
                                      const OtherPrecisions &others,
                                      Observed observed,
                                      llvm::StringMap<unsigned> &usedIds,
                                      llvm::StringSet<> &unknown) {
  QuantizationSites sites(function, usedIds);
  llvm::StringSet<> notInt8 = toSet(others.names());
  QuantizationSites::OpSet selected = sites.select(notInt8), int16Layers;
  auto *context = function.getContext();
  auto mark = [&](StringRef name, Operation *op) -> LogicalResult {
    if (!notInt8.contains(name))
      return success();
    unknown.erase(name);
    SmallVector<StringRef> listed;
    for (auto [precision, set] : {std::pair("float", &others.keepFloat),
                                  {"int16", &others.int16},
                                  {"fp16", &others.fp16},
                                  {"bf16", &others.bf16}})
      if (set->contains(name))
        listed.push_back(precision);
    if (listed.size() > 1)
      return op->emitError("layer '") << name << "' is listed both as "
                                      << listed[0] << " and as " << listed[1];
    if (!others.int16.contains(name)) {
      op->setAttr(kKeepFloatAttr, UnitAttr::get(context));
      return success();
    }
    int16Layers.insert(op);
    if (hasInt16Form(op))
      return success();
    return op->emitError("layer '")
           << name
           << "' has no form in 16 bits (only convolutions without groups, "
              "most depthwise ones and products with a constant matrix have "
              "one, and not the deepest); make it float or int8";
  };
  LogicalResult result = success();
  forEachLayer(sites, [&](StringRef name, Operation *op) {
    if (succeeded(result))
      result = mark(name, op);
  });
  if (failed(result))
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
    if (!isQuantized || (observed == Observed::Rounded &&
                         QuantizationSites::isInsideChain(value, selected)))
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
  WeightNarrower narrower;
  forEachLayer(sites, [&](StringRef name, Operation *op) {
    if (succeeded(result))
      result = narrowLayer(name, op, others, narrower);
  });
  narrower.eraseUnused();
  return result;
}

LogicalResult qcc::insertObservers(ModuleOp module,
                                   const OtherPrecisions &others,
                                   Observed observed) {
  llvm::StringMap<unsigned> usedIds;
  llvm::StringSet<> unknown = toSet(others.names());
  module.walk([&](ObserveOp op) { usedIds[op.getId()] = 1; });
  for (auto function : module.getOps<func::FuncOp>())
    if (isPlain(function) &&
        failed(insertInFunction(function, others, observed, usedIds, unknown)))
      return failure();
  return checkNames(module, unknown);
}

namespace {
struct InsertObservers
    : public qcc::impl::InsertObserversBase<InsertObservers> {
  using InsertObserversBase::InsertObserversBase;
  void runOnOperation() override {
    OtherPrecisions others;
    others.keepFloat.insert(keepFloat.begin(), keepFloat.end());
    others.int16.insert(int16.begin(), int16.end());
    others.fp16.insert(fp16.begin(), fp16.end());
    others.bf16.insert(bf16.begin(), bf16.end());
    if (failed(insertObservers(getOperation(), others)))
      signalPassFailure();
  }
};
} // namespace
