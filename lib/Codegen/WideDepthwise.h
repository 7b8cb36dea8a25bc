//===- WideDepthwise.h - Depthwise convolution by channels ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Channels-last float depthwise convolution of at least a vector of channels.
// A tile is one vector of channels of a block of output rows; its input is
// copied to the stack, padded, so that it stays in a first-level cache for all
// taps however many channels the tensor has:
//
//   slab[plane][row][column][channel of the vector]
//
// Of volumes, the planes of a window are a ring, so that a tile, which then is
// one of all planes, copies each once.
//
// Some neighbouring outputs are summed at once and share each weight.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_WIDEDEPTHWISE_H
#define QCC_LIB_CODEGEN_WIDEDEPTHWISE_H

#include "DepthwisePart.h"
#include "ImageRows.h"
#include "qcc/Codegen/TileChoice.h"

namespace qcc {

struct WidePlan {
  WidePlan(const DepthwisePart &part, const TargetLevel &level);

  /// Nothing where there is no kernel of this kind.
  static std::optional<WidePlan> get(const DepthwisePart &part,
                                     const TargetLevel &level);

  /// Sets the output rows of a tile.
  void setRows(int64_t rows);
  int64_t tiles() const { return shape.n * rowBlocks * blocks; }
  /// Planes of the slab: from the first to the last of a window.
  int64_t ringPlanes() const { return (shape.kd - 1) * shape.dd + 1; }
  /// What a choice of tiles is stored under, and what of one was taken.
  std::string key() const { return "wide depthwise f32 " + shape.key(); }
  TileChoice taken() const {
    TileChoice choice;
    choice.rows = unsigned(outputRows);
    return choice;
  }
  /// Per vector of channels: the taps, then the bias (added last, as
  /// everywhere).
  std::vector<float> pack(const FloatConv &conv) const;

  ConvShape shape;
  ResultRows rows;
  int64_t lanes, blocks;   ///< of channels
  int64_t columns, window; ///< of the slab; rows that an output needs
  /// Output columns that are computed with one slab: all, unless it would be
  /// too large.
  int64_t segment;
  int64_t outputRows, rowBlocks;
  int64_t planeElements, slabBytes;
  int64_t neighbours; ///< outputs that are summed at once

private:
  void chooseNeighbours(const TargetLevel &level);
};

class WideKernel {
public:
  /// `args`: input, weights, result.
  WideKernel(CodeBuilder &c, const WidePlan &plan, const TargetLevel &level,
             const FloatConv &conv, const ImageRows &rows,
             mlir::ValueRange args)
      : c(c), p(plan), s(p.shape), level(level), conv(conv), rows(rows),
        input(args[0]), weights(args[1]), result(args[2]),
        slab(c.stack(c.b.getF32Type(), p.slabBytes / 4)) {}

  void emit(mlir::Value begin, mlir::Value end);
  /// Output rows [first, last) of an image, at most plan.outputRows, for one
  /// vector of channels; `to`: the first one's first result of any channel. Of
  /// a volume, these rows of all planes, and no `to`.
  void tile(mlir::Value image, mlir::Value first, mlir::Value last,
            mlir::Value block, mlir::Value to);

private:
  using Value = mlir::Value;

  mlir::VectorType type() { return c.vectorType(c.b.getF32Type(), p.lanes); }
  void fill(Value image, Value first, Value last, Value column, Value channel,
            int64_t valid);
  void fillLines(Value image, Value first, Value last, Value channel,
                 int64_t valid, Value slabAt);
  void fillSegment(Value image, Value first, Value last, Value column,
                   Value channel, int64_t valid, Value slabAt);
  llvm::SmallVector<Value> addTaps(Value row, Value tap, Value first,
                                   int64_t taps, mlir::ValueRange sums);
  llvm::SmallVector<Value> addLine(Value row, Value tap, mlir::ValueRange sums);
  void plane(Value rowCount, Value column, Value count, Value weightsAt,
             Value to, int64_t valid);
  void outputs(Value top, Value column, int64_t count, Value weightsAt,
               Value to, int64_t valid);

  CodeBuilder &c;
  const WidePlan &p;
  const ConvShape &s;
  const TargetLevel &level;
  const FloatConv &conv;
  ImageRows rows;
  Value input, weights, result, slab;
  Value firstPlane; ///< that the window of the current plane reads, with pads
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_WIDEDEPTHWISE_H
