//===- AutoPrecision.cpp - Precisions under a budget ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Budgets.h"
#include "Precision.h"

#include "qcc/Quantization/PrecisionSearch.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace qcc {

/// Multiplications that measuring one setting may take.
static constexpr double kSettingProducts = 4e9;
static constexpr size_t kFewestSamples = 4, kMostSamples = 64;
/// Each candidate allows this part of the loss that the one before did.
static constexpr double kTightening = 0.75;
static constexpr unsigned kSteps = 32;
/// So many choices are compiled for a limited loss.
static constexpr size_t kMostCompiled = 10;
/// Bounds that differ by this part are not told apart.
static constexpr double kCloseEnough = 0.1;
/// A layer that is slower in 8 bits by less than this part gains nothing, but
/// loses nothing either: times are no more exact than that.
static constexpr double kTimeNoise = 0.05;
/// Keeping a region float must make the model faster by this part.
static constexpr double kWorthwhile = 0.01;

namespace {

/// A choice that was compiled; copies share it.
struct Choice {
  llvm::BitVector keepFloat;
  Variant variant;
  BoundedMean loss;
  size_t point = 0; ///< in the plan
};

class BudgetSearch {
public:
  BudgetSearch(ModuleOp module, const CalibrationTable &table,
               const CompileOptions &options, SplitSamples samples,
               BiasFitter correct, const ModelRunnerFactory &run)
      : module(module), table(table), options(options), correct(correct),
        run(run), samples(std::move(samples)),
        compiler(module, table, options, run, firstSample()) {}

  llvm::Expected<PrecisionPlan> search();

private:
  ArrayRef<HostTensor> firstSample() const {
    return samples.search.empty() ? ArrayRef<HostTensor>()
                                  : ArrayRef(samples.search.front());
  }
  llvm::Error prepare();
  llvm::Error measureLayers();
  llvm::Error measureCosts();
  std::vector<llvm::BitVector> listCandidates() const;
  llvm::BitVector chooseWithin(double allowed) const;
  double sumLosses(const llvm::BitVector &keepFloat) const;
  double estimateBytes(const llvm::BitVector &keepFloat) const;
  llvm::Expected<Variant> compileVariant(const llvm::BitVector &keepFloat);
  llvm::Error measureLoss(Choice &choice) const;
  double predictShare(const Choice &choice) const;
  /// Compiles, and verifies the loss where it is limited.
  llvm::Expected<Choice> compile(const llvm::BitVector &keepFloat);
  bool holdsLoss(const Choice &choice) const {
    return !budgets.drop || choice.keepFloat.all() ||
           choice.loss.upper <= budgets.drop->limit;
  }
  llvm::Expected<Choice> searchByLoss();
  llvm::Expected<Choice> searchByLimits(ArrayRef<llvm::BitVector> candidates);
  llvm::Error dropSlowRegions(Choice &choice);
  llvm::Error settle(Choice &choice);
  llvm::Error refuse(const Choice &choice);
  std::string describe(const Choice &choice) const;
  void record(Choice &choice);
  void finishPlan(const Choice &choice);

  ModuleOp module;
  const CalibrationTable &table;
  const CompileOptions &options;
  BiasFitter correct;
  const ModelRunnerFactory &run;
  SplitSamples samples;
  VariantCompiler compiler;

  Budgets budgets;
  std::optional<Verification> verification;
  /// On the samples of the search, where the metric needs nothing else.
  HeldOutSamples searchSamples;
  std::optional<Verification> searchVerification;
  std::unique_ptr<Simulation> simulation;
  std::vector<OutputError> errors; ///< of each layer alone in 8 bits
  std::vector<double> losses;      ///< the same in the budget's metric
  std::vector<double> floatSeconds, int8Seconds; ///< by layer
  Choice allFloat, allInt8;
  PrecisionPlan plan;
};

} // namespace

llvm::Error BudgetSearch::prepare() {
  auto parsed = Budgets::parse(options);
  if (!parsed)
    return parsed.takeError();
  budgets = std::move(*parsed);
  if (samples.search.empty() || samples.heldOut.inputs.empty())
    return makeError(
        "-precision=auto needs samples to search on and others to "
        "verify on: at least two calibration samples, or -verify=");
  if (!budgets.drop)
    return llvm::Error::success();
  auto created = Verification::create(*budgets.drop, samples.heldOut, options);
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
  created = Verification::create(*budgets.drop, searchSamples, options);
  if (!created)
    return created.takeError();
  searchVerification.emplace(std::move(*created));
  return llvm::Error::success();
}

llvm::Error BudgetSearch::measureLayers() {
  // Corrections of biases are those of all layers in 8 bits: each makes up for
  // its own layer behind corrected ones, so that it serves here, too.
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
      *simulation, {samples.search.begin(),
                    samples.search.begin() +
                        ptrdiff_t(std::min(few, samples.search.size()))});
  if (!search)
    return search.takeError();
  auto measured = search->measureLayers(all);
  if (!measured)
    return measured.takeError();
  errors = std::move(*measured);
  for (const OutputError &error : errors)
    losses.push_back(additiveLoss(error, budgets.drop));
  return llvm::Error::success();
}

llvm::Error BudgetSearch::measureCosts() {
  for (auto [choice, isFloat] :
       {std::pair(&allInt8, false), std::pair(&allFloat, true)}) {
    choice->keepFloat.resize(unsigned(losses.size()), isFloat);
    auto variant = compileVariant(choice->keepFloat);
    if (!variant)
      return variant.takeError();
    choice->variant = std::move(*variant);
  }
  auto times = compiler.timeLayers({&allInt8.variant, &allFloat.variant},
                                   simulation->layers());
  if (!times)
    return times.takeError();
  int8Seconds = std::move((*times)[0]);
  floatSeconds = std::move((*times)[1]);
  if (llvm::Error error = compiler.time({&allInt8.variant, &allFloat.variant}))
    return error;
  if (verification) {
    if (llvm::Error error =
            verification->measureFloat(*allFloat.variant.runner))
      return error;
    if (llvm::Error error = verification->checkResolution())
      return error;
    if (searchVerification)
      if (llvm::Error error =
              searchVerification->measureFloat(*allFloat.variant.runner))
        return error;
    if (llvm::Error error = measureLoss(allInt8))
      return error;
  }
  record(allInt8);
  record(allFloat);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

/// Of the artefact: 8 bits save three quarters of a layer's weights.
double BudgetSearch::estimateBytes(const llvm::BitVector &keepFloat) const {
  auto bytes = double(allInt8.variant.sizes.fileBytes);
  for (unsigned i : keepFloat.set_bits())
    bytes += 3 * double(simulation->layers()[i].weights);
  return bytes;
}

/// The fastest choice whose losses sum to `allowed` at most, and that keeps the
/// limits of size and memory, if one does: time is given up for them as far as
/// needed.
llvm::BitVector BudgetSearch::chooseWithin(double allowed) const {
  auto choose = [&](double secondsPerByte) {
    std::vector<double> gains;
    for (size_t i = 0; i < losses.size(); ++i) {
      double gain = floatSeconds[i] - int8Seconds[i];
      if (gain <= 0 && -gain <= kTimeNoise * floatSeconds[i])
        gain = 1e-12;
      double saved = 3 * double(simulation->layers()[i].weights +
                                simulation->layers()[i].results *
                                    int64_t(budgets.ram != 0));
      gains.push_back(gain + secondsPerByte * saved);
    }
    return chooseFloatLayers(losses, gains, allowed);
  };
  llvm::BitVector fastest = choose(0);
  if (!budgets.measuresSizes())
    return fastest;
  // Memory is no sum over layers: 8 bits wherever the loss allows them.
  double most = 1e-6;
  llvm::BitVector smallest = choose(most);
  if (budgets.ram != 0 || estimateBytes(smallest) > budgets.bytes)
    return smallest;
  llvm::BitVector best = smallest;
  for (double perByte = 1e-14; perByte < most; perByte *= 4) {
    llvm::BitVector found = choose(perByte);
    if (estimateBytes(found) <= budgets.bytes)
      return estimateBytes(fastest) <= budgets.bytes ? fastest : found;
  }
  return best;
}

double BudgetSearch::sumLosses(const llvm::BitVector &keepFloat) const {
  double sum = 0;
  for (size_t i = 0; i < losses.size(); ++i)
    sum += keepFloat.test(unsigned(i)) ? 0 : losses[i];
  return sum;
}

/// From all of the loss downwards, without repetitions.
std::vector<llvm::BitVector> BudgetSearch::listCandidates() const {
  double total = sumLosses(allInt8.keepFloat);
  std::vector<llvm::BitVector> candidates;
  for (unsigned power = 0; power <= kSteps; ++power) {
    llvm::BitVector keepFloat =
        chooseWithin(total * std::pow(kTightening, power));
    if (candidates.empty() || candidates.back() != keepFloat)
      candidates.push_back(keepFloat);
  }
  return candidates;
}

/// The first of `size` for which `holds`, where it holds for all behind it; the
/// last one where it holds for none.
static llvm::Expected<size_t>
bisect(size_t first, size_t size,
       llvm::function_ref<llvm::Expected<bool>(size_t)> holds) {
  size_t last = size - 1;
  while (first < last) {
    size_t middle = first + (last - first) / 2;
    auto good = holds(middle);
    if (!good)
      return good.takeError();
    if (*good)
      last = middle;
    else
      first = middle + 1;
  }
  return last;
}

/// With the biases corrected for it.
llvm::Expected<Variant>
BudgetSearch::compileVariant(const llvm::BitVector &keepFloat) {
  std::vector<std::string> names;
  for (unsigned i : keepFloat.set_bits())
    names.push_back(simulation->layers()[i].name);
  if (!keepFloat.all())
    if (llvm::Error error = correct(names))
      return std::move(error);
  return compiler.compile(simulation->layers(), keepFloat,
                          budgets.measuresSizes());
}

llvm::Expected<Choice> BudgetSearch::compile(const llvm::BitVector &keepFloat) {
  for (const Choice *known : {&allInt8, &allFloat})
    if (keepFloat == known->keepFloat)
      return *known;
  Choice choice;
  choice.keepFloat = keepFloat;
  auto variant = compileVariant(keepFloat);
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

/// The part of `choice`'s summed losses that should hold the budget. Losses add
/// up, nearly, so that the budget's follows the sum; a rate of other classes
/// rather its root.
double BudgetSearch::predictShare(const Choice &choice) const {
  double share = budgets.drop->limit /
                 std::max(choice.loss.upper, budgets.drop->limit / 8);
  return budgets.drop->isRate() ? share * share : share;
}

/// The fastest choice whose loss holds. The bound of the summed losses at which
/// the budget is reached is sought between one that holds and one that does
/// not.
llvm::Expected<Choice> BudgetSearch::searchByLoss() {
  Choice best = allFloat;
  double holding = 0, failing = sumLosses(allInt8.keepFloat);
  double allowed = failing;
  std::vector<llvm::BitVector> tried;
  for (unsigned step = 0; step < kSteps && tried.size() < kMostCompiled;
       ++step) {
    llvm::BitVector keepFloat = chooseWithin(allowed);
    double share = 1;
    if (!llvm::is_contained(tried, keepFloat)) {
      tried.push_back(keepFloat);
      auto choice = compile(keepFloat);
      if (!choice)
        return choice.takeError();
      share = predictShare(*choice);
      if (!holdsLoss(*choice)) {
        failing = sumLosses(keepFloat);
        allowed = failing;
      } else {
        holding = allowed;
        if (llvm::Error error =
                compiler.time({&best.variant, &choice->variant}))
          return error;
        // Size and memory shrink with every layer in 8 bits.
        if (budgets.measuresSizes() ||
            choice->variant.seconds < best.variant.seconds)
          best = std::move(*choice);
      }
    } else if (allowed > holding && best.keepFloat == keepFloat) {
      holding = allowed;
    } else {
      failing = std::min(failing, allowed);
    }
    if (failing - holding <= kCloseEnough * failing)
      break;
    double margin = kCloseEnough * (failing - holding);
    allowed = std::clamp(share * allowed, holding + margin, failing - margin);
  }
  return best;
}

/// The least loss that keeps the limits.
llvm::Expected<Choice>
BudgetSearch::searchByLimits(ArrayRef<llvm::BitVector> candidates) {
  std::vector<llvm::BitVector> careful(candidates.rbegin(), candidates.rend());
  std::optional<Choice> best;
  auto found = bisect(0, careful.size(), [&](size_t i) -> llvm::Expected<bool> {
    auto next = compile(careful[i]);
    if (!next)
      return next.takeError();
    if (!budgets.exceeded(next->variant).empty())
      return false;
    best = std::move(*next);
    return true;
  });
  if (!found)
    return found.takeError();
  if (best && best->keepFloat == careful[*found])
    return std::move(*best);
  return compile(careful[*found]);
}

//===----------------------------------------------------------------------===//
// What is made of a choice
//===----------------------------------------------------------------------===//

void BudgetSearch::record(Choice &choice) {
  SearchPoint point;
  point.int8Layers = choice.keepFloat.size() - choice.keepFloat.count();
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

/// Regions of layers that are slower in 8 bits than in float once conversions
/// are counted, which only the compiled choice shows, become float.
llvm::Error BudgetSearch::dropSlowRegions(Choice &choice) {
  auto times = compiler.timeLayers({&choice.variant, &allFloat.variant},
                                   simulation->layers());
  if (!times)
    return times.takeError();
  const std::vector<double> &own = (*times)[0], &whole = (*times)[1];
  llvm::BitVector keepFloat = choice.keepFloat;
  unsigned layers = keepFloat.size();
  for (unsigned begin = 0; begin < layers;) {
    if (choice.keepFloat.test(begin)) {
      ++begin;
      continue;
    }
    unsigned end = begin;
    while (end < layers && !choice.keepFloat.test(end))
      ++end;
    // The conversion in front counts for the layer before it.
    double mixed = 0, alone = 0;
    for (unsigned i = begin == 0 ? 0 : begin - 1; i < end; ++i) {
      mixed += own[i];
      alone += whole[i];
    }
    if (mixed > alone)
      keepFloat.set(begin, end);
    begin = end;
  }
  if (keepFloat == choice.keepFloat)
    return llvm::Error::success();
  auto changed = compile(keepFloat);
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
  std::string text = llvm::formatv(
      "{0} of {1} layers in 8 bits: {2:f3} ms (all float {3:f3} ms, all 8 bits "
      "{4:f3} ms)",
      choice.keepFloat.size() - choice.keepFloat.count(),
      choice.keepFloat.size(), 1000 * choice.variant.seconds,
      1000 * allFloat.variant.seconds, 1000 * allInt8.variant.seconds);
  if (budgets.bytes != 0)
    text += llvm::formatv(", {0} bytes", choice.variant.sizes.fileBytes);
  if (budgets.ram != 0)
    text +=
        llvm::formatv(", {0} bytes of memory", choice.variant.sizes.arenaBytes);
  if (budgets.drop)
    text += llvm::formatv("; {0} on {1} held-out samples, {2} at 95 % "
                          "confidence",
                          budgets.drop->describe(choice.loss.mean),
                          verification->size(),
                          budgets.drop->describe(choice.loss.upper));
  return text;
}

/// Falls back where float, or all of the layers in 8 bits, is faster.
llvm::Error BudgetSearch::settle(Choice &choice) {
  if (!budgets.measuresSizes() && !choice.keepFloat.all())
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
      budgets.measuresSizes() || choice.keepFloat.all())
    return llvm::Error::success();
  emitRemark(module.getLoc()) << llvm::formatv(
      "all layers stay float: 8 bits take {0:f3} ms, float {1:f3} ms",
      1000 * choice.variant.seconds, 1000 * allFloat.variant.seconds);
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
  SearchPoint &chosen = plan.points[choice.point];
  chosen.verdict = "chosen";
  chosen.milliseconds = 1000 * choice.variant.seconds;
  for (auto [i, layer] : llvm::enumerate(simulation->layers())) {
    LayerPrecision entry;
    entry.name = layer.name;
    entry.isFloat = choice.keepFloat.test(unsigned(i));
    entry.noiseDecibels = toDecibels(errors[i].noise);
    entry.floatMicroseconds = 1e6 * floatSeconds[i];
    entry.int8Microseconds = 1e6 * int8Seconds[i];
    if (entry.isFloat)
      entry.reason = int8Seconds[i] >= floatSeconds[i]
                         ? "8 bits are not faster"
                         : "8 bits lose too much for the time they save";
    plan.layers.push_back(std::move(entry));
  }
  plan.budget = budgets.describe();
  if (budgets.drop)
    plan.lossName = budgets.drop->lossName();
}

llvm::Expected<PrecisionPlan> BudgetSearch::search() {
  if (llvm::Error error = prepare())
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
  return BudgetSearch(module, table, options, std::move(samples), correct, run)
      .search();
}

} // namespace qcc
