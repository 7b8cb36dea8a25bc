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
  TopK,       ///< part of the samples that the float model alone gets right,
              ///< less the part that the quantized one alone does; right is
              ///< a label among the K largest scores
  Agreement,  ///< part of the positions where the class that the float model
              ///< chooses is not among the K largest scores
  Divergence, ///< Kullback-Leibler, in nats
  Noise,      ///< energy of the difference by energy of the signal
  Angle,      ///< 1 - cosine
  User,       ///< mean of a number per sample that the caller computes
};

/// -max-drop=METRIC:VALUE
struct DropBudget {
  DropMetric metric;
  double limit;         ///< of the loss
  std::string text;     ///< as the user wrote it
  unsigned classes = 1; ///< K

  /// "top1:1%", "top5:1%", "agreement:0.02", "agreement5:1%", "kl:0.01",
  /// "sqnr:20" (dB, at least), "cosine:0.99" (at least), "metric:0.5".
  static llvm::Expected<DropBudget> parse(llvm::StringRef text);
  /// Whether each sample is right or wrong, so that few samples say little.
  bool isRate() const {
    return metric == DropMetric::TopK || metric == DropMetric::Agreement;
  }
  /// What the loss is, as the title of an axis.
  std::string lossName() const;
  /// A loss in the metric's own words: "0.8 %", "23.1 dB".
  std::string describe(double loss) const;
};

/// A mean over samples with its upper 95 % confidence bound.
struct BoundedMean {
  double mean = 0, upper = 0;
};

/// One-sided: 95 % of the normal distribution lie below this many deviations.
inline constexpr double kOneSided = 1.645;

/// Of paired differences in -1..1 (gained, same, lost) or other losses. Where
/// all samples are alike the bound is that of an event that none of them
/// showed.
BoundedMean boundMean(llvm::ArrayRef<double> losses, bool isRate);

/// The smallest limit of a rate that so many samples can confirm.
double finestRate(size_t samples);

} // namespace qcc

#endif // QCC_QUANTIZATION_BUDGET_H
