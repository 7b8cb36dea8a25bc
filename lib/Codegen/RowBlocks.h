//===- RowBlocks.h - Convolutions by blocks of rows -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A depthwise convolution whose only reader is a 1x1 convolution, and the 1x1
// convolution in front that nothing else reads, are one kernel. It computes
// some rows of the last result at a time; what is between the convolutions
// stands on the stack, in near caches, and never in memory:
//
//   rows of the input -> ring of rows -> block of rows -> rows of the result
//             expansion         depthwise        projection
//
// The ring keeps the rows that the windows of the next block need, too. A
// thread that begins in the middle of an image computes those again.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_ROWBLOCKS_H
#define QCC_LIB_CODEGEN_ROWBLOCKS_H

#include "ColumnDepthwise.h"
#include "MatrixBuffers.h"
#include "WideDepthwise.h"

namespace qcc {

struct RowBlocks {
  /// A 1x1 convolution and how it computes some pixels.
  struct Pointwise {
    Pointwise(qnn::ConvOp op, const MatrixOperands &operands)
        : op(op), operands(operands) {}
    qnn::ConvOp op;
    MatrixOperands operands;
    std::optional<MatrixPlan> plan;
  };
  /// The same depthwise convolution in one of two ways.
  struct Wide {
    FloatConv conv;
    WidePlan plan;
  };
  qnn::ConvOp depthwise;
  std::optional<ColumnDepthwise> column;
  std::optional<Wide> wide;
  ConvShape shape; ///< of the depthwise convolution

  std::optional<Pointwise> expansion;  ///< `plan`: of one row
  std::optional<Pointwise> projection; ///< `plan`: of a block
  std::optional<MatrixPlan> rest;      ///< of the rows behind whole blocks

  int64_t groupRows; ///< output rows that the depthwise kernel takes together
  int64_t blockRows; ///< some groups
  int64_t ringRows = 0;

  /// The kernel that `op` is computed in; nothing if there is none.
  static std::optional<RowBlocks> match(mlir::Operation *op,
                                        const TargetLevel &level);

  int64_t blocks() const { return llvm::divideCeil(shape.oh, blockRows); }
  int64_t tiles() const { return shape.n * blocks(); }
  int64_t window() const { return (shape.kh - 1) * shape.dh + 1; }
  /// The result of the depthwise convolution.
  mlir::Value between() const {
    return column ? column->result : wide->conv.result;
  }

private:
  static std::optional<RowBlocks> get(qnn::ConvOp middle,
                                      const TargetLevel &level);
  static bool isProjection(qnn::ConvOp op, const TargetLevel &level);
  bool matchDepthwise(qnn::ConvOp op, const TargetLevel &level);
  bool matchProjection(const TargetLevel &level);
  bool matchExpansion(const TargetLevel &level);
  bool cut(const TargetLevel &level);
  int64_t stackBytes(int64_t rows) const;
  int64_t ringOf(int64_t rows) const {
    return std::min((rows - 1) * shape.sh + window(), shape.h);
  }
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_ROWBLOCKS_H
