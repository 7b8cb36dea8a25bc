//===- LayerRows.h - Layers as products of rows -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_LAYERROWS_H
#define QCC_QUANTIZATION_LAYERROWS_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include <optional>

namespace qcc {

/// A layer with a constant float weight as products: at each position of its
/// result, a row of `depth` inputs (of each group) meets the weights of each
/// column (output channel) of that group.
class LayerRows {
public:
  /// Nothing for ops that are none of these.
  static std::optional<LayerRows> get(mlir::Operation *op);

  int64_t groups() const { return numGroups; }
  /// Weights of a column.
  int64_t depth() const { return channelsPerGroup * taps; }
  int64_t columns() const { return numColumns; }
  int64_t columnsPerGroup() const { return numColumns / numGroups; }
  int64_t positions() const { return batch * outPositions; }
  /// The dimension of the result that holds the columns.
  int64_t resultChannelDim() const { return channelDim; }

  /// Row-major index into the weight of element `i` of a column.
  int64_t weightIndex(int64_t column, int64_t i) const;
  /// The input row of a position and group.
  void gather(llvm::ArrayRef<float> input, int64_t position, int64_t group,
              llvm::MutableArrayRef<float> row) const;
  /// The mean row of each group over all positions, one group after the other.
  std::vector<double> means(llvm::ArrayRef<float> input) const;

private:
  /// A spatial dimension.
  struct Dim {
    int64_t in, out, kernel, stride, dilation, pad;
  };
  double sumOfTap(const float *channel, int64_t tap) const;

  int64_t numGroups = 1, numColumns = 0, channelDim = 1;
  int64_t channelsPerGroup = 0, taps = 1, batch = 1, outPositions = 1;
  /// Distance of neighbouring positions without spatial dimensions, and of
  /// neighbouring channels, in the input.
  int64_t inPositions = 1;
  bool channelsLast = false;  ///< no spatial dimensions: rows lie in the input
  bool columnsInside = false; ///< weight is depth x columns
  llvm::SmallVector<Dim, 3> dims;
};

} // namespace qcc

#endif // QCC_QUANTIZATION_LAYERROWS_H
