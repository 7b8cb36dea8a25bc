//===- ExactSteps.h - Functions alike on all levels -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_EXACTSTEPS_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_EXACTSTEPS_H

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

namespace qcc {

/// On an op of the math dialect: its products and sums are fused on levels
/// without an instruction for that, too.
constexpr llvm::StringLiteral kExactAttr = "qcc.exact";

/// Marks the math ops that a builder creates while this lives: what they give
/// is about to become an integer.
class ExactSteps : mlir::OpBuilder::Listener {
public:
  explicit ExactSteps(mlir::OpBuilder &b) : b(b), previous(b.getListener()) {
    b.setListener(this);
  }
  ~ExactSteps() override { b.setListener(previous); }
  ExactSteps(const ExactSteps &) = delete;

private:
  void notifyOperationInserted(mlir::Operation *op,
                               mlir::OpBuilder::InsertPoint from) override {
    if (op->getName().getDialectNamespace() == "math")
      op->setAttr(kExactAttr, b.getUnitAttr());
    if (previous)
      previous->notifyOperationInserted(op, from);
  }

  mlir::OpBuilder &b;
  mlir::OpBuilder::Listener *previous;
};

} // namespace qcc

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_EXACTSTEPS_H
