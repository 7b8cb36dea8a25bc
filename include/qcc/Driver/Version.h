//===- Version.h - Version and locations as users see them -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DRIVER_VERSION_H
#define QCC_DRIVER_VERSION_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"

#include <string>

namespace qcc {

/// "qcc 0.1.0 (LLVM 22.1.8)".
std::string versionString();

/// "model.onnx: node 'conv1'" for the diagnostics of a command line; empty for
/// an unknown location.
std::string describeLocation(mlir::Location location);
/// A diagnostic as one line: its location, then its text. A node that the text
/// begins with is not named twice.
std::string describeDiagnostic(mlir::Diagnostic &diagnostic);

} // namespace qcc

#endif // QCC_DRIVER_VERSION_H
