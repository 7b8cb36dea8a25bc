//===- ColumnDepthwiseKernels.cpp - 8-bit depthwise by columns ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Channels-last 8-bit depthwise convolution whose taps are interleaved once and
// read by several outputs. Four input rows make a quad: the bytes of a column
// of it are one 32-bit lane per channel. A tile is a group of neighbouring
// output rows, so few that their windows lie in one or two quads; each tap
// column is then one dot product per quad, with weights that stand where the
// output's rows are in the quad. The quads of a segment of columns are on the
// stack:
//
//   slab[quad][column % stride][vector j][column / stride][channel]
//
// A plane (vector j) holds four channels of each 16, so that any run of whole
// 16 channels is contiguous in it. There are two ways to cut the channels:
//
// - sliced: one vector of channels at a time; the last one ends with the
//   channels and may overlap the one before it;
// - flat: a row is one run of columns * channels, cut into vectors. Their first
//   channel repeats with a period ("phase"), by which weights are packed.
//
//===----------------------------------------------------------------------===//

#include "ByteTable.h"
#include "ConvShape.h"
#include "Interleave.h"
#include "KernelLists.h"
#include "MatrixEpilogue.h"
#include "Product.h"
#include "Requantize.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// What a slab should take, to stay in a first-level cache with the weights,
/// and the most stack that it may.
static constexpr int64_t goodSlabBytes = 6 * 1024;
static constexpr int64_t maxSlabBytes = 192 * 1024;
/// Images beyond this are not read again from the second-level cache.
static constexpr int64_t residentBytes = 1024 * 1024;
/// Narrower segments read too many columns twice.
static constexpr int64_t minSegment = 8;
/// The most dot products per output vector; each is code of its own.
static constexpr int64_t maxDots = 256;

namespace {
/// A dot product of an output row of the group: which columns of which quad.
struct Entry {
  int64_t quad, kw, row;
};

struct ColumnPlan {
  ColumnPlan(const ConvShape &s, const TargetLevel &level);

  ConvShape shape;
  int64_t vectorBytes;
  bool sliced;
  int64_t channels; ///< of the slab: a vector or all
  int64_t slices;   ///< whole vectors of channels, or 1
  bool slicesInner; ///< the order of tiles
  int64_t rows = 1; ///< output rows per group
  int64_t inputRows, quads;
  SmallVector<Entry> entries;
  int64_t segments = 1, segment; ///< their number and output columns
  int64_t planeColumns, planeBytes;
  int64_t phases = 1;                 ///< of a row; 1 if sliced
  int64_t tailPhase = 0;              ///< of the last, partial vector of a row
  SmallVector<int64_t> firstChannels; ///< per phase or slice
  int64_t outputs;                    ///< vectors that are summed at once

  bool applies() const;
  int64_t groups() const { return llvm::divideCeil(shape.oh, rows); }
  int64_t tiles() const { return shape.n * slices * groups(); }
  int64_t slabBytes() const { return quads * shape.sw * 4 * planeBytes; }
  int64_t planeAt(int64_t quad, int64_t column, int64_t j) const {
    return ((quad * shape.sw + column % shape.sw) * 4 + j) * planeBytes +
           column / shape.sw * channels;
  }
  /// Bytes of weights per phase or slice.
  int64_t weightBytes() const { return entries.size() * 4 * vectorBytes; }

private:
  int64_t inputRowsOf(int64_t rows) const {
    return (rows - 1) * shape.sh + shape.kh;
  }
  double cost(int64_t rows) const;
  void cutColumns();
};
} // namespace

/// Calls f(quad) for the quads that output row `row` of a group reads.
static void forQuads(const ConvShape &s, int64_t row,
                     llvm::function_ref<void(int64_t)> f) {
  for (int64_t quad = row * s.sh / 4; quad <= (row * s.sh + s.kh - 1) / 4;
       ++quad)
    f(quad);
}

/// About the cycles per output vector for sums and interleaving, with two dot
/// products or one shuffle each.
double ColumnPlan::cost(int64_t rows) const {
  int64_t dots = 0;
  for (int64_t row = 0; row < rows; ++row)
    forQuads(shape, row, [&](int64_t) { dots += 4 * shape.kw; });
  return (dots * 0.5 +
          8.0 * llvm::divideCeil(inputRowsOf(rows), 4) * shape.sw) /
         double(rows);
}

ColumnPlan::ColumnPlan(const ConvShape &s, const TargetLevel &level)
    : shape(s), vectorBytes(level.vectorBytes) {
  sliced = s.c % vectorBytes == 0 || s.c > 3 * vectorBytes || s.c % 16 != 0;
  channels = sliced ? vectorBytes : s.c;
  slices = sliced ? s.c / vectorBytes : 1;
  slicesInner = s.h * s.w * s.c > residentBytes;

  int64_t sums = level.numVectorRegisters / 8;
  if (s.dh == 1)
    for (int64_t r = 2; r <= std::min(sums, s.oh); ++r)
      if (cost(r) < cost(rows))
        rows = r;
  inputRows = inputRowsOf(rows);
  quads = llvm::divideCeil(inputRows, 4);
  for (int64_t quad = 0; quad < quads; ++quad)
    for (int64_t kw = 0; kw < s.kw; ++kw)
      for (int64_t row = 0; row < rows; ++row)
        forQuads(s, row, [&](int64_t used) {
          if (used == quad)
            entries.push_back({quad, kw, row});
        });

  cutColumns();
  int64_t run = segment * channels, full = run / vectorBytes;
  if (sliced) {
    for (int64_t at = 0; at < s.c; at += vectorBytes)
      firstChannels.push_back(std::min(at, s.c - vectorBytes));
  } else {
    int64_t period = s.c / std::gcd(s.c, vectorBytes);
    phases = std::max<int64_t>(1, std::min(period, full));
    tailPhase = full % period;
    int64_t used = std::max(phases, run % vectorBytes ? tailPhase + 1 : 0);
    for (int64_t phase = 0; phase < used; ++phase)
      firstChannels.push_back(phase * vectorBytes % s.c);
  }
  // Steps of equal size.
  int64_t rounds = std::max<int64_t>(1, full / phases);
  int64_t most = std::max<int64_t>(1, sums / rows);
  outputs = llvm::divideCeil(rounds, llvm::divideCeil(rounds, most));
}

void ColumnPlan::cutColumns() {
  const ConvShape &s = shape;
  auto setSegment = [&](int64_t width) {
    segment = width;
    int64_t columns = (width - 1) * s.sw + (s.kw - 1) * s.dw + 1;
    planeColumns = llvm::divideCeil(columns, s.sw);
    // The last vector may be read beyond the columns.
    planeBytes = llvm::alignTo(planeColumns * channels + vectorBytes, 64);
  };
  setSegment(s.ow);
  while (slabBytes() > goodSlabBytes && segment > minSegment) {
    ++segments;
    setSegment(llvm::divideCeil(s.ow, segments));
  }
  segments = llvm::divideCeil(s.ow, segment);
}

bool ColumnPlan::applies() const {
  const ConvShape &s = shape;
  if (s.c < vectorBytes && s.c % 16 != 0)
    return false;
  if (slabBytes() > maxSlabBytes || int64_t(entries.size()) * 4 > maxDots)
    return false;
  // Interleaving the taps of each output takes eight shuffles per four.
  double overlap = sliced ? double(llvm::divideCeil(s.c, vectorBytes)) *
                                double(vectorBytes) / double(s.c)
                          : 1;
  return cost(rows) * overlap < 8.0 * double(llvm::divideCeil(s.kh * s.kw, 4));
}

namespace {
class ColumnKernel {
public:
  ColumnKernel(CodeBuilder &c, const ColumnPlan &p, const TargetLevel &level,
               const IntConv &conv, ValueRange args)
      : c(c), p(p), s(p.shape), level(level), conv(conv), input(args[0]),
        weights(args[1]), bias(args[2]), scaling(args[3]), result(args[4]),
        table(args.size() > 5 ? args[5] : Value()),
        slab(c.stack(c.b.getI8Type(), p.slabBytes())) {}

  void emit(Value begin, Value end);

private:
  /// A row of a quad: where its channels start, and how padding replaces what
  /// is read for rows outside: (x & mask) | padding. Null: never outside.
  struct Row {
    Value start, mask, padding;
  };
  void fill(Value image, Value top, Value firstColumn, Value channel);
  void fillPlane(ArrayRef<Row> rows, Value to, Value low, Value high,
                 Value firstColumn);
  void interleaveRun(ArrayRef<Row> rows, Value from, Value to, int64_t bytes);
  void padColumns(Value to, Value low, Value high);
  void group(int64_t rowCount, Value slice, Value to);
  void vectors(int64_t rowCount, int64_t count, Value phase, Value at, Value to,
               int64_t valid);

  CodeBuilder &c;
  const ColumnPlan &p;
  const ConvShape &s;
  const TargetLevel &level;
  const IntConv &conv;
  Value input, weights, bias, scaling, result, table, slab;
};
} // namespace

//===----------------------------------------------------------------------===//
// Interleaving
//===----------------------------------------------------------------------===//

/// slab[to + plane j] = interleaved bytes [from, from + bytes) of the rows.
void ColumnKernel::interleaveRun(ArrayRef<Row> rows, Value from, Value to,
                                 int64_t bytes) {
  auto type = c.vectorType(c.b.getI8Type(), bytes);
  auto spread = [&](Value byte) -> Value {
    return vector::BroadcastOp::create(c.b, c.loc, type, byte);
  };
  std::array<Value, 4> taps;
  for (auto [tap, row] : llvm::zip_equal(taps, rows)) {
    tap = c.load(input, c.add(row.start, from), type);
    if (!row.mask)
      continue;
    tap = arith::AndIOp::create(c.b, c.loc, tap, spread(row.mask));
    tap = arith::OrIOp::create(c.b, c.loc, tap, spread(row.padding));
  }
  for (auto [j, vector] : llvm::enumerate(interleaveTaps(c, taps)))
    c.store(vector, slab, c.add(to, int64_t(j) * p.planeBytes));
}

void ColumnKernel::padColumns(Value to, Value low, Value high) {
  c.loop(low, high, 1, [&](Value column) {
    Value at = c.add(to, c.mul(column, p.channels));
    for (int64_t j = 0; j < 4; ++j)
      c.fillRun(slab, c.add(at, j * p.planeBytes), p.channels,
                double(conv.inputPadding()), p.vectorBytes);
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
    Value whole = c.mul(c.div(length, p.vectorBytes), p.vectorBytes);
    auto pieces = [&](Value first, Value last, int64_t bytes) {
      c.loop(first, last, bytes, [&](Value at) {
        interleaveRun(rows, c.add(from, at), c.add(target, at), bytes);
      });
    };
    pieces(c.index(0), whole, p.vectorBytes);
    if (p.vectorBytes > 16)
      pieces(whole, length, 16);
    return;
  }
  c.loop(low, high, 1, [&](Value column) {
    Value from = c.mul(c.add(firstColumn, c.mul(column, s.sw)), s.c);
    Value target = c.add(to, c.mul(column, p.channels));
    for (int64_t at = 0; at < p.channels;) {
      int64_t bytes = std::min<int64_t>(
          p.vectorBytes, llvm::bit_floor(uint64_t(p.channels - at)));
      interleaveRun(rows, c.add(from, at), c.add(target, at), bytes);
      at += bytes;
    }
  });
}

/// The quads of input rows from `top` and columns from `firstColumn`, either of
/// which may be negative.
void ColumnKernel::fill(Value image, Value top, Value firstColumn,
                        Value channel) {
  int64_t lastRow =
      (p.groups() - 1) * p.rows * s.sh - s.padT + (4 * p.quads - 1) * s.dh;
  bool clipsRows = s.padT > 0 || lastRow >= s.h;
  auto byte = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(c.b, c.loc, c.b.getI8IntegerAttr(value));
  };
  auto select = [&](Value condition, Value x, Value y) -> Value {
    return arith::SelectOp::create(c.b, c.loc, condition, x, y);
  };
  auto atLeast = [&](Value x, Value y) -> Value {
    return arith::MaxSIOp::create(c.b, c.loc, x, y);
  };
  c.loop(0, p.quads, 1, [&](Value quad) {
    SmallVector<Row> rows(4);
    for (auto [i, row] : llvm::enumerate(rows)) {
      // What no output reads repeats the last row, which is near.
      Value number = c.add(c.mul(quad, 4), int64_t(i));
      if (p.quads * 4 > p.inputRows)
        number = c.min(number, c.index(p.inputRows - 1));
      Value y = c.add(top, c.mul(number, s.dh));
      if (clipsRows) {
        // Unsigned comparison: a negative row is a large one.
        Value inside = c.compare(arith::CmpIPredicate::ult, y, s.h);
        row.mask = select(inside, byte(-1), byte(0));
        row.padding = select(inside, byte(0), byte(conv.inputPadding()));
        y = select(inside, y, c.index(0));
      }
      row.start = c.add(c.mul(c.add(c.mul(image, s.h), y), s.w * s.c), channel);
    }
    for (int64_t plane = 0; plane < s.sw; ++plane) {
      Value to =
          c.add(c.mul(quad, s.sw * 4 * p.planeBytes), plane * 4 * p.planeBytes);
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
  int64_t lanes = level.lanes(), bytes = p.vectorBytes;
  MicroKernels &micro = *level.micro;
  unsigned perVector = micro.accumulatorsPerVector();
  Type i32 = c.b.getI32Type();
  auto ints = c.vectorType(i32, lanes);
  auto byteType = c.vectorType(c.b.getI8Type(), bytes);
  int64_t outputs = rowCount * count;

  Value biasAt = c.mul(phase, 4 * lanes);
  SmallVector<Value> biases;
  for (int64_t j = 0; j < 4; ++j)
    biases.push_back(c.load(bias, c.add(biasAt, j * lanes), ints));
  // sums[output][j][part]; the bias is added last where a sum has parts.
  SmallVector<Value> sums;
  for (int64_t output = 0; output < outputs; ++output)
    for (int64_t j = 0; j < 4; ++j)
      for (unsigned i = 0; i < perVector; ++i)
        sums.push_back(perVector == 1 ? biases[j] : c.splat(i32, 0, lanes));

  Value weightsAt = c.mul(phase, p.weightBytes());
  int64_t step = p.phases * bytes;
  for (size_t first = 0; first < p.entries.size();) {
    const Entry &entry = p.entries[first];
    size_t last = first;
    while (last < p.entries.size() && p.entries[last].quad == entry.quad &&
           p.entries[last].kw == entry.kw)
      ++last;
    if (entry.row < rowCount)
      for (int64_t j = 0; j < 4; ++j) {
        Value column = c.add(at, p.planeAt(entry.quad, entry.kw * s.dw, j));
        SmallVector<SmallVector<Value>> activations;
        for (int64_t i = 0; i < count; ++i)
          activations.push_back(micro.prepareActivations(
              c.b, c.loc, c.load(slab, c.add(column, i * step), byteType)));
        for (size_t e = first; e < last; ++e) {
          int64_t row = p.entries[e].row;
          if (row >= rowCount)
            continue;
          SmallVector<Value> w = micro.prepareWeights(
              c.b, c.loc,
              c.load(weights, c.add(weightsAt, (int64_t(e) * 4 + j) * bytes),
                     byteType));
          for (int64_t i = 0; i < count; ++i)
            micro.dot(c.b, c.loc,
                      MutableArrayRef<Value>(sums).slice(
                          ((row * count + i) * 4 + j) * perVector, perVector),
                      activations[i], w);
        }
      }
    first = last;
  }

  SmallVector<Value> parameters;
  int64_t scalingVectors = 4 * conv.parameters().size();
  Value scalingAt = c.mul(phase, scalingVectors * lanes);
  for (int64_t j = 0; j < scalingVectors; ++j)
    parameters.push_back(c.load(scaling, c.add(scalingAt, j * lanes),
                                c.vectorType(c.b.getF32Type(), lanes)));
  SmallVector<SmallVector<Value>> results;
  for (int64_t output = 0; output < outputs; ++output) {
    SmallVector<Value> finished;
    for (int64_t j = 0; j < 4; ++j) {
      Value sum = micro.finishAccumulators(
          c.b, c.loc,
          ArrayRef<Value>(sums).slice((output * 4 + j) * perVector, perVector));
      finished.push_back(perVector == 1 ? sum : c.add(sum, biases[j]));
    }
    results.push_back(conv.emitResults(c, level, finished, parameters));
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
    storeRun(c, vectors, valid, result,
             c.add(to, row * s.ow * s.c + i * (p.sliced ? s.c : step)));
  }
}

/// The first `rowCount` rows of a group over a segment; `to` is its first
/// result.
void ColumnKernel::group(int64_t rowCount, Value slice, Value to) {
  int64_t bytes = p.vectorBytes, step = p.phases * bytes;
  int64_t run = p.segment * p.channels, full = run / bytes;
  int64_t rounds = full / p.phases, rest = full % p.phases;
  int64_t whole = rounds / p.outputs * p.outputs;
  c.loop(0, p.phases, 1, [&](Value phase) {
    auto block = [&](Value round, int64_t count) {
      Value at = c.add(c.mul(phase, bytes), c.mul(round, step));
      vectors(rowCount, count, p.sliced ? slice : phase, at,
              c.add(to, p.sliced ? c.mul(round, s.c) : at), bytes);
    };
    c.loop(0, whole, p.outputs, [&](Value round) { block(round, p.outputs); });
    if (whole < rounds)
      block(c.index(whole), rounds - whole);
    if (rest > 0)
      c.branch(c.compare(arith::CmpIPredicate::ult, phase, rest),
               [&] { block(c.index(rounds), 1); }, {});
  });
  if (run % bytes != 0)
    vectors(rowCount, 1, c.index(p.tailPhase), c.index(full * bytes),
            c.add(to, full * bytes), run % bytes);
}

void ColumnKernel::emit(Value begin, Value end) {
  c.loop(begin, end, 1, [&](Value tile) {
    // Neighbouring tiles share the weights of a slice, or the input rows.
    int64_t inner = p.slicesInner ? p.slices : p.groups();
    int64_t outer = p.slicesInner ? p.groups() : p.slices;
    Value fast = c.rem(tile, inner), rest = c.div(tile, inner);
    Value slow = c.rem(rest, outer), image = c.div(rest, outer);
    Value groupNumber = p.slicesInner ? slow : fast,
          firstSlice = p.slicesInner ? fast : slow;
    Value row = c.mul(groupNumber, p.rows);
    Value top = c.sub(c.mul(row, s.sh), c.index(s.padT));

    auto slice = [&](Value number) {
      Value channel = c.index(0);
      if (p.sliced)
        channel =
            c.min(c.mul(number, p.vectorBytes), c.index(s.c - p.vectorBytes));
      c.loop(0, p.segments, 1, [&](Value i) {
        Value column = c.min(c.mul(i, p.segment), c.index(s.ow - p.segment));
        fill(image, top, c.sub(c.mul(column, s.sw), c.index(s.padL)), channel);
        Value pixel =
            c.add(c.mul(c.add(c.mul(image, s.oh), row), s.ow), column);
        Value to = c.add(c.mul(pixel, s.c), channel);
        if (s.oh % p.rows == 0)
          return group(p.rows, number, to);
        c.branch(
            c.compare(arith::CmpIPredicate::ult, groupNumber, p.groups() - 1),
            [&] { group(p.rows, number, to); },
            [&] { group(s.oh % p.rows, number, to); });
      });
    };
    if (!p.sliced || s.c % p.vectorBytes == 0)
      return slice(firstSlice);
    // What the last slice overlaps is computed by the same thread.
    Value isLast =
        c.compare(arith::CmpIPredicate::eq, firstSlice, p.slices - 1);
    Value count =
        arith::SelectOp::create(c.b, c.loc, isLast, c.index(2), c.index(1));
    c.loop(c.index(0), count, 1, [&](Value i) { slice(c.add(firstSlice, i)); });
  });
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// weights[phase or slice][entry][vector j][lane][row of the quad].
static std::vector<int8_t> packWeights(const ColumnPlan &p,
                                       const IntFilter &filter) {
  const ConvShape &s = p.shape;
  std::vector<int8_t> packed;
  for (int64_t first : p.firstChannels)
    for (const Entry &entry : p.entries)
      for (int64_t j = 0; j < 4; ++j)
        for (int64_t lane = 0; lane < p.vectorBytes / 4; ++lane)
          for (int64_t i = 0; i < 4; ++i) {
            int64_t channel = (first + interleavedChannel(j, lane)) % s.c;
            int64_t kh = 4 * entry.quad + i - entry.row * s.sh;
            packed.push_back(
                kh < 0 || kh >= s.kh
                    ? 0
                    : filter.at(channel,
                                (channel * s.kh + kh) * s.kw + entry.kw));
          }
  return packed;
}

static bool fitBytes(const ConvShape &s, const IntFilter &filter) {
  int64_t taps = s.kh * s.kw;
  for (int64_t i = 0; i < s.c * taps; ++i)
    if (filter.at(i / taps, i) != int8_t(filter.at(i / taps, i)))
      return false;
  return true;
}

static LogicalResult emitColumnDepthwise(Operation *op, KernelEmitter &e) {
  const TargetLevel &level = e.level();
  auto op8 = dyn_cast<ConvOp>(op);
  std::optional<ConvShape> shape;
  if (op8 && !op8.getResidual())
    shape = ConvShape::get(op8);
  if (!shape || shape->group != shape->c || shape->oc != shape->c ||
      !packsInterleaved(level))
    return failure();
  std::optional<IntConv> conv = IntConv::match(op8, level);
  ColumnPlan plan(*shape, level);
  if (!conv || !plan.applies() || !fitBytes(*shape, conv->filter))
    return failure();

  auto perChannel = [&](StringRef stem, auto parameters, Type type) {
    std::vector<std::decay_t<decltype(parameters[0][0])>> packed;
    for (int64_t first : plan.firstChannels)
      for (auto values : parameters)
        for (int64_t j = 0; j < 4; ++j)
          for (int64_t lane = 0; lane < level.lanes(); ++lane)
            packed.push_back(
                values[(first + interleavedChannel(j, lane)) % shape->c]);
    return e.constant(stem, MemRefType::get({int64_t(packed.size())}, type),
                      {reinterpret_cast<const char *>(packed.data()),
                       packed.size() * sizeof(packed[0])});
  };
  Builder b(op->getContext());
  std::vector<int8_t> weights = packWeights(plan, conv->filter);
  LutOp table = findResultTable(op);
  SmallVector<Value> args = {
      e.buffer(op8.getInput()),
      e.constant(
          "dw_weights",
          MemRefType::get({int64_t(weights.size())}, b.getI8Type()),
          {reinterpret_cast<const char *>(weights.data()), weights.size()}),
      perChannel("dw_bias", ArrayRef({ArrayRef<int32_t>(conv->bias)}),
                 b.getI32Type()),
      perChannel("dw_scaling", conv->parameters(), b.getF32Type()),
      e.buffer(table ? table.getResult() : op8.getResult())};
  if (table)
    args.push_back(takeOverTable(table, e));
  std::string key = llvm::formatv("columns {0} z{1} {2}", shape->key(),
                                  conv->inputZeroPoint, conv->key());
  func::FuncOp kernel = e.kernel(
      "depthwise_i8", key, ValueRange(args).getTypes(), op->getLoc(),
      [&](OpBuilder &b, Location loc, ValueRange args, Value begin, Value end) {
        CodeBuilder c(b, loc);
        SmallVector<Value> flat;
        for (Value arg : args)
          flat.push_back(flatten(c, arg));
        ColumnKernel(c, plan, level, *conv, flat).emit(begin, end);
      });
  e.call(kernel, args, plan.tiles(), op->getLoc());
  return success();
}

void qcc::populateColumnDepthwiseKernels(KernelGenerators &generators) {
  generators.push_back({"column-depthwise", emitColumnDepthwise});
}
