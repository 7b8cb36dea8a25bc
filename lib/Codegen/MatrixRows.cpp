//===- MatrixRows.cpp - Rows of the left matrix ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Gathers windows of the input as rows of the left matrix, sums rows, and finds
// those of the result.
//
//===----------------------------------------------------------------------===//

#include "MatrixKernel.h"
#include "RowSum.h"

using namespace mlir;
using namespace qcc;

/// rowSums[slot] = the sum of the row's activations.
void MatrixKernel::sumRow(Value elements, Value at, Value slot) {
  sumBytes(c, level, elements, at, p.depth, {m.flip, m.isSigned}, rowSums,
           slot);
}

/// What the sums of a row start from, per vector: the columns' offsets, less
/// the part of the weights' zero points.
SmallVector<Value> MatrixKernel::rowOffsets(const Rows &rows, int64_t row,
                                            ArrayRef<Value> offsets,
                                            ArrayRef<Value> zeroPoints) {
  SmallVector<Value> result(offsets);
  if (!hasZeroPoints())
    return result;
  Value sum; // of the row's activations, in every lane
  if (rowSums) {
    sum = vector::BroadcastOp::create(
        c.b, c.loc, unitsType(),
        memref::LoadOp::create(c.b, c.loc, rowSums, c.add(rows.sumsAt, row)));
  } else {
    SmallVector<Value> ones = level.micro->prepareWeights(
        c.b, c.loc, c.splat(c.b.getI8Type(), 1, level.vectorBytes));
    SmallVector<Value> sums(sumsPerVector(),
                            c.splat(c.b.getI32Type(), 0, p.lanes));
    for (int64_t unit = 0; unit < p.units; ++unit) {
      Value four = broadcastUnit(
          loadUnit(rows.elements, c.add(rows.starts[row], 4 * unit)));
      level.micro->dot(c.b, c.loc, sums,
                       level.micro->prepareActivations(
                           c.b, c.loc, c.bitcast(four, bytesType())),
                       ones);
    }
    sum = level.micro->finishAccumulators(c.b, c.loc, sums);
  }
  if (m.commonZeroPoint) {
    Value part = arith::MulIOp::create(
        c.b, c.loc, sum,
        c.splat(c.b.getI32Type(), *m.commonZeroPoint, p.lanes));
    for (Value &offset : result)
      offset = c.sub(offset, part);
    return result;
  }
  for (auto [offset, zeroPoint] : llvm::zip_equal(result, zeroPoints))
    offset = c.sub(offset, arith::MulIOp::create(c.b, c.loc, sum, zeroPoint));
  return result;
}

/// Copies the input lines that output lines [first, last) need, padded.
void MatrixKernel::fillBand(Value first, Value last) {
  const ConvShape &s = p.shape;
  int64_t before = std::clamp<int64_t>(s.padL, 0, p.bandColumns());
  int64_t skipped = std::max<int64_t>(-s.padL, 0); // of the input
  int64_t copied = std::min(p.bandColumns() - before, s.w - skipped);
  auto fill = [&](Value at, int64_t columns) {
    if (columns > 0)
      c.fillRun(scratch, at, columns * s.c, m.padding, level.vectorBytes);
  };
  Value top = c.sub(c.mul(first, s.sh), c.index(s.padT));
  Value count =
      c.add(c.mul(c.sub(last, first), s.sh), (s.kh - 1) * s.dh + 1 - s.sh);
  c.loop(c.index(0), count, 1, [&](Value i) {
    Value line = c.add(top, i), to = c.mul(i, p.linePitch);
    // Unsigned comparison: a negative line is a large one.
    c.branch(
        c.compare(arith::CmpIPredicate::ult, line, s.h),
        [&] {
          fill(to, before);
          if (copied > 0)
            c.copyRun(args.input, c.add(c.mul(line, s.w * s.c), skipped * s.c),
                      scratch, c.add(to, before * s.c), copied * s.c,
                      level.vectorBytes);
          fill(c.add(to, (before + std::max<int64_t>(copied, 0)) * s.c),
               p.bandColumns() - before - std::max<int64_t>(copied, 0));
        },
        [&] { fill(to, p.bandColumns()); });
  });
}

/// The first channel of the input that a filter reads.
Value MatrixKernel::firstChannel(Value filter) {
  if (p.shape.phases > 1)
    filter = c.rem(filter, p.shape.group);
  return c.mul(filter, inChannels());
}

/// Where `count` rows stand among results `pitch` elements apart; `column` is
/// counted within the filter.
MatrixEpilogueEmitter::Place MatrixKernel::placeOf(Value firstRow,
                                                   int64_t count, Value filter,
                                                   Value column,
                                                   int64_t pitch) {
  if (!m.part) {
    column = c.add(c.mul(filter, p.columns), column);
    return {c.add(c.mul(firstRow, pitch), column), pitch};
  }
  column = c.add(c.mul(c.rem(filter, p.shape.group), p.columns), column);
  auto pixelOf = [&](Value number, ArrayRef<TransposedPart::Extent> extents) {
    Value pixel = c.index(0);
    while (!extents.empty()) {
      // Dimensions that go on as the one inside are one with it.
      TransposedPart::Extent all = extents.consume_front();
      while (!extents.empty() &&
             extents.front().pitch == all.extent * all.pitch)
        all.extent *= extents.consume_front().extent;
      Value at = extents.empty() ? number : c.rem(number, all.extent);
      pixel = c.add(pixel, c.mul(at, all.pitch));
      number = c.div(number, all.extent);
    }
    return pixel;
  };
  Value phase = pixelOf(c.div(filter, p.shape.group), m.part->phasePixels());
  column = c.add(column, c.mul(c.add(phase, m.part->firstPixel()), pitch));
  MatrixEpilogueEmitter::Place place{Value(), pitch};
  for (int64_t row = 0; row < count; ++row)
    place.rows.push_back(
        c.add(c.mul(pixelOf(c.add(firstRow, row), m.part->rowPixels()), pitch),
              column));
  return place;
}

void MatrixKernel::gatherRow(Value row, Value to, Value group) {
  const ConvShape &s = p.shape;
  Value ow = c.rem(row, s.ow), line = c.div(row, s.ow);
  Value oh = c.rem(line, s.oh), image = c.div(line, s.oh);
  // Coordinates of the window; below zero they are huge as unsigned numbers.
  Value ih = c.sub(c.mul(oh, s.sh), c.index(s.padT));
  Value iw = c.sub(c.mul(ow, s.sw), c.index(s.padL));
  if (!s.isVolume())
    return copyPlane(image, ih, iw, to, group);
  int64_t elements = s.kh * s.kw * inChannels();
  Value id = c.sub(c.mul(c.rem(image, s.od), s.sd), c.index(s.padF));
  Value firstPlane = c.mul(c.div(image, s.od), s.d);
  c.loop(0, s.kd, 1, [&](Value kd) {
    Value plane = c.add(id, c.mul(kd, s.dd)),
          target = c.add(to, c.mul(kd, elements));
    c.branch(
        c.compare(arith::CmpIPredicate::ult, plane, s.d),
        [&] { copyPlane(c.add(firstPlane, plane), ih, iw, target, group); },
        [&] {
          c.fillRun(scratch, target, elements, m.padding, level.vectorBytes);
        });
  });
}

/// Copies the window of one image or plane.
void MatrixKernel::copyPlane(Value image, Value ih, Value iw, Value to,
                             Value group) {
  const ConvShape &s = p.shape;
  int64_t spanH = (s.kh - 1) * s.dh, spanW = (s.kw - 1) * s.dw;
  bool clipsH = s.padT > 0 || (s.oh - 1) * s.sh - s.padT + spanH >= s.h;
  bool clipsW = s.padL > 0 || (s.ow - 1) * s.sw - s.padL + spanW >= s.w;
  if (!clipsH && !clipsW)
    return copyWindow(image, ih, iw, to, group);
  if (s.h <= spanH || s.w <= spanW) // no window lies inside
    return copyClippedWindow(image, ih, iw, to, group);
  Value inside = arith::AndIOp::create(
      c.b, c.loc, c.compare(arith::CmpIPredicate::ult, ih, s.h - spanH),
      c.compare(arith::CmpIPredicate::ult, iw, s.w - spanW));
  c.branch(
      inside, [&] { copyWindow(image, ih, iw, to, group); },
      [&] { copyClippedWindow(image, ih, iw, to, group); });
}

void MatrixKernel::copyWindow(Value image, Value ih, Value iw, Value to,
                              Value group) {
  const ConvShape &s = p.shape;
  int64_t channels = inChannels();
  Value line = c.add(c.mul(image, s.h), ih);
  Value from =
      c.add(c.mul(c.add(c.mul(line, s.w), iw), s.c), firstChannel(group));
  bool joined = s.dw == 1 && s.group == 1;
  c.loop(0, s.kh, 1, [&](Value kh) {
    Value source = c.add(from, c.mul(kh, s.dh * s.w * s.c));
    Value target = c.add(to, c.mul(kh, s.kw * channels));
    if (joined)
      return c.copyRun(args.input, source, scratch, target, s.kw * channels,
                       level.vectorBytes);
    c.loop(0, s.kw, 1, [&](Value kw) {
      c.copyRun(args.input, c.add(source, c.mul(kw, s.dw * s.c)), scratch,
                c.add(target, c.mul(kw, channels)), channels,
                level.vectorBytes);
    });
  });
}

void MatrixKernel::copyClippedWindow(Value image, Value ih, Value iw, Value to,
                                     Value group) {
  const ConvShape &s = p.shape;
  int64_t channels = inChannels();
  c.loop(0, s.kh, 1, [&](Value kh) {
    Value y = c.add(ih, c.mul(kh, s.dh));
    Value insideH = c.compare(arith::CmpIPredicate::ult, y, s.h);
    Value target = c.add(to, c.mul(kh, s.kw * channels));
    c.loop(0, s.kw, 1, [&](Value kw) {
      Value x = c.add(iw, c.mul(kw, s.dw));
      Value inside = arith::AndIOp::create(
          c.b, c.loc, insideH, c.compare(arith::CmpIPredicate::ult, x, s.w));
      Value tap = c.add(target, c.mul(kw, channels));
      c.branch(
          inside,
          [&] {
            Value line = c.add(c.mul(image, s.h), y);
            Value from = c.add(c.mul(c.add(c.mul(line, s.w), x), s.c),
                               firstChannel(group));
            c.copyRun(args.input, from, scratch, tap, channels,
                      level.vectorBytes);
          },
          [&] {
            c.fillRun(scratch, tap, channels, m.padding, level.vectorBytes);
          });
    });
  });
}
