//===- Quantize.cpp - The quantize phase ----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Precision.h"
#include "Report.h"
#include "Samples.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/Passes.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Driver/Phases.h"
#include "qcc/Quantization/Passes.h"

#include "llvm/Support/FileSystem.h"

using namespace mlir;

namespace qcc {

/// What is kept of the calibration data to measure layers on.
static constexpr size_t kMostSearchSamples = 16, kMostSearchBytes = 64 << 20;

bool isExplicitlyQuantized(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        return isa<qnn::QuantizeOp, qnn::DequantizeOp, qnn::StorageCastOp>(op)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// The ranges of the values that can go to 8 bits and the layers that do not:
/// from the table if its file exists, else from the samples.
static llvm::Expected<CalibrationTable>
findRanges(ModuleOp module, const CompileOptions &options,
           const ModelRunnerFactory &run) {
  if (!options.calibrationTable.empty() &&
      llvm::sys::fs::exists(options.calibrationTable)) {
    if (hasSamples(options))
      emitRemark(module.getLoc())
          << "the ranges come from " << options.calibrationTable
          << "; remove it to calibrate anew";
    return CalibrationTable::load(options.calibrationTable);
  }
  if (!hasSamples(options))
    return llvm::createStringError(
        options.calibrationTable.empty()
            ? "-quantize=static needs calibration data: give -calib=PATH (see "
              "docs/calibration.md), or a saved table with -calib-table="
            : "-calib-table=" + options.calibrationTable +
                  ": no such file, and no -calib= to make it from");
  std::optional<RangeMethod> method =
      parseRangeMethod(options.calibrationMethod);
  if (!method)
    return llvm::createStringError(
        "-calib-method=" + options.calibrationMethod +
        ": expected auto, minmax, percentile, entropy or mse");
  llvm::Expected<std::vector<InputSpec>> inputs = getInputSpecs(module);
  if (!inputs)
    return inputs.takeError();
  llvm::Expected<std::unique_ptr<Dataset>> dataset =
      openSamples(options, *inputs);
  if (!dataset)
    return dataset.takeError();
  RangeOptions ranges;
  ranges.method = *method;
  OwningOpRef<ModuleOp> observed(module.clone());
  if (failed(insertObservers(*observed, {})))
    return llvm::createStringError("the model cannot be observed");
  RecordedDataset recorded(**dataset, kMostSearchSamples, kMostSearchBytes);
  llvm::Expected<CalibrationTable> table =
      calibrate(*observed, recorded, run, ranges);
  if (!table)
    return table;
  if (options.precision == "guarded") {
    auto keepFloat = guardPrecision(module, *table, recorded.takeKept(), run);
    if (!keepFloat)
      return keepFloat.takeError();
    table->keepFloat = std::move(*keepFloat);
  }
  if (!options.calibrationTable.empty())
    if (llvm::Error e = table->save(options.calibrationTable))
      return e;
  return table;
}

static LogicalResult quantizeStatic(ModuleOp module,
                                    const CompileOptions &options,
                                    const ModelRunnerFactory &run,
                                    PipelineRunner runPipeline) {
  llvm::Expected<CalibrationTable> table = findRanges(module, options, run);
  if (!table)
    return emitError(module.getLoc()) << llvm::toString(table.takeError());
  llvm::StringSet<> keepFloat;
  if (options.precision == "guarded")
    keepFloat.insert(table->keepFloat.begin(), table->keepFloat.end());
  SmallVector<StringRef> kept;
  for (const auto &entry : keepFloat)
    kept.push_back(entry.getKey());
  llvm::sort(kept);
  module->setAttr(keepFloatAttr, Builder(module).getStrArrayAttr(kept));
  if (failed(insertObservers(module, keepFloat)))
    return failure();
  if (failed(applyCalibration(module, *table)))
    return failure();
  return runPipeline(
      module, [](OpPassManager &pm) { pm.addPass(createQuantizeWeights()); });
}

LogicalResult insertQuantization(ModuleOp module, const CompileOptions &options,
                                 const ModelRunnerFactory &run,
                                 PipelineRunner runPipeline) {
  bool isExplicit = isExplicitlyQuantized(module);
  bool hasRanges = hasSamples(options) || !options.calibrationTable.empty();
  if (failed(runPipeline(module, [&](OpPassManager &pm) {
        for (const std::string &format : options.inputFormats)
          pm.addPass(qnn::createConvertInput({format}));
        buildSimplifyPipeline(pm, run);
      })))
    return failure();

  if (options.precision != "guarded" && options.precision != "int8")
    return emitError(module.getLoc()) << "-precision=" << options.precision
                                      << ": expected guarded or int8";
  QuantizeMode mode = options.quantize;
  if (isExplicit && mode != QuantizeMode::None) {
    if (hasRanges || mode != QuantizeMode::Auto)
      emitRemark(module.getLoc())
          << "the model is quantized already; its own scales are kept";
    mode = QuantizeMode::None;
  }
  if (mode == QuantizeMode::Auto && !hasRanges)
    emitRemark(module.getLoc())
        << "no calibration data (-calib): large matrix products get int8 "
           "weights and dynamic activations, the rest stays float; "
           "-quantize=none keeps all of it float";
  if (mode == QuantizeMode::Auto)
    mode = hasRanges ? QuantizeMode::Static : QuantizeMode::Dynamic;

  if (mode == QuantizeMode::Static &&
      failed(quantizeStatic(module, options, run, runPipeline)))
    return failure();
  if (mode == QuantizeMode::Dynamic &&
      failed(runPipeline(module, [](OpPassManager &pm) {
        pm.addPass(createQuantizeDynamic());
      })))
    return failure();
  return success();
}

} // namespace qcc
