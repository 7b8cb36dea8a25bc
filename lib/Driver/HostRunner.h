//===- HostRunner.h - Modules at a level, in this process -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_HOSTRUNNER_H
#define QCC_LIB_DRIVER_HOSTRUNNER_H

#include "qcc/Driver/Phases.h"
#include "qcc/Emit/ProfilingRunner.h"

namespace qcc {

/// The kernels of a legalized module (not modified) at a level.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
generateKernels(mlir::ModuleOp module, const TargetLevel &level,
                const CompileOptions &options);

/// Compiles a legalized module (not modified) for a level that this machine
/// can run; see createTimedRunners.
llvm::Expected<TimedRunners> createLevelRunners(mlir::ModuleOp module,
                                                const TargetBackend &backend,
                                                const TargetLevel &level,
                                                const CompileOptions &options,
                                                unsigned threads);

} // namespace qcc

#endif // QCC_LIB_DRIVER_HOSTRUNNER_H
