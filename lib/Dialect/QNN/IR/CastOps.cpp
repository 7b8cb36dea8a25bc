//===- CastOps.cpp - Constants and conversions ----------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

/// The operand's shape as the result's: all ops here are elementwise.
template <typename OpTy>
static LogicalResult
inferSameShape(std::optional<Location> loc, Value input,
               SmallVectorImpl<ShapedTypeComponents> &results) {
  return addResult(InferenceError(loc, OpTy::getOperationName()), results,
                   shapeOf(input));
}

/// Scales must be positive and finite, and a per-axis type must fit the shape.
static LogicalResult verifyQuantParams(Operation *op, RankedTensorType type) {
  Type element = type.getElementType();
  auto badScale = [](double scale) {
    return !std::isfinite(float(scale)) || !(float(scale) > 0);
  };
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(element)) {
    if (badScale(uniform.getScale()))
      return op->emitOpError("needs a positive finite float32 scale, has ")
             << element;
    return success();
  }
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element);
  if (!perAxis)
    return op->emitOpError("needs a type quantized per tensor or per axis, "
                           "has ")
           << element;
  if (failed(verifyPerAxis(op, type)))
    return failure();
  if (llvm::any_of(perAxis.getScales(), badScale))
    return op->emitOpError("needs positive finite float32 scales");
  return success();
}

//===----------------------------------------------------------------------===//
// ConstantOp
//===----------------------------------------------------------------------===//

void ConstantOp::getAsmResultNames(
    function_ref<void(Value, StringRef)> setName) {
  setName(getResult(), "cst");
}

LogicalResult ConstantOp::verify() {
  RankedTensorType type = tensorType(getResult());
  auto stored = dyn_cast<RankedTensorType>(getValue().getType());
  if (!type.hasStaticShape())
    return emitOpError("needs a static shape, has ") << type;
  if (failed(checkExtents(InferenceError(getLoc(), getOperationName()),
                          type.getShape())))
    return failure();
  if (!stored || stored.getShape() != type.getShape())
    return emitOpError("holds ") << getValue().getType() << " as " << type;
  if (stored.getElementType() != getStorageType(type.getElementType()))
    return emitOpError("needs storage elements ")
           << getStorageType(type.getElementType()) << " for " << type
           << ", has " << stored.getElementType();
  if (getDType(type.getElementType()) == DType::Undefined)
    return emitOpError("has an unsupported element type: ")
           << type.getElementType();
  if (isQuantized(type.getElementType()) &&
      failed(verifyQuantParams(*this, type)))
    return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Conversions with known parameters
//===----------------------------------------------------------------------===//

LogicalResult QuantizeOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  return inferSameShape<QuantizeOp>(loc, adaptor.getInput(), results);
}

LogicalResult QuantizeOp::verify() {
  return verifyQuantParams(*this, tensorType(getResult()));
}

LogicalResult DequantizeOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  return inferSameShape<DequantizeOp>(loc, adaptor.getInput(), results);
}

LogicalResult DequantizeOp::verify() {
  return verifyQuantParams(*this, tensorType(getInput()));
}

LogicalResult RequantizeOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  return inferSameShape<RequantizeOp>(loc, adaptor.getInput(), results);
}

LogicalResult RequantizeOp::verify() {
  if (failed(verifyQuantParams(*this, tensorType(getInput()))))
    return failure();
  return verifyQuantParams(*this, tensorType(getResult()));
}

LogicalResult StorageCastOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  return inferSameShape<StorageCastOp>(loc, adaptor.getInput(), results);
}

LogicalResult StorageCastOp::verify() {
  RankedTensorType in = tensorType(getInput()), out = tensorType(getResult());
  bool quantizes = isQuantized(out.getElementType());
  if (isQuantized(in.getElementType()) == quantizes)
    return emitOpError("needs one quantized and one integer type, has ")
           << in.getElementType() << " and " << out.getElementType();
  RankedTensorType quantized = quantizes ? out : in;
  RankedTensorType plain = quantizes ? in : out;
  Type storage = getStorageType(quantized.getElementType());
  if (plain.getElementType() != storage)
    return emitOpError("needs the storage type ")
           << storage << " of " << quantized.getElementType() << ", has "
           << plain.getElementType();
  return verifyQuantParams(*this, quantized);
}

LogicalResult CastOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  return inferSameShape<CastOp>(loc, adaptor.getInput(), results);
}

LogicalResult CastOp::verify() {
  for (Type type : {elementType(getInput()), elementType(getResult())})
    if (isQuantized(type))
      return emitOpError("converts plain numbers, not ")
             << type << "; use quantize, dequantize or requantize";
  return success();
}

//===----------------------------------------------------------------------===//
// Conversions with parameters computed at run time
//===----------------------------------------------------------------------===//

LogicalResult DynamicQuantizeOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  InferenceError error(loc, getOperationName());
  if (failed(addResult(error, results, shapeOf(adaptor.getInput()))) ||
      failed(addResult(error, results, {})))
    return failure();
  return addResult(error, results, {});
}

LogicalResult DynamicQuantizeOp::verify() {
  if (!elementType(getResult()).isUnsignedInteger(8) ||
      !elementType(getZeroPoint()).isUnsignedInteger(8))
    return emitOpError("gives ui8 data and a ui8 zero point, not ")
           << elementType(getResult()) << " and "
           << elementType(getZeroPoint());
  if (elementType(getScale()) != elementType(getInput()))
    return emitOpError("gives a scale of the input's type ")
           << elementType(getInput()) << ", not " << elementType(getScale());
  return success();
}

LogicalResult DynamicDequantizeOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  InferenceError error(loc, getOperationName());
  auto shape =
      broadcast(shapeOf(adaptor.getInput()), shapeOf(adaptor.getScale()));
  if (shape && adaptor.getZeroPoint())
    shape = broadcast(*shape, shapeOf(adaptor.getZeroPoint()));
  if (!shape)
    return error("has a scale or zero point that does not broadcast to ",
                 formatShape(shapeOf(adaptor.getInput())));
  return addResult(error, results, *shape);
}

LogicalResult DynamicDequantizeOp::verify() {
  if (elementType(getResult()) != elementType(getScale()))
    return emitOpError("gives the scale's type ")
           << elementType(getScale()) << ", not " << elementType(getResult());
  if (getZeroPoint() && elementType(getZeroPoint()) != elementType(getInput()))
    return emitOpError("needs a zero point of the input's type ")
           << elementType(getInput()) << ", has "
           << elementType(getZeroPoint());
  return success();
}

LogicalResult ObserveOp::verify() {
  if (getInput().getType() != getResult().getType())
    return emitOpError("needs equal types, has ")
           << getInput().getType() << " and " << getResult().getType();
  if (getId().empty())
    return emitOpError("needs a non-empty id");
  return success();
}
