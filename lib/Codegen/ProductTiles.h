//===- ProductTiles.h - Rows times packed panels ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_PRODUCTTILES_H
#define QCC_LIB_CODEGEN_PRODUCTTILES_H

#include "Product.h"
#include "TileSums.h"

namespace qcc {

/// Emits the tiles of a product, in vector registers or a matrix unit's, for a
/// block of its rows, and hands the sums on.
class ProductTiles {
public:
  using Value = mlir::Value;

  /// `arePadded`: rows on the left are whole numbers of units, whatever the
  /// depth is. `holds`: what is done with sums is long; unrolled over all sums
  /// of a tile it would take every register.
  ProductTiles(reference::LoopBuilder &b, const Product &p,
               const TargetLevel &level, bool arePadded, bool holds);

  /// Flat buffers: what packRhs() made, and those of zero points that are known
  /// at run time.
  void setRhs(Value packed, Value columnSums, Value lhsZero, Value rhsZero);
  /// The block is the row tiles [firstTile, lastTile); its first row begins at
  /// element `start` of the flat buffer `lhs`.
  void beginBlock(Value lhs, Value start, int64_t pitch, Value firstTile,
                  Value lastTile);

  /// Gets the sums (with isInt16 the integers) of row `slot` + `offset` of the
  /// block, vectors of columns from `column` on, the first `valid` of which
  /// there are.
  using Store =
      llvm::function_ref<void(mlir::ValueRange sums, int64_t valid, Value slot,
                              int64_t offset, Value column)>;
  /// All rows of the block with one panel of a matrix.
  void multiply(Value rhsMatrix, Value panel, Store store);
  /// The end of the kernel; one for all products that it has.
  void end() {
    if (tileSums)
      tileSums->release();
  }

private:
  /// The rows that a register tile works on.
  struct Rows {
    int64_t count;
    Value at;   ///< unit where the first one starts
    Value tile; ///< number of the register tile in its column of them
    Value slot; ///< of the first one in the block
  };
  /// The columns that it works on.
  struct Columns {
    Value first;
    unsigned vectors;
    int64_t valid;
  };

  unsigned sumsPerVector() const {
    return p.isInteger ? level.micro->accumulatorsPerVector() : 1;
  }
  mlir::VectorType bytesType() {
    return c.vectorType(b.getI8Type(), level.vectorBytes);
  }
  mlir::VectorType unitsType() {
    return c.vectorType(p.isInteger || p.isInt16 ? mlir::Type(b.getI32Type())
                                                 : mlir::Type(b.getF32Type()),
                        p.lanes);
  }
  Value zeroPoint(const ZeroPoint &zero, Value buffer);
  Value broadcast(Value scalar) {
    return mlir::vector::BroadcastOp::create(
        b, c.vectorType(scalar.getType(), p.lanes), scalar);
  }
  /// Whether the panels are read one after the other from memory far away.
  bool streamsWeights() const {
    return p.panelsOuter && p.panels() > 1 &&
           p.rhs.tensor.getDefiningOp<qnn::ConstantOp>();
  }
  void registerTile(const Rows &rows, const Columns &columns, Value rhsMatrix,
                    Store store);
  void multiplyTiles(const Columns &columns, Value rhsMatrix, Store store);
  Value weightsOf(const Columns &columns, Value rhsMatrix);
  llvm::SmallVector<Value> offsetsOf(const Columns &columns, Value rhsMatrix);
  llvm::SmallVector<Value> finish(mlir::ValueRange sums,
                                  mlir::ValueRange offsets, Value slot);
  llvm::SmallVector<Value> sums(const Rows &rows, unsigned vectors,
                                Value weights, llvm::ArrayRef<Value> initial);
  void accumulate(llvm::SmallVectorImpl<Value> &sums,
                  llvm::ArrayRef<Value> activations, unsigned vectors,
                  Value weightsAt);

  reference::LoopBuilder &b;
  CodeBuilder c;
  const Product &p;
  const TargetLevel &level;
  Value packed, columnSums, lhsZero, rhsZero;
  Value copied, rowSums, held;
  std::optional<TileSums> tileSums;
  // The block.
  Value firstTile, lastTile, units, start;
  int64_t pitch = 0;       ///< in units
  TileSums::Block onTiles; ///< the same for a matrix unit
};

/// Where a row tile begins, or the last one ends.
mlir::Value firstRowOf(CodeBuilder &c, const Product &p, mlir::Value rowTile);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_PRODUCTTILES_H
