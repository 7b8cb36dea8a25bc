//===- TileMatrixKernel.h - The body of a kernel on tiles -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_TILEMATRIXKERNEL_H
#define QCC_LIB_CODEGEN_TILEMATRIXKERNEL_H

#include "MatrixKernel.h"
#include "TileMatrixPlan.h"

namespace qcc {

/// Emits the kernel that TileMatrixPlan.h describes.
class TileMatrixKernel : public MatrixKernel {
public:
  TileMatrixKernel(mlir::OpBuilder &b, mlir::Location loc,
                   const TileMatrixPlan &plan, const MatrixOperands &operands,
                   const MatrixArguments &args)
      : MatrixKernel(b, loc, plan.matrix, operands, args), t(plan),
        unit(*plan.matrix.level.tiles) {}

  void emit(mlir::Value begin, mlir::Value end);

private:
  /// Some row tiles of a group; rows count from the first of them.
  struct Block {
    Value firstTile, lastTile, rows, firstRow, group;
    Value elements; ///< buffer of the rows
    Value at;       ///< where the first row starts
  };
  /// A panel of columns, for the rows of a block.
  struct Panel {
    Value number;
    unsigned vectors;
    Value weightsAt;
    Value firstRow, filter, firstColumn; ///< of the result
    llvm::SmallVector<Value> offsets, zeroPoints, scales, biases;
  };
  /// What one loop over the depth sums: one or two vectors of the columns.
  struct Pass {
    unsigned firstVector, vectors;
    bool isLast; ///< of the panel
    Value depthBlock;
  };
  /// Rows with a shape of tiles, one above the other.
  struct Part {
    Value row;
    unsigned halves; ///< one or two tiles of rows
    /// Rows with sums to be finished meanwhile: [finishFrom, finishFrom +
    /// finishCount); null: none.
    Value finishFrom, finishCount;
  };

  void block(Value tile, Value group,
             llvm::function_ref<void(const Block &)> forPanels);
  void panel(const Block &block, Value number, unsigned vectors);
  void pass(const Block &block, const Panel &panel, const Pass &pass);
  void lastRowTile(const Block &block, const Panel &panel, const Pass &pass,
                   Part part);
  void part(const Block &block, const Panel &panel, const Pass &pass,
            const Part &part);
  void step(const Block &block, const Panel &panel, const Pass &pass,
            const Part &part, Value step, bool isRest);
  void finish(const Panel &panel, Value begin, Value end);
  void finishRow(const Panel &panel, Value row);
  void configure(bool rest);
  void storeConfiguration(int64_t rows, int64_t at);
  void forSums(const Panel &panel, const Pass &pass, const Part &part,
               llvm::function_ref<void(unsigned tile, Value at)> f);

  int64_t pitchOfSums(const Panel &panel) const {
    return int64_t(panel.vectors) * p.lanes;
  }
  /// Rows of a tile: those of the last row tile that fill no tile may differ.
  int64_t wholeRows() const {
    return std::min<int64_t>(p.rows, TileKernels::maxRows);
  }
  int64_t oddRows() const {
    return p.rows > TileKernels::maxRows ? t.rowsOfLast % TileKernels::maxRows
                                         : 0;
  }

  const TileMatrixPlan &t;
  TileKernels &unit;
  Value configurations, sums;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_TILEMATRIXKERNEL_H
