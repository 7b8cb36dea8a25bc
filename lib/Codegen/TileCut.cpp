//===- TileCut.cpp - A product in pieces of tiles -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileCut.h"

#include "llvm/Support/MathExtras.h"

using namespace qcc;

/// Weights of a pair of vectors that stay in the first level of the cache.
static constexpr int64_t residentBytes = 32 * 1024;

TileCut::TileCut(int64_t rows, int64_t units) : rows(rows), units(units) {
  rowTiles = llvm::divideCeil(rows, tileRows);
  rowsOfLast = rows - (rowTiles - 1) * tileRows;
  steps = units / stepUnits;
  restUnits = units % stepUnits;
  int64_t pairBytes = 2 * TileKernels::maxRows * TileKernels::rowBytes;
  depthBlocks =
      std::max<int64_t>(1, llvm::divideCeil(steps * pairBytes, residentBytes));
  blockSteps = llvm::divideCeil(steps, depthBlocks);
  if (blockSteps > 0) // rounding may have made the last block empty
    depthBlocks = llvm::divideCeil(steps, blockSteps);
}

// The rates are those measured on Sapphire Rapids: 128 products per cycle by
// vpdpbusd and a row of a tile per cycle; results take about 13 cycles per row
// and panel of 64 columns beside the matrix unit, whose sums go through memory,
// and 8 after vector sums. (A K=64 product with 64 columns was measured at 1.9
// times the vector kernel's speed, K=256 at 4 times.)

double TileCut::cycles(int64_t columns, int64_t blockTiles) const {
  double panels = double(columns) / 64;
  // A tile of weights takes 8 cycles to load, however few rows there are.
  double vectors = double(columns) * 4 / TileKernels::rowBytes;
  int64_t depthTiles = steps + (restUnits != 0);
  auto cycles = [&](int64_t rows) {
    double dot = 0;
    for (int64_t first = 0; first < rows; first += TileKernels::maxRows)
      dot += std::max<double>(std::min<int64_t>(rows - first, 16), 10);
    // Weights that come from the second level of the cache slow the unit down.
    double stream = depthBlocks > 1 || blockTiles == 1 ? 1.4 : 1.05;
    return vectors * double(depthTiles) * dot * stream +
           panels * (13. * double(rows) + 64 * double(depthBlocks));
  };
  return double(rowTiles - 1) * cycles(tileRows) + cycles(rowsOfLast) +
         200. * double(llvm::divideCeil(rowTiles, blockTiles));
}

double TileCut::vectorCycles(int64_t columns) const {
  double panels = double(columns) / 64;
  return double(rows) * panels * (double(units * 4 * 64) / 128 * 1.05 + 8);
}
