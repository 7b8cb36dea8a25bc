//===- TileMatrixPlan.h - How a product is cut for tiles --------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel tile is a block of row tiles (TileCut.h) times a panel, or times all
// panels one after the other.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_TILEMATRIXPLAN_H
#define QCC_LIB_CODEGEN_TILEMATRIXPLAN_H

#include "MatrixOperands.h"
#include "MatrixPlan.h"
#include "TileCut.h"

namespace qcc {

struct TileMatrixPlan {
  /// Nothing where the level has no tiles, the kernel cannot use them, or the
  /// vector kernel is expected to be faster.
  static std::optional<TileMatrixPlan> get(const MatrixPlan &plan,
                                           const MatrixOperands &operands);
  /// Whether a float product with weights of bf16 is expected to be faster on
  /// tiles, its activations rounded to bf16.
  static bool paysInBF16(const MatrixOperands &operands,
                         const TargetLevel &level, TileTable table);

  /// Columns, packing and the windows, as for the vector kernel; the rows are
  /// cut into row tiles.
  MatrixPlan matrix;
  TileCut cut;

private:
  explicit TileMatrixPlan(const MatrixPlan &plan);
  bool fits(const MatrixOperands &operands) const;
  bool pays() const;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_TILEMATRIXPLAN_H
