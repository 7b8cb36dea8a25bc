//===- ConcatPart.h - Results in their concatenation ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor that is only concatenated along its last dimension (channels, where
// they are last) is never stored by itself: a kernel that can keep a distance
// between its result's rows writes them into the concatenation's buffer.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_CONCATPART_H
#define QCC_LIB_CODEGEN_CONCATPART_H

#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

namespace qcc {

/// A buffer for rows, the last dimension of a tensor.
struct RowBuffer {
  mlir::Value buffer;
  int64_t pitch; ///< elements from one row to the next
};

/// Whether bufferOfRows() finds a concatenation.
bool isConcatPart(mlir::Value result, KernelEmitter &emitter);

/// Where the kernel that is about to be emitted for `result` stores its rows;
/// the concatenation, if there is one, then copies nothing of it.
RowBuffer bufferOfRows(mlir::Value result, KernelEmitter &emitter);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_CONCATPART_H
