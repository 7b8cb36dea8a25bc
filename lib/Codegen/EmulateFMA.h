//===- EmulateFMA.h - Fused multiply-add from other operations --*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_EMULATEFMA_H
#define QCC_LIB_CODEGEN_EMULATEFMA_H

#include "mlir/IR/Builders.h"

namespace qcc {

/// x * y + z with one rounding, of f32 scalars or vectors, on processors that
/// have no instruction for it: the same number for all operands, a NaN where
/// it is one.
mlir::Value emulateFMA(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                       mlir::Value y, mlir::Value z);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_EMULATEFMA_H
