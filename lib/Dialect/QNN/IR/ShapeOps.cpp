//===- ShapeOps.cpp - Ops that move elements ------------------------------===//
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
// ReshapeOp
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  RankedTensorType in = tensorType(getInput()), out = tensorType(getResult());
  InferenceError error(getLoc(), getOperationName());
  if (!in.hasStaticShape() || !out.hasStaticShape())
    return emitOpError("needs static shapes, has ")
           << in << " and " << out
           << "; bind the shapes of the graph's inputs first";
  if (failed(checkExtents(error, in.getShape())) ||
      failed(checkExtents(error, out.getShape())))
    return failure();
  if (in.getNumElements() != out.getNumElements())
    return emitOpError("cannot make ") << formatShape(out.getShape()) << " of "
                                       << formatShape(in.getShape());
  if (failed(verifyPerAxis(*this, in)) || failed(verifyPerAxis(*this, out)))
    return failure();
  if (isa<quant::UniformQuantizedPerAxisType>(in.getElementType()) &&
      isa<quant::UniformQuantizedPerAxisType>(out.getElementType())) {
    // The quantized dimension may move with the reshape.
    auto a = cast<quant::UniformQuantizedPerAxisType>(in.getElementType());
    auto b = cast<quant::UniformQuantizedPerAxisType>(out.getElementType());
    if (a.getScales() == b.getScales() &&
        a.getZeroPoints() == b.getZeroPoints() &&
        a.getStorageType() == b.getStorageType() &&
        a.isSigned() == b.isSigned())
      return success();
  }
  return verifySameElementType(*this);
}

SmallVector<unsigned> ReshapeOp::getActivationOperands() { return {0}; }
ScaleConstraint ReshapeOp::getScaleConstraint() {
  return ScaleConstraint::SameScale;
}

//===----------------------------------------------------------------------===//
// TransposeOp
//===----------------------------------------------------------------------===//

QNN_INFER(TransposeOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  if (permutation.size() != input.size())
    return error("needs a permutation of ", input.size(), " dimensions, has ",
                 permutation.size());
  SmallVector<bool> seen(input.size(), false);
  Shape result;
  for (int64_t d : permutation) {
    if (d < 0 || d >= int64_t(input.size()) || seen[d])
      return error("has no permutation of ", input.size(), " dimensions");
    seen[d] = true;
    result.push_back(input[d]);
  }
  return addResult(error, results, result);
}

LogicalResult TransposeOp::verify() {
  auto in =
      dyn_cast<quant::UniformQuantizedPerAxisType>(elementType(getInput()));
  auto out =
      dyn_cast<quant::UniformQuantizedPerAxisType>(elementType(getResult()));
  if (!in || !out)
    return verifySameElementType(*this);
  // The quantized dimension moves with the permutation.
  auto moved = quant::UniformQuantizedPerAxisType::get(
      in.getFlags(), in.getStorageType(), in.getExpressedType(), in.getScales(),
      in.getZeroPoints(), out.getQuantizedDimension(), in.getStorageTypeMin(),
      in.getStorageTypeMax());
  int64_t dim = out.getQuantizedDimension();
  ArrayRef<int64_t> permutation = getPermutation();
  if (moved != out || dim < 0 || dim >= int64_t(permutation.size()) ||
      permutation[dim] != in.getQuantizedDimension())
    return emitOpError("moves the quantized dimension of ")
           << in << " elsewhere than " << out;
  return success();
}

SmallVector<unsigned> TransposeOp::getActivationOperands() { return {0}; }
ScaleConstraint TransposeOp::getScaleConstraint() {
  return ScaleConstraint::SameScale;
}

//===----------------------------------------------------------------------===//
// ConcatOp
//===----------------------------------------------------------------------===//

QNN_INFER(ConcatOp) {
  InferenceError error(loc, getOperationName());
  if (adaptor.getInputs().empty())
    return error("needs at least one input");
  Shape result(shapeOf(adaptor.getInputs().front()));
  int64_t axis = adaptor.getAxis();
  if (axis < 0 || axis >= int64_t(result.size()))
    return error("has axis ", axis, ", beyond a tensor of rank ",
                 result.size());
  for (Value input : adaptor.getInputs().drop_front()) {
    ArrayRef<int64_t> shape = shapeOf(input);
    bool compatible = shape.size() == result.size();
    for (int64_t d = 0; compatible && d < int64_t(shape.size()); ++d)
      compatible = d == axis || shape[d] == result[d];
    if (!compatible)
      return error("cannot join ", formatShape(result), " and ",
                   formatShape(shape), " along dimension ", axis);
    result[axis] += shape[axis];
    if (result[axis] > kMaxElements)
      return error("gives a tensor of more than 2^40 elements");
  }
  return addResult(error, results, result);
}

LogicalResult ConcatOp::verify() { return verifySameElementType(*this); }

SmallVector<unsigned> ConcatOp::getActivationOperands() {
  return llvm::to_vector(llvm::seq<unsigned>(0, getNumOperands()));
}
ScaleConstraint ConcatOp::getScaleConstraint() {
  return ScaleConstraint::SameScale;
}

//===----------------------------------------------------------------------===//
// SliceOp
//===----------------------------------------------------------------------===//

QNN_INFER(SliceOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> starts = adaptor.getStarts(), sizes = adaptor.getSizes();
  ArrayRef<int64_t> steps = adaptor.getSteps();
  if (starts.size() != input.size() || sizes.size() != input.size() ||
      steps.size() != input.size())
    return error("needs ", input.size(), " starts, sizes and steps");
  for (size_t d = 0; d < input.size(); ++d) {
    if (sizes[d] < 0 || sizes[d] > input[d])
      return error("takes ", sizes[d], " elements of ", input[d],
                   " along dimension ", d);
    if (steps[d] == 0)
      return error("has a step of 0 along dimension ", d);
    if (sizes[d] == 0)
      continue;
    bool inside = starts[d] >= 0 && starts[d] < input[d];
    if (inside && sizes[d] > 1) {
      inside = allWithin(steps[d], -input[d], input[d]);
      int64_t last = inside ? starts[d] + (sizes[d] - 1) * steps[d] : -1;
      inside = last >= 0 && last < input[d];
    }
    if (!inside)
      return error("leaves the tensor along dimension ", d);
  }
  return addResult(error, results, sizes);
}

LogicalResult SliceOp::verify() { return verifySameElementType(*this); }
SmallVector<unsigned> SliceOp::getActivationOperands() { return {0}; }
ScaleConstraint SliceOp::getScaleConstraint() {
  return ScaleConstraint::SameScale;
}

//===----------------------------------------------------------------------===//
// PadOp
//===----------------------------------------------------------------------===//

QNN_INFER(PadOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> pads = adaptor.getPads();
  size_t rank = input.size();
  if (pads.size() != 2 * rank)
    return error("needs ", 2 * rank, " pads (begins, then ends), has ",
                 pads.size());
  if (!allWithin(pads, -kMaxElements, kMaxElements))
    return error("needs pads within 2^40");
  Shape result(input);
  for (size_t d = 0; d < rank; ++d) {
    int64_t begin = pads[d], end = pads[d + rank];
    result[d] += begin + end;
    if (result[d] < 0)
      return error("removes more than there is along dimension ", d);
    // What the other modes repeat is what negative pads leave.
    int64_t kept =
        input[d] + std::min<int64_t>(begin, 0) + std::min<int64_t>(end, 0);
    int64_t most = std::max(begin, end);
    if (adaptor.getMode() == PadMode::Constant) {
      if (kept < 0)
        return error("removes more than there is along dimension ", d);
    } else if (most > 0 && kept < 1) {
      return error("has nothing to repeat along dimension ", d);
    } else if (adaptor.getMode() == PadMode::Reflect && most >= kept &&
               most > 0) {
      return error("reflects ", most, " elements of ", kept,
                   " along dimension ", d);
    }
  }
  return addResult(error, results, result);
}

LogicalResult PadOp::verify() { return verifySameElementType(*this); }
SmallVector<unsigned> PadOp::getActivationOperands() { return {0}; }
ScaleConstraint PadOp::getScaleConstraint() {
  return ScaleConstraint::SameScale;
}

//===----------------------------------------------------------------------===//
// ExpandOp
//===----------------------------------------------------------------------===//

QNN_INFER(ExpandOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> shape = adaptor.getShape();
  auto result = broadcast(shape, input);
  if (!result || ArrayRef<int64_t>(*result) != shape)
    return error("cannot broadcast ", formatShape(input), " to ",
                 formatShape(shape));
  return addResult(error, results, shape);
}

LogicalResult ExpandOp::verify() { return verifySameElementType(*this); }
SmallVector<unsigned> ExpandOp::getActivationOperands() { return {0}; }
ScaleConstraint ExpandOp::getScaleConstraint() {
  return ScaleConstraint::SameScale;
}

//===----------------------------------------------------------------------===//
// GatherOp
//===----------------------------------------------------------------------===//

QNN_INFER(GatherOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> indices = shapeOf(adaptor.getIndices());
  int64_t axis = adaptor.getAxis();
  if (axis < 0 || axis >= int64_t(input.size()))
    return error("has axis ", axis, ", beyond a tensor of rank ", input.size());
  if (input[axis] == 0 && !llvm::is_contained(indices, 0))
    return error("takes elements of an empty dimension");
  Shape result(input.take_front(axis));
  llvm::append_range(result, indices);
  llvm::append_range(result, input.drop_front(axis + 1));
  return addResult(error, results, result);
}

LogicalResult GatherOp::verify() {
  Type index = elementType(getIndices());
  if (!index.isSignlessInteger(32) && !index.isSignlessInteger(64))
    return emitOpError("needs i32 or i64 indices, has ") << index;
  if (elementType(getResult()) != elementType(getInput()))
    return emitOpError("keeps the element type ")
           << elementType(getInput()) << ", but the result has "
           << elementType(getResult());
  return success();
}
SmallVector<unsigned> GatherOp::getActivationOperands() { return {0}; }
ScaleConstraint GatherOp::getScaleConstraint() {
  return ScaleConstraint::SameScale;
}

//===----------------------------------------------------------------------===//
// ResizeOp
//===----------------------------------------------------------------------===//

QNN_INFER(ResizeOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  if (adaptor.getSizes().size() != input.size() ||
      adaptor.getScales().size() != input.size())
    return error("needs ", input.size(), " sizes and scales");
  for (auto [d, scale] : llvm::enumerate(adaptor.getScales())) {
    if (!std::isfinite(scale) || !(scale > 0))
      return error("needs positive finite scales");
    if (input[d] == 0 && adaptor.getSizes()[d] != 0)
      return error("has nothing to interpolate along dimension ", d);
  }
  return addResult(error, results, adaptor.getSizes());
}

LogicalResult ResizeOp::verify() {
  Type in = elementType(getInput()), out = elementType(getResult());
  if (getMode() == ResizeMode::Nearest || !isQuantized(in))
    return verifySameElementType(*this);
  if (!isa<FloatType>(out) && !isa<quant::UniformQuantizedType>(out))
    return emitOpError("on ") << in << " cannot give " << out;
  return success();
}
SmallVector<unsigned> ResizeOp::getActivationOperands() { return {0}; }
ScaleConstraint ResizeOp::getScaleConstraint() {
  return getMode() == ResizeMode::Nearest ? ScaleConstraint::SameScale
                                          : ScaleConstraint::Independent;
}
