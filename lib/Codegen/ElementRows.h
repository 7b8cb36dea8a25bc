//===- ElementRows.h - Elementwise kernels walk rows ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_ELEMENTROWS_H
#define QCC_LIB_CODEGEN_ELEMENTROWS_H

#include "../Conversion/QNNToKernels/LoopBuilder.h"
#include "CodeBuilder.h"

namespace qcc {

/// The elements of a tensor as rows, cut into tiles of rows or, where there is
/// one row, of columns.
struct Rows {
  Rows(int64_t count, int64_t length, int64_t step);
  int64_t tiles() const;
  /// Calls column(first column, valid elements) for each step, which calls
  /// what it is given with a body of (position) for each row of the tile.
  using ForRows =
      llvm::function_ref<void(llvm::function_ref<void(mlir::Value position)>)>;
  void emit(CodeBuilder &c, mlir::Value begin, mlir::Value end,
            llvm::function_ref<void(mlir::Value column, int64_t valid, ForRows)>
                body) const;
  int64_t count, length, step, rowsPerTile, columnsPerTile;
};

/// q - zeroPoint of the bytes at `at`, as vectors of reals. They repeat after
/// `period` bytes.
llvm::SmallVector<mlir::Value>
loadCentered(reference::LoopBuilder &b, CodeBuilder &c,
             const TargetLevel &level, const reference::Element &element,
             int64_t valid, mlir::Value buffer, mlir::Value at, int64_t period);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_ELEMENTROWS_H
