//===- OperationCount.cpp - Multiply-accumulates of an op -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OperationCount.h"

#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;

static ShapedType shaped(Value value) {
  return cast<ShapedType>(value.getType());
}

/// Elements of `filter` per element of its dimension 0.
static int64_t perFirst(Value filter) {
  int64_t product = 1;
  for (int64_t extent : shaped(filter).getShape().drop_front())
    product *= extent;
  return product;
}

static int64_t depth(Value lhs, bool transposed) {
  ArrayRef<int64_t> shape = shaped(lhs).getShape();
  return transposed ? shape[shape.size() - 2] : shape.back();
}

int64_t qcc::countMultiplyAccumulates(Operation *op) {
  auto results = [&] { return shaped(op->getResult(0)).getNumElements(); };
  return llvm::TypeSwitch<Operation *, int64_t>(op)
      .Case<qnn::ConvOp, qnn::ConvIntegerOp>(
          [&](auto conv) { return results() * perFirst(conv.getFilter()); })
      .Case([&](qnn::ConvTransposeOp conv) {
        return shaped(conv.getInput()).getNumElements() *
               perFirst(conv.getFilter());
      })
      .Case([&](qnn::MatmulOp matmul) {
        return results() * depth(matmul.getLhs(), matmul.getTransposeLhs());
      })
      .Case([&](qnn::MatmulIntegerOp matmul) {
        return results() * depth(matmul.getLhs(), false);
      })
      .Case([&](qnn::BlockMatmulOp matmul) {
        return results() * matmul.getDepth();
      })
      .Default([](Operation *) { return 0; });
}

void qcc::noteOperationCount(Operation *call, Operation *op) {
  noteOperationCount(call, op, countMultiplyAccumulates(op));
}

void qcc::noteOperationCount(Operation *call, Operation *op, int64_t macs) {
  if (macs == 0)
    return;
  constexpr StringLiteral number = "qcc.macs", integer = "qcc.integer_macs";
  Builder builder(op->getContext());
  bool isInteger = !isa<FloatType>(getElementTypeOrSelf(op->getOperand(0)));
  if (auto others = call->getAttrOfType<IntegerAttr>(number)) {
    macs += others.getInt();
    isInteger &= call->hasAttr(integer);
    call->removeAttr(integer);
  }
  call->setAttr(number, builder.getI64IntegerAttr(macs));
  if (isInteger)
    call->setAttr(integer, builder.getUnitAttr());
}
