//===- EvaluateDetail.h - Parts of the evaluator ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DIALECT_QNN_IR_EVALUATEDETAIL_H
#define QCC_LIB_DIALECT_QNN_IR_EVALUATEDETAIL_H

#include "OpUtils.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "llvm/ADT/STLExtras.h"

namespace qcc::qnn::detail {

/// A constant operand.
struct Constant {
  mlir::RankedTensorType type; ///< the operand's, maybe quantized
  ConstantBytes data;
  llvm::ArrayRef<int64_t> shape() const { return type.getShape(); }
};

/// Bytes of one element in ConstantBytes.
size_t elementWidth(mlir::Type elementType);

/// Distances of neighbours along each dimension of a dense tensor.
Shape denseStrides(llvm::ArrayRef<int64_t> shape);
/// The same for a tensor broadcast to `to`: 0 along repeated dimensions.
Shape broadcastStrides(llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<int64_t> to);

/// Calls `visit` with the offset in each operand for each element of `shape`,
/// row-major. `strides[k]` are those of operand k.
template <size_t N, typename Visit>
void forEachIndex(llvm::ArrayRef<int64_t> shape,
                  const std::array<Shape, N> &strides, Visit visit) {
  if (llvm::is_contained(shape, 0))
    return;
  std::array<int64_t, N> offset{};
  Shape index(shape.size(), 0);
  while (true) {
    visit(offset);
    int64_t d = int64_t(shape.size()) - 1;
    for (; d >= 0; --d) {
      for (size_t k = 0; k < N; ++k)
        offset[k] += strides[k][d];
      if (++index[d] < shape[d])
        break;
      for (size_t k = 0; k < N; ++k)
        offset[k] -= strides[k][d] * shape[d];
      index[d] = 0;
    }
    if (d < 0)
      return;
  }
}

/// The bytes of the result of an op that moves elements; nothing for others.
std::optional<std::vector<char>>
evaluateMovement(mlir::Operation *op, llvm::ArrayRef<Constant> operands);

/// The bytes of the result of an op that computes; nothing for others and
/// where the result is not defined.
std::optional<std::vector<char>>
evaluateArithmetic(mlir::Operation *op, llvm::ArrayRef<Constant> operands);

/// The bytes of the result of a quantize or dequantize of float32; nothing for
/// other ops.
std::optional<std::vector<char>>
evaluateQuantization(mlir::Operation *op, llvm::ArrayRef<Constant> operands);

} // namespace qcc::qnn::detail

#endif // QCC_LIB_DIALECT_QNN_IR_EVALUATEDETAIL_H
