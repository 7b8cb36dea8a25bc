//===- Dataset.h - Calibration samples from disk ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CALIBRATION_DATASET_H
#define QCC_CALIBRATION_DATASET_H

#include "qcc/Support/HostTensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace qcc {

/// What a sample must hold for one input of the model.
struct InputSpec {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  /// Samples in files of their own may have other extents of the same rank.
  bool anyExtents = false;
};

/// The inputs of @main, in order. Fails where the module has no @main with
/// statically shaped plain tensors.
llvm::Expected<std::vector<InputSpec>> getInputSpecs(mlir::ModuleOp module);

/// Samples, read one at a time.
class Dataset {
public:
  virtual ~Dataset() = default;
  /// How many samples there are, at least 1.
  virtual size_t size() const = 0;
  /// The tensors of the next sample, in the order of the inputs and with their
  /// exact shapes. Call at most size() times.
  virtual llvm::Expected<std::vector<HostTensor>> next() = 0;
};

/// Another dataset, of which the samples at the front are kept in memory.
class RecordedDataset : public Dataset {
public:
  RecordedDataset(Dataset &source, size_t mostSamples, size_t mostBytes)
      : source(source), mostSamples(mostSamples), mostBytes(mostBytes) {}
  size_t size() const override { return source.size(); }
  llvm::Expected<std::vector<HostTensor>> next() override;
  /// What next() has given so far, up to the limits.
  std::vector<std::vector<HostTensor>> takeKept() { return std::move(kept); }

private:
  Dataset &source;
  size_t mostSamples, mostBytes, bytes = 0;
  std::vector<std::vector<HostTensor>> kept;
};

/// Every other sample of a dataset, beginning with the first; the rest is held
/// out for verification.
class HalfDataset : public Dataset {
public:
  explicit HalfDataset(Dataset &source) : source(source) {}
  size_t size() const override { return (source.size() + 1) / 2; }
  llvm::Expected<std::vector<HostTensor>> next() override;
  /// What was held out so far.
  std::vector<std::vector<HostTensor>> takeHeldOut() {
    return std::move(heldOut);
  }

private:
  Dataset &source;
  size_t position = 0;
  std::vector<std::vector<HostTensor>> heldOut;
};

/// Opens `path`:
///  - an .npz file whose keys are the names of the inputs; each array is
///    samples x shape, or samples x shape without a leading 1;
///  - a folder of .npz files, one sample each;
///  - a folder of folders that hold input_0.pb, input_1.pb, ..., in the order
///    of the inputs, or one such folder;
///  - with `preprocess` (see Image.h), and a model of one input: a folder of
///    images (.png, .jpg, .npy of u8), or an .npy file of samples x height x
///    width (x channels).
/// Names of files and folders are taken in natural order (2 before 10).
llvm::Expected<std::unique_ptr<Dataset>>
openDataset(const std::string &path, llvm::ArrayRef<InputSpec> inputs,
            const std::optional<std::string> &preprocess = std::nullopt);

} // namespace qcc

#endif // QCC_CALIBRATION_DATASET_H
