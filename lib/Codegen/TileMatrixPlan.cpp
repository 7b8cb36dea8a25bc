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
    int64_t bytes = llvm::alignTo(p.units * 4, 64);
    if (bytes % 1024 == 0)
      bytes += 64;
    p.pitch = bytes / p.elementBytes();
  }
  // Gathered rows serve all panels; else a panel's weights serve all rows.
  p.rowsOuter = p.gather;
  int64_t most = maxBlockTiles;
  if (p.gather)
    most = std::clamp<int64_t>(
        goodGatheredBytes / (tileRows * p.pitch * p.elementBytes()), 1, most);
  int64_t others = p.filters() * (p.rowsOuter ? 1 : p.panels());
  p.blockTiles =
      std::clamp<int64_t>(p.rowTiles * others / enoughTiles, 1, most);
  p.rowBlocks = llvm::divideCeil(p.rowTiles, p.blockTiles);
}

bool TileMatrixPlan::fits(const MatrixOperands &operands) const {
  // The instructions multiply what is stored: signs cannot be flipped.
  return (matrix.factors == Factors::BF16 ||
          (matrix.factors == Factors::Int8 && !operands.flip)) &&
         (!matrix.gather ||
          tileRows * matrix.pitch * matrix.elementBytes() <= maxGatheredBytes);
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
  if (p.factors != Factors::BF16)
    return tileCycles() < double(p.rows) * panels *
                              (double(p.units * 4 * 64) / 128 * 1.05 + 8);
  // 32 float products per cycle. Activations are rounded, 16 in two cycles,
  // and windows gathered beside them.
  double rounding = double(p.shape.n * p.shape.h * p.shape.w) *
                    double(p.shape.c) / 8 / double(p.shape.group);
  double gathering =
      p.gather ? double(p.rows) * (double(p.units) / 16 * 2 + 8) : 0;
  return tileCycles() + rounding + gathering <
         double(p.rows) * panels * (double(p.depth) * 64 / 32 * 1.05 + 4);
}

/// Of one filter.
double TileMatrixPlan::tileCycles() const {
  const MatrixPlan &p = matrix;
  double panels = double(p.paddedColumns()) / 64;
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
  return double(p.rowTiles - 1) * cycles(tileRows) + cycles(rowsOfLast) +
         200. * double(p.rowBlocks);
}

bool TileMatrixPlan::paysInBF16(const MatrixOperands &operands,
                                const TargetLevel &level, TileTable table) {
  if (!level.tiles)
    return false;
  TileMatrixPlan tiles(MatrixPlan(operands.shape, Factors::BF16,
                                  /*permuted=*/false, /*sumsRows=*/false, level,
                                  table));
  return tiles.fits(operands) && tiles.pays();
}

std::optional<TileMatrixPlan>
TileMatrixPlan::get(const MatrixPlan &plan, const MatrixOperands &operands) {
  if (!plan.level.tiles)
    return std::nullopt;
  TileMatrixPlan tiles(plan);
  // Activations are in bf16 only where that was found to pay.
  if (!tiles.fits(operands) || !(plan.factors == Factors::BF16 || tiles.pays()))
    return std::nullopt;
  return tiles;
}
