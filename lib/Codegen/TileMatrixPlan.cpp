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

/// Row tiles of a block that go over them.
static constexpr int64_t maxBlockTiles = 4;
/// What a block of gathered rows should take of the stack, and the most that
/// one row tile may.
static constexpr int64_t goodGatheredBytes = 160 * 1024;
static constexpr int64_t maxGatheredBytes = 320 * 1024;
/// Kernel tiles that keep some threads busy to the end.
static constexpr int64_t enoughTiles = 8;

/// Tiles are loaded from rows of one pitch.
static MatrixPlan withoutBand(MatrixPlan plan) {
  if (plan.band)
    plan.replaceBand();
  return plan;
}

TileMatrixPlan::TileMatrixPlan(const MatrixPlan &plan)
    : matrix(withoutBand(plan)), cut(matrix.rows, matrix.units) {
  MatrixPlan &p = matrix;
  p.tileRows = TileCut::tileRows;
  p.rowTiles = p.longTiles = cut.rowTiles;
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
        goodGatheredBytes / (p.tileRows * p.pitch * p.elementBytes()), 1, most);
  int64_t others = p.filters() * (p.rowsOuter ? 1 : p.panels());
  p.blockTiles =
      std::clamp<int64_t>(p.rowTiles * others / enoughTiles, 1, most);
  p.rowBlocks = llvm::divideCeil(p.rowTiles, p.blockTiles);
}

bool TileMatrixPlan::fits(const MatrixOperands &operands) const {
  return (matrix.factors == Factors::BF16 || matrix.factors == Factors::Int8) &&
         (!matrix.gather ||
          matrix.tileRows * matrix.pitch * matrix.elementBytes() <=
              maxGatheredBytes);
}

bool TileMatrixPlan::pays() const {
  const MatrixPlan &p = matrix;
  double cycles = cut.cycles(p.paddedColumns(), p.blockTiles);
  if (p.factors != Factors::BF16)
    return cycles < cut.vectorCycles(p.paddedColumns());
  // 32 float products per cycle. Activations are rounded, 16 in two cycles,
  // and windows gathered beside them.
  double panels = double(p.paddedColumns()) / 64;
  double rounding = double(p.shape.n * p.shape.h * p.shape.w) *
                    double(p.shape.c) / 8 / double(p.shape.group);
  double gathering =
      p.gather ? double(p.rows) * (double(p.units) / 16 * 2 + 8) : 0;
  return cycles + rounding + gathering <
         double(p.rows) * panels * (double(p.depth) * 64 / 32 * 1.05 + 4);
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
