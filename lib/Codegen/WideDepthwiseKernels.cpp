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
/// Outputs that are summed at once.
static constexpr int64_t neighbours = 8;
/// Taps of a row of a kernel that are straight code; of wider ones, fewer are
/// the body of a loop.
static constexpr int64_t maxWidth = 16, loopWidth = 8;

WidePlan::WidePlan(const ConvShape &s, const TargetLevel &level,
                   TileTable table)
    : shape(s), lanes(level.lanes()) {
  blocks = llvm::divideCeil(s.c, lanes);
  window = (s.kh - 1) * s.dh + 1;
  int64_t overlap = (s.kw - 1) * s.dw + 1 - s.sw;
  segment = s.ow;
  columns = segment * s.sw + overlap;
  setRows(1);
  if (slabBytes > maxSlabBytes) {
    // No more than half of a slab is copied twice.
    segment = std::max(leastSegment, overlap / s.sw);
    segment = std::max(segment, goodSlabBytes / (window * s.sw * lanes * 4));
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
  TileChoice choice = table.lookup(level.name, key());
  if (choice.rows)
    rows = std::min<int64_t>(*choice.rows, s.oh);
  setRows(rows);
}

void WidePlan::setRows(int64_t rows) {
  outputRows = rows;
  slabBytes = ((rows - 1) * shape.sh + window) * columns * lanes * 4;
  rowBlocks = llvm::divideCeil(shape.oh, rows);
}

std::optional<WidePlan> WidePlan::get(ConvOp op, const TargetLevel &level) {
  std::optional<ConvShape> shape = ConvShape::get(op);
  if (!shape || shape->group != shape->c || shape->oc != shape->c ||
      shape->c < level.lanes() || op.getResidual())
    return std::nullopt;
  WidePlan plan(*shape, level, TileTable(op));
  if (plan.slabBytes > maxSlabBytes)
    return std::nullopt;
  return plan;
}

std::vector<float> WidePlan::pack(const FloatConv &conv) const {
  int64_t taps = shape.kh * shape.kw;
  std::vector<float> weights;
  for (int64_t first = 0; first < shape.c; first += lanes)
    for (int64_t t = 0; t <= taps; ++t)
      for (int64_t channel = first; channel < first + lanes; ++channel)
        weights.push_back(channel >= shape.c ? 0.f
                          : t == taps        ? conv.biasOf(channel)
                                             : conv.filter[channel * taps + t]);
  return weights;
}

/// Copies the input of output rows [first, last).
void WideKernel::fill(Value image, Value first, Value last, Value channel,
                      int64_t valid) {
  Value zero = c.splat(c.b.getF32Type(), 0, p.lanes);
  Value top = c.sub(c.mul(first, s.sh), c.index(s.padT));
  Value needed = c.add(c.mul(c.sub(last, first), s.sh), p.window - s.sh);
  int64_t low = std::clamp<int64_t>(s.padL, 0, p.columns);
  int64_t high = std::clamp<int64_t>(s.w + s.padL, low, p.columns);
  c.loop(c.index(0), needed, 1, [&](Value i) {
    Value row = c.add(top, i), to = c.mul(i, p.columns * p.lanes);
    auto clear = [&](int64_t from, int64_t until) {
      c.loop(from, until, 1, [&](Value column) {
        c.store(zero, slab, c.add(to, c.mul(column, p.lanes)));
      });
    };
    // Unsigned comparison: a negative row is a large one.
    c.branch(
        c.compare(arith::CmpIPredicate::ult, row, s.h),
        [&] {
          clear(0, low);
          Value from = c.add(rows.at(c, image, row), channel);
          c.loop(low, high, 1, [&](Value column) {
            Value pixel = c.sub(column, c.index(s.padL));
            c.store(loadFirst(c, type(), valid, input,
                              c.add(from, c.mul(pixel, s.c))),
                    slab, c.add(to, c.mul(column, p.lanes)));
          });
          clear(high, p.columns);
        },
        [&] { clear(0, p.columns); });
  });
}

/// The same for part of the output columns, from `column` on.
void WideKernel::fillSegment(Value image, Value first, Value last, Value column,
                             Value channel, int64_t valid) {
  Value zero = c.splat(c.b.getF32Type(), 0, p.lanes);
  Value top = c.sub(c.mul(first, s.sh), c.index(s.padT));
  Value left = c.sub(c.mul(column, s.sw), c.index(s.padL));
  Value needed = c.add(c.mul(c.sub(last, first), s.sh), p.window - s.sh);
  c.loop(c.index(0), needed, 1, [&](Value i) {
    Value row = c.add(top, i), to = c.mul(i, p.columns * p.lanes);
    Value from = c.add(rows.at(c, image, row), channel);
    Value isRow = c.compare(arith::CmpIPredicate::ult, row, s.h);
    c.loop(0, p.columns, 1, [&](Value at) {
      Value pixel = c.add(left, at);
      Value inside = arith::AndIOp::create(
          c.b, c.loc, isRow, c.compare(arith::CmpIPredicate::ult, pixel, s.w));
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

/// `count` neighbouring outputs of a row.
void WideKernel::outputs(Value top, Value column, int64_t count,
                         Value weightsAt, Value to, int64_t valid) {
  Value start = c.add(top, c.mul(column, s.sw * p.lanes));
  SmallVector<Value> sums(count, c.splat(c.b.getF32Type(), 0, p.lanes));
  sums = c.loop(
      c.index(0), c.index(s.kh), 1, sums, [&](Value kh, ValueRange carried) {
        Value row = c.add(start, c.mul(kh, s.dh * p.columns * p.lanes));
        Value tap = c.add(weightsAt, c.mul(kh, s.kw * p.lanes));
        auto addTaps = [&](Value first, int64_t taps, ValueRange before) {
          SmallVector<Value> next(before);
          Value pixel = c.add(row, c.mul(first, s.dw * p.lanes));
          Value weight = c.add(tap, c.mul(first, p.lanes));
          for (int64_t kw = 0; kw < taps; ++kw) {
            Value w = c.load(weights, c.add(weight, kw * p.lanes), type());
            for (int64_t i = 0; i < count; ++i) {
              int64_t offset = (i * s.sw + kw * s.dw) * p.lanes;
              next[i] = multiplyAdd(c, level,
                                    c.load(slab, c.add(pixel, offset), type()),
                                    w, next[i]);
            }
          }
          return next;
        };
        if (s.kw <= maxWidth)
          return addTaps(c.index(0), s.kw, carried);
        int64_t whole = s.kw / loopWidth * loopWidth;
        SmallVector<Value> next =
            c.loop(c.index(0), c.index(whole), loopWidth, carried,
                   [&](Value first, ValueRange before) {
                     return addTaps(first, loopWidth, before);
                   });
        return addTaps(c.index(whole), s.kw - whole, next);
      });
  Value bias = c.load(weights, c.add(weightsAt, s.kh * s.kw * p.lanes), type());
  for (auto [i, sum] : llvm::enumerate(sums)) {
    Value y = conv.emitResult(
        c, level, arith::AddFOp::create(c.b, c.loc, sum, bias).getResult());
    storeFirst(c, y, valid, result,
               c.add(to, c.mul(c.add(column, int64_t(i)), s.c)));
  }
}

void WideKernel::tile(Value image, Value first, Value last, Value block,
                      Value to) {
  Value channel = c.mul(block, p.lanes);
  Value at = c.mul(block, (s.kh * s.kw + 1) * p.lanes);
  auto withSegments = [&](int64_t valid) {
    c.loop(0, s.ow, p.segment, [&](Value column) {
      Value count = c.min(c.sub(c.index(s.ow), column), c.index(p.segment));
      fillSegment(image, first, last, column, channel, valid);
      c.loop(c.index(0), c.sub(last, first), 1, [&](Value row) {
        Value top = c.mul(row, s.sh * p.columns * p.lanes);
        Value rowTo = c.add(
            c.add(to, c.mul(c.add(c.mul(row, s.ow), column), s.c)), channel);
        Value whole = c.mul(c.div(count, neighbours), neighbours);
        c.loop(c.index(0), whole, neighbours, [&](Value first) {
          outputs(top, first, neighbours, at, rowTo, valid);
        });
        c.loop(whole, count, 1,
               [&](Value first) { outputs(top, first, 1, at, rowTo, valid); });
      });
    });
  };
  auto withChannels = [&](int64_t valid) {
    if (p.segment < s.ow)
      return withSegments(valid);
    fill(image, first, last, channel, valid);
    c.loop(c.index(0), c.sub(last, first), 1, [&](Value row) {
      Value top = c.mul(row, s.sh * p.columns * p.lanes);
      Value rowTo = c.add(c.add(to, c.mul(row, s.ow * s.c)), channel);
      int64_t whole = s.ow / neighbours * neighbours;
      c.loop(0, whole, neighbours, [&](Value column) {
        outputs(top, column, neighbours, at, rowTo, valid);
      });
      if (whole < s.ow)
        outputs(top, c.index(whole), s.ow - whole, at, rowTo, valid);
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
    tile(image, first, last, block,
         c.mul(c.add(c.mul(image, s.oh), first), s.ow * s.c));
  });
}

static LogicalResult emitWideDepthwise(Operation *op, KernelEmitter &e) {
  auto conv = dyn_cast<ConvOp>(op);
  std::optional<FloatConv> operands;
  if (conv)
    operands = FloatConv::match(conv);
  if (!operands)
    return failure();
  std::optional<WidePlan> plan = WidePlan::get(conv, e.level());
  if (!plan)
    return failure();

  std::vector<float> weights = plan->pack(*operands);
  Type f32 = Float32Type::get(e.context());
  SmallVector<Value> args{
      e.buffer(op->getOperand(0)),
      e.constant("dw_weights", MemRefType::get({int64_t(weights.size())}, f32),
                 ArrayRef<char>(reinterpret_cast<const char *>(weights.data()),
                                weights.size() * sizeof(float))),
      e.buffer(operands->result)};
  if (operands->quantize)
    takeOver(operands->quantize);
  func::FuncOp kernel = e.kernel(
      "depthwise_f32", "wide " + plan->shape.key() + " " + operands->key(),
      ValueRange(args).getTypes(), op->getLoc(),
      [&](OpBuilder &b, Location loc, ValueRange args, Value begin, Value end) {
        CodeBuilder c(b, loc);
        SmallVector<Value> flat;
        for (Value arg : args)
          flat.push_back(flatten(c, arg));
        ImageRows rows{plan->shape.h, plan->shape.w * plan->shape.c};
        WideKernel(c, *plan, e.level(), *operands, rows, flat).emit(begin, end);
      });
  noteTiles(kernel, plan->key(), plan->taken());
  e.call(kernel, args, plan->tiles(), op->getLoc());
  return success();
}

void qcc::populateWideDepthwiseKernels(KernelGenerators &generators) {
  generators.push_back({"wide-depthwise", emitWideDepthwise});
}
