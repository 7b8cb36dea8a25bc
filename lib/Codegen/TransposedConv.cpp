//===- TransposedConv.cpp - Parts of a transposed convolution -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransposedConv.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

bool PhaseRange::readsAs(const PhaseRange &next) const {
  return positions == next.positions && taps == next.taps &&
         dilation == next.dilation && offset == next.offset;
}

SmallVector<PhaseRange> TransposedDim::phases() const {
  SmallVector<PhaseRange> ranges;
  for (int64_t phase = 0; phase < std::min(stride, out); ++phase) {
    PhaseRange range;
    range.first = phase;
    range.positions = (out - phase - 1) / stride + 1;
    range.dilation = dilation / std::gcd(dilation, stride);
    // Later taps read earlier inputs. A phase that no tap reaches has one of
    // zeros.
    range.taps = 0;
    for (int64_t k = 0; k < kernel; ++k)
      if ((phase + pad - k * dilation) % stride == 0) {
        range.offset = (phase + pad - k * dilation) / stride;
        ++range.taps;
      }
    range.taps = std::max<int64_t>(range.taps, 1);
    ranges.push_back(range);
  }
  return ranges;
}

int64_t TransposedDim::filterTap(const PhaseRange &range, int64_t phase,
                                 int64_t t) const {
  int64_t reached =
      range.first + phase + pad - (range.offset + t * range.dilation) * stride;
  return reached >= 0 && reached % dilation == 0 && reached / dilation < kernel
             ? reached / dilation
             : -1;
}

/// Joins neighbours whose windows are the same.
static SmallVector<PhaseRange> joinFilters(ArrayRef<PhaseRange> phases) {
  SmallVector<PhaseRange> joined;
  for (const PhaseRange &next : phases)
    if (!joined.empty() && joined.back().readsAs(next))
      joined.back().count += next.count;
    else
      joined.push_back(next);
  return joined;
}

/// Joins neighbours as columns where a window for both costs no more.
static SmallVector<PhaseRange> joinColumns(ArrayRef<PhaseRange> phases,
                                           int64_t channels, int64_t lanes) {
  auto cost = [&](const PhaseRange &range) {
    return range.taps * llvm::divideCeil(range.count * channels, lanes);
  };
  SmallVector<PhaseRange> joined;
  for (const PhaseRange &next : phases) {
    if (!joined.empty() && joined.back().positions == next.positions &&
        (next.offset - joined.back().offset) % next.dilation == 0) {
      PhaseRange both = joined.back();
      auto end = [](const PhaseRange &r) {
        return r.offset + r.taps * r.dilation;
      };
      both.count += next.count;
      both.offset = std::min(both.offset, next.offset);
      both.taps = (std::max(end(joined.back()), end(next)) - both.offset) /
                  both.dilation;
      if (cost(both) <= cost(joined.back()) + cost(next)) {
        joined.back() = both;
        continue;
      }
    }
    joined.push_back(next);
  }
  return joined;
}

std::vector<TransposedPart> TransposedPart::get(ConvTransposeOp op, bool joins,
                                                const TargetLevel &level) {
  if (op.getLayout() != Layout::ChannelsLast)
    return {};
  int64_t rank = op.getSpatialRank();
  ArrayRef<int64_t> in = shapeOf(op.getInput()), out = shapeOf(op.getResult()),
                    filter = shapeOf(op.getFilter());
  TransposedPart part;
  part.images = in[0];
  part.inChannels = in[rank + 1];
  part.channels = out[rank + 1];
  part.group = op.getGroup();
  part.joinsLine = joins && part.group == 1;
  for (int64_t i = 0; i < rank; ++i)
    part.dims[3 - rank + i] = {
        in[1 + i],          out[1 + i],           filter[2 + i],
        op.getStrides()[i], op.getDilations()[i], op.getPads()[i]};

  auto line = part.dims[2].phases();
  line = part.joinsLine ? joinColumns(line, part.channels, level.lanes())
                        : joinFilters(line);
  std::vector<TransposedPart> parts;
  for (const PhaseRange &planes : joinFilters(part.dims[0].phases()))
    for (const PhaseRange &lines : joinFilters(part.dims[1].phases()))
      for (const PhaseRange &pixels : line) {
        part.ranges = {planes, lines, pixels};
        part.findTaps();
        parts.push_back(part);
      }
  return parts;
}

ConvShape TransposedPart::shape() const {
  ConvShape s;
  s.n = images;
  s.h = dims[1].in;
  s.w = dims[2].in;
  s.c = inChannels;
  s.oh = ranges[1].positions;
  s.ow = ranges[2].positions;
  s.oc = channels * joined();
  s.kh = ranges[1].taps;
  s.kw = ranges[2].taps;
  s.sh = s.sw = 1;
  s.dh = ranges[1].dilation;
  s.dw = ranges[2].dilation;
  s.padT = -ranges[1].offset;
  s.padL = -ranges[2].offset;
  s.group = group;
  s.d = dims[0].in;
  s.od = ranges[0].positions;
  s.kd = ranges[0].taps;
  s.dd = ranges[0].dilation;
  s.padF = -ranges[0].offset;
  s.splitPlanes();
  std::array<int64_t, 3> phases = filterPhases();
  s.phases = phases[0] * phases[1] * phases[2];
  return s;
}

int64_t TransposedPart::channelOf(int64_t column) const {
  return column % channels;
}

void TransposedPart::findTaps() {
  kernelElements = {0};
  // Phases and taps of each dimension run faster than those of the one before.
  int64_t phases = 1, outerTaps = 1;
  for (int d = 0; d < 3; ++d) {
    const PhaseRange &r = ranges[d];
    std::vector<int64_t> outer = std::move(kernelElements);
    kernelElements.clear();
    for (int64_t phase = 0; phase < phases * r.count; ++phase)
      for (int64_t tap = 0; tap < outerTaps * r.taps; ++tap) {
        int64_t before = outer[phase / r.count * outerTaps + tap / r.taps];
        int64_t own = dims[d].filterTap(r, phase % r.count, tap % r.taps);
        kernelElements.push_back(
            before < 0 || own < 0 ? -1 : before * dims[d].kernel + own);
      }
    phases *= r.count;
    outerTaps *= r.taps;
  }
}

int64_t TransposedPart::weightAt(int64_t column, int64_t index) const {
  int64_t pixel = column / channels, channel = column % channels;
  int64_t element = kernelElements[pixel * taps() + index % taps()];
  if (element < 0)
    return -1;
  int64_t perGroup = channels / group;
  int64_t inChannel =
      channel / perGroup * (inChannels / group) + index / taps();
  int64_t kernel = dims[0].kernel * dims[1].kernel * dims[2].kernel;
  return (inChannel * perGroup + channel % perGroup) * kernel + element;
}

int64_t TransposedPart::products() const {
  int64_t count = images * (inChannels / group) * channels;
  for (int d = 0; d < 3; ++d) {
    int64_t taps = 0;
    for (int64_t phase = 0; phase < ranges[d].count; ++phase)
      for (int64_t t = 0; t < ranges[d].taps; ++t)
        taps += dims[d].filterTap(ranges[d], phase, t) >= 0;
    count *= taps * ranges[d].positions;
  }
  return count;
}

int64_t TransposedPart::firstPixel() const {
  return (ranges[0].first * dims[1].out + ranges[1].first) * dims[2].out +
         ranges[2].first;
}

SmallVector<TransposedPart::Extent> TransposedPart::phasePixels() const {
  std::array<int64_t, 3> phases = filterPhases();
  return {{phases[2], 1},
          {phases[1], dims[2].out},
          {phases[0], dims[2].out * dims[1].out}};
}

SmallVector<TransposedPart::Extent> TransposedPart::rowPixels() const {
  int64_t pitch = 1;
  SmallVector<Extent> pixels;
  for (int d = 2; d >= 0; --d) {
    pixels.push_back({ranges[d].positions, dims[d].stride * pitch});
    pitch *= dims[d].out;
  }
  pixels.push_back({images, pitch});
  return pixels;
}

std::string TransposedPart::key() const {
  std::string key = llvm::formatv("from {0}", firstPixel());
  for (const Extent &e : phasePixels())
    key += llvm::formatv(" {0}:{1}", e.extent, e.pitch);
  for (const Extent &e : rowPixels())
    key += llvm::formatv(" {0}:{1}", e.extent, e.pitch);
  return key;
}
