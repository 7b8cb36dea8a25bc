//===- Accuracy.cpp - What quantization changes on labelled samples -------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "qcc/Support/Progress.h"

#include <cmath>

using namespace mlir;
using namespace qcc;

/// Two-sided: 95 % of the normal distribution lie within so many deviations.
static constexpr double kTwoSided = 1.96;

static Interval makeInterval(ArrayRef<double> values) {
  Interval interval;
  auto count = double(values.size());
  double squares = 0;
  for (double value : values)
    interval.mean += value / count;
  for (double value : values)
    squares += (value - interval.mean) * (value - interval.mean);
  double half =
      count > 1 ? kTwoSided * std::sqrt(squares / (count - 1) / count) : 0;
  interval.lower = interval.mean - half;
  interval.upper = interval.mean + half;
  return interval;
}

llvm::Error qcc::measureAccuracy(ModelReport &report, ModuleOp expected,
                                 const HeldOutSamples &samples,
                                 const ModelRunnerFactory &run) {
  ModuleOp modules[2] = {expected, *report.module};
  std::unique_ptr<ModelRunner> runners[2];
  for (size_t form : {0, 1}) {
    auto runner = run(modules[form]);
    if (!runner)
      return runner.takeError();
    runners[form] = std::move(*runner);
  }
  // Weights in 16 bits show in the compiled form alone.
  auto compared =
      ComparedOutputs::get({modules[0].lookupSymbol<func::FuncOp>("main"),
                            modules[1].lookupSymbol<func::FuncOp>("main")});
  AccuracyReport accuracy;
  accuracy.hasSignals = !compared.signals.empty();
  accuracy.hasScores = compared.scores.has_value();
  accuracy.samples = samples.inputs.size();
  accuracy.isLabelled = accuracy.hasScores && !samples.labels.empty() &&
                        samples.labels.size() >= samples.inputs.size();
  std::vector<double> drops, same, divergences, noises;
  Progress progress("measuring accuracy", accuracy.samples);
  for (auto [inputs, index] :
       llvm::zip_equal(samples.inputs, samples.indices)) {
    std::vector<HostTensor> outputs[2];
    for (size_t form : {0, 1}) {
      auto found = runners[form]->run(inputs);
      if (!found)
        return found.takeError();
      outputs[form] = std::move(*found);
    }
    OutputError error = compareOutputs(compared, outputs[0], outputs[1]);
    same.push_back(1 - error.disagreement);
    divergences.push_back(error.divergence);
    noises.push_back(error.noise);
    if (accuracy.isLabelled) {
      double right[2];
      for (size_t form : {0, 1})
        right[form] = isAmongLargest(outputs[form][*compared.scores],
                                     samples.labels[index], 1);
      accuracy.expectedTop1 += right[0] / double(accuracy.samples);
      accuracy.actualTop1 += right[1] / double(accuracy.samples);
      drops.push_back(right[0] - right[1]);
    }
    progress.step();
  }
  if (accuracy.isLabelled)
    accuracy.top1Drop = makeInterval(drops);
  accuracy.agreement = makeInterval(same);
  accuracy.divergence = makeInterval(divergences);
  accuracy.noise = makeInterval(noises);
  report.accuracy = accuracy;
  return llvm::Error::success();
}
