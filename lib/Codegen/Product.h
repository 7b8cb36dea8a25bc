//===- Product.h - Matrix products of activations ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Batches of matrix products whose right-hand side is an activation, too, or
// whose zero points are known only at run time. The right-hand side is packed
// first, by a kernel of its own or, where it is constant, by the compiler:
//
//   packed[matrix][panel][unit][column of the panel][4 bytes]
//
// A unit is one float or four 8-bit values along the depth, as in MatrixPlan.h,
// or two floats that are rounded to 16 bits (Int16Factors.h).
//
// Levels with a matrix unit multiply bytes on its tiles where that pays, with
// the same panels and row tiles of TileCut::tileRows rows, of which the last
// may have fewer.
//
// Rows may stand anywhere: a transposition in front of a product or behind it
// that keeps rows contiguous is not stored, but read or written through.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_PRODUCT_H
#define QCC_LIB_CODEGEN_PRODUCT_H

#include "../Conversion/QNNToKernels/Place.h"
#include "Requantize.h"
#include "Starts.h"
#include "TileCut.h"

#include "qcc/Codegen/TileChoice.h"
#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

#include "llvm/Support/MathExtras.h"

namespace qcc {

/// A zero point as the dot product sees it: the flipped sign is included.
struct ZeroPoint {
  int64_t constant = 0;    ///< or what to add to the tensor's value
  mlir::Value tensor;      ///< one element, known at run time; null: none
  bool isUnsigned = false; ///< the tensor

  bool isZero() const { return !tensor && constant == 0; }
};

struct Product {
  mlir::Operation *op;
  /// Where both sides are read, and what is behind the product's chain written.
  reference::Place lhs, rhs, result;
  bool isInteger = false, rhsTransposed = false;
  /// Floats that are rounded to 16 bits; units are elements of buffers.
  bool isInt16 = false;
  bool lhsFlip = false, rhsFlip = false; ///< the upper bit of each byte
  bool lhsSigned = false; ///< on tiles: multiplied as they are, not flipped
  ZeroPoint lhsZero, rhsZero;

  // Extents of one product; its matrices by its number, and what is on the
  // right by its own. A pitch is the distance of rows.
  int64_t rows, columns, depth;
  Starts lhsStarts, resultStarts, rhsNumbers, rhsStarts;
  int64_t lhsPitch, rhsPitch, resultPitch;
  int64_t batches = 1, rhsMatrices = 1;

  /// Results are bytes, one multiplication and rounding away from the sums.
  std::optional<Requantize> requantize;
  float scale = 1;    ///< of the sums: to the real value, or to bytes
  bool isSum = false; ///< results are the sums themselves
  FloatActivation activation;

  // How it is cut.
  unsigned lanes, vectors, tailVectors;
  int64_t unitElements; ///< of a unit in buffers
  int64_t units, fullPanels;
  int64_t tileRows, longTiles, rowTiles; ///< as in MatrixPlan
  int64_t blockTiles, rowBlocks;         ///< row tiles of one tile
  bool panelsOuter;                      ///< a tile has one panel
  std::optional<TileCut> tiled;          ///< on tiles of a matrix unit

  /// Nothing for other ops and where the kernel does not apply.
  static std::optional<Product> match(mlir::Operation *op,
                                      const TargetLevel &level);
  /// Whether all that reads or writes the result of a transposition are kernels
  /// of products that do so where its operand stands.
  static bool isReadThrough(qnn::TransposeOp op, const TargetLevel &level);
  static bool isWrittenThrough(qnn::TransposeOp op, const TargetLevel &level);

  /// Rounds the factors of a product of floats to 16 bits; to be cut anew.
  void takeInt16();
  /// Counts the rows of each matrix on the left by themselves.
  void splitBatches() { setShape(/*joinsRows=*/false); }
  /// Cuts a product into register tiles, or where it pays and `mayTile` into
  /// those of a matrix unit, and blocks of them.
  void cut(const TargetLevel &level, bool mayTile = true);
  /// Tiles of at most so many rows each, as equal as can be.
  void cutRows(int64_t most);
  /// Tiles whose rows may be copied to the stack together; all where none are.
  int64_t mostCopiedTiles() const;

  int64_t panels() const { return fullPanels + (tailVectors != 0); }
  int64_t panelColumns() const { return int64_t(vectors) * lanes; }
  int64_t paddedColumns() const {
    return (fullPanels * vectors + tailVectors) * lanes;
  }
  int64_t matrixElements() const {
    return paddedColumns() * units * unitElements;
  }
  int64_t tiles() const {
    return batches * rowBlocks * (panelsOuter ? panels() : 1);
  }
  /// Rows whose depth is no whole number of units are copied to the stack.
  bool copiesRows() const { return depth % unitElements != 0; }
  int64_t rowPitch() const {
    return copiesRows() ? int64_t(llvm::alignTo(depth, 16)) : lhsPitch;
  }
  /// Sums of the columns are needed.
  bool hasColumnSums() const { return isInteger && !lhsZero.isZero(); }
  bool hasRowSums() const { return isInteger && !rhsZero.isZero(); }
  std::string key() const;
  /// What a choice of tiles is stored under, and what of one was taken.
  std::string tileKey() const;
  TileChoice taken() const;
  /// Calls emit(vectors, valid columns) for each kind of panel, in code that
  /// chooses by the number of the panel.
  void forPanel(CodeBuilder &c, mlir::Value panel,
                llvm::function_ref<void(unsigned, int64_t)> emit) const;

private:
  bool matchTypes(mlir::Operation *op, const TargetLevel &level);
  bool matchMatmul(qnn::MatmulOp op, const TargetLevel &level);
  bool matchInteger(qnn::MatmulIntegerOp op, const TargetLevel &level);
  bool matchOperands();
  bool canRead(mlir::OpOperand &use, const reference::Place &place) const;
  void findResult(const TargetLevel &level);
  void setShape(bool joinsRows);
  void cutColumns(RegisterTile tile, std::optional<unsigned> chosen);
  void cutBlocks(std::optional<bool> chosen);
  std::optional<TileCut> tilesThatPay() const;
  void setTiled(std::optional<TileCut> cut);
};

/// The packed right-hand side, and with hasColumnSums() for each padded column
/// of each matrix the sum of what it holds; with isInt16 its scale.
struct PackedRhs {
  mlir::Value elements, columnSums, columnScales;
};
PackedRhs packRhs(const Product &product, KernelEmitter &emitter);

/// A buffer of bytes under elements of 32 bits.
mlir::Value wordsOf(CodeBuilder &c, mlir::Value bytes);
/// A kernel argument as a 1-D memref.
mlir::Value flatten(CodeBuilder &c, mlir::Value buffer);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_PRODUCT_H
