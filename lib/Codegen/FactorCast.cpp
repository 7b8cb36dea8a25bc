//===- FactorCast.cpp - Rounding of factors to bf16 -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FactorCast.h"
#include "../Conversion/QNNToKernels/LoopBuilder.h"

#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Target/TileKernels.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Whether all users of `value` multiply it.
static bool isFactor(Value value) {
  return llvm::all_of(value.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<ReshapeOp>(user))
      return isFactor(user->getResult(0));
    return isa<ConvOp, MatmulOp>(user) && use.getOperandNumber() == 0 &&
           tensorTypeOf(user->getResult(0)).getElementType().isF32();
  });
}

bool qcc::isFactorCast(CastOp cast) {
  return tensorTypeOf(cast.getInput()).getElementType().isF32() &&
         tensorTypeOf(cast.getResult()).getElementType().isBF16() &&
         isFactor(cast.getResult());
}

CastOp qcc::findFactorCast(Operation *op) {
  Value result = op->getResult(0);
  auto cast =
      result.hasOneUse() ? dyn_cast<CastOp>(*result.user_begin()) : CastOp();
  // Where tensors are kept, the result is wanted as well.
  return cast && isFactorCast(cast) &&
                 !op->getParentOfType<ModuleOp>()->hasAttr(kKeepTensorsAttr)
             ? cast
             : CastOp();
}

Value qcc::roundToFactor(CodeBuilder &c, const TargetLevel &level,
                         Value value) {
  if (level.tiles)
    return level.tiles->roundToBF16(c.b, c.loc, value);
  reference::LoopBuilder b(c.b, c.loc, level);
  return b.narrow(value, b.getBF16Type());
}
