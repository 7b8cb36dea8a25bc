//===- MatrixBuffers.h - What a matrix kernel is called with ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_MATRIXBUFFERS_H
#define QCC_LIB_CODEGEN_MATRIXBUFFERS_H

#include "MatrixKernel.h"
#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

namespace qcc {

/// The buffers of a matrix kernel besides input and result: weights, packed as
/// `packing` says, and what of MatrixArguments there is. What the operands take
/// over is marked.
llvm::SmallVector<mlir::Value> matrixBuffers(const MatrixOperands &operands,
                                             const MatrixPlan &plan,
                                             const MatrixPlan &packing,
                                             KernelEmitter &emitter);
/// The same in the kernel, where they are flat.
MatrixArguments matrixArguments(const MatrixOperands &operands,
                                mlir::Value input, mlir::Value result,
                                mlir::ValueRange buffers);
/// What the code depends on besides the types of the buffers.
std::string matrixKey(const MatrixOperands &operands, const ConvShape &shape);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_MATRIXBUFFERS_H
