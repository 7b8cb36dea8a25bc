//===- Range.cpp - From a distribution to the range of 8 bits -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Range.h"

#include "llvm/ADT/STLExtras.h"

#include <cfloat>
#include <cmath>
#include <functional>

using namespace qcc;
using Bins = std::vector<Histogram::Bin>;

static constexpr std::pair<RangeMethod, const char *> methodNames[] = {
    {RangeMethod::Auto, "auto"},
    {RangeMethod::MinMax, "minmax"},
    {RangeMethod::Percentile, "percentile"},
    {RangeMethod::Entropy, "entropy"},
    {RangeMethod::MSE, "mse"},
};

llvm::StringRef qcc::name(RangeMethod method) {
  for (auto [known, text] : methodNames)
    if (known == method)
      return text;
  return "";
}

std::optional<RangeMethod> qcc::parseRangeMethod(llvm::StringRef name) {
  for (auto [method, text] : methodNames)
    if (name == text)
      return method;
  return std::nullopt;
}

QuantParams qcc::chooseParams(float min, float max) {
  double lo = std::min(min, 0.f), hi = std::max(max, 0.f);
  QuantParams params;
  params.qmin = 0;
  params.qmax = 255;
  if (lo != hi)
    // Denormal scales lose precision, and some machines flush them to zero.
    params.scale = std::max(float((hi - lo) / 255), FLT_MIN);
  float zeroPoint = roundHalfEven(float(-lo) / params.scale);
  params.zeroPoint = int64_t(std::clamp(zeroPoint, 0.f, 255.f));
  return params;
}

//===----------------------------------------------------------------------===//
// Mean squared error
//===----------------------------------------------------------------------===//

/// The integral of (u - round(u))^2 up to u, plus a constant.
static double roundingIntegral(double u) {
  double whole = std::nearbyint(u), rest = u - whole;
  return whole / 12 + rest * rest * rest / 3;
}

static double cube(double x) { return x * x * x; }

double qcc::quantizationError(const Bins &bins, const QuantParams &params) {
  double umin = double(params.qmin - params.zeroPoint),
         umax = double(params.qmax - params.zeroPoint);
  double sum = 0, count = 0;
  for (const Histogram::Bin &bin : bins) {
    count += double(bin.count);
    double a = bin.low / params.scale, b = bin.high / params.scale;
    double error;
    if (b - a < 1e-6) {
      double middle = (a + b) / 2;
      double distance = middle - std::nearbyint(std::clamp(middle, umin, umax));
      error = distance * distance;
    } else {
      // Below the range, inside it, above it.
      double integral = 0;
      if (a < umin)
        integral += (cube(umin - a) - cube(umin - std::min(b, umin))) / 3;
      if (b > umax)
        integral += (cube(b - umax) - cube(std::max(a, umax) - umax)) / 3;
      double from = std::clamp(a, umin, umax), to = std::clamp(b, umin, umax);
      if (from < to)
        integral += roundingIntegral(to) - roundingIntegral(from);
      error = integral / (b - a);
    }
    sum += double(bin.count) * error;
  }
  return count == 0 ? 0
                    : sum / count * double(params.scale) * double(params.scale);
}

/// Neighbouring bins joined by fours: enough for a search.
static Bins coarsen(const Bins &bins) {
  Bins result;
  for (const Histogram::Bin &bin : bins) {
    bool join = !result.empty() && (bin.low > 0) == (result.back().low > 0) &&
                (bin.high < 0) == (result.back().high < 0) &&
                std::abs(bin.high - result.back().low) <=
                    std::abs(bin.low + bin.high) / 64;
    if (join && bin.low != bin.high) {
      result.back().high = bin.high;
      result.back().count += bin.count;
    } else {
      result.push_back(bin);
    }
  }
  return result;
}

/// Shrinks the range from both ends, alternately, to the least error. The
/// factors are powers of two, so that outliers of any size are left behind.
static Range searchMSE(const Bins &bins, Range range) {
  auto error = [&](float lo, float hi) {
    return quantizationError(bins, chooseParams(lo, hi));
  };
  const float min = range.min, max = range.max;
  double best = error(min, max);
  auto shrink = [&](float end, double from, double to, double step,
                    llvm::function_ref<double(float)> measure,
                    double &exponent) {
    for (double e = from; e <= to; e += step) {
      double measured = measure(float(end * std::exp2(-e)));
      if (measured < best) {
        best = measured;
        exponent = e;
      } else if (measured > 8 * best) {
        return; // clipping only gets worse from here
      }
    }
  };
  double lowExponent = 0, highExponent = 0;
  for (int round = 0; round < 3; ++round) {
    double before = best;
    // Coarse steps over 24 octaves first, then fine ones around the best.
    double step = round == 0 ? 0.25 : round == 1 ? 0.0625 : 0.015625;
    double reach = round == 0 ? 24 : 4 * step;
    auto limits = [&](double exponent) {
      return round == 0
                 ? std::pair(step, reach)
                 : std::pair(std::max(0.0, exponent - reach), exponent + reach);
    };
    if (max > 0) {
      auto [from, to] = limits(highExponent);
      shrink(
          max, from, to, step, [&](float end) { return error(range.min, end); },
          highExponent);
      range.max = float(max * std::exp2(-highExponent));
    }
    if (min < 0) {
      auto [from, to] = limits(lowExponent);
      shrink(
          min, from, to, step, [&](float end) { return error(end, range.max); },
          lowExponent);
      range.min = float(min * std::exp2(-lowExponent));
    }
    if (round > 0 && best == before)
      break;
  }
  range.method = RangeMethod::MSE;
  return range;
}

//===----------------------------------------------------------------------===//
// Entropy
//===----------------------------------------------------------------------===//

/// The distribution as equally wide bins over [min, max]. Zeros are left out:
/// every range represents them exactly, and behind a relu their spike would
/// outweigh all the rest.
static std::vector<double> linearBins(const Bins &bins, double min, double max,
                                      size_t count) {
  std::vector<double> linear(count);
  double width = (max - min) / double(count);
  auto place = [&](double x) {
    return std::clamp((x - min) / width, 0.0, double(count));
  };
  for (const Histogram::Bin &bin : bins) {
    if (bin.low == 0 && bin.high == 0)
      continue;
    double a = place(bin.low), b = place(bin.high);
    size_t first = std::min(size_t(a), count - 1),
           last = std::min(size_t(b), count - 1);
    if (first == last) {
      linear[first] += double(bin.count);
      continue;
    }
    double density = double(bin.count) / (b - a);
    for (size_t i = first; i <= last; ++i)
      linear[i] +=
          density * (std::min(b, double(i + 1)) - std::max(a, double(i)));
  }
  return linear;
}

/// The divergence of the distribution, clipped to bins [first, last), from the
/// same one after merging bins to 256 levels.
static double divergence(llvm::ArrayRef<double> bins, size_t first,
                         size_t last) {
  constexpr size_t levels = 256;
  std::vector<double> clipped(bins.begin() + first, bins.begin() + last);
  for (size_t i = 0; i < first; ++i)
    clipped.front() += bins[i];
  for (size_t i = last; i < bins.size(); ++i)
    clipped.back() += bins[i];
  size_t n = clipped.size();
  double total = 0, result = 0;
  for (double p : clipped)
    total += p;
  for (size_t level = 0; level < levels; ++level) {
    size_t from = level * n / levels, to = (level + 1) * n / levels;
    // A level has what lies inside the range; bins that are empty stay so.
    double mass = 0;
    size_t used = 0;
    for (size_t i = from; i < to; ++i) {
      mass += bins[first + i];
      used += clipped[i] != 0;
    }
    for (size_t i = from; i < to; ++i) {
      if (clipped[i] == 0)
        continue;
      double p = clipped[i] / total;
      double q = std::max(mass / double(used) / total, 1e-12);
      result += p * std::log(p / q);
    }
  }
  return result;
}

static Range searchEntropy(const Bins &bins, Range range) {
  constexpr size_t count = 4096, candidates = 64, smallest = 512;
  Range result{range.min, range.max, RangeMethod::Entropy};
  if (range.min == range.max)
    return result;
  std::vector<double> linear = linearBins(bins, range.min, range.max, count);
  // The bin of 0 stays inside: both ends move towards it in proportion.
  double width = (double(range.max) - range.min) / count;
  double zero = -double(range.min) / width;
  double best = DBL_MAX;
  for (size_t i = candidates; i * count / candidates >= smallest; --i) {
    double part = double(i) / candidates;
    auto first = size_t(std::floor(zero * (1 - part)));
    auto last = size_t(std::ceil(zero + (count - zero) * part));
    last = std::min(last, count);
    double measured = divergence(linear, first, last);
    if (measured < best) {
      best = measured;
      result.min = i == candidates ? range.min
                                   : float(range.min + width * double(first));
      result.max =
          i == candidates ? range.max : float(range.min + width * double(last));
    }
  }
  return result;
}

//===----------------------------------------------------------------------===//

Range qcc::estimateRange(const Histogram &histogram,
                         const RangeOptions &options) {
  Range all{std::min(histogram.min(), 0.f), std::max(histogram.max(), 0.f),
            RangeMethod::MinMax};
  auto percentile = [&]() -> Range {
    double part = options.percentile / 100;
    return {float(std::min(histogram.quantile(1 - part), 0.0)),
            float(std::max(histogram.quantile(part), 0.0)),
            RangeMethod::Percentile};
  };
  if (histogram.count() == 0 || options.method == RangeMethod::MinMax)
    return all;
  if (options.method == RangeMethod::Percentile)
    return percentile();
  Bins bins = histogram.bins();
  if (options.method == RangeMethod::Entropy)
    return searchEntropy(bins, all);
  Bins coarse = coarsen(bins);
  Range mse = searchMSE(coarse, all);
  if (options.method == RangeMethod::MSE)
    return mse;
  // Samples that were not seen reach further than those that were: a wider
  // range is kept while it costs little.
  constexpr double tolerance = 1.1;
  auto error = [&](const Range &range) {
    return quantizationError(coarse, chooseParams(range.min, range.max));
  };
  double least = error(mse);
  for (const Range &range : {all, percentile()})
    if (error(range) <= tolerance * least)
      return range;
  return mse;
}
