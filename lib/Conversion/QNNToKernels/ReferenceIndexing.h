//===- ReferenceIndexing.h - Ops on computed positions ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_REFERENCEINDEXING_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_REFERENCEINDEXING_H

#include "LoopBuilder.h"
#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"

namespace qcc::reference {

// Each takes its ops and fails on others.
llvm::LogicalResult emitTopK(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitScatter(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitGridSample(mlir::Operation *op, KernelEmitter &);
llvm::LogicalResult emitRoiAlign(mlir::Operation *op, KernelEmitter &);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_REFERENCEINDEXING_H
