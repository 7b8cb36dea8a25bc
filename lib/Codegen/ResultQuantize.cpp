//===- ResultQuantize.cpp - Quantization behind a kernel ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ResultQuantize.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

QuantizeOp qcc::findResultQuantize(Operation *op) {
  Value result = op->getResult(0);
  if (!result.hasOneUse() || !tensorTypeOf(result).getElementType().isF32())
    return {};
  auto quantize = dyn_cast<QuantizeOp>(*result.user_begin());
  return quantize && getIntActivationType(quantize.getResult()) ? quantize
                                                                : QuantizeOp();
}

Requantize qcc::quantizeResult(QuantizeOp quantize,
                               const FloatActivation &activation) {
  Requantize requantize = *Requantize::get(
      getIntActivationType(quantize.getResult()), ActivationAttr());
  requantize.activation = activation;
  return requantize;
}

/// As the conversion knows it.
static constexpr StringLiteral takenOver = "qcc.taken_over";

void qcc::takeOver(Operation *op) {
  op->setDiscardableAttr(takenOver, UnitAttr::get(op->getContext()));
}

bool qcc::isTakenOver(Operation *op) { return op->hasAttr(takenOver); }
