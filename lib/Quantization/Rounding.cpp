//===- Rounding.cpp - Which integer a weight becomes ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/Rounding.h"

#include "qcc/Support/QuantMath.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace qcc;
using llvm::ArrayRef;

/// Part of the mean of the diagonal that is added to it: moments of few samples
/// are singular.
static constexpr float kDamping = 0.01f;

static int8_t roundTo(float value, float scale, const RoundingGrid &grid) {
  return int8_t(std::clamp(roundHalfEven(value / scale), float(grid.qmin),
                           float(grid.qmax)));
}

std::vector<int8_t> qcc::roundNearest(ArrayRef<float> weights, size_t columns,
                                      const RoundingGrid &grid) {
  std::vector<int8_t> integers(weights.size());
  for (size_t i = 0; i < weights.size(); ++i)
    integers[i] = roundTo(weights[i],
                          grid.scale(i / columns, i % columns, columns), grid);
  return integers;
}

static float damping(const Moments &moments) {
  double sum = 0;
  for (size_t i = 0; i < moments.size; ++i)
    sum += moments.at(i, i);
  return float(kDamping * sum / double(std::max<size_t>(moments.size, 1)));
}

/// The upper triangular R with R^T R = the damped moments in the given order;
/// empty where the matrix is not positive.
static std::vector<float> factorize(const Moments &moments,
                                    ArrayRef<size_t> order) {
  size_t n = moments.size;
  float damp = damping(moments);
  std::vector<float> r(n * n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = i; j < n; ++j)
      r[i * n + j] = moments.at(order[i], order[j]) + (i == j ? damp : 0);
  for (size_t i = 0; i < n; ++i) {
    float *row = &r[i * n];
    if (!(row[i] > 0))
      return {};
    float inverse = 1 / std::sqrt(row[i]);
    for (size_t j = i; j < n; ++j)
      row[j] *= inverse;
    for (size_t k = i + 1; k < n; ++k) {
      float factor = row[k], *behind = &r[k * n];
      if (factor != 0)
        for (size_t j = k; j < n; ++j)
          behind[j] -= factor * row[j];
    }
  }
  return r;
}

std::vector<int8_t> qcc::roundSecondOrder(ArrayRef<float> weights,
                                          const Moments &moments,
                                          const RoundingGrid &grid) {
  size_t n = moments.size;
  // The weights with the largest inputs are rounded first, when most others
  // are left: they stand at the end of the factor.
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(moments.at(a, a), a) < std::pair(moments.at(b, b), b);
  });
  std::vector<float> r = factorize(moments, order);
  std::vector<int8_t> integers = roundNearest(weights, n, grid);
  if (r.empty())
    return integers;
  // |R (v - w)|^2 is minimized from its last element on: each takes the best
  // integer given those behind it.
  std::vector<float> error(n);
  for (size_t row = 0; row < weights.size() / n; ++row) {
    for (size_t i = n; i-- > 0;) {
      const float *factors = &r[i * n];
      float sum = 0;
      for (size_t j = i + 1; j < n; ++j)
        sum += factors[j] * error[j];
      size_t column = order[i];
      float weight = weights[row * n + column];
      float scale = grid.scale(row, column, n);
      int8_t q = roundTo(weight - sum / factors[i], scale, grid);
      integers[row * n + column] = q;
      error[i] = float(q) * scale - weight;
    }
  }
  return integers;
}

/// (v - w) G, for one row.
static void multiply(ArrayRef<float> error, const Moments &moments,
                     std::vector<float> &result) {
  size_t n = moments.size;
  std::fill(result.begin(), result.end(), 0.f);
  for (size_t i = 0; i < n; ++i) {
    const float *row = &moments.values[i * n];
    if (error[i] != 0)
      for (size_t j = 0; j < n; ++j)
        result[j] += error[i] * row[j];
  }
}

namespace {
/// Of one row, the relaxed choice between rounding down and up.
class LearnedRow {
public:
  LearnedRow(ArrayRef<float> weights, size_t row, const Moments &moments,
             const RoundingGrid &grid, float diagonal);
  void learn();
  int8_t integer(size_t i) const;

private:
  /// Adam (Kingma and Ba) with the constants of the paper.
  void step(size_t i, float gradient, float beta1Power, float beta2Power);

  // The rectified sigmoid reaches 0 and 1 at finite values.
  static constexpr float kLow = -0.1f, kHigh = 1.1f;
  static constexpr int kIterations = 600;
  static constexpr float kRate = 0.03f, kRegularizer = 0.02f;
  static constexpr float kFirstBeta = 20, kLastBeta = 2, kWarmUp = 0.2f;

  const Moments &moments;
  float diagonal;
  std::vector<float> scales, floors, rests, values, first, second;
};
} // namespace

LearnedRow::LearnedRow(ArrayRef<float> weights, size_t row,
                       const Moments &moments, const RoundingGrid &grid,
                       float diagonal)
    : moments(moments), diagonal(diagonal) {
  size_t n = moments.size;
  for (size_t i = 0; i < n; ++i) {
    float scale = grid.scale(row, i, n);
    float steps = weights[row * n + i] / scale;
    // A weight outside the grid has no choice.
    float floor =
        std::clamp(std::floor(steps), float(grid.qmin), float(grid.qmax) - 1);
    float rest = steps - floor;
    scales.push_back(scale);
    floors.push_back(floor);
    rests.push_back(rest);
    float h = std::clamp(rest, 0.01f, 0.99f);
    float s = (h - kLow) / (kHigh - kLow);
    values.push_back(std::log(s / (1 - s)));
  }
  first.assign(n, 0);
  second.assign(n, 0);
}

void LearnedRow::step(size_t i, float gradient, float beta1Power,
                      float beta2Power) {
  first[i] = 0.9f * first[i] + 0.1f * gradient;
  second[i] = 0.999f * second[i] + 0.001f * gradient * gradient;
  float mean = first[i] / (1 - beta1Power),
        square = second[i] / (1 - beta2Power);
  values[i] -= kRate * mean / (std::sqrt(square) + 1e-8f);
}

void LearnedRow::learn() {
  size_t n = moments.size;
  std::vector<float> sigmoid(n), error(n), gradients(n);
  float beta1Power = 1, beta2Power = 1;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    beta1Power *= 0.9f;
    beta2Power *= 0.999f;
    for (size_t i = 0; i < n; ++i) {
      sigmoid[i] = 1 / (1 + std::exp(-values[i]));
      float h = std::clamp(sigmoid[i] * (kHigh - kLow) + kLow, 0.f, 1.f);
      error[i] = (h - rests[i]) * scales[i];
    }
    multiply(error, moments, gradients);
    float progress = float(iteration) / kIterations;
    bool regularize = progress >= kWarmUp;
    float beta = kFirstBeta + (kLastBeta - kFirstBeta) * (progress - kWarmUp) /
                                  (1 - kWarmUp);
    for (size_t i = 0; i < n; ++i) {
      float stretched = sigmoid[i] * (kHigh - kLow) + kLow;
      if (stretched <= 0 || stretched >= 1)
        continue; // the rectifier passes no gradient
      // In units of one step of this weight alone.
      float slope = 2 * gradients[i] / (scales[i] * diagonal);
      if (regularize) {
        float t = 2 * stretched - 1;
        slope -= kRegularizer * 2 * beta *
                 std::copysign(std::pow(std::abs(t), beta - 1), t);
      }
      step(i, slope * (kHigh - kLow) * sigmoid[i] * (1 - sigmoid[i]),
           beta1Power, beta2Power);
    }
  }
}

int8_t LearnedRow::integer(size_t i) const {
  float stretched = (kHigh - kLow) / (1 + std::exp(-values[i])) + kLow;
  return int8_t(floors[i] + (stretched >= 0.5f ? 1 : 0));
}

std::vector<int8_t> qcc::roundLearned(ArrayRef<float> weights,
                                      const Moments &moments,
                                      const RoundingGrid &grid) {
  size_t n = moments.size;
  std::vector<int8_t> integers = roundNearest(weights, n, grid);
  float diagonal = damping(moments) / kDamping;
  if (!(diagonal > 0))
    return integers;
  for (size_t row = 0; row < weights.size() / n; ++row) {
    LearnedRow learned(weights, row, moments, grid, diagonal);
    learned.learn();
    for (size_t i = 0; i < n; ++i)
      integers[row * n + i] = learned.integer(i);
  }
  return integers;
}

std::vector<double> qcc::outputError(ArrayRef<float> weights,
                                     ArrayRef<int8_t> integers,
                                     const Moments &moments,
                                     const RoundingGrid &grid) {
  size_t n = moments.size;
  std::vector<double> errors;
  std::vector<float> error(n), product(n);
  for (size_t row = 0; row < weights.size() / n; ++row) {
    for (size_t i = 0; i < n; ++i)
      error[i] = float(integers[row * n + i]) * grid.scale(row, i, n) -
                 weights[row * n + i];
    multiply(error, moments, product);
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
      sum += double(error[i]) * product[i];
    errors.push_back(sum);
  }
  return errors;
}

void qcc::keepBetterRows(ArrayRef<float> weights, std::vector<int8_t> &integers,
                         ArrayRef<int8_t> others, const Moments &moments,
                         const RoundingGrid &grid) {
  std::vector<double> own = outputError(weights, integers, moments, grid),
                      other = outputError(weights, others, moments, grid);
  for (size_t row = 0; row < own.size(); ++row)
    if (other[row] < own[row])
      std::copy_n(others.begin() + row * moments.size, moments.size,
                  integers.begin() + row * moments.size);
}
