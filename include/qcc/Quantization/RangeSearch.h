//===- RangeSearch.h - Ranges by what they do to the outputs ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_RANGESEARCH_H
#define QCC_QUANTIZATION_RANGESEARCH_H

#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Support/HostTensor.h"
#include "qcc/Support/ModelRunner.h"

namespace qcc {

/// The first of the tables, with those entries taken from the others that lower
/// the noise at the outputs of the samples: one tensor after the other, with
/// what has been chosen so far in place. `module` is float, simplified and
/// without observers (not modified); it is compiled once, with a switch for
/// each candidate.
llvm::Expected<CalibrationTable>
chooseRanges(mlir::ModuleOp module, llvm::ArrayRef<CalibrationTable> candidates,
             llvm::ArrayRef<std::vector<HostTensor>> samples,
             const ModelRunnerFactory &compile);

} // namespace qcc

#endif // QCC_QUANTIZATION_RANGESEARCH_H
