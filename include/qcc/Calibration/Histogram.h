//===- Histogram.h - Distribution of a tensor in bounded memory -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CALIBRATION_HISTOGRAM_H
#define QCC_CALIBRATION_HISTOGRAM_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <vector>

namespace qcc {

/// Counts values in bins of constant relative width: each power of two is split
/// into 128. So an outlier does not coarsen the bins of the others, no range
/// need be known in advance, and the counts do not depend on the order in which
/// values or whole histograms are added.
///
/// Magnitudes below 2^-32 of the largest one count as zeros; at most 2 x 4096
/// bins remain.
class Histogram {
public:
  /// Values in [low, high]; a zero has low == high.
  struct Bin {
    double low, high;
    uint64_t count;
  };

  /// Fails, and adds nothing, where a value is NaN or infinite.
  bool add(llvm::ArrayRef<float> values);
  void merge(const Histogram &other);

  uint64_t count() const { return total; }
  /// The smallest and largest value; 0 where there is none.
  float min() const { return lowest; }
  float max() const { return highest; }
  /// The bins that hold anything, in ascending order.
  std::vector<Bin> bins() const;
  /// The value below which the given part (0 to 1) of all values lies.
  double quantile(double part) const;

private:
  /// Counts by the upper 15 bits of the magnitude, from `first` on.
  struct Side {
    uint32_t first = 0;
    std::vector<uint64_t> counts;
    void add(uint32_t index, uint64_t count);
  };

  void addTotals(float lo, float hi, uint64_t count);
  /// Moves what is too small for the window to `zeros`.
  void trim();

  Side positive, negative;
  uint64_t zeros = 0, total = 0;
  float lowest = 0, highest = 0;
};

} // namespace qcc

#endif // QCC_CALIBRATION_HISTOGRAM_H
