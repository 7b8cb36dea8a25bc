//===- Plans.h - The precision of each layer, as asked for -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_PLANS_H
#define QCC_LIB_DRIVER_PLANS_H

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Driver/Options.h"
#include "qcc/Quantization/PrecisionPlan.h"

namespace qcc {

/// Whether -precision= is none of its words, but names a file.
bool namesPlan(const CompileOptions &options);

/// Whether all float weights are to be stored in 16 bits and nothing else is
/// asked for: -precision=fp16 and bf16.
bool narrowsWeights(const CompileOptions &options);

/// Whether the precision of layers is measured here.
bool isMeasured(const CompileOptions &options);

/// The plan of a file, or of -precision=int16; else `plan` stays.
llvm::Error loadPlan(mlir::ModuleOp module, const CompileOptions &options,
                     PrecisionPlan &plan);

/// The layers that do not compute in 8 bits: the plan's, or those of the table.
OtherPrecisions listOthers(const CompileOptions &options,
                           const PrecisionPlan &plan,
                           const CalibrationTable &table);

/// Writes into the table which layers do not compute in 8 bits.
void recordOthers(const PrecisionPlan &plan, CalibrationTable &table);

/// Where nothing is quantized: loads the plan of a file, if the options name
/// one, which holds no layers in 8 or 16 bits then, and narrows the weights
/// that it says. Reports errors.
llvm::LogicalResult applyFloatPlan(mlir::ModuleOp module,
                                   const CompileOptions &options,
                                   PrecisionPlan &plan);

/// Notes on the module which layers the plan kept out of 8 bits.
void noteOthers(mlir::ModuleOp module, const OtherPrecisions &others);

} // namespace qcc

#endif // QCC_LIB_DRIVER_PLANS_H
