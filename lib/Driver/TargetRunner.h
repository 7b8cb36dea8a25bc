//===- TargetRunner.h - Runs qnn modules as artefacts -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_TARGETRUNNER_H
#define QCC_LIB_DRIVER_TARGETRUNNER_H

#include "qcc/Driver/Phases.h"

namespace qcc {

/// Writes the artefact of a legalized module (not modified) to `path`, of the
/// kind that options.emit says.
llvm::LogicalResult emitModule(mlir::ModuleOp legalized,
                               const CompileOptions &options,
                               const std::string &path, ArtefactSizes &sizes);

/// Compiles modules for options.target and runs them in a process of their own.
/// `command` is put in front of the arguments of qcc-run; empty: qcc-run beside
/// this program, emulated where it is of another processor family.
llvm::Expected<ModelRunnerFactory>
createTargetRunnerFactory(const CompileOptions &options,
                          llvm::StringRef command);

} // namespace qcc

#endif // QCC_LIB_DRIVER_TARGETRUNNER_H
