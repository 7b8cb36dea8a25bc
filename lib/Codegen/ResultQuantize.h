//===- ResultQuantize.h - Quantization behind a kernel ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A qnn.quantize that is the only user of a kernel's float result is computed
// by the kernel, as where a float layer stands in front of 8-bit ones.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_RESULTQUANTIZE_H
#define QCC_LIB_CODEGEN_RESULTQUANTIZE_H

#include "Requantize.h"

namespace qcc {

/// The qnn.quantize to 8 bits that the kernel of `op` can take over; null where
/// there is none.
qnn::QuantizeOp findResultQuantize(mlir::Operation *op);

/// What it does to the values in front of `activation`.
Requantize quantizeResult(qnn::QuantizeOp quantize,
                          const FloatActivation &activation);

/// The kernel of an earlier op computes `op`: no kernel is emitted for it.
void takeOver(mlir::Operation *op);
bool isTakenOver(mlir::Operation *op);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_RESULTQUANTIZE_H
