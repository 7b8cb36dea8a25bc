//===- ReferencePool.cpp - Maximum and mean over windows ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

static constexpr int64_t grain = 1 << 14;
static constexpr int64_t maxBlock = 256;

namespace {
/// A pool as an accumulation over windows: channels are contiguous in
/// channels-last layout, rows of the image in channels-first.
struct Pool {
  Value input, result;
  Window window;
  bool channelsLast;
  int64_t batch, channels;

  template <typename Op>
  explicit Pool(Op op)
      : input(op.getInput()), result(op.getResult()),
        window(op, op.getKernel(),
               op.getLayout() == qnn::Layout::ChannelsLast ? 1 : 2),
        channelsLast(op.getLayout() == qnn::Layout::ChannelsLast),
        batch(shapeOf(op.getInput())[0]),
        channels(shapeOf(op.getInput())[op.getChannelDim()]) {}

  Type accumulatorType;
  /// Kernel arguments after input and result.
  SmallVector<Value> extraArgs;
  std::function<Value(LoopBuilder &)> initial;
  std::function<Value(LoopBuilder &, Value acc, Value raw)> accumulate;
  /// The stored result; `out` is the output's spatial position.
  std::function<Value(LoopBuilder &, Value acc, ValueRange out,
                      ValueRange extraArgs)>
      finish;

  void emit(Operation *op, StringRef stem, KernelEmitter &emitter);
  void emitChannelsLast(LoopBuilder &b, ValueRange ivs, int64_t block,
                        Value sums, ValueRange args);
  void emitChannelsFirst(LoopBuilder &b, ValueRange ivs, int64_t block,
                         Value sums, ValueRange args);
};
} // namespace

/// ivs: n, od, oh, ow, block of channels.
void Pool::emitChannelsLast(LoopBuilder &b, ValueRange ivs, int64_t block,
                            Value sums, ValueRange args) {
  Value x = b.flat(args[0]), y = b.flat(args[1]);
  Value from = b.mulIndex(ivs[4], block), count = b.index(block);
  if (channels % block)
    count = b.smaller(count, b.sub(b.index(channels), from));
  Value start = initial(b);
  b.loop(b.index(0), count, [&](Value j) { b.store(start, sums, j); });
  SmallVector<Value> out{ivs[1], ivs[2], ivs[3]};
  window.forTaps(b, 3, out, [&](ValueRange, ValueRange in) {
    Value pixel =
        linearIndex(b, {ivs[0], in[0], in[1], in[2]},
                    {batch, window.in[0], window.in[1], window.in[2]});
    Value at = b.add(b.mulIndex(pixel, channels), from);
    b.loop(b.index(0), count, [&](Value j) {
      b.store(accumulate(b, b.load(sums, j), b.load(x, b.add(at, j))), sums, j);
    });
  });
  Value pixel =
      linearIndex(b, ivs.take_front(4),
                  {batch, window.out[0], window.out[1], window.out[2]});
  Value at = b.add(b.mulIndex(pixel, channels), from);
  b.loop(b.index(0), count, [&](Value j) {
    b.store(finish(b, b.load(sums, j), out, args.drop_front(3)), y,
            b.add(at, j));
  });
}

/// ivs: n and c, od, oh, block of the row.
void Pool::emitChannelsFirst(LoopBuilder &b, ValueRange ivs, int64_t block,
                             Value sums, ValueRange args) {
  Value x = b.flat(args[0]), y = b.flat(args[1]);
  Value from = b.mulIndex(ivs[3], block), to = b.addIndex(from, block);
  if (window.out[2] % block)
    to = b.smaller(to, b.index(window.out[2]));
  Value start = initial(b);
  b.loop(b.index(0), b.sub(to, from),
         [&](Value j) { b.store(start, sums, j); });
  SmallVector<Value> out{ivs[1], ivs[2]};
  window.forTaps(b, 2, out, [&](ValueRange, ValueRange in) {
    Value row = linearIndex(b, {ivs[0], in[0], in[1]},
                            {batch * channels, window.in[0], window.in[1]});
    row = b.mulIndex(row, window.in[2]);
    window.forRowTaps(
        b, args[2], from, to, [&](Value, Value lo, Value hi, Value offset) {
          Value at = b.add(row, offset);
          b.loop(lo, hi, [&](Value i) {
            Value j = b.sub(i, from);
            Value raw = b.load(x, b.add(at, b.mulIndex(i, window.stride[2])));
            b.store(accumulate(b, b.load(sums, j), raw), sums, j);
          });
        });
  });
  Value row = linearIndex(b, ivs.take_front(3),
                          {batch * channels, window.out[0], window.out[1]});
  row = b.mulIndex(row, window.out[2]);
  b.loop(from, to, [&](Value i) {
    SmallVector<Value> position{ivs[1], ivs[2], i};
    b.store(
        finish(b, b.load(sums, b.sub(i, from)), position, args.drop_front(3)),
        y, b.add(row, i));
  });
}

void Pool::emit(Operation *op, StringRef stem, KernelEmitter &emitter) {
  int64_t extent = channelsLast ? channels : window.out[2];
  int64_t block = std::max<int64_t>(1, std::min(extent, maxBlock));
  int64_t blocks = (extent + block - 1) / block;
  SmallVector<int64_t> box;
  if (channelsLast)
    box = {batch, window.out[0], window.out[1], window.out[2], blocks};
  else
    box = {batch * channels, window.out[0], window.out[1], blocks};
  Tiling tiling(box, std::max<int64_t>(1, grain / (block * window.taps())));

  SmallVector<Value> args{emitter.buffer(input), emitter.buffer(result),
                          window.rowRanges(emitter)};
  llvm::append_range(args, extraArgs);
  func::FuncOp kernel =
      emitter.kernel(stem, opKey(op), ValueRange(args).getTypes(), op->getLoc(),
                     [&](OpBuilder &builder, Location loc, ValueRange args,
                         Value begin, Value end) {
                       LoopBuilder b(builder, loc, emitter.level());
                       Value sums = b.local(accumulatorType, block);
                       tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
                         if (channelsLast)
                           emitChannelsLast(b, ivs, block, sums, args);
                         else
                           emitChannelsFirst(b, ivs, block, sums, args);
                       });
                     });
  emitter.call(kernel, args, tiling.tiles(), op->getLoc());
}

//===----------------------------------------------------------------------===//
// Maximum
//===----------------------------------------------------------------------===//

/// The smallest value of a storage type.
static Value lowest(LoopBuilder &b, const Element &e) {
  if (e.isFloat())
    return b.real(e.storage, -std::numeric_limits<double>::infinity());
  if (e.isQuantized())
    return b.integer(e.storage, e.quantized.getStorageTypeMin());
  if (e.isUnsigned)
    return b.integer(e.storage, 0);
  return b.integer(e.storage, llvm::minIntN(e.width()));
}

static LogicalResult emit(qnn::MaxPoolOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  if (in.perAxis || out.perAxis || in.isFloat() != out.isFloat() ||
      in.isQuantized() != out.isQuantized())
    return failure();
  Pool pool(op);
  pool.accumulatorType = in.storage;
  pool.initial = [=](LoopBuilder &b) { return lowest(b, in); };
  pool.accumulate = [=](LoopBuilder &b, Value acc, Value raw) {
    return b.larger(raw, acc, in.isUnsigned);
  };
  pool.finish = [=](LoopBuilder &b, Value acc, ValueRange, ValueRange) {
    return in.type == out.type ? acc : b.fromReal(b.toReal(acc, in), out);
  };
  pool.emit(op, "max_pool", emitter);
  return success();
}

//===----------------------------------------------------------------------===//
// Mean
//===----------------------------------------------------------------------===//

/// How many taps of each output position of dimension d count.
static SmallVector<int32_t> tapCounts(const Window &w, unsigned d,
                                      int64_t padEnd, bool includePad) {
  int64_t low = includePad ? -w.pad[d] : 0;
  int64_t high = includePad ? w.in[d] + padEnd : w.in[d]; // half-open
  SmallVector<int32_t> counts;
  for (int64_t o = 0; o < w.out[d]; ++o) {
    // Taps before `bound`.
    auto below = [&](int64_t bound) {
      int64_t distance = bound - (o * w.stride[d] - w.pad[d]);
      if (distance <= 0)
        return int64_t(0);
      return std::min(w.kernel[d], (distance - 1) / w.dilation[d] + 1);
    };
    counts.push_back(below(high) - below(low));
  }
  return counts;
}

static LogicalResult emit(qnn::AvgPoolOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  bool isInteger = in.isQuantized() && out.isQuantized();
  if (in.perAxis || out.perAxis || in.isInteger() || out.isInteger())
    return failure();
  Pool pool(op);
  unsigned rank = op.getSpatialRank();
  for (unsigned d = 0; d < 3; ++d) {
    int64_t padEnd = d + rank >= 3 ? op.getPads()[rank + d + rank - 3] : 0;
    SmallVector<int32_t> counts =
        tapCounts(pool.window, d, padEnd, op.getCountIncludePad());
    pool.extraArgs.push_back(
        constantOf(emitter, "counts", ArrayRef<int32_t>(counts)));
  }
  int64_t taps = pool.window.taps();
  bool isWide = in.width() > 16 || taps >= (1 << 15);
  MLIRContext *context = op.getContext();
  pool.accumulatorType =
      isInteger ? Type(IntegerType::get(context, isWide ? 64 : 32)) : in.real();
  Type sumType = pool.accumulatorType;
  pool.initial = [=](LoopBuilder &b) { return b.number(sumType, 0); };
  pool.accumulate = [=](LoopBuilder &b, Value acc, Value raw) {
    return b.add(acc,
                 isInteger ? b.centered(raw, in, sumType) : b.toReal(raw, in));
  };
  pool.finish = [=](LoopBuilder &b, Value acc, ValueRange position,
                    ValueRange args) {
    Value n;
    for (auto [at, table] : llvm::zip(position, args)) {
      Value count = b.load(table, at);
      n = n ? b.mul(n, count) : count;
    }
    n = b.larger(n, b.integer(n.getType(), 1)); // all in the padding: 0
    Value count =
        arith::SIToFPOp::create(b, isInteger ? b.getF32Type() : sumType, n);
    if (isInteger) { // meanMultiplier
      Type f32 = b.getF32Type();
      Value divisor = b.mul(count, b.real(f32, out.params().scale));
      Value factor = b.div(b.real(f32, in.params().scale), divisor);
      Value sum = arith::SIToFPOp::create(b, f32, acc);
      return b.roundToStorage(b.mul(sum, factor), out.params(), out.storage);
    }
    Value mean = b.div(acc, count);
    return b.fromReal(mean, out);
  };
  pool.emit(op, "avg_pool", emitter);
  return success();
}

LogicalResult qcc::reference::emitPool(Operation *op, KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qnn::MaxPoolOp, qnn::AvgPoolOp>(
          [&](auto concrete) { return emit(concrete, emitter); })
      .Default([](Operation *) { return failure(); });
}
