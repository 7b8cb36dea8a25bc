//===- AttentionPrecision.h - Attention of floats in 16 bits ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CODEGEN_ATTENTIONPRECISION_H
#define QCC_CODEGEN_ATTENTIONPRECISION_H

#include "qcc/Target/TargetBackend.h"

namespace mlir {
class ModuleOp;
class Operation;
} // namespace mlir

namespace qcc {

/// On a module: what becomes of the float products of attention, "float" or
/// "int16" wherever there is a kernel; without it 16 bits are for results that
/// are quantized at run time.
constexpr llvm::StringLiteral kAttentionAttr = "qcc.attention";

/// Whether `op` is a product of floats in an attention whose factors are
/// rounded to 16 bits (docs/quantization.md); the same on all levels of a
/// target.
bool isInt16Attention(mlir::Operation *op, const TargetLevel &level);

/// With "int16" asked for, warns of each attention whose products stay float:
/// there is no kernel in 16 bits for it.
void warnOfFloatAttention(mlir::ModuleOp module, const TargetLevel &level);

} // namespace qcc

#endif // QCC_CODEGEN_ATTENTIONPRECISION_H
