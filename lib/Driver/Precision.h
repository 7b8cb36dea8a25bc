//===- Precision.h - Which layers of a model go to 8 bits -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_PRECISION_H
#define QCC_LIB_DRIVER_PRECISION_H

#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Driver/Phases.h"

namespace qcc {

/// The layers that -precision=guarded keeps float, measured on some of
/// `samples` (not empty). Says so by a remark for each. `module` is simplified,
/// float and without observers.
llvm::Expected<std::vector<std::string>>
guardPrecision(mlir::ModuleOp module, const CalibrationTable &table,
               std::vector<std::vector<HostTensor>> samples,
               const ModelRunnerFactory &run);

} // namespace qcc

#endif // QCC_LIB_DRIVER_PRECISION_H
