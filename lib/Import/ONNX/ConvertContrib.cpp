//===- ConvertContrib.cpp - Quantized operators of com.microsoft ---------===//
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

void qcc::import::convertQLinearBinary(Node &node) {
  // a, a_scale, a_zp, b, b_scale, b_zp, y_scale, y_zp
  Value a = quantizedOperand(node, 0, 1, 2),
        b = quantizedOperand(node, 3, 4, 5);
  Type result = quantizedResultType(node, 6, 7, node.dtype(0));
  BinaryKind kind =
      node.opType() == "QLinearAdd" ? BinaryKind::Add : BinaryKind::Mul;
  node.setOutput(0, node.toStorage(node.create<BinaryOp>(result, kind, a, b,
                                                         ActivationAttr())));
}

void qcc::import::convertQLinearUnary(Node &node) {
  // x, x_scale, x_zp, y_scale, y_zp
  Value x = quantizedOperand(node, 0, 1, 2);
  Type result = quantizedResultType(node, 3, 4, node.dtype(0));
  bool isSigmoid = node.opType() == "QLinearSigmoid";
  float alpha = isSigmoid ? 0.f : node.floatAttr("alpha", 0.01f);
  node.setOutput(
      0, node.toStorage(node.create<UnaryOp>(
             result, isSigmoid ? UnaryKind::Sigmoid : UnaryKind::LeakyRelu, x,
             llvm::APFloat(alpha), llvm::APFloat(0.f))));
}

void qcc::import::convertQLinearConcat(Node &node) {
  // y_scale, y_zp, then (x, x_scale, x_zp) for each operand
  unsigned count = (node.numInputs() - 2) / 3;
  if (count * 3 + 2 != node.numInputs()) {
    node.error() << "has " << node.numInputs()
                 << " operands, expected 2 and three for each tensor";
    return;
  }
  Type result = quantizedResultType(node, 0, 1, DType::U8);
  SmallVector<Value> parts;
  for (unsigned i = 0; i < count && !node.failed(); ++i) {
    if (!node.has(2 + 3 * i)) {
      node.error() << "operand " << 2 + 3 * i << " is missing";
      return;
    }
    Value x = quantizedOperand(node, 2 + 3 * i, 3 + 3 * i, 4 + 3 * i);
    if (x && Node::elementTypeOf(x) != result)
      x = node.create<RequantizeOp>(result, x);
    parts.push_back(x);
  }
  if (node.failed())
    return;
  int64_t axis = node.normalizeAxis(node.requiredIntAttr("axis"),
                                    Node::typeOf(parts.front()).getRank());
  node.setOutput(0, node.toStorage(node.create<ConcatOp>(
                        result, ValueRange(parts), uint64_t(axis))));
}

void qcc::import::convertQLinearGlobalAveragePool(Node &node) {
  // x, x_scale, x_zp, y_scale, y_zp
  bool channelsLast = node.boolAttr("channels_last");
  int64_t rank = node.rank(0);
  if (rank < 3) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << ", expected [N, C, spatial...]";
    return;
  }
  SmallVector<int64_t> axes;
  for (int64_t i = 0; i < rank - 2; ++i)
    axes.push_back(i + (channelsLast ? 1 : 2));
  Value x = quantizedOperand(node, 0, 1, 2);
  Type result = quantizedResultType(node, 3, 4, node.dtype(0));
  node.setOutput(0, node.toStorage(node.create<ReduceOp>(
                        result, ReduceKind::Mean, x, axes, /*keepdims=*/true)));
}

void qcc::import::convertQLinearAveragePool(Node &node) {
  // x, x_scale, x_zp, y_scale, y_zp
  if (node.rank(0) < 3) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << ", expected [N, C, spatial...]";
    return;
  }
  bool channelsLast = node.boolAttr("channels_last");
  if (channelsLast)
    node.setInput(0, node.toChannelsFirst(node.in(0)));
  auto window = readWindow(node, node.shape(0).drop_front(2), {});
  Value x = quantizedOperand(node, 0, 1, 2);
  Type result = quantizedResultType(node, 3, 4, node.dtype(0));
  if (node.failed())
    return;
  Value y = node.toStorage(node.create<AvgPoolOp>(
      result, x, window->kernel, window->strides, window->dilations,
      window->pads, window->ceilMode, node.boolAttr("count_include_pad"),
      Layout::ChannelsFirst));
  node.setOutput(0, channelsLast ? node.toChannelsLast(y) : y);
}

void qcc::import::convertQLinearWhere(Node &node) {
  // condition, x, x_scale, x_zp, y, y_scale, y_zp, z_scale, z_zp
  Type result = quantizedResultType(node, 7, 8, node.dtype(1));
  auto read = [&](unsigned i) {
    Value x = quantizedOperand(node, i, i + 1, i + 2);
    return node.failed() || Node::elementTypeOf(x) == result
               ? x
               : node.create<RequantizeOp>(result, x);
  };
  Value x = read(1), y = read(4);
  if (!node.failed())
    node.setOutput(0, node.toStorage(node.select(node.in(0), x, y)));
}

void qcc::import::convertNhwcMaxPool(Node &node) {
  if (node.rank(0) < 3) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << ", expected [N, spatial..., C]";
    return;
  }
  node.setInput(0, node.toChannelsFirst(node.in(0)));
  if (node.failed())
    return;
  convertMaxPool(node);
  node.setOutput(0, node.toChannelsLast(node.output(0).value));
}

void qcc::import::convertQLinearSoftmax(Node &node) {
  // x, x_scale, x_zp, y_scale, y_zp; "opset" tells which Softmax is meant.
  Type f32 = node.getBuilder().getF32Type();
  int64_t rank = node.rank(0), axis = node.intAttr("axis", -1);
  bool flattens = node.intAttr("opset", 13) < 13;
  axis = node.normalizeAxis(axis, rank);
  if (!node.failed() && flattens && axis != rank - 1)
    node.error() << "Softmax over several dimensions is not supported";
  Value x = quantizedOperand(node, 0, 1, 2);
  Type result = quantizedResultType(node, 3, 4, node.dtype(0));
  Value y = node.create<SoftmaxOp>(f32, node.create<DequantizeOp>(f32, x),
                                   uint64_t(axis), false);
  node.setOutput(0, node.toStorage(node.create<QuantizeOp>(result, y)));
}

void qcc::import::convertQGemm(Node &node) {
  // a, a_scale, a_zp, b, b_scale, b_zp, c, y_scale, y_zp
  float alpha = node.floatAttr("alpha", 1.f);
  bool transA = node.boolAttr("transA"), transB = node.boolAttr("transB");
  if (node.rank(0) != 2 || node.rank(3) != 2) {
    node.error() << "operands of shapes " << shapeToString(node.shape(0))
                 << " and " << shapeToString(node.shape(3))
                 << "; both must be matrices";
    return;
  }
  if (!(alpha > 0.f)) {
    node.error() << "alpha is " << alpha << ", expected a positive number";
    return;
  }
  Value a = quantizedOperand(node, 0, 1, 2);
  auto weightParams = readParams(node, 4, 5, node.dtype(3));
  if (node.failed())
    return;
  // alpha scales the product as the weight's scale does.
  for (float &scale : weightParams->scales)
    scale *= alpha;
  Value b = fromStorage(node, node.in(3),
                        quantizedType(node, *weightParams, transB ? 0 : 1));
  if (node.failed())
    return;
  if (node.has(6) && node.rank(6) != 1) {
    node.error() << "the bias has shape " << shapeToString(node.shape(6))
                 << ", expected a vector";
    return;
  }
  Value bias =
      quantizedBias(node, 6, Node::elementTypeOf(a), Node::elementTypeOf(b));
  if (node.has(7)) {
    Type result = quantizedResultType(node, 7, 8, node.dtype(0));
    return node.setOutput(
        0, node.toStorage(node.create<MatmulOp>(
               result, a, b, bias, Value(), transA, transB, ActivationAttr())));
  }
  // Without parameters of the result it is float: the exact sum, scaled.
  Type f32 = node.getBuilder().getF32Type();
  Value y = node.create<MatmulOp>(
      f32, node.create<DequantizeOp>(f32, a), node.create<DequantizeOp>(f32, b),
      bias ? node.create<DequantizeOp>(f32, bias) : Value(), Value(), transA,
      transB, ActivationAttr());
  node.setOutput(0, y);
}

/// A vector of one number per column of a right-hand matrix: it broadcasts.
static Value columnScale(Node &node, unsigned i) {
  return countElements(node.shape(i)) == 1 ? node.reshape(node.in(i), {})
                                           : node.in(i);
}

/// matmul_integer(a, b) * (aScale * bScale) + bias.
static void matmulToFloat(Node &node, Value a, Value aZeroPoint, Value aScale,
                          Value b, unsigned bScale, Value bZeroPoint,
                          Value bias) {
  Type f32 = node.getBuilder().getF32Type();
  Value sum = node.create<MatmulIntegerOp>(node.getBuilder().getI32Type(), a, b,
                                           aZeroPoint, bZeroPoint);
  Value scale = node.binary(BinaryKind::Mul, aScale, columnScale(node, bScale));
  Value y = node.failed()
                ? Value()
                : node.binary(BinaryKind::Mul, node.cast(sum, f32), scale);
  if (bias)
    y = node.binary(BinaryKind::Add, y, bias);
  node.setOutput(0, y);
}

void qcc::import::convertMatMulIntegerToFloat(Node &node) {
  // a, b, a_scale, b_scale, a_zp, b_zp, bias
  matmulToFloat(node, node.in(0), node.in(4), columnScale(node, 2), node.in(1),
                3, node.in(5), node.in(6));
}

void qcc::import::convertDynamicQuantizeMatMul(Node &node) {
  // a, b, b_scale, b_zp, bias
  OpBuilder &builder = node.getBuilder();
  Type byte = getElementType(node.getContext(), DType::U8);
  auto scalar = [](Type type) { return RankedTensorType::get({}, type); };
  if (!node.elementType(0).isF32()) {
    node.error() << "the input must be float32";
    return;
  }
  if (!node.finishAll(DynamicQuantizeOp::create(
          builder, node.getLoc(), scalar(byte), scalar(builder.getF32Type()),
          scalar(byte), node.in(0))))
    return;
  Value a = node.results()[0], scale = node.results()[1],
        zeroPoint = node.results()[2];
  matmulToFloat(node, a, zeroPoint, scale, node.in(1), 2, node.in(3),
                node.in(4));
}
