//===- Precision.cpp - Which layers of a model go to 8 bits ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Precision.h"

#include "PTQ.h"

#include "qcc/Driver/Targets.h"
#include "qcc/Quantization/Passes.h"
#include "qcc/Quantization/PrecisionSearch.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace qcc {

/// Multiplications that measuring one setting, and all of them, may take.
static constexpr double kSettingProducts = 1e9, kGuardProducts = 3e10;

void remarkUnmeasured(ModuleOp module, const PTQOptions &ptq,
                      const CompileOptions &options) {
  bool measures = ptq.correctBias || options.precision == "guarded" ||
                  options.calibrationMethod == "output";
  // A budget that needs such outputs is refused by itself.
  measures &= options.precision != "auto" || options.maxDrop.empty() ||
              StringRef(options.maxDrop).starts_with("metric");
  auto main = module.lookupSymbol<func::FuncOp>("main");
  llvm::StringMap<unsigned> usedIds;
  if (!measures || QuantizationSites(main, usedIds).layers().empty() ||
      !ComparedOutputs::get(main).signals.empty())
    return;
  emitRemark(module.getLoc())
      << "no output is of floats that quantization can change: "
      << describeOutputs(main)
      << "; the noise there is unknown, so that biases are not corrected and "
         "noisy layers not kept out of 8 bits; -outputs=NAME,... compiles the "
         "model up to the floats in front of them";
}

ModelRunnerFactory createSimulationFactory(const CompileOptions &options,
                                           const ModelRunnerFactory &run) {
  return [&options, &run](
             ModuleOp module) -> llvm::Expected<std::unique_ptr<ModelRunner>> {
    OwningOpRef<ModuleOp> copy(module.clone());
    PassManager pm(module.getContext(), ModuleOp::getOperationName());
    pm.addPass(createQuantizeWeights({weightClip(options)}));
    pm.addPass(createQuantizeRecurrence());
    buildLegalizePipeline(pm, run);
    if (failed(pm.run(*copy)))
      return makeError("the layers cannot be measured");
    return run(*copy);
  };
}

/// The noise of a layer in 8 bits, by the signal at the outputs, up to which 16
/// do (6 dB). Beyond it, values have vanished between the steps of 8 bits, and
/// how many those of 16 keep does not follow from the noise.
static constexpr double kMostNoiseForInt16 = 0.25;

/// Whether products of 16 bits are faster than those of floats on all levels.
static bool hasFastInt16(const CompileOptions &options) {
  auto target = resolveTarget(options.target);
  if (!target) { // reported where code is emitted
    llvm::consumeError(target.takeError());
    return false;
  }
  return llvm::all_of(target->levels, [&](unsigned level) {
    return target->backend->levels()[level].hasInt16Dot;
  });
}

llvm::Expected<PrecisionPlan>
guardPrecision(ModuleOp module, const CalibrationTable &table,
               const CompileOptions &options,
               std::vector<std::vector<HostTensor>> samples,
               std::optional<double> noise, const ModelRunnerFactory &run) {
  GuardOptions guard;
  if (samples.empty() || (noise && *noise <= guard.acceptedNoise))
    return PrecisionPlan();
  auto simulation =
      Simulation::create(module, table, createSimulationFactory(options, run));
  if (!simulation)
    return simulation.takeError();
  llvm::ArrayRef<Simulation::Layer> layers = (*simulation)->layers();
  if (layers.empty())
    return PrecisionPlan();
  double products = 0;
  for (const Simulation::Layer &layer : layers)
    products += double(layer.products);
  auto wanted = size_t(std::max(kSettingProducts / products, 2.0));
  samples.resize(std::min(samples.size(), wanted));
  guard.candidates = size_t(
      std::max(kGuardProducts / (products * double(samples.size())), 8.0));
  auto search = PrecisionSearch::create(
      **simulation,
      ComparedOutputs::get(module.lookupSymbol<func::FuncOp>("main")),
      std::move(samples));
  if (!search)
    return search.takeError();
  auto noisy = findNoisyLayers(*search, guard);
  if (!noisy)
    return noisy.takeError();
  PrecisionPlan plan;
  bool hasInt16 = hasFastInt16(options);
  for (const NoisyLayer &layer : *noisy) {
    LayerPrecision entry;
    entry.name = layers[layer.index].name;
    bool isInt16 = hasInt16 && layers[layer.index].hasInt16Form &&
                   layer.noise <= kMostNoiseForInt16;
    entry.precision = isInt16 ? Precision::Int16 : Precision::Float;
    entry.noiseDecibels = toDecibels(layer.noise);
    entry.reason = "8 bits of it alone spoil the outputs";
    emitRemark(module.getLoc())
        << "layer '" << entry.name << "' "
        << (isInt16 ? "takes 16 bits" : "stays float")
        << ": in 8 bits its noise at the outputs would be "
        << llvm::formatv("{0:f1}", entry.noiseDecibels).str()
        << " dB below the signal; -precision=int8 quantizes it all the same";
    plan.layers.push_back(std::move(entry));
  }
  return plan;
}

llvm::Expected<PrecisionPlan>
choosePrecision(ModuleOp module, const CalibrationTable &table,
                const CompileOptions &options, SplitSamples samples,
                std::optional<double> noise, BiasFitter correct,
                const ModelRunnerFactory &run) {
  if (options.precision == "guarded")
    return guardPrecision(module, table, options, std::move(samples.search),
                          noise, run);
  if (options.precision == "auto")
    return searchPrecision(module, table, options, std::move(samples), correct,
                           run);
  return PrecisionPlan();
}

} // namespace qcc
