//===- MatrixPlan.cpp - How a matrix product is cut -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixPlan.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;

/// More rows than this gain nothing: the sums hide the latency of the product.
static constexpr int64_t maxRows = 12;
/// Panels beyond this size are kept in the cache over all rows.
static constexpr int64_t residentBytes = 256 * 1024;
static constexpr int64_t firstLevelBytes = 16 * 1024;
/// Of rows that are read in place, with so many tiles of them: the weights come
/// from the second level again and again, but each thread reads and writes
/// whole rows.
static constexpr int64_t manyTiles = 64, wholeRowBytes = 64 * 1024;
/// Tiles of rows that are too few to hide that their weights come from afar.
static constexpr int64_t fewTiles = 4;
/// A panel and the next one, which is fetched meanwhile, should stay in a
/// second-level cache.
static constexpr int64_t goodPanelBytes = 640 * 1024;
/// Depths at which storing results takes longer than summing them.
static constexpr int64_t shortUnits = 16;
/// What a block of gathered rows should take, and the most that it may; a
/// copied band need only stay in the second level.
static constexpr int64_t goodScratchBytes = 32 * 1024;
static constexpr int64_t goodBandBytes = 128 * 1024;
static constexpr int64_t maxScratchBytes = 256 * 1024;
/// Blocks of a copied band at least, and tiles for threads.
static constexpr int64_t fewestBlocks = 4, mostBlocks = 16;
/// Products that a block should have for its own sake, some microseconds, and
/// for each element that is copied twice, so that copying takes below 1 %.
static constexpr int64_t fewestProducts = 1 << 20, productsPerCopy = 256;
/// Widened weights beside that, and for how many tiles of rows they pay.
static constexpr int64_t maxWidenedBytes = 192 * 1024, fewestWidened = 4;

MatrixPlan::MatrixPlan(const ConvShape &shape, Factors factors, bool permuted,
                       bool sumsRows, const TargetLevel &level, TileTable table,
                       int64_t unitBytes)
    : shape(shape), factors(factors), permuted(permuted), sumsRows(sumsRows),
      level(level), table(table) {
  rows = shape.rows();
  columns = shape.oc / shape.group;
  depth = shape.taps() * (shape.c / shape.group);
  unitElements = factors == Factors::Int8      ? 4
                 : factors == Factors::Float32 ? 1
                                               : 2;
  this->unitBytes = unitBytes;
  lanes = level.lanes();
  TileChoice choice = table.lookup(level.name, key());
  chooseAccess(choice);
  std::optional<TileChoice> tall = tallTile(level);
  if (factors == Factors::Float32 && tall && !choice.vectors && !choice.rows &&
      rows <= fewTiles * int64_t(*tall->rows) &&
      columns * units * unitBytes > residentBytes) {
    choice.vectors = tall->vectors;
    choice.rows = tall->rows;
  }
  cut(choice);
  rowsOuter = isRowsOuter();
  if (choice.panelsOuter && panels() > 1)
    rowsOuter = !*choice.panelsOuter;
}

bool MatrixPlan::isRowsOuter() const {
  int64_t most = gather || band          ? residentBytes
                 : rowTiles >= manyTiles ? wholeRowBytes
                                         : firstLevelBytes;
  return panels() == 1 || packedBytes() / filters() <= most;
}

std::string MatrixPlan::key() const {
  return llvm::formatv("matrix {0}{1}{2} {3}",
                       factors == Factors::Int8    ? "i8"
                       : factors == Factors::Int16 ? "i16"
                       : factors == Factors::BF16  ? "bf16"
                       : unitBytes == 2            ? "f32 half"
                                                   : "f32",
                       permuted ? " bytes" : "", sumsRows ? " sums" : "",
                       shape.key());
}

TileChoice MatrixPlan::taken() const {
  TileChoice choice;
  choice.rows = unsigned(tileRows);
  choice.vectors = vectors;
  if (panels() > 1)
    choice.panelsOuter = !rowsOuter;
  if (gather || band)
    choice.gathersWindows = gather;
  return choice;
}

void MatrixPlan::chooseAccess(const TileChoice &choice) {
  const ConvShape &s = shape;
  int64_t inChannels = s.c / s.group;
  bool inside = !s.isVolume() && s.padT == 0 && s.padL == 0 &&
                (s.oh - 1) * s.sh + (s.kh - 1) * s.dh < s.h &&
                (s.ow - 1) * s.sw + (s.kw - 1) * s.dw < s.w;
  bool contiguous = s.kh == 1 && s.kw == 1 && s.sh == 1 && s.sw == 1 &&
                    inside && s.oh == s.h && s.ow == s.w;
  bool wholeUnits = s.c % unitElements == 0 && inChannels % unitElements == 0;
  bool inPlace = contiguous && wholeUnits;
  // What follows a line in its last unit is read, too: not beyond the input.
  copiesBand = !inside || s.kw * s.c % unitElements != 0;
  band = !inPlace && !s.isVolume() && s.group == 1 && s.dw == 1 && !sumsRows &&
         (!copiesBand || s.n == 1);
  linePitch = (copiesBand ? bandColumns() : s.w) * s.c;
  // Few rows per band copy the lines again and again.
  int64_t served = bandRows();
  if (copiesBand && (served < std::min(rows, maxRows) ||
                     bandElements(served) > served * depth))
    band = false;
  if (choice.gathersWindows == true)
    band = false;
  gather = !inPlace && !band;

  lines = band ? s.kh : 1;
  lineUnits = llvm::divideCeil(depth / lines, unitElements);
  units = lines * lineUnits;
  pitch = gather ? llvm::alignTo(units * unitElements, 4 * unitElements) : s.c;
}

void MatrixPlan::cut(const TileChoice &choice) {
  RegisterTile tile =
      factors == Factors::Float32 ? level.floatTile : level.int8Tile;
  cutColumns(tile, choice);
  cutRows(tile, choice);
}

void MatrixPlan::makeTall() {
  isTall = true;
  if (std::optional<TileChoice> tall = tallTile(level))
    cut(*tall);
}

/// Tiles of two vectors and as many rows as the registers hold; nothing where
/// the usual ones are no wider.
std::optional<TileChoice> MatrixPlan::tallTile(const TargetLevel &level) {
  if (level.floatTile.vectors <= 2)
    return std::nullopt;
  TileChoice choice;
  choice.vectors = 2;
  // Besides the sums, a unit of the weights and one activation.
  choice.rows = (level.numVectorRegisters - 3) / 2;
  return choice;
}

void MatrixPlan::replaceBand() {
  band = false;
  gather = true;
  lines = 1;
  lineUnits = units = llvm::divideCeil(depth, unitElements);
  pitch = llvm::alignTo(units * unitElements, 4 * unitElements);
}

/// Elements of the copied band that any `rows` neighbouring rows need.
int64_t MatrixPlan::bandElements(int64_t rows) const {
  int64_t outputLines =
      std::min(shape.oh, (rows + shape.ow - 2) / shape.ow + 1);
  int64_t inputLines =
      (outputLines - 1) * shape.sh + (shape.kh - 1) * shape.dh + 1;
  // The last units, or a vector of activations, may end behind the last line.
  return inputLines * linePitch + 64;
}

/// The most neighbouring rows that a band of good size serves.
int64_t MatrixPlan::bandRows() const {
  int64_t bytes = goodBandBytes - 4 * 64;
  int64_t inputLines = bytes / (linePitch * elementBytes());
  int64_t window = (shape.kh - 1) * shape.dh + 1;
  if (inputLines < window)
    return 0;
  int64_t outputLines = (inputLines - window) / shape.sh + 1;
  return outputLines >= shape.oh ? rows : (outputLines - 1) * shape.ow + 1;
}

int64_t MatrixPlan::scratchElements() const {
  if (gather)
    return blockTiles * tileRows * pitch;
  return band && copiesBand ? bandElements(blockTiles * tileRows) : 0;
}

void MatrixPlan::cutColumns(RegisterTile tile, const TileChoice &choice) {
  int64_t total = llvm::divideCeil(columns, lanes);
  if (choice.vectors) {
    vectors = std::min<int64_t>(*choice.vectors, total);
    fullPanels = total / vectors;
    tailVectors = total % vectors;
    return;
  }
  vectors = std::min<int64_t>(tile.vectors, total);
  // Four vectors pack into whole ones of bytes, which counts for more than
  // equal panels unless a last vector alone takes long.
  bool packsWhole =
      permuted && vectors == 4 && (total % vectors != 1 || units <= shortUnits);
  // Equal panels where they are not much narrower: one body serves them all.
  for (unsigned v = vectors; !packsWhole && v >= 2 && v + 2 > vectors; --v)
    if (total % v == 0) {
      vectors = v;
      break;
    }
  while (vectors > 2 && vectors * lanes * units * 4 > goodPanelBytes)
    vectors /= 2;
  fullPanels = total / vectors;
  tailVectors = total % vectors;
}

void MatrixPlan::cutRows(RegisterTile tile, const TileChoice &choice) {
  int64_t most = vectors == tile.vectors
                     ? tile.rows
                     : int64_t(tile.rows) * tile.vectors / vectors;
  // Where rows are loaded as vectors, those take registers too; in a band, each
  // row takes an address.
  int64_t limit = level.activationLoadBytes > 4 || band ? 8 : maxRows;
  most = std::min(most, std::max<int64_t>(limit, tile.rows));
  if (choice.rows)
    most = *choice.rows;
  if (gather)
    most = std::min(
        most, std::max<int64_t>(1, maxScratchBytes / (pitch * elementBytes())));
  // As even as possible, so that no tile has only a row or two.
  rowTiles = std::max<int64_t>(1, llvm::divideCeil(rows, most));
  tileRows = llvm::divideCeil(rows, rowTiles);
  longTiles = rowTiles - (tileRows * rowTiles - rows);
  cutBlocks();
}

void MatrixPlan::cutBlocks() {
  int64_t most = 1; // row tiles of a block
  if (gather) {
    int64_t tileBytes = tileRows * pitch * elementBytes();
    most = std::clamp<int64_t>(goodScratchBytes / tileBytes, 1, 4);
  } else if (band && copiesBand) {
    most = std::max<int64_t>(1, bandRows() / tileRows);
  } else if (band) {
    int64_t tileBytes =
        tileRows * shape.sh * shape.sw * shape.c * elementBytes();
    most = std::max<int64_t>(1, goodScratchBytes / tileBytes);
  }
  rowBlocks = llvm::divideCeil(rowTiles, most);
  int64_t others = filters() * (isRowsOuter() ? 1 : panels());
  if (band && copiesBand)
    rowBlocks = std::max(rowBlocks, blocksForThreads(others));
  // Two and four threads share them out evenly.
  if (rowBlocks > 2 && others < 4)
    rowBlocks = llvm::alignTo(rowBlocks, 4);
  rowBlocks = std::min(rowBlocks, rowTiles);
  blockTiles = llvm::divideCeil(rowTiles, rowBlocks);
}

/// Blocks of a copied band that keep some threads busy, of `others` tiles each.
/// A line at the border of two blocks is copied for both, so they are worth it
/// only where the products of a block take much longer.
int64_t MatrixPlan::blocksForThreads(int64_t others) const {
  int64_t window = (shape.kh - 1) * shape.dh + 1;
  int64_t copiedTwice = std::max<int64_t>(0, window - shape.sh) * linePitch;
  int64_t products = rows * columns * depth;
  int64_t fewest =
      llvm::divideCeil(rowTiles, llvm::divideCeil(rowTiles, fewestBlocks));
  int64_t most =
      std::max<int64_t>(fewest, llvm::divideCeil(mostBlocks, others));
  return std::clamp<int64_t>(
      products / (fewestProducts + copiedTwice * productsPerCopy), fewest,
      most);
}

bool MatrixPlan::widensPanels() const {
  return factors == Factors::Float32 && unitBytes == 2 &&
         rowTiles >= fewestWidened && 4 * widenedElements() <= maxWidenedBytes;
}

bool MatrixPlan::fitsStack() const {
  return scratchElements() * elementBytes() <= maxScratchBytes;
}

void MatrixPlan::forEachColumn(
    llvm::function_ref<void(int64_t, int64_t)> f) const {
  for (int64_t filter = 0; filter < filters(); ++filter)
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
        f(filter * columns + column, filter * paddedColumns() +
                                         panel * panelColumns() +
                                         (permuted ? order[at] : at));
      }
    }
}
