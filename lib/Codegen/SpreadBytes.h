//===- SpreadBytes.h - Bytes as 32-bit integers -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A dot product with weights of one 1 and three 0 adds every fourth byte of a
// vector to 32-bit sums: widening, subtraction of a zero point and addition in
// one instruction. Sum j of four gets elements 4 l + j.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_SPREADBYTES_H
#define QCC_LIB_CODEGEN_SPREADBYTES_H

#include "CodeBuilder.h"
#include "qcc/Target/TargetBackend.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"

namespace qcc {

/// Whether one instruction does so for bytes of `type`.
bool canSpread(const TargetLevel &level, mlir::quant::QuantizedType type);

/// Adds a whole vector of bytes to four sums.
void addSpread(CodeBuilder &c, const TargetLevel &level, mlir::Value bytes,
               llvm::MutableArrayRef<mlir::Value> sums);

/// Bytes that packToBytes() makes of four vectors in the order of the sums, in
/// the order of elements.
mlir::Value orderSpread(CodeBuilder &c, const TargetLevel &level,
                        mlir::Value packed);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_SPREADBYTES_H
