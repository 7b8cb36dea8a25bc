//===- Im2col.cpp - Windows of an image as rows of a matrix ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Im2col.h"

using namespace mlir;
using namespace qcc;

/// Largest kernel whose window rows are copied without a loop.
constexpr int64_t maxUnrolledRows = 3;

void Im2col::gatherRow(CodeBuilder &c, Value image, Value pixel, Value group,
                       Value rows, Value at) const {
  const ConvShape &s = shape;
  int64_t channels = groupChannels();
  Value n = c.div(pixel, s.oh * s.ow), inImage = c.rem(pixel, s.oh * s.ow);
  Value oh = c.div(inImage, s.ow), ow = c.rem(inImage, s.ow);
  Value top = c.sub(c.mul(oh, s.sh), c.index(s.padT));
  Value left = c.sub(c.mul(ow, s.sw), c.index(s.padL));
  Value base = c.add(c.mul(n, s.h * s.w * s.c), c.mul(group, channels));

  // One window row that lies inside the image: with all channels and no
  // dilation it is contiguous.
  bool contiguous = s.group == 1 && s.dw == 1;
  auto copyRow = [&](Value row, Value to) {
    Value from = c.add(base, c.mul(c.add(c.mul(row, s.w), left), s.c));
    if (contiguous)
      return c.copyRun(image, from, rows, to, s.kw * channels, vectorBytes);
    for (int64_t kw = 0; kw < s.kw; ++kw)
      c.copyRun(image, c.add(from, kw * s.dw * s.c), rows,
                c.add(to, kw * channels), channels, vectorBytes);
  };
  int64_t rowElements = s.kw * channels;
  auto copyWindow = [&] {
    if (s.kh <= maxUnrolledRows) {
      for (int64_t kh = 0; kh < s.kh; ++kh)
        copyRow(c.add(top, kh * s.dh), c.add(at, kh * rowElements));
      return;
    }
    c.loop(c.index(0), c.index(s.kh), 1, [&](Value kh) {
      copyRow(c.add(top, c.mul(kh, s.dh)), c.add(at, c.mul(kh, rowElements)));
    });
  };

  // A window at the border: each tap is a pixel or padding. Comparisons are
  // unsigned, so that a negative coordinate is a large one.
  auto inside = [&](Value coordinate, int64_t extent) {
    return c.compare(arith::CmpIPredicate::ult, coordinate, extent);
  };
  auto copyBorder = [&] {
    c.loop(c.index(0), c.index(s.kh), 1, [&](Value kh) {
      Value row = c.add(top, c.mul(kh, s.dh));
      Value to = c.add(at, c.mul(kh, rowElements));
      Value rowInside = inside(row, s.h);
      c.loop(c.index(0), c.index(s.kw), 1, [&](Value kw) {
        Value column = c.add(left, c.mul(kw, s.dw));
        Value tapInside =
            arith::AndIOp::create(c.b, c.loc, rowInside, inside(column, s.w));
        Value tap = c.add(to, c.mul(kw, channels));
        c.branch(
            tapInside,
            [&] {
              Value from =
                  c.add(base, c.mul(c.add(c.mul(row, s.w), column), s.c));
              c.copyRun(image, from, rows, tap, channels, vectorBytes);
            },
            [&] { c.fillRun(rows, tap, channels, padding, vectorBytes); });
      });
    });
  };

  int64_t spanH = (s.kh - 1) * s.dh, spanW = (s.kw - 1) * s.dw;
  bool neverPadded = s.padT == 0 && s.padL == 0 &&
                     (s.oh - 1) * s.sh + spanH < s.h &&
                     (s.ow - 1) * s.sw + spanW < s.w;
  if (neverPadded)
    return copyWindow();
  if (spanH >= s.h || spanW >= s.w) // no window fits
    return copyBorder();
  // 0 <= top and top + span < h, as one unsigned comparison.
  Value interior = arith::AndIOp::create(c.b, c.loc, inside(top, s.h - spanH),
                                         inside(left, s.w - spanW));
  c.branch(interior, copyWindow, copyBorder);
}
