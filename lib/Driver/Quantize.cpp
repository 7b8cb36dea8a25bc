//===- Quantize.cpp - The quantize phase ----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Budgets.h"
#include "Forms.h"
#include "PTQ.h"
#include "Plans.h"
#include "Precision.h"
#include "Samples.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/Passes.h"
#include "qcc/Codegen/AttentionPrecision.h"
#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Driver/Phases.h"
#include "qcc/Quantization/ChannelStatistics.h"
#include "qcc/Quantization/OutputError.h"
#include "qcc/Quantization/Passes.h"
#include "qcc/Quantization/RangeSearch.h"
#include "qcc/Support/Plural.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace qcc {

/// What is kept of the calibration data to measure layers on.
static constexpr size_t kMostGuardSamples = 32, kMostBudgetSamples = 64,
                        kMostSearchBytes = 64 << 20, kMostRangeSamples = 8;
/// From which noise on (10 dB) balanced channels are tried, and what they must
/// lower it to, as part of it.
static constexpr double kTooNoisy = 0.1, kWorthwhileNoise = 0.6;

/// Whether activations come with scales of the file.
static bool hasScales(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        return isa<qnn::QuantizeOp, qnn::DequantizeOp, qnn::StorageCastOp>(op)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether products have integer factors: dynamically quantized activations,
/// or weights in 8 bits or in blocks, which may still be a dequantization in
/// front of a product of floats.
static bool hasQuantizedProducts(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        bool isQuantized =
            isa<qnn::MatmulIntegerOp, qnn::ConvIntegerOp, qnn::BlockMatmulOp,
                qnn::DynamicDequantizeOp>(op);
        if (auto recurrence = dyn_cast<qnn::RecurrenceOp>(op))
          isQuantized = !isa<FloatType>(
              getElementTypeOrSelf(recurrence.getWeights().getType()));
        return isQuantized ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

static bool hasRanges(const CompileOptions &options) {
  return hasSamples(options) || !options.calibrationTable.empty();
}

bool keepsOwnQuantization(ModuleOp module, const CompileOptions &options) {
  if (hasScales(module))
    return true;
  return options.quantize == QuantizeMode::Auto && !hasRanges(options) &&
         hasQuantizedProducts(module);
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
observeForShapes(ArrayRef<HostTensor> sample, const PTQOptions &ptq,
                 const CompileOptions &options, const ModelRunnerFactory &run,
                 MLIRContext *context) {
  if (ptq.changesModel())
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
    if (succeeded(pm.run(*module)) &&
        succeeded(insertObservers(*module, {}, Observed::Candidates)))
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

namespace {
/// What calibration gives.
struct Calibration {
  CalibrationTable table;
  SplitSamples samples;
  /// At the outputs, with all layers in 8 bits, where it was measured.
  std::optional<double> noise;
  std::unique_ptr<SampleStatistics> statistics;
};
} // namespace

static llvm::Expected<std::vector<InputSpec>>
getSampleSpecs(ModuleOp module, const CompileOptions &options) {
  llvm::Expected<std::vector<InputSpec>> inputs = getInputSpecs(module);
  if (inputs)
    for (InputSpec &input : *inputs)
      input.anyExtents = options.shapes.contains(input.name);
  return inputs;
}

/// What -calib-method= names: several where the outputs shall choose.
static llvm::Expected<SmallVector<RangeOptions>>
parseRangeOptions(const CompileOptions &options) {
  SmallVector<RangeOptions> result;
  SmallVector<RangeMethod> methods;
  if (options.calibrationMethod == "output")
    methods = {RangeMethod::Auto, RangeMethod::MinMax, RangeMethod::Percentile,
               RangeMethod::MSE, RangeMethod::Entropy};
  else if (auto method = parseRangeMethod(options.calibrationMethod))
    methods = {*method};
  else
    return llvm::createStringError(
        "-calib-method=" + options.calibrationMethod +
        ": expected auto, minmax, percentile, entropy, mse or output");
  for (RangeMethod method : methods)
    result.emplace_back().method = method;
  return result;
}

/// Runs the samples: the ranges of the values that can go to 8 bits (those of
/// `known`, if any), and what `ptq` attaches to the layers, of which those of
/// `keepFloat` stay float.
static llvm::Expected<Calibration>
calibrateOnSamples(ModuleOp module, const CalibrationTable *known,
                   ArrayRef<std::string> keepFloat, const PTQOptions &ptq,
                   const CompileOptions &options,
                   const ModelRunnerFactory &run) {
  auto ranges = parseRangeOptions(options);
  if (!ranges)
    return ranges.takeError();
  auto inputs = getSampleSpecs(module, options);
  if (!inputs)
    return inputs.takeError();
  llvm::Expected<std::unique_ptr<Dataset>> dataset =
      openSamples(options, *inputs);
  if (!dataset)
    return dataset.takeError();
  OwningOpRef<ModuleOp> observed(module.clone());
  if (failed(insertObservers(*observed, {}, Observed::Candidates)))
    return llvm::createStringError("the model cannot be observed");
  auto reshape = [&](ArrayRef<HostTensor> sample) {
    return observeForShapes(sample, ptq, options, run, module.getContext());
  };
  bool searches = options.precision == "auto" && !known;
  bool holdsOut = searches && !hasVerification(options);
  HalfDataset half(**dataset);
  RecordedDataset recorded(holdsOut ? half : **dataset,
                           searches ? kMostBudgetSamples : kMostGuardSamples,
                           kMostSearchBytes);
  auto statistics =
      std::make_unique<SampleStatistics>(module, recorded.size(), ptq);
  auto tables = calibrate(*observed, recorded, run, *ranges, reshape,
                          statistics->observer());
  if (!tables)
    return tables.takeError();
  Calibration result;
  auto split = splitSamples(options, *inputs, recorded, half);
  if (!split)
    return split.takeError();
  result.samples = std::move(*split);
  ArrayRef<std::vector<HostTensor>> samples = result.samples.search;
  if (known) {
    result.table = *known;
  } else if (ranges->size() == 1 || samples.empty()) {
    result.table = std::move(tables->front());
  } else {
    auto chosen = chooseRanges(module, *tables,
                               samples.take_front(kMostRangeSamples), run);
    if (!chosen)
      return chosen.takeError();
    result.table = std::move(*chosen);
  }
  statistics->round();
  if (std::string text = statistics->explain(); !text.empty())
    emitRemark(module.getLoc()) << text;
  auto noise = statistics->correct(module, result.table, keepFloat,
                                   result.samples.search, run);
  if (!noise)
    return noise.takeError();
  result.noise = *noise;
  result.statistics = std::move(statistics);
  return result;
}

/// Calibrates, and where the noise at the outputs is too much, tries whether
/// balanced channels have less: then the module becomes the balanced one.
static llvm::Expected<Calibration>
calibrateAutomatically(ModuleOp module, ArrayRef<std::string> keepFloat,
                       const PTQOptions &ptq, const CompileOptions &options,
                       const ModelRunnerFactory &run) {
  OwningOpRef<ModuleOp> balanced(module.clone());
  auto plain =
      calibrateOnSamples(module, nullptr, keepFloat, ptq, options, run);
  if (!plain || !plain->noise || *plain->noise <= kTooNoisy)
    return plain;
  if (equalizeChannels(balanced->lookupSymbol<func::FuncOp>("main"), nullptr,
                       kMigration) == 0)
    return plain;
  auto equalized =
      calibrateOnSamples(*balanced, nullptr, keepFloat, ptq, options, run);
  if (!equalized || *equalized->noise > kWorthwhileNoise * *plain->noise)
    return equalized ? std::move(plain) : std::move(equalized);
  module.getBodyRegion().takeBody(balanced->getBodyRegion());
  emitRemark(module.getLoc())
      << "channels were balanced between layers, which lowers the noise at the "
      << "outputs from "
      << llvm::formatv("{0:f1} to {1:f1}", toDecibels(*plain->noise),
                       toDecibels(*equalized->noise))
             .str()
      << " dB below the signal";
  equalized->table.equalized = true;
  return equalized;
}

static bool correctsBiases(const CalibrationTable &table) {
  return llvm::any_of(table.layers, [](const LayerCorrection &layer) {
    return !layer.biasCorrection.empty();
  });
}

static bool roundsWeights(const CalibrationTable &table) {
  return llvm::any_of(table.layers, [](const LayerCorrection &layer) {
    return !layer.rounding.empty();
  });
}

static llvm::Expected<size_t> countSamples(ModuleOp module,
                                           const CompileOptions &options) {
  auto inputs = getSampleSpecs(module, options);
  if (!inputs)
    return inputs.takeError();
  auto dataset = openSamples(options, *inputs);
  if (!dataset)
    return dataset.takeError();
  return (*dataset)->size();
}

/// Ranges and layers that stay float, from the table's file.
static llvm::Expected<CalibrationTable>
loadRanges(ModuleOp module, const PTQOptions &ptq,
           const CompileOptions &options, const ModelRunnerFactory &run,
           const PrecisionPlan &plan) {
  auto table = CalibrationTable::load(options.calibrationTable);
  if (!table)
    return table;
  if (table->equalized)
    equalizeChannels(module.lookupSymbol<func::FuncOp>("main"), nullptr,
                     kMigration);
  if (options.precision == "auto")
    emitRemark(module.getLoc())
        << "-precision=auto: the layers that are not in 8 bits come from "
        << options.calibrationTable
        << ", and the budget is not measured; remove it to search anew";
  std::vector<std::string> others = listOthers(options, plan, *table).names();
  auto apply = [&](StringRef cause) -> llvm::Error {
    if (llvm::Error error =
            applyCorrections(module, ptq, *table, others, cause))
      return makeError("-calib-table=" + options.calibrationTable + ": " +
                       llvm::toString(std::move(error)));
    return llvm::Error::success();
  };
  if (!hasSamples(options)) {
    if (llvm::Error error = apply("without samples (-calib)"))
      return error;
    return table;
  }
  auto count = countSamples(module, options);
  if (!count)
    return count.takeError();
  // Too few to correct biases anew: what the table says of them, and of weights
  // rounded for them, would be lost.
  if (*count < kFewestCorrectedSamples && ptq.correctBias) {
    std::string few = countOf(*count, "calibration sample");
    bool rounds = roundsWeights(*table), corrects = correctsBiases(*table);
    if (table->ptq == ptq.corrections() && (rounds || corrects)) {
      emitRemark(module.getLoc())
          << "ranges" << (rounds && corrects ? ", " : " and ")
          << (rounds ? "rounded weights" : "")
          << (rounds && corrects ? " and " : "")
          << (corrects ? "corrected biases" : "") << " come from "
          << options.calibrationTable << ", since " << few
          << (*count == 1 ? " is" : " are")
          << " too few to correct biases; remove it to calibrate anew";
      if (llvm::Error error = apply("with so few samples"))
        return error;
      return table;
    }
    if (corrects)
      emitRemark(module.getLoc())
          << "the biases that " << options.calibrationTable
          << " corrects stay as they are: it was made with -ptq=" << table->ptq
          << ", not " << ptq.corrections() << ", and " << few
          << (*count == 1 ? " is" : " are") << " too few to correct them anew";
  }
  emitRemark(module.getLoc())
      << "the ranges come from " << options.calibrationTable
      << "; remove it to calibrate anew";
  if (ptq.needsStatistics())
    if (auto result =
            calibrateOnSamples(module, &*table, others, ptq, options, run);
        !result)
      return result.takeError();
  return table;
}

/// The ranges of the values that can go to 8 bits and the layers that do not:
/// from the table if its file exists, else from the samples. `plan` is the one
/// that a file says, or becomes the one that is measured.
static llvm::Expected<CalibrationTable>
findRanges(ModuleOp module, const PTQOptions &ptq,
           const CompileOptions &options, const ModelRunnerFactory &run,
           ArrayRef<ChannelEntry> channels, PrecisionPlan &plan) {
  if (!options.calibrationTable.empty() &&
      llvm::sys::fs::exists(options.calibrationTable))
    return loadRanges(module, ptq, options, run, plan);
  if (hasSamples(options))
    remarkUnmeasured(module, ptq, options);
  else
    return llvm::createStringError(
        options.calibrationTable.empty()
            ? "-quantize=static needs calibration data: give -calib=PATH (see "
              "docs/calibration.md), or a saved table with -calib-table="
            : "-calib-table=" + options.calibrationTable +
                  ": no such file, and no -calib= to make it from");
  std::vector<std::string> given = listOthers(options, plan, {}).names();
  auto calibration =
      ptq.automatic && options.shapes.empty()
          ? calibrateAutomatically(module, given, ptq, options, run)
          : calibrateOnSamples(module, nullptr, given, ptq, options, run);
  if (!calibration)
    return calibration.takeError();
  CalibrationTable &table = calibration->table;
  // What the last correction needs.
  std::vector<std::vector<HostTensor>> samples = calibration->samples.search;
  auto correct = [&](ArrayRef<std::string> keepFloat) -> llvm::Error {
    return calibration->statistics
        ->correct(module, table, keepFloat, samples, run)
        .takeError();
  };
  llvm::Expected<PrecisionPlan> chosen =
      choosePrecision(module, table, options, std::move(calibration->samples),
                      calibration->noise, correct, run);
  if (!chosen)
    return chosen.takeError();
  if (isMeasured(options))
    plan = std::move(*chosen);
  recordOthers(plan, table);
  // Biases made up for what no longer happens, or for what another choice does.
  if (options.precision == "auto" ||
      (options.precision == "guarded" && !plan.layers.empty()))
    if (llvm::Error e = correct(listOthers(options, plan, table).names()))
      return e;
  if (!options.savePrecision.empty())
    if (llvm::Error e = plan.save(options.savePrecision))
      return e;
  table.channels = channels.vec();
  saveCorrections(module, ptq, table);
  if (!options.calibrationTable.empty())
    if (llvm::Error e = table.save(options.calibrationTable))
      return e;
  return std::move(table);
}

/// What the table says of channels, if its file exists: its ranges and
/// corrections are those of the model that was changed by them, so that they
/// take the place of the samples' even where there are samples.
static llvm::Expected<std::vector<ChannelEntry>>
loadChannels(const CompileOptions &options) {
  if (options.calibrationTable.empty() ||
      !llvm::sys::fs::exists(options.calibrationTable))
    return std::vector<ChannelEntry>();
  auto table = CalibrationTable::load(options.calibrationTable);
  if (!table)
    return table.takeError();
  return std::move(table->channels);
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
    return openSearchSamples(options, *inputs);
  };
  auto channels = loadChannels(options);
  if (!channels)
    return emitError(module.getLoc()) << llvm::toString(channels.takeError());
  bool isFromTable = !channels->empty();
  if (llvm::Error error = prepareWeights(module, *ptq, open, run, *channels))
    return emitError(module.getLoc())
           << (isFromTable ? "-calib-table=" + options.calibrationTable + ": "
                           : "")
           << llvm::toString(std::move(error));
  if (llvm::Error error = loadPlan(module, options, plan))
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  llvm::Expected<CalibrationTable> table =
      findRanges(module, *ptq, options, run, *channels, plan);
  if (!table)
    return emitError(module.getLoc()) << llvm::toString(table.takeError());
  OtherPrecisions others = listOthers(options, plan, *table);
  noteOthers(module, others);
  if (failed(insertObservers(module, others)))
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
  if (!llvm::is_contained({"auto", "float", "int16"}, options.attention))
    return emitError(module.getLoc()) << "-attention=" << options.attention
                                      << ": expected auto, float or int16";
  if (options.attention != "auto")
    module->setAttr(kAttentionAttr,
                    StringAttr::get(module.getContext(), options.attention));
  bool ownScales = hasScales(module);
  bool keepsOwn = keepsOwnQuantization(module, options);
  bool isCalibrated = hasRanges(options);
  if (failed(runPipeline(module, [&](OpPassManager &pm) {
        buildFloatPipeline(pm, options, run);
      })))
    return failure();

  QuantizeMode mode = options.quantize;
  // Weights go to 16 bits in the end, and nothing to 8.
  if (narrowsWeights(options)) {
    if (isCalibrated || mode == QuantizeMode::Static ||
        mode == QuantizeMode::Dynamic)
      return emitError(module.getLoc())
             << "-precision=" << options.precision
             << " stores float weights in 16 bits and quantizes nothing; it "
                "goes with no calibration data and no -quantize=static or "
                "dynamic";
    if (mode == QuantizeMode::Auto)
      mode = QuantizeMode::None;
  }
  if (namesPlan(options) && !isCalibrated) {
    if (mode == QuantizeMode::Dynamic || mode == QuantizeMode::WeightOnly)
      return emitError(module.getLoc())
             << "-precision=" << options.precision
             << ": a plan is for static quantization or for none; leave "
                "-quantize= out";
    if (mode == QuantizeMode::Auto)
      mode = QuantizeMode::None;
  }
  // Where a search was asked for, there is an error below.
  bool searches = options.precision == "auto";
  if (keepsOwn && mode != QuantizeMode::None) {
    if (!searches && (isCalibrated || mode != QuantizeMode::Auto))
      emitRemark(module.getLoc())
          << "the model is quantized already; its own scales are kept";
    else if (!searches && !ownScales)
      emitRemark(module.getLoc())
          << "products of the model are quantized already; what it computes in "
             "float stays float; -quantize=dynamic quantizes large products of "
             "that, too";
    mode = QuantizeMode::None;
  }
  if (mode == QuantizeMode::Auto && !isCalibrated && !searches)
    emitRemark(module.getLoc())
        << "no calibration data (-calib): large matrix products and recurrent "
           "layers get int8 "
           "weights and dynamic activations, the rest stays float; "
           "-quantize=none keeps all of it float";
  if (mode == QuantizeMode::Auto)
    mode = isCalibrated ? QuantizeMode::Static : QuantizeMode::Dynamic;

  if (llvm::Error error = checkBudget(options, mode, ownScales))
    return emitError(module.getLoc()) << llvm::toString(std::move(error));

  PrecisionPlan unused;
  if (mode == QuantizeMode::Static &&
      failed(quantizeStatic(module, options, run, runPipeline,
                            plan ? *plan : unused)))
    return failure();
  if (mode == QuantizeMode::None &&
      failed(applyFloatPlan(module, options, plan ? *plan : unused)))
    return failure();
  if (mode == QuantizeMode::WeightOnly &&
      failed(runPipeline(module, [&](OpPassManager &pm) {
        QuantizeBlocksOptions blocks;
        blocks.bits = options.blocks.bits;
        blocks.block = options.blocks.block;
        blocks.int8Input = options.blocks.int8Activations;
        pm.addPass(createQuantizeBlocks(blocks));
      })))
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
