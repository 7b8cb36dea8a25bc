//===- ConvertQuant.cpp - Quantization operators -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"
#include "QuantParams.h"
#include "Window.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// A vector along dimension `axis` of a tensor of this rank; scalars stay.
static Value alongAxis(Node &node, Value vector, int64_t axis, int64_t rank) {
  if (node.failed() || countElements(Node::shapeOf(vector)) == 1)
    return node.failed() ? Value() : node.reshape(vector, {});
  SmallVector<int64_t> shape(size_t(rank), 1);
  shape[size_t(axis)] = *countElements(Node::shapeOf(vector));
  return node.reshape(vector, shape);
}

static bool isConstant(Value value) {
  return !value || value.getDefiningOp<ConstantOp>();
}

/// The axis of per-axis parameters; 0 for one scale, whatever "axis" says.
static int64_t readAxis(Node &node) {
  // A vector has one axis; some writers leave the default of 1 there.
  if (countElements(node.shape(1)) == 1 || node.rank(0) == 1)
    return 0;
  int64_t axis = node.normalizeAxis(node.intAttr("axis", 1), node.rank(0));
  if (!node.failed() && node.rank(1) == 1 &&
      node.shape(1)[0] != node.shape(0)[size_t(axis)])
    node.error() << "has " << node.shape(1)[0] << " scales for dimension "
                 << axis << " of shape " << shapeToString(node.shape(0));
  return axis;
}

/// The integers that a QuantizeLinear makes.
static DType quantizedStorage(Node &node) {
  int64_t code = node.intAttr("output_dtype", 0);
  DType asked =
      code > 0 && code < 100 ? dtypeOfCode(int32_t(code)) : DType::Undefined;
  if (code != 0 && asked == DType::Undefined) {
    node.error() << "output_dtype "
                 << codeName(int32_t(std::clamp<int64_t>(code, 0, 99))) << " ("
                 << code << ") is not supported";
    return DType::U8;
  }
  if (!node.has(2))
    return code == 0 ? DType::U8 : asked;
  if (code != 0 && asked != node.dtype(2))
    node.error() << "output_dtype and the type of the zero point differ";
  return node.dtype(2);
}

/// QuantizeLinear with a scale that is known only at run time.
static void quantizeDynamically(Node &node, Value x, DType storage) {
  int64_t axis = readAxis(node), rank = node.rank(0);
  Type type = getElementType(node.getContext(), storage);
  bool isByte = storage == DType::U8 || storage == DType::I8;
  if (!isByte) {
    node.error() << "a scale that is computed at run time is supported for "
                    "8-bit results only";
    return;
  }
  if (node.failed())
    return;
  double low = storage == DType::U8 ? 0 : -128, high = low + 255;
  Type f32 = node.getBuilder().getF32Type();
  Value scale = alongAxis(node, node.cast(node.in(1), f32), axis, rank);
  Value y =
      node.unary(UnaryKind::Round, node.binary(BinaryKind::Div, x, scale));
  if (node.has(2))
    y = node.binary(BinaryKind::Add, y,
                    alongAxis(node, node.cast(node.in(2), f32), axis, rank));
  y = node.unary(UnaryKind::Clamp, y, float(low), float(high));
  node.setOutput(0, node.cast(y, type));
}

void qcc::import::convertQuantizeLinear(Node &node) {
  if (node.intAttr("block_size", 0) != 0 ||
      (node.rank(1) > 1 && countElements(node.shape(1)) != 1)) {
    node.error() << "quantization in blocks (block_size) is not supported; use "
                    "one scale per tensor or per axis";
    return;
  }
  DType storage = quantizedStorage(node);
  Value x = node.cast(node.in(0), node.getBuilder().getF32Type());
  if (node.failed())
    return;
  if (!isConstant(node.in(1)) || !isConstant(node.in(2)))
    return quantizeDynamically(node, x, storage);
  int64_t axis = readAxis(node);
  auto params = readParams(node, 1, 2, storage);
  if (!params || node.failed())
    return;
  if (storage == DType::I32) {
    node.error() << "32-bit results are not supported";
    return;
  }
  Type type = quantizedType(node, *params, axis);
  if (!type)
    return;
  node.setOutput(0, node.toStorage(node.create<QuantizeOp>(type, x)), storage);
}

/// DequantizeLinear whose scales are computed at run time, or lie in blocks.
static Value dequantizeDynamically(Node &node) {
  Type f32 = node.getBuilder().getF32Type();
  int64_t rank = node.rank(0), block = node.intAttr("block_size", 0);
  bool isBlocked = node.rank(1) > 1 && countElements(node.shape(1)) != 1;
  Value x = node.in(0), scale = node.cast(node.in(1), f32);
  Value zeroPoint = node.in(2);
  if (!isBlocked) {
    int64_t axis = readAxis(node);
    scale = alongAxis(node, scale, axis, rank);
    if (zeroPoint)
      zeroPoint = alongAxis(node, zeroPoint, axis, rank);
    return node.create<DynamicDequantizeOp>(f32, x, scale, zeroPoint);
  }

  int64_t axis = node.normalizeAxis(node.intAttr("axis", 1), rank);
  if (node.failed())
    return {};
  SmallVector<int64_t> shape(node.shape(0)), scaleShape(node.shape(1));
  int64_t extent = shape[size_t(axis)];
  SmallVector<int64_t> expected(shape);
  if (block >= 1)
    expected[size_t(axis)] = (extent + block - 1) / block;
  if (block < 1 || scaleShape != expected) {
    node.error() << "data " << shapeToString(shape) << ", scales "
                 << shapeToString(scaleShape) << " and block_size=" << block
                 << " do not fit together";
    return {};
  }
  // A last block that is cut off is filled up.
  int64_t blockCount = expected[size_t(axis)],
          missing = blockCount * block - extent;
  if (missing > 0) {
    SmallVector<int64_t> rest(shape);
    rest[size_t(axis)] = missing;
    x = node.concat({x, node.splat(rest, node.elementType(0), 0)}, axis);
  }
  // [.., blocks, block, ..] against [.., blocks, 1, ..].
  SmallVector<int64_t> blocks(shape), whole(shape);
  whole[size_t(axis)] = blockCount * block;
  blocks[size_t(axis)] = blockCount;
  blocks.insert(blocks.begin() + axis + 1, block);
  scaleShape.insert(scaleShape.begin() + axis + 1, 1);
  x = node.reshape(x, blocks);
  scale = node.reshape(scale, scaleShape);
  if (zeroPoint)
    zeroPoint = node.reshape(zeroPoint, scaleShape);
  Value y = node.reshape(
      node.create<DynamicDequantizeOp>(f32, x, scale, zeroPoint), whole);
  if (missing == 0)
    return y;
  SmallVector<int64_t> zeros(shape.size(), 0), ones(shape.size(), 1);
  return node.slice(y, zeros, shape, ones);
}

void qcc::import::convertDequantizeLinear(Node &node) {
  Type f32 = node.getBuilder().getF32Type();
  // Old writers give the data and the result float types of their own.
  Type resultType = node.elementType(1);
  if (int64_t code = node.intAttr("output_dtype", 0)) {
    DType dtype = code < 100 ? dtypeOfCode(int32_t(code)) : DType::Undefined;
    resultType = getElementType(node.getContext(), dtype);
  }
  if (!isa_and_nonnull<FloatType>(resultType)) {
    node.error() << "the scale and the result must be floats";
    return;
  }
  if (!isa<IntegerType>(node.elementType(0))) {
    node.error() << "the data must be integers, not " << node.elementType(0);
    return;
  }
  if (node.has(2) && node.dtype(2) != node.dtype(0)) {
    node.error() << "the zero point is of type "
                 << codeName(int32_t(node.dtype(2))) << ", the data of type "
                 << codeName(int32_t(node.dtype(0)));
    return;
  }
  bool isBlocked = node.rank(1) > 1 && countElements(node.shape(1)) != 1;
  Value y;
  if (isBlocked || !isConstant(node.in(1)) || !isConstant(node.in(2))) {
    y = dequantizeDynamically(node);
  } else {
    int64_t axis = readAxis(node);
    if (node.failed())
      return;
    Value q = quantizedOperand(node, 0, 1, 2, axis);
    y = node.create<DequantizeOp>(f32, q);
  }
  node.setOutput(0, node.cast(y, resultType));
}

void qcc::import::convertDynamicQuantizeLinear(Node &node) {
  OpBuilder &b = node.getBuilder();
  if (!node.elementType(0).isF32()) {
    node.error() << "the input must be float32";
    return;
  }
  Type byte = getElementType(node.getContext(), DType::U8);
  auto scalar = [](Type type) { return RankedTensorType::get({}, type); };
  if (!node.finishAll(DynamicQuantizeOp::create(b, node.getLoc(), scalar(byte),
                                                scalar(b.getF32Type()),
                                                scalar(byte), node.in(0))))
    return;
  for (unsigned i = 0; i < 3; ++i)
    node.setOutput(i, node.results()[i]);
}

void qcc::import::convertQLinearConv(Node &node) {
  // x, x_scale, x_zp, w, w_scale, w_zp, y_scale, y_zp, bias
  int64_t rank = node.rank(0);
  if (rank < 3 || node.rank(3) != rank) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << " and the filter " << shapeToString(node.shape(3))
                 << "; both must be [N, C, spatial...] of the same rank";
    return;
  }
  bool channelsLast = node.boolAttr("channels_last");
  if (channelsLast)
    node.setInput(0, node.toChannelsFirst(node.in(0)));
  int64_t group = node.intAttr("group", 1);
  if (group < 1) {
    node.error() << "attribute \"group\" is " << group;
    return;
  }
  auto window = readWindow(node, node.shape(0).drop_front(2),
                           node.shape(3).drop_front(2));
  if (!window)
    return;
  Value x = quantizedOperand(node, 0, 1, 2);
  Value w = quantizedOperand(node, 3, 4, 5, /*axis=*/0);
  Type result = quantizedResultType(node, 6, 7, node.dtype(0));
  if (node.failed())
    return;
  Value bias =
      quantizedBias(node, 8, Node::elementTypeOf(x), Node::elementTypeOf(w));
  Value y = node.create<ConvOp>(
      result, x, w, bias, Value(), window->strides, window->dilations,
      window->pads, uint64_t(group), Layout::ChannelsFirst, ActivationAttr());
  y = node.toStorage(y);
  node.setOutput(0, channelsLast ? node.toChannelsLast(y) : y);
}

void qcc::import::convertQLinearMatMul(Node &node) {
  // a, a_scale, a_zp, b, b_scale, b_zp, y_scale, y_zp
  int64_t rankA = node.rank(0), rankB = node.rank(3);
  bool perRow =
      countElements(node.shape(1)) != 1 || countElements(node.shape(2)) != 1;
  Value a = quantizedOperand(node, 0, 1, 2, std::max<int64_t>(rankA - 2, 0));
  Value b = quantizedOperand(node, 3, 4, 5, std::max<int64_t>(rankB - 1, 0));
  Type result = quantizedResultType(node, 6, 7, node.dtype(0));
  if (node.failed())
    return;
  if (!perRow) {
    Value y = node.create<MatmulOp>(result, a, b, Value(), Value(), false,
                                    false, ActivationAttr());
    return node.setOutput(0, node.toStorage(y));
  }
  // Scales per row of the left operand: through floats.
  Type f32 = node.getBuilder().getF32Type();
  Value y = node.create<MatmulOp>(f32, node.create<DequantizeOp>(f32, a),
                                  node.create<DequantizeOp>(f32, b), Value(),
                                  Value(), false, false, ActivationAttr());
  node.setOutput(0, node.toStorage(node.create<QuantizeOp>(result, y)));
}
