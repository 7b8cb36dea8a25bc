//===- LayoutSweep.h - Dimension orders during qnn-assign-layout ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DIALECT_QNN_TRANSFORMS_LAYOUTSWEEP_H
#define QCC_LIB_DIALECT_QNN_TRANSFORMS_LAYOUTSWEEP_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

namespace qcc::qnn {

/// An order of dimensions: dimension i of the stored tensor is dimension
/// order[i] of the tensor that it stands for.
using Order = llvm::SmallVector<int64_t, 6>;

Order identityOrder(int64_t rank);
/// N, spatial..., C
Order channelsLastOrder(int64_t rank);
bool isIdentity(llvm::ArrayRef<int64_t> order);
/// Where `order` puts dimension `dim`.
int64_t positionOf(llvm::ArrayRef<int64_t> order, int64_t dim);

/// `values[order[0]], values[order[1]], ...`
template <typename T>
llvm::SmallVector<T> permuted(llvm::ArrayRef<T> values,
                              llvm::ArrayRef<int64_t> order) {
  llvm::SmallVector<T> result;
  for (int64_t dim : order)
    result.push_back(values[dim]);
  return result;
}

/// All begins, then all ends of a padding, with the dimensions in `order`.
llvm::SmallVector<int64_t> permutedPads(llvm::ArrayRef<int64_t> pads,
                                        llvm::ArrayRef<int64_t> order);

/// Whether `op` works on images and does so channels-first.
bool isChannelsFirst(mlir::Operation *op);

/// Which tensors are stored in which order, and the tensors so stored.
///
/// Values of the original graph ("logical" ones) stand for themselves until
/// `place` says where they are stored instead; `get` brings one into a wanted
/// order, by a transpose where needed. Transposes are thus made as late as
/// possible, and only where someone wants another order.
class LayoutSweep {
public:
  explicit LayoutSweep(mlir::MLIRContext *context) : builder(context) {}

  /// The order in which `logical` is stored.
  Order orderOf(mlir::Value logical);
  bool isReordered(mlir::Value logical) {
    return !isIdentity(orderOf(logical));
  }
  /// The stored tensor, whatever its order.
  mlir::Value stored(mlir::Value logical);
  /// `logical` stored in `order`.
  mlir::Value get(mlir::Value logical, llvm::ArrayRef<int64_t> order);
  /// `logical` in `order` of the rank of a tensor against which it broadcasts.
  mlir::Value getBroadcast(mlir::Value logical, llvm::ArrayRef<int64_t> order);
  /// Records that `tensor` stores `logical` in `order`.
  void place(mlir::Value logical, mlir::Value tensor,
             llvm::ArrayRef<int64_t> order);

  /// Rewrites `op` to work on tensors as they are stored and places its
  /// results; false where it needs the original order.
  bool convert(mlir::Operation *op);

private:
  mlir::Value permute(mlir::Value tensor, llvm::ArrayRef<int64_t> permutation);
  mlir::Operation *cloneReordered(mlir::Operation *op,
                                  llvm::ArrayRef<int64_t> order);

  bool convertSpatial(mlir::Operation *op);
  bool convertElementwise(mlir::Operation *op);
  bool convertBroadcasting(mlir::Operation *op);
  bool convertMovement(mlir::Operation *op);
  bool convertAxis(mlir::Operation *op);
  bool convertReduction(mlir::Operation *op);
  bool convertTranspose(TransposeOp op);
  bool convertReshape(ReshapeOp op);
  bool convertMatmulOfReshape(MatmulOp op);

  struct Stored {
    mlir::Value tensor;
    Order order;
  };
  mlir::OpBuilder builder;
  llvm::DenseMap<mlir::Value, Stored> placed;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Stored, 1>> reordered;
};

} // namespace qcc::qnn

#endif // QCC_LIB_DIALECT_QNN_TRANSFORMS_LAYOUTSWEEP_H
