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
#include "TileSums.h"

namespace qcc {

/// Emits the kernel that TileMatrixPlan.h describes.
class TileMatrixKernel : public MatrixKernel {
public:
  TileMatrixKernel(mlir::OpBuilder &b, mlir::Location loc,
                   const TileMatrixPlan &plan, const MatrixOperands &operands,
                   const MatrixArguments &args)
      : MatrixKernel(b, loc, plan.matrix, operands, args), cut(plan.cut) {}

  void emit(mlir::Value begin, mlir::Value end);

private:
  /// Some row tiles of a group; rows count from the first of them.
  struct Block {
    TileSums::Block tiles;
    Value firstRow, group;
  };
  /// A panel of columns, for the rows of a block.
  struct Panel {
    Value number;
    unsigned vectors;
    Value firstRow, filter, firstColumn; ///< of the result
    llvm::SmallVector<Value> offsets, zeroPoints, scales, biases;
  };
  void block(Value tile, Value group,
             llvm::function_ref<void(const Block &)> forPanels);
  void panel(const Block &block, Value number, unsigned vectors);
  void finishRow(const Panel &panel, Value row);

  const TileCut &cut;
  TileSums *sums = nullptr;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_TILEMATRIXKERNEL_H
