//===- BudgetSearch.h - The search of -precision=auto -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_BUDGETSEARCH_H
#define QCC_LIB_DRIVER_BUDGETSEARCH_H

#include "Budgets.h"
#include "Precision.h"

#include "qcc/Quantization/OutputError.h"

namespace qcc {

/// A choice that was compiled; copies share it.
struct Choice {
  llvm::BitVector notInt8; ///< layers
  llvm::BitVector narrow;  ///< those of them with weights stored in 16 bits
  bool isFloat = false;    ///< all of them in float, none in int16 or bf16
  Variant variant;
  BoundedMean loss;
  size_t point = 0; ///< in the plan
};

/// Finds the fastest choice of precisions under the budgets of `options`.
class BudgetSearch {
public:
  BudgetSearch(mlir::ModuleOp module, const CalibrationTable &table,
               const CompileOptions &options, SplitSamples samples,
               BiasFitter correct, const ModelRunnerFactory &run,
               const CostBasis &basis)
      : module(module), table(table), options(options), correct(correct),
        run(run), basis(basis), samples(std::move(samples)),
        compiler(module, table, options, run, basis, firstSample()) {}

  llvm::Expected<PrecisionPlan> search();

private:
  llvm::ArrayRef<HostTensor> firstSample() const {
    return samples.search.empty() ? llvm::ArrayRef<HostTensor>()
                                  : llvm::ArrayRef(samples.search.front());
  }
  llvm::Error prepare();
  llvm::Error measureFloat();
  llvm::Error measureLayers();
  llvm::Error measureCosts();
  llvm::Error measureNarrow();
  std::vector<llvm::BitVector> listCandidates() const;
  llvm::BitVector chooseWithin(double allowed) const;
  double sumLosses(const llvm::BitVector &notInt8) const;
  void chooseOthers(bool allowsBf16);
  /// Of a layer that is not in 8 bits, among the times of a precision each.
  double otherOf(unsigned layer, llvm::ArrayRef<double> int16,
                 llvm::ArrayRef<double> bf16,
                 llvm::ArrayRef<double> single) const {
    return int16Layers.test(layer)  ? int16[layer]
           : bf16Layers.test(layer) ? bf16[layer]
                                    : single[layer];
  }
  double otherSeconds(size_t layer) const {
    return otherOf(unsigned(layer), int16Seconds, bf16Seconds, floatSeconds);
  }
  /// Whether a layer that is not in 8 bits has weights of 16.
  bool isHalf(size_t layer) const {
    return int16Layers.test(unsigned(layer)) ||
           bf16Layers.test(unsigned(layer));
  }
  OtherPrecisions precisionsOf(const llvm::BitVector &notInt8,
                               const llvm::BitVector &narrow) const;
  int64_t savedBytes(size_t layer) const;
  /// By all weights, beyond those of 8 bits.
  double extraBytes(const llvm::BitVector &notInt8,
                    const llvm::BitVector &narrow) const;
  double estimateBytes(const llvm::BitVector &notInt8) const;
  /// Weights are stored in f16 rather than in bf16, which loses more.
  bool prefersFp16(size_t layer) const {
    return simulation->layers()[layer].prefersFp16;
  }
  /// Whether the weights of a layer that stays float may be stored in 16 bits.
  bool allowsNarrow(size_t layer) const {
    return usesNarrow && !isHalf(layer) &&
           simulation->layers()[layer].hasBf16Form;
  }
  llvm::BitVector chooseNarrow(const llvm::BitVector &notInt8,
                               double excess) const;
  llvm::Expected<Variant> compileVariant(const llvm::BitVector &notInt8,
                                         const llvm::BitVector &narrow);
  llvm::Error measureLoss(Choice &choice) const;
  double predictShare(const Choice &choice) const;
  /// Compiles, and verifies the loss where it is limited.
  llvm::Expected<Choice> compile(const llvm::BitVector &notInt8);
  bool holdsLoss(const Choice &choice) const {
    return !budgets.drop || choice.isFloat ||
           choice.loss.upper <= budgets.drop->limit;
  }
  llvm::Expected<Choice> searchByLoss();
  llvm::Error keepFaster(std::optional<Choice> &best, Choice choice);
  llvm::Error returnLayers(Choice &best);
  llvm::Expected<Choice>
  searchByLimits(llvm::ArrayRef<llvm::BitVector> candidates);
  llvm::Error dropSlowRegions(Choice &choice);
  llvm::Error settle(Choice &choice);
  llvm::Error refuse(const Choice &choice);
  std::string describe(const Choice &choice) const;
  unsigned countOthers(const Choice &choice,
                       const llvm::BitVector &layers) const;
  void record(Choice &choice);
  void finishPlan(const Choice &choice);

  mlir::ModuleOp module;
  const CalibrationTable &table;
  const CompileOptions &options;
  BiasFitter correct;
  const ModelRunnerFactory &run;
  const CostBasis &basis;
  SplitSamples samples;
  VariantCompiler compiler;

  Budgets budgets;
  ComparedOutputs compared;
  std::optional<Verification> verification;
  /// On the samples of the search, where the metric needs nothing else.
  HeldOutSamples searchSamples;
  std::optional<Verification> searchVerification;
  std::unique_ptr<Simulation> simulation;
  std::vector<OutputError> errors; ///< of each layer alone in 8 bits
  /// The same in the budget's metric; infinity where it is no number.
  std::vector<double> losses;
  std::vector<llvm::BitVector> failed; ///< choices that lose too much
  std::vector<double> floatSeconds, int16Seconds, int8Seconds; ///< by layer
  std::vector<double> bf16Seconds; ///< of float where the level has no products
  std::vector<double>
      narrowExcess; ///< seconds beyond float by weights in 16 bits
  /// Layers that take int16, or bf16, where they do not take 8 bits.
  llvm::BitVector int16Layers, bf16Layers;
  bool usesNarrow = false; ///< size is limited, and that was not found to fail
  Choice allFloat, allInt8;
  /// All layers that have a form of it, the others in float.
  Variant allInt16, allBf16;
  PrecisionPlan plan;
};

} // namespace qcc

#endif // QCC_LIB_DRIVER_BUDGETSEARCH_H
