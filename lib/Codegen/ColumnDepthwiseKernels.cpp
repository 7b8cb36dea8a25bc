//===- ColumnDepthwiseKernels.cpp - Integer depthwise by columns ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What ColumnDepthwisePlan.h describes.
//
//===----------------------------------------------------------------------===//

#include "ByteTable.h"
#include "ColumnDepthwise.h"
#include "Interleave.h"
#include "KernelLists.h"
#include "MatrixEpilogue.h"
#include "Product.h"
#include "Requantize.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

//===----------------------------------------------------------------------===//
// Interleaving
//===----------------------------------------------------------------------===//

/// slab[to + plane j] = interleaved elements [from, from + count) of the rows.
void ColumnKernel::interleaveRun(ArrayRef<Row> rows, Value from, Value to,
                                 int64_t count) {
  auto type = c.vectorType(element(), count);
  auto spread = [&](Value number) -> Value {
    return vector::BroadcastOp::create(c.b, c.loc, type, number);
  };
  SmallVector<Value> taps;
  for (const Row &row : rows) {
    Value tap = c.load(input, c.add(row.start, from), type);
    if (sums && sums->flips)
      tap = arith::XOrIOp::create(c.b, c.loc, tap,
                                  c.splat(element(), -128, count));
    if (row.mask) {
      tap = arith::AndIOp::create(c.b, c.loc, tap, spread(row.mask));
      tap = arith::OrIOp::create(c.b, c.loc, tap, spread(row.padding));
    }
    taps.push_back(tap);
  }
  for (auto [j, vector] : llvm::enumerate(interleaveTaps(c, taps)))
    c.store(vector, slab, c.add(to, int64_t(j) * p.planeElements));
}

void ColumnKernel::padColumns(Value to, Value low, Value high) {
  c.loop(low, high, 1, [&](Value column) {
    Value at = c.add(to, c.mul(column, p.channels));
    for (int64_t j = 0; j < p.taps; ++j)
      c.fillRun(slab, c.add(at, j * p.planeElements), p.channels, padding,
                level.vectorBytes);
  });
}

/// Columns [low, high) of a plane, whose first one is column `firstColumn` of
/// the image and whose next ones are a stride apart.
void ColumnKernel::fillPlane(ArrayRef<Row> rows, Value to, Value low,
                             Value high, Value firstColumn) {
  if (!p.sliced && s.sw == 1) {
    Value from = c.mul(c.add(firstColumn, low), s.c);
    Value target = c.add(to, c.mul(low, s.c));
    Value length = c.mul(c.sub(high, low), s.c);
    Value whole = c.mul(c.div(length, p.vector), p.vector);
    auto pieces = [&](Value first, Value last, int64_t count) {
      c.loop(first, last, count, [&](Value at) {
        interleaveRun(rows, c.add(from, at), c.add(target, at), count);
      });
    };
    int64_t block = 128 / p.bits;
    pieces(c.index(0), whole, p.vector);
    if (p.vector > block)
      pieces(whole, length, block);
    return;
  }
  c.loop(low, high, 1, [&](Value column) {
    fillColumn(rows, c.mul(c.add(firstColumn, c.mul(column, s.sw)), s.c),
               c.add(to, c.mul(column, p.channels)));
  });
}

/// All channels of a column.
void ColumnKernel::fillColumn(ArrayRef<Row> rows, Value from, Value target) {
  for (int64_t at = 0; at < p.channels;) {
    int64_t count =
        std::min<int64_t>(p.vector, llvm::bit_floor(uint64_t(p.channels - at)));
    interleaveRun(rows, c.add(from, at), c.add(target, at), count);
    at += count;
  }
}

/// The columns of a bundle where those of the input are spread; `firstColumn`
/// counts those between them.
void ColumnKernel::fillSpread(ArrayRef<Row> rows, Value to, Value firstColumn) {
  padColumns(to, c.index(0), c.index(p.planeColumns));
  // The first pixel at or behind a column.
  auto firstFrom = [&](Value column) {
    Value from = arith::MaxSIOp::create(c.b, c.loc, c.add(column, s.spread - 1),
                                        c.index(0));
    return c.min(c.div(from, s.spread), c.index(s.w));
  };
  c.loop(firstFrom(firstColumn), firstFrom(c.add(firstColumn, p.planeColumns)),
         1, [&](Value pixel) {
           Value column = c.sub(c.mul(pixel, s.spread), firstColumn);
           fillColumn(rows, c.mul(pixel, s.c),
                      c.add(to, c.mul(column, p.channels)));
         });
}

/// The bundles of input rows from `top` and columns from `firstColumn`, either
/// of which may be negative.
void ColumnKernel::fill(Value image, Value top, Value firstColumn,
                        Value channel) {
  if (!s.isVolume())
    return fillLines(image, top, firstColumn, channel, c.index(0));
  Value front = c.sub(c.mul(c.rem(image, s.od), s.sd), c.index(s.padF));
  Value firstPlane = c.mul(c.div(image, s.od), s.d);
  int64_t elements = p.planeBundles * p.bundleElements();
  c.loop(0, s.kd, 1, [&](Value kd) {
    Value plane = c.add(front, c.mul(kd, s.dd)), slabAt = c.mul(kd, elements);
    // Unsigned comparison: a negative plane is a large one.
    c.branch(
        c.compare(arith::CmpIPredicate::ult, plane, s.d),
        [&] {
          fillLines(c.add(firstPlane, plane), top, firstColumn, channel,
                    slabAt);
        },
        [&] { c.fillRun(slab, slabAt, elements, padding, level.vectorBytes); });
  });
}

/// The same of one plane, from element `slabAt` on.
void ColumnKernel::fillLines(Value image, Value top, Value firstColumn,
                             Value channel, Value slabAt) {
  auto rows = [&](bool clipsRows) {
    fillRows(image, top, firstColumn, channel, slabAt, clipsRows);
  };
  int64_t span = (p.inputRows - 1) * s.dh;
  if (s.padT <= 0 && (p.groups() - 1) * p.rows * s.sh - s.padT + span < s.h)
    return rows(false);
  if (span >= s.h)
    return rows(true);
  // Most groups are inside the image. Unsigned comparison: a negative row is a
  // large one.
  c.branch(
      c.compare(arith::CmpIPredicate::ult, top, s.h - span),
      [&] { rows(false); }, [&] { rows(true); });
}

void ColumnKernel::fillRows(Value image, Value top, Value firstColumn,
                            Value channel, Value slabAt, bool clipsRows) {
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(c.b, c.loc,
                                     c.b.getIntegerAttr(element(), value));
  };
  auto select = [&](Value condition, Value x, Value y) -> Value {
    return arith::SelectOp::create(c.b, c.loc, condition, x, y);
  };
  auto atLeast = [&](Value x, Value y) -> Value {
    return arith::MaxSIOp::create(c.b, c.loc, x, y);
  };
  c.loop(0, p.planeBundles, 1, [&](Value bundle) {
    SmallVector<Row> rows(p.taps);
    for (auto [i, row] : llvm::enumerate(rows)) {
      // What no output reads repeats the last row, which is near.
      Value inputRow = c.add(c.mul(bundle, p.taps), int64_t(i));
      if (p.planeBundles * p.taps > p.inputRows)
        inputRow = c.min(inputRow, c.index(p.inputRows - 1));
      Value y = c.add(top, c.mul(inputRow, s.dh));
      if (clipsRows) {
        // Unsigned comparison: a negative row is a large one.
        Value inside = c.compare(arith::CmpIPredicate::ult, y, s.h);
        row.mask = select(inside, number(-1), number(0));
        row.padding = select(inside, number(0), padding);
        y = select(inside, y, c.index(0));
      }
      row.start = c.add(imageRows.at(c, image, y), channel);
    }
    Value bundleAt = c.add(slabAt, c.mul(bundle, p.bundleElements()));
    if (s.spread > 1)
      return fillSpread(rows, bundleAt, firstColumn);
    for (int64_t plane = 0; plane < s.sw; ++plane) {
      Value to = c.add(bundleAt, plane * p.taps * p.planeElements);
      Value first = c.add(firstColumn, plane),
            columns = c.index(p.planeColumns);
      // The first column inside, and the first one behind those inside.
      auto firstFrom = [&](int64_t column) {
        Value distance = c.sub(c.index(column + s.sw - 1), first);
        return c.min(c.div(atLeast(distance, c.index(0)), s.sw), columns);
      };
      Value low = firstFrom(0), high = atLeast(firstFrom(s.w), low);
      padColumns(to, c.index(0), low);
      fillPlane(rows, to, low, high, first);
      padColumns(to, high, columns);
    }
  });
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// `count` vectors, one per round of phases, of the first `rowCount` rows of
/// the group; `at` is the first one's place in the run of columns.
void ColumnKernel::vectors(int64_t rowCount, int64_t count, Value phase,
                           Value at, Value to, int64_t valid) {
  int64_t lanes = level.lanes(), taps = p.taps;
  MicroKernels &micro = *level.micro;
  unsigned perVector = p.bits == 8 ? micro.accumulatorsPerVector() : 1;
  Type i32 = c.b.getI32Type();
  auto ints = c.vectorType(i32, lanes);
  auto type = c.vectorType(element(), p.vector);
  int64_t outputs = rowCount * count;

  Value biasAt = c.mul(phase, taps * lanes);
  SmallVector<Value> biases;
  for (int64_t j = 0; j < taps; ++j)
    biases.push_back(c.load(bias, c.add(biasAt, j * lanes), ints));
  if (sums)
    for (Value &value : biases)
      value = arith::MulIOp::create(
          c.b, c.loc, value,
          vector::BroadcastOp::create(c.b, c.loc, ints, sums->zeroPoint));
  // totals[output][j][part]; the bias is added last where a sum has parts.
  SmallVector<Value> totals;
  for (int64_t output = 0; output < outputs; ++output)
    for (int64_t j = 0; j < taps; ++j)
      for (unsigned i = 0; i < perVector; ++i)
        totals.push_back(perVector == 1 ? biases[j] : c.splat(i32, 0, lanes));

  Value weightsAt = c.mul(phase, p.weightElements());
  int64_t step = p.phases * p.vector;
  for (size_t first = 0; first < p.entries.size();) {
    const ColumnDepthwisePlan::Entry &entry = p.entries[first];
    size_t last = first;
    while (last < p.entries.size() && p.entries[last].bundle == entry.bundle &&
           p.entries[last].kw == entry.kw)
      ++last;
    if (entry.row < rowCount)
      for (int64_t j = 0; j < taps; ++j) {
        Value column = c.add(at, p.planeAt(entry.bundle, entry.kw * s.dw, j));
        SmallVector<SmallVector<Value>> activations;
        for (int64_t i = 0; i < count; ++i) {
          Value loaded = c.load(slab, c.add(column, i * step), type);
          activations.push_back(
              p.bits == 8 ? micro.prepareActivations(c.b, c.loc, loaded)
                          : SmallVector<Value>{loaded});
        }
        for (size_t e = first; e < last; ++e) {
          int64_t row = p.entries[e].row;
          if (row >= rowCount)
            continue;
          Value loaded = c.load(
              weights, c.add(weightsAt, (int64_t(e) * taps + j) * p.vector),
              type);
          SmallVector<Value> w = p.bits == 8
                                     ? micro.prepareWeights(c.b, c.loc, loaded)
                                     : SmallVector<Value>{loaded};
          for (int64_t i = 0; i < count; ++i)
            dot(MutableArrayRef<Value>(totals).slice(
                    ((row * count + i) * taps + j) * perVector, perVector),
                activations[i], w);
        }
      }
    first = last;
  }

  SmallVector<Value> parameters;
  int64_t scalingVectors = scaling ? taps * conv.parameters().size() : 0;
  Value scalingAt = c.mul(phase, scalingVectors * lanes);
  for (int64_t j = 0; j < scalingVectors; ++j)
    parameters.push_back(c.load(scaling, c.add(scalingAt, j * lanes),
                                c.vectorType(c.b.getF32Type(), lanes)));
  SmallVector<SmallVector<Value>> results;
  for (int64_t output = 0; output < outputs; ++output) {
    SmallVector<Value> finished;
    for (int64_t j = 0; j < taps; ++j) {
      auto parts = ArrayRef<Value>(totals).slice(
          (output * taps + j) * perVector, perVector);
      finished.push_back(
          perVector == 1
              ? parts[0]
              : c.add(micro.finishAccumulators(c.b, c.loc, parts), biases[j]));
    }
    results.push_back(sums ? sortLanes(c, finished)
                           : conv.emitResults(c, level, finished, parameters));
  }
  if (table) {
    SmallVector<Value> indices;
    for (ArrayRef<Value> ofOutput : results)
      indices.push_back(ofOutput[0]);
    for (auto [output, found] :
         llvm::zip_equal(results, lookUpBytes(c, level, table, indices)))
      output[0] = found;
  }
  for (auto [output, vectors] : llvm::enumerate(results)) {
    int64_t row = output / count, i = output % count;
    Value at =
        c.add(to, row * p.resultRows.rowPitch + i * (p.sliced ? s.c : step));
    if (sums)
      storeSums(vectors, valid, at);
    else
      storeRun(c, vectors, valid, result, at);
  }
}

/// The first `valid` of vectors of sums in the order of the channels. Results
/// stand as in the tensor: each vector's are of neighbouring channels.
void ColumnKernel::storeSums(ValueRange vectors, int64_t valid, Value to) {
  int64_t lanes = level.lanes();
  for (auto [v, vector] : llvm::enumerate(vectors)) {
    int64_t first = int64_t(v) * lanes;
    if (first >= valid)
      break;
    Value at = c.add(to, first);
    sums->chain->store(vector, std::min(valid - first, lanes), result, at, at,
                       c.rem(at, s.c));
  }
}

void ColumnKernel::dot(MutableArrayRef<Value> parts, ValueRange activations,
                       ValueRange weights) {
  if (p.bits == 8)
    level.micro->dot(c.b, c.loc, parts, activations, weights);
  else
    parts[0] =
        level.micro->dotInt16(c.b, c.loc, parts[0], activations[0], weights[0]);
}

/// The first `rowCount` rows of a group over a segment; `to` is its first
/// result.
void ColumnKernel::group(int64_t rowCount, Value slice, Value to) {
  int64_t size = p.vector, step = p.phases * size;
  int64_t run = p.segment * p.channels, full = run / size;
  int64_t rounds = full / p.phases, rest = full % p.phases;
  int64_t whole = rounds / p.outputs * p.outputs;
  c.loop(0, p.phases, 1, [&](Value phase) {
    auto block = [&](Value round, int64_t count) {
      Value at = c.add(c.mul(phase, size), c.mul(round, step));
      vectors(rowCount, count, p.sliced ? slice : phase, at,
              c.add(to, p.sliced ? c.mul(round, s.c) : at), size);
    };
    c.loop(0, whole, p.outputs, [&](Value round) { block(round, p.outputs); });
    if (whole < rounds)
      block(c.index(whole), rounds - whole);
    if (rest > 0)
      c.branch(c.compare(arith::CmpIPredicate::ult, phase, rest),
               [&] { block(c.index(rounds), 1); }, {});
  });
  if (run % size != 0)
    vectors(rowCount, 1, c.index(p.tailPhase), c.index(full * size),
            c.add(to, full * size), run % size);
}

/// One slice of the channels, or all.
void ColumnKernel::slice(Value image, Value groupNumber, Value number,
                         Value to) {
  Value top = c.sub(c.mul(groupNumber, p.rows * s.sh), c.index(s.padT));
  Value channel = c.index(0);
  if (p.sliced)
    channel = c.min(c.mul(number, p.vector), c.index(s.c - p.vector));
  c.loop(0, p.segments, 1, [&](Value i) {
    Value column = c.min(c.mul(i, p.segment), c.index(s.ow - p.segment));
    fill(image, top, c.sub(c.mul(column, s.sw), c.index(s.padL)), channel);
    Value at = c.add(c.add(to, c.mul(column, s.c)), channel);
    if (s.oh % p.rows == 0)
      return group(p.rows, number, at);
    c.branch(
        c.compare(arith::CmpIPredicate::ult, groupNumber, p.groups() - 1),
        [&] { group(p.rows, number, at); },
        [&] { group(s.oh % p.rows, number, at); });
  });
}

void ColumnKernel::tile(Value image, Value groupNumber, Value firstSlice,
                        Value to) {
  if (!p.sliced || s.c % p.vector == 0)
    return slice(image, groupNumber, firstSlice, to);
  // What the last slice overlaps is computed by the same thread.
  Value isLast = c.compare(arith::CmpIPredicate::eq, firstSlice, p.slices - 1);
  Value count =
      arith::SelectOp::create(c.b, c.loc, isLast, c.index(2), c.index(1));
  c.loop(c.index(0), count, 1,
         [&](Value i) { slice(image, groupNumber, c.add(firstSlice, i), to); });
}

void ColumnKernel::emit(Value begin, Value end) {
  c.loop(begin, end, 1, [&](Value number) {
    // Neighbouring tiles share the weights of a slice, or the input rows.
    int64_t inner = p.slicesInner ? p.slices : p.groups();
    int64_t outer = p.slicesInner ? p.groups() : p.slices;
    Value fast = c.rem(number, inner), rest = c.div(number, inner);
    Value slow = c.rem(rest, outer), image = c.div(rest, outer);
    Value groupNumber = p.slicesInner ? slow : fast,
          firstSlice = p.slicesInner ? fast : slow;
    RangeRecorder *recorder = sums ? sums->recorder : nullptr;
    if (recorder)
      recorder->beginTile();
    tile(image, groupNumber, firstSlice,
         p.resultRows.at(c, image, c.mul(groupNumber, p.rows)));
    if (recorder)
      recorder->endTile(number);
  });
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// weights[phase or slice][entry][vector j][lane][row of the bundle].
template <typename T>
static std::vector<T> packWeights(const ColumnDepthwisePlan &p,
                                  const IntConv &conv) {
  const ConvShape &s = p.shape;
  std::vector<T> packed;
  for (int64_t first : p.firstChannels)
    for (const ColumnDepthwisePlan::Entry &entry : p.entries)
      for (int64_t j = 0; j < p.taps; ++j)
        for (int64_t lane = 0; lane < p.vector / p.taps; ++lane)
          for (int64_t i = 0; i < p.taps; ++i) {
            int64_t channel =
                (first + interleavedChannel(j, lane, p.taps)) % s.c;
            int64_t kd = entry.bundle / p.planeBundles;
            int64_t kh =
                p.taps * (entry.bundle % p.planeBundles) + i - entry.row * s.sh;
            packed.push_back(
                kh < 0 || kh >= s.kh
                    ? 0
                    : conv.weight(channel, (kd * s.kh + kh) * s.kw + entry.kw));
          }
  return packed;
}

/// Whether the real weights fit in as many signed bits.
static bool fit(const ConvShape &s, const IntConv &conv, unsigned bits) {
  int64_t taps = s.taps();
  for (int64_t i = 0; i < s.c * taps; ++i)
    if (!llvm::isIntN(bits, conv.weight(i / taps, i % taps)))
      return false;
  return true;
}

std::optional<ColumnDepthwise>
ColumnDepthwise::match(const DepthwisePart &part, const TargetLevel &level) {
  quant::UniformQuantizedType type = getIntActivationType(part.terms.input);
  if (!type || !packsInterleaved(level))
    return std::nullopt;
  unsigned bits = type.getStorageTypeIntegralWidth();
  std::optional<IntConv> conv = IntConv::match(part.terms, level, bits);
  ColumnDepthwisePlan plan(part, level, bits);
  if (!conv || !plan.applies() || !fit(part.shape, *conv, bits))
    return std::nullopt;
  LutOp table = findResultTable(part.op());
  return ColumnDepthwise{*conv, plan, table,
                         table ? table.getResult() : part.terms.result};
}

std::string ColumnDepthwise::key() const {
  return llvm::formatv("{0} z{1} {2}", plan.key(), conv.inputZeroPoint,
                       conv.key());
}

SmallVector<Value> ColumnDepthwise::constants(KernelEmitter &e) const {
  auto constant = [&](StringRef stem, auto packed, Type type) {
    return e.constant(stem, MemRefType::get({int64_t(packed.size())}, type),
                      {reinterpret_cast<const char *>(packed.data()),
                       packed.size() * sizeof(packed[0])});
  };
  auto perChannel = [&](auto parameters) {
    std::vector<std::decay_t<decltype(parameters[0][0])>> packed;
    for (int64_t first : plan.firstChannels)
      for (auto values : parameters)
        for (int64_t j = 0; j < plan.taps; ++j)
          for (int64_t lane = 0; lane < plan.vector / plan.taps; ++lane)
            packed.push_back(
                values[(first + interleavedChannel(j, lane, plan.taps)) %
                       plan.shape.c]);
    return packed;
  };
  Builder b(e.context());
  Type element = b.getIntegerType(plan.bits);
  SmallVector<Value> constants = {
      plan.bits == 8
          ? constant("dw_weights", packWeights<int8_t>(plan, conv), element)
          : constant("dw_weights", packWeights<int16_t>(plan, conv), element),
      constant("dw_bias", perChannel(ArrayRef({ArrayRef<int32_t>(conv.bias)})),
               b.getI32Type())};
  if (!conv.multipliers.empty())
    constants.push_back(
        constant("dw_scaling", perChannel(conv.parameters()), b.getF32Type()));
  if (table)
    constants.push_back(takeOverTable(table, e));
  return constants;
}

static void emitPart(const DepthwisePart &part,
                     const ColumnDepthwise &depthwise, KernelEmitter &e) {
  const TargetLevel &level = e.level();
  const ColumnDepthwisePlan &plan = depthwise.plan;
  SmallVector<Value> args = {e.buffer(part.terms.input),
                             e.buffer(depthwise.result)};
  llvm::append_range(args, depthwise.constants(e));
  Location loc = part.op()->getLoc();
  func::FuncOp kernel = e.kernel(
      plan.bits == 8 ? "depthwise_i8" : "depthwise_i16", depthwise.key(),
      ValueRange(args).getTypes(), loc,
      [&](OpBuilder &b, Location loc, ValueRange args, Value begin, Value end) {
        CodeBuilder c(b, loc);
        SmallVector<Value> flat;
        for (Value arg : args)
          flat.push_back(flatten(c, arg));
        ImageRows rows{plan.shape.h, plan.shape.w * plan.shape.c};
        ColumnKernel(c, plan, level, depthwise.conv, rows, flat[0], flat[1],
                     ArrayRef<Value>(flat).drop_front(2))
            .emit(begin, end);
      });
  e.call(kernel, args, plan.tiles(), loc);
  part.noteProducts(args[0]);
}

static LogicalResult emitColumnDepthwise(Operation *op, KernelEmitter &e) {
  std::vector<ColumnDepthwise> kernels;
  std::vector<DepthwisePart> parts = DepthwisePart::get(op);
  for (const DepthwisePart &part : parts) {
    std::optional<ColumnDepthwise> match =
        ColumnDepthwise::match(part, e.level());
    if (!match)
      return failure();
    kernels.push_back(*match);
  }
  for (auto [part, kernel] : llvm::zip_equal(parts, kernels))
    emitPart(part, kernel, e);
  return success(!parts.empty());
}

void qcc::populateColumnDepthwiseKernels(KernelGenerators &generators) {
  generators.push_back({"column-depthwise", emitColumnDepthwise});
}
