//===- Exporter.h - The qnn dialect to ONNX files --------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_EXPORT_ONNX_EXPORTER_H
#define QCC_EXPORT_ONNX_EXPORTER_H

#include "mlir/IR/BuiltinOps.h"

#include <optional>
#include <string>

namespace qcc {

/// The bytes of an ONNX model that computes what @main does: float operators
/// with QuantizeLinear and DequantizeLinear where the module has qnn.quantize
/// and qnn.dequantize. The module stands before qnn-legalize-qdq. Nothing after
/// an error, which names the op.
std::optional<std::string> exportONNX(mlir::ModuleOp module);

} // namespace qcc

#endif // QCC_EXPORT_ONNX_EXPORTER_H
