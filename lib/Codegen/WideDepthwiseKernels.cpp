//===- WideDepthwiseKernels.cpp - Depthwise convolution by channels -------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What WideDepthwise.h describes.
//
//===----------------------------------------------------------------------===//

#include "KernelLists.h"
#include "MatrixEpilogue.h"
#include "Product.h"
#include "Requantize.h"
#include "WideDepthwise.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// What a slab should take, what it may take so that less of the input is
/// copied twice, and the most where an output row needs it.
static constexpr int64_t goodSlabBytes = 24 * 1024;
static constexpr int64_t fairSlabBytes = 48 * 1024;
static constexpr int64_t maxSlabBytes = 192 * 1024;
/// The least columns of a part of a row.
static constexpr int64_t leastSegment = 64;
/// Sums that hide the latency of a multiply-add; so many take as long as fewer.
static constexpr int64_t fewestSums = 8;
/// Taps of a row of a kernel that are straight code; of wider ones, fewer are
/// the body of a loop.
static constexpr int64_t maxWidth = 16, loopWidth = 8;

WidePlan::WidePlan(const DepthwisePart &part, const TargetLevel &level)
    : shape(part.shape), rows(part.rows), lanes(level.lanes()) {
  const ConvShape &s = shape;
  blocks = llvm::divideCeil(s.c, lanes);
  window = (s.kh - 1) * s.dh + 1;
  int64_t overlap = (s.kw - 1) * s.dw + 1 - s.sw;
  segment = s.ow;
  columns = segment * s.sw + overlap;
  setRows(1);
  if (slabBytes > maxSlabBytes) {
    // No more than half of a slab is copied twice.
    segment = std::max(leastSegment, overlap / s.sw);
    segment = std::max(segment, goodSlabBytes /
                                    (ringPlanes() * window * s.sw * lanes * 4));
    segment = std::min(segment, s.ow);
    columns = segment * s.sw + overlap;
  }
  int64_t rows = 1;
  while (rows < s.oh) {
    int64_t fresh = rows * s.sh, copied = fresh - s.sh + window;
    setRows(rows + 1);
    if (slabBytes > (2 * copied > 3 * fresh ? fairSlabBytes : goodSlabBytes))
      break;
    ++rows;
  }
  TileChoice choice = TileTable(part.op()).lookup(level.name, key());
  if (choice.rows)
    rows = std::min<int64_t>(*choice.rows, s.oh);
  setRows(rows);
  chooseNeighbours(level);
}

void WidePlan::chooseNeighbours(const TargetLevel &level) {
  neighbours = fewestSums;
  if (segment < shape.ow) // its parts differ in length
    return;
  auto timeOf = [&](int64_t count) { // of a row; a rest has code of its own
    int64_t rest = shape.ow % count;
    return shape.ow / count * count +
           (rest ? std::max(rest, fewestSums) + 1 : 0);
  };
  // Beside the sums, registers hold as many inputs and a weight.
  int64_t most = int64_t(level.numVectorRegisters) / 2 - 2;
  for (int64_t count = fewestSums + 1; count <= most; ++count)
    if (timeOf(count) <= timeOf(neighbours)) // they share more weights
      neighbours = count;
}

void WidePlan::setRows(int64_t rows) {
  outputRows = rows;
  planeElements = ((rows - 1) * shape.sh + window) * columns * lanes;
  slabBytes = ringPlanes() * planeElements * 4;
  rowBlocks = llvm::divideCeil(shape.oh, rows);
}

std::optional<WidePlan> WidePlan::get(const DepthwisePart &part,
                                      const TargetLevel &level) {
  if (part.shape.c < level.lanes())
    return std::nullopt;
  WidePlan plan(part, level);
  if (plan.slabBytes > maxSlabBytes)
    return std::nullopt;
  return plan;
}

std::vector<float> WidePlan::pack(const FloatConv &conv) const {
  int64_t taps = shape.taps();
  std::vector<float> weights;
  for (int64_t first = 0; first < shape.c; first += lanes)
    for (int64_t t = 0; t <= taps; ++t)
      for (int64_t channel = first; channel < first + lanes; ++channel)
        weights.push_back(channel >= shape.c ? 0.f
                          : t == taps        ? conv.biasOf(channel)
                                             : conv.weight(channel, t));
  return weights;
}

/// Copies the input of output rows [first, last), for output columns from
/// `column` on.
void WideKernel::fill(Value image, Value first, Value last, Value column,
                      Value channel, int64_t valid) {
  auto plane = [&](Value image, Value slabAt) {
    if (p.segment < s.ow)
      fillSegment(image, first, last, column, channel, valid, slabAt);
    else
      fillLines(image, first, last, channel, valid, slabAt);
  };
  if (!s.isVolume())
    return plane(image, c.index(0));
  // Planes that the window before did not read.
  int64_t ring = p.ringPlanes(), fresh = std::min(s.sd, ring);
  Value isFirst = c.compare(arith::CmpIPredicate::eq, firstPlane, 0);
  Value next = arith::SelectOp::create(c.b, c.loc, isFirst, c.index(0),
                                       c.index(ring - fresh));
  Value ofImage = c.mul(c.div(image, s.od), s.d);
  c.loop(next, c.index(ring), 1, [&](Value i) {
    Value padded = c.add(firstPlane, i);
    Value number = c.sub(padded, c.index(s.padF));
    Value slabAt = c.mul(c.rem(padded, ring), p.planeElements);
    // Unsigned comparison: a negative plane is a large one.
    c.branch(
        c.compare(arith::CmpIPredicate::ult, number, s.d),
        [&] { plane(c.add(ofImage, number), slabAt); },
        [&] {
          c.fillRun(slab, slabAt, p.planeElements, 0.0, level.vectorBytes);
        });
  });
}

void WideKernel::fillLines(Value image, Value first, Value last, Value channel,
                           int64_t valid, Value slabAt) {
  Value zero = c.splat(c.b.getF32Type(), 0, p.lanes);
  Value top = c.sub(c.mul(first, s.sh), c.index(s.padT));
  Value needed = c.add(c.mul(c.sub(last, first), s.sh), p.window - s.sh);
  int64_t low = std::clamp<int64_t>(s.padL, 0, p.columns);
  int64_t high =
      std::clamp<int64_t>(s.spreadColumns() + s.padL, low, p.columns);
  c.loop(c.index(0), needed, 1, [&](Value i) {
    Value row = c.add(top, i);
    Value to = c.add(slabAt, c.mul(i, p.columns * p.lanes));
    auto clear = [&](int64_t from, int64_t until) {
      c.loop(from, until, 1, [&](Value column) {
        c.store(zero, slab, c.add(to, c.mul(column, p.lanes)));
      });
    };
    // Unsigned comparison: a negative row is a large one.
    c.branch(
        c.compare(arith::CmpIPredicate::ult, row, s.h),
        [&] {
          Value from = c.add(rows.at(c, image, row), channel);
          auto copy = [&](Value pixel, Value column) {
            c.store(loadFirst(c, type(), valid, input,
                              c.add(from, c.mul(pixel, s.c))),
                    slab, c.add(to, c.mul(column, p.lanes)));
          };
          if (s.spread > 1) {
            clear(0, p.columns);
            int64_t pixels = llvm::divideCeilSigned(high - s.padL, s.spread);
            c.loop(llvm::divideCeilSigned(low - s.padL, s.spread), pixels, 1,
                   [&](Value pixel) {
                     copy(pixel, c.add(c.mul(pixel, s.spread), s.padL));
                   });
            return;
          }
          clear(0, low);
          c.loop(low, high, 1, [&](Value column) {
            copy(c.sub(column, c.index(s.padL)), column);
          });
          clear(high, p.columns);
        },
        [&] { clear(0, p.columns); });
  });
}

/// The same for part of the output columns, from `column` on.
void WideKernel::fillSegment(Value image, Value first, Value last, Value column,
                             Value channel, int64_t valid, Value slabAt) {
  Value zero = c.splat(c.b.getF32Type(), 0, p.lanes);
  Value top = c.sub(c.mul(first, s.sh), c.index(s.padT));
  Value left = c.sub(c.mul(column, s.sw), c.index(s.padL));
  Value needed = c.add(c.mul(c.sub(last, first), s.sh), p.window - s.sh);
  auto both = [&](Value x, Value y) -> Value {
    return arith::AndIOp::create(c.b, c.loc, x, y);
  };
  c.loop(c.index(0), needed, 1, [&](Value i) {
    Value row = c.add(top, i);
    Value to = c.add(slabAt, c.mul(i, p.columns * p.lanes));
    Value from = c.add(rows.at(c, image, row), channel);
    Value isRow = c.compare(arith::CmpIPredicate::ult, row, s.h);
    c.loop(0, p.columns, 1, [&](Value at) {
      Value pixel = c.add(left, at);
      Value inside = both(isRow, c.compare(arith::CmpIPredicate::ult, pixel,
                                           s.spreadColumns()));
      if (s.spread > 1) {
        inside = both(inside, c.compare(arith::CmpIPredicate::eq,
                                        c.rem(pixel, s.spread), 0));
        pixel = c.div(pixel, s.spread);
      }
      Value target = c.add(to, c.mul(at, p.lanes));
      c.branch(
          inside,
          [&] {
            c.store(loadFirst(c, type(), valid, input,
                              c.add(from, c.mul(pixel, s.c))),
                    slab, target);
          },
          [&] { c.store(zero, slab, target); });
    });
  });
}

/// Adds the products of `taps` taps of a row, from number `first` on; `row` and
/// `tap`: where the first one's input and weights are.
SmallVector<Value> WideKernel::addTaps(Value row, Value tap, Value first,
                                       int64_t taps, ValueRange sums) {
  SmallVector<Value> next(sums);
  Value pixel = c.add(row, c.mul(first, s.dw * p.lanes));
  Value weight = c.add(tap, c.mul(first, p.lanes));
  for (int64_t kw = 0; kw < taps; ++kw) {
    Value w = c.load(weights, c.add(weight, kw * p.lanes), type());
    for (auto [i, sum] : llvm::enumerate(next)) {
      int64_t offset = (int64_t(i) * s.sw + kw * s.dw) * p.lanes;
      sum = multiplyAdd(c, level, c.load(slab, c.add(pixel, offset), type()), w,
                        sum);
    }
  }
  return next;
}

SmallVector<Value> WideKernel::addLine(Value row, Value tap, ValueRange sums) {
  if (s.kw <= maxWidth)
    return addTaps(row, tap, c.index(0), s.kw, sums);
  int64_t whole = s.kw / loopWidth * loopWidth;
  SmallVector<Value> next =
      c.loop(c.index(0), c.index(whole), loopWidth, sums,
             [&](Value first, ValueRange before) {
               return addTaps(row, tap, first, loopWidth, before);
             });
  return addTaps(row, tap, c.index(whole), s.kw - whole, next);
}

/// `count` neighbouring outputs of a row.
void WideKernel::outputs(Value top, Value column, int64_t count,
                         Value weightsAt, Value to, int64_t valid) {
  Value start = c.add(top, c.mul(column, s.sw * p.lanes));
  auto addPlane = [&](Value start, Value weightsAt, ValueRange sums) {
    return c.loop(
        c.index(0), c.index(s.kh), 1, sums, [&](Value kh, ValueRange carried) {
          Value row = c.add(start, c.mul(kh, s.dh * p.columns * p.lanes));
          return addLine(row, c.add(weightsAt, c.mul(kh, s.kw * p.lanes)),
                         carried);
        });
  };
  SmallVector<Value> sums(count, c.splat(c.b.getF32Type(), 0, p.lanes));
  if (!s.isVolume())
    sums = addPlane(start, weightsAt, sums);
  else
    sums = c.loop(
        c.index(0), c.index(s.kd), 1, sums, [&](Value kd, ValueRange carried) {
          Value plane =
              c.rem(c.add(firstPlane, c.mul(kd, s.dd)), p.ringPlanes());
          return addPlane(c.add(start, c.mul(plane, p.planeElements)),
                          c.add(weightsAt, c.mul(kd, s.kh * s.kw * p.lanes)),
                          carried);
        });
  Value bias = c.load(weights, c.add(weightsAt, s.taps() * p.lanes), type());
  for (auto [i, sum] : llvm::enumerate(sums)) {
    Value y = conv.emitResult(
        c, level, arith::AddFOp::create(c.b, c.loc, sum, bias).getResult());
    storeFirst(c, y, valid, result,
               c.add(to, c.mul(c.add(column, int64_t(i)), s.c)));
  }
}

/// The rows of a plane from the slab, for `count` output columns from `column`
/// on; null: for all.
void WideKernel::plane(Value rowCount, Value column, Value count,
                       Value weightsAt, Value to, int64_t valid) {
  c.loop(c.index(0), rowCount, 1, [&](Value row) {
    Value top = c.mul(row, s.sh * p.columns * p.lanes);
    Value rowTo =
        c.add(to, c.add(c.mul(row, p.rows.rowPitch), c.mul(column, s.c)));
    auto some = [&](Value first, int64_t number) {
      outputs(top, first, number, weightsAt, rowTo, valid);
    };
    int64_t neighbours = p.neighbours;
    if (!count) {
      int64_t whole = s.ow / neighbours * neighbours;
      c.loop(0, whole, neighbours,
             [&](Value first) { some(first, neighbours); });
      if (whole < s.ow)
        some(c.index(whole), s.ow - whole);
      return;
    }
    Value whole = c.mul(c.div(count, neighbours), neighbours);
    c.loop(c.index(0), whole, neighbours,
           [&](Value first) { some(first, neighbours); });
    c.loop(whole, count, 1, [&](Value first) { some(first, 1); });
  });
}

void WideKernel::tile(Value image, Value first, Value last, Value block,
                      Value to) {
  Value channel = c.mul(block, p.lanes);
  Value at = c.mul(block, (s.taps() + 1) * p.lanes);
  Value rowCount = c.sub(last, first);
  auto columns = [&](Value column, Value count, int64_t valid) {
    auto one = [&](Value image, Value to) {
      fill(image, first, last, column, channel, valid);
      plane(rowCount, column, count, at, c.add(to, channel), valid);
    };
    if (!s.isVolume())
      return one(image, to);
    c.loop(0, s.od, 1, [&](Value number) {
      firstPlane = c.mul(number, s.sd);
      Value ofPlane = c.add(c.mul(image, s.od), number);
      one(ofPlane, p.rows.at(c, ofPlane, first));
    });
  };
  auto withChannels = [&](int64_t valid) {
    if (p.segment == s.ow)
      return columns(c.index(0), Value(), valid);
    c.loop(0, s.ow, p.segment, [&](Value column) {
      columns(column, c.min(c.sub(c.index(s.ow), column), c.index(p.segment)),
              valid);
    });
  };
  if (s.c % p.lanes == 0)
    return withChannels(p.lanes);
  c.branch(
      c.compare(arith::CmpIPredicate::ult, block, p.blocks - 1),
      [&] { withChannels(p.lanes); }, [&] { withChannels(s.c % p.lanes); });
}

void WideKernel::emit(Value begin, Value end) {
  c.loop(begin, end, 1, [&](Value number) {
    Value block = c.rem(number, p.blocks), rest = c.div(number, p.blocks);
    Value image = c.div(rest, p.rowBlocks);
    Value first = c.mul(c.rem(rest, p.rowBlocks), p.outputRows);
    Value last = c.min(c.add(first, p.outputRows), c.index(s.oh));
    Value to = s.isVolume() ? Value() : p.rows.at(c, image, first);
    tile(image, first, last, block, to);
  });
}

static void emitPart(const DepthwisePart &part, const WidePlan &plan,
                     const FloatConv &operands, KernelEmitter &e) {
  std::vector<float> weights = plan.pack(operands);
  Type f32 = Float32Type::get(e.context());
  SmallVector<Value> args{
      e.buffer(operands.terms.input),
      e.constant("dw_weights", MemRefType::get({int64_t(weights.size())}, f32),
                 ArrayRef<char>(reinterpret_cast<const char *>(weights.data()),
                                weights.size() * sizeof(float))),
      e.buffer(operands.result)};
  if (operands.quantize)
    takeOver(operands.quantize);
  Location loc = part.op()->getLoc();
  func::FuncOp kernel = e.kernel(
      "depthwise_f32",
      llvm::formatv("wide {0} {1} {2}", plan.shape.key(), operands.key(),
                    plan.rows.key())
          .str(),
      ValueRange(args).getTypes(), loc,
      [&](OpBuilder &b, Location loc, ValueRange args, Value begin, Value end) {
        CodeBuilder c(b, loc);
        SmallVector<Value> flat;
        for (Value arg : args)
          flat.push_back(flatten(c, arg));
        ImageRows rows{plan.shape.h, plan.shape.w * plan.shape.c};
        WideKernel(c, plan, e.level(), operands, rows, flat).emit(begin, end);
      });
  noteTiles(kernel, plan.key(), plan.taken());
  e.call(kernel, args, plan.tiles(), loc);
  part.noteProducts(args[0]);
}

static LogicalResult emitWideDepthwise(Operation *op, KernelEmitter &e) {
  std::vector<std::pair<WidePlan, FloatConv>> kernels;
  std::vector<DepthwisePart> parts = DepthwisePart::get(op);
  for (const DepthwisePart &part : parts) {
    std::optional<FloatConv> operands = FloatConv::match(part.terms);
    std::optional<WidePlan> plan;
    if (operands)
      plan = WidePlan::get(part, e.level());
    if (!plan)
      return failure();
    kernels.emplace_back(*plan, *operands);
  }
  for (auto [part, kernel] : llvm::zip_equal(parts, kernels))
    emitPart(part, kernel.first, kernel.second, e);
  return success(!parts.empty());
}

void qcc::populateWideDepthwiseKernels(KernelGenerators &generators) {
  generators.push_back({"wide-depthwise", emitWideDepthwise});
}
