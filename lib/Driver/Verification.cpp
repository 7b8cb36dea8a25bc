//===- Verification.cpp - A budget's loss on samples held out -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verification.h"

#include "qcc/Support/Plural.h"
#include "qcc/Support/Progress.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <set>

using namespace mlir;
using namespace qcc;

/// From so many samples on a part of them can show that a budget is missed:
/// where the mean is this many standard errors above it.
static constexpr size_t kFewestSamples = 32;
static constexpr double kCertain = 3.5;

double qcc::additiveLoss(const OutputError &error,
                         const std::optional<DropBudget> &budget) {
  if (!budget || budget->metric == DropMetric::Noise ||
      budget->metric == DropMetric::User)
    return error.noise;
  return budget->metric == DropMetric::Angle ? error.angle : error.divergence;
}

llvm::Expected<Verification>
Verification::create(const DropBudget &budget, const ComparedOutputs &compared,
                     const HeldOutSamples &samples,
                     const CompileOptions &options) {
  if (budget.metric == DropMetric::TopK) {
    auto hasLabel = [&](uint64_t i) { return i < samples.labels.size(); };
    if (!llvm::all_of(samples.indices, hasLabel))
      return makeError(
          "-max-drop=" + budget.text +
          ": accuracy needs the classes of the samples: give "
          "-verify=FILE.npz with an array 'labels' as long as the others, or "
          "use agreement, kl or sqnr");
  }
  if (budget.metric == DropMetric::User && !options.metric)
    return makeError("-max-drop=" + budget.text +
                     ": the metric is a function of the program that calls "
                     "the compiler (qccSetMetric, or metric= in Python)");
  return Verification(budget, compared, samples, options);
}

llvm::Expected<double>
Verification::valueOf(size_t sample, llvm::ArrayRef<HostTensor> outputs) const {
  uint64_t index = samples->indices[sample];
  if (budget.metric == DropMetric::TopK)
    return double(isAmongLargest(outputs[*compared.scores],
                                 samples->labels[index], budget.classes));
  auto value = options->metric(index, outputs);
  if (value && !std::isfinite(*value))
    return makeError("the metric of sample " + std::to_string(index) +
                     " is no finite number");
  return value;
}

/// What one sample that is right instead of wrong adds, where the values of a
/// metric are two at most: then it is a rate. Nothing where they are more.
static std::optional<double> findUnit(const std::set<double> &values) {
  if (values.size() == 2)
    return *values.rbegin() - *values.begin();
  // All are right; but a value of 0 may as well be a distance.
  if (values.size() == 1 && *values.begin() != 0)
    return std::abs(*values.begin());
  return std::nullopt;
}

BoundedMean Verification::bound(llvm::ArrayRef<double> losses,
                                llvm::ArrayRef<double> values) const {
  std::optional<double> unit;
  if (budget.isRate())
    unit = 1;
  if (budget.metric == DropMetric::User) {
    std::set<double> distinct(floatValues.begin(), floatValues.end());
    distinct.insert(values.begin(), values.end());
    unit = findUnit(distinct);
  }
  if (!unit)
    return boundMean(losses, /*isRate=*/false);
  std::vector<double> rates;
  for (double loss : losses)
    rates.push_back(loss / *unit);
  BoundedMean bounded = boundMean(rates, /*isRate=*/true);
  return {bounded.mean * *unit, bounded.upper * *unit};
}

llvm::Error Verification::measureFloat(ModelRunner &runner) {
  Progress progress("running the float model", size());
  for (size_t i = 0; i < size(); ++i) {
    auto outputs = runner.run(samples->inputs[i]);
    if (!outputs)
      return outputs.takeError();
    countNonFinite(compared, *outputs, nonFinite);
    if (isPerSample()) {
      auto value = valueOf(i, *outputs);
      if (!value)
        return value.takeError();
      floatValues.push_back(*value);
    } else {
      floatOutputs.push_back(std::move(*outputs));
    }
    progress.step();
  }
  return llvm::Error::success();
}

/// What the divergence of the float model's outputs is from outputs that favour
/// no class.
static double
divergenceFromUniform(const ComparedOutputs &compared,
                      llvm::ArrayRef<std::vector<HostTensor>> outputs) {
  double mean = 0;
  for (const std::vector<HostTensor> &wanted : outputs) {
    std::vector<HostTensor> blank = wanted;
    for (HostTensor &tensor : blank)
      std::fill(tensor.data.begin(), tensor.data.end(), 0);
    mean += compareOutputs(compared, wanted, blank).divergence /
            double(outputs.size());
  }
  return mean;
}

/// So many times the limit, at least, scores must differ from no preference.
static constexpr double kTelling = 4;

/// Whether the metric looks at the scores of classes.
static bool readsScores(const DropBudget &budget) {
  return budget.isRate() || budget.metric == DropMetric::Divergence;
}

llvm::Error qcc::checkOutputs(const DropBudget &budget,
                              const ComparedOutputs &compared,
                              func::FuncOp main) {
  if (budget.metric == DropMetric::User)
    return llvm::Error::success();
  if (readsScores(budget) ? compared.scores.has_value()
                          : !compared.signals.empty())
    return llvm::Error::success();
  return makeError(
      "-max-drop=" + budget.text + ": " +
      (compared.signals.empty()
           ? "no output is of floats that quantization can change"
           : "the first output of floats has no scores of classes along its "
             "last dimension") +
      ": " + describeOutputs(main) +
      (compared.signals.empty()
           ? "; -outputs=NAME,... compiles the model up to the floats in front "
             "of them"
           : "; use sqnr or cosine, or name the scores with "
             "-outputs=NAME,..."));
}

/// "12 of 40 (30 %)"
static std::string partOf(size_t part, size_t whole) {
  return llvm::formatv("{0} of {1} ({2:f1} %)", part, whole,
                       100 * double(part) / double(whole));
}

std::string Verification::explainNonFinite() const {
  if (budget.metric == DropMetric::User)
    return "";
  if (!readsScores(budget))
    return nonFinite.nonFinite == 0
               ? ""
               : "of the float model's outputs " +
                     partOf(nonFinite.nonFinite, nonFinite.values) +
                     " values are NaN or infinite: a choice holds -max-drop=" +
                     budget.text + " only where the same values of it are";
  bool isDivergence = budget.metric == DropMetric::Divergence;
  size_t left = isDivergence ? nonFinite.undistributed : nonFinite.undecided;
  if (left == 0)
    return "";
  return "of the float model's scores " + partOf(left, nonFinite.positions) +
         " positions have NaN" +
         (isDivergence ? " or give no probabilities" : "") +
         (budget.metric == DropMetric::TopK
              ? ", which counts as a wrong class"
              : ", and are left out of -max-drop=" + budget.text);
}

llvm::Error Verification::checkResolution() const {
  size_t left = budget.metric == DropMetric::Divergence
                    ? nonFinite.undistributed
                    : nonFinite.undecided;
  if (readsScores(budget) && nonFinite.positions != 0 &&
      left == nonFinite.positions)
    return makeError("-max-drop=" + budget.text +
                     ": the float model's scores are NaN, or give no "
                     "probabilities, at all positions of the held-out samples");
  bool isDistance =
      budget.metric == DropMetric::Noise || budget.metric == DropMetric::Angle;
  if (isDistance && nonFinite.values != 0 &&
      nonFinite.nonFinite == nonFinite.values)
    return makeError("-max-drop=" + budget.text +
                     ": all outputs of the float model are NaN or infinite on "
                     "the held-out samples");
  if (budget.metric == DropMetric::Divergence && !floatOutputs.empty()) {
    double blank = divergenceFromUniform(compared, floatOutputs);
    if (blank <= kTelling * budget.limit)
      return makeError(
          "-max-drop=" + budget.text +
          ": nearly any model would hold it: the KL divergence of the outputs "
          "from scores that favour no class is " +
          llvm::formatv("{0:f5}", blank).str() +
          "; if the first output of floats is not one score per class, use "
          "sqnr "
          "or "
          "cosine, else a smaller value");
  }
  double finest = finestRate(size());
  if (budget.metric == DropMetric::User)
    finest *= findUnit({floatValues.begin(), floatValues.end()}).value_or(0);
  else if (!budget.isRate())
    return llvm::Error::success();
  if (finest <= budget.limit)
    return llvm::Error::success();
  std::string text = budget.isRate()
                         ? llvm::formatv("{0:f2} %", 100 * finest).str()
                         : llvm::formatv("{0:f4}", finest).str();
  return makeError("-max-drop=" + budget.text + ": " +
                   countOf(size(), "held-out sample") +
                   " can confirm no drop below " + text +
                   "; give more with -verify=, or use kl or sqnr, which are "
                   "finer");
}

llvm::Expected<BoundedMean> Verification::measure(ModelRunner &runner) const {
  std::vector<double> losses, values;
  Progress progress("verifying the budget", size());
  size_t nextCheck = kFewestSamples;
  for (size_t i = 0; i < size(); ++i) {
    auto outputs = runner.run(samples->inputs[i]);
    if (!outputs)
      return outputs.takeError();
    if (isPerSample()) {
      auto value = valueOf(i, *outputs);
      if (!value)
        return value.takeError();
      losses.push_back(floatValues[i] - *value);
      values.push_back(*value);
    } else {
      OutputError error =
          compareOutputs(compared, floatOutputs[i], *outputs, budget.classes);
      losses.push_back(budget.metric == DropMetric::Agreement
                           ? error.disagreement
                           : additiveLoss(error, budget));
    }
    progress.step();
    if (losses.size() != nextCheck)
      continue;
    nextCheck *= 2;
    BoundedMean part = boundMean(losses, /*isRate=*/false);
    double error = (part.upper - part.mean) / kOneSided;
    if (error > 0 && part.mean - kCertain * error > budget.limit)
      break;
  }
  return bound(losses, values);
}
