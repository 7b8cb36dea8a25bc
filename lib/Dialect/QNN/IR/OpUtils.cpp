//===- OpUtils.cpp - Shape and type checks shared by the ops --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

unsigned qcc::qnn::detail::storageWidth(Type type) {
  return cast<quant::QuantizedType>(type).getStorageTypeIntegralWidth();
}

std::string qcc::qnn::detail::formatShape(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  return llvm::join(llvm::map_range(shape,
                                    [](int64_t d) {
                                      return ShapedType::isDynamic(d)
                                                 ? std::string("?")
                                                 : std::to_string(d);
                                    }),
                    "x");
}

LogicalResult qcc::qnn::detail::checkExtents(const InferenceError &error,
                                             ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t d : shape) {
    if (d < 0)
      return error("gives a negative extent: ", formatShape(shape));
    // A zero extent must not hide the overflow of the others.
    int64_t factor = std::max<int64_t>(d, 1);
    if (factor > kMaxElements / count)
      return error("gives a tensor of more than 2^40 elements: ",
                   formatShape(shape));
    count *= factor;
  }
  return success();
}

std::optional<Shape> qcc::qnn::detail::broadcast(ArrayRef<int64_t> lhs,
                                                 ArrayRef<int64_t> rhs) {
  if (lhs.size() < rhs.size())
    std::swap(lhs, rhs);
  Shape result(lhs);
  for (auto [i, extent] : llvm::enumerate(llvm::reverse(rhs))) {
    int64_t &out = result[result.size() - 1 - i];
    if (out == 1)
      out = extent;
    else if (extent != 1 && extent != out)
      return std::nullopt;
  }
  return result;
}

bool qcc::qnn::detail::allWithin(ArrayRef<int64_t> values, int64_t low,
                                 int64_t high) {
  return llvm::all_of(values, [&](int64_t v) { return v >= low && v <= high; });
}

LogicalResult
qcc::qnn::detail::addResult(const InferenceError &error,
                            SmallVectorImpl<ShapedTypeComponents> &results,
                            ArrayRef<int64_t> shape) {
  if (failed(checkExtents(error, shape)))
    return failure();
  results.emplace_back(shape);
  return success();
}

LogicalResult qcc::qnn::detail::checkWindow(const InferenceError &error,
                                            int64_t spatial,
                                            ArrayRef<int64_t> kernel,
                                            ArrayRef<int64_t> strides,
                                            ArrayRef<int64_t> dilations,
                                            ArrayRef<int64_t> pads) {
  if (spatial < 1 || spatial > 3)
    return error("needs 1, 2 or 3 spatial dimensions, has ", spatial);
  auto size = [](ArrayRef<int64_t> a) { return int64_t(a.size()); };
  if (size(kernel) != spatial)
    return error("needs ", spatial, " kernel extents, has ", kernel.size());
  if (size(strides) != spatial)
    return error("needs ", spatial, " strides, has ", strides.size());
  if (size(dilations) != spatial)
    return error("needs ", spatial, " dilations, has ", dilations.size());
  if (size(pads) != 2 * spatial)
    return error("needs ", 2 * spatial, " pads (begins, then ends), has ",
                 pads.size());
  if (!allWithin(kernel, 1, kMaxExtent))
    return error("needs kernel extents in [1, 2^31)");
  if (!allWithin(strides, 1, kMaxExtent))
    return error("needs strides in [1, 2^31)");
  if (!allWithin(dilations, 1, kMaxExtent))
    return error("needs dilations in [1, 2^31)");
  if (!allWithin(pads, 0, kMaxExtent))
    return error("needs pads in [0, 2^31)");
  return success();
}

LogicalResult qcc::qnn::detail::verifyPerAxis(Operation *op,
                                              RankedTensorType type) {
  auto perAxis =
      dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
  if (!perAxis)
    return success();
  int64_t axis = perAxis.getQuantizedDimension();
  if (axis < 0 || axis >= type.getRank() ||
      type.getDimSize(axis) != int64_t(perAxis.getScales().size()))
    return op->emitOpError("has ")
           << perAxis.getScales().size() << " scales along dimension " << axis
           << " of " << formatShape(type.getShape());
  return success();
}

LogicalResult qcc::qnn::detail::verifySameElementType(Operation *op) {
  Type expected = elementType(op->getOperand(0));
  for (Value v : op->getOperands())
    if (elementType(v) != expected)
      return op->emitOpError("needs operands of one element type, has ")
             << expected << " and " << elementType(v);
  for (Value v : op->getResults())
    if (elementType(v) != expected)
      return op->emitOpError("keeps the element type ")
             << expected << ", but the result has " << elementType(v);
  return success();
}

LogicalResult qcc::qnn::detail::verifyContraction(Operation *op, Value input,
                                                  Value weight, Value bias,
                                                  Value residual,
                                                  int64_t weightAxis,
                                                  bool hasActivation) {
  Type in = elementType(input), w = elementType(weight);
  Type out = elementType(op->getResult(0));
  if (isa<FloatType>(in)) {
    // Weights may be stored in fewer bits than what they meet; factors of bf16
    // may have sums of f32.
    bool isNarrow = in.isF32() && (w.isF16() || w.isBF16());
    Type sum = in.isBF16() && w.isBF16() && out.isF32() ? out : in;
    for (OpOperand &operand : op->getOpOperands()) {
      // The same value may be a bias or residual, too.
      bool isWeight = operand.getOperandNumber() == 1;
      bool isFactor = operand.getOperandNumber() <= 1;
      Type type = elementType(operand.get());
      if (type != (isFactor ? in : sum) && !(isNarrow && isWeight))
        return op->emitOpError("needs operands of one float type, has ")
               << (isFactor ? in : sum) << " and " << type;
    }
    if (out != sum)
      return op->emitOpError("on ") << in << " gives " << in << ", not " << out;
    return success();
  }
  if (!isQuantized(in) || !isQuantized(w))
    return op->emitOpError("needs float operands, or quantized ones; has ")
           << in << " and " << w;
  if (!isa<quant::UniformQuantizedType>(in) || storageWidth(in) > 16)
    return op->emitOpError("needs an input quantized per tensor to at most 16 "
                           "bits, has ")
           << in;
  if (storageWidth(w) > std::max(storageWidth(in), 8u))
    return op->emitOpError("needs weights of at most 8 bits, or of as many as "
                           "its input, has ")
           << w;
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(w)) {
    if (perAxis.getQuantizedDimension() != weightAxis)
      return op->emitOpError("needs weights quantized per tensor or along "
                             "dimension ")
             << weightAxis << ", has dimension "
             << perAxis.getQuantizedDimension();
  } else if (!isa<quant::UniformQuantizedType>(w)) {
    return op->emitOpError("needs weights quantized per tensor or per axis, "
                           "has ")
           << w;
  }
  if (bias) {
    Type b = elementType(bias);
    bool isSum = isQuantized(out) && storageWidth(out) == 32;
    if (!(b.isF32() && !isSum) && (!isQuantized(b) || storageWidth(b) != 32))
      return op->emitOpError("on quantized types needs a bias quantized to 32 "
                             "bits, or of f32 where the result is no sum; has ")
             << b;
  }
  if (residual) {
    Type r = elementType(residual);
    if (!isa<FloatType>(r) && !isa<quant::UniformQuantizedType>(r))
      return op->emitOpError("needs a float residual or one quantized per "
                             "tensor, has ")
             << r;
  }
  if (isa<FloatType>(out))
    return success();
  if (!isQuantized(out) || (storageWidth(out) > 16 && storageWidth(out) != 32))
    return op->emitOpError("on quantized types gives a float, or a result "
                           "quantized to 8, 16 or 32 bits, not ")
           << out;
  if (storageWidth(out) == 32) {
    if (hasActivation || residual)
      return op->emitOpError("with a 32-bit result takes no activation and no "
                             "residual");
  } else if (!isa<quant::UniformQuantizedType>(out)) {
    return op->emitOpError("needs a result quantized per tensor, has ") << out;
  }
  return success();
}
