//===- Forms.h - A model in float, quantized and compiled -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_FORMS_H
#define QCC_LIB_DRIVER_FORMS_H

#include "mlir/IR/OwningOpRef.h"
#include "qcc/Driver/Phases.h"

namespace qcc {

/// Imports options.input, or options.model; null after an error.
mlir::OwningOpRef<mlir::ModuleOp> importModel(mlir::MLIRContext &context,
                                              const CompileOptions &options);

/// A pipeline without the tool's debug flags, which show the model itself.
llvm::LogicalResult
runPlainPipeline(mlir::ModuleOp module,
                 llvm::function_ref<void(mlir::OpPassManager &)> build);

enum class Form {
  Float,   ///< simplified; quantization of its own is computed literally
  QDQ,     ///< quantized as the options say, computed literally
  Compiled ///< folded into ops on integers
};

/// A copy of an imported module in another form; null after an error.
mlir::OwningOpRef<mlir::ModuleOp> makeForm(mlir::ModuleOp imported, Form form,
                                           const CompileOptions &options,
                                           PrecisionPlan *plan = nullptr);

/// "none", "static" or "dynamic", where the options leave it open; "fp16" and
/// "bf16" where float weights are stored so and nothing is quantized.
llvm::StringRef quantizeModeName(const CompileOptions &options);

} // namespace qcc

#endif // QCC_LIB_DRIVER_FORMS_H
