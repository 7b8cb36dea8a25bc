//===- RowSum.h - The sum of a row of bytes ---------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_ROWSUM_H
#define QCC_LIB_CODEGEN_ROWSUM_H

#include "CodeBuilder.h"

#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// How bytes of activations are taken: as the level's dot product takes them,
/// with the upper bit flipped first, or as signed numbers.
struct RowBytes {
  bool flip = false, isSigned = false;
};

/// rowSums[slot] = the sum of `count` bytes of `bytes` from `at` on.
void sumBytes(CodeBuilder &c, const TargetLevel &level, mlir::Value bytes,
              mlir::Value at, int64_t count, RowBytes kind, mlir::Value rowSums,
              mlir::Value slot);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_ROWSUM_H
