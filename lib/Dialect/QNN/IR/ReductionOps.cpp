//===- ReductionOps.cpp - Pools, reductions, normalizations ---------------===//
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

static LogicalResult checkAxes(const InferenceError &error,
                               ArrayRef<int64_t> axes, int64_t rank) {
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if (failed(checkAxis(error, axis, rank)))
      return failure();
    if (i > 0 && axes[i - 1] >= axis)
      return error("needs sorted, unique axes");
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

template <typename Adaptor>
static LogicalResult inferPool(const InferenceError &error, Adaptor adaptor,
                               ArrayRef<int64_t> dilations,
                               SmallVectorImpl<ShapedTypeComponents> &results) {
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> kernel = adaptor.getKernel(), pads = adaptor.getPads();
  ArrayRef<int64_t> strides = adaptor.getStrides();
  int64_t spatialRank = int64_t(input.size()) - 2;
  if (failed(checkWindow(error, spatialRank, kernel, strides, dilations, pads)))
    return failure();
  if (!allWithin(input, 0, kMaxExtent))
    return error("needs extents below 2^31");
  int64_t first = adaptor.getLayout() == Layout::ChannelsLast ? 1 : 2;
  Shape result(input);
  for (int64_t i = 0; i < spatialRank; ++i) {
    int64_t in = input[first + i];
    int64_t padded = in + pads[i] + pads[i + spatialRank];
    int64_t window = (kernel[i] - 1) * dilations[i] + 1;
    if (window > padded)
      return error("has a window of ", window, " in a padded extent of ",
                   padded);
    int64_t slack = padded - window;
    int64_t out = slack / strides[i] + 1;
    // Rounded up, unless the last window would start in the end padding.
    if (adaptor.getCeilMode() && slack % strides[i] != 0 &&
        out * strides[i] < in + pads[i])
      ++out;
    result[first + i] = out;
  }
  return addResult(error, results, result);
}

QNN_INFER(MaxPoolOp) {
  return inferPool(InferenceError(loc, getOperationName()), adaptor,
                   adaptor.getDilations(), results);
}

LogicalResult MaxPoolOp::verify() { return verifySameElementType(*this); }
SmallVector<unsigned> MaxPoolOp::getActivationOperands() { return {0}; }
ScaleConstraint MaxPoolOp::getScaleConstraint() {
  return ScaleConstraint::SameScale;
}

QNN_INFER(AvgPoolOp) {
  return inferPool(InferenceError(loc, getOperationName()), adaptor,
                   adaptor.getDilations(), results);
}

/// Floats keep their type; quantized tensors are requantized or dequantized.
static LogicalResult verifyMeanTypes(Operation *op) {
  Type in = elementType(op->getOperand(0)), out = elementType(op->getResult(0));
  if (isQuantized(in)
          ? !isa<FloatType>(out) && !isa<quant::UniformQuantizedType>(out)
          : in != out)
    return op->emitOpError("on ") << in << " cannot give " << out;
  return success();
}

LogicalResult AvgPoolOp::verify() {
  if (isa<IntegerType>(elementType(getInput())))
    return emitOpError("is not defined on ") << elementType(getInput());
  return verifyMeanTypes(*this);
}
SmallVector<unsigned> AvgPoolOp::getActivationOperands() { return {0}; }
ScaleConstraint AvgPoolOp::getScaleConstraint() {
  return ScaleConstraint::Independent;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

QNN_INFER(ReduceOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> axes = adaptor.getAxes();
  if (failed(checkAxes(error, axes, input.size())))
    return failure();
  Shape result;
  for (auto [i, extent] : llvm::enumerate(input)) {
    if (!llvm::is_contained(axes, int64_t(i)))
      result.push_back(extent);
    else if (adaptor.getKeepdims())
      result.push_back(1);
  }
  return addResult(error, results, result);
}

LogicalResult ReduceOp::verify() {
  Type in = elementType(getInput());
  if (in.isInteger(1))
    return emitOpError("is not defined on i1");
  switch (getKind()) {
  case ReduceKind::Mean:
    return verifyMeanTypes(*this);
  case ReduceKind::Max:
  case ReduceKind::Min:
    return verifySameElementType(*this);
  default:
    if (isQuantized(in))
      return emitOpError(stringifyReduceKind(getKind()))
             << " is not defined on " << in;
    return verifySameElementType(*this);
  }
}

SmallVector<unsigned> ReduceOp::getActivationOperands() { return {0}; }
bool ReduceOp::isQuantizable() {
  if (isa<IntegerType>(elementType(getInput())))
    return false;
  return getKind() == ReduceKind::Mean || getKind() == ReduceKind::Max ||
         getKind() == ReduceKind::Min;
}
ScaleConstraint ReduceOp::getScaleConstraint() {
  return getKind() == ReduceKind::Max || getKind() == ReduceKind::Min
             ? ScaleConstraint::SameScale
             : ScaleConstraint::Independent;
}

QNN_INFER(ArgReduceOp) {
  InferenceError error(loc, getOperationName());
  Shape result(shapeOf(adaptor.getInput()));
  int64_t axis = adaptor.getAxis();
  if (failed(checkAxis(error, axis, result.size())))
    return failure();
  if (result[axis] == 0)
    return error("has no elements along axis ", axis);
  if (adaptor.getKeepdims())
    result[axis] = 1;
  else
    result.erase(result.begin() + axis);
  return addResult(error, results, result);
}

LogicalResult ArgReduceOp::verify() {
  Type out = elementType(getResult());
  if (!out.isSignlessInteger(64) && !out.isSignlessInteger(32))
    return emitOpError("gives i64 or i32, not ") << out;
  return success();
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

QNN_INFER(SoftmaxOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  if (failed(checkAxis(error, adaptor.getAxis(), input.size())))
    return failure();
  return addResult(error, results, input);
}

LogicalResult SoftmaxOp::verify() { return verifySameElementType(*this); }

QNN_INFER(BatchNormOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  if (failed(checkAxis(error, adaptor.getAxis(), input.size())))
    return failure();
  int64_t channels = input[adaptor.getAxis()];
  for (Value v : {adaptor.getScale(), adaptor.getShift(), adaptor.getMean(),
                  adaptor.getVariance()})
    if (shapeOf(v) != ArrayRef<int64_t>{channels})
      return error("needs parameters of ", channels, " elements, has ",
                   formatShape(shapeOf(v)));
  return addResult(error, results, input);
}

LogicalResult BatchNormOp::verify() {
  if (getEpsilon().isNegative() || !getEpsilon().isFinite())
    return emitOpError("needs a finite epsilon >= 0");
  return verifySameElementType(*this);
}

QNN_INFER(NormalizeOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  if (failed(checkAxes(error, adaptor.getAxes(), input.size())))
    return failure();
  return addResult(error, results, input);
}

LogicalResult NormalizeOp::verify() {
  if (getEpsilon().isNegative() || !getEpsilon().isFinite())
    return emitOpError("needs a finite epsilon >= 0");
  return verifySameElementType(*this);
}

QNN_INFER(LrnOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  if (failed(checkAxis(error, adaptor.getAxis(), input.size())))
    return failure();
  if (adaptor.getSize() < 1 || adaptor.getSize() > kMaxExtent)
    return error("needs a window size in [1, 2^31)");
  return addResult(error, results, input);
}

LogicalResult LrnOp::verify() { return verifySameElementType(*this); }
