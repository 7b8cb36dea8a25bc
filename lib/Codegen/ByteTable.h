//===- ByteTable.h - Functions of a byte behind a kernel --------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A qnn.lut that is the only user of a kernel's 8-bit result is computed by the
// kernel: what it would store are indices of the table.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_BYTETABLE_H
#define QCC_LIB_CODEGEN_BYTETABLE_H

#include "CodeBuilder.h"
#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

namespace qcc {

/// The qnn.lut that the kernel of `op` can take over; null where there is none.
qnn::LutOp findResultTable(mlir::Operation *op);

/// The table of `lut` as a constant; no kernel is emitted for `lut` itself.
mlir::Value takeOverTable(qnn::LutOp lut, KernelEmitter &emitter);

/// table[i] for each byte i of the vectors, which have one type. `table` is a
/// memref<256xi8>.
llvm::SmallVector<mlir::Value> lookUpBytes(CodeBuilder &c,
                                           const TargetLevel &level,
                                           mlir::Value table,
                                           mlir::ValueRange vectors);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_BYTETABLE_H
