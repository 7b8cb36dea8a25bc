//===- Plans.cpp - The precision of each layer, as asked for --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Plans.h"

#include "Report.h"

#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace qcc {

bool namesPlan(const CompileOptions &options) {
  return !llvm::is_contained(
      {"guarded", "auto", "int8", "int16", "fp16", "bf16"}, options.precision);
}

bool narrowsWeights(const CompileOptions &options) {
  return options.precision == "fp16" || options.precision == "bf16";
}

bool isMeasured(const CompileOptions &options) {
  return options.precision == "guarded" || options.precision == "auto";
}

/// Every layer in 16 bits that has a form of that, the others in float.
static PrecisionPlan planInt16(func::FuncOp main) {
  PrecisionPlan plan;
  llvm::StringMap<unsigned> usedIds;
  QuantizationSites sites(main, usedIds);
  for (const QuantizationSites::Layer &layer : sites.layers()) {
    LayerPrecision &entry = plan.layers.emplace_back();
    entry.name = layer.name;
    entry.precision =
        hasInt16Form(layer.op) ? Precision::Int16 : Precision::Float;
    entry.reason = "-precision=int16";
  }
  for (const QuantizationSites::RecurrentLayer &layer :
       sites.recurrentLayers()) {
    LayerPrecision &entry = plan.layers.emplace_back();
    entry.name = layer.name;
    entry.precision = Precision::Float;
    entry.reason = "-precision=int16";
  }
  return plan;
}

/// Names that no layer has are found before anything is calibrated.
static llvm::Error checkNames(func::FuncOp main, const PrecisionPlan &plan) {
  llvm::StringMap<unsigned> usedIds;
  QuantizationSites sites(main, usedIds);
  llvm::StringSet<> names;
  for (const QuantizationSites::Layer &layer : sites.layers())
    names.insert(layer.name);
  for (const QuantizationSites::RecurrentLayer &layer : sites.recurrentLayers())
    names.insert(layer.name);
  for (const LayerPrecision &layer : plan.layers)
    if (layer.precision != Precision::Int8 && !names.contains(layer.name))
      return makeError("no layer that could be quantized has the name '" +
                       layer.name + "'");
  return llvm::Error::success();
}

llvm::Error loadPlan(ModuleOp module, const CompileOptions &options,
                     PrecisionPlan &plan) {
  if (options.precision == "int16") {
    plan = planInt16(module.lookupSymbol<func::FuncOp>("main"));
    return llvm::Error::success();
  }
  if (!namesPlan(options))
    return llvm::Error::success();
  auto loaded = PrecisionPlan::load(options.precision);
  if (!loaded)
    return makeError("-precision=" + options.precision +
                     ": expected guarded, int8, int16, auto, fp16, bf16 or a "
                     "file of -save-precision; " +
                     llvm::toString(loaded.takeError()));
  plan = std::move(*loaded);
  return checkNames(module.lookupSymbol<func::FuncOp>("main"), plan);
}

/// The members of both that hold the layers of one precision.
template <typename F> static void forEachOther(F f) {
  f(Precision::Float, &CalibrationTable::keepFloat,
    &OtherPrecisions::keepFloat);
  f(Precision::Int16, &CalibrationTable::int16, &OtherPrecisions::int16);
  f(Precision::Fp16, &CalibrationTable::fp16, &OtherPrecisions::fp16);
  f(Precision::Bf16, &CalibrationTable::bf16, &OtherPrecisions::bf16);
}

OtherPrecisions listOthers(const CompileOptions &options,
                           const PrecisionPlan &plan,
                           const CalibrationTable &table) {
  OtherPrecisions others;
  if (options.precision == "int8")
    return others;
  forEachOther([&](Precision precision, auto inTable, auto inOthers) {
    std::vector<std::string> names =
        isMeasured(options) ? table.*inTable : plan.layersOf(precision);
    (others.*inOthers).insert(names.begin(), names.end());
  });
  return others;
}

void recordOthers(const PrecisionPlan &plan, CalibrationTable &table) {
  forEachOther([&](Precision precision, auto inTable, auto) {
    table.*inTable = plan.layersOf(precision);
  });
}

LogicalResult applyFloatPlan(ModuleOp module, const CompileOptions &options,
                             PrecisionPlan &plan) {
  if (!namesPlan(options))
    return success();
  if (llvm::Error error = loadPlan(module, options, plan))
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  for (Precision precision : {Precision::Int8, Precision::Int16})
    if (std::vector<std::string> names = plan.layersOf(precision);
        !names.empty())
      return emitError(module.getLoc())
             << "-precision=" << options.precision << ": layer '"
             << names.front() << "' is in "
             << (precision == Precision::Int8 ? 8 : 16)
             << " bits, which needs calibration data (-calib=); without it "
                "layers are float, fp16 or bf16";
  emitRemark(module.getLoc())
      << "-precision=" << options.precision
      << ": no calibration data (-calib=): layers that it does not name are "
         "float, not in 8 bits";
  OtherPrecisions others = listOthers(options, plan, {});
  noteOthers(module, others);
  return narrowLayers(module, others);
}

void noteOthers(ModuleOp module, const OtherPrecisions &others) {
  std::vector<std::string> names = others.names();
  module->setAttr(keepFloatAttr,
                  Builder(module).getStrArrayAttr(
                      SmallVector<StringRef>(names.begin(), names.end())));
}

} // namespace qcc
