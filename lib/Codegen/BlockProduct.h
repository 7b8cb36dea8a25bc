//===- BlockProduct.h - Products with weights in blocks ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// qnn.block_matmul: weights of 2, 4 or 8 bits with a scale per block. They are
// packed into panels of up to 64 columns, so that a tile of the kernel, which
// computes one panel, reads one contiguous stream:
//
//   packed[panel][block]{ scale[column], zero point[column],
//                         weights[step][column][4] }
//
// A unit is four neighbours along the depth of a column, as in MatrixPlan.h;
// a step is the `perByte` units whose weights share bytes, the first in the
// lowest bits.
//
// A few rows take the weights apart in registers. For more rows, a chunk of the
// panel is brought to the stack as whole bytes (or floats) first, once for all
// rows of the tile.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_BLOCKPRODUCT_H
#define QCC_LIB_CODEGEN_BLOCKPRODUCT_H

#include "CodeBuilder.h"
#include "ElementwiseChain.h"

#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

#include "llvm/Support/MathExtras.h"

namespace qcc {

struct BlockProduct {
  static constexpr int64_t groupColumns = 16, panelColumns = 64;
  enum class ZeroPoints { Middle, Bytes, Floats };

  mlir::Operation *op;
  mlir::Value input, weights, scales, zeroPoints;
  ZeroPoints zeros = ZeroPoints::Middle;
  bool isInteger;    ///< the input is quantized
  bool flipsWeights; ///< the upper bit, where the dot product wants it
  int64_t rows, columns, depth, blocks, block, bits;

  // Blocks in packed form; zeros follow the weights of a block.
  int64_t perByte, steps;
  int64_t scaleBytes; ///< 2 where all scales are bfloat16 numbers, or 4
  int64_t paddedBlock() const { return steps * perByte * 4; }
  int64_t zeroBytes() const {
    return zeros == ZeroPoints::Middle ? 0 : zeros == ZeroPoints::Bytes ? 1 : 4;
  }
  /// Bytes of a block per column.
  int64_t columnBytes() const { return scaleBytes + zeroBytes() + 4 * steps; }
  int64_t paddedColumns() const {
    return int64_t(llvm::alignTo(columns, groupColumns));
  }
  int64_t panels() const { return llvm::divideCeil(columns, panelColumns); }
  int64_t panelBytes() const { return panelColumns * blocks * columnBytes(); }
  int64_t packedBytes() const {
    return paddedColumns() * blocks * columnBytes();
  }

  // How the rows are cut, as in Product.
  int64_t tileRows, longTiles, rowTiles, blockTiles, rowBlocks;
  bool unpacks;        ///< weights go to the stack
  int64_t chunkBlocks; ///< that are unpacked at once
  int64_t tiles() const { return panels() * rowBlocks; }
  /// Vectors of columns in a register tile, where a panel has `width` columns.
  unsigned vectorsFor(int64_t width, const TargetLevel &level) const;

  /// Nothing for other ops and where the kernel does not apply.
  static std::optional<BlockProduct> match(mlir::Operation *op,
                                           const TargetLevel &level);
  std::string key() const;

private:
  void cut(const TargetLevel &level);
};

/// The packed weights as bytes.
mlir::Value packBlocks(const BlockProduct &product, KernelEmitter &emitter);

/// The input in 8 bits, [row][block][paddedBlock()], with the scale and the sum
/// of each block.
struct BlockInput {
  mlir::Value integers, scales, sums;
};
BlockInput quantizeBlocks(const BlockProduct &product, KernelEmitter &emitter);

llvm::LogicalResult emitBlockProduct(const BlockProduct &product,
                                     const ElementwiseChain &chain,
                                     KernelEmitter &emitter);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_BLOCKPRODUCT_H
