//===- OutputError.h - Distances from a float model's outputs ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_OUTPUTERROR_H
#define QCC_QUANTIZATION_OUTPUTERROR_H

#include "qcc/Support/HostTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace qcc {

/// The outputs of a model that tell how far it is from its float model.
struct ComparedOutputs {
  /// Floats (f16, bf16, f32, f64) with elements that quantization can change:
  /// constants and inputs that are passed through say nothing of it, and of
  /// integers there are no small differences.
  llvm::SmallVector<unsigned> signals;
  /// The first of them, where its last dimension holds the scores of two
  /// classes or more.
  std::optional<unsigned> scores;

  /// Of a function before or after it was quantized; of several forms of one,
  /// what is a signal in any of them.
  static ComparedOutputs get(llvm::ArrayRef<mlir::func::FuncOp> forms);
};

/// Each output with its type and why it is none of the signals: "'k' is i64".
std::string describeOutputs(mlir::func::FuncOp main);

/// The outputs of one sample against those of the float model.
struct OutputError {
  /// Energy of the difference by energy of the float output, averaged over the
  /// signals; kSpoiled for one where a value alone is NaN or infinite.
  double noise = 0;
  /// 1 - cosine of the angle between the two, averaged over the signals.
  double angle = 0;
  /// Kullback-Leibler divergence of the class probabilities, in nats: along the
  /// last dimension of the scores, averaged over the others. Where the
  /// reference's scores are no probabilities at all positions, as far as their
  /// type tells, both sides go through a softmax.
  double divergence = 0;
  /// The part of those positions where the class that the reference chooses is
  /// not among the `classes` largest scores.
  double disagreement = 0;
};

/// The noise (-200 dB) of outputs that are NaN or infinite where they should
/// not be, or the reverse: finite, so that means of it can be compared.
inline constexpr double kSpoiled = 1e20;

/// NaN and infinities of the reference count only where they are missing from
/// `outputs`; its positions that choose no class (NaN among the scores, or no
/// probabilities) are left out.
OutputError compareOutputs(const ComparedOutputs &compared,
                           llvm::ArrayRef<HostTensor> reference,
                           llvm::ArrayRef<HostTensor> outputs,
                           unsigned classes = 1);

/// Noise in dB below the signal; 200 without noise, at least -200.
double toDecibels(double noise);

/// Whether `label` is among the `classes` largest scores of the first position;
/// of equal scores the first is the largest, and among NaN there is none.
bool isAmongLargest(const HostTensor &scores, int64_t label, unsigned classes);

/// How many values of the signals, and positions of the scores, are there, and
/// how many of them cannot be compared by their distance.
struct NonFiniteOutputs {
  size_t values = 0, nonFinite = 0;    ///< NaN or infinite
  size_t positions = 0, undecided = 0; ///< NaN among the scores
  size_t undistributed = 0;            ///< scores that give no probabilities
};
void countNonFinite(const ComparedOutputs &compared,
                    llvm::ArrayRef<HostTensor> outputs,
                    NonFiniteOutputs &counts);

} // namespace qcc

#endif // QCC_QUANTIZATION_OUTPUTERROR_H
