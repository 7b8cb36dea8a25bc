//===- QuantTypes.cpp - Work with quantized tensor types ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using quant::UniformQuantizedPerAxisType;
using quant::UniformQuantizedType;

QuantParams qcc::qnn::getQuantParams(UniformQuantizedType type) {
  return {static_cast<float>(type.getScale()), type.getZeroPoint(),
          type.getStorageTypeMin(), type.getStorageTypeMax()};
}

UniformQuantizedType qcc::qnn::getActivationType(Value value) {
  auto type =
      dyn_cast<UniformQuantizedType>(tensorTypeOf(value).getElementType());
  if (type && type.getStorageTypeIntegralWidth() == 8)
    return type;
  return {};
}

UniformQuantizedType qcc::qnn::getIntActivationType(Value value) {
  auto type =
      dyn_cast<UniformQuantizedType>(tensorTypeOf(value).getElementType());
  if (type && (type.getStorageTypeIntegralWidth() == 8 ||
               type.getStorageTypeIntegralWidth() == 16))
    return type;
  return {};
}

/// Channels in whole 16 bytes or more than any vector holds, and windows whose
/// rows of taps fit on the stack at every level.
static bool hasInt16DepthwiseKernel(ConvOp op) {
  constexpr int64_t mostTaps = 11, mostColumns = 32, mostStride = 4;
  ArrayRef<int64_t> filter = shapeOf(op.getFilter());
  int64_t channels = op.getGroup();
  if (filter[0] != channels || filter[1] != 1 ||
      (channels % 8 != 0 && channels < 32) ||
      llvm::any_of(op.getStrides(), [](int64_t s) { return s > mostStride; }))
    return false;
  for (auto [taps, dilation] :
       llvm::zip_equal(filter.drop_front(2), op.getDilations()))
    if (taps > mostTaps || (taps - 1) * dilation > mostColumns)
      return false;
  return true;
}

bool qcc::qnn::hasInt16Kernel(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op))
    return conv.getSpatialRank() <= 2 &&
           (conv.getGroup() == 1 || hasInt16DepthwiseKernel(conv));
  auto matmul = dyn_cast<MatmulOp>(op);
  return matmul && !matmul.getTransposeLhs() && matmul.getWeightOperand() &&
         rankOf(matmul.getRhs()) == 2;
}

std::optional<ChannelParams> ChannelParams::get(Type elementType) {
  ChannelParams params;
  if (auto type = dyn_cast<UniformQuantizedType>(elementType)) {
    params.scales = {static_cast<float>(type.getScale())};
    params.zeroPoints = {type.getZeroPoint()};
    return params;
  }
  if (auto type = dyn_cast<UniformQuantizedPerAxisType>(elementType)) {
    for (double scale : type.getScales())
      params.scales.push_back(static_cast<float>(scale));
    params.zeroPoints = llvm::to_vector(type.getZeroPoints());
    params.axis = type.getQuantizedDimension();
    return params;
  }
  return std::nullopt;
}

Type qcc::qnn::getAccumulatorType(MLIRContext *context, ArrayRef<float> scales,
                                  int64_t axis) {
  auto i32 = IntegerType::get(context, 32);
  auto f32 = Float32Type::get(context);
  constexpr int64_t lo = std::numeric_limits<int32_t>::min();
  constexpr int64_t hi = std::numeric_limits<int32_t>::max();
  if (scales.size() == 1)
    return UniformQuantizedType::get(quant::QuantizationFlags::Signed, i32, f32,
                                     scales[0], 0, lo, hi);
  SmallVector<double> wide(scales.begin(), scales.end());
  SmallVector<int64_t> zeros(scales.size(), 0);
  return UniformQuantizedPerAxisType::get(quant::QuantizationFlags::Signed, i32,
                                          f32, wide, zeros,
                                          static_cast<int32_t>(axis), lo, hi);
}

static Type withQuantizedDimension(UniformQuantizedPerAxisType type,
                                   int64_t axis) {
  return UniformQuantizedPerAxisType::get(
      type.getFlags(), type.getStorageType(), type.getExpressedType(),
      type.getScales(), type.getZeroPoints(), static_cast<int32_t>(axis),
      type.getStorageTypeMin(), type.getStorageTypeMax());
}

Type qcc::qnn::permuteElementType(Type elementType,
                                  ArrayRef<int64_t> permutation) {
  auto type = dyn_cast<UniformQuantizedPerAxisType>(elementType);
  if (!type)
    return elementType;
  for (auto [to, from] : llvm::enumerate(permutation))
    if (from == type.getQuantizedDimension())
      return withQuantizedDimension(type, static_cast<int64_t>(to));
  return {};
}

Type qcc::qnn::reshapeElementType(Type elementType, ArrayRef<int64_t> from,
                                  ArrayRef<int64_t> to) {
  auto type = dyn_cast<UniformQuantizedPerAxisType>(elementType);
  if (!type)
    return isa<quant::UniformQuantizedSubChannelType>(elementType)
               ? Type()
               : elementType;
  // The dimension of equal extent with as many elements before it.
  int64_t axis = type.getQuantizedDimension();
  if (axis >= static_cast<int64_t>(from.size()))
    return {};
  int64_t outer = 1;
  for (int64_t extent : from.take_front(axis))
    outer *= extent;
  int64_t seen = 1;
  for (auto [dim, extent] : llvm::enumerate(to)) {
    if (seen == outer && extent == from[axis])
      return withQuantizedDimension(type, static_cast<int64_t>(dim));
    seen *= extent;
  }
  return {};
}

std::optional<std::pair<int64_t, int64_t>>
qcc::qnn::getClampRange(UnaryKind kind, float alpha, float beta,
                        UniformQuantizedType type) {
  QuantParams params = getQuantParams(type);
  switch (kind) {
  case UnaryKind::Identity:
    return std::pair(params.qmin, params.qmax);
  case UnaryKind::Relu:
    return std::pair(quantize(0.f, params), params.qmax);
  case UnaryKind::Clamp:
    return std::pair(quantize(alpha, params), quantize(beta, params));
  default:
    return std::nullopt;
  }
}

bool qcc::qnn::isImpliedBySaturation(UnaryKind kind, float alpha, float beta,
                                     UniformQuantizedType type) {
  auto range = getClampRange(kind, alpha, beta, type);
  return range && range->first == type.getStorageTypeMin() &&
         range->second == type.getStorageTypeMax();
}

Value qcc::qnn::transposeConstant(OpBuilder &builder, Location loc,
                                  Value constant,
                                  ArrayRef<int64_t> permutation) {
  auto bytes = ConstantBytes::get(constant);
  RankedTensorType type = tensorTypeOf(constant);
  Type element = permuteElementType(type.getElementType(), permutation);
  int64_t count = type.getNumElements();
  if (!bytes || !element || count == 0 || bytes->bytes().size() % count != 0)
    return {};
  const size_t width = bytes->bytes().size() / count;

  const size_t rank = permutation.size();
  SmallVector<int64_t> inputStrides(rank, 1), shape(rank), strides(rank);
  for (size_t i = rank; i-- > 1;)
    inputStrides[i - 1] = inputStrides[i] * type.getDimSize(i);
  for (size_t i = 0; i < rank; ++i) {
    shape[i] = type.getDimSize(permutation[i]);
    strides[i] = inputStrides[permutation[i]];
  }

  std::vector<char> out(bytes->bytes().size());
  SmallVector<int64_t> index(rank, 0);
  const char *in = bytes->bytes().data();
  int64_t from = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(out.data() + i * width, in + from * width, width);
    for (size_t d = rank; d-- > 0;) {
      from += strides[d];
      if (++index[d] < shape[d])
        break;
      from -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return createConstant(builder, loc, RankedTensorType::get(shape, element),
                        out);
}

Value qcc::qnn::reshapeConstant(OpBuilder &builder, Location loc,
                                Value constant, ArrayRef<int64_t> shape) {
  auto bytes = ConstantBytes::get(constant);
  RankedTensorType type = tensorTypeOf(constant);
  Type element =
      reshapeElementType(type.getElementType(), type.getShape(), shape);
  if (!bytes || !element)
    return {};
  return createConstant(builder, loc, RankedTensorType::get(shape, element),
                        bytes->bytes());
}

UniformQuantizedType qcc::qnn::getCommonQuantizedType(Value value) {
  UniformQuantizedType common;
  for (Operation *user : value.getUsers()) {
    auto quantize = dyn_cast<QuantizeOp>(user);
    if (!quantize)
      return {};
    auto type = dyn_cast<UniformQuantizedType>(
        tensorTypeOf(quantize.getResult()).getElementType());
    if (!type || (common && type != common))
      return {};
    common = type;
  }
  return common;
}
