//===- Histogram.cpp - Distribution of a tensor in bounded memory ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Histogram.h"

#include "llvm/ADT/bit.h"

#include <algorithm>
#include <cmath>
#include <utility>

using namespace qcc;

static constexpr unsigned binsPerOctave = 128;
static constexpr uint32_t window = 32 * binsPerOctave;
static constexpr uint32_t nonFinite = 0x7f80; ///< exponent of all ones

/// Sign, exponent and upper 7 bits of the mantissa.
static uint32_t upperBits(float value) {
  return llvm::bit_cast<uint32_t>(value) >> 16;
}
/// The first bin that is not counted as zero beside a value of magnitude `top`.
static uint32_t bottomOf(float top) {
  uint32_t index = upperBits(top);
  return index < window ? 1 : index - window + 1;
}
/// The smallest magnitude of a bin.
static double lowerEdge(uint32_t index) {
  return index >= nonFinite ? 0x1p128
                            : double(llvm::bit_cast<float>(index << 16));
}

void Histogram::Side::add(uint32_t index, uint64_t count) {
  if (counts.empty())
    first = index;
  if (index < first) {
    counts.insert(counts.begin(), first - index, 0);
    first = index;
  }
  if (index - first >= counts.size())
    counts.resize(index - first + 1);
  counts[index - first] += count;
}

void Histogram::addTotals(float lo, float hi, uint64_t count) {
  lowest = total ? std::min(lowest, lo) : lo;
  highest = total ? std::max(highest, hi) : hi;
  total += count;
}

void Histogram::trim() {
  uint32_t bottom = bottomOf(std::max(std::abs(lowest), std::abs(highest)));
  for (Side *side : {&positive, &negative}) {
    if (side->counts.empty() || side->first >= bottom)
      continue;
    auto keep = side->counts.begin() +
                std::min<size_t>(bottom - side->first, side->counts.size());
    for (auto it = side->counts.begin(); it != keep; ++it)
      zeros += *it;
    side->counts.erase(side->counts.begin(), keep);
    side->first = bottom;
  }
}

bool Histogram::add(llvm::ArrayRef<float> values) {
  if (values.empty())
    return true;
  // One increment per value without a branch: NaN and infinities are found
  // afterwards, by their bins. Between calls all counts are 0.
  static thread_local std::vector<uint64_t> counts(1 << 16);
  float lo = values[0], hi = values[0];
  for (float value : values) {
    ++counts[upperBits(value)];
    lo = value < lo ? value : lo;
    hi = value > hi ? value : hi;
  }
  constexpr uint32_t signBit = 0x8000;
  for (uint32_t index = nonFinite; index < signBit; ++index)
    if (counts[index] || counts[index | signBit]) {
      std::fill(counts.begin(), counts.end(), 0);
      return false;
    }

  addTotals(lo, hi, values.size());
  // Values too small for the window do not even enter it.
  uint32_t top = upperBits(std::max(std::abs(lo), std::abs(hi)));
  uint32_t bottom = bottomOf(std::max(std::abs(lowest), std::abs(highest)));
  for (uint32_t index = 0; index <= top; ++index) {
    uint64_t up = std::exchange(counts[index], 0),
             down = std::exchange(counts[index | signBit], 0);
    if (index < bottom) {
      zeros += up + down;
      continue;
    }
    if (up)
      positive.add(index, up);
    if (down)
      negative.add(index, down);
  }
  trim();
  return true;
}

void Histogram::merge(const Histogram &other) {
  if (other.total == 0)
    return;
  addTotals(other.lowest, other.highest, other.total);
  zeros += other.zeros;
  auto mergeSide = [](Side &to, const Side &from) {
    for (size_t i = 0; i < from.counts.size(); ++i)
      if (from.counts[i])
        to.add(from.first + uint32_t(i), from.counts[i]);
  };
  mergeSide(positive, other.positive);
  mergeSide(negative, other.negative);
  trim();
}

std::vector<Histogram::Bin> Histogram::bins() const {
  std::vector<Bin> result;
  // The outermost bins end where the data does.
  auto add = [&](double low, double high, uint64_t count) {
    if (count)
      result.push_back({std::max(low, double(lowest)),
                        std::min(high, double(highest)), count});
  };
  for (size_t i = negative.counts.size(); i-- > 0;) {
    uint32_t index = negative.first + uint32_t(i);
    add(-lowerEdge(index + 1), -lowerEdge(index), negative.counts[i]);
  }
  if (zeros)
    result.push_back({0, 0, zeros});
  for (size_t i = 0; i < positive.counts.size(); ++i) {
    uint32_t index = positive.first + uint32_t(i);
    add(lowerEdge(index), lowerEdge(index + 1), positive.counts[i]);
  }
  return result;
}

double Histogram::quantile(double part) const {
  double target = std::clamp(part, 0.0, 1.0) * double(total), below = 0;
  for (const Bin &bin : bins()) {
    if (below + double(bin.count) >= target) {
      double inside = (target - below) / double(bin.count);
      return bin.low + inside * (bin.high - bin.low);
    }
    below += double(bin.count);
  }
  return highest;
}
