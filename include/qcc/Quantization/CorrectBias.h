//===- CorrectBias.h - Biases that make up for rounding ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_CORRECTBIAS_H
#define QCC_QUANTIZATION_CORRECTBIAS_H

#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Quantization/InputStatistics.h"
#include "qcc/Support/ModelRunner.h"

namespace qcc {

/// The samples at the front that the statistics have seen, and what the float
/// model made of some of them.
struct ReferenceSamples {
  llvm::ArrayRef<std::vector<HostTensor>> inputs, outputs;
};

/// Means over fewer samples say more of these than of others: corrected biases
/// lose more than they gain then, by what models of images and of sound lost on
/// samples that were not calibrated on (docs/calibration.md).
inline constexpr size_t kFewestCorrectedSamples = 12;

/// What 8 bits cost at the outputs, as part of the signal: measured on each
/// sample with the corrections that samples before it gave.
struct OutputNoise {
  double uncorrected = 0, corrected = 0;
  double accepted() const { return std::min(uncorrected, corrected); }
};

/// Empirical bias correction. Runs the layers of the statistics with their
/// rounded weights on quantized activations, all others in float, and
/// accumulates by how much the mean of each output channel is off; each sample
/// runs with what those before it gave, so that a layer is corrected behind
/// corrected ones. Attaches corrections to the layers, in place of earlier
/// ones, where that lowers the noise at the outputs; of fewer samples than
/// kFewestCorrectedSamples only the noise without is measured. The layers named
/// in `keepFloat` stay as they are.
llvm::Expected<OutputNoise> correctBiases(mlir::ModuleOp module,
                                          const InputStatistics &statistics,
                                          const CalibrationTable &table,
                                          const llvm::StringSet<> &keepFloat,
                                          const ReferenceSamples &samples,
                                          const ModelRunnerFactory &compile);

/// Says by kBiasCorrectionAttr what the bias of a layer gets added; a layer
/// without a bias gets one of zeros.
void attachBiasCorrection(mlir::Operation *op, const LayerRows &rows,
                          llvm::ArrayRef<float> values);

} // namespace qcc

#endif // QCC_QUANTIZATION_CORRECTBIAS_H
