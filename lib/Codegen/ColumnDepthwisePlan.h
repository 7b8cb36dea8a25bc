//===- ColumnDepthwisePlan.h - How depthwise is cut by columns --*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Channels-last depthwise convolution of 8 or 16 bits whose taps are
// interleaved once and read by several outputs. Four input rows (two of 16
// bits) make a bundle: the elements of a column of it are one 32-bit lane per
// channel. A tile is a group of neighbouring output rows, so few that their
// windows lie in one or two bundles; each tap column is then one dot product
// per bundle, with weights that stand where the output's rows are in the
// bundle. The bundles of a segment of columns are on the stack:
//
//   slab[bundle][column % stride][vector j][column / stride][channel]
//
// Windows of several planes have bundles of each of them.
//
// A plane (vector j) holds four channels of each 16 bytes, so that any run of
// whole 16 bytes of channels is contiguous in it. There are two ways to cut the
// channels:
//
// - sliced: one vector of channels at a time; the last one ends with the
//   channels and may overlap the one before it;
// - flat: a row is one run of columns * channels, cut into vectors. Their first
//   channel repeats with a period ("phase"), by which weights are packed.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_COLUMNDEPTHWISEPLAN_H
#define QCC_LIB_CODEGEN_COLUMNDEPTHWISEPLAN_H

#include "DepthwisePart.h"

namespace qcc {

struct ColumnDepthwisePlan {
  /// A dot product of an output row of the group: which columns of which
  /// bundle (of all planes).
  struct Entry {
    int64_t bundle, kw, row;
  };

  /// `bits`: of activations and weights, 8 or 16.
  ColumnDepthwisePlan(const DepthwisePart &part, const TargetLevel &level,
                      unsigned bits);

  ConvShape shape;
  ResultRows resultRows;
  unsigned bits;
  int64_t taps;   ///< input rows per bundle, and planes of each
  int64_t vector; ///< elements of the level's vectors
  bool sliced;
  int64_t channels;                ///< of the slab: a vector or all
  int64_t slices;                  ///< whole vectors of channels, or 1
  bool slicesInner;                ///< the order of tiles
  int64_t rows = 1;                ///< output rows per group
  int64_t inputRows, planeBundles; ///< of a plane
  llvm::SmallVector<Entry> entries;
  int64_t segments = 1, segment; ///< their number and output columns
  int64_t planeColumns, planeElements;
  int64_t phases = 1;    ///< of a row; 1 if sliced
  int64_t tailPhase = 0; ///< of the last, partial vector of a row
  llvm::SmallVector<int64_t> firstChannels; ///< per phase or slice
  int64_t outputs;                          ///< vectors that are summed at once

  /// Whether kernels can be cut so.
  bool fits() const;
  /// And, with 8 bits, whether another one is not faster.
  bool applies() const;
  int64_t groups() const { return llvm::divideCeil(shape.oh, rows); }
  int64_t tiles() const { return shape.images() * slices * groups(); }
  int64_t bundles() const { return shape.kd * planeBundles; }
  int64_t bundleElements() const { return shape.sw * taps * planeElements; }
  int64_t slabElements() const { return bundles() * bundleElements(); }
  int64_t planeAt(int64_t bundle, int64_t column, int64_t j) const {
    return ((bundle * shape.sw + column % shape.sw) * taps + j) *
               planeElements +
           column / shape.sw * channels;
  }
  /// Elements of weights per phase or slice.
  int64_t weightElements() const { return entries.size() * taps * vector; }
  std::string key() const;

private:
  int64_t inputRowsOf(int64_t rows) const {
    return (rows - 1) * shape.sh + shape.kh;
  }
  /// Calls f(bundle) for the bundles that output row `row` of a group reads.
  void forBundles(int64_t row, llvm::function_ref<void(int64_t)> f) const;
  int64_t dotsOf(int64_t rows) const;
  double cost(int64_t rows) const;
  void cutColumns();
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_COLUMNDEPTHWISEPLAN_H
