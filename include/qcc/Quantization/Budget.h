//===- Budget.h - How much worse a quantized model may be -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_BUDGET_H
#define QCC_QUANTIZATION_BUDGET_H

#include "qcc/Quantization/OutputError.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace qcc {

/// What a budget limits. Each is a loss: 0 where nothing changed.
enum class DropMetric {
  Top1,       ///< part of the samples that the float model alone gets right,
              ///< less the part that the quantized one alone does
  Agreement,  ///< part of the positions where another class is chosen
  Divergence, ///< Kullback-Leibler, in nats
  Noise,      ///< energy of the difference by energy of the signal
  Angle,      ///< 1 - cosine
};

/// -max-drop=METRIC:VALUE
struct DropBudget {
  DropMetric metric;
  double limit;     ///< of the loss
  std::string text; ///< as the user wrote it

  /// "top1:1%", "agreement:0.02", "kl:0.01", "sqnr:20" (dB, at least),
  /// "cosine:0.99" (at least).
  static llvm::Expected<DropBudget> parse(llvm::StringRef text);
  /// A loss in the metric's own words: "0.8 %", "23.1 dB".
  std::string describe(double loss) const;
};

/// A mean over samples with its upper 95 % confidence bound.
struct BoundedMean {
  double mean = 0, upper = 0;
};

/// Of paired differences in -1..1 (gained, same, lost) or other losses. Where
/// all samples are alike the bound is that of an event that none of them
/// showed.
BoundedMean boundMean(llvm::ArrayRef<double> losses, bool isRate);

/// The smallest limit of a rate that so many samples can confirm.
double finestRate(size_t samples);

} // namespace qcc

#endif // QCC_QUANTIZATION_BUDGET_H
