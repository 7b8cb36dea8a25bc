//===- Calibrate.h - Measure the ranges of activations ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CALIBRATION_CALIBRATE_H
#define QCC_CALIBRATION_CALIBRATE_H

#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Calibration/Dataset.h"
#include "qcc/Calibration/Range.h"
#include "qcc/Support/ModelRunner.h"

namespace qcc {

/// Runs all samples of `dataset` through `module`, which holds the qnn.observe
/// ops of qnn-insert-observers and is not modified, and chooses a range for
/// each id. One pass over the data.
llvm::Expected<CalibrationTable> calibrate(mlir::ModuleOp module,
                                           Dataset &dataset,
                                           const ModelRunnerFactory &compile,
                                           const RangeOptions &options);

/// What qnn-apply-calibration does, with a table in memory. Reports observers
/// without an entry, and then changes nothing.
llvm::LogicalResult applyCalibration(mlir::ModuleOp module,
                                     const CalibrationTable &table);

} // namespace qcc

#endif // QCC_CALIBRATION_CALIBRATE_H
