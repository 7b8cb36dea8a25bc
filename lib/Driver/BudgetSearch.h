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
  llvm::BitVector fp16;    ///< those of them with weights stored in f16
  bool isFloat = false;    ///< all of them in float, none in 16 bits
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
  llvm::Error measureLayers();
  llvm::Error measureCosts();
  llvm::Error measureFp16();
  std::vector<llvm::BitVector> listCandidates() const;
  llvm::BitVector chooseWithin(double allowed) const;
  double sumLosses(const llvm::BitVector &notInt8) const;
  double otherSeconds(size_t layer) const {
    return int16Layers.test(unsigned(layer)) ? int16Seconds[layer]
                                             : floatSeconds[layer];
  }
  OtherPrecisions precisionsOf(const llvm::BitVector &notInt8,
                               const llvm::BitVector &fp16) const;
  int64_t savedBytes(size_t layer) const;
  double estimateBytes(const llvm::BitVector &notInt8) const;
  /// Whether a layer that stays float may take weights of f16.
  bool allowsFp16(size_t layer) const {
    return usesFp16 && simulation->layers()[layer].hasFp16Form &&
           !int16Layers.test(unsigned(layer));
  }
  llvm::BitVector chooseFp16(const llvm::BitVector &notInt8,
                             double excess) const;
  llvm::Expected<Variant> compileVariant(const llvm::BitVector &notInt8,
                                         const llvm::BitVector &fp16);
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
  unsigned countInt16(const Choice &choice) const;
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
  std::vector<double> fp16Excess; ///< seconds beyond float by weights of f16
  llvm::BitVector int16Layers; ///< layers that take 16 bits where they do not 8
  bool usesFp16 = false; ///< size is limited, and f16 was not found to fail
  Choice allFloat, allInt8;
  Variant allInt16; ///< all layers that have a form of it, the others in float
  PrecisionPlan plan;
};

} // namespace qcc

#endif // QCC_LIB_DRIVER_BUDGETSEARCH_H
