//===- OutputError.h - Distances from a float model's outputs ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_OUTPUTERROR_H
#define QCC_QUANTIZATION_OUTPUTERROR_H

#include "qcc/Support/HostTensor.h"
#include "llvm/ADT/ArrayRef.h"

namespace qcc {

/// The outputs of one sample against those of the float model.
struct OutputError {
  /// Energy of the difference by energy of the float output, averaged over the
  /// outputs.
  double noise = 0;
  /// 1 - cosine of the angle between the two, averaged over the outputs.
  double angle = 0;
  /// Kullback-Leibler divergence of the class probabilities, in nats: along the
  /// last dimension of the first output, averaged over the others. Scores that
  /// are no probabilities go through a softmax.
  double divergence = 0;
  /// The part of those positions where the class that the reference chooses is
  /// not among the `classes` largest scores.
  double disagreement = 0;
};

OutputError compareOutputs(llvm::ArrayRef<HostTensor> reference,
                           llvm::ArrayRef<HostTensor> outputs,
                           unsigned classes = 1);

/// Noise in dB below the signal; 200 without noise.
double toDecibels(double noise);

/// Whether `label` is among the `classes` largest scores of the first position
/// of the first output; of equal scores the first is the largest.
bool isAmongLargest(llvm::ArrayRef<HostTensor> outputs, int64_t label,
                    unsigned classes);

} // namespace qcc

#endif // QCC_QUANTIZATION_OUTPUTERROR_H
