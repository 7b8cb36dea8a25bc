//===- ElementwiseOps.cpp - Functions of elements -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

//===----------------------------------------------------------------------===//
// UnaryOp
//===----------------------------------------------------------------------===//

QNN_INFER(UnaryOp) {
  return addResult(InferenceError(loc, getOperationName()), results,
                   shapeOf(adaptor.getInput()));
}

LogicalResult UnaryOp::verify() {
  Type in = elementType(getInput()), out = elementType(getResult());
  switch (getKind()) {
  case UnaryKind::Not:
    if (!in.isInteger(1) || !out.isInteger(1))
      return emitOpError("not needs i1, has ") << in << " and " << out;
    return success();
  case UnaryKind::IsNaN:
    if (!isa<FloatType>(in) || !out.isInteger(1))
      return emitOpError("is_nan gives i1 for a float, has ")
             << in << " and " << out;
    return success();
  case UnaryKind::Clamp:
    if (!(getAlpha().convertToFloat() <= getBeta().convertToFloat()))
      return emitOpError("clamp needs alpha <= beta, has ")
             << getAlpha().convertToFloat() << " and "
             << getBeta().convertToFloat();
    break;
  default:
    break;
  }
  if (isa<IntegerType>(in)) {
    switch (getKind()) {
    case UnaryKind::Identity:
    case UnaryKind::Relu:
    case UnaryKind::Clamp:
    case UnaryKind::Neg:
    case UnaryKind::Abs:
    case UnaryKind::Sign:
      break;
    default:
      return emitOpError(stringifyUnaryKind(getKind()))
             << " is not defined on " << in;
    }
  }
  // On quantized types, the table or the kernel also changes parameters.
  if (isQuantized(in) ? !isQuantized(out) && !isa<FloatType>(out) : in != out)
    return emitOpError("on ") << in << " cannot give " << out;
  return success();
}

SmallVector<unsigned> UnaryOp::getActivationOperands() { return {0}; }

bool UnaryOp::isQuantizable() {
  switch (getKind()) {
  // Steep or discontinuous: 8 bits of the operand lose the result.
  case UnaryKind::Exp:
  case UnaryKind::Log:
  case UnaryKind::Reciprocal:
  case UnaryKind::Sqrt:
  case UnaryKind::Sin:
  case UnaryKind::Cos:
  case UnaryKind::Tan:
  case UnaryKind::Asin:
  case UnaryKind::Acos:
  case UnaryKind::Floor:
  case UnaryKind::Ceil:
  case UnaryKind::Round:
  case UnaryKind::Sign:
  // Not functions from real to real.
  case UnaryKind::Not:
  case UnaryKind::IsNaN:
    return false;
  default:
    return !isa<IntegerType>(elementType(getInput()));
  }
}

std::optional<std::pair<double, double>> UnaryOp::getFixedResultRange() {
  switch (getKind()) {
  case UnaryKind::Sigmoid:
  case UnaryKind::HardSigmoid:
    return std::make_pair(0.0, 1.0);
  case UnaryKind::Tanh:
  case UnaryKind::Softsign:
  case UnaryKind::Erf:
    return std::make_pair(-1.0, 1.0);
  default:
    return std::nullopt;
  }
}

ScaleConstraint UnaryOp::getScaleConstraint() {
  if (getKind() == UnaryKind::Identity)
    return ScaleConstraint::SameScale;
  return getFixedResultRange() ? ScaleConstraint::Fixed
                               : ScaleConstraint::Independent;
}

//===----------------------------------------------------------------------===//
// BinaryOp
//===----------------------------------------------------------------------===//

static bool isComparison(BinaryKind kind) {
  return kind >= BinaryKind::Equal && kind <= BinaryKind::GreaterEqual;
}

QNN_INFER(BinaryOp) {
  InferenceError error(loc, getOperationName());
  auto shape = broadcast(shapeOf(adaptor.getLhs()), shapeOf(adaptor.getRhs()));
  if (!shape)
    return error(
        "operands do not broadcast: ", formatShape(shapeOf(adaptor.getLhs())),
        " and ", formatShape(shapeOf(adaptor.getRhs())));
  return addResult(error, results, *shape);
}

LogicalResult BinaryOp::verify() {
  Type lhs = elementType(getLhs()), rhs = elementType(getRhs());
  Type out = elementType(getResult());
  if (isQuantized(lhs) != isQuantized(rhs) || (!isQuantized(lhs) && lhs != rhs))
    return emitOpError("needs operands of one element type, or both quantized; "
                       "has ")
           << lhs << " and " << rhs;
  StringRef kind = stringifyBinaryKind(getKind());
  if (isComparison(getKind())) {
    if (!out.isInteger(1))
      return emitOpError(kind) << " gives i1, not " << out;
    if (getActivation())
      return emitOpError(kind) << " takes no activation";
    return success();
  }
  switch (getKind()) {
  case BinaryKind::And:
  case BinaryKind::Or:
  case BinaryKind::Xor:
    if (!isa<IntegerType>(lhs))
      return emitOpError(kind) << " needs integers, has " << lhs;
    break;
  case BinaryKind::ShiftLeft:
  case BinaryKind::ShiftRight:
    if (!lhs.isUnsignedInteger())
      return emitOpError(kind) << " needs unsigned integers, has " << lhs;
    break;
  default:
    if (lhs.isInteger(1))
      return emitOpError(kind) << " is not defined on i1";
    break;
  }
  if (isa<IntegerType>(lhs) && getActivation())
    return emitOpError("takes no activation on integers");
  if (isQuantized(lhs) ? !isQuantized(out) && !isa<FloatType>(out) : lhs != out)
    return emitOpError("on ") << lhs << " cannot give " << out;
  return success();
}

SmallVector<unsigned> BinaryOp::getActivationOperands() { return {0, 1}; }

bool BinaryOp::isQuantizable() {
  if (isa<IntegerType>(elementType(getLhs())))
    return false;
  switch (getKind()) {
  case BinaryKind::Add:
  case BinaryKind::Sub:
  case BinaryKind::Mul:
  case BinaryKind::Min:
  case BinaryKind::Max:
  case BinaryKind::PRelu:
    return true;
  default:
    return false;
  }
}

ScaleConstraint BinaryOp::getScaleConstraint() {
  return getKind() == BinaryKind::Min || getKind() == BinaryKind::Max
             ? ScaleConstraint::SameScale
             : ScaleConstraint::Independent;
}

//===----------------------------------------------------------------------===//
// SelectOp
//===----------------------------------------------------------------------===//

QNN_INFER(SelectOp) {
  InferenceError error(loc, getOperationName());
  auto shape =
      broadcast(shapeOf(adaptor.getOnTrue()), shapeOf(adaptor.getOnFalse()));
  if (shape)
    shape = broadcast(*shape, shapeOf(adaptor.getCondition()));
  if (!shape)
    return error("operands do not broadcast: ",
                 formatShape(shapeOf(adaptor.getCondition())), ", ",
                 formatShape(shapeOf(adaptor.getOnTrue())), " and ",
                 formatShape(shapeOf(adaptor.getOnFalse())));
  return addResult(error, results, *shape);
}

LogicalResult SelectOp::verify() {
  Type type = elementType(getOnTrue());
  if (elementType(getOnFalse()) != type || elementType(getResult()) != type)
    return emitOpError("needs one element type, has ")
           << type << ", " << elementType(getOnFalse()) << " and "
           << elementType(getResult());
  return success();
}

//===----------------------------------------------------------------------===//
// LutOp
//===----------------------------------------------------------------------===//

QNN_INFER(LutOp) {
  return addResult(InferenceError(loc, getOperationName()), results,
                   shapeOf(adaptor.getInput()));
}

LogicalResult LutOp::verify() {
  Type in = getStorageType(elementType(getInput()));
  Type out = getStorageType(elementType(getResult()));
  auto table = dyn_cast<RankedTensorType>(getTable().getType());
  if (!in.isInteger(8))
    return emitOpError("needs an 8-bit input, has ") << in;
  if (!out.isInteger(8) && !isa<FloatType>(out))
    return emitOpError("gives 8-bit integers or floats, not ") << out;
  if (!table || table.getShape() != ArrayRef<int64_t>{256})
    return emitOpError("needs a table of 256 entries, has ")
           << getTable().getType();
  if (table.getElementType() != out)
    return emitOpError("needs a table of ")
           << out << ", has " << table.getElementType();
  return success();
}
