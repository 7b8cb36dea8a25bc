//===- Importer.h - ONNX files to the qnn dialect ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_IMPORT_ONNX_IMPORTER_H
#define QCC_IMPORT_ONNX_IMPORTER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

#include <string>
#include <vector>

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace qcc {

struct ImportOptions {
  /// Shapes of graph inputs by name; they bind symbolic dimensions. An input
  /// that has a default value (an initializer of its name) stays a constant
  /// unless it is named here.
  llvm::StringMap<llvm::SmallVector<int64_t>> shapes;
  /// Values that shall be the outputs, in place of the model's; inputs that
  /// they do not need are left out. Empty: the model's own.
  std::vector<std::string> outputs;
};

/// The dialects that an imported module consists of.
void registerImportDialects(mlir::DialectRegistry &registry);

/// Reads an ONNX model into a module with one function @main (see
/// docs/architecture.md). Problems are reported as diagnostics located at the
/// file and the ONNX node; the result is then null.
mlir::OwningOpRef<mlir::ModuleOp> importONNX(mlir::MLIRContext &context,
                                             llvm::StringRef path,
                                             const ImportOptions &options = {});

/// The same for a model in memory, which diagnostics call `name`. External
/// data is looked for in `directory`; with an empty one it is an error.
mlir::OwningOpRef<mlir::ModuleOp>
importONNXBuffer(mlir::MLIRContext &context, llvm::StringRef bytes,
                 llvm::StringRef name, const ImportOptions &options = {},
                 llvm::StringRef directory = {});

} // namespace qcc

#endif // QCC_IMPORT_ONNX_IMPORTER_H
