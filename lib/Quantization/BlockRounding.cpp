//===- BlockRounding.cpp - Weights rounded to blocks ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockRounding.h"
#include "WeightScales.h"

#include "mlir/IR/Threading.h"
#include "llvm/ADT/bit.h"

#include <atomic>
#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Half to even for |x| < 2^22, in arithmetic that compilers vectorize.
static float roundSmall(float x) {
  constexpr float magic = 0x1.8p23f;
  return (x + magic) - magic;
}

/// The nearest bfloat16, which kernels store in two bytes.
static float toBFloat(float x) {
  auto bits = llvm::bit_cast<uint32_t>(x);
  bits += 0x7fff + (bits >> 16 & 1);
  return llvm::bit_cast<float>(bits & 0xffff0000u);
}

/// Largest and smallest integer, the middle being 0.
static float highest(int64_t bits) { return float((1 << (bits - 1)) - 1); }
static float lowest(int64_t bits) { return -float(1 << (bits - 1)); }

static float squaredError(ArrayRef<float> weights, float scale, int64_t bits) {
  float low = lowest(bits), high = highest(bits), inverse = 1 / scale;
  float error = 0;
  for (float weight : weights) {
    // Clamped first: what is rounded must be small.
    float q = std::min(std::max(weight * inverse, low), high);
    float difference = roundSmall(q) * scale - weight;
    error += difference * difference;
  }
  return error;
}

float qcc::chooseBlockScale(ArrayRef<float> weights, int64_t bits) {
  float maximum = 0;
  for (float weight : weights)
    maximum = std::max(maximum, std::abs(weight));
  float full = toBFloat(maximum / highest(bits));
  if (full < kMinWeightScale)
    return maximum == 0 ? 1.f : kMinWeightScale;
  // The more integers there are, the less there is to gain by clipping.
  if (bits == 8)
    return full;
  constexpr int parts = 48;
  float best = full, least = squaredError(weights, full, bits);
  for (int part = parts - 1; part >= parts / 2; --part) {
    float scale = toBFloat(full * (float(part) / parts));
    float error = squaredError(weights, scale, bits);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

int64_t qcc::roundWeight(float weight, float scale, int64_t bits) {
  float q = std::min(std::max(weight / scale, lowest(bits)), highest(bits));
  return int64_t(std::nearbyint(q)) - int64_t(lowest(bits));
}

std::optional<BlockWeights> qcc::roundToNearest(MLIRContext *context,
                                                const WeightMatrix &matrix,
                                                int64_t block, int64_t bits) {
  BlockWeights result(matrix.columns, matrix.depth, block, bits);
  std::atomic<bool> isFinite = true;
  parallelFor(context, 0, size_t(matrix.columns), [&](size_t column) {
    std::vector<float> weights;
    for (int64_t first = 0; first < matrix.depth; first += block) {
      int64_t last = std::min(first + block, matrix.depth);
      weights.clear();
      for (int64_t k = first; k < last; ++k)
        weights.push_back(matrix.at(int64_t(column), k));
      if (!llvm::all_of(weights, [](float w) { return std::isfinite(w); })) {
        isFinite = false;
        return;
      }
      float scale = chooseBlockScale(weights, bits);
      result.scales[result.blockOf(int64_t(column), first)] = scale;
      for (int64_t k = first; k < last; ++k)
        result.set(int64_t(column), k,
                   roundWeight(weights[size_t(k - first)], scale, bits));
    }
  });
  if (!isFinite)
    return std::nullopt;
  return result;
}
