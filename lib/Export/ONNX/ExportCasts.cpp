//===- ExportCasts.cpp - Quantization and casts to ONNX -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphBuilder.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::onnx_export;
using namespace qcc::qnn;

static Type elementType(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

namespace {
/// Scale and zero point of a quantized type as initializers.
struct Parameters {
  std::string scale, zeroPoint;
  SmallVector<NodeAttr> axis;
};
} // namespace

static std::optional<Parameters> makeParameters(GraphBuilder &graph, Type type,
                                                int64_t leadingDims = 0) {
  SmallVector<float> scales;
  SmallVector<int64_t> zeros;
  Parameters result;
  SmallVector<int64_t> shape;
  if (auto tensor = dyn_cast<quant::UniformQuantizedType>(type)) {
    scales.push_back(float(tensor.getScale()));
    zeros.push_back(tensor.getZeroPoint());
  } else if (auto axis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    for (double scale : axis.getScales())
      scales.push_back(float(scale));
    llvm::append_range(zeros, axis.getZeroPoints());
    result.axis.push_back(
        {"axis", int64_t(axis.getQuantizedDimension()) + leadingDims});
    shape.push_back(int64_t(scales.size()));
  } else {
    return std::nullopt;
  }
  DType dtype = getDType(type);
  // Zero points are of the storage type, four-bit ones a byte each here.
  std::vector<char> bytes;
  unsigned size = std::max(1u, byteSize(dtype));
  for (int64_t zero : zeros)
    bytes.insert(bytes.end(), reinterpret_cast<char *>(&zero),
                 reinterpret_cast<char *>(&zero) + size);
  ArrayRef<char> scaleBytes(reinterpret_cast<const char *>(scales.data()),
                            scales.size() * sizeof(float));
  result.scale = graph.initializer("scale", DType::F32, shape, scaleBytes);
  result.zeroPoint = graph.initializer("zero_point", dtype, shape, bytes);
  return result;
}

static std::optional<std::string> quantizeLinear(GraphBuilder &graph,
                                                 const char *kind, Type type,
                                                 const std::string &input,
                                                 int64_t leadingDims = 0) {
  auto parameters = makeParameters(graph, type, leadingDims);
  if (!parameters)
    return std::nullopt;
  return graph.node(kind, {input, parameters->scale, parameters->zeroPoint},
                    parameters->axis);
}

std::optional<std::string>
onnx_export::exportDequantize(GraphBuilder &graph, Type element,
                              const std::string &input, int64_t leadingDims) {
  return quantizeLinear(graph, "DequantizeLinear", element, input, leadingDims);
}

/// Quantizes to `type`; to fewer values than ONNX's type has by a clip behind,
/// or in front of 16 bits, for which runtimes have none.
static std::optional<std::string> quantize(GraphBuilder &graph, Type type,
                                           const std::string &input) {
  auto quantized = cast<quant::QuantizedType>(type);
  int64_t low = quantized.getStorageTypeMin();
  int64_t high = quantized.getStorageTypeMax();
  unsigned bits = quantized.getStorageTypeIntegralWidth();
  bool isWhole = low == quant::QuantizedType::getDefaultMinimumForInteger(
                            quantized.isSigned(), bits) &&
                 high == quant::QuantizedType::getDefaultMaximumForInteger(
                             quantized.isSigned(), bits);
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(type);
      uniform && bits == 16 && !isWhole) {
    auto limit = [&](int64_t q) {
      float value = float(q - uniform.getZeroPoint()) *
                    static_cast<float>(uniform.getScale());
      return graph.initializer(
          "limit", DType::F32, {},
          ArrayRef(reinterpret_cast<const char *>(&value), sizeof(value)));
    };
    return quantizeLinear(graph, "QuantizeLinear", type,
                          graph.node("Clip", {input, limit(low), limit(high)}));
  }
  auto value = quantizeLinear(graph, "QuantizeLinear", type, input);
  if (!value || isWhole)
    return value;
  auto bound = [&](int64_t limit) {
    return graph.initializer(
        "limit", getDType(type), {},
        ArrayRef(reinterpret_cast<const char *>(&limit), bits / 8));
  };
  // ONNX clips no integers of less than 8 bits.
  if (bits < 8)
    return std::nullopt;
  return graph.node("Clip", {*value, bound(low), bound(high)});
}

static std::string castTo(GraphBuilder &graph, const std::string &input,
                          DType dtype) {
  return graph.node("Cast", {input}, {{"to", int64_t(dtype)}});
}

/// (input - zeroPoint) * scale, all computed.
static std::string dequantizeDynamically(GraphBuilder &graph,
                                         DynamicDequantizeOp op) {
  std::string value = castTo(graph, graph.name(op.getInput()), DType::F32);
  if (op.getZeroPoint()) {
    std::string zero = castTo(graph, graph.name(op.getZeroPoint()), DType::F32);
    value = graph.node("Sub", {value, zero});
  }
  return graph.node("Mul", {value, graph.name(op.getScale())});
}

bool onnx_export::exportCast(GraphBuilder &graph, Operation *op) {
  auto defineIf = [&](Value result, std::optional<std::string> name) {
    if (name)
      graph.define(result, *name);
    return name.has_value();
  };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](ConstantOp constant) {
        auto bytes = ConstantBytes::get(constant.getResult());
        auto type = cast<RankedTensorType>(constant.getType());
        DType dtype = getDType(type.getElementType());
        if (!bytes || dtype == DType::Undefined)
          return false;
        graph.define(constant,
                     graph.initializer("constant", dtype, type.getShape(),
                                       bytes->bytes()));
        return true;
      })
      .Case([&](QuantizeOp cast) {
        return defineIf(cast, quantize(graph, elementType(cast),
                                       graph.name(cast.getInput())));
      })
      .Case([&](DequantizeOp cast) {
        return defineIf(cast,
                        exportDequantize(graph, elementType(cast.getInput()),
                                         graph.name(cast.getInput())));
      })
      .Case([&](RequantizeOp cast) {
        auto real = exportDequantize(graph, elementType(cast.getInput()),
                                     graph.name(cast.getInput()));
        return real &&
               defineIf(cast, quantize(graph, elementType(cast), *real));
      })
      .Case([&](StorageCastOp cast) {
        // ONNX has integers on both sides.
        graph.define(cast, graph.name(cast.getInput()));
        return true;
      })
      .Case([&](CastOp cast) {
        graph.define(cast, castTo(graph, graph.name(cast.getInput()),
                                  getDType(elementType(cast))));
        return true;
      })
      .Case([&](DynamicQuantizeOp cast) {
        auto results = graph.nodes("DynamicQuantizeLinear",
                                   {graph.name(cast.getInput())}, 3);
        for (auto [value, name] : llvm::zip(cast->getResults(), results))
          graph.define(value, name);
        return true;
      })
      .Case([&](DynamicDequantizeOp cast) {
        graph.define(cast, dequantizeDynamically(graph, cast));
        return true;
      })
      .Default([](Operation *) { return false; });
}
