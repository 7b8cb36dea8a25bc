//===- ColumnDepthwisePlan.cpp - How depthwise is cut by columns ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ColumnDepthwisePlan.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace qcc;

/// What a slab should take, to stay in a first-level cache with the weights,
/// and the most stack that it may.
static constexpr int64_t goodSlabBytes = 6 * 1024;
static constexpr int64_t maxSlabBytes = 192 * 1024;
/// What a slab of all channels may take where columns are a stride apart, in
/// half a first-level cache: their vectors cross its lines.
static constexpr int64_t flatSlabBytes = 16 * 1024;
/// Images beyond this are not read again from the second-level cache.
static constexpr int64_t residentBytes = 1024 * 1024;
/// Narrower segments read too many columns twice.
static constexpr int64_t minSegment = 8;
/// The most dot products per output vector; each is code of its own.
static constexpr int64_t maxDots = 256;

void ColumnDepthwisePlan::forBundles(
    int64_t row, llvm::function_ref<void(int64_t)> f) const {
  const ConvShape &s = shape;
  for (int64_t bundle = row * s.sh / taps;
       bundle <= (row * s.sh + s.kh - 1) / taps; ++bundle)
    f(bundle);
}

/// Dot products of one vector of each of `rows` output rows.
int64_t ColumnDepthwisePlan::dotsOf(int64_t rows) const {
  int64_t dots = 0;
  for (int64_t row = 0; row < rows; ++row)
    forBundles(row, [&](int64_t) { dots += taps * shape.kd * shape.kw; });
  return dots;
}

/// About the cycles per output vector for sums and interleaving, with two dot
/// products or one shuffle each: eight interleave four vectors of bytes, two
/// two vectors of 16 bits.
double ColumnDepthwisePlan::cost(int64_t rows) const {
  double shuffles = taps == 4 ? 8 : 2;
  return (dotsOf(rows) * 0.5 + shuffles * shape.kd *
                                   llvm::divideCeil(inputRowsOf(rows), taps) *
                                   shape.sw) /
         double(rows);
}

ColumnDepthwisePlan::ColumnDepthwisePlan(const DepthwisePart &part,
                                         const TargetLevel &level,
                                         unsigned bits)
    : shape(part.shape), resultRows(part.rows), bits(bits), taps(32 / bits),
      vector(level.vectorBytes * 8 / bits) {
  const ConvShape &s = shape;
  int64_t sums = level.numVectorRegisters / (2 * taps);
  // Beyond these, a slab may not fit and nothing is gained.
  int64_t mostRows = std::min<int64_t>(level.numVectorRegisters / 8, s.oh);
  int64_t mostInputRows = 4 * taps;
  if (s.dh == 1)
    for (int64_t r = 2; r <= mostRows && inputRowsOf(r) <= mostInputRows; ++r)
      if (dotsOf(r) <= maxDots && cost(r) < cost(rows))
        rows = r;
  inputRows = inputRowsOf(rows);
  planeBundles = llvm::divideCeil(inputRows, taps);

  int64_t block = 128 / bits; // channels of whole 16 bytes
  int64_t flatColumns = (minSegment - 1) * s.sw + (s.kw - 1) * s.dw + 1;
  sliced = s.c % vector == 0 || s.c > 3 * vector || s.c % block != 0 ||
           (s.sw > 1 && s.c > vector &&
            bundles() * taps * flatColumns * s.c * int64_t(bits) / 8 >
                flatSlabBytes);
  channels = sliced ? vector : s.c;
  slices = sliced ? s.c / vector : 1;
  slicesInner = s.h * s.w * s.c * int64_t(bits) / 8 > residentBytes;

  for (int64_t bundle = 0; bundle < bundles(); ++bundle)
    for (int64_t kw = 0; kw < s.kw; ++kw)
      for (int64_t row = 0; row < rows; ++row)
        forBundles(row, [&](int64_t used) {
          if (used == bundle % planeBundles)
            entries.push_back({bundle, kw, row});
        });

  cutColumns();
  int64_t run = segment * channels, full = run / vector;
  if (sliced) {
    for (int64_t at = 0; at < s.c; at += vector)
      firstChannels.push_back(std::min(at, s.c - vector));
  } else {
    int64_t period = s.c / std::gcd(s.c, vector);
    phases = std::max<int64_t>(1, std::min(period, full));
    tailPhase = full % period;
    int64_t used = std::max(phases, run % vector ? tailPhase + 1 : 0);
    for (int64_t phase = 0; phase < used; ++phase)
      firstChannels.push_back(phase * vector % s.c);
  }
  // Steps of equal size.
  int64_t rounds = std::max<int64_t>(1, full / phases);
  int64_t most = std::max<int64_t>(1, sums / rows);
  outputs = llvm::divideCeil(rounds, llvm::divideCeil(rounds, most));
}

void ColumnDepthwisePlan::cutColumns() {
  const ConvShape &s = shape;
  auto setSegment = [&](int64_t width) {
    segment = width;
    int64_t columns = (width - 1) * s.sw + (s.kw - 1) * s.dw + 1;
    planeColumns = llvm::divideCeil(columns, s.sw);
    // The last vector may be read beyond the columns.
    planeElements =
        llvm::alignTo(planeColumns * channels + vector, 64 * 8 / bits);
  };
  setSegment(s.ow);
  int64_t least = std::max(minSegment, (s.kw - 1) * s.dw / s.sw);
  while (slabElements() * int64_t(bits) / 8 > goodSlabBytes &&
         segment > least) {
    ++segments;
    setSegment(llvm::divideCeil(s.ow, segments));
  }
  segments = llvm::divideCeil(s.ow, segment);
}

bool ColumnDepthwisePlan::fits() const {
  const ConvShape &s = shape;
  return (s.c >= vector || s.c * int64_t(bits) % 128 == 0) &&
         slabElements() * int64_t(bits) / 8 <= maxSlabBytes &&
         int64_t(entries.size()) * taps <= maxDots;
}

bool ColumnDepthwisePlan::applies() const {
  const ConvShape &s = shape;
  if (!fits())
    return false;
  // There is no other kernel, or it cannot hold the rows that a window needs.
  int64_t rowBytes = ((s.ow - 1) * s.sw + (s.kw - 1) * s.dw + 1) * s.c;
  if (bits == 16 || s.kd * ((s.kh - 1) * s.dh + 1) * rowBytes > maxSlabBytes)
    return true;
  // Interleaving the taps of each output takes eight shuffles per four.
  double overlap = sliced ? double(llvm::divideCeil(s.c, vector)) *
                                double(vector) / double(s.c)
                          : 1;
  return cost(rows) * overlap < 8.0 * double(llvm::divideCeil(s.taps(), 4));
}

std::string ColumnDepthwisePlan::key() const {
  return llvm::formatv("columns i{0} {1} {2}", bits, shape.key(),
                       resultRows.key());
}
