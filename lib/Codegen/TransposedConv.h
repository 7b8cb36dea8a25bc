//===- TransposedConv.h - Parts of a transposed convolution -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With a stride of s, results s apart read neighbouring inputs with the same
// taps of the filter: they are an ordinary convolution of stride 1, a phase.
// Phases that read the same inputs are computed together, as filters of one
// convolution or, in a line, as its columns:
//
//   kernel 4, stride 2, pad 1     results 0 2 4 ...  inputs q-1 q  taps 3 1
//                                 results 1 3 5 ...  inputs q q+1  taps 2 0
//   kernel 2, stride 2, no pads   results 0 1 2 ...  input q       taps 0, 1
//
// The latter is a matrix product. Zeros are multiplied where a phase has fewer
// taps than those that it is joined with, and where no tap reaches it.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_TRANSPOSEDCONV_H
#define QCC_LIB_CODEGEN_TRANSPOSEDCONV_H

#include "ConvShape.h"

#include <array>
#include <vector>

namespace qcc {

/// Neighbouring phases along one dimension: results first + i + stride * q for
/// i < count and q < positions, which read inputs q + offset + t * dilation for
/// t < taps.
struct PhaseRange {
  int64_t first = 0, count = 1, positions = 1;
  int64_t taps = 1, dilation = 1, offset = 0;

  /// Whether the phases of `next`, which follow, read the same inputs.
  bool readsAs(const PhaseRange &next) const;
};

/// One dimension of a transposed convolution.
struct TransposedDim {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;

  llvm::SmallVector<PhaseRange> phases() const;
  /// The tap of the filter that tap `t` of a phase of `range` is; -1: none.
  int64_t filterTap(const PhaseRange &range, int64_t phase, int64_t t) const;
};

/// Some phases of each dimension.
class TransposedPart {
public:
  /// All parts; nothing for channels-first. `joins`: the pixels of a line of
  /// the result are contiguous, so that a row may hold several.
  static std::vector<TransposedPart> get(qnn::ConvTransposeOp op, bool joins,
                                         const TargetLevel &level);

  /// The ordinary convolution. Its columns are pixels, if they are joined, and
  /// their channels.
  ConvShape shape() const;
  /// Of the result: the channel of a column of all phases' filters.
  int64_t channelOf(int64_t column) const;
  /// The element of the filter, [C][OC/group][kernel...], that is element
  /// `index` of the column's [C/group][taps]; -1: none.
  int64_t weightAt(int64_t column, int64_t index) const;
  /// The column of [OC/group] that a column's weights are from.
  int64_t filterColumnOf(int64_t column) const {
    return channelOf(column) % (channels / group);
  }
  /// Products of all results with weights of the filter.
  int64_t products() const;

  /// Pixels of the result: the first one, from each phase's first one to that
  /// of the next and, as extents and pitches from the innermost dimension on,
  /// those of rows.
  int64_t firstPixel() const;
  struct Extent {
    int64_t extent, pitch;
  };
  llvm::SmallVector<Extent> phasePixels() const;
  llvm::SmallVector<Extent> rowPixels() const;
  int64_t resultChannels() const { return channels; }
  std::string key() const;

private:
  void findTaps();
  int64_t taps() const {
    return ranges[0].taps * ranges[1].taps * ranges[2].taps;
  }
  int64_t joined() const { return joinsLine ? ranges[2].count : 1; }
  /// Numbers of phases that are filters, of each dimension.
  std::array<int64_t, 3> filterPhases() const {
    return {ranges[0].count, ranges[1].count, joinsLine ? 1 : ranges[2].count};
  }

  std::array<TransposedDim, 3> dims; ///< planes, lines, pixels of a line
  std::array<PhaseRange, 3> ranges;
  /// [phase of planes, lines, pixels][tap]: its element of a kernel; -1: none.
  std::vector<int64_t> kernelElements;
  int64_t images, inChannels, channels, group;
  bool joinsLine;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_TRANSPOSEDCONV_H
