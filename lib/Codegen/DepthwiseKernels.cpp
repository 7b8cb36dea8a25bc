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
//   slab[plane of the window][row][column % stride][column / stride][channel]
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
#include "DepthwisePart.h"
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
  Slab(const DepthwisePart &part, int64_t elementBytes,
       const TargetLevel &level)
      : shape(part.shape), results(part.rows), elementBytes(elementBytes) {
    const ConvShape &s = shape;
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
           s.kd * (outputRows * s.sh + window) * rowBytes <= goodSlabBytes)
      ++outputRows;
    TileChoice choice = TileTable(part.op()).lookup(level.name, key());
    if (choice.rows)
      outputRows = std::min<int64_t>(*choice.rows, s.oh);
    rows = (outputRows - 1) * s.sh + window;
    bytes = s.kd * rows * rowBytes;
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

  int64_t tiles() const {
    return shape.images() * llvm::divideCeil(shape.oh, outputRows);
  }
  int64_t elements() const { return shape.kd * rows * rowElements; }
  /// Copies the input rows of output rows [first, last) of an image.
  void fill(CodeBuilder &c, Value input, Value slab, Value image, Value first,
            Value last, double padding, unsigned vectorBytes) const;
  void fillPlane(CodeBuilder &c, Value input, Value slab, Value slabAt,
                 Value image, Value first, Value last, double padding,
                 unsigned vectorBytes) const;
  void fillRow(CodeBuilder &c, Value input, Value from, Value slab, Value to,
               double padding, unsigned vectorBytes) const;
  /// Offset of a tap's elements from the first row of the window.
  int64_t tapOffset(int64_t tap) const {
    int64_t column = tap % shape.kw * shape.dw, line = tap / shape.kw;
    int64_t row = line / shape.kh * rows + line % shape.kh * shape.dh;
    return row * rowElements + column % shape.sw * planeElements +
           column / shape.sw * shape.c;
  }

  ConvShape shape;
  ResultRows results;
  int64_t elementBytes;
  int64_t columns, planeColumns, planeElements, rowElements;
  int64_t outputRows; ///< per tile
  int64_t rows;       ///< of each plane of the window
  int64_t bytes;
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
  if (s.spread > 1) { // the stride is 1
    fill(0, planeColumns * s.c);
    int64_t low =
        std::max<int64_t>(llvm::divideCeilSigned(-s.padL, s.spread), 0);
    int64_t high = std::min<int64_t>(
        llvm::divideCeilSigned(planeColumns - s.padL, s.spread), s.w);
    c.loop(low, high, 1, [&](Value pixel) {
      Value column = c.add(c.mul(pixel, s.spread), s.padL);
      c.copyRun(input, c.add(from, c.mul(pixel, s.c)), slab,
                c.add(to, c.mul(column, s.c)), s.c, vectorBytes);
    });
    return;
  }
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
  if (!s.isVolume())
    return fillPlane(c, input, slab, c.index(0), image, first, last, padding,
                     vectorBytes);
  Value front = c.sub(c.mul(c.rem(image, s.od), s.sd), c.index(s.padF));
  Value firstPlane = c.mul(c.div(image, s.od), s.d);
  c.loop(0, s.kd, 1, [&](Value kd) {
    Value plane = c.add(front, c.mul(kd, s.dd));
    Value slabAt = c.mul(kd, rows * rowElements);
    // Unsigned comparison: a negative plane is a large one.
    c.branch(
        c.compare(arith::CmpIPredicate::ult, plane, s.d),
        [&] {
          fillPlane(c, input, slab, slabAt, c.add(firstPlane, plane), first,
                    last, padding, vectorBytes);
        },
        [&] {
          c.fillRun(slab, slabAt, rows * rowElements, padding, vectorBytes);
        });
  });
}

/// The same of one plane, from element `slabAt` on.
void Slab::fillPlane(CodeBuilder &c, Value input, Value slab, Value slabAt,
                     Value image, Value first, Value last, double padding,
                     unsigned vectorBytes) const {
  const ConvShape &s = shape;
  // Input rows [top, top + needed), top = first * sh - padT (may be negative).
  Value top = c.sub(c.mul(first, s.sh), c.index(s.padT));
  Value needed =
      c.add(c.mul(c.sub(last, first), s.sh), (s.kh - 1) * s.dh + 1 - s.sh);
  c.loop(c.index(0), needed, 1, [&](Value i) {
    Value row = c.add(top, i);
    Value to = c.add(slabAt, c.mul(i, rowElements));
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
      Value output = slab.results.at(c, image, row);
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
  int64_t number; ///< of those of the window
  SmallVector<int8_t> weights;
};
} // namespace

/// The taps with the zero points taken from the weights. A weight that leaves
/// the range of a byte (unsigned weights with a zero point) is split over
/// several taps of the same position.
static SmallVector<Tap> collectTaps(const ConvShape &s, const IntConv &conv) {
  SmallVector<Tap> taps;
  for (int64_t number = 0; number < s.taps(); ++number) {
    SmallVector<int64_t> rest(s.c);
    for (int64_t channel = 0; channel < s.c; ++channel)
      rest[channel] = conv.weight(channel, number);
    do {
      Tap tap{number, {}};
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

static void emitInt8(const DepthwisePart &part, const Slab &slab,
                     const IntConv &conv, KernelEmitter &e) {
  const TargetLevel &level = e.level();
  const ConvShape &s = part.shape;
  unsigned vectorBytes = level.vectorBytes;
  Phases phases(s, vectorBytes);
  SmallVector<Tap> taps = collectTaps(s, conv);
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
    pack(bias, ArrayRef(conv.bias));
    for (ArrayRef<float> values : conv.parameters())
      pack(scaling, values);
  }

  Location loc = part.op()->getLoc();
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
  LutOp table = findResultTable(part.op());
  SmallVector<Value> args = {
      flat(part.terms.input),
      e.constant("dw_weights", MemRefType::get({int64_t(weights.size())}, i8),
                 bytes(weights)),
      e.constant("dw_bias", MemRefType::get({int64_t(bias.size())}, i32),
                 bytes(bias)),
      e.constant("dw_scaling", MemRefType::get({int64_t(scaling.size())}, f32),
                 bytes(scaling)),
      flat(table ? table.getResult() : part.terms.result)};
  if (table)
    args.push_back(takeOverTable(table, e));

  std::string key =
      llvm::formatv("{0} {1} z{2} {3} t", s.key(), slab.results.key(),
                    conv.inputZeroPoint, conv.key());
  for (const Tap &tap : taps)
    key += llvm::formatv(" {0}", tap.number);

  auto body = [&](OpBuilder &b, Location loc, ValueRange args, Value begin,
                  Value end) {
    CodeBuilder c(b, loc);
    MicroKernels &micro = *level.micro;
    Value stack = c.stack(i8, slab.elements() + vectorBytes);
    auto byteVector = c.vectorType(i8, vectorBytes);
    auto intVector = c.vectorType(i32, lanes),
         floatVector = c.vectorType(f32, lanes);
    unsigned perVector = micro.accumulatorsPerVector();
    emitTiles(
        c, slab, phases, args[0], stack, double(conv.inputPadding()), begin,
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
              int64_t offset = slab.tapOffset(taps[t].number);
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
          int64_t parameterVectors = 4 * conv.parameters().size();
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
              conv.emitResults(c, level, sums, factors);
          if (table)
            results = lookUpBytes(c, level, args[5], results);
          storeRun(c, results, valid, args[4], to[0]);
        });
  };
  func::FuncOp kernel =
      e.kernel("depthwise_i8", key, ValueRange(args).getTypes(), loc, body);
  noteTiles(kernel, slab.key(), slab.taken());
  e.call(kernel, args, slab.tiles(), loc);
  part.noteProducts(args[0]);
}

static void emitFloat(const DepthwisePart &part, const Slab &slab,
                      const FloatConv &conv, KernelEmitter &e) {
  const TargetLevel &level = e.level();
  const ConvShape &s = part.shape;
  unsigned vectorBytes = level.vectorBytes;
  int64_t lanes = level.lanes();
  Phases phases(s, lanes);
  int64_t taps = s.taps();

  // Per phase: the taps, then the bias (added last, as everywhere).
  std::vector<float> weights;
  for (int64_t first : phases.firstChannel)
    for (int64_t t = 0; t <= taps; ++t)
      for (int64_t lane = 0; lane < lanes; ++lane) {
        int64_t channel = (first + lane) % s.c;
        weights.push_back(t == taps ? conv.biasOf(channel)
                                    : conv.weight(channel, t));
      }

  Location loc = part.op()->getLoc();
  Type f32 = Float32Type::get(e.context());
  auto flat = [&](Value tensor) {
    Value buffer = e.buffer(tensor);
    auto type = cast<MemRefType>(buffer.getType());
    return e.reshape(
        buffer, MemRefType::get({type.getNumElements()}, type.getElementType()),
        loc);
  };
  Value args[] = {
      flat(part.terms.input),
      e.constant("dw_weights", MemRefType::get({int64_t(weights.size())}, f32),
                 ArrayRef<char>(reinterpret_cast<const char *>(weights.data()),
                                weights.size() * sizeof(float))),
      flat(conv.result)};
  if (conv.quantize)
    takeOver(conv.quantize);
  auto body = [&](OpBuilder &b, Location loc, ValueRange args, Value begin,
                  Value end) {
    CodeBuilder c(b, loc);
    Value stack = c.stack(f32, slab.elements() + lanes);
    auto vector = c.vectorType(f32, lanes);
    emitTiles(c, slab, phases, args[0], stack, 0.0, begin, end, vectorBytes,
              neighbours,
              [&](ArrayRef<Value> windows, Value phase, ArrayRef<Value> to,
                  int64_t valid) {
                Value base = c.mul(phase, (taps + 1) * lanes);
                SmallVector<Value> sums(windows.size(), c.splat(f32, 0, lanes));
                for (int64_t t = 0; t < taps; ++t) {
                  int64_t offset = slab.tapOffset(t);
                  Value w = c.load(args[1], c.add(base, t * lanes), vector);
                  for (auto [sum, window] : llvm::zip_equal(sums, windows)) {
                    Value x = c.load(stack, c.add(window, offset), vector);
                    sum = multiplyAdd(c, level, x, w, sum);
                  }
                }
                Value bias = c.load(args[1], c.add(base, taps * lanes), vector);
                for (auto [sum, at] : llvm::zip_equal(sums, to)) {
                  Value y = arith::AddFOp::create(b, loc, sum, bias);
                  storeFirst(c, conv.emitResult(c, level, y), valid, args[2],
                             at);
                }
              });
  };
  func::FuncOp kernel = e.kernel(
      "depthwise_f32",
      llvm::formatv("{0} {1} {2}", s.key(), slab.results.key(), conv.key())
          .str(),
      ValueRange(args).getTypes(), loc, body);
  noteTiles(kernel, slab.key(), slab.taken());
  e.call(kernel, args, slab.tiles(), loc);
  part.noteProducts(args[0]);
}

static LogicalResult emitDepthwise(Operation *op, KernelEmitter &e) {
  const TargetLevel &level = e.level();
  std::vector<DepthwisePart> parts = DepthwisePart::get(op);
  std::vector<std::function<void()>> kernels;
  for (const DepthwisePart &part : parts) {
    bool isFloat =
        isa<FloatType>(tensorTypeOf(part.terms.input).getElementType());
    Slab slab(part, isFloat ? 4 : 1, level);
    if (part.shape.taps() > maxTaps || slab.bytes > maxSlabBytes)
      return failure();
    if (std::optional<FloatConv> conv = FloatConv::match(part.terms)) {
      kernels.push_back([=, &e, &part] { emitFloat(part, slab, *conv, e); });
      continue;
    }
    std::optional<IntConv> conv = IntConv::match(part.terms, level);
    if (!conv || !packsInterleaved(level))
      return failure();
    kernels.push_back([=, &e, &part] { emitInt8(part, slab, *conv, e); });
  }
  for (const std::function<void()> &emit : kernels)
    emit();
  return success(!parts.empty());
}

void qcc::populateDepthwiseKernels(KernelGenerators &generators) {
  generators.push_back({"depthwise", emitDepthwise});
}
