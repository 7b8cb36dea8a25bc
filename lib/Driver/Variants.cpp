//===- Variants.cpp - A model with some layers in 8 bits ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Variants.h"

#include "PTQ.h"
#include "TargetRunner.h"

#include "qcc/Quantization/Passes.h"
#include "qcc/Support/Clock.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace qcc;

/// Runs of each variant: at least these, and more of fast ones.
static constexpr unsigned kFewestRuns = 7, kMostRuns = 200;
static constexpr double kTimingSeconds = 0.3;

/// Calls `body` until it has been measured well enough.
static llvm::Error repeat(llvm::function_ref<llvm::Error()> body) {
  double start = wallSeconds();
  for (unsigned i = 0;
       i < kMostRuns &&
       (i < kFewestRuns || wallSeconds() - start < kTimingSeconds);
       ++i)
    if (llvm::Error error = body())
      return error;
  return llvm::Error::success();
}

/// What is no file of code counts as the library that it would become.
static EmitKind artefactKind(const CompileOptions &options) {
  StringRef extension = llvm::sys::path::extension(options.output);
  EmitKind kind =
      options.emit.value_or(extension == ".o"   ? EmitKind::Object
                            : extension == ".a" ? EmitKind::Archive
                                                : EmitKind::SharedLibrary);
  bool isCode = kind == EmitKind::Object || kind == EmitKind::Archive;
  return isCode ? kind : EmitKind::SharedLibrary;
}

/// The sizes of the artefact that `legalized` becomes.
static llvm::Expected<ArtefactSizes>
measureArtefact(ModuleOp legalized, const CompileOptions &options) {
  llvm::SmallString<128> path;
  int descriptor;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("qcc", "size", descriptor, path))
    return makeError("cannot create a temporary file: " + code.message());
  llvm::FileRemover remover(path);
  llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true).close();
  CompileOptions own = options;
  own.emit = artefactKind(options);
  ArtefactSizes sizes;
  if (failed(emitModule(legalized, own, path.str().str(), sizes)) ||
      llvm::sys::fs::file_size(path, sizes.fileBytes))
    return makeError("the size of the artefact is unknown");
  return sizes;
}

/// Where times are modelled, the best level of this machine computes: integers
/// are the same on all levels, and what one rounds can be rounded on another.
llvm::Error VariantCompiler::addRunners(ModuleOp legalized,
                                        Variant &variant) const {
  if (!basis.isModelled()) {
    auto runners = basis.compile(legalized);
    if (!runners)
      return runners.takeError();
    variant.runner = std::move(runners->all);
    variant.timed = std::move(runners->timed);
    return llvm::Error::success();
  }
  OwningOpRef<ModuleOp> imitation;
  if (basis.multipliesBF16()) {
    auto imitated = basis.imitate(legalized);
    if (!imitated)
      return imitated.takeError();
    imitation = std::move(*imitated);
  }
  auto runner = run(imitation ? *imitation : legalized);
  if (!runner)
    return runner.takeError();
  variant.runner = std::move(*runner);
  auto steps = basis.model(legalized);
  if (!steps)
    return steps.takeError();
  variant.modelled = std::move(*steps);
  return llvm::Error::success();
}

llvm::Expected<Variant> VariantCompiler::compile(const OtherPrecisions &others,
                                                 bool measureSizes) const {
  ModuleOp source = module;
  OwningOpRef<ModuleOp> copy(source.clone());
  PassManager pm(source.getContext(), ModuleOp::getOperationName());
  pm.addPass(createQuantizeWeights({weightClip(options)}));
  pm.addPass(createQuantizeRecurrence());
  buildLegalizePipeline(pm, run);
  if (failed(insertObservers(*copy, others)) ||
      failed(applyCalibration(*copy, table)) || failed(pm.run(*copy)))
    return makeError("the model cannot be quantized");
  Variant variant;
  if (llvm::Error error = addRunners(*copy, variant))
    return std::move(error);
  if (measureSizes) {
    auto sizes = measureArtefact(*copy, options);
    if (!sizes)
      return sizes.takeError();
    variant.sizes = *sizes;
  }
  if (llvm::Error error = time({&variant}))
    return error;
  return variant;
}

llvm::Error
VariantCompiler::time(std::initializer_list<Variant *> variants) const {
  if (basis.isModelled()) {
    for (Variant *variant : variants) {
      variant->seconds = 0;
      for (const StepTime &step : variant->modelled)
        variant->seconds += step.seconds;
    }
    return llvm::Error::success();
  }
  for (Variant *variant : variants)
    variant->seconds = std::numeric_limits<double>::infinity();
  // What else the machine does takes no time of a thread that computes alone.
  auto *seconds = basis.isOneThread() ? threadSeconds : wallSeconds;
  return repeat([&]() -> llvm::Error {
    for (Variant *variant : variants) {
      double start = seconds();
      auto outputs = variant->timed->run(sample);
      if (!outputs)
        return outputs.takeError();
      variant->seconds = std::min(variant->seconds, seconds() - start);
    }
    return llvm::Error::success();
  });
}

/// "lstm:1" -> "lstm": layers of one node are numbered.
static StringRef nodeOf(StringRef layer) {
  auto [node, number] = layer.rsplit(':');
  unsigned index;
  return number.empty() || number.getAsInteger(10, index) ? layer : node;
}

/// The time of a node that became several layers is shared by their products.
static std::vector<double> sumByLayer(ArrayRef<StepTime> steps,
                                      ArrayRef<Simulation::Layer> layers) {
  llvm::StringMap<std::vector<unsigned>> indices;
  for (auto [i, layer] : llvm::enumerate(layers)) {
    indices[layer.name].push_back(unsigned(i));
    if (StringRef node = nodeOf(layer.name); node != layer.name)
      indices[node].push_back(unsigned(i));
  }
  std::vector<double> times(layers.size(), 0);
  ArrayRef<unsigned> current;
  for (const StepTime &step : steps) {
    SmallVector<StringRef> nodes;
    StringRef(step.nodes).split(nodes, ", ");
    for (StringRef node : nodes)
      if (auto it = indices.find(node); it != indices.end())
        current = it->second;
    double products = 0;
    for (unsigned i : current)
      products += double(layers[i].products);
    for (unsigned i : current)
      times[i] += step.seconds * double(layers[i].products) / products;
  }
  return times;
}

llvm::Expected<std::vector<std::vector<double>>>
VariantCompiler::timeLayers(std::initializer_list<const Variant *> variants,
                            ArrayRef<Simulation::Layer> layers) const {
  if (basis.isModelled()) {
    std::vector<std::vector<double>> times;
    for (const Variant *variant : variants)
      times.push_back(sumByLayer(variant->modelled, layers));
    return times;
  }
  std::vector<std::vector<StepTime>> best(variants.size());
  llvm::Error failed = repeat([&]() -> llvm::Error {
    for (auto [fastest, variant] : llvm::zip_equal(best, variants)) {
      auto steps = variant->timed->profile(sample);
      if (!steps)
        return steps.takeError();
      if (fastest.empty())
        fastest = *steps;
      for (auto [least, step] : llvm::zip_equal(fastest, *steps))
        least.seconds = std::min(least.seconds, step.seconds);
    }
    return llvm::Error::success();
  });
  if (failed)
    return std::move(failed);
  std::vector<std::vector<double>> times;
  for (const std::vector<StepTime> &steps : best)
    times.push_back(sumByLayer(steps, layers));
  return times;
}
