//===- PTQ.cpp - What makes a model easier to quantize --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PTQ.h"

#include "qcc/Quantization/ChannelStatistics.h"
#include "qcc/Quantization/SavedCorrections.h"
#include "qcc/Support/Plural.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace qcc {

/// Samples that channels are measured on, at most.
static constexpr size_t kMostSamples = 32;
/// What noise at the outputs is measured on.
static constexpr size_t kMostOutputs = 16, kMostOutputBytes = 64 << 20;
/// Multiplications that second moments may take, by default and where the user
/// asks for what needs them.
static constexpr double kDefaultProducts = 4e9, kMostProducts = 4e12;

llvm::Expected<PTQOptions> PTQOptions::parse(StringRef list) {
  PTQOptions options;
  if (list == "none" || list.empty())
    return options;
  if (list == "auto") {
    options.automatic = options.correctBias = true;
    options.rounding = RoundingMethod::SecondOrder;
    return options;
  }
  SmallVector<StringRef> words;
  list.split(words, ',', -1, false);
  for (StringRef word : words)
    if (word == "equalize")
      options.equalize = true;
    else if (word == "smooth")
      options.smooth = true;
    else if (word == "absorb-bias")
      options.absorbBias = true;
    else if (word == "correct-bias")
      options.correctBias = true;
    else if (word == "gptq")
      options.rounding = RoundingMethod::SecondOrder;
    else if (word == "adaround")
      options.rounding = RoundingMethod::Learned;
    else if (word == "clip-weights")
      options.clip = "mse";
    else if (word == "clip-weights-octav")
      options.clip = "octav";
    else
      return makeError("-ptq=" + list + ": '" + word +
                       "' is none of equalize, smooth, absorb-bias, "
                       "correct-bias, gptq, adaround, clip-weights, "
                       "clip-weights-octav; auto and none stand alone");
  return options;
}

std::string PTQOptions::corrections() const {
  SmallVector<StringRef> words;
  if (rounding != RoundingMethod::Nearest)
    words.push_back(rounding == RoundingMethod::Learned ? "adaround" : "gptq");
  if (correctBias)
    words.push_back("correct-bias");
  return llvm::join(words, ",");
}

std::string weightClip(const CompileOptions &options) {
  return llvm::cantFail(PTQOptions::parse(options.ptq)).clip;
}

static llvm::Expected<StatisticsByValue>
measure(ModuleOp module, DatasetOpener open, const ModelRunnerFactory &run) {
  auto dataset = open();
  if (!dataset)
    return dataset.takeError();
  std::vector<std::vector<HostTensor>> samples;
  for (size_t i = 0, e = std::min((*dataset)->size(), kMostSamples); i < e;
       ++i) {
    auto sample = (*dataset)->next();
    if (!sample)
      return sample.takeError();
    samples.push_back(std::move(*sample));
  }
  return measureChannels(module, samples, run);
}

llvm::Error prepareWeights(ModuleOp module, const PTQOptions &ptq,
                           DatasetOpener open, const ModelRunnerFactory &run,
                           std::vector<ChannelEntry> &channels) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  auto find = [&](StringRef algorithm) -> llvm::Expected<StatisticsByValue> {
    if (llvm::none_of(channels, [&](const ChannelEntry &entry) {
          return entry.algorithm == algorithm;
        })) {
      auto measured = measure(module, open, run);
      if (!measured)
        return measured;
      llvm::append_range(channels, saveChannels(module, algorithm, *measured));
    }
    // What is not in the table shall not count here either.
    return readChannels(module, algorithm, channels);
  };
  if (ptq.equalize)
    equalizeChannels(main, nullptr, kMigration);
  if (ptq.smooth) {
    auto statistics = find("smooth");
    if (!statistics)
      return statistics.takeError();
    equalizeChannels(main, &*statistics, kMigration);
  }
  if (ptq.absorbBias) {
    auto statistics = find("absorb-bias");
    if (!statistics)
      return statistics.takeError();
    absorbBiases(main, *statistics);
  }
  return llvm::Error::success();
}

static InputStatisticsOptions statisticsOptions(const PTQOptions &ptq) {
  InputStatisticsOptions options;
  options.moments = ptq.rounding != RoundingMethod::Nearest;
  options.means = ptq.correctBias;
  options.samples = kMostSamples;
  options.mostProducts = ptq.automatic ? kDefaultProducts : kMostProducts;
  return options;
}

SampleStatistics::SampleStatistics(ModuleOp module, size_t samples,
                                   const PTQOptions &ptq)
    : ptq(ptq), statistics(module.lookupSymbol<func::FuncOp>("main"), samples,
                           statisticsOptions(ptq)) {}

SampleObserver SampleStatistics::observer() {
  if (!ptq.needsStatistics())
    return {};
  return [this](ArrayRef<const HostTensor *> inputs,
                ArrayRef<HostTensor> results) {
    statistics.add(inputs);
    for (const HostTensor &tensor : results)
      outputBytes += tensor.data.size();
    if (outputs.empty() ||
        (outputs.size() < kMostOutputs && outputBytes <= kMostOutputBytes))
      outputs.emplace_back(results.begin(), results.end());
  };
}

void SampleStatistics::round() const {
  if (ptq.needsStatistics())
    roundWeights(statistics, {ptq.rounding, correctsBiases(), ptq.clip});
}

bool SampleStatistics::correctsBiases() const {
  return ptq.correctBias && statistics.samples() >= kFewestCorrectedSamples;
}

std::string SampleStatistics::explain() const {
  if (!ptq.correctBias || ptq.automatic || correctsBiases())
    return "";
  return "-ptq=correct-bias: the biases stay as they are, " +
         countOf(statistics.samples(), "calibration sample") +
         (statistics.samples() == 1 ? " is" : " are") + " too few; " +
         std::to_string(kFewestCorrectedSamples) + " are needed";
}

llvm::Expected<std::optional<double>>
SampleStatistics::correct(ModuleOp module, const CalibrationTable &table,
                          ArrayRef<std::string> keepFloat,
                          ArrayRef<std::vector<HostTensor>> inputs,
                          const ModelRunnerFactory &run) const {
  if (!ptq.correctBias || inputs.empty() || outputs.empty())
    return std::nullopt;
  llvm::StringSet<> names;
  names.insert(keepFloat.begin(), keepFloat.end());
  ReferenceSamples samples;
  samples.inputs = inputs;
  samples.outputs = ArrayRef(outputs).take_front(inputs.size());
  auto noise = correctBiases(module, statistics, table, names, samples, run);
  if (!noise)
    return noise.takeError();
  return noise->accepted();
}

void saveCorrections(ModuleOp module, const PTQOptions &ptq,
                     CalibrationTable &table) {
  if (!ptq.needsStatistics())
    return;
  table.ptq = ptq.corrections();
  table.correctedWithFloat = table.keepFloat;
  for (const auto *others : {&table.int16, &table.fp16, &table.bf16})
    llvm::append_range(table.correctedWithFloat, *others);
  saveCorrections(module, table);
}

llvm::Error applyCorrections(ModuleOp module, const PTQOptions &ptq,
                             const CalibrationTable &table,
                             ArrayRef<std::string> keepFloat, StringRef cause) {
  std::string without = cause.str() + " weights are rounded to nearest and "
                                      "biases not corrected";
  if (!ptq.needsStatistics())
    return llvm::Error::success();
  if (table.ptq != ptq.corrections()) {
    auto remark = emitRemark(module.getLoc()) << without;
    if (!table.ptq.empty())
      remark << ": -ptq= asks for " << ptq.corrections() << ", the table holds "
             << table.ptq;
    return llvm::Error::success();
  }
  llvm::StringSet<> names, earlier;
  names.insert(keepFloat.begin(), keepFloat.end());
  earlier.insert(table.correctedWithFloat.begin(),
                 table.correctedWithFloat.end());
  auto others = qcc::applyCorrections(module, table, ptq.clip, names);
  if (!others)
    return others.takeError();
  if (!others->empty())
    emitRemark(module.getLoc())
        << "of the layers in the table " << others->size()
        << " are not in the model or have other weights there, '"
        << others->front() << "' first; " << without
        << " in layers that the table does not hold";
  if (ptq.correctBias && names != earlier)
    emitRemark(module.getLoc())
        << "other layers stay float than when the biases of the table were "
           "corrected; samples (-calib) correct them anew";
  return llvm::Error::success();
}

} // namespace qcc
