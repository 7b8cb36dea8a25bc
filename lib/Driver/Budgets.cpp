//===- Budgets.cpp - What -precision=auto must keep -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Budgets.h"

#include "qcc/Support/ResultToExpected.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace qcc;

namespace {
struct Limit {
  const char *option;
  std::string CompileOptions::*text;
  double Budgets::*value;
  double unit; ///< of the text
};
} // namespace

static constexpr Limit limits[] = {
    {"max-latency", &CompileOptions::maxLatency, &Budgets::seconds, 1e-3},
    {"max-size", &CompileOptions::maxSize, &Budgets::bytes, 1},
    {"max-ram", &CompileOptions::maxRam, &Budgets::ram, 1}};

bool qcc::hasBudget(const CompileOptions &options) {
  return !options.maxDrop.empty() ||
         llvm::any_of(limits, [&](const Limit &limit) {
           return !(options.*limit.text).empty();
         });
}

llvm::Error qcc::checkBudget(const CompileOptions &options, QuantizeMode mode,
                             bool ownScales) {
  bool searches = options.precision == "auto";
  if (!searches && hasBudget(options))
    return makeError("a budget (-max-drop=, -max-latency=, -max-size=, "
                     "-max-ram=) needs -precision=auto");
  if (!searches && !options.searchThreads.empty())
    return makeError("-search-threads= needs -precision=auto");
  if (!searches || mode == QuantizeMode::Static)
    return llvm::Error::success();
  if (ownScales)
    return makeError(
        "-precision=auto: the model is quantized already and keeps "
        "its own scales, which leaves nothing to choose; leave "
        "-precision= and the budget out");
  return makeError("-precision=auto chooses between layers in static "
                   "quantization: give -calib=PATH, and leave -quantize= out");
}

llvm::Expected<Budgets> Budgets::parse(const CompileOptions &options) {
  Budgets budgets;
  if (!hasBudget(options))
    return makeError("-precision=auto needs a budget: -max-drop=, "
                     "-max-latency=, -max-size= or -max-ram=");
  if (!options.maxDrop.empty()) {
    auto parsed = DropBudget::parse(options.maxDrop);
    if (!parsed)
      return parsed.takeError();
    budgets.drop = std::move(*parsed);
  }
  for (const Limit &limit : limits) {
    llvm::StringRef text = options.*limit.text;
    if (text.empty())
      continue;
    double value;
    if (text.getAsDouble(value) || !std::isfinite(value) || value <= 0)
      return makeError(llvm::Twine("-") + limit.option + "=" + text +
                       ": expected a number above 0");
    budgets.*limit.value = value * limit.unit;
  }
  return budgets;
}

static double measured(const Variant &variant, const Limit &limit) {
  if (limit.value == &Budgets::seconds)
    return variant.seconds;
  return double(limit.value == &Budgets::bytes ? variant.sizes.fileBytes
                                               : variant.sizes.arenaBytes);
}

static std::string print(const Limit &limit, double value) {
  if (limit.value == &Budgets::seconds)
    return llvm::formatv("{0}", llvm::format("%.4g", value / limit.unit));
  return llvm::formatv("{0}", uint64_t(value));
}

std::vector<std::string> Budgets::exceeded(const Variant &variant) const {
  std::vector<std::string> texts;
  for (const Limit &limit : limits)
    if (this->*limit.value != 0 &&
        measured(variant, limit) > this->*limit.value) {
      texts.push_back(
          llvm::formatv("-{0}={1} is exceeded: {2} {3}", limit.option,
                        print(limit, this->*limit.value),
                        print(limit, measured(variant, limit)),
                        limit.value == &Budgets::seconds ? "ms" : "bytes"));
    }
  return texts;
}

std::string Budgets::nearest(const Variant &variant) const {
  std::vector<std::string> flags;
  for (const Limit &limit : limits)
    if (this->*limit.value != 0)
      flags.push_back(
          llvm::formatv("-{0}={1}", limit.option,
                        print(limit, std::max(measured(variant, limit),
                                              this->*limit.value))));
  return llvm::join(flags, " ");
}

std::string Budgets::describe() const {
  std::vector<std::string> flags;
  if (drop)
    flags.push_back("-max-drop=" + drop->text);
  for (const Limit &limit : limits)
    if (this->*limit.value != 0)
      flags.push_back(llvm::formatv("-{0}={1}", limit.option,
                                    print(limit, this->*limit.value)));
  return llvm::join(flags, " ");
}
