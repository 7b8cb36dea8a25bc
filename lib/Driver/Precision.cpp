//===- Precision.cpp - Which layers of a model go to 8 bits ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Precision.h"

#include "qcc/Quantization/Passes.h"
#include "qcc/Quantization/PrecisionSearch.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace qcc {

/// Multiplications that measuring one setting, and all of them, may take.
static constexpr double kSettingProducts = 1e9, kGuardProducts = 3e10;

/// Compiles a simulation: its quantized twins compute on integers.
static ModelRunnerFactory
createSimulationFactory(const ModelRunnerFactory &run) {
  return
      [&run](ModuleOp module) -> llvm::Expected<std::unique_ptr<ModelRunner>> {
        OwningOpRef<ModuleOp> copy(module.clone());
        PassManager pm(module.getContext(), ModuleOp::getOperationName());
        pm.addPass(createQuantizeWeights());
        buildLegalizePipeline(pm, run);
        if (failed(pm.run(*copy)))
          return makeError("the layers cannot be measured");
        return run(*copy);
      };
}

llvm::Expected<std::vector<std::string>>
guardPrecision(ModuleOp module, const CalibrationTable &table,
               std::vector<std::vector<HostTensor>> samples,
               const ModelRunnerFactory &run) {
  auto simulation =
      Simulation::create(module, table, createSimulationFactory(run));
  if (!simulation)
    return simulation.takeError();
  llvm::ArrayRef<Simulation::Layer> layers = (*simulation)->layers();
  if (layers.empty())
    return std::vector<std::string>();
  double products = 0;
  for (const Simulation::Layer &layer : layers)
    products += double(layer.products);
  auto wanted = size_t(std::max(kSettingProducts / products, 2.0));
  samples.resize(std::min(samples.size(), wanted));
  GuardOptions guard;
  guard.candidates = size_t(
      std::max(kGuardProducts / (products * double(samples.size())), 8.0));
  auto search = PrecisionSearch::create(**simulation, std::move(samples));
  if (!search)
    return search.takeError();
  auto noisy = findNoisyLayers(*search, guard);
  if (!noisy)
    return noisy.takeError();
  std::vector<std::string> names;
  for (const NoisyLayer &layer : *noisy) {
    names.push_back(layers[layer.index].name);
    emitRemark(module.getLoc())
        << "layer '" << names.back() << "' stays float: in 8 bits its noise at "
        << "the outputs would be "
        << llvm::formatv("{0:f1}", toDecibels(layer.noise)).str()
        << " dB below the signal; -precision=int8 quantizes it all the same";
  }
  return names;
}

} // namespace qcc
