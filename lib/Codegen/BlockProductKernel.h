//===- BlockProductKernel.h - The kernel of weights in blocks ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_BLOCKPRODUCTKERNEL_H
#define QCC_LIB_CODEGEN_BLOCKPRODUCTKERNEL_H

#include "BlockProduct.h"

namespace qcc {

/// Emits the kernel that multiplies. The sums of a tile stand on the stack
/// until its panel is done: [row][column of the panel].
class BlockProductKernel {
public:
  BlockProductKernel(reference::LoopBuilder &b, const BlockProduct &p,
                     const TargetLevel &level, const ElementwiseChain &chain)
      : b(b), c(b, b.getLoc()), p(p), level(level), chain(chain),
        lanes(level.lanes()) {}

  void emit(mlir::ValueRange args, mlir::Value begin, mlir::Value end);

private:
  /// What the code of a panel is specialised on, and where the panel is.
  struct Panel {
    int64_t width, valid; ///< columns
    unsigned vectors;     ///< of a register tile
    mlir::Value bytes;    ///< where it starts
    mlir::Value column;   ///< its first one
  };
  /// The rows of a register tile.
  struct Rows {
    int64_t count;
    mlir::Value first;
    mlir::Value slot; ///< of the first one on the stack
  };

  mlir::VectorType bytesType() {
    return c.vectorType(b.getI8Type(), level.vectorBytes);
  }
  mlir::VectorType type(mlir::Type element) {
    return c.vectorType(element, lanes);
  }
  mlir::Value broadcast(mlir::Value scalar) {
    return mlir::vector::BroadcastOp::create(b, type(scalar.getType()), scalar);
  }
  mlir::Value firstRowOf(mlir::Value rowTile);
  void panel(const Panel &panel, mlir::Value firstTile, mlir::Value lastTile);
  void registerTile(const Panel &panel, const Rows &rows,
                    mlir::Value firstBlock, mlir::Value lastBlock);
  /// Asks for weights that come soon: the processor's own prefetching stops at
  /// the end of a page.
  void prefetch(const Panel &panel, mlir::Value block);
  /// Calls body(column) for each register tile of the panel's columns.
  void forColumns(const Panel &panel,
                  llvm::function_ref<void(mlir::Value)> body);

  // Where the parts of a block are, in elements of the views.
  mlir::Value blockAt(const Panel &panel, mlir::Value block) {
    return c.add(panel.bytes, c.mul(block, panel.width * p.columnBytes()));
  }
  /// The scales of a vector of columns.
  mlir::Value loadScales(const Panel &panel, mlir::Value block,
                         mlir::Value column);
  mlir::Value weightsAt(const Panel &panel, mlir::Value block, mlir::Value step,
                        mlir::Value column) {
    mlir::Value first = c.add(blockAt(panel, block),
                              (p.scaleBytes + p.zeroBytes()) * panel.width);
    return c.add(first, c.add(c.mul(step, 4 * panel.width), c.mul(column, 4)));
  }
  /// The zero points of a vector of columns; null where they are the middle.
  mlir::Value zeroPoints(const Panel &panel, mlir::Value block,
                         mlir::Value column);

  // Integers.
  void integerBlock(const Panel &panel, const Rows &rows, mlir::Value block,
                    mlir::Value chunkBlock);
  /// The weights of one step as vectors of bytes, one per unit.
  llvm::SmallVector<mlir::Value> takeApart(mlir::Value bytes);
  void dot(llvm::MutableArrayRef<mlir::Value> sums, mlir::Value input,
           mlir::Value weights);
  void unpackBytes(const Panel &panel, mlir::Value block,
                   mlir::Value chunkBlock);

  // Floats.
  void floatBlocks(const Panel &panel, const Rows &rows, mlir::Value firstBlock,
                   mlir::Value lastBlock);
  /// Calls body(element of the step, its weight in each vector of columns) in
  /// ascending order of the elements.
  void forFloats(
      const Panel &panel, mlir::Value block, mlir::Value step,
      mlir::Value column, unsigned vectors, int64_t elements,
      llvm::function_ref<void(int64_t, llvm::ArrayRef<mlir::Value>)> body);
  void unpackFloats(const Panel &panel, mlir::Value block,
                    mlir::Value chunkBlock);
  void multiplyUnpacked(const Panel &panel, const Rows &rows,
                        mlir::Value firstBlock, mlir::Value lastBlock);
  void addProducts(llvm::MutableArrayRef<mlir::Value> sums, const Rows &rows,
                   mlir::Value element, llvm::ArrayRef<mlir::Value> weights);
  llvm::SmallVector<mlir::Value> loadSums(const Panel &panel, const Rows &rows,
                                          mlir::Value column);
  void storeSums(const Panel &panel, const Rows &rows, mlir::Value column,
                 mlir::ValueRange values);

  void storeRow(const Panel &panel, mlir::Value row, mlir::Value slot);

  reference::LoopBuilder &b;
  CodeBuilder c;
  const BlockProduct &p;
  const TargetLevel &level;
  const ElementwiseChain &chain;
  int64_t lanes;
  mlir::Value packed, packedWords, packedFloats, result;
  mlir::Value input, inputWords, inputScales, inputSums;
  mlir::Value sums, unpacked;
  llvm::SmallVector<mlir::Value> operands;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_BLOCKPRODUCTKERNEL_H
