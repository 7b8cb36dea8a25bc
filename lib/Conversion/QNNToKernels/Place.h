//===- Place.h - Tensors that stand in buffers of others -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CONVERSION_QNNTOKERNELS_PLACE_H
#define QCC_CONVERSION_QNNTOKERNELS_PLACE_H

#include "LoopBuilder.h"

namespace qcc::reference {

/// Of a concatenation: which operands are computed in place.
constexpr llvm::StringLiteral kPlacedAttr = "qcc.placed";

/// Where the elements of a tensor are stored, in the buffer of another one.
struct Place {
  mlir::Value tensor;
  llvm::SmallVector<int64_t> strides;
  int64_t offset = 0;

  /// Of the operand of a move.
  static Place ofSource(mlir::Value tensor);
  /// Of the result of a move.
  static Place ofResult(mlir::Value tensor);

  void slice(qnn::SliceOp op);
  /// From the operand's dimensions to those of the result.
  void transpose(qnn::TransposeOp op);
  void transposeBack(qnn::TransposeOp op);
};

/// A tensor that is cut into slices of which one is concatenated again, where
/// it stood, with tensors that are computed from the others: it can be stored
/// in the place of the concatenation. That is then written over the rest. Null
/// where this does not hold.
qnn::ConcatOp findHolder(mlir::Value tensor);

/// Has the kernels of slices and of the concatenation expect the tensor in that
/// place; its own kernel, which is called next, stores it there. Nothing where
/// it has a buffer of its own and where its rows (the last dimension) would not
/// be contiguous.
std::optional<Place> holdInConcat(mlir::Value tensor, KernelEmitter &emitter);
/// Whether a concatenation holds a tensor, so that no other may be stored in it
/// before the concatenation itself.
bool holdsTensor(qnn::ConcatOp concat);

} // namespace qcc::reference

#endif // QCC_CONVERSION_QNNTOKERNELS_PLACE_H
