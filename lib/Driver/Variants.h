//===- Variants.h - A model with some layers in 8 bits ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_VARIANTS_H
#define QCC_LIB_DRIVER_VARIANTS_H

#include "CostBasis.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Driver/Phases.h"
#include "qcc/Quantization/Simulation.h"

namespace qcc {

/// One way to compile the model, and what it is like.
struct Variant {
  std::shared_ptr<ModelRunner> runner;
  std::shared_ptr<ModelRunner> timed; ///< null where times are modelled
  std::vector<StepTime> modelled;     ///< of its kernels, where they are
  double seconds = 0;                 ///< of an inference, the fastest of some
  ArtefactSizes sizes;                ///< where they are asked for
};

/// Compiles variants as they will be emitted.
class VariantCompiler {
public:
  /// `module` is simplified, float and without observers; `sample` is what
  /// times are measured on. All must outlive this.
  VariantCompiler(mlir::ModuleOp module, const CalibrationTable &table,
                  const CompileOptions &options, const ModelRunnerFactory &run,
                  const CostBasis &basis, llvm::ArrayRef<HostTensor> sample)
      : module(module), table(table), options(options), run(run), basis(basis),
        sample(sample) {}

  /// The model where the layers of `others` do not compute in 8 bits.
  llvm::Expected<Variant> compile(const OtherPrecisions &others,
                                  bool measureSizes) const;

  /// Measures the times of all anew, in alternating runs, or models them.
  llvm::Error time(std::initializer_list<Variant *> variants) const;

  /// Times of each variant's steps by the layer that they belong to, measured
  /// in alternating runs or modelled. A step without a layer's node (an
  /// activation, a conversion) goes with the one in front of it.
  llvm::Expected<std::vector<std::vector<double>>>
  timeLayers(std::initializer_list<const Variant *> variants,
             llvm::ArrayRef<Simulation::Layer> layers) const;

private:
  llvm::Error addRunners(mlir::ModuleOp legalized, Variant &variant) const;

  mlir::ModuleOp module;
  const CalibrationTable &table;
  const CompileOptions &options;
  const ModelRunnerFactory &run;
  const CostBasis &basis;
  llvm::ArrayRef<HostTensor> sample;
};

} // namespace qcc

#endif // QCC_LIB_DRIVER_VARIANTS_H
