//===- QNNOps.h - The qnn dialect -------------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_IR_QNNOPS_H
#define QCC_DIALECT_QNN_IR_QNNOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "qcc/Dialect/QNN/IR/QNNEnums.h.inc"
#include "qcc/Dialect/QNN/IR/QNNOpsDialect.h.inc"

namespace qcc::qnn {

/// How an op ties the quantization parameters of its result.
enum class ScaleConstraint {
  Independent, ///< Any: the op requantizes.
  SameScale,   ///< Result and activation operands share one scale.
  Fixed,       ///< Given by getFixedResultRange().
};

/// Infers the result shapes of `op` from its operands and attributes and sets
/// them, keeping the element types. Fails with a diagnostic at `op` when
/// operands and attributes contradict each other.
llvm::LogicalResult refineResultShapes(mlir::Operation *op);

namespace detail {
llvm::LogicalResult verifyInferredShape(mlir::Operation *op);
} // namespace detail

/// Op trait: declared result shapes must equal the inferred ones.
template <typename ConcreteOp>
class VerifyInferredShape
    : public mlir::OpTrait::TraitBase<ConcreteOp, VerifyInferredShape> {
public:
  static llvm::LogicalResult verifyTrait(mlir::Operation *op) {
    return detail::verifyInferredShape(op);
  }
};

} // namespace qcc::qnn

#include "qcc/Dialect/QNN/IR/QNNInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "qcc/Dialect/QNN/IR/QNNAttrs.h.inc"

#define GET_OP_CLASSES
#include "qcc/Dialect/QNN/IR/QNNOps.h.inc"

#endif // QCC_DIALECT_QNN_IR_QNNOPS_H
