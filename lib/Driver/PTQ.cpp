//===- PTQ.cpp - What makes a model easier to quantize --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PTQ.h"

#include "qcc/Quantization/ChannelStatistics.h"
#include "qcc/Support/ResultToExpected.h"

using namespace mlir;

namespace qcc {

/// Samples that channels are measured on, at most.
static constexpr size_t kMostSamples = 32;
/// How much of the difference between channels goes to the layers behind.
static constexpr double kMigration = 0.5;

llvm::Expected<PTQOptions> PTQOptions::parse(StringRef list) {
  PTQOptions options;
  SmallVector<StringRef> words;
  list.split(words, ',', -1, false);
  for (StringRef word : words)
    if (word == "equalize")
      options.equalize = true;
    else if (word == "smooth")
      options.smooth = true;
    else if (word == "correct-bias")
      options.correctBias = true;
    else if (word == "clip-weights")
      options.clip = "mse";
    else if (word == "clip-weights-octav")
      options.clip = "octav";
    else
      return makeError("-ptq=" + list + ": '" + word +
                       "' is none of equalize, smooth, correct-bias, "
                       "clip-weights, clip-weights-octav");
  return options;
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
                           DatasetOpener open, const ModelRunnerFactory &run) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (ptq.equalize)
    equalizeChannels(main, nullptr, kMigration);
  if (ptq.smooth) {
    auto statistics = measure(module, open, run);
    if (!statistics)
      return statistics.takeError();
    equalizeChannels(main, &*statistics, kMigration);
  }
  if (ptq.correctBias) {
    auto statistics = measure(module, open, run);
    if (!statistics)
      return statistics.takeError();
    attachInputMeans(*statistics);
  }
  return llvm::Error::success();
}

} // namespace qcc
