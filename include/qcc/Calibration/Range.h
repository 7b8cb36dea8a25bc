//===- Range.h - From a distribution to the range of 8 bits -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CALIBRATION_RANGE_H
#define QCC_CALIBRATION_RANGE_H

#include "qcc/Calibration/Histogram.h"
#include "qcc/Support/QuantMath.h"
#include "llvm/ADT/StringRef.h"

#include <optional>

namespace qcc {

/// How a range is derived from a distribution.
enum class RangeMethod {
  Auto,       ///< per tensor, the method with the least error
  MinMax,     ///< all values
  Percentile, ///< all but the outermost values on each side
  Entropy,    ///< the least Kullback-Leibler divergence
  MSE,        ///< the least mean squared error
};

/// "auto", "minmax", "percentile", "entropy", "mse".
llvm::StringRef name(RangeMethod method);
std::optional<RangeMethod> parseRangeMethod(llvm::StringRef name);

struct RangeOptions {
  RangeMethod method = RangeMethod::Auto;
  /// For Percentile: how much of the values each end of the range has on its
  /// inner side, in percent.
  double percentile = 99.99;
};

/// A range that includes 0 and the method that gave it.
struct Range {
  float min = 0, max = 0;
  RangeMethod method = RangeMethod::MinMax;
};

Range estimateRange(const Histogram &histogram, const RangeOptions &options);

/// Unsigned 8-bit parameters for a range, after widening it to include 0. An
/// empty range gets scale 1.
QuantParams chooseParams(float min, float max);

/// The mean squared error of quantizing the values with `params`, where the
/// values of a bin are spread evenly over it.
double quantizationError(const std::vector<Histogram::Bin> &bins,
                         const QuantParams &params);

} // namespace qcc

#endif // QCC_CALIBRATION_RANGE_H
