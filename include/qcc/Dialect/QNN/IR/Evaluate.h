//===- Evaluate.h - Values of ops on constants ------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the folders compute with: shape arithmetic of imported graphs, small
// parameters, and (with a larger limit) the movement of weights.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_IR_EVALUATE_H
#define QCC_DIALECT_QNN_IR_EVALUATE_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

namespace qcc::qnn {

/// Tensors of more elements are left to qnn-fold-constants.
constexpr int64_t kMaxFoldElements = 4096;

/// The value of the single result of `op` on constant `operands` (null where
/// an operand is not constant), as storage elements of the result's type. Null
/// when an operand is missing, when a tensor has more than `maxElements`
/// elements, or when the op is not one that can be computed here.
mlir::ElementsAttr evaluate(mlir::Operation *op,
                            llvm::ArrayRef<mlir::Attribute> operands,
                            int64_t maxElements = kMaxFoldElements);

/// `qnn.unary` on one number, in double precision.
double evaluateUnary(UnaryKind kind, double x, double alpha, double beta);

/// `attr` under another shape, without copying a resource.
mlir::ElementsAttr reshapeElements(mlir::ElementsAttr attr,
                                   llvm::ArrayRef<int64_t> shape);

} // namespace qcc::qnn

#endif // QCC_DIALECT_QNN_IR_EVALUATE_H
