//===- TileMatrixPlan.cpp - How a product is cut for tiles ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileMatrixPlan.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;

/// Weights of a pair of vectors that stay in the first level of the cache.
static constexpr int64_t residentBytes = 32 * 1024;
/// Row tiles of a block that go over them.
static constexpr int64_t maxBlockTiles = 4;
/// What a block of gathered rows should take of the stack, and the most that
/// one row tile may.
static constexpr int64_t goodGatheredBytes = 160 * 1024;
static constexpr int64_t maxGatheredBytes = 320 * 1024;
/// Kernel tiles that keep some threads busy to the end.
static constexpr int64_t enoughTiles = 8;

TileMatrixPlan::TileMatrixPlan(const MatrixPlan &plan) : matrix(plan) {
  MatrixPlan &p = matrix;
  if (p.band) // tiles are loaded from rows of one pitch
    p.replaceBand();
  steps = p.units / stepUnits;
  restUnits = p.units % stepUnits;
  int64_t pairBytes = 2 * TileKernels::maxRows * TileKernels::rowBytes;
  depthBlocks =
      std::max<int64_t>(1, llvm::divideCeil(steps * pairBytes, residentBytes));
  blockSteps = llvm::divideCeil(steps, depthBlocks);
  if (blockSteps > 0) // rounding may have made the last block empty
    depthBlocks = llvm::divideCeil(steps, blockSteps);

  p.tileRows = tileRows;
  p.rowTiles = llvm::divideCeil(p.rows, tileRows);
  p.longTiles = p.rowTiles;
  rowsOfLast = p.rows - (p.rowTiles - 1) * tileRows;
  if (p.gather) {
    // Whole cache lines, and not all of a column in one set of the cache.
    p.pitch = llvm::alignTo(p.units * 4, 64);
    if (p.pitch % 1024 == 0)
      p.pitch += 64;
  }
  // Gathered rows serve all panels; else a panel's weights serve all rows.
  p.rowsOuter = p.gather;
  int64_t most = maxBlockTiles;
  if (p.gather)
    most =
        std::clamp<int64_t>(goodGatheredBytes / (tileRows * p.pitch), 1, most);
  int64_t others = p.shape.group * (p.rowsOuter ? 1 : p.panels());
  p.blockTiles =
      std::clamp<int64_t>(p.rowTiles * others / enoughTiles, 1, most);
  p.rowBlocks = llvm::divideCeil(p.rowTiles, p.blockTiles);
}

bool TileMatrixPlan::fits(const MatrixOperands &operands) const {
  // The instructions multiply what is stored: signs cannot be flipped.
  return matrix.factors == Factors::Bytes && !operands.flip &&
         (!matrix.gather || tileRows * matrix.pitch <= maxGatheredBytes);
}

/// Compares estimates in cycles of one core. The rates are those measured on
/// Sapphire Rapids: 128 products per cycle by vpdpbusd and a row of a tile per
/// cycle; results take about 13 cycles per row and panel of 64 columns beside
/// the matrix unit, whose sums go through memory, and 8 after vector sums. (A
/// K=64 product with 64 columns was measured at 1.9 times the vector kernel's
/// speed, K=256 at 4 times.)
bool TileMatrixPlan::pays() const {
  const MatrixPlan &p = matrix;
  double panels = double(p.paddedColumns()) / 64;
  double vectorCycles =
      double(p.rows) * panels * (double(p.units * 4 * 64) / 128 * 1.05 + 8);
  // A tile of weights takes 8 cycles to load, however few rows there are.
  double vectors = double(p.paddedColumns()) / p.lanes;
  int64_t depthTiles = steps + (restUnits != 0);
  auto cycles = [&](int64_t rows) {
    double dot = 0;
    for (int64_t first = 0; first < rows; first += TileKernels::maxRows)
      dot += std::max<double>(std::min<int64_t>(rows - first, 16), 10);
    // Weights that come from the second level of the cache slow the unit down.
    double stream = depthBlocks > 1 || p.blockTiles == 1 ? 1.4 : 1.05;
    return vectors * double(depthTiles) * dot * stream +
           panels * (13. * double(rows) + 64 * double(depthBlocks));
  };
  double tileCycles = double(p.rowTiles - 1) * cycles(tileRows) +
                      cycles(rowsOfLast) + 200. * double(p.rowBlocks);
  return tileCycles * double(p.shape.group) <
         vectorCycles * double(p.shape.group);
}

std::optional<TileMatrixPlan>
TileMatrixPlan::get(const MatrixPlan &plan, const MatrixOperands &operands) {
  if (!plan.level.tiles)
    return std::nullopt;
  TileMatrixPlan tiles(plan);
  if (!tiles.fits(operands) || !tiles.pays())
    return std::nullopt;
  return tiles;
}
