//===- BlockRounding.h - Weights rounded to blocks --------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rounding turns a matrix of floats into block weights. It may treat weights
// one by one (here), or heed what they do to the layer's result; all share the
// choice of scales.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_QUANTIZATION_BLOCKROUNDING_H
#define QCC_LIB_QUANTIZATION_BLOCKROUNDING_H

#include "qcc/Dialect/QNN/IR/BlockWeights.h"

namespace qcc {

/// The constant right-hand side of a product, by column and depth.
struct WeightMatrix {
  llvm::ArrayRef<float> values;
  int64_t columns, depth;
  bool isTransposed; ///< [columns][depth], else [depth][columns]
  float at(int64_t column, int64_t k) const {
    return values[size_t(isTransposed ? column * depth + k
                                      : k * columns + column)];
  }
};

/// The scale under which symmetric integers of `bits` bits represent the finite
/// `weights` with the least squared error, a bfloat16; 1 where all are 0.
float chooseBlockScale(llvm::ArrayRef<float> weights, int64_t bits);

/// The integer nearest to a weight, with the middle of the range for 0.
int64_t roundWeight(float weight, float scale, int64_t bits);

/// Each weight to the nearest integer, columns in parallel; nothing where a
/// weight is not finite.
std::optional<qnn::BlockWeights> roundToNearest(mlir::MLIRContext *context,
                                                const WeightMatrix &matrix,
                                                int64_t block, int64_t bits);

} // namespace qcc

#endif // QCC_LIB_QUANTIZATION_BLOCKROUNDING_H
