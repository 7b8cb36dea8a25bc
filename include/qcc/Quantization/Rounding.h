//===- Rounding.h - Which integer a weight becomes --------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The output error of a linear layer, for weights `w` rounded to `v` under
// second moments G of its input, is (v - w) G (v - w)^T for each row of
// weights. Rounding each weight to the nearest integer minimizes it only where
// the inputs are not correlated.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_ROUNDING_H
#define QCC_QUANTIZATION_ROUNDING_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <vector>

namespace qcc {

/// A symmetric positive semidefinite matrix, all of it, row-major.
struct Moments {
  size_t size = 0;
  std::vector<float> values;
  float at(size_t i, size_t j) const { return values[i * size + j]; }
};

/// The integers that the weights of some rows can become.
struct RoundingGrid {
  /// One scale for each row, or for each block of `block` weights of a row.
  llvm::ArrayRef<float> scales;
  size_t block = 0; ///< 0: the whole row
  int qmin = -127, qmax = 127;

  float scale(size_t row, size_t column, size_t columns) const {
    if (block == 0)
      return scales[row];
    return scales[row * ((columns + block - 1) / block) + column / block];
  }
};

/// `weights` is row-major, `columns` each row.
std::vector<int8_t> roundNearest(llvm::ArrayRef<float> weights, size_t columns,
                                 const RoundingGrid &grid);

/// GPTQ (Frantar et al.): weights are rounded one after the other, and those
/// that are left make up for the error of each.
std::vector<int8_t> roundSecondOrder(llvm::ArrayRef<float> weights,
                                     const Moments &moments,
                                     const RoundingGrid &grid);

/// AdaRound (Nagel et al.): for each weight, up or down is learned by gradient
/// descent on the output error, relaxed to a rectified sigmoid that a
/// regularizer pushes to 0 or 1.
std::vector<int8_t> roundLearned(llvm::ArrayRef<float> weights,
                                 const Moments &moments,
                                 const RoundingGrid &grid);

/// The output error of each row.
std::vector<double> outputError(llvm::ArrayRef<float> weights,
                                llvm::ArrayRef<int8_t> integers,
                                const Moments &moments,
                                const RoundingGrid &grid);

/// Takes from `integers` the rows of `others` that have less output error.
void keepBetterRows(llvm::ArrayRef<float> weights,
                    std::vector<int8_t> &integers,
                    llvm::ArrayRef<int8_t> others, const Moments &moments,
                    const RoundingGrid &grid);

} // namespace qcc

#endif // QCC_QUANTIZATION_ROUNDING_H
