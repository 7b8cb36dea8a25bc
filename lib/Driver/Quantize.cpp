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

/// Adds what -verify= names.
static llvm::Error openHeldOut(const CompileOptions &options,
                               ArrayRef<InputSpec> inputs,
                               SplitSamples &samples) {
  if (options.precision != "auto" || options.verifyPath.empty())
    return llvm::Error::success();
  auto dataset = openDataset(options.verifyPath, inputs, options.preprocess);
  if (!dataset)
    return dataset.takeError();
  for (size_t i = 0, e = (*dataset)->size(); i < e; ++i) {
    auto sample = (*dataset)->next();
    if (!sample)
      return sample.takeError();
    samples.heldOut.push_back(std::move(*sample));
  }
  if (!StringRef(options.verifyPath).ends_with(".npz"))
    return llvm::Error::success();
  auto labels = readNpzArray(options.verifyPath, "labels");
  if (!labels)
    return llvm::Error::success();
  auto append = [&](auto values) {
    samples.labels.assign(values.begin(), values.end());
  };
  if (labels->dtype == DType::I64)
    append(labels->as<int64_t>());
  else if (labels->dtype == DType::I32)
    append(labels->as<int32_t>());
  else if (labels->dtype == DType::U8)
    append(labels->as<uint8_t>());
  else
    return llvm::createStringError("-verify=" + options.verifyPath +
                                   ": 'labels' must be i64, i32 or u8");
  return llvm::Error::success();
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
  bool holdsOut = searches && options.verifyPath.empty();
  HalfDataset half(**dataset);
  RecordedDataset recorded(holdsOut ? half : **dataset,
                           searches ? kMostBudgetSamples : kMostGuardSamples,
                           kMostSearchBytes);
  llvm::Expected<CalibrationTable> table =
      calibrate(*observed, recorded, run, ranges, reshape);
  if (!table)
    return table;
  SplitSamples samples;
  samples.search = recorded.takeKept();
  samples.heldOut = half.takeHeldOut();
  if (llvm::Error error = openHeldOut(options, *inputs, samples))
    return error;
  // The layers are measured on the model's own shapes.
  for (auto *part : {&samples.search, &samples.heldOut})
    llvm::erase_if(*part, [&](const std::vector<HostTensor> &sample) {
      return llvm::any_of(llvm::zip_equal(sample, *inputs), [](auto pair) {
        return std::get<0>(pair).shape != std::get<1>(pair).shape;
      });
    });
  llvm::Expected<PrecisionPlan> plan =
      choosePrecision(module, *table, options, std::move(samples), run);
  if (!plan)
    return plan.takeError();
  table->keepFloat = plan->keepFloat();
  if (!options.savePrecision.empty())
    if (llvm::Error e = plan->save(options.savePrecision))
      return e;
  if (!options.calibrationTable.empty())
    if (llvm::Error e = table->save(options.calibrationTable))
      return e;
  return table;
}

/// Names of the layers that stay float, `measured` where the options say no
/// more.
static llvm::Expected<std::vector<std::string>>
findFloatLayers(const CompileOptions &options,
                const std::vector<std::string> &measured) {
  if (options.precision == "int8")
    return std::vector<std::string>();
  if (options.precision == "guarded" || options.precision == "auto")
    return measured;
  auto plan = PrecisionPlan::load(options.precision);
  if (!plan)
    return llvm::createStringError("-precision=" + options.precision +
                                   ": expected guarded, int8, auto, fp16, bf16 "
                                   "or a file of -save-precision; " +
                                   llvm::toString(plan.takeError()));
  return plan->keepFloat();
}

static LogicalResult quantizeStatic(ModuleOp module,
                                    const CompileOptions &options,
                                    const ModelRunnerFactory &run,
                                    PipelineRunner runPipeline) {
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
  llvm::Expected<CalibrationTable> table = findRanges(module, options, run);
  if (!table)
    return emitError(module.getLoc()) << llvm::toString(table.takeError());
  auto names = findFloatLayers(options, table->keepFloat);
  if (!names)
    return emitError(module.getLoc()) << llvm::toString(names.takeError());
  llvm::StringSet<> keepFloat;
  keepFloat.insert(names->begin(), names->end());
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
                                 PipelineRunner runPipeline) {
  bool isExplicit = isExplicitlyQuantized(module);
  bool hasRanges = hasSamples(options) || !options.calibrationTable.empty();
  if (failed(runPipeline(module, [&](OpPassManager &pm) {
        buildFloatPipeline(pm, options, run);
      })))
    return failure();

  QuantizeMode mode = options.quantize;
  // Weights go to 16 bits in the end, and nothing to 8.
  if (options.precision == "fp16" || options.precision == "bf16") {
    if (hasRanges || mode == QuantizeMode::Static ||
        mode == QuantizeMode::Dynamic)
      return emitError(module.getLoc())
             << "-precision=" << options.precision
             << " stores float weights in 16 bits and quantizes nothing; it "
                "goes with no calibration data and no -quantize=static or "
                "dynamic";
    if (mode == QuantizeMode::Auto)
      mode = QuantizeMode::None;
  }
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

  if (mode == QuantizeMode::Static &&
      failed(quantizeStatic(module, options, run, runPipeline)))
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
