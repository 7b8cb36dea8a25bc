//===- WeightScales.cpp - Symmetric scales of weights ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightScales.h"

#include "qcc/Support/QuantMath.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"

#include <cmath>

using namespace mlir;
using namespace qcc;

WeightChannels::WeightChannels(ArrayRef<int64_t> shape, int64_t axis) {
  if (axis < 0)
    return;
  count = static_cast<size_t>(shape[axis]);
  for (int64_t extent : shape.drop_front(axis + 1))
    inner *= static_cast<size_t>(extent);
}

std::optional<SmallVector<float>>
qcc::getChannelMaxima(ArrayRef<float> weights, const WeightChannels &channels) {
  SmallVector<float> maxima(channels.count, 0.f);
  for (auto [i, weight] : llvm::enumerate(weights)) {
    if (!std::isfinite(weight))
      return std::nullopt;
    float &maximum = maxima[channels.of(i)];
    maximum = std::max(maximum, std::abs(weight));
  }
  return maxima;
}

std::vector<char> qcc::quantizeSymmetric(ArrayRef<float> weights,
                                         const WeightChannels &channels,
                                         ArrayRef<float> scales) {
  std::vector<char> result;
  result.reserve(weights.size());
  for (auto [i, weight] : llvm::enumerate(weights))
    result.push_back(static_cast<char>(
        quantize(weight, {scales[channels.of(i)], 0, -127, 127})));
  return result;
}

Type qcc::getSymmetricType(MLIRContext *context, ArrayRef<float> scales,
                           int64_t axis) {
  auto i8 = IntegerType::get(context, 8);
  auto f32 = Float32Type::get(context);
  if (axis < 0)
    return quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed,
                                            i8, f32, scales[0], 0, -127, 127);
  SmallVector<double> wide(scales.begin(), scales.end());
  SmallVector<int64_t> zeros(scales.size(), 0);
  return quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, i8, f32, wide, zeros,
      static_cast<int32_t>(axis), -127, 127);
}
