//===- BlockWeights.h - Weights quantized in blocks -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_IR_BLOCKWEIGHTS_H
#define QCC_DIALECT_QNN_IR_BLOCKWEIGHTS_H

#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"

#include "mlir/IR/Builders.h"

#include <vector>

namespace qcc::qnn {

/// The weights of a qnn.block_matmul while a pass makes or reads them: columns
/// of `depth` unsigned integers of `bits` bits, one scale and zero point for
/// each `block` of them.
struct BlockWeights {
  BlockWeights(int64_t columns, int64_t depth, int64_t block, int64_t bits);
  /// Those of an op whose weights, scales and zero points are constant.
  static std::optional<BlockWeights> get(BlockMatmulOp op);

  int64_t columns, depth, block, bits;
  std::vector<char> packed;      ///< as the op has them
  std::vector<float> scales;     ///< [column][block]
  std::vector<float> zeroPoints; ///< the same; empty: all middle()

  int64_t blocks() const { return (depth + block - 1) / block; }
  int64_t blockBytes() const { return block * bits / 8; }
  int64_t middle() const { return int64_t(1) << (bits - 1); }
  int64_t largest() const { return (int64_t(1) << bits) - 1; }
  size_t blockOf(int64_t column, int64_t k) const {
    return size_t(column * blocks() + k / block);
  }
  int64_t get(int64_t column, int64_t k) const;
  /// Sets a weight that is 0 so far.
  void set(int64_t column, int64_t k, int64_t q);
};

/// input [..., depth] times the weights.
mlir::Value createBlockMatmul(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::Value input, const BlockWeights &weights,
                              bool int8Input);

/// What `op` does with its product: bias, residual and activation behind
/// `value`, which stands for the product.
mlir::Value createEpilogue(mlir::OpBuilder &builder, MatmulOp op,
                           mlir::Value value);

} // namespace qcc::qnn

#endif // QCC_DIALECT_QNN_IR_BLOCKWEIGHTS_H
