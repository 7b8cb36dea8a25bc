//===- OutputError.h - How far outputs are from the float model's -*- C++
//-*-===//
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
  /// The part of those positions where the largest score is another one.
  double disagreement = 0;
};

OutputError compareOutputs(llvm::ArrayRef<HostTensor> reference,
                           llvm::ArrayRef<HostTensor> outputs);

/// Noise in dB below the signal; 200 without noise.
double toDecibels(double noise);

/// The class of each position of the first output.
std::vector<int64_t> chosenClasses(llvm::ArrayRef<HostTensor> outputs);

} // namespace qcc

#endif // QCC_QUANTIZATION_OUTPUTERROR_H
