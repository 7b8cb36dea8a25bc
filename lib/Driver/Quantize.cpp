//===- Quantize.cpp - The quantize phase ----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Forms.h"
#include "PTQ.h"
#include "Precision.h"
#include "Report.h"
#include "Samples.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/Passes.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Driver/Phases.h"
#include "qcc/Quantization/Passes.h"
#include "qcc/Support/Npz.h"

#include "llvm/Support/FileSystem.h"

using namespace mlir;

namespace qcc {

/// What is kept of the calibration data to measure layers on.
static constexpr size_t kMostGuardSamples = 16, kMostBudgetSamples = 64,
                        kMostSearchBytes = 64 << 20;

bool isExplicitlyQuantized(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        return isa<qnn::QuantizeOp, qnn::DequantizeOp, qnn::StorageCastOp>(op)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// From the imported model to one that can be calibrated.
static void buildFloatPipeline(OpPassManager &pm, const CompileOptions &options,
                               const ModelRunnerFactory &run) {
  for (const std::string &format : options.inputFormats)
    pm.addPass(qnn::createConvertInput({format}));
  buildSimplifyPipeline(pm, run);
}

/// The simplified model with observers, for the shapes of a sample.
static llvm::Expected<OwningOpRef<ModuleOp>>
observeForShapes(ArrayRef<HostTensor> sample, const CompileOptions &options,
                 const ModelRunnerFactory &run, MLIRContext *context) {
  if (!options.ptq.empty())
    return llvm::createStringError(
        "-ptq=" + options.ptq +
        " needs calibration samples of one shape, that of the model");
  CompileOptions reshaped = options;
  std::string text;
  for (const HostTensor &tensor : sample) {
    reshaped.shapes[tensor.name].assign(tensor.shape.begin(),
                                        tensor.shape.end());
    text += " '" + tensor.name + "' " + shapeString(tensor.shape);
  }
  OwningOpRef<ModuleOp> module = importModel(*context, reshaped);
  if (module) {
    PassManager pm(module->getContext(), ModuleOp::getOperationName());
    buildFloatPipeline(pm, options, run);
    if (succeeded(pm.run(*module)) && succeeded(insertObservers(*module, {})))
      return module;
  }
  return llvm::createStringError(
      "the model cannot run on calibration samples of shape" + text);
}

/// What is held out: the samples of -verify=, or what calibration left.
static llvm::Expected<HeldOutSamples>
collectHeldOut(const CompileOptions &options, ArrayRef<InputSpec> inputs,
               HalfDataset &half) {
  if (hasVerification(options))
    return readHeldOut(options, inputs);
  HeldOutSamples samples;
  samples.inputs = half.takeHeldOut();
  for (size_t i = 0; i < samples.inputs.size(); ++i)
    samples.indices.push_back(2 * i + 1);
  return samples;
}

/// Layers are measured on the model's own shapes.
static bool hasShapes(ArrayRef<HostTensor> sample, ArrayRef<InputSpec> inputs) {
  return llvm::all_of(llvm::zip_equal(sample, inputs), [](auto pair) {
    return std::get<0>(pair).shape == std::get<1>(pair).shape;
  });
}

static llvm::Expected<SplitSamples> splitSamples(const CompileOptions &options,
                                                 ArrayRef<InputSpec> inputs,
                                                 RecordedDataset &recorded,
                                                 HalfDataset &half) {
  SplitSamples samples;
  samples.search = recorded.takeKept();
  llvm::erase_if(samples.search, [&](ArrayRef<HostTensor> sample) {
    return !hasShapes(sample, inputs);
  });
  if (options.precision != "auto")
    return samples;
  auto heldOut = collectHeldOut(options, inputs, half);
  if (!heldOut)
    return heldOut.takeError();
  samples.heldOut.labels = std::move(heldOut->labels);
  for (auto [sample, index] :
       llvm::zip_equal(heldOut->inputs, heldOut->indices))
    if (hasShapes(sample, inputs)) {
      samples.heldOut.inputs.push_back(std::move(sample));
      samples.heldOut.indices.push_back(index);
    }
  return samples;
}

/// The ranges of the values that can go to 8 bits and the layers that do not:
/// from the table if its file exists, else from the samples, with the plan that
/// they were chosen by.
static llvm::Expected<CalibrationTable>
findRanges(ModuleOp module, const CompileOptions &options,
           const ModelRunnerFactory &run, PrecisionPlan &plan) {
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
  for (InputSpec &input : *inputs)
    input.anyExtents = options.shapes.contains(input.name);
  llvm::Expected<std::unique_ptr<Dataset>> dataset =
      openSamples(options, *inputs);
  if (!dataset)
    return dataset.takeError();
  RangeOptions ranges;
  ranges.method = *method;
  OwningOpRef<ModuleOp> observed(module.clone());
  if (failed(insertObservers(*observed, {})))
    return llvm::createStringError("the model cannot be observed");
  auto reshape = [&](ArrayRef<HostTensor> sample) {
    return observeForShapes(sample, options, run, module.getContext());
  };
  bool searches = options.precision == "auto";
  bool holdsOut = searches && !hasVerification(options);
  HalfDataset half(**dataset);
  RecordedDataset recorded(holdsOut ? half : **dataset,
                           searches ? kMostBudgetSamples : kMostGuardSamples,
                           kMostSearchBytes);
  llvm::Expected<CalibrationTable> table =
      calibrate(*observed, recorded, run, ranges, reshape);
  if (!table)
    return table;
  auto samples = splitSamples(options, *inputs, recorded, half);
  if (!samples)
    return samples.takeError();
  llvm::Expected<PrecisionPlan> chosen =
      choosePrecision(module, *table, options, std::move(*samples), run);
  if (!chosen)
    return chosen.takeError();
  plan = std::move(*chosen);
  table->keepFloat = plan.keepFloat();
  if (!options.savePrecision.empty())
    if (llvm::Error e = plan.save(options.savePrecision))
      return e;
  if (!options.calibrationTable.empty())
    if (llvm::Error e = table->save(options.calibrationTable))
      return e;
  return table;
}

/// The plan of a file, if the options name one.
static llvm::Error loadPlan(const CompileOptions &options,
                            PrecisionPlan &plan) {
  if (llvm::is_contained({"guarded", "auto", "int8"}, options.precision))
    return llvm::Error::success();
  auto loaded = PrecisionPlan::load(options.precision);
  if (!loaded)
    return llvm::createStringError(
        "-precision=" + options.precision +
        ": expected guarded, int8, auto or a file of -save-precision; " +
        llvm::toString(loaded.takeError()));
  plan = std::move(*loaded);
  return llvm::Error::success();
}

/// Names of the layers that stay float: the plan's, or those of the table.
static std::vector<std::string> listFloatLayers(const CompileOptions &options,
                                                const PrecisionPlan &plan,
                                                const CalibrationTable &table) {
  if (options.precision == "int8")
    return {};
  bool isMeasured =
      options.precision == "guarded" || options.precision == "auto";
  return isMeasured ? table.keepFloat : plan.keepFloat();
}

static LogicalResult quantizeStatic(ModuleOp module,
                                    const CompileOptions &options,
                                    const ModelRunnerFactory &run,
                                    PipelineRunner runPipeline,
                                    PrecisionPlan &plan) {
  llvm::Expected<PTQOptions> ptq = PTQOptions::parse(options.ptq);
  if (!ptq)
    return emitError(module.getLoc()) << llvm::toString(ptq.takeError());
  auto open = [&]() -> llvm::Expected<std::unique_ptr<Dataset>> {
    llvm::Expected<std::vector<InputSpec>> inputs = getInputSpecs(module);
    if (!inputs)
      return inputs.takeError();
    if (!hasSamples(options))
      return llvm::createStringError("-ptq=" + options.ptq +
                                     " needs samples: give -calib=PATH");
    return openSamples(options, *inputs);
  };
  if (llvm::Error error = prepareWeights(module, *ptq, open, run))
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  llvm::Expected<CalibrationTable> table =
      findRanges(module, options, run, plan);
  if (!table)
    return emitError(module.getLoc()) << llvm::toString(table.takeError());
  if (llvm::Error error = loadPlan(options, plan))
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  llvm::StringSet<> keepFloat;
  for (const std::string &name : listFloatLayers(options, plan, *table))
    keepFloat.insert(name);
  SmallVector<StringRef> kept;
  for (const auto &entry : keepFloat)
    kept.push_back(entry.getKey());
  llvm::sort(kept);
  module->setAttr(keepFloatAttr, Builder(module).getStrArrayAttr(kept));
  if (failed(insertObservers(module, keepFloat)))
    return failure();
  if (failed(applyCalibration(module, *table)))
    return failure();
  return runPipeline(module, [&](OpPassManager &pm) {
    pm.addPass(createQuantizeWeights({weightClip(options)}));
    pm.addPass(createQuantizeRecurrence());
  });
}

LogicalResult insertQuantization(ModuleOp module, const CompileOptions &options,
                                 const ModelRunnerFactory &run,
                                 PipelineRunner runPipeline,
                                 PrecisionPlan *plan) {
  bool isExplicit = isExplicitlyQuantized(module);
  bool hasRanges = hasSamples(options) || !options.calibrationTable.empty();
  if (failed(runPipeline(module, [&](OpPassManager &pm) {
        buildFloatPipeline(pm, options, run);
      })))
    return failure();

  QuantizeMode mode = options.quantize;
  if (isExplicit && mode != QuantizeMode::None) {
    if (hasRanges || mode != QuantizeMode::Auto)
      emitRemark(module.getLoc())
          << "the model is quantized already; its own scales are kept";
    mode = QuantizeMode::None;
  }
  if (mode == QuantizeMode::Auto && !hasRanges)
    emitRemark(module.getLoc())
        << "no calibration data (-calib): large matrix products and recurrent "
           "layers get int8 "
           "weights and dynamic activations, the rest stays float; "
           "-quantize=none keeps all of it float";
  if (mode == QuantizeMode::Auto)
    mode = hasRanges ? QuantizeMode::Static : QuantizeMode::Dynamic;

  PrecisionPlan unused;
  if (mode == QuantizeMode::Static &&
      failed(quantizeStatic(module, options, run, runPipeline,
                            plan ? *plan : unused)))
    return failure();
  if (mode == QuantizeMode::Dynamic &&
      failed(runPipeline(module, [](OpPassManager &pm) {
        pm.addPass(createQuantizeDynamic());
        pm.addPass(createQuantizeRecurrence());
      })))
    return failure();
  return success();
}

} // namespace qcc
