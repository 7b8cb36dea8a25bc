//===- ReferenceBlocks.h - Products with weights in blocks ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_REFERENCEBLOCKS_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_REFERENCEBLOCKS_H

#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

namespace qcc::reference {

/// Takes qnn.block_matmul and fails on other ops.
llvm::LogicalResult emitBlocks(mlir::Operation *op, KernelEmitter &emitter);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_REFERENCEBLOCKS_H
