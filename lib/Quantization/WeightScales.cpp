//===- WeightScales.cpp - Symmetric scales of weights ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightScales.h"

#include "qcc/Support/QuantMath.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

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

std::optional<WeightClip> qcc::parseWeightClip(StringRef name) {
  return llvm::StringSwitch<std::optional<WeightClip>>(name)
      .Case("max", WeightClip::Max)
      .Case("mse", WeightClip::MSE)
      .Case("octav", WeightClip::Octav)
      .Default(std::nullopt);
}

/// The clip with the least squared error, among 64 parts of the maximum.
static float searchClip(ArrayRef<float> weights, float maximum) {
  float best = maximum;
  double least = -1;
  for (int part = 64; part >= 24; --part) {
    float clip = maximum * float(part) / 64;
    float scale = clip / 127;
    if (scale < kMinWeightScale)
      break;
    double error = 0;
    for (float weight : weights) {
      double q = std::clamp(roundHalfEven(weight / scale), -127.f, 127.f);
      error += (q * scale - weight) * (q * scale - weight);
    }
    if (least < 0 || error < least) {
      least = error;
      best = clip;
    }
  }
  return best;
}

/// Optimally clipped tensors and vectors (Sakr et al.): the clip at which the
/// derivative of clipping and rounding error vanishes.
static float iterateClip(ArrayRef<float> weights, float maximum) {
  constexpr int iterations = 32;
  constexpr double rounding = 1.0 / (3 * 65536.0); // 4^-8 / 3
  double clip = 0;
  for (float weight : weights)
    clip += std::abs(weight) / double(weights.size());
  for (int i = 0; i < iterations; ++i) {
    double outside = 0, numOutside = 0, numInside = 0;
    for (float weight : weights) {
      double magnitude = std::abs(weight);
      if (magnitude > clip) {
        outside += magnitude;
        ++numOutside;
      } else if (magnitude > 0) {
        ++numInside;
      }
    }
    double denominator = rounding * numInside + numOutside;
    if (outside == 0 || denominator == 0)
      break;
    clip = outside / denominator;
  }
  return clip > 0 ? std::min(float(clip), maximum) : maximum;
}

SmallVector<float> qcc::chooseClips(ArrayRef<float> weights,
                                    const WeightChannels &channels,
                                    ArrayRef<float> maxima, WeightClip clip) {
  SmallVector<float> clips(maxima);
  if (clip == WeightClip::Max)
    return clips;
  std::vector<std::vector<float>> byChannel(channels.count);
  for (auto [i, weight] : llvm::enumerate(weights))
    byChannel[channels.of(i)].push_back(weight);
  for (auto [result, own] : llvm::zip_equal(clips, byChannel))
    if (result > 0)
      result = clip == WeightClip::MSE ? searchClip(own, result)
                                       : iterateClip(own, result);
  return clips;
}

std::optional<SmallVector<float>>
qcc::chooseColumnScales(ArrayRef<float> columns, const LayerRows &rows,
                        WeightClip clip) {
  WeightChannels channels({rows.columns(), rows.depth()}, 0);
  auto maxima = getChannelMaxima(columns, channels);
  if (!maxima)
    return std::nullopt;
  SmallVector<float> scales = chooseClips(columns, channels, *maxima, clip);
  for (float &scale : scales)
    scale = scale == 0 ? 1 : std::max(scale / 127, kMinWeightScale);
  return scales;
}

std::vector<char> qcc::quantizeSymmetric(ArrayRef<float> weights,
                                         const WeightChannels &channels,
                                         ArrayRef<float> scales,
                                         unsigned bits) {
  int64_t most = llvm::maxIntN(bits);
  std::vector<char> result(weights.size() * bits / 8);
  for (auto [i, weight] : llvm::enumerate(weights)) {
    int64_t q = quantize(weight, {scales[channels.of(i)], 0, -most, most});
    if (bits == 8)
      result[i] = static_cast<char>(q);
    else
      llvm::support::endian::write16le(&result[2 * i], uint16_t(q));
  }
  return result;
}

Type qcc::getSymmetricType(MLIRContext *context, ArrayRef<float> scales,
                           int64_t axis, unsigned bits) {
  auto storage = IntegerType::get(context, bits);
  auto f32 = Float32Type::get(context);
  int64_t most = llvm::maxIntN(bits);
  if (axis < 0)
    return quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed,
                                            storage, f32, scales[0], 0, -most,
                                            most);
  SmallVector<double> wide(scales.begin(), scales.end());
  SmallVector<int64_t> zeros(scales.size(), 0);
  return quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, storage, f32, wide, zeros,
      static_cast<int32_t>(axis), -most, most);
}

SmallVector<float> qcc::chooseWordScales(ArrayRef<float> weights,
                                         const WeightChannels &channels,
                                         ArrayRef<float> maxima,
                                         int64_t largest, double budget) {
  std::vector<double> sums(channels.count, 0);
  for (auto [i, weight] : llvm::enumerate(weights))
    sums[channels.of(i)] += std::abs(double(weight));
  // Rounding adds half a unit to each weight.
  double halves = double(weights.size()) / double(channels.count) / 2;
  double units = std::max(budget / double(largest) - halves, 1.0);
  SmallVector<float> scales;
  for (auto [maximum, sum] : llvm::zip_equal(maxima, sums))
    scales.push_back(std::max(maximum / 32767.f, float(sum / units)));
  return scales;
}
