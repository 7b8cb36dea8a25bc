//===- Samples.cpp - The samples that options name ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Samples.h"

#include "qcc/Support/Npz.h"
#include "qcc/Support/ResultToExpected.h"

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

namespace {
/// The half of a dataset that is not held out.
class OwnedHalf : public qcc::Dataset {
public:
  explicit OwnedHalf(std::unique_ptr<qcc::Dataset> whole)
      : whole(std::move(whole)), half(*this->whole) {}
  size_t size() const override { return half.size(); }
  llvm::Expected<std::vector<qcc::HostTensor>> next() override {
    return half.next();
  }

private:
  std::unique_ptr<qcc::Dataset> whole;
  qcc::HalfDataset half;
};
} // namespace

llvm::Expected<std::unique_ptr<qcc::Dataset>>
qcc::openSearchSamples(const CompileOptions &options,
                       llvm::ArrayRef<InputSpec> inputs) {
  auto dataset = openSamples(options, inputs);
  if (!dataset || options.precision != "auto" || hasVerification(options))
    return dataset;
  return std::make_unique<OwnedHalf>(std::move(*dataset));
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

bool qcc::hasVerification(const CompileOptions &options) {
  return options.openVerification || !options.verifyPath.empty();
}

/// The array 'labels' of an .npz; empty where it has none.
static llvm::Expected<std::vector<int64_t>>
readLabels(const std::string &path) {
  std::vector<int64_t> values;
  if (!llvm::StringRef(path).ends_with(".npz"))
    return values;
  auto labels = qcc::readNpzArray(path, "labels");
  if (!labels)
    return values;
  auto append = [&](auto elements) {
    values.assign(elements.begin(), elements.end());
  };
  if (labels->dtype == qcc::DType::I64)
    append(labels->as<int64_t>());
  else if (labels->dtype == qcc::DType::I32)
    append(labels->as<int32_t>());
  else if (labels->dtype == qcc::DType::U8)
    append(labels->as<uint8_t>());
  else
    return qcc::makeError("-verify=" + path +
                          ": 'labels' must be i64, i32 or u8");
  return values;
}

llvm::Expected<qcc::HeldOutSamples>
qcc::readHeldOut(const CompileOptions &options,
                 llvm::ArrayRef<InputSpec> inputs) {
  auto dataset =
      options.openVerification
          ? options.openVerification(inputs)
          : openDataset(options.verifyPath, inputs, options.preprocess);
  if (!dataset)
    return dataset.takeError();
  HeldOutSamples samples;
  for (size_t i = 0, e = (*dataset)->size(); i < e; ++i) {
    auto sample = (*dataset)->next();
    if (!sample)
      return sample.takeError();
    samples.inputs.push_back(std::move(*sample));
    samples.indices.push_back(i);
  }
  if (!options.openVerification) {
    auto labels = readLabels(options.verifyPath);
    if (!labels)
      return labels.takeError();
    samples.labels = std::move(*labels);
  }
  return samples;
}
