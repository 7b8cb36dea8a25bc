//===- Verification.h - A budget's loss on samples held out -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_VERIFICATION_H
#define QCC_LIB_DRIVER_VERIFICATION_H

#include "qcc/Driver/Options.h"
#include "qcc/Quantization/Budget.h"
#include "qcc/Support/ModelRunner.h"

namespace qcc {

/// Samples that neither calibration nor search has seen.
struct HeldOutSamples {
  std::vector<std::vector<HostTensor>> inputs;
  std::vector<uint64_t> indices; ///< of `inputs`, where they come from
  std::vector<int64_t> labels;   ///< by those indices, or empty
};

/// Compares models with the float model, sample by sample.
class Verification {
public:
  /// Fails where the samples lack what the budget's metric needs. They must
  /// outlive this.
  static llvm::Expected<Verification> create(const DropBudget &budget,
                                             const ComparedOutputs &compared,
                                             const HeldOutSamples &samples,
                                             const CompileOptions &options);

  /// Runs the float model; comes first.
  llvm::Error measureFloat(ModelRunner &runner);

  /// Fails where so many samples cannot confirm the budget. Of a caller's
  /// metric that is known once measureFloat has run.
  llvm::Error checkResolution() const;

  /// What NaN and infinities among the float model's outputs mean for the
  /// budget; empty where there are none.
  std::string explainNonFinite() const;

  /// The mean loss and its bound. Ends early, on a part of the samples, where
  /// they show already that the budget does not hold.
  llvm::Expected<BoundedMean> measure(ModelRunner &runner) const;

  size_t size() const { return samples->inputs.size(); }

private:
  Verification(const DropBudget &budget, ComparedOutputs compared,
               const HeldOutSamples &samples, const CompileOptions &options)
      : budget(budget), compared(std::move(compared)), samples(&samples),
        options(&options) {}
  /// Of metrics that are a number for each sample.
  llvm::Expected<double> valueOf(size_t sample,
                                 llvm::ArrayRef<HostTensor> outputs) const;
  bool isPerSample() const {
    return budget.metric == DropMetric::TopK ||
           budget.metric == DropMetric::User;
  }
  /// `values`: of this model, where each sample has one.
  BoundedMean bound(llvm::ArrayRef<double> losses,
                    llvm::ArrayRef<double> values) const;

  DropBudget budget;
  ComparedOutputs compared;
  const HeldOutSamples *samples;
  const CompileOptions *options;
  /// Of each sample: its value, or else the outputs.
  std::vector<double> floatValues;
  std::vector<std::vector<HostTensor>> floatOutputs;
  NonFiniteOutputs nonFinite; ///< among the float model's outputs
};

/// Fails where the outputs of the float model `main` do not have what the
/// budget's metric looks at.
llvm::Error checkOutputs(const DropBudget &budget,
                         const ComparedOutputs &compared,
                         mlir::func::FuncOp main);

/// The loss of a model in another form that adds up over layers, nearly: a rate
/// of changed classes does not, so that the divergence stands for it.
double additiveLoss(const OutputError &error,
                    const std::optional<DropBudget> &budget);

} // namespace qcc

#endif // QCC_LIB_DRIVER_VERIFICATION_H
