//===- MatrixKernel.h - The body of a matrix kernel -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_MATRIXKERNEL_H
#define QCC_LIB_CODEGEN_MATRIXKERNEL_H

#include "MatrixEpilogue.h"
#include "MatrixOperands.h"
#include "MatrixPlan.h"
#include "MatrixWeights.h"

namespace qcc {

/// The arguments of a matrix kernel, flat.
struct MatrixArguments {
  mlir::Value input, weights, result;
  // Null where absent.
  mlir::Value offsets, scales, biases, zeroPoints, residual, table, other;
};

/// Emits the kernel that MatrixPlan.h describes.
class MatrixKernel {
public:
  MatrixKernel(mlir::OpBuilder &b, mlir::Location loc, const MatrixPlan &plan,
               const MatrixOperands &operands, const MatrixArguments &args)
      : c(b, loc), p(plan), m(operands), level(plan.level), args(args) {}

  void emit(mlir::Value begin, mlir::Value end) {
    allocate();
    run(begin, end);
  }
  /// What emit() does, in two steps: the stack outside of all loops.
  void allocate();
  void run(mlir::Value begin, mlir::Value end);

  /// Where the first row of the plan stands among those of the input, of rows
  /// that are read in place, and among those of the result and of what is added
  /// to it; null: at the beginning.
  mlir::Value firstInputRow, firstResultRow;

protected: // for TileMatrixKernel and WinogradKernel
  using Value = mlir::Value;

  /// The rows of the left matrix that a register tile works on.
  struct Rows {
    Value first; ///< number of the first row
    int64_t count;
    Value tile;                      ///< number of the register tile
    Value elements;                  ///< memref: i8, i16 or f32
    llvm::SmallVector<Value> starts; ///< the elements where the rows start
    Value sumsAt;                    ///< of the first row in `rowSums`
  };

  void block(Value firstTile, Value lastTile, Value group,
             llvm::function_ref<void(llvm::function_ref<void(Value, unsigned)>)>
                 forPanels);
  void forPanels(Value outer,
                 llvm::function_ref<void(Value, unsigned)> emitPanel);
  void widen(Value group, Value outer);
  MatrixWeights weightsOf(Value group, Value panel, unsigned vectors);
  Value firstTileOf(Value block);
  Value firstRowOf(Value rowTile);
  void sumRow(Value elements, Value at, Value slot);
  llvm::SmallVector<Value> rowOffsets(const Rows &rows, int64_t row,
                                      llvm::ArrayRef<Value> offsets,
                                      llvm::ArrayRef<Value> zeroPoints);
  Value firstChannel(Value filter);
  Value startOf(Value row, Value firstOfBlock, Value group);
  MatrixEpilogueEmitter::Place placeOf(Value firstRow, int64_t count,
                                       Value filter, Value column,
                                       int64_t pitch);
  Value loadUnit(Value elements, Value at);
  void fillBand(Value first, Value last);
  void gatherRow(Value row, Value to, Value group);
  void copyPlane(Value image, Value ih, Value iw, Value to, Value group);
  void copyWindow(Value image, Value ih, Value iw, Value to, Value group);
  void copyClippedWindow(Value image, Value ih, Value iw, Value to,
                         Value group);
  void panel(const Rows &rows, Value group, Value panel, unsigned vectors);
  void forColumnsOf(Value panel, unsigned vectors,
                    llvm::function_ref<void(int64_t)> f);
  llvm::SmallVector<Value> sums(const Rows &rows, unsigned vectors,
                                MatrixWeights &weights,
                                llvm::ArrayRef<Value> initial);
  llvm::SmallVector<Value> lineSums(Value elements,
                                    llvm::ArrayRef<Value> starts,
                                    unsigned vectors, MatrixWeights &weights,
                                    Value firstUnit, Value loopNumber,
                                    mlir::ValueRange initial);
  void accumulate(llvm::SmallVectorImpl<Value> &sums,
                  llvm::ArrayRef<Value> activations, unsigned vectors,
                  MatrixWeights &panel, Value unit);
  Value broadcastUnit(Value scalar);
  Value unitOf(Value vector, unsigned unit);

  /// Of the activations.
  mlir::Type elementType() {
    if (m.factors == Factors::Float32)
      return c.b.getF32Type();
    if (m.factors == Factors::BF16)
      return c.b.getBF16Type();
    return c.b.getIntegerType(m.factors == Factors::Int8 ? 8 : 16);
  }
  mlir::VectorType bytesType() {
    return c.vectorType(c.b.getI8Type(), level.vectorBytes);
  }
  mlir::VectorType unitsType() {
    return c.vectorType(m.isInteger() ? mlir::Type(c.b.getI32Type())
                                      : mlir::Type(c.b.getF32Type()),
                        p.lanes);
  }
  unsigned sumsPerVector() const {
    return m.factors == Factors::Int8 ? level.micro->accumulatorsPerVector()
                                      : 1;
  }
  bool hasZeroPoints() const { return !m.zeroPoints.empty(); }
  /// Short rows are summed unit by unit, where the panel needs the sums; the
  /// others once per block, whose depth is a vector's or more. Zeros follow the
  /// depth of a gathered row only as long as no bits are flipped.
  bool sumsUnits() const {
    return p.units <= 16 && !(m.flip && p.depth % 4 != 0);
  }
  int64_t inChannels() const { return p.shape.c / p.shape.group; }

  CodeBuilder c;
  const MatrixPlan &p;
  const MatrixOperands &m;
  const TargetLevel &level;
  MatrixArguments args;
  Value scratch; ///< gathered rows or a band
  Value rowSums; ///< of the rows of a block, see sumsUnits()
  Value widened; ///< weights in float32, see MatrixPlan::widensPanels()
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_MATRIXKERNEL_H
