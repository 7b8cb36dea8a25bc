//===- Budget.cpp - How much worse a quantized model may be ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/Budget.h"

#include "qcc/Support/ResultToExpected.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace qcc;

/// NAME, NAME5 -> 1, 5; nothing for other names and for 0.
static std::optional<unsigned> takeClasses(llvm::StringRef name,
                                           llvm::StringRef word) {
  unsigned classes = 1;
  if (!name.consume_front(word) ||
      (!name.empty() && (name.getAsInteger(10, classes) || classes == 0)))
    return std::nullopt;
  return classes;
}

llvm::Expected<DropBudget> DropBudget::parse(llvm::StringRef text) {
  auto fail = [&] {
    return makeError("-max-drop=" + text +
                     ": expected top1:1%, top5:1%, agreement:1%, "
                     "agreement5:1%, kl:0.01, sqnr:20 (dB) or cosine:0.99");
  };
  auto [name, value] = text.split(':');
  DropBudget budget{DropMetric::TopK, 0, text.str()};
  if (auto classes = takeClasses(name, "agreement")) {
    budget.metric = DropMetric::Agreement;
    budget.classes = *classes;
  } else if (auto classes = takeClasses(name, "top");
             classes && name != "top") {
    budget.classes = *classes;
  } else {
    auto metric = llvm::StringSwitch<std::optional<DropMetric>>(name)
                      .Case("kl", DropMetric::Divergence)
                      .Case("sqnr", DropMetric::Noise)
                      .Case("cosine", DropMetric::Angle)
                      .Case("metric", DropMetric::User)
                      .Default(std::nullopt);
    if (!metric)
      return fail();
    budget.metric = *metric;
  }
  bool isPercent = value.consume_back("%");
  double number;
  if (value.getAsDouble(number) || !std::isfinite(number) ||
      (isPercent && !budget.isRate()))
    return fail();
  budget.limit = isPercent ? number / 100 : number;
  if (budget.metric == DropMetric::Noise)
    budget.limit = std::pow(10, -number / 10);
  if (budget.metric == DropMetric::Angle)
    budget.limit = 1 - number;
  if (budget.limit < 0 || (budget.isRate() && budget.limit >= 1))
    return fail();
  return budget;
}

std::string DropBudget::lossName() const {
  switch (metric) {
  case DropMetric::TopK:
    return llvm::formatv("drop of top-{0} accuracy", classes);
  case DropMetric::Agreement:
    return classes == 1 ? "part of other classes"
                        : llvm::formatv("part of classes not among the first "
                                        "{0}",
                                        classes)
                              .str();
  case DropMetric::Divergence:
    return "KL divergence, nats";
  case DropMetric::Noise:
    return "noise by signal";
  case DropMetric::Angle:
    return "1 - cosine";
  case DropMetric::User:
    return "drop of the metric";
  }
  llvm_unreachable("no such metric");
}

std::string DropBudget::describe(double loss) const {
  switch (metric) {
  case DropMetric::TopK:
    return llvm::formatv("top-{0} drop {1:f2} %", classes, 100 * loss);
  case DropMetric::Agreement:
    if (classes == 1)
      return llvm::formatv("other class chosen in {0:f2} %", 100 * loss);
    return llvm::formatv("class not among the first {0} in {1:f2} %", classes,
                         100 * loss);
  case DropMetric::Divergence:
    return llvm::formatv("KL divergence {0:f5}", loss);
  case DropMetric::Noise:
    return llvm::formatv("SQNR {0:f1} dB", toDecibels(loss));
  case DropMetric::Angle:
    return llvm::formatv("cosine {0:f5}", 1 - loss);
  case DropMetric::User:
    return llvm::formatv("drop of the metric {0}", llvm::format("%.4g", loss));
  }
  llvm_unreachable("no such metric");
}

double qcc::finestRate(size_t samples) {
  return samples == 0 ? 1 : 1 - std::pow(0.05, 1.0 / double(samples));
}

BoundedMean qcc::boundMean(llvm::ArrayRef<double> losses, bool isRate) {
  BoundedMean result;
  if (losses.empty())
    return result;
  auto count = double(losses.size());
  for (double loss : losses)
    result.mean += loss / count;
  double squares = 0;
  for (double loss : losses)
    squares += (loss - result.mean) * (loss - result.mean);
  double deviation = losses.size() > 1 ? std::sqrt(squares / (count - 1)) : 0;
  result.upper = result.mean + kOneSided * deviation / std::sqrt(count);
  if (isRate)
    result.upper =
        std::max(result.upper, result.mean + finestRate(losses.size()));
  return result;
}
