//===- QuantParams.cpp - Scales and zero points of a node ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantParams.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

namespace {
/// Range and sign of storage integers.
struct StorageRange {
  unsigned width; ///< in memory: 4-bit integers take a byte
  bool isSigned;
  int64_t min, max;
};
} // namespace

static std::optional<StorageRange> storageRange(DType dtype) {
  switch (dtype) {
  case DType::I4:
    return StorageRange{8, true, -8, 7};
  case DType::U4:
    return StorageRange{8, false, 0, 15};
  case DType::I8:
    return StorageRange{8, true, -128, 127};
  case DType::U8:
    return StorageRange{8, false, 0, 255};
  case DType::I16:
    return StorageRange{16, true, -32768, 32767};
  case DType::U16:
    return StorageRange{16, false, 0, 65535};
  case DType::I32:
    return StorageRange{32, true, std::numeric_limits<int32_t>::min(),
                        std::numeric_limits<int32_t>::max()};
  default:
    return std::nullopt;
  }
}

std::optional<Params> qcc::import::readParams(Node &node, unsigned scale,
                                              unsigned zeroPoint,
                                              DType storage) {
  if (!node.has(scale)) {
    node.error() << "the scale (operand " << scale << ") is missing";
    return std::nullopt;
  }
  Params params;
  params.storage = storage;
  SmallVector<double> scales = node.constantFloats(scale, "scale");
  if (node.failed())
    return std::nullopt;
  for (auto [i, value] : llvm::enumerate(scales)) {
    auto single = float(value);
    if (!std::isfinite(single) || single <= 0.f) {
      node.error()
          << "scale " << value << " (element " << i
          << ") must be a positive finite number"
          << (std::isinf(single) && single > 0
                  ? ": with it finite values become NaN, 0 times "
                    "infinity; leave what it quantizes, as a mask with "
                    "-inf, in float, or put a finite number there"
                  : "; quantize the model anew");
      return std::nullopt;
    }
    params.scales.push_back(single);
  }
  if (!storageRange(storage)) {
    node.error() << "integers of type " << codeName(int32_t(storage))
                 << " cannot be quantized or dequantized";
    return std::nullopt;
  }
  params.zeroPoints.assign(params.scales.size(), 0);
  if (node.has(zeroPoint)) {
    if (node.dtype(zeroPoint) != storage) {
      node.error() << "the zero point is of type "
                   << codeName(int32_t(node.dtype(zeroPoint)))
                   << ", the integers are " << codeName(int32_t(storage));
      return std::nullopt;
    }
    SmallVector<int64_t> values = node.constantInts(zeroPoint, "zero point");
    if (node.failed())
      return std::nullopt;
    // One zero point may serve all scales, and the reverse.
    if (values.size() == 1)
      params.zeroPoints.assign(params.scales.size(), values[0]);
    else if (params.scales.size() == 1)
      params.scales.assign(values.size(), params.scales[0]);
    if (values.size() > 1)
      params.zeroPoints = values;
  }
  if (params.scales.empty() ||
      params.zeroPoints.size() != params.scales.size()) {
    node.error() << "has " << params.scales.size() << " scales and "
                 << params.zeroPoints.size() << " zero points";
    return std::nullopt;
  }
  return params;
}

Type qcc::import::quantizedType(Node &node, const Params &params,
                                int64_t axis) {
  std::optional<StorageRange> range = storageRange(params.storage);
  if (node.failed() || !range)
    return {};
  unsigned flags = range->isSigned ? quant::QuantizationFlags::Signed : 0;
  Type storage = node.getBuilder().getIntegerType(range->width);
  Type expressed = node.getBuilder().getF32Type();
  auto emit = [&]() { return node.error(); };
  if (!params.isPerAxis())
    return quant::UniformQuantizedType::getChecked(
        emit, flags, storage, expressed, double(params.scales[0]),
        params.zeroPoints[0], range->min, range->max);
  SmallVector<double> scales(params.scales.begin(), params.scales.end());
  return quant::UniformQuantizedPerAxisType::getChecked(
      emit, flags, storage, expressed, scales, params.zeroPoints, int32_t(axis),
      range->min, range->max);
}

/// Whether two per-tensor types differ at most in the range of the storage.
static bool isSameGrid(Type a, Type b) {
  auto lhs = dyn_cast<quant::UniformQuantizedType>(a);
  auto rhs = dyn_cast<quant::UniformQuantizedType>(b);
  return lhs && rhs && lhs.isSigned() == rhs.isSigned() &&
         lhs.getStorageType() == rhs.getStorageType() &&
         lhs.getScale() == rhs.getScale() &&
         lhs.getZeroPoint() == rhs.getZeroPoint() &&
         lhs.getStorageTypeMin() >= rhs.getStorageTypeMin() &&
         lhs.getStorageTypeMax() <= rhs.getStorageTypeMax();
}

Value qcc::import::fromStorage(Node &node, Value storage, Type type) {
  if (node.failed() || !type)
    return {};
  if (getStorageType(type) != Node::elementTypeOf(storage)) {
    node.error() << "the integers are " << Node::elementTypeOf(storage)
                 << ", expected " << getStorageType(type);
    return {};
  }
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    int64_t axis = perAxis.getQuantizedDimension();
    ArrayRef<int64_t> shape = Node::shapeOf(storage);
    if (axis >= int64_t(shape.size()) ||
        shape[size_t(axis)] != int64_t(perAxis.getScales().size())) {
      node.error() << "has " << perAxis.getScales().size()
                   << " scales for dimension " << axis << " of shape "
                   << shapeToString(shape);
      return {};
    }
  }
  Value source = Node::withoutStorageCast(storage);
  if (source != storage && isSameGrid(Node::elementTypeOf(source), type))
    return source;
  if (auto constant = storage.getDefiningOp<ConstantOp>())
    return ConstantOp::create(
        node.getBuilder(), node.getLoc(),
        RankedTensorType::get(Node::shapeOf(storage), type),
        constant.getValue());
  return node.create<StorageCastOp>(type, storage);
}

Value qcc::import::quantizedOperand(Node &node, unsigned x, unsigned scale,
                                    unsigned zeroPoint, int64_t axis) {
  auto params = readParams(node, scale, zeroPoint, node.dtype(x));
  if (!params)
    return {};
  return fromStorage(node, node.in(x), quantizedType(node, *params, axis));
}

Type qcc::import::quantizedResultType(Node &node, unsigned scale,
                                      unsigned zeroPoint,
                                      DType defaultStorage) {
  DType storage = node.has(zeroPoint) ? node.dtype(zeroPoint) : defaultStorage;
  auto params = readParams(node, scale, zeroPoint, storage);
  if (!params)
    return {};
  if (params->isPerAxis()) {
    node.error() << "the result must have one scale, but has "
                 << params->scales.size();
    return {};
  }
  return quantizedType(node, *params);
}

/// The float32 scales of a type, one or one per index.
static SmallVector<float> scalesOf(Type type) {
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(type))
    return {float(perTensor.getScale())};
  auto perAxis = cast<quant::UniformQuantizedPerAxisType>(type);
  return llvm::to_vector_of<float>(perAxis.getScales());
}

Value qcc::import::quantizedBias(Node &node, unsigned bias, Type input,
                                 Type weight) {
  if (!node.has(bias) || node.failed())
    return {};
  Params params;
  params.storage = DType::I32;
  float inputScale = scalesOf(input).front();
  for (float scale : scalesOf(weight))
    params.scales.push_back(inputScale * scale);
  params.zeroPoints.assign(params.scales.size(), 0);
  for (float scale : params.scales)
    if (!std::isfinite(scale) || scale <= 0.f) {
      node.error() << "the product of the input's and the weight's scale is "
                   << scale << ", beyond float32; quantize the model anew";
      return {};
    }
  return fromStorage(node, node.in(bias), quantizedType(node, params));
}
