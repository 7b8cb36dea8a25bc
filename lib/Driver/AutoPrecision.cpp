//===- AutoPrecision.cpp - Precisions under a budget ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BudgetSearch.h"

#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Quantization/PrecisionSearch.h"
#include "qcc/Support/Plural.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;

namespace qcc {

/// Multiplications that measuring one setting may take.
static constexpr double kSettingProducts = 4e9;
static constexpr size_t kFewestSamples = 4, kMostSamples = 64;
/// What 16 bits must lower the time of a layer to, as part of that of float.
static constexpr double kFasterThanFloat = 0.9;
/// Keeping a region float must make the model faster by this part.
static constexpr double kWorthwhile = 0.01;
/// How often weights in 16 bits are chosen anew for the size that was measured.
static constexpr unsigned kMostCorrected = 3;

llvm::Error BudgetSearch::prepare() {
  auto parsed = Budgets::parse(options);
  if (!parsed)
    return parsed.takeError();
  budgets = std::move(*parsed);
  if (basis.isModelled() && budgets.seconds != 0)
    return makeError("-max-latency=" + options.maxLatency + ": " +
                     basis.explain() +
                     ", which compares choices but tells no milliseconds of "
                     "the target; search on a machine that can run it, or "
                     "limit -max-drop=, -max-size= or -max-ram=");
  if (std::string text = basis.explain(); !text.empty())
    emitRemark(module.getLoc()) << text;
  if (samples.search.empty() || samples.heldOut.inputs.empty())
    return makeError(
        "-precision=auto needs samples to search on and others to "
        "verify on: at least two calibration samples, or -verify=");
  auto main = module.lookupSymbol<func::FuncOp>("main");
  compared = ComparedOutputs::get(main);
  // Where nothing can be quantized, nothing is lost.
  llvm::StringMap<unsigned> usedIds;
  QuantizationSites sites(main, usedIds);
  if (!budgets.drop || (sites.ops().empty() && sites.recurrentLayers().empty()))
    return llvm::Error::success();
  if (llvm::Error error = checkOutputs(*budgets.drop, compared, main))
    return error;
  auto created =
      Verification::create(*budgets.drop, compared, samples.heldOut, options);
  if (!created)
    return created.takeError();
  verification.emplace(std::move(*created));
  if (llvm::Error error = verification->checkResolution())
    return error;
  // Neither labels nor values of a caller's metric are known for the others.
  if (budgets.drop->metric == DropMetric::TopK ||
      budgets.drop->metric == DropMetric::User)
    return llvm::Error::success();
  searchSamples.inputs = samples.search;
  created =
      Verification::create(*budgets.drop, compared, searchSamples, options);
  if (!created)
    return created.takeError();
  searchVerification.emplace(std::move(*created));
  return llvm::Error::success();
}

/// Compiles the float model, which alone says whether the budget's metric tells
/// anything of its outputs: that shall not take as long as the search does.
llvm::Error BudgetSearch::measureFloat() {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  llvm::StringMap<unsigned> usedIds;
  QuantizationSites sites(main, usedIds);
  OtherPrecisions others;
  for (const QuantizationSites::Layer &layer : sites.layers())
    others.keepFloat.insert(layer.name);
  for (const QuantizationSites::RecurrentLayer &layer : sites.recurrentLayers())
    others.keepFloat.insert(layer.name);
  auto variant = compiler.compile(others, budgets.measuresSizes());
  if (!variant)
    return variant.takeError();
  allFloat.variant = std::move(*variant);
  if (!verification)
    return llvm::Error::success();
  if (llvm::Error error = verification->measureFloat(*allFloat.variant.runner))
    return error;
  if (llvm::Error error = verification->checkResolution())
    return error;
  if (std::string text = verification->explainNonFinite(); !text.empty())
    emitRemark(module.getLoc()) << text;
  if (searchVerification)
    return searchVerification->measureFloat(*allFloat.variant.runner);
  return llvm::Error::success();
}

llvm::Error BudgetSearch::measureLayers() {
  // Biases are corrected for all layers in 8 bits. Behind float layers that is
  // an approximation, but a close one: behind corrected layers, too, each makes
  // up for its own rounding.
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
  auto search = PrecisionSearch::create(
      *simulation, compared,
      {samples.search.begin(),
       samples.search.begin() +
           ptrdiff_t(std::min(few, samples.search.size()))});
  if (!search)
    return search.takeError();
  auto measured = search->measureLayers(all);
  if (!measured)
    return measured.takeError();
  errors = std::move(*measured);
  for (const OutputError &error : errors) {
    double loss = additiveLoss(error, budgets.drop);
    losses.push_back(
        std::isfinite(loss) ? loss : std::numeric_limits<double>::infinity());
  }
  return llvm::Error::success();
}

OtherPrecisions
BudgetSearch::precisionsOf(const llvm::BitVector &notInt8,
                           const llvm::BitVector &narrow) const {
  OtherPrecisions others;
  for (unsigned i : notInt8.set_bits())
    (int16Layers.test(i)  ? others.int16
     : bf16Layers.test(i) ? others.bf16
     : !narrow.test(i)    ? others.keepFloat
     : prefersFp16(i)     ? others.fp16
                          : others.bf16)
        .insert(simulation->layers()[i].name);
  return others;
}

/// What weights in 16 bits cost, where the size of the artefact may ask for
/// them.
llvm::Error BudgetSearch::measureNarrow() {
  if (budgets.bytes == 0)
    return llvm::Error::success();
  usesNarrow = true;
  llvm::BitVector all(allFloat.notInt8.size());
  for (unsigned i = 0; i < all.size(); ++i)
    if (allowsNarrow(i))
      all.set(i);
  auto variant = compileVariant(allFloat.notInt8, all);
  if (!variant)
    return variant.takeError();
  auto times =
      compiler.timeLayers({&*variant, &allFloat.variant}, simulation->layers());
  if (!times)
    return times.takeError();
  narrowExcess = std::move((*times)[0]);
  // Measured together, so that neither is favoured.
  for (auto [narrow, wide] : llvm::zip_equal(narrowExcess, (*times)[1]))
    narrow -= wide;
  return llvm::Error::success();
}

/// What layers take that are not in 8 bits: 16 where those are faster than
/// float; int16, which loses less, unless bf16 is faster still.
void BudgetSearch::chooseOthers(bool allowsBf16) {
  int16Layers.reset();
  bf16Layers.reset();
  for (auto [i, layer] : llvm::enumerate(simulation->layers())) {
    double bound = kFasterThanFloat * floatSeconds[i];
    if (layer.hasInt16Form && int16Seconds[i] <= bound) {
      int16Layers.set(unsigned(i));
      bound = kFasterThanFloat * int16Seconds[i];
    }
    if (allowsBf16 && layer.hasBf16Form && bf16Seconds[i] <= bound) {
      int16Layers.reset(unsigned(i));
      bf16Layers.set(unsigned(i));
    }
  }
}

llvm::Error BudgetSearch::measureCosts() {
  auto layers = unsigned(losses.size());
  int16Layers.resize(layers, false);
  bf16Layers.resize(layers, false);
  for (auto [choice, isFloat] :
       {std::pair(&allInt8, false), std::pair(&allFloat, true)}) {
    choice->isFloat = isFloat;
    choice->notInt8.resize(layers, isFloat);
    choice->narrow.resize(layers, false);
  }
  auto inInt8 = compileVariant(allInt8.notInt8, allInt8.narrow);
  if (!inInt8)
    return inInt8.takeError();
  allInt8.variant = std::move(*inInt8);
  if (llvm::Error error = measureNarrow())
    return error;
  for (auto [i, layer] : llvm::enumerate(simulation->layers()))
    if (layer.hasInt16Form)
      int16Layers.set(unsigned(i));
  auto inInt16 = compileVariant(allFloat.notInt8, allFloat.narrow);
  if (!inInt16)
    return inInt16.takeError();
  allInt16 = std::move(*inInt16);
  int16Layers.reset();
  bool usesBf16 = basis.multipliesBF16();
  if (usesBf16) {
    for (auto [i, layer] : llvm::enumerate(simulation->layers()))
      if (layer.hasBf16Form)
        bf16Layers.set(unsigned(i));
    auto inBf16 = compileVariant(allFloat.notInt8, allFloat.narrow);
    if (!inBf16)
      return inBf16.takeError();
    allBf16 = std::move(*inBf16);
  }
  const Variant &brain = usesBf16 ? allBf16 : allFloat.variant;
  auto times = compiler.timeLayers(
      {&allInt8.variant, &allInt16, &brain, &allFloat.variant},
      simulation->layers());
  if (!times)
    return times.takeError();
  int8Seconds = std::move((*times)[0]);
  int16Seconds = std::move((*times)[1]);
  bf16Seconds = std::move((*times)[2]);
  floatSeconds = std::move((*times)[3]);
  chooseOthers(usesBf16);
  if (llvm::Error error = compiler.time({&allInt8.variant, &allFloat.variant}))
    return error;
  if (verification) {
    auto loss = verification->measure(*allInt8.variant.runner);
    if (!loss)
      return loss.takeError();
    allInt8.loss = *loss;
  }
  record(allInt8);
  record(allFloat);
  return llvm::Error::success();
}

/// With the biases corrected for it; those of all layers in 8 bits, which the
/// search begins with, are.
llvm::Expected<Variant>
BudgetSearch::compileVariant(const llvm::BitVector &notInt8,
                             const llvm::BitVector &narrow) {
  std::vector<std::string> names;
  for (unsigned i : notInt8.set_bits())
    names.push_back(simulation->layers()[i].name);
  if (notInt8.any() && !notInt8.all())
    if (llvm::Error error = correct(names))
      return std::move(error);
  return compiler.compile(precisionsOf(notInt8, narrow),
                          budgets.measuresSizes());
}

llvm::Expected<Choice> BudgetSearch::compile(const llvm::BitVector &notInt8) {
  if (notInt8.none())
    return allInt8;
  double excess = 0;
  bool isAllFloat = notInt8.all() && int16Layers.none() && bf16Layers.none();
  if (usesNarrow && !(isAllFloat && double(allFloat.variant.sizes.fileBytes) <=
                                        double(budgets.bytes))) {
    excess = double(allInt8.variant.sizes.fileBytes) - budgets.bytes +
             extraBytes(notInt8, llvm::BitVector(notInt8.size()));
  }
  Choice choice;
  choice.notInt8 = notInt8;
  choice.narrow = chooseNarrow(notInt8, excess);
  if (isAllFloat && choice.narrow.none())
    return allFloat;
  auto variant = compileVariant(notInt8, choice.narrow);
  // Files are a little larger than the weights let expect.
  for (unsigned i = 0; variant && usesNarrow && i < kMostCorrected; ++i) {
    double missed = double(variant->sizes.fileBytes) - budgets.bytes;
    excess += std::max(missed, 0.0);
    llvm::BitVector more = chooseNarrow(notInt8, excess);
    if (missed <= 0 || more == choice.narrow)
      break;
    choice.narrow = more;
    variant = compileVariant(notInt8, choice.narrow);
  }
  if (!variant)
    return variant.takeError();
  choice.variant = std::move(*variant);
  if (verification)
    if (llvm::Error error = measureLoss(choice))
      return error;
  record(choice);
  return choice;
}

/// The loss on the samples of the search and on those held out, which are not
/// looked at where the former show that the budget does not hold.
llvm::Error BudgetSearch::measureLoss(Choice &choice) const {
  if (searchVerification) {
    auto loss = searchVerification->measure(*choice.variant.runner);
    if (!loss)
      return loss.takeError();
    choice.loss = {loss->mean, loss->mean};
    if (!holdsLoss(choice))
      return llvm::Error::success();
  }
  auto loss = verification->measure(*choice.variant.runner);
  if (!loss)
    return loss.takeError();
  choice.loss = *loss;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// What is made of a choice
//===----------------------------------------------------------------------===//

/// Layers of the choice that are not in 8 bits but in those of `layers`.
unsigned BudgetSearch::countOthers(const Choice &choice,
                                   const llvm::BitVector &layers) const {
  if (choice.isFloat)
    return 0;
  llvm::BitVector others = choice.notInt8;
  others &= layers;
  return others.count();
}

void BudgetSearch::record(Choice &choice) {
  SearchPoint point;
  point.int8Layers = choice.notInt8.size() - choice.notInt8.count();
  point.int16Layers = countOthers(choice, int16Layers);
  for (unsigned i : choice.narrow.set_bits())
    ++(prefersFp16(i) ? point.fp16Layers : point.bf16Layers);
  point.bf16Layers += countOthers(choice, bf16Layers);
  point.milliseconds = 1000 * choice.variant.seconds;
  point.bytes = choice.variant.sizes.fileBytes;
  point.ram = choice.variant.sizes.arenaBytes;
  point.hasLoss = verification.has_value();
  point.loss = choice.loss.mean;
  point.upper = choice.loss.upper;
  point.verdict = !holdsLoss(choice) ? "loses too much"
                  : budgets.exceeded(choice.variant).empty()
                      ? "holds"
                      : "exceeds a limit";
  choice.point = plan.points.size();
  plan.points.push_back(std::move(point));
}

/// Regions of layers that are slower in 8 bits than in others once
/// conversions are counted, which only the compiled choice shows, become that.
llvm::Error BudgetSearch::dropSlowRegions(Choice &choice) {
  const Variant &brain = basis.multipliesBF16() ? allBf16 : allFloat.variant;
  auto times = compiler.timeLayers(
      {&choice.variant, &allInt16, &brain, &allFloat.variant},
      simulation->layers());
  if (!times)
    return times.takeError();
  std::vector<double> others;
  for (unsigned i = 0; i < choice.notInt8.size(); ++i)
    others.push_back(otherOf(i, (*times)[1], (*times)[2], (*times)[3]));
  llvm::BitVector notInt8 =
      leaveSlowRegions(choice.notInt8, (*times)[0], others);
  if (notInt8 == choice.notInt8)
    return llvm::Error::success();
  auto changed = compile(notInt8);
  if (!changed)
    return changed.takeError();
  if (llvm::Error error = compiler.time({&choice.variant, &changed->variant}))
    return error;
  if (holdsLoss(*changed) &&
      changed->variant.seconds * (1 + kWorthwhile) < choice.variant.seconds)
    choice = std::move(*changed);
  return llvm::Error::success();
}

std::string BudgetSearch::describe(const Choice &choice) const {
  const SearchPoint &point = plan.points[choice.point];
  std::string text = llvm::formatv("{0} of {1} layers in 8 bits",
                                   point.int8Layers, choice.notInt8.size());
  for (auto [count, form] :
       {std::pair(point.int16Layers, "in 16"),
        std::pair(point.bf16Layers, "in bf16"),
        std::pair(point.fp16Layers, "with weights of f16")})
    if (count != 0)
      text += llvm::formatv(", {0} {1}", count, form);
  text += llvm::formatv(
      ": {0:f3} ms {1} (all float {2:f3} ms, all 8 bits {3:f3} ms)",
      1000 * choice.variant.seconds, basis.describe(),
      1000 * allFloat.variant.seconds, 1000 * allInt8.variant.seconds);
  if (budgets.bytes != 0)
    text += llvm::formatv(", {0} bytes", choice.variant.sizes.fileBytes);
  if (budgets.ram != 0)
    text +=
        llvm::formatv(", {0} bytes of memory", choice.variant.sizes.arenaBytes);
  if (budgets.drop && !verification)
    text += "; -max-drop=" + budgets.drop->text +
            " holds, as the model has nothing to quantize";
  if (verification)
    text += llvm::formatv("; {0} on {1}, {2} at 95 % confidence",
                          budgets.drop->describe(choice.loss.mean),
                          countOf(verification->size(), "held-out sample"),
                          budgets.drop->describe(choice.loss.upper));
  return text;
}

/// Falls back where float, or all of the layers in 8 bits, is faster.
llvm::Error BudgetSearch::settle(Choice &choice) {
  if (!budgets.measuresSizes() && !choice.isFloat)
    if (llvm::Error error = dropSlowRegions(choice))
      return error;
  if (llvm::Error error =
          compiler.time({&choice.variant, &allInt8.variant, &allFloat.variant}))
    return error;
  // Not every layer is faster in 8 bits, but conversions cost more.
  if (budgets.drop && holdsLoss(allInt8) &&
      allInt8.variant.seconds < choice.variant.seconds)
    choice = allInt8;
  if (choice.variant.seconds <= allFloat.variant.seconds ||
      budgets.measuresSizes() || choice.isFloat || choice.notInt8.empty())
    return llvm::Error::success();
  emitRemark(module.getLoc()) << llvm::formatv(
      "all layers stay float: fewer bits take {0:f3} ms, float {1:f3} ms, {2}",
      1000 * choice.variant.seconds, 1000 * allFloat.variant.seconds,
      basis.describe());
  choice = allFloat;
  return llvm::Error::success();
}

/// Names the limits that exclude the others, and what would be feasible.
llvm::Error BudgetSearch::refuse(const Choice &choice) {
  std::string text = "the budget cannot be kept: ";
  text += llvm::join(budgets.exceeded(choice.variant), ", ");
  if (!budgets.drop)
    return makeError(text +
                     " with the most layers in 8 bits; the nearest that can "
                     "be kept is " +
                     budgets.nearest(choice.variant));
  text += " where -max-drop=" + budgets.drop->text +
          " holds; the nearest that can be kept is " +
          budgets.nearest(choice.variant);
  std::string without = llvm::join(budgets.exceeded(allInt8.variant), ", ");
  text += llvm::formatv("; with all layers in 8 bits {0}, {1}",
                        without.empty() ? "the limits are kept" : without,
                        budgets.drop->describe(allInt8.loss.upper));
  return makeError(text);
}

void BudgetSearch::finishPlan(const Choice &choice) {
  // Its time stays the one that was measured as those of the other points.
  plan.points[choice.point].verdict = "chosen";
  for (auto [i, layer] : llvm::enumerate(simulation->layers())) {
    LayerPrecision entry;
    entry.name = layer.name;
    if (choice.notInt8.test(unsigned(i)))
      entry.precision =
          !choice.isFloat && int16Layers.test(unsigned(i))  ? Precision::Int16
          : !choice.isFloat && bf16Layers.test(unsigned(i)) ? Precision::Bf16
          : !choice.narrow.test(unsigned(i))                ? Precision::Float
          : prefersFp16(i)                                  ? Precision::Fp16
                                                            : Precision::Bf16;
    entry.noiseDecibels = toDecibels(errors[i].noise);
    entry.floatMicroseconds = 1e6 * floatSeconds[i];
    if (basis.multipliesBF16() && layer.hasBf16Form)
      entry.bf16Microseconds = 1e6 * bf16Seconds[i];
    if (allowsNarrow(i))
      (prefersFp16(i) ? entry.fp16Microseconds : entry.bf16Microseconds) =
          1e6 * (floatSeconds[i] + narrowExcess[i]);
    if (layer.hasInt16Form)
      entry.int16Microseconds = 1e6 * int16Seconds[i];
    entry.int8Microseconds = 1e6 * int8Seconds[i];
    if (entry.precision != Precision::Int8)
      entry.reason = (int8Seconds[i] >= (choice.isFloat ? floatSeconds[i]
                                                        : otherSeconds(i))
                          ? "8 bits are not faster, "
                          : "8 bits lose too much for the time they save, ") +
                     basis.name();
    if (choice.narrow.test(unsigned(i)))
      entry.reason += "; float32 weights would exceed -max-size=";
    plan.layers.push_back(std::move(entry));
  }
  plan.budget = budgets.describe();
  plan.times = basis.describe();
  if (budgets.drop)
    plan.lossName = budgets.drop->lossName();
}

llvm::Expected<PrecisionPlan> BudgetSearch::search() {
  if (llvm::Error error = prepare())
    return error;
  if (llvm::Error error = measureFloat())
    return error;
  if (llvm::Error error = measureLayers())
    return error;
  if (llvm::Error error = measureCosts())
    return error;
  auto choice =
      budgets.drop ? searchByLoss() : searchByLimits(listCandidates());
  if (!choice)
    return choice.takeError();
  if (llvm::Error error = settle(*choice))
    return error;
  if (!budgets.exceeded(choice->variant).empty())
    return refuse(*choice);
  emitRemark(module.getLoc()) << describe(*choice);
  finishPlan(*choice);
  return std::move(plan);
}

llvm::Expected<PrecisionPlan>
searchPrecision(ModuleOp module, const CalibrationTable &table,
                const CompileOptions &options, SplitSamples samples,
                BiasFitter correct, const ModelRunnerFactory &run) {
  auto basis = CostBasis::create(options);
  if (!basis)
    return basis.takeError();
  return BudgetSearch(module, table, options, std::move(samples), correct, run,
                      *basis)
      .search();
}

} // namespace qcc
