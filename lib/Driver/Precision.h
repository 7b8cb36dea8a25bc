//===- Precision.h - Which layers of a model go to 8 bits -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_PRECISION_H
#define QCC_LIB_DRIVER_PRECISION_H

#include "Verification.h"

#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Driver/Phases.h"
#include "qcc/Quantization/PrecisionPlan.h"

namespace qcc {

struct PTQOptions;

/// The layers that -precision=guarded keeps float, measured on some of
/// `samples`; none without samples, and none where the `noise` with all layers
/// in 8 bits is known to be acceptable. Says so by a remark for each. `module`
/// is simplified, float and without observers.
llvm::Expected<PrecisionPlan>
guardPrecision(mlir::ModuleOp module, const CalibrationTable &table,
               const CompileOptions &options,
               std::vector<std::vector<HostTensor>> samples,
               std::optional<double> noise, const ModelRunnerFactory &run);

/// What a search has.
struct SplitSamples {
  std::vector<std::vector<HostTensor>> search;
  HeldOutSamples heldOut;
};

/// Fits the corrections of biases that the module carries to the layers that
/// stay float.
using BiasFitter =
    llvm::function_ref<llvm::Error(llvm::ArrayRef<std::string> keepFloat)>;

/// The plan that options.precision asks to be measured; an empty one where it
/// asks for none. A search calls `correct` for each choice that it compiles.
llvm::Expected<PrecisionPlan>
choosePrecision(mlir::ModuleOp module, const CalibrationTable &table,
                const CompileOptions &options, SplitSamples samples,
                std::optional<double> noise, BiasFitter correct,
                const ModelRunnerFactory &run);

/// What -precision=auto chooses under the budgets of `options`, or why none
/// can be kept. Reports the result in a remark.
llvm::Expected<PrecisionPlan>
searchPrecision(mlir::ModuleOp module, const CalibrationTable &table,
                const CompileOptions &options, SplitSamples samples,
                BiasFitter correct, const ModelRunnerFactory &run);

/// Says by a remark what is left out where no output of a model with layers
/// tells what quantization costs.
void remarkUnmeasured(mlir::ModuleOp module, const PTQOptions &ptq,
                      const CompileOptions &options);

/// Compiles what Simulation builds; its quantized twins compute on integers.
ModelRunnerFactory createSimulationFactory(const CompileOptions &options,
                                           const ModelRunnerFactory &run);

} // namespace qcc

#endif // QCC_LIB_DRIVER_PRECISION_H
