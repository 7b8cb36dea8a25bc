//===- DepthwiseKernels.cpp - Depthwise convolution -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Channels-last depthwise convolution, 8-bit and float, any kernel, stride and
// dilation. A tile is a block of output rows of one image. Its input rows are
// copied once into a slab on the stack: padded, and with the columns sorted by
// their remainder modulo the stride, so that for every tap the elements which
// one vector of outputs needs are contiguous:
//
//   slab[row][column % stride][column / stride][channel]
//
// An output row is then one flat run of OW*C elements. The channel of a
// vector's first element repeats with period C/gcd(C, VL) vectors (a "phase");
// weights, bias and scaling are packed per phase.
//
// 8-bit: four taps of each channel are interleaved to feed one dot product per
// 32-bit lane, in the order that packToBytes and sortLanes undo.
//
//===----------------------------------------------------------------------===//

#include "ByteTable.h"
#include "ConvShape.h"
#include "Interleave.h"
#include "KernelLists.h"
#include "MatrixEpilogue.h"
#include "Requantize.h"

#include "qcc/Codegen/TileChoice.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {

/// The most stack that a slab may take.
constexpr int64_t maxSlabBytes = 192 * 1024;
/// What a slab should take, to stay in a first-level cache with the weights.
constexpr int64_t goodSlabBytes = 24 * 1024;
/// The most taps; each is code of its own.
constexpr int64_t maxTaps = 1024;
/// Vectors of floats that are summed at once and share their weights.
constexpr int64_t neighbours = 4;

/// Where a tile's input lies on the stack.
struct Slab {
  Slab(const ConvShape &s, int64_t elementBytes, const TargetLevel &level,
       TileTable table)
      : shape(s), elementBytes(elementBytes) {
    int64_t vectorBytes = level.vectorBytes;
    columns = (s.ow - 1) * s.sw + (s.kw - 1) * s.dw + 1;
    planeColumns = llvm::divideCeil(columns, s.sw);
    planeElements = llvm::alignTo(
        planeColumns * s.c + vectorBytes / elementBytes, 64 / elementBytes);
    rowElements = planeElements * s.sw;
    int64_t rowBytes = rowElements * elementBytes;
    int64_t window = (s.kh - 1) * s.dh + 1;
    outputRows = 1;
    while (outputRows < s.oh &&
           (outputRows * s.sh + window) * rowBytes <= goodSlabBytes)
      ++outputRows;
    TileChoice choice = table.lookup(level.name, key());
    if (choice.rows)
      outputRows = std::min<int64_t>(*choice.rows, s.oh);
    rows = (outputRows - 1) * s.sh + window;
    bytes = rows * rowBytes;
  }

  /// What a choice of tiles is stored under, and what of one was taken.
  std::string key() const {
    return (elementBytes == 1 ? "depthwise i8 " : "depthwise f32 ") +
           shape.key();
  }
  TileChoice taken() const {
    TileChoice choice;
    choice.rows = unsigned(outputRows);
    return choice;
  }

  /// Copies the input rows of output rows [first, last) of image n.
  void fill(CodeBuilder &c, Value input, Value slab, Value image, Value first,
            Value last, double padding, unsigned vectorBytes) const;
  void fillRow(CodeBuilder &c, Value input, Value from, Value slab, Value to,
               double padding, unsigned vectorBytes) const;
  /// Offset of a tap's elements from the start of its slab row.
  int64_t columnOffset(int64_t kw) const {
    int64_t column = kw * shape.dw;
    return column % shape.sw * planeElements + column / shape.sw * shape.c;
  }

  ConvShape shape;
  int64_t elementBytes;
  int64_t columns, planeColumns, planeElements, rowElements;
  int64_t outputRows; ///< per tile
  int64_t rows, bytes;
};

/// Where the flat run of an output row is cut into vectors.
struct Phases {
  Phases(const ConvShape &s, int64_t lanes) : lanes(lanes), run(s.ow * s.c) {
    full = run / lanes;
    count = std::min(s.c / std::gcd(s.c, lanes), full);
    for (int64_t p = 0; p < count; ++p)
      firstChannel.push_back(p * lanes % s.c);
    if (run % lanes != 0) // the last vector ends with the row
      firstChannel.push_back(full == 0 ? 0 : (run - lanes) % s.c);
  }
  /// Calls emit(flat positions, phase) for all vectors of a row, up to `most`
  /// of one phase at a time; the last argument is the number of valid elements
  /// (less than lanes only for rows that are shorter than a vector).
  void forEach(
      CodeBuilder &c, int64_t most,
      llvm::function_ref<void(ArrayRef<Value>, Value, int64_t)> emit) const {
    // Vectors `first`, `first + count`, ...
    auto group = [&](Value first, int64_t size, Value phase) {
      SmallVector<Value> positions;
      for (int64_t i = 0; i < size; ++i)
        positions.push_back(c.mul(c.add(first, i * count), lanes));
      emit(positions, phase, lanes);
    };
    int64_t rounds = most == 1 || count == 0 ? 0 : full / count / most * most;
    c.loop(0, rounds == 0 ? 0 : count, 1, [&](Value phase) {
      c.loop(0, rounds, most, [&](Value round) {
        group(c.add(c.mul(round, count), phase), most, phase);
      });
    });
    c.loop(rounds * count, full, 1,
           [&](Value i) { group(i, 1, count == full ? i : c.rem(i, count)); });
    if (run % lanes == 0)
      return;
    int64_t at = full == 0 ? 0 : run - lanes;
    emit(c.index(at), c.index(count), std::min(run, lanes));
  }

  int64_t lanes, run, full, count;
  SmallVector<int64_t> firstChannel; ///< of each phase
};

} // namespace

void Slab::fillRow(CodeBuilder &c, Value input, Value from, Value slab,
                   Value to, double padding, unsigned vectorBytes) const {
  const ConvShape &s = shape;
  auto fill = [&](int64_t at, int64_t count) {
    if (count > 0)
      c.fillRun(slab, c.add(to, at), count, padding, vectorBytes);
  };
  for (int64_t plane = 0; plane < s.sw; ++plane) {
    // Column j of the plane is image column j * sw + plane - padL.
    int64_t base = plane * planeElements;
    int64_t low = std::clamp<int64_t>(
        llvm::divideCeilSigned(s.padL - plane, s.sw), 0, planeColumns);
    int64_t high = std::clamp<int64_t>(
        llvm::divideFloorSigned(s.w - 1 + s.padL - plane, s.sw) + 1, low,
        planeColumns);
    fill(base, low * s.c);
    if (high > low) {
      Value start = c.add(to, base + low * s.c);
      Value source = c.add(from, (low * s.sw + plane - s.padL) * s.c);
      if (s.sw == 1)
        c.copyRun(input, source, slab, start, (high - low) * s.c, vectorBytes);
      else
        c.loop(0, high - low, 1, [&](Value j) {
          c.copyRun(input, c.add(source, c.mul(j, s.sw * s.c)), slab,
                    c.add(start, c.mul(j, s.c)), s.c, vectorBytes);
        });
    }
    fill(base + high * s.c, (planeColumns - high) * s.c);
  }
}

void Slab::fill(CodeBuilder &c, Value input, Value slab, Value image,
                Value first, Value last, double padding,
                unsigned vectorBytes) const {
  const ConvShape &s = shape;
  // Input rows [top, top + needed), top = first * sh - padT (may be negative).
  Value top = c.sub(c.mul(first, s.sh), c.index(s.padT));
  Value needed =
      c.add(c.mul(c.sub(last, first), s.sh), (s.kh - 1) * s.dh + 1 - s.sh);
  c.loop(c.index(0), needed, 1, [&](Value i) {
    Value row = c.add(top, i);
    Value to = c.mul(i, rowElements);
    // Unsigned comparison: a negative row is a large one.
    Value inside = c.compare(arith::CmpIPredicate::ult, row, s.h);
    c.branch(
        inside,
        [&] {
          Value from = c.mul(c.add(c.mul(image, s.h), row), s.w * s.c);
          fillRow(c, input, from, slab, to, padding, vectorBytes);
        },
        [&] {
          for (int64_t plane = 0; plane < s.sw; ++plane)
            c.fillRun(slab, c.add(to, plane * planeElements),
                      planeColumns * s.c, padding, vectorBytes);
        });
  });
}

/// Emits the loops over tiles and rows around `vectors`, which computes and
/// stores up to `most` vectors: (where the slab holds the top left of their
/// windows, phase, indices of their first output elements, valid elements of
/// each).
static void emitTiles(
    CodeBuilder &c, const Slab &slab, const Phases &phases, Value input,
    Value stack, double padding, Value begin, Value end, unsigned vectorBytes,
    int64_t most,
    llvm::function_ref<void(ArrayRef<Value>, Value, ArrayRef<Value>, int64_t)>
        vectors) {
  const ConvShape &s = slab.shape;
  int64_t tilesPerImage = llvm::divideCeil(s.oh, slab.outputRows);
  c.loop(begin, end, 1, [&](Value tile) {
    Value image = c.div(tile, tilesPerImage);
    Value first = c.mul(c.rem(tile, tilesPerImage), slab.outputRows);
    Value last = c.min(c.add(first, slab.outputRows), c.index(s.oh));
    slab.fill(c, input, stack, image, first, last, padding, vectorBytes);
    c.loop(first, last, 1, [&](Value row) {
      Value top = c.mul(c.sub(row, first), s.sh * slab.rowElements);
      Value output = c.mul(c.add(c.mul(image, s.oh), row), phases.run);
      phases.forEach(
          c, most, [&](ArrayRef<Value> positions, Value phase, int64_t valid) {
            SmallVector<Value> windows, results;
            for (Value at : positions) {
              windows.push_back(c.add(top, at));
              results.push_back(c.add(output, at));
            }
            vectors(windows, phase, results, valid);
          });
    });
  });
}

namespace {
/// One tap and its weight per channel, as signed bytes.
struct Tap {
  int64_t kh, kw;
  SmallVector<int8_t> weights;
};
} // namespace

/// The taps with the zero points taken from the weights. A weight that leaves
/// the range of a byte (unsigned weights with a zero point) is split over
/// several taps of the same position.
static SmallVector<Tap> collectTaps(const ConvShape &s,
                                    const IntFilter &filter) {
  SmallVector<Tap> taps;
  int64_t positions = s.kh * s.kw;
  for (int64_t position = 0; position < positions; ++position) {
    SmallVector<int64_t> rest(s.c);
    for (int64_t channel = 0; channel < s.c; ++channel)
      rest[channel] = filter.at(channel, channel * positions + position);
    do {
      Tap tap{position / s.kw, position % s.kw, {}};
      for (int64_t &w : rest) {
        int64_t part = std::clamp<int64_t>(w, -128, 127);
        tap.weights.push_back(int8_t(part));
        w -= part;
      }
      taps.push_back(std::move(tap));
    } while (llvm::any_of(rest, [](int64_t w) { return w != 0; }));
  }
  return taps;
}

static LogicalResult emitInt8(ConvOp op, const ConvShape &s, KernelEmitter &e) {
  const TargetLevel &level = e.level();
  std::optional<IntConv> conv = IntConv::match(op, level);
  if (!conv || op.getResidual() || !packsInterleaved(level))
    return failure();
  unsigned vectorBytes = level.vectorBytes;
  Slab slab(s, 1, level, TileTable(op));
  if (slab.bytes > maxSlabBytes)
    return failure();
  Phases phases(s, vectorBytes);
  SmallVector<Tap> taps = collectTaps(s, conv->filter);
  int64_t groups = llvm::divideCeil(taps.size(), 4);
  int64_t lanes = level.lanes();

  // Pack per phase: [groups][4 vectors][lanes][4 taps], and of each parameter
  // [4 vectors][lanes].
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;
  std::vector<float> scaling;
  for (int64_t first : phases.firstChannel) {
    auto channelOf = [&](int64_t j, int64_t lane) {
      return (first + interleavedChannel(j, lane)) % s.c;
    };
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t j = 0; j < 4; ++j)
        for (int64_t lane = 0; lane < lanes; ++lane)
          for (size_t t = 4 * g; t < size_t(4 * g + 4); ++t)
            weights.push_back(
                t < taps.size() ? taps[t].weights[channelOf(j, lane)] : 0);
    auto pack = [&](auto &packed, auto values) {
      for (int64_t j = 0; j < 4; ++j)
        for (int64_t lane = 0; lane < lanes; ++lane)
          packed.push_back(values[channelOf(j, lane)]);
    };
    pack(bias, ArrayRef(conv->bias));
    for (ArrayRef<float> values : conv->parameters())
      pack(scaling, values);
  }

  Location loc = op.getLoc();
  MLIRContext *context = e.context();
  auto flat = [&](Value tensor) {
    Value buffer = e.buffer(tensor);
    auto type = cast<MemRefType>(buffer.getType());
    return e.reshape(
        buffer, MemRefType::get({type.getNumElements()}, type.getElementType()),
        loc);
  };
  auto bytes = [](const auto &v) {
    return ArrayRef<char>(reinterpret_cast<const char *>(v.data()),
                          v.size() * sizeof(v[0]));
  };
  Type i8 = IntegerType::get(context, 8), i32 = IntegerType::get(context, 32);
  Type f32 = Float32Type::get(context);
  LutOp table = findResultTable(op);
  SmallVector<Value> args = {
      flat(op.getInput()),
      e.constant("dw_weights", MemRefType::get({int64_t(weights.size())}, i8),
                 bytes(weights)),
      e.constant("dw_bias", MemRefType::get({int64_t(bias.size())}, i32),
                 bytes(bias)),
      e.constant("dw_scaling", MemRefType::get({int64_t(scaling.size())}, f32),
                 bytes(scaling)),
      flat(table ? table.getResult() : op.getResult())};
  if (table)
    args.push_back(takeOverTable(table, e));

  std::string key = llvm::formatv("{0} z{1} {2} t", s.key(),
                                  conv->inputZeroPoint, conv->key());
  for (const Tap &tap : taps)
    key += llvm::formatv(" {0},{1}", tap.kh, tap.kw);

  auto body = [&](OpBuilder &b, Location loc, ValueRange args, Value begin,
                  Value end) {
    CodeBuilder c(b, loc);
    MicroKernels &micro = *level.micro;
    Value stack = c.stack(i8, slab.rows * slab.rowElements + vectorBytes);
    auto byteVector = c.vectorType(i8, vectorBytes);
    auto intVector = c.vectorType(i32, lanes),
         floatVector = c.vectorType(f32, lanes);
    unsigned perVector = micro.accumulatorsPerVector();
    emitTiles(
        c, slab, phases, args[0], stack, double(conv->inputPadding()), begin,
        end, vectorBytes, /*most=*/1,
        [&](ArrayRef<Value> windows, Value phase, ArrayRef<Value> to,
            int64_t valid) {
          Value start = windows[0];
          SmallVector<Value> biases, accumulators;
          for (int64_t j = 0; j < 4; ++j) {
            biases.push_back(c.load(
                args[2], c.add(c.mul(phase, 4 * lanes), j * lanes), intVector));
            // Where several accumulators make one sum, the bias is added to it.
            accumulators.push_back(perVector == 1 ? biases[j]
                                                  : c.splat(i32, 0, lanes));
            for (unsigned i = 1; i < perVector; ++i)
              accumulators.push_back(c.splat(i32, 0, lanes));
          }
          Value weightBase = c.mul(phase, groups * 4 * vectorBytes);
          for (int64_t g = 0; g < groups; ++g) {
            SmallVector<Value> x(4);
            for (size_t t = 4 * g; t < std::min<size_t>(4 * g + 4, taps.size());
                 ++t) {
              int64_t offset = taps[t].kh * s.dh * slab.rowElements +
                               slab.columnOffset(taps[t].kw);
              x[t - 4 * g] = c.load(stack, c.add(start, offset), byteVector);
            }
            x = interleaveTaps(c, x);
            for (int64_t j = 0; j < 4; ++j) {
              Value w =
                  c.load(args[1], c.add(weightBase, (g * 4 + j) * vectorBytes),
                         byteVector);
              micro.dot(b, loc,
                        MutableArrayRef<Value>(accumulators)
                            .slice(j * perVector, perVector),
                        micro.prepareActivations(b, loc, x[j]),
                        micro.prepareWeights(b, loc, w));
            }
          }
          SmallVector<Value> sums, factors;
          int64_t parameterVectors = 4 * conv->parameters().size();
          for (int64_t j = 0; j < 4; ++j) {
            Value sum = micro.finishAccumulators(
                b, loc,
                ArrayRef<Value>(accumulators).slice(j * perVector, perVector));
            sums.push_back(perVector == 1 ? sum : c.add(sum, biases[j]));
          }
          Value parameters = c.mul(phase, parameterVectors * lanes);
          for (int64_t j = 0; j < parameterVectors; ++j)
            factors.push_back(
                c.load(args[3], c.add(parameters, j * lanes), floatVector));
          SmallVector<Value> results =
              conv->emitResults(c, level, sums, factors);
          if (table)
            results = lookUpBytes(c, level, args[5], results);
          storeRun(c, results, valid, args[4], to[0]);
        });
  };
  func::FuncOp kernel =
      e.kernel("depthwise_i8", key, ValueRange(args).getTypes(), loc, body);
  noteTiles(kernel, slab.key(), slab.taken());
  e.call(kernel, args, s.n * llvm::divideCeil(s.oh, slab.outputRows), loc);
  return success();
}

static LogicalResult emitFloat(ConvOp op, const ConvShape &s,
                               KernelEmitter &e) {
  const TargetLevel &level = e.level();
  std::optional<FloatConv> conv = FloatConv::match(op);
  if (!conv || op.getResidual())
    return failure();
  unsigned vectorBytes = level.vectorBytes;
  Slab slab(s, 4, level, TileTable(op));
  if (slab.bytes > maxSlabBytes)
    return failure();
  int64_t lanes = level.lanes();
  Phases phases(s, lanes);
  int64_t taps = s.kh * s.kw;

  // Per phase: the taps, then the bias (added last, as everywhere).
  std::vector<float> weights;
  for (int64_t first : phases.firstChannel)
    for (int64_t t = 0; t <= taps; ++t)
      for (int64_t lane = 0; lane < lanes; ++lane) {
        int64_t channel = (first + lane) % s.c;
        weights.push_back(t == taps ? conv->biasOf(channel)
                                    : conv->filter[channel * taps + t]);
      }

  Location loc = op.getLoc();
  Type f32 = Float32Type::get(e.context());
  auto flat = [&](Value tensor) {
    Value buffer = e.buffer(tensor);
    auto type = cast<MemRefType>(buffer.getType());
    return e.reshape(
        buffer, MemRefType::get({type.getNumElements()}, type.getElementType()),
        loc);
  };
  Value args[] = {
      flat(op.getInput()),
      e.constant("dw_weights", MemRefType::get({int64_t(weights.size())}, f32),
                 ArrayRef<char>(reinterpret_cast<const char *>(weights.data()),
                                weights.size() * sizeof(float))),
      flat(conv->result)};
  if (conv->quantize)
    takeOver(conv->quantize);
  auto body = [&](OpBuilder &b, Location loc, ValueRange args, Value begin,
                  Value end) {
    CodeBuilder c(b, loc);
    Value stack = c.stack(f32, slab.rows * slab.rowElements + lanes);
    auto vector = c.vectorType(f32, lanes);
    emitTiles(c, slab, phases, args[0], stack, 0.0, begin, end, vectorBytes,
              neighbours,
              [&](ArrayRef<Value> windows, Value phase, ArrayRef<Value> to,
                  int64_t valid) {
                Value base = c.mul(phase, (taps + 1) * lanes);
                SmallVector<Value> sums(windows.size(), c.splat(f32, 0, lanes));
                for (int64_t t = 0; t < taps; ++t) {
                  int64_t offset = t / s.kw * s.dh * slab.rowElements +
                                   slab.columnOffset(t % s.kw);
                  Value w = c.load(args[1], c.add(base, t * lanes), vector);
                  for (auto [sum, window] : llvm::zip_equal(sums, windows)) {
                    Value x = c.load(stack, c.add(window, offset), vector);
                    sum = multiplyAdd(c, level, x, w, sum);
                  }
                }
                Value bias = c.load(args[1], c.add(base, taps * lanes), vector);
                for (auto [sum, at] : llvm::zip_equal(sums, to)) {
                  Value y = arith::AddFOp::create(b, loc, sum, bias);
                  storeFirst(c, conv->emitResult(c, level, y), valid, args[2],
                             at);
                }
              });
  };
  func::FuncOp kernel = e.kernel("depthwise_f32", s.key() + " " + conv->key(),
                                 ValueRange(args).getTypes(), loc, body);
  noteTiles(kernel, slab.key(), slab.taken());
  e.call(kernel, args, s.n * llvm::divideCeil(s.oh, slab.outputRows), loc);
  return success();
}

static LogicalResult emitDepthwise(Operation *op, KernelEmitter &e) {
  auto conv = dyn_cast<ConvOp>(op);
  if (!conv)
    return failure();
  std::optional<ConvShape> shape = ConvShape::get(conv);
  if (!shape || shape->group != shape->c || shape->oc != shape->c ||
      shape->kh * shape->kw > maxTaps)
    return failure();
  if (isa<FloatType>(tensorTypeOf(conv.getInput()).getElementType()))
    return emitFloat(conv, *shape, e);
  return emitInt8(conv, *shape, e);
}

void qcc::populateDepthwiseKernels(KernelGenerators &generators) {
  generators.push_back({"depthwise", emitDepthwise});
}
