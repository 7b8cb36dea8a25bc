//===- Tune.h - Tiles by measurement ----------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_TUNE_H
#define QCC_LIB_DRIVER_TUNE_H

#include "qcc/Driver/Phases.h"

namespace qcc {

/// Gives `module`, which is as it enters phase Kernels, the choices of tiles of
/// each level that the artefact holds: those of the file options.tune, and for
/// shapes that are not in it what is measured on this machine, which the file
/// then holds as well.
llvm::Error tuneLevels(mlir::ModuleOp module, const TargetBackend &backend,
                       llvm::ArrayRef<TargetLevel> levels,
                       const CompileOptions &options);

} // namespace qcc

#endif // QCC_LIB_DRIVER_TUNE_H
