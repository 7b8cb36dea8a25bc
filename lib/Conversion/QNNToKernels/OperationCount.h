//===- OperationCount.h - Multiply-accumulates of an op ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_OPERATIONCOUNT_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_OPERATIONCOUNT_H

#include "mlir/IR/Operation.h"

namespace qcc {

/// Multiply-accumulates of a convolution or matrix product, counting those
/// with padding; 0 for any other op.
int64_t countMultiplyAccumulates(mlir::Operation *op);

/// Gives a call of @main the number of those of `op`, or adds them to those of
/// other ops that it computes.
void noteOperationCount(mlir::Operation *call, mlir::Operation *op);
/// The same for a call that computes `macs` of them, a part.
void noteOperationCount(mlir::Operation *call, mlir::Operation *op,
                        int64_t macs);

} // namespace qcc

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_OPERATIONCOUNT_H
