//===- Samples.cpp - The samples that options name ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Samples.h"

bool qcc::hasSamples(const CompileOptions &options) {
  return options.openCalibration || !options.calibrationPath.empty();
}

llvm::Expected<std::unique_ptr<qcc::Dataset>>
qcc::openSamples(const CompileOptions &options,
                 llvm::ArrayRef<InputSpec> inputs) {
  return options.openCalibration
             ? options.openCalibration(inputs)
             : openDataset(options.calibrationPath, inputs, options.preprocess);
}

llvm::Expected<std::vector<std::vector<qcc::HostTensor>>>
qcc::readSamples(const CompileOptions &options,
                 llvm::ArrayRef<InputSpec> inputs, size_t count) {
  auto dataset = openSamples(options, inputs);
  if (!dataset)
    return dataset.takeError();
  std::vector<std::vector<HostTensor>> samples;
  while (samples.size() < std::min(count, (*dataset)->size())) {
    auto sample = (*dataset)->next();
    if (!sample)
      return sample.takeError();
    samples.push_back(std::move(*sample));
  }
  return samples;
}
