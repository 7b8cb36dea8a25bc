//===- EvaluateQuantize.cpp - Values of quantize and dequantize -----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EvaluateDetail.h"

#include "qcc/Support/QuantMath.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

using Bytes = std::vector<char>;

namespace {
/// The parameters of each element of a tensor.
class ElementParams {
public:
  explicit ElementParams(RankedTensorType type) {
    auto range = cast<quant::QuantizedType>(type.getElementType());
    auto add = [&](double scale, int64_t zeroPoint) {
      params.push_back({float(scale), zeroPoint, range.getStorageTypeMin(),
                        range.getStorageTypeMax()});
    };
    if (auto uniform = dyn_cast<quant::UniformQuantizedType>(range)) {
      add(uniform.getScale(), uniform.getZeroPoint());
    } else if (auto axis =
                   dyn_cast<quant::UniformQuantizedPerAxisType>(range)) {
      for (auto [scale, zeroPoint] :
           llvm::zip_equal(axis.getScales(), axis.getZeroPoints()))
        add(scale, zeroPoint);
      inner = denseStrides(type.getShape())[axis.getQuantizedDimension()];
    }
  }
  /// Other kinds of types have no parameters per element here.
  bool isKnown() const { return !params.empty(); }
  const QuantParams &operator[](size_t i) const {
    return params[i / size_t(inner) % params.size()];
  }

private:
  SmallVector<QuantParams> params;
  int64_t inner = 1;
};
} // namespace

/// Storage integers of a quantized constant.
static std::optional<SmallVector<int64_t>> readStorage(const Constant &from) {
  auto widen = [](auto values) { return llvm::to_vector_of<int64_t>(values); };
  switch (getDType(from.type.getElementType())) {
  case DType::I4:
  case DType::I8:
    return widen(from.data.as<int8_t>());
  case DType::U4:
  case DType::U8:
    return widen(from.data.as<uint8_t>());
  case DType::I16:
    return widen(from.data.as<int16_t>());
  case DType::U16:
    return widen(from.data.as<uint16_t>());
  case DType::I32:
    return widen(from.data.as<int32_t>());
  default:
    return std::nullopt;
  }
}

std::optional<Bytes>
qcc::qnn::detail::evaluateQuantization(Operation *op,
                                       ArrayRef<Constant> operands) {
  RankedTensorType out = tensorType(op->getResult(0));
  if (!isa<QuantizeOp, DequantizeOp>(op))
    return std::nullopt;
  const Constant &input = operands[0];
  bool quantizes = isa<QuantizeOp>(op);
  ElementParams params(quantizes ? out : input.type);
  Type real = quantizes ? input.type.getElementType() : out.getElementType();
  if (!params.isKnown() || !real.isF32())
    return std::nullopt;

  Bytes result;
  auto append = [&](const void *from, size_t size) {
    auto *bytes = static_cast<const char *>(from);
    result.insert(result.end(), bytes, bytes + size);
  };
  if (quantizes) {
    size_t width = elementWidth(out.getElementType());
    for (auto [i, x] : llvm::enumerate(input.data.as<float>())) {
      int64_t q = quantize(x, params[i]);
      append(&q, width);
    }
    return result;
  }
  auto storage = readStorage(input);
  if (!storage)
    return std::nullopt;
  for (auto [i, q] : llvm::enumerate(*storage)) {
    float x = dequantize(q, params[i]);
    append(&x, sizeof(x));
  }
  return result;
}
