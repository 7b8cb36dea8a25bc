//===- CostBasis.h - Where the times of a search are from -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_COSTBASIS_H
#define QCC_LIB_DRIVER_COSTBASIS_H

#include "qcc/Driver/Options.h"
#include "qcc/Emit/ProfilingRunner.h"
#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// The level that inferences are timed at: the best of the target's that this
/// machine can run. Where it can run none, the kernels of the best one are
/// modelled (qcc/Codegen/KernelCost.h), a cycle being a nanosecond.
class CostBasis {
public:
  static llvm::Expected<CostBasis> create(const CompileOptions &options);

  bool isModelled() const { return modelled; }
  /// Whether layers in bf16 may be faster than with float32 weights.
  bool multipliesBF16() const { return level.tiles != nullptr; }
  /// Whether what is measured runs on the thread that calls it alone.
  bool isOneThread() const { return countThreads() == 1; }

  /// Of a legalized module; only where times are measured.
  llvm::Expected<TimedRunners> compile(mlir::ModuleOp legalized) const;
  /// The kernel calls of a legalized module; only where they are modelled.
  llvm::Expected<std::vector<StepTime>> model(mlir::ModuleOp legalized) const;

  /// A legalized module that loses on this machine what it would lose at the
  /// modelled level: activations are rounded where that rounds them.
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  imitate(mlir::ModuleOp legalized) const;

  /// "measured at avx2" or "modelled for dotprod".
  std::string name() const;
  /// The same with threads or processor.
  std::string describe() const;
  /// Why it is not simply the target; empty where it is.
  std::string explain() const;

private:
  explicit CostBasis(const CompileOptions &options) : options(&options) {}
  std::string processor() const;
  unsigned countThreads() const;

  const CompileOptions *options;
  const TargetBackend *backend = nullptr;
  TargetLevel level;
  bool modelled = false;
  bool hasOthers = false; ///< whether the artefact holds other levels, too
  unsigned threads = 0;   ///< 0: all
};

} // namespace qcc

#endif // QCC_LIB_DRIVER_COSTBASIS_H
