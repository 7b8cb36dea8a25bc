//===- AutoPrecision.cpp - Precisions under a budget ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PTQ.h"
#include "Precision.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Quantization/Budget.h"
#include "qcc/Quantization/Passes.h"
#include "qcc/Quantization/PrecisionSearch.h"
#include "qcc/Support/Progress.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/Support/FormatVariadic.h"

#include <chrono>

using namespace mlir;

namespace qcc {

/// Multiplications that measuring one setting may take.
static constexpr double kSettingProducts = 4e9;
static constexpr size_t kFewestSamples = 4, kMostSamples = 64;
/// Each step of the search allows this part of the loss that the one before
/// did.
static constexpr double kTightening = 0.75;
static constexpr unsigned kMostSteps = 32, kMostVerifications = 8;
static constexpr unsigned kTimedRuns = 7;

namespace {

/// One way to compile the model, and what it is like.
struct Variant {
  std::unique_ptr<ModelRunner> runner;
  double seconds = 0; ///< of an inference, the fastest of some
};

class BudgetSearch {
public:
  BudgetSearch(ModuleOp module, const CalibrationTable &table,
               const CompileOptions &options, const ModelRunnerFactory &run,
               SplitSamples samples)
      : module(module), table(table), options(options), run(run),
        samples(std::move(samples)) {}

  llvm::Expected<PrecisionPlan> search();

private:
  llvm::Error readBudgets();
  llvm::Error measureLayers();
  llvm::Error measureCosts();
  llvm::Expected<Variant> compile(const llvm::BitVector &keepFloat);
  llvm::Expected<double> measureLoss(const llvm::BitVector &keepFloat) const;
  llvm::Expected<BoundedMean> verify(ModelRunner &runner) const;
  int64_t countBytes(const llvm::BitVector &keepFloat) const;
  std::string missedLimit(const Variant &variant,
                          const llvm::BitVector &keepFloat) const;
  llvm::Error settle(Variant &chosen, llvm::BitVector &keepFloat,
                     const BoundedMean &loss);
  PrecisionPlan makePlan(const llvm::BitVector &keepFloat) const;

  ModuleOp module;
  const CalibrationTable &table;
  const CompileOptions &options;
  const ModelRunnerFactory &run;
  SplitSamples samples;

  std::optional<DropBudget> budget;
  double maxSeconds = 0, maxBytes = 0; ///< 0: no limit
  std::unique_ptr<Simulation> simulation;
  std::optional<PrecisionSearch> layerSearch;
  std::vector<OutputError> errors; ///< of each layer alone in 8 bits
  std::vector<double> losses;      ///< the same in the budget's metric
  std::vector<double> floatSeconds, int8Seconds; ///< by layer
  Variant allFloat, allInt8;
};

} // namespace

static llvm::Expected<double> parsePositive(StringRef option, StringRef text) {
  double value;
  if (text.getAsDouble(value) || !std::isfinite(value) || value <= 0)
    return makeError("-" + option + "=" + text + ": expected a number above 0");
  return value;
}

llvm::Error BudgetSearch::readBudgets() {
  if (options.maxDrop.empty() && options.maxLatency.empty() &&
      options.maxSize.empty())
    return makeError("-precision=auto needs a budget: -max-drop=, "
                     "-max-latency= or -max-size=");
  if (!options.maxDrop.empty()) {
    auto parsed = DropBudget::parse(options.maxDrop);
    if (!parsed)
      return parsed.takeError();
    budget = std::move(*parsed);
  }
  if (!options.maxLatency.empty()) {
    auto milliseconds = parsePositive("max-latency", options.maxLatency);
    if (!milliseconds)
      return milliseconds.takeError();
    maxSeconds = *milliseconds / 1000;
  }
  if (!options.maxSize.empty()) {
    auto bytes = parsePositive("max-size", options.maxSize);
    if (!bytes)
      return bytes.takeError();
    maxBytes = *bytes;
  }
  if (samples.search.empty() || samples.heldOut.empty())
    return makeError(
        "-precision=auto needs samples to search on and others to "
        "verify on: at least two calibration samples, or -verify=");
  if (!budget || (budget->metric != DropMetric::Top1 &&
                  budget->metric != DropMetric::Agreement))
    return llvm::Error::success();
  if (budget->metric == DropMetric::Top1 &&
      samples.labels.size() != samples.heldOut.size())
    return makeError("-max-drop=" + budget->text +
                     ": top-1 needs the classes of the samples: give "
                     "-verify=FILE.npz with an array 'labels', or use "
                     "agreement, kl or sqnr");
  double finest = finestRate(samples.heldOut.size());
  if (finest > budget->limit)
    return makeError(
        llvm::formatv("-max-drop={0}: {1} held-out samples can confirm no rate "
                      "below {2:f1} %; give more with -verify=, or use kl or "
                      "sqnr, which are finer",
                      budget->text, samples.heldOut.size(), 100 * finest)
            .str());
  return llvm::Error::success();
}

/// The compiled model where these layers stay float, as it will be emitted.
llvm::Expected<Variant>
BudgetSearch::compile(const llvm::BitVector &keepFloat) {
  OwningOpRef<ModuleOp> copy(module.clone());
  llvm::StringSet<> names;
  for (unsigned i : keepFloat.set_bits())
    names.insert(simulation->layers()[i].name);
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  pm.addPass(createQuantizeWeights({weightClip(options)}));
  buildLegalizePipeline(pm, run);
  if (failed(insertObservers(*copy, names)) ||
      failed(applyCalibration(*copy, table)) || failed(pm.run(*copy)))
    return makeError("the model cannot be quantized");
  auto runner = run(*copy);
  if (!runner)
    return runner.takeError();
  Variant variant;
  variant.runner = std::move(*runner);
  for (unsigned i = 0; i < kTimedRuns; ++i) {
    auto start = std::chrono::steady_clock::now();
    auto outputs = variant.runner->run(samples.search.front());
    if (!outputs)
      return outputs.takeError();
    double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    variant.seconds = i == 0 ? seconds : std::min(variant.seconds, seconds);
  }
  return variant;
}

/// The loss of a layer that adds up over layers, nearly: a rate of changed
/// classes does not, so that the divergence stands for it.
static double additiveLoss(const OutputError &error,
                           const std::optional<DropBudget> &budget) {
  if (!budget || budget->metric == DropMetric::Noise)
    return error.noise;
  return budget->metric == DropMetric::Angle ? error.angle : error.divergence;
}

llvm::Error BudgetSearch::measureLayers() {
  auto created =
      Simulation::create(module, table, createSimulationFactory(options, run));
  if (!created)
    return created.takeError();
  simulation = std::move(*created);
  double products = 1;
  std::vector<unsigned> all;
  for (auto [i, layer] : llvm::enumerate(simulation->layers())) {
    products += double(layer.products);
    all.push_back(unsigned(i));
  }
  auto few = size_t(std::clamp(kSettingProducts / products,
                               double(kFewestSamples), double(kMostSamples)));
  auto created2 = PrecisionSearch::create(
      *simulation, {samples.search.begin(),
                    samples.search.begin() +
                        ptrdiff_t(std::min(few, samples.search.size()))});
  if (!created2)
    return created2.takeError();
  layerSearch.emplace(std::move(*created2));
  auto measured = layerSearch->measureLayers(all);
  if (!measured)
    return measured.takeError();
  errors = std::move(*measured);
  for (const OutputError &error : errors)
    losses.push_back(additiveLoss(error, budget));
  return llvm::Error::success();
}

/// Times of the steps of a variant by the layer that they belong to. A step
/// without a layer's node (an activation, a conversion) goes with the one in
/// front of it.
static llvm::Expected<std::vector<double>>
measureSteps(ModelRunner &runner, ArrayRef<HostTensor> inputs,
             ArrayRef<Simulation::Layer> layers) {
  llvm::StringMap<unsigned> indices;
  for (auto [i, layer] : llvm::enumerate(layers))
    indices[layer.name] = unsigned(i);
  std::vector<StepTime> best;
  for (unsigned run = 0; run < kTimedRuns; ++run) {
    auto steps = runner.profile(inputs);
    if (!steps)
      return steps.takeError();
    if (best.empty())
      best = *steps;
    for (auto [least, step] : llvm::zip_equal(best, *steps))
      least.seconds = std::min(least.seconds, step.seconds);
  }
  std::vector<double> times(layers.size(), 0);
  std::optional<unsigned> current;
  for (const StepTime &step : best) {
    SmallVector<StringRef> nodes;
    StringRef(step.nodes).split(nodes, ", ");
    for (StringRef node : nodes)
      if (auto it = indices.find(node); it != indices.end())
        current = it->second;
    if (current)
      times[*current] += step.seconds;
  }
  return times;
}

llvm::Error BudgetSearch::measureCosts() {
  llvm::BitVector none(losses.size(), false), all(losses.size(), true);
  for (auto [variant, keepFloat, seconds] :
       {std::tuple(&allInt8, &none, &int8Seconds),
        std::tuple(&allFloat, &all, &floatSeconds)}) {
    auto compiled = compile(*keepFloat);
    if (!compiled)
      return compiled.takeError();
    *variant = std::move(*compiled);
    auto times = measureSteps(*variant->runner, samples.search.front(),
                              simulation->layers());
    if (!times)
      return times.takeError();
    *seconds = std::move(*times);
  }
  return llvm::Error::success();
}

/// The budget's loss on the samples of the search.
llvm::Expected<double>
BudgetSearch::measureLoss(const llvm::BitVector &keepFloat) const {
  auto error = layerSearch->measure(keepFloat);
  if (!error)
    return error.takeError();
  // Samples whose class does not change lose nothing in top-1.
  if (budget->metric == DropMetric::Top1 ||
      budget->metric == DropMetric::Agreement)
    return error->disagreement;
  return additiveLoss(*error, budget);
}

/// The budget's loss on the samples that nothing was chosen on.
llvm::Expected<BoundedMean> BudgetSearch::verify(ModelRunner &runner) const {
  std::vector<double> values;
  for (auto [i, sample] : llvm::enumerate(samples.heldOut)) {
    auto wanted = allFloat.runner->run(sample);
    if (!wanted)
      return wanted.takeError();
    auto found = runner.run(sample);
    if (!found)
      return found.takeError();
    if (budget->metric == DropMetric::Top1) {
      int64_t label = samples.labels[i];
      values.push_back(double(chosenClasses(*wanted).front() == label) -
                       double(chosenClasses(*found).front() == label));
      continue;
    }
    OutputError error = compareOutputs(*wanted, *found);
    values.push_back(budget->metric == DropMetric::Agreement
                         ? error.disagreement
                         : additiveLoss(error, budget));
  }
  bool isRate = budget->metric == DropMetric::Top1 ||
                budget->metric == DropMetric::Agreement;
  return boundMean(values, isRate);
}

int64_t BudgetSearch::countBytes(const llvm::BitVector &keepFloat) const {
  int64_t bytes = 0;
  for (auto [i, layer] : llvm::enumerate(simulation->layers()))
    bytes += layer.weights * (keepFloat.test(unsigned(i)) ? 4 : 1);
  return bytes;
}

/// Which limit the variant does not keep, in words; empty if it keeps all.
std::string BudgetSearch::missedLimit(const Variant &variant,
                                      const llvm::BitVector &keepFloat) const {
  if (maxSeconds != 0 && variant.seconds > maxSeconds)
    return llvm::formatv("-max-latency={0}: takes {1:f3} ms",
                         options.maxLatency, 1000 * variant.seconds);
  if (maxBytes != 0 && double(countBytes(keepFloat)) > maxBytes)
    return llvm::formatv("-max-size={0}: has {1} bytes of weights",
                         options.maxSize, countBytes(keepFloat));
  return {};
}

PrecisionPlan BudgetSearch::makePlan(const llvm::BitVector &keepFloat) const {
  PrecisionPlan plan;
  for (auto [i, layer] : llvm::enumerate(simulation->layers())) {
    LayerPrecision entry;
    entry.name = layer.name;
    entry.isFloat = keepFloat.test(unsigned(i));
    entry.noiseDecibels = toDecibels(errors[i].noise);
    entry.floatMicroseconds = 1e6 * floatSeconds[i];
    entry.int8Microseconds = 1e6 * int8Seconds[i];
    if (entry.isFloat)
      entry.reason = int8Seconds[i] >= floatSeconds[i]
                         ? "8 bits are not faster"
                         : "8 bits lose too much for the time they save";
    plan.layers.push_back(std::move(entry));
  }
  return plan;
}

llvm::Expected<PrecisionPlan> BudgetSearch::search() {
  if (llvm::Error error = readBudgets())
    return error;
  if (llvm::Error error = measureLayers())
    return error;
  if (llvm::Error error = measureCosts())
    return error;

  std::vector<double> gains;
  double total = 0;
  for (size_t i = 0; i < losses.size(); ++i) {
    gains.push_back(floatSeconds[i] - int8Seconds[i]);
    total += losses[i];
  }
  // From all of the loss downwards until the budget holds; where only time or
  // size is limited, upwards until that holds.
  llvm::BitVector tried;
  std::string problem = "the budget holds for no setting";
  unsigned verifications = 0;
  for (unsigned step = 0; step <= kMostSteps; ++step) {
    unsigned power = budget ? step : kMostSteps - step;
    double allowed = power == kMostSteps && budget
                         ? 0
                         : total * std::pow(kTightening, power);
    llvm::BitVector keepFloat = chooseFloatLayers(losses, gains, allowed);
    if (keepFloat == tried)
      continue;
    tried = keepFloat;
    if (budget) {
      auto loss = measureLoss(keepFloat);
      if (!loss)
        return loss.takeError();
      if (*loss > budget->limit && !keepFloat.all())
        continue;
      if (++verifications > kMostVerifications)
        keepFloat.set();
    }
    auto variant = compile(keepFloat);
    if (!variant)
      return variant.takeError();
    BoundedMean loss;
    if (budget) {
      auto verified = verify(*variant->runner);
      if (!verified)
        return verified.takeError();
      loss = *verified;
      if (loss.upper > budget->limit && !keepFloat.all())
        continue;
    }
    std::string missed = missedLimit(*variant, keepFloat);
    if (!missed.empty()) {
      problem = missed + (budget ? " where -max-drop=" + budget->text + " holds"
                                 : " with all layers in 8 bits");
      if (budget)
        break; // A tighter loss only takes longer.
      continue;
    }
    if (llvm::Error error = settle(*variant, keepFloat, loss))
      return error;
    return makePlan(keepFloat);
  }
  std::string text = problem;
  if (budget) {
    auto plain = verify(*allInt8.runner);
    if (!plain)
      return plain.takeError();
    text += llvm::formatv("; with all layers in 8 bits it is {0:f3} ms and {1} "
                          "bytes of weights, {2}",
                          1000 * allInt8.seconds,
                          countBytes(llvm::BitVector(losses.size(), false)),
                          budget->describe(plain->mean));
  }
  return makeError("the budget cannot be kept: " + text);
}

/// Falls back to float where the choice is not faster, and says what was
/// chosen.
llvm::Error BudgetSearch::settle(Variant &chosen, llvm::BitVector &keepFloat,
                                 const BoundedMean &loss) {
  std::string text;
  if (chosen.seconds > allFloat.seconds && maxBytes == 0 && !keepFloat.all()) {
    keepFloat.set();
    text = llvm::formatv("all layers stay float: 8 bits take {0:f3} ms, float "
                         "{1:f3} ms",
                         1000 * chosen.seconds, 1000 * allFloat.seconds);
  } else {
    text = llvm::formatv("{0} of {1} layers in 8 bits: {2:f3} ms (all float "
                         "{3:f3} ms, all 8 bits {4:f3} ms)",
                         keepFloat.size() - keepFloat.count(), keepFloat.size(),
                         1000 * chosen.seconds, 1000 * allFloat.seconds,
                         1000 * allInt8.seconds);
    if (budget)
      text += llvm::formatv("; {0} on {1} held-out samples, {2} at 95 % "
                            "confidence",
                            budget->describe(loss.mean), samples.heldOut.size(),
                            budget->describe(loss.upper));
  }
  emitRemark(module.getLoc()) << text;
  return llvm::Error::success();
}

llvm::Expected<PrecisionPlan> searchPrecision(ModuleOp module,
                                              const CalibrationTable &table,
                                              const CompileOptions &options,
                                              SplitSamples samples,
                                              const ModelRunnerFactory &run) {
  return BudgetSearch(module, table, options, run, std::move(samples)).search();
}

} // namespace qcc
