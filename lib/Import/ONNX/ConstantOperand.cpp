//===- ConstantOperand.cpp - Operands that must be constant ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantOperand.h"

#include "qcc/Dialect/QNN/IR/Evaluate.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace qcc::qnn;

/// The ops that compute `value` from constants, operands first; empty where one
/// depends on something else.
static SmallVector<Operation *> listProducers(Value value) {
  SmallVector<Operation *> order;
  llvm::DenseSet<Operation *> seen;
  // Each with the operands that have been looked at. No recursion: the depth is
  // the model's.
  SmallVector<std::pair<Operation *, unsigned>> path;
  auto enter = [&](Value v) {
    Operation *op = v.getDefiningOp();
    if (!op || !isa<QNNDialect>(op->getDialect()) || op->getNumResults() != 1)
      return false;
    if (seen.insert(op).second)
      path.push_back({op, 0});
    return true;
  };
  if (!enter(value))
    return {};
  while (!path.empty()) {
    auto &[op, next] = path.back();
    if (next == op->getNumOperands()) {
      order.push_back(op);
      path.pop_back();
    } else if (!enter(op->getOperand(next++))) {
      return {};
    }
  }
  return order;
}

static Attribute evaluateOne(Operation *op, ArrayRef<Attribute> operands) {
  if (auto constant = dyn_cast<ConstantOp>(op))
    return constant.getValue();
  // Both sides are stored alike.
  if (isa<StorageCastOp>(op))
    return operands[0];
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return reshapeElements(
        cast<ElementsAttr>(operands[0]),
        cast<ShapedType>(reshape.getResult().getType()).getShape());
  return evaluate(op, operands);
}

Value qcc::import::foldConstant(OpBuilder &builder, Value value) {
  if (!value || value.getDefiningOp<ConstantOp>())
    return value;
  llvm::DenseMap<Value, Attribute> known;
  for (Operation *op : listProducers(value)) {
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands())
      operands.push_back(known.lookup(operand));
    Attribute result = evaluateOne(op, operands);
    if (!result)
      return value;
    known[op->getResult(0)] = result;
  }
  auto elements = cast_or_null<ElementsAttr>(known.lookup(value));
  if (!elements)
    return value;
  return ConstantOp::create(builder, value.getLoc(), value.getType(), elements);
}
