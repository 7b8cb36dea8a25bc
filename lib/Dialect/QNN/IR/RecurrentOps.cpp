//===- RecurrentOps.cpp - Recurrent layers --------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

LogicalResult RecurrenceOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> weights = shapeOf(adaptor.getWeights());
  int64_t gates = getNumGates(adaptor.getKind());
  if (input.size() != 3)
    return error("has an input of shape ", formatShape(input),
                 ", expected steps x sequences x gates*hidden");
  if (weights.size() != 2 || weights[0] != gates * weights[1])
    return error("has weights of shape ", formatShape(weights), ", expected ",
                 gates, "*hidden x hidden");
  int64_t steps = input[0], sequences = input[1], hidden = weights[1];
  if (input[2] != weights[0])
    return error("has weights of shape ", formatShape(weights),
                 " for an input of shape ", formatShape(input));
  auto check = [&](Value operand, StringRef what, ArrayRef<int64_t> shape) {
    if (operand && shapeOf(operand) != shape)
      return error("has ", what, " of shape ", formatShape(shapeOf(operand)),
                   ", expected ", formatShape(shape));
    return LogicalResult(success());
  };
  if (failed(check(adaptor.getBias(), "a bias", {hidden})) ||
      failed(check(adaptor.getInitialState(), "an initial state",
                   {sequences, hidden})) ||
      failed(check(adaptor.getInitialCell(), "an initial cell",
                   {sequences, hidden})) ||
      failed(check(adaptor.getPeepholes(), "peepholes", {3 * hidden})) ||
      failed(check(adaptor.getLengths(), "lengths", {sequences})))
    return failure();
  if (failed(addResult(error, results, {steps, sequences, hidden})) ||
      failed(addResult(error, results, {sequences, hidden})))
    return failure();
  if (adaptor.getKind() != RecurrenceKind::Lstm)
    return success();
  return addResult(error, results, {sequences, hidden});
}

LogicalResult RecurrenceOp::verify() {
  bool isLstm = getKind() == RecurrenceKind::Lstm;
  bool isGru = getKind() == RecurrenceKind::Gru;
  size_t functions = isLstm ? 3 : isGru ? 2 : 1;
  if (getActivations().size() != functions)
    return emitOpError("needs ")
           << functions << " activations, has " << getActivations().size();
  if ((getInitialCell() || getPeepholes() || getCoupled()) && !isLstm)
    return emitOpError("has a cell, peepholes or coupled gates, which only an "
                       "lstm has");
  if ((getLinearBeforeReset() && !isGru) ||
      (getBias() && !getLinearBeforeReset()))
    return emitOpError("has a bias or linear_before_reset, which only a gru "
                       "has, the bias only with linear_before_reset");
  if (getClip() && !(getClip()->convertToFloat() > 0))
    return emitOpError("needs a positive clip");
  Type element = elementType(getInput());
  for (Value value : getOperands())
    if (value != getWeights() && value != getLengths() &&
        elementType(value) != element)
      return emitOpError("has operands of ")
             << element << " and " << elementType(value);
  for (Value result : getResults())
    if (elementType(result) != element)
      return emitOpError("on ")
             << element << " cannot give " << elementType(result);
  if (getLengths() && !elementType(getLengths()).isSignlessInteger(32))
    return emitOpError("needs lengths of i32, has ")
           << elementType(getLengths());
  Type weight = elementType(getWeights());
  if (!isQuantized(weight)) {
    // Weights may be stored in fewer bits than what they meet.
    bool isNarrow = element.isF32() && (weight.isF16() || weight.isBF16());
    if (weight != element && !isNarrow)
      return emitOpError("has weights of ") << weight << " for " << element;
    return success();
  }
  if (!element.isF32())
    return emitOpError("computes on f32 where its weights are quantized, not ")
           << element;
  if (storageWidth(weight) != 8)
    return emitOpError("needs 8-bit weights, has ") << weight;
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(weight);
  if (perAxis && perAxis.getQuantizedDimension() != 0)
    return emitOpError("needs weights quantized per tensor or along axis 0");
  return verifyPerAxis(*this, tensorType(getWeights()));
}
