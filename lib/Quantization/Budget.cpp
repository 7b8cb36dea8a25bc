//===- Budget.cpp - How much worse a quantized model may be ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/Budget.h"

#include "qcc/Support/ResultToExpected.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace qcc;

llvm::Expected<DropBudget> DropBudget::parse(llvm::StringRef text) {
  auto fail = [&] {
    return makeError("-max-drop=" + text +
                     ": expected top1:1%, agreement:1%, kl:0.01, sqnr:20 (dB) "
                     "or cosine:0.99");
  };
  auto [name, value] = text.split(':');
  auto metric = llvm::StringSwitch<std::optional<DropMetric>>(name)
                    .Case("top1", DropMetric::Top1)
                    .Case("agreement", DropMetric::Agreement)
                    .Case("kl", DropMetric::Divergence)
                    .Case("sqnr", DropMetric::Noise)
                    .Case("cosine", DropMetric::Angle)
                    .Default(std::nullopt);
  bool isPercent = value.consume_back("%");
  double number;
  if (!metric || value.getAsDouble(number) || !std::isfinite(number))
    return fail();
  bool isRate = *metric == DropMetric::Top1 || *metric == DropMetric::Agreement;
  if (isPercent && !isRate)
    return fail();
  double limit = isPercent ? number / 100 : number;
  if (*metric == DropMetric::Noise)
    limit = std::pow(10, -number / 10);
  if (*metric == DropMetric::Angle)
    limit = 1 - number;
  if (limit < 0 || (isRate && limit >= 1))
    return fail();
  return DropBudget{*metric, limit, text.str()};
}

std::string DropBudget::describe(double loss) const {
  switch (metric) {
  case DropMetric::Top1:
    return llvm::formatv("top-1 drop {0:f2} %", 100 * loss);
  case DropMetric::Agreement:
    return llvm::formatv("other class chosen in {0:f2} %", 100 * loss);
  case DropMetric::Divergence:
    return llvm::formatv("KL divergence {0:f5}", loss);
  case DropMetric::Noise:
    return llvm::formatv("SQNR {0:f1} dB", toDecibels(loss));
  case DropMetric::Angle:
    return llvm::formatv("cosine {0:f5}", 1 - loss);
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
  // One-sided: 95 % of the normal distribution lie below 1.645.
  double deviation = losses.size() > 1 ? std::sqrt(squares / (count - 1)) : 0;
  result.upper = result.mean + 1.645 * deviation / std::sqrt(count);
  if (isRate)
    result.upper =
        std::max(result.upper, result.mean + finestRate(losses.size()));
  return result;
}
