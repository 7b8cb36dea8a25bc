//===- MatrixPlan.h - How a matrix product is cut ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Convolutions and matrix products with constant weights are one kernel: rows
// (output pixels) times columns (output channels), with windows of the input as
// rows of the left matrix. There are three ways to read them:
//
// - in place, where they are contiguous and of constant pitch (1x1 kernels);
// - from a band of input lines, in which each line of a window is contiguous:
//   the input itself, or where windows are clipped a padded copy on the stack
//   of the lines that some tiles need;
// - gathered: each row is copied to the stack. That takes groups, dilated
//   columns, windows of planes and weights with zero points, too.
//
// Along the depth both operands are cut into units of four bytes: four 8-bit
// values, two of 16 bits (bf16 among them) or one float. The weights are packed
// into panels of some vectors of columns:
//
//   packed[filter][panel][unit][column of the panel][4 bytes]
//
// with one filter per group, and of a transposed convolution (see
// TransposedConv.h) several per window.
//
// Floats may be stored in 16 bits; they are widened when they are loaded, or
// where a panel serves many rows, once for these, to the stack.
// In a band each line of the window begins a unit of its own.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_MATRIXPLAN_H
#define QCC_LIB_CODEGEN_MATRIXPLAN_H

#include "ConvShape.h"
#include "qcc/Codegen/TileChoice.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace qcc {

struct MatrixPlan {
  /// `permuted`: the results are bytes, whose packing permutes the columns.
  /// `sumsRows`: weights have zero points, so that rows must be summed.
  MatrixPlan(const ConvShape &shape, Factors factors, bool permuted,
             bool sumsRows, const TargetLevel &level, TileTable table = {},
             int64_t unitBytes = 4);

  // The problem.
  ConvShape shape;
  Factors factors;
  bool permuted;
  bool sumsRows;
  int64_t rows, columns; ///< of one filter
  int64_t depth;         ///< products per result
  int64_t units;         ///< of the depth
  int64_t unitElements;  ///< 4, 2 or 1
  int64_t unitBytes;     ///< of packed weights: 4, or 2 for floats of 16 bits
  unsigned lanes;        ///< columns per vector

  // Rows of the left matrix.
  bool gather;
  bool band;
  bool copiesBand;   ///< else the band is the input
  int64_t pitch;     ///< elements from one row to the next; not of a band
  int64_t lines;     ///< of a window that are contiguous each: 1 or kh
  int64_t lineUnits; ///< units per such line
  int64_t linePitch; ///< elements from one line of a band to the next

  // Columns: `fullPanels` of `vectors` vectors, then one of `tailVectors`.
  unsigned vectors, tailVectors;
  int64_t fullPanels;

  // Rows: `longTiles` of `tileRows` rows, then tiles of one row less.
  int64_t tileRows, longTiles, rowTiles;

  /// The kernel's tiles: a block of row tiles (gathered together) and either
  /// all columns (`rowsOuter`), so that they are gathered once, or one panel,
  /// which then stays in the cache from tile to tile. `rowBlocks` share the row
  /// tiles evenly; the largest have `blockTiles`.
  int64_t blockTiles, rowBlocks;
  bool rowsOuter;

  /// What a choice of tiles is stored under, and what of one was taken.
  std::string key() const;
  TileChoice taken() const;

  /// Of the activations.
  int64_t elementBytes() const { return 4 / unitElements; }
  int64_t panels() const { return fullPanels + (tailVectors != 0); }
  /// Filters that columns are those of: of each phase those of all groups.
  int64_t filters() const { return shape.phases * shape.group; }
  int64_t tiles() const {
    return filters() * rowBlocks * (rowsOuter ? 1 : panels());
  }
  int64_t panelColumns() const { return int64_t(vectors) * lanes; }
  /// Columns of one filter with the padding of the last panel.
  int64_t paddedColumns() const {
    return (fullPanels * vectors + tailVectors) * lanes;
  }
  int64_t packedBytes() const {
    return filters() * paddedColumns() * units * unitBytes;
  }
  /// Columns of a band, from the first that a window reads to the last.
  int64_t bandColumns() const { return (shape.ow - 1) * shape.sw + shape.kw; }
  int64_t scratchElements() const;
  /// Whether weights of 16 bits are widened for all row tiles together: a panel
  /// or, with `rowsOuter`, all of them.
  bool widensPanels() const;
  int64_t widenedElements() const {
    return (rowsOuter ? paddedColumns() : panelColumns()) * units;
  }
  /// Cuts into tall and narrow tiles, where the level has wider ones (of
  /// floats): of weights in far memory, they read each vector the least often.
  void makeTall();
  bool isTall = false; ///< makeTall() was called
  /// Gathers the rows instead of reading them from a band.
  void replaceBand();
  /// Whether the gathered rows are few and short enough for the stack.
  bool fitsStack() const;

  /// Calls f(channel, position) for every output channel: where its values
  /// stand in arrays of one entry per (padded) column.
  void forEachColumn(llvm::function_ref<void(int64_t, int64_t)> f) const;
  /// Packs the filter; value(channel, index) is element `index` of the
  /// channel's [C/group][kh][kw] values.
  template <typename T, typename Value>
  std::vector<char> pack(Value value) const;

  const TargetLevel &level;
  TileTable table; ///< what overrules the rules

private:
  static std::optional<TileChoice> tallTile(const TargetLevel &level);
  void cut(const TileChoice &choice);
  void chooseAccess(const TileChoice &choice);
  int64_t bandElements(int64_t rows) const;
  int64_t bandRows() const;
  void cutColumns(RegisterTile tile, const TileChoice &choice);
  void cutRows(RegisterTile tile, const TileChoice &choice);
  void cutBlocks();
  int64_t blocksForThreads(int64_t others) const;
  bool isRowsOuter() const;
};

template <typename T, typename Value>
std::vector<char> MatrixPlan::pack(Value value) const {
  std::vector<char> bytes(packedBytes());
  T *packed = reinterpret_cast<T *>(bytes.data());
  int64_t inChannels = shape.c / shape.group, taps = shape.taps();
  int64_t lineTaps = taps / lines;
  forEachColumn([&](int64_t channel, int64_t position) {
    // The panel starts at a column; before it lie whole panels.
    int64_t column = position % paddedColumns();
    int64_t panel = column / panelColumns();
    int64_t width = panel < fullPanels ? panelColumns() : tailVectors * lanes;
    T *to =
        packed +
        (position - column + panel * panelColumns()) * units * unitElements +
        (column - panel * panelColumns()) * unitElements;
    for (int64_t c = 0; c < inChannels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap) {
        int64_t k = tap / lineTaps * lineUnits * unitElements +
                    tap % lineTaps * inChannels + c;
        to[k / unitElements * width * unitElements + k % unitElements] =
            value(channel, c * taps + tap);
      }
  });
  return bytes;
}

} // namespace qcc

#endif // QCC_LIB_CODEGEN_MATRIXPLAN_H
