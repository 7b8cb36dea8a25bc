//===- TileCut.h - A product in pieces of tiles -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On levels with a matrix unit, two tiles of rows times two tiles of columns
// are summed at once: of 8-bit factors, or of bf16. The right-hand side is
// packed as for the vector kernels (MatrixPlan.h, Product.h): the vectors of 16
// units, a panel's width apart, are a tile.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_TILECUT_H
#define QCC_LIB_CODEGEN_TILECUT_H

#include "qcc/Target/TileKernels.h"

#include <algorithm>

namespace qcc {

struct TileCut {
  /// Rows of a row tile: two tiles of sums.
  static constexpr int64_t tileRows = 2 * TileKernels::maxRows;
  /// Units of depth in a tile of the right-hand side.
  static constexpr int64_t stepUnits = TileKernels::maxRows;

  TileCut(int64_t rows, int64_t units);

  int64_t rows, rowTiles;
  int64_t rowsOfLast;              ///< of the last row tile, 1 to tileRows
  int64_t steps, restUnits;        ///< whole tiles of depth, units behind them
  int64_t depthBlocks, blockSteps; ///< the depth is cut into equal blocks
  int64_t stepsOfLast() const { return steps - (depthBlocks - 1) * blockSteps; }
  /// Rows of a tile: those of the last row tile that fill no tile may differ.
  int64_t wholeRows() const {
    return std::min<int64_t>(rows, TileKernels::maxRows);
  }
  int64_t oddRows() const {
    return rows > TileKernels::maxRows ? rowsOfLast % TileKernels::maxRows : 0;
  }

  /// Estimates in cycles of one core, for so many (padded) columns: on tiles,
  /// in blocks of row tiles; and by the 8-bit dot products of 512-bit vectors.
  double cycles(int64_t columns, int64_t blockTiles) const;
  double vectorCycles(int64_t columns) const;

private:
  int64_t units;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_TILECUT_H
