//===- ByteSum.cpp - 8-bit additions --------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteSum.h"
#include "ResultQuantize.h"

#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

std::optional<ByteSum> ByteSum::get(BinaryOp op) {
  auto lhs = getActivationType(op.getLhs()),
       rhs = getActivationType(op.getRhs()),
       out = getActivationType(op.getResult());
  BinaryKind kind = op.getKind();
  if (!lhs || !rhs || !out ||
      (kind != BinaryKind::Add && kind != BinaryKind::Sub))
    return std::nullopt;
  std::optional<Requantize> requantize =
      Requantize::get(out, op.getActivationAttr());
  if (!requantize || !requantize->isDirect())
    return std::nullopt;
  float scale = getQuantParams(out).scale;
  ByteSum sum{
      {getQuantParams(lhs).scale / scale, getQuantParams(rhs).scale / scale},
      *requantize};
  if (!std::isfinite(sum.factors[0]) || !std::isfinite(sum.factors[1]))
    return std::nullopt;
  sum.requantize.setBound(256.0 *
                          (double(sum.factors[0]) + double(sum.factors[1])));
  return sum;
}

/// `value`, or the only view of it in another type.
static Value followStorageCasts(Value value) {
  while (value.hasOneUse()) {
    auto cast = dyn_cast<StorageCastOp>(*value.user_begin());
    if (!cast)
      break;
    value = cast.getResult();
  }
  return value;
}

Value qcc::skipStorageCasts(Value value) {
  while (auto cast = value.getDefiningOp<StorageCastOp>())
    value = cast.getInput();
  return value;
}

unsigned qcc::operandOf(BinaryOp sum, Value term) {
  return sum.getRhs() == followStorageCasts(term);
}

BinaryOp qcc::findResultSum(Operation *product, Value term) {
  Value view = followStorageCasts(term);
  if (!view.hasOneUse() ||
      product->getParentOfType<ModuleOp>()->hasAttr(kKeepTensorsAttr))
    return {};
  auto sum = dyn_cast<BinaryOp>(*view.user_begin());
  if (!sum || sum.getKind() != BinaryKind::Add || !ByteSum::get(sum) ||
      isTakenOver(sum) || sum->getBlock() != product->getBlock())
    return {};
  Value other = skipStorageCasts(sum->getOperand(1 - operandOf(sum, term)));
  Operation *producer = other.getDefiningOp();
  int64_t elements = tensorTypeOf(sum.getResult()).getNumElements();
  return tensorTypeOf(term).getNumElements() == elements &&
                 tensorTypeOf(other).getNumElements() == elements &&
                 (!producer || producer->isBeforeInBlock(product))
             ? sum
             : BinaryOp();
}
