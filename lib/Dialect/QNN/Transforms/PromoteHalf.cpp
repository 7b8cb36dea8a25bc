//===- PromoteHalf.cpp - Half-precision models in float32 -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_PROMOTEHALF
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// The type in float32 of a tensor of f16 or bf16; null for others.
static RankedTensorType promoted(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor ||
      !(tensor.getElementType().isF16() || tensor.getElementType().isBF16()))
    return {};
  return tensor.clone(Float32Type::get(type.getContext()));
}

/// Gives the users of `half` its value in float32.
static void promoteUses(OpBuilder &b, Value half) {
  Value wide = CastOp::create(b, half.getLoc(), promoted(half.getType()), half);
  half.replaceAllUsesExcept(wide, wide.getDefiningOp());
}

static void promoteFunction(FunctionOpInterface function) {
  Region &body = function.getFunctionBody();
  if (body.empty())
    return;
  OpBuilder b(function.getContext());
  SmallVector<CastOp> casts;
  SmallVector<Value> boundary; // what keeps its type
  for (Value argument : body.getArguments())
    if (promoted(argument.getType()))
      boundary.push_back(argument);
  body.walk([&](Operation *op) {
    for (Value result : op->getResults()) {
      RankedTensorType type = promoted(result.getType());
      if (!type)
        continue;
      // A conversion to 16 bits rounds, as the model asks.
      if (isa<ConstantOp, CastOp>(op))
        boundary.push_back(result);
      else
        result.setType(type);
    }
    for (Region &region : op->getRegions())
      for (Value argument : region.getArguments())
        if (RankedTensorType type = promoted(argument.getType()))
          argument.setType(type);
  });
  for (Value value : boundary) {
    b.setInsertionPointAfterValue(value);
    promoteUses(b, value);
  }
  for (Operation &op : body.front())
    if (isa<func::ReturnOp>(op))
      for (auto [operand, type] :
           llvm::zip_equal(op.getOpOperands(), function.getResultTypes()))
        if (operand.get().getType() != type) {
          b.setInsertionPoint(&op);
          operand.set(
              CastOp::create(b, operand.get().getLoc(), type, operand.get()));
        }
  // What converted to float32 has nothing left to do.
  body.walk([](CastOp cast) {
    if (cast.getInput().getType() == cast.getResult().getType()) {
      cast.replaceAllUsesWith(cast.getInput());
      cast.erase();
    }
  });
}

namespace {
struct PromoteHalf : qcc::qnn::impl::PromoteHalfBase<PromoteHalf> {
  void runOnOperation() override { getOperation()->walk(promoteFunction); }
};
} // namespace
