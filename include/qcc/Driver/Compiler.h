//===- Compiler.h - From a model file to an artefact -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DRIVER_COMPILER_H
#define QCC_DRIVER_COMPILER_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "qcc/Driver/Options.h"

#include <functional>

namespace qcc {

/// Registers every dialect, interface and translation that the phases use.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Hooks of a tool into the compilation.
struct CompileHooks {
  /// Called on each pass manager before it runs (MLIR's debug flags).
  std::function<llvm::LogicalResult(mlir::PassManager &)> configurePasses;
};

/// Compiles options.input to options.output. Diagnostics go to the context's
/// engine; on failure no output file is left behind.
llvm::LogicalResult compile(mlir::MLIRContext &context,
                            const CompileOptions &options,
                            const CompileHooks &hooks = {});

} // namespace qcc

#endif // QCC_DRIVER_COMPILER_H
