//===- InputStatistics.h - What layers see of samples -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_INPUTSTATISTICS_H
#define QCC_QUANTIZATION_INPUTSTATISTICS_H

#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Quantization/LayerRows.h"
#include "qcc/Quantization/Rounding.h"
#include "qcc/Support/HostTensor.h"

namespace qcc {

struct InputStatisticsOptions {
  bool moments = false; ///< second moments of the rows
  bool means = false;   ///< mean results of each sample
  size_t samples = 32;  ///< that are looked at, the first ones
  /// Multiplications that moments may take; those of layers with few inputs
  /// come first.
  double mostProducts = 4e9;
};

/// Statistics of the inputs of a float model's layers, collected sample by
/// sample. Memory is bounded by the moments of all layers.
class InputStatistics {
public:
  struct Layer {
    mlir::Operation *op;
    std::optional<LayerRows> rows; ///< nothing: left alone
    bool hasBias = false;          ///< of its own
    bool hasMoments = false;
    size_t count = 0;            ///< rows seen of each group
    std::vector<float> shift;    ///< near the mean, for precision
    std::vector<float> products; ///< sums of products, of shifted rows
    std::vector<double> sums;    ///< of shifted rows
    /// By sample: the mean of each column of the result without bias.
    std::vector<std::vector<float>> sampleMeans;
    std::vector<double> meanRows; ///< sum of the mean rows of the samples
  };

  /// The layers of `main` (float, without observers), as QuantizationSites
  /// orders them. `main` must live on, and the layers keep their weights.
  InputStatistics(mlir::func::FuncOp main, size_t sampleCount,
                  const InputStatisticsOptions &options);

  /// Adds a sample: the input of each layer.
  void add(llvm::ArrayRef<const HostTensor *> inputs);
  llvm::ArrayRef<Layer> layers() const { return all; }
  size_t samples() const { return seen; }
  /// Second moments of the rows of one group about their mean, or about 0.
  static Moments moments(const Layer &layer, int64_t group, bool centered);

private:
  void addMoments(Layer &layer, llvm::ArrayRef<float> input);
  void addMeans(Layer &layer, llvm::ArrayRef<float> input);

  InputStatisticsOptions options;
  size_t seen = 0, expected;
  std::vector<Layer> all;
};

/// The weights of a layer, one column after the other.
std::vector<float> readColumns(mlir::Operation *op, const LayerRows &rows);

} // namespace qcc

#endif // QCC_QUANTIZATION_INPUTSTATISTICS_H
