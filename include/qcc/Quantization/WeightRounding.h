//===- WeightRounding.h - Rounded weights of layers -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_WEIGHTROUNDING_H
#define QCC_QUANTIZATION_WEIGHTROUNDING_H

#include "qcc/Quantization/InputStatistics.h"

namespace qcc {

enum class RoundingMethod {
  Nearest,     ///< each weight to the nearest integer
  SecondOrder, ///< GPTQ
  Learned,     ///< AdaRound
};

struct WeightRoundingOptions {
  RoundingMethod method = RoundingMethod::Nearest;
  /// Whether biases will be corrected, so that only deviations from the mean
  /// input count.
  bool centered = true;
  llvm::StringRef clip = "max"; ///< as in qnn-quantize-weights
};

/// Attaches to each layer of the statistics what qnn-quantize-weights shall
/// make of its weight: kRoundedWeightsAttr and kWeightScalesAttr. Layers
/// without moments, and columns that the method does not improve, are rounded
/// to nearest.
void roundWeights(const InputStatistics &statistics,
                  const WeightRoundingOptions &options);

/// The weight of a layer as its rounded integers stand for it; nothing without
/// those.
std::optional<std::vector<float>> readRoundedWeight(mlir::Operation *op);

/// On a layer: the integers of its weight, row-major.
constexpr llvm::StringLiteral kRoundedWeightsAttr = "qnn.rounded_weights";
/// On a layer: the scale of each output channel of these.
constexpr llvm::StringLiteral kWeightScalesAttr = "qnn.weight_scales";
/// On a layer: what its bias gets added once its weight is quantized.
constexpr llvm::StringLiteral kBiasCorrectionAttr = "qnn.bias_correction";

} // namespace qcc

#endif // QCC_QUANTIZATION_WEIGHTROUNDING_H
