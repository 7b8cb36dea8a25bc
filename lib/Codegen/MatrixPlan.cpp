//===- MatrixPlan.cpp - How a matrix product is cut -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixPlan.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;

/// More rows than this gain nothing: the sums hide the latency of the product.
static constexpr int64_t maxRows = 12;
/// Panels beyond this size are kept in the cache over all rows.
static constexpr int64_t residentBytes = 256 * 1024;
static constexpr int64_t firstLevelBytes = 16 * 1024;
/// What a block of gathered rows should take, and the most that it may.
static constexpr int64_t goodScratchBytes = 32 * 1024;
static constexpr int64_t maxScratchBytes = 256 * 1024;

MatrixPlan::MatrixPlan(const ConvShape &shape, bool isInteger, bool permuted,
                       const TargetLevel &level)
    : shape(shape), isInteger(isInteger), permuted(permuted), level(level) {
  int64_t inChannels = shape.c / shape.group;
  rows = shape.n * shape.oh * shape.ow;
  columns = shape.oc / shape.group;
  depth = shape.kh * shape.kw * inChannels;
  unitElements = isInteger ? 4 : 1;
  units = llvm::divideCeil(depth, unitElements);
  lanes = level.lanes();

  bool contiguous = shape.kh == 1 && shape.kw == 1 && shape.sh == 1 &&
                    shape.sw == 1 && shape.padT == 0 && shape.padL == 0 &&
                    shape.oh == shape.h && shape.ow == shape.w;
  gather = !contiguous || shape.c % unitElements != 0 ||
           inChannels % unitElements != 0;
  pitch =
      gather ? llvm::alignTo(units * unitElements, 4 * unitElements) : shape.c;

  RegisterTile tile = isInteger ? level.int8Tile : level.floatTile;
  cutColumns(tile);
  cutRows(tile);
  int64_t groupBytes = packedBytes() / shape.group;
  rowsOuter =
      panels() == 1 || groupBytes <= (gather ? residentBytes : firstLevelBytes);
}

void MatrixPlan::cutColumns(RegisterTile tile) {
  int64_t total = llvm::divideCeil(columns, lanes);
  // Equal panels where they are not much narrower: one body serves them all.
  vectors = std::min<int64_t>(tile.vectors, total);
  for (unsigned v = vectors; v >= 2 && v + 2 > vectors; --v)
    if (total % v == 0) {
      vectors = v;
      break;
    }
  fullPanels = total / vectors;
  tailVectors = total % vectors;
}

void MatrixPlan::cutRows(RegisterTile tile) {
  int64_t most = vectors == tile.vectors
                     ? tile.rows
                     : int64_t(tile.rows) * tile.vectors / vectors;
  // Where rows are loaded as vectors, those take registers too.
  int64_t limit = level.activationLoadBytes > 4 ? 8 : maxRows;
  most = std::min(most, std::max<int64_t>(limit, tile.rows));
  if (gather)
    most = std::min(most, std::max<int64_t>(1, maxScratchBytes /
                                                   (pitch * 4 / unitElements)));
  // As even as possible, so that no tile has only a row or two.
  rowTiles = std::max<int64_t>(1, llvm::divideCeil(rows, most));
  tileRows = llvm::divideCeil(rows, rowTiles);
  longTiles = rowTiles - (tileRows * rowTiles - rows);
  int64_t tileBytes = tileRows * pitch * 4 / unitElements;
  blockTiles = gather ? std::clamp<int64_t>(goodScratchBytes / tileBytes, 1,
                                            std::min<int64_t>(rowTiles, 4))
                      : 1;
  rowBlocks = llvm::divideCeil(rowTiles, blockTiles);
}

bool MatrixPlan::fitsStack() const {
  return scratchElements() * 4 / unitElements <= maxScratchBytes;
}

void MatrixPlan::forEachColumn(
    llvm::function_ref<void(int64_t, int64_t)> f) const {
  for (int64_t group = 0; group < shape.group; ++group)
    for (int64_t panel = 0; panel < panels(); ++panel) {
      unsigned count = panel < fullPanels ? vectors : tailVectors;
      SmallVector<int64_t> order;
      if (permuted)
        order = level.micro->packOrder(count);
      for (int64_t at = 0; at < int64_t(count) * lanes; ++at) {
        int64_t column = panel * panelColumns() + at;
        if (column >= columns)
          break;
        // The result at `at` is computed in column order[at].
        f(group * columns + column, group * paddedColumns() +
                                        panel * panelColumns() +
                                        (permuted ? order[at] : at));
      }
    }
}
