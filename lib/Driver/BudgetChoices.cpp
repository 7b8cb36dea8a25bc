//===- BudgetChoices.cpp - Which layers a budget allows in 8 bits ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BudgetSearch.h"

#include "qcc/Quantization/PrecisionSearch.h"

#include <cmath>

using namespace mlir;
using namespace qcc;

/// Each candidate allows this part of the loss that the one before did.
static constexpr double kTightening = 0.75;
static constexpr unsigned kSteps = 32;
/// So many choices are compiled for a limited loss, and for single layers of
/// the one that was found.
static constexpr size_t kMostCompiled = 10, kMostReturned = 4;
/// Bounds that differ by this part are not told apart.
static constexpr double kCloseEnough = 0.1;
/// A layer that is slower in 8 bits by less than this part gains nothing, but
/// loses nothing either: times are no more exact than that.
static constexpr double kTimeNoise = 0.05;
/// A layer is tried where this part of the loss that it should add has room.
static constexpr double kHopeful = 0.5;
/// Of the bound, where nothing tells how far it is off.
static constexpr double kHalf = 0.5;

/// By 8 bits, per element: three quarters of a float, half of 16 bits.
int64_t BudgetSearch::savedBytes(size_t layer) const {
  return isHalf(layer) || allowsNarrow(layer) ? 1 : 3;
}

/// The float layers whose weights are stored in 16 bits so that the artefact,
/// which would be `excess` too large, keeps its limit: those first that lose
/// least time for what they save.
llvm::BitVector BudgetSearch::chooseNarrow(const llvm::BitVector &notInt8,
                                           double excess) const {
  llvm::BitVector chosen(notInt8.size());
  std::vector<std::pair<double, unsigned>> order;
  for (unsigned i : notInt8.set_bits())
    if (int64_t weights = simulation->layers()[i].weights;
        allowsNarrow(i) && weights != 0)
      order.push_back({narrowExcess[i] / double(weights), i});
  llvm::sort(order);
  double largest = extraBytes(notInt8, chosen);
  for (auto [perWeight, i] : order) {
    if (largest - extraBytes(notInt8, chosen) >= excess)
      break;
    chosen.set(i);
  }
  return chosen;
}

double BudgetSearch::extraBytes(const llvm::BitVector &notInt8,
                                const llvm::BitVector &narrow) const {
  std::vector<WeightForm> forms;
  for (unsigned i = 0; i < notInt8.size(); ++i)
    forms.push_back(!notInt8.test(i)                         ? WeightForm::Int8
                    : int16Layers.test(i)                    ? WeightForm::Int16
                    : !bf16Layers.test(i) && !narrow.test(i) ? WeightForm::Float
                    : bf16Layers.test(i) || !prefersFp16(i) ? WeightForm::Bf16
                                                            : WeightForm::Fp16);
  return double(countExtraBytes(simulation->layers(), forms));
}

/// Of the artefact, with weights in 16 bits wherever they may be.
double BudgetSearch::estimateBytes(const llvm::BitVector &notInt8) const {
  llvm::BitVector narrow(notInt8.size());
  for (unsigned i = 0; i < narrow.size(); ++i)
    if (allowsNarrow(i))
      narrow.set(i);
  return double(allInt8.variant.sizes.fileBytes) + extraBytes(notInt8, narrow);
}

/// The fastest choice whose losses sum to `allowed` at most, and that keeps the
/// limits of size and memory, if one does: time is given up for them as far as
/// needed.
llvm::BitVector BudgetSearch::chooseWithin(double allowed) const {
  // Of a constant that layers share each has its part.
  std::vector<int64_t> sharers(losses.size());
  for (const Simulation::Layer &layer : simulation->layers())
    ++sharers[layer.sharedWith];
  auto choose = [&](double secondsPerByte) {
    std::vector<double> gains;
    for (size_t i = 0; i < losses.size(); ++i) {
      double gain = otherSeconds(i) - int8Seconds[i];
      if (gain <= 0 && -gain <= kTimeNoise * otherSeconds(i))
        gain = 1e-12;
      const Simulation::Layer &layer = simulation->layers()[i];
      double saved =
          double(savedBytes(i) * (layer.weights / sharers[layer.sharedWith] +
                                  layer.results * int64_t(budgets.ram != 0)));
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

double BudgetSearch::sumLosses(const llvm::BitVector &notInt8) const {
  double sum = 0;
  for (size_t i = 0; i < losses.size(); ++i)
    sum += notInt8.test(unsigned(i)) || std::isinf(losses[i]) ? 0 : losses[i];
  return sum;
}

/// From all of the loss downwards, without repetitions.
std::vector<llvm::BitVector> BudgetSearch::listCandidates() const {
  double total = sumLosses(allInt8.notInt8);
  std::vector<llvm::BitVector> candidates;
  for (unsigned power = 0; power <= kSteps; ++power) {
    llvm::BitVector notInt8 =
        chooseWithin(total * std::pow(kTightening, power));
    if (candidates.empty() || candidates.back() != notInt8)
      candidates.push_back(notInt8);
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

/// The part of `choice`'s summed losses that should hold the budget. Losses add
/// up, nearly, so that the budget's follows the sum; a rate of other classes
/// rather its root.
double BudgetSearch::predictShare(const Choice &choice) const {
  double limit = budgets.drop->limit;
  if (limit <= 0 || !std::isfinite(choice.loss.upper))
    return kHalf;
  double share = limit / std::max(choice.loss.upper, limit / 8);
  return budgets.drop->isRate() ? share * share : share;
}

/// The fastest choice whose loss holds, or all float. The bound of the summed
/// losses at which the budget is reached is sought between one that holds and
/// one that does not.
llvm::Expected<Choice> BudgetSearch::searchByLoss() {
  struct Trial {
    llvm::BitVector notInt8;
    bool holds;
  };
  std::vector<Trial> trials;
  std::optional<Choice> best;
  double holding = 0, failing = sumLosses(allInt8.notInt8);
  double allowed = failing;
  for (unsigned step = 0; step < kSteps && trials.size() < kMostCompiled;
       ++step) {
    llvm::BitVector notInt8 = chooseWithin(allowed);
    auto trial = llvm::find_if(
        trials, [&](const Trial &t) { return t.notInt8 == notInt8; });
    double share = kHalf;
    bool holds;
    if (trial != trials.end()) {
      holds = trial->holds;
    } else {
      auto choice = compile(notInt8);
      if (!choice)
        return choice.takeError();
      holds = holdsLoss(*choice);
      share = predictShare(*choice);
      trials.push_back({notInt8, holds});
      if (!holds)
        failed.push_back(notInt8);
      else if (llvm::Error error = keepFaster(best, std::move(*choice)))
        return error;
    }
    if (holds) {
      holding = allowed;
    } else {
      failing = std::min(allowed, sumLosses(notInt8));
      allowed = failing;
    }
    if (failing - holding <= kCloseEnough * failing)
      break;
    double margin = kCloseEnough * (failing - holding);
    allowed = std::clamp(share * allowed, holding + margin, failing - margin);
  }
  if (!best && (bf16Layers.any() || int16Layers.any() || usesNarrow)) {
    // A layer in 16 bits loses too much, too: without bf16, then without int16,
    // and with float32 weights in the end.
    if (bf16Layers.any()) {
      chooseOthers(/*allowsBf16=*/false);
    } else {
      usesNarrow &= int16Layers.any();
      int16Layers.reset();
    }
    failed.clear();
    return searchByLoss();
  }
  if (!best)
    return allFloat;
  if (!budgets.measuresSizes())
    if (llvm::Error error = returnLayers(*best))
      return error;
  return std::move(*best);
}

/// Replaces `best` where `choice` is faster; with sizes to be kept, always:
/// they shrink with every layer in 8 bits. What is all float is the last
/// resort.
llvm::Error BudgetSearch::keepFaster(std::optional<Choice> &best,
                                     Choice choice) {
  if (choice.isFloat)
    return llvm::Error::success();
  if (best && !budgets.measuresSizes()) {
    if (llvm::Error error = compiler.time({&best->variant, &choice.variant}))
      return error;
    if (best->variant.seconds <= choice.variant.seconds)
      return llvm::Error::success();
  }
  best = std::move(choice);
  return llvm::Error::success();
}

/// Takes single layers of a choice that holds back to 8 bits, first those that
/// gain most time: their losses are known one by one, not together.
llvm::Error BudgetSearch::returnLayers(Choice &best) {
  auto gain = [&](unsigned i) { return otherSeconds(i) - int8Seconds[i]; };
  SmallVector<unsigned> order;
  for (unsigned i : best.notInt8.set_bits())
    if (gain(i) > kTimeNoise * otherSeconds(i))
      order.push_back(i);
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::pair(-gain(a), a) < std::pair(-gain(b), b);
  });
  size_t tried = 0;
  for (unsigned layer : order) {
    double sum = sumLosses(best.notInt8);
    double added = sum > 0 ? best.loss.upper * losses[layer] / sum : 0;
    if (!budgets.drop->isRate() &&
        best.loss.upper + kHopeful * added > budgets.drop->limit)
      continue;
    llvm::BitVector notInt8 = best.notInt8;
    notInt8.reset(layer);
    if (llvm::is_contained(failed, notInt8))
      continue;
    if (tried++ == kMostReturned)
      break;
    auto choice = compile(notInt8);
    if (!choice)
      return choice.takeError();
    if (!holdsLoss(*choice))
      continue;
    if (llvm::Error error = compiler.time({&best.variant, &choice->variant}))
      return error;
    if (choice->variant.seconds < best.variant.seconds)
      best = std::move(*choice);
  }
  return llvm::Error::success();
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
  if (best && best->notInt8 == careful[*found])
    return std::move(*best);
  return compile(careful[*found]);
}
