//===- TileMatrixPlan.h - How a product is cut for tiles --------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On levels with a matrix unit, two tiles of rows times two tiles of columns
// are summed at once: of 8-bit factors, or of bf16. Weights are packed as for
// the vector kernels (MatrixPlan.h): the vectors of 16 units, a panel's width
// apart, are a tile.
//
// A kernel tile is a block of row tiles (of 32 rows) times a panel, or times
// all panels one after the other. Within it, a pair of vectors of columns goes
// over the row tiles before the next pair does, so that the weights of a pair
// stay in the first level of the cache; where even those are too many, the
// depth is cut. The sums wait in memory for the last pair; while it works on a
// row tile, the vector unit turns the sums of the row tile before into results.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_TILEMATRIXPLAN_H
#define QCC_LIB_CODEGEN_TILEMATRIXPLAN_H

#include "MatrixOperands.h"
#include "MatrixPlan.h"
#include "qcc/Target/TileKernels.h"

namespace qcc {

struct TileMatrixPlan {
  /// Rows of a row tile: two tiles of sums.
  static constexpr int64_t tileRows = 2 * TileKernels::maxRows;
  /// Units of depth in a tile of weights.
  static constexpr int64_t stepUnits = TileKernels::maxRows;

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
  int64_t rowsOfLast;              ///< of the last row tile, 1 to tileRows
  int64_t steps, restUnits;        ///< whole tiles of depth, units behind them
  int64_t depthBlocks, blockSteps; ///< the depth is cut into equal blocks
  int64_t stepsOfLast() const { return steps - (depthBlocks - 1) * blockSteps; }
  /// Words of memory for the sums of the row tiles of a block.
  int64_t sums() const {
    return matrix.blockTiles * tileRows * matrix.panelColumns();
  }

private:
  explicit TileMatrixPlan(const MatrixPlan &plan);
  bool fits(const MatrixOperands &operands) const;
  bool pays() const;
  double tileCycles() const;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_TILEMATRIXPLAN_H
