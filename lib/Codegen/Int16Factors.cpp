//===- Int16Factors.cpp - Floats as factors of 16 bits --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Int16Factors.h"
#include "../Conversion/QNNToKernels/BlockMove.h"
#include "MatrixEpilogue.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using reference::LoopBuilder;

/// The sum of this and a number of less than 22 bits has the number, rounded to
/// nearest and ties to even, as a two's complement in its lower bits.
static constexpr double roundingBias = 12582912;
/// Scales are at least this, so that their reciprocals are numbers.
static constexpr double leastScale = 0x1p-100;
/// Part of a channel's largest magnitude that its mean must have to be taken
/// off. A smaller one may come from a few outliers, and without them the other
/// columns would have to span it.
static constexpr double leastCenter = 0.25;

Int16Bounds::Int16Bounds(int64_t depth) {
  // Of normally distributed numbers both sides then lose about as much, and
  // columns keep some bits for values that are much smaller than the largest.
  column =
      std::min<int64_t>(std::floor(std::sqrt(0x1p34 / double(depth))), factor);
  // Rounding adds at most a half for each element; sums of magnitudes and
  // scales are off by less than 2^-12.
  row = 0x1.fffp30 / double(column) - double(depth) / 2;
}

/// The integers of floats times `factor`, in the lower 16 bits of each lane.
static Value roundTimes(CodeBuilder &c, Value value, Value factor) {
  auto type = cast<VectorType>(value.getType());
  int64_t lanes = type.getNumElements();
  Value product = arith::MulFOp::create(c.b, c.loc, value, factor);
  Value biased = arith::AddFOp::create(
      c.b, c.loc, product, c.splat(c.b.getF32Type(), roundingBias, lanes));
  return c.bitcast(biased, c.vectorType(c.b.getI32Type(), lanes));
}

Value qcc::roundDown(LoopBuilder &b, Value number) {
  Value bias = b.real(number.getType(), roundingBias);
  Value half = b.real(number.getType(), 0.5);
  return b.sub(b.add(b.sub(number, half), bias), bias);
}

/// The bits of magnitudes: in the order of the numbers, NaN above infinity.
static Value magnitudeBits(CodeBuilder &c, Value value) {
  int64_t lanes = cast<VectorType>(value.getType()).getNumElements();
  Type i32 = c.b.getI32Type();
  return arith::AndIOp::create(c.b, c.loc,
                               c.bitcast(value, c.vectorType(i32, lanes)),
                               c.splat(i32, 0x7fffffff, lanes));
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

namespace {
/// Emits the kernel that packs one panel per tile.
class Int16Packer {
public:
  Int16Packer(LoopBuilder &b, const Product &p, ValueRange args)
      : b(b), c(b, b.getLoc()), p(p), bounds(p.depth), rhs(flatten(c, args[0])),
        packed(flatten(c, args[1])), scales(flatten(c, args[2])),
        centers(args.size() > 3 ? flatten(c, args[3]) : Value()),
        type(c.vectorType(b.getF32Type(), p.lanes)),
        bits(c.vectorType(b.getI32Type(), p.lanes)) {
    if (p.rhsTransposed)
      turned = c.stack(b.getF32Type(), p.depth * p.lanes);
  }

  void emit(Value begin, Value end);

private:
  /// A vector of columns, of which there are `count`.
  struct Columns {
    Value first; ///< its element in the matrix, or where turned in `turned`
    int64_t count;
  };
  Value load(const Columns &columns, Value depth);
  void turn(Value matrix, Value column);
  Value scaleOf(const Columns &columns);

  LoopBuilder &b;
  CodeBuilder c;
  const Product &p;
  Int16Bounds bounds;
  Value rhs, packed, scales;
  Value centers; ///< or null
  Value center;  ///< of the matrix, where it begins
  VectorType type, bits;
  Value turned; ///< [depth][lanes], of rows that stand along the depth
};
} // namespace

Value Int16Packer::load(const Columns &columns, Value depth) {
  Value value = turned
                    ? c.load(turned, c.mul(depth, p.lanes), type)
                    : loadFirst(c, type, columns.count, rhs,
                                c.add(columns.first, c.mul(depth, p.rhsPitch)));
  if (!centers)
    return value;
  Value mean = memref::LoadOp::create(b, centers, c.add(center, depth));
  return b.sub(value, vector::BroadcastOp::create(b, type, mean));
}

/// What stands for the padding is the last column.
void Int16Packer::turn(Value matrix, Value column) {
  int64_t lanes = p.lanes, whole = p.depth / lanes * lanes;
  SmallVector<Value> starts;
  for (int64_t i = 0; i < lanes; ++i) {
    Value row = c.min(c.add(column, i), c.index(p.columns - 1));
    starts.push_back(c.add(matrix, c.mul(row, p.rhsPitch)));
  }
  c.loop(0, whole, lanes, [&](Value depth) {
    SmallVector<Value> rows;
    for (Value start : starts)
      rows.push_back(c.load(rhs, c.add(start, depth), type));
    for (auto [i, part] :
         llvm::enumerate(reference::transposeSquare(b, c.loc, rows)))
      c.store(part, turned, c.mul(c.add(depth, int64_t(i)), lanes));
  });
  c.loop(whole, p.depth, 1, [&](Value depth) {
    Value to = c.mul(depth, lanes);
    for (int64_t i = 0; i < lanes; ++i)
      memref::StoreOp::create(
          b, memref::LoadOp::create(b, rhs, c.add(starts[i], depth)), turned,
          c.add(to, i));
  });
}

Value Int16Packer::scaleOf(const Columns &columns) {
  SmallVector<Value> largest{c.splat(b.getI32Type(), 0, p.lanes)};
  largest =
      c.loop(c.index(0), c.index(p.depth), 1, largest,
             [&](Value depth, ValueRange carried) -> SmallVector<Value> {
               return {arith::MaxSIOp::create(
                   b, carried[0], magnitudeBits(c, load(columns, depth)))};
             });
  Value scale = b.mul(c.bitcast(largest[0], type),
                      b.real(type, 1 / double(bounds.column)));
  return b.larger(b.real(type, leastScale), scale); // NaN stays
}

void Int16Packer::emit(Value begin, Value end) {
  c.loop(begin, end, 1, [&](Value tile) {
    Value number = c.div(tile, p.panels()), panel = c.rem(tile, p.panels());
    Value matrix = p.rhsStarts.of(c, number);
    center = c.mul(number, p.depth);
    Value column = c.mul(panel, p.panelColumns());
    Value to = c.add(c.mul(number, p.matrixElements()), c.mul(column, p.units));
    p.forPanel(c, panel, [&](unsigned vectors, int64_t valid) {
      int64_t width = vectors * p.lanes;
      for (unsigned v = 0; v < vectors; ++v) {
        Value first = c.add(column, int64_t(v) * p.lanes);
        if (turned)
          turn(matrix, first);
        Columns columns{
            c.add(matrix, first),
            std::clamp<int64_t>(valid - int64_t(v) * p.lanes, 0, p.lanes)};
        Value scale = scaleOf(columns);
        c.store(scale, scales, c.add(c.mul(number, p.paddedColumns()), first));
        Value factor = b.div(b.real(type, 1), scale);
        auto integers = [&](Value depth) {
          return roundTimes(c, load(columns, depth), factor);
        };
        auto storeUnit = [&](Value unit, bool isPair) {
          Value depth = c.mul(unit, 2);
          Value word = arith::AndIOp::create(
              b, integers(depth), c.splat(b.getI32Type(), 0xffff, p.lanes));
          if (isPair)
            word = arith::OrIOp::create(
                b, word,
                arith::ShLIOp::create(b, integers(c.add(depth, 1)),
                                      c.splat(b.getI32Type(), 16, p.lanes)));
          c.store(word, packed,
                  c.add(c.add(to, c.mul(unit, width)), int64_t(v) * p.lanes));
        };
        c.loop(0, p.depth / 2, 1,
               [&](Value unit) { storeUnit(unit, /*isPair=*/true); });
        if (p.depth % 2)
          storeUnit(c.index(p.depth / 2), /*isPair=*/false);
      }
    });
  });
}

Value qcc::columnCenters(const Product &p, KernelEmitter &emitter) {
  Value result = emitter.scratch(MemRefType::get(
      {p.rhsMatrices * p.depth}, Float32Type::get(emitter.context())));
  SmallVector<Value> args{emitter.buffer(p.rhs.tensor), result};
  std::string key = std::to_string(p.depth) + "x" + std::to_string(p.columns) +
                    (p.rhsTransposed ? "t " : " ") + p.rhsStarts.key() + "/" +
                    std::to_string(p.rhsPitch);
  func::FuncOp kernel = emitter.kernel(
      "centers", key, ValueRange(args).getTypes(), p.op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        CodeBuilder c(b, loc);
        Value rhs = flatten(c, values[0]), centers = flatten(c, values[1]);
        // Along the depth where that is contiguous, else one at a time.
        int64_t lanes = p.rhsTransposed ? Int16Rows::width : 1;
        int64_t depthPitch = p.rhsTransposed ? 1 : p.rhsPitch;
        int64_t columnPitch = p.rhsTransposed ? p.rhsPitch : 1;
        auto type = c.vectorType(b.getF32Type(), lanes);
        c.loop(begin, end, 1, [&](Value matrix) {
          Value from = p.rhsStarts.of(c, matrix), to = c.mul(matrix, p.depth);
          auto centerAt = [&](Value depth, int64_t count) {
            Value first = c.add(from, c.mul(depth, depthPitch));
            SmallVector<Value> carried{c.splat(b.getF32Type(), 0, lanes),
                                       c.splat(b.getI32Type(), 0, lanes)};
            carried = c.loop(
                c.index(0), c.index(p.columns), 1, carried,
                [&](Value column, ValueRange carried) -> SmallVector<Value> {
                  Value v = loadFirst(c, type, count, rhs,
                                      c.add(first, c.mul(column, columnPitch)));
                  // Before they are added: a sum may overflow where no mean
                  // does.
                  Value part = b.mul(v, b.real(type, 1 / double(p.columns)));
                  return {b.add(carried[0], part),
                          arith::MaxSIOp::create(b, carried[1],
                                                 magnitudeBits(c, v))};
                });
            Value mean = carried[0];
            Value magnitude = c.bitcast(magnitudeBits(c, mean), type);
            Value least =
                b.mul(c.bitcast(carried[1], type), b.real(type, leastCenter));
            Value isCommon = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE,
                                                   magnitude, least);
            storeFirst(c, b.select(isCommon, mean, b.real(type, 0)), count,
                       centers, c.add(to, depth));
          };
          int64_t whole = p.depth / lanes * lanes;
          c.loop(0, whole, lanes, [&](Value depth) { centerAt(depth, lanes); });
          if (whole < p.depth)
            centerAt(c.index(whole), p.depth - whole);
        });
      });
  emitter.call(kernel, args, p.rhsMatrices, p.op->getLoc());
  return result;
}

PackedRhs qcc::packInt16(const Product &p, KernelEmitter &emitter,
                         Value centers) {
  Builder b(emitter.context());
  PackedRhs result;
  result.elements = emitter.scratch(
      MemRefType::get({p.rhsMatrices * p.matrixElements()}, b.getI32Type()));
  result.columnScales = emitter.scratch(
      MemRefType::get({p.rhsMatrices * p.paddedColumns()}, b.getF32Type()));
  SmallVector<Value> args{emitter.buffer(p.rhs.tensor), result.elements,
                          result.columnScales};
  if (centers)
    args.push_back(centers);
  std::string key = std::to_string(p.depth) + "x" + std::to_string(p.columns) +
                    (p.rhsTransposed ? "t " : " ") + std::to_string(p.vectors) +
                    p.rhsStarts.key() + "/" + std::to_string(p.rhsPitch) +
                    (centers ? " centered" : "");
  func::FuncOp kernel = emitter.kernel(
      "pack_i16", key, ValueRange(args).getTypes(), p.op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Int16Packer(b, p, values).emit(begin, end);
      });
  emitter.call(kernel, args, p.rhsMatrices * p.panels(), p.op->getLoc());
  return result;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Int16Rows::Int16Rows(LoopBuilder &b, int64_t rows, int64_t length)
    : b(b), c(b, b.getLoc()), length(length), pitch(pitchOf(length)),
      scales(c.stack(b.getF32Type(), rows)),
      offsets(c.stack(b.getF32Type(), rows)) {
  Value bytes = c.stack(b.getI8Type(), rows * pitch * 2);
  auto type = MemRefType::get({rows * pitch}, b.getI16Type());
  elements = memref::ViewOp::create(b, type, bytes, c.index(0), ValueRange());
  pairs = wordsOf(c, bytes);
}

Value Int16Rows::scale(Value slot, int64_t lanes) {
  return vector::BroadcastOp::create(
      b, c.vectorType(b.getF32Type(), lanes),
      memref::LoadOp::create(b, scales, slot).getResult());
}

Value Int16Rows::offset(Value slot, int64_t lanes) {
  return vector::BroadcastOp::create(
      b, c.vectorType(b.getF32Type(), lanes),
      memref::LoadOp::create(b, offsets, slot).getResult());
}

void Int16Rows::setScale(Value scalar, Value slot) {
  memref::StoreOp::create(b, scalar, scales, slot);
}

void Int16Rows::store(Value value, Value factor, Value slot, Value column) {
  Value narrow = arith::TruncIOp::create(b, c.vectorType(b.getI16Type(), width),
                                         roundTimes(c, value, factor));
  c.store(narrow, elements, c.add(c.mul(slot, pitch), column));
}

void Int16Rows::round(Value buffer, Value at, Value slot, Value centers,
                      Value center) {
  auto type = c.vectorType(b.getF32Type(), width);
  Type f32 = b.getF32Type();
  int64_t whole = length / width * width;
  auto load = [&](Value column, int64_t count) {
    return loadFirst(c, type, count, buffer, c.add(at, column));
  };
  // The largest and the sum of the magnitudes.
  auto step = [&](Value column, int64_t count,
                  ValueRange carried) -> SmallVector<Value> {
    Value v = load(column, count), magnitude = magnitudeBits(c, v);
    Value mean = loadFirst(c, type, count, centers, c.add(center, column));
    return {arith::MaxSIOp::create(b, carried[0], magnitude),
            b.add(carried[1], c.bitcast(magnitude, type)),
            b.add(carried[2], b.mul(v, mean))};
  };
  SmallVector<Value> sums{c.splat(b.getI32Type(), 0, width),
                          c.splat(f32, 0, width), c.splat(f32, 0, width)};
  sums = c.loop(c.index(0), c.index(whole), width, sums,
                [&](Value column, ValueRange carried) {
                  return step(column, width, carried);
                });
  if (whole < length)
    sums = step(c.index(whole), length - whole, sums);
  sums[0] = c.bitcast(sums[0], type);
  // As trees of halves, the same on all levels.
  for (int64_t half = width / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < half; ++i) {
      low.push_back(i);
      high.push_back(half + i);
    }
    auto halves = [&](Value v) {
      return std::pair(c.shuffle(v, v, low), c.shuffle(v, v, high));
    };
    auto [a, z] =
        halves(c.bitcast(sums[0], c.vectorType(b.getI32Type(), half * 2)));
    sums[0] =
        c.bitcast(arith::MaxSIOp::create(b, a, z), c.vectorType(f32, half));
    for (Value &sum : MutableArrayRef<Value>(sums).drop_front()) {
      auto [x, y] = halves(sum);
      sum = b.add(x, y);
    }
  }
  auto number = [&](Value vector) -> Value {
    return vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{0});
  };
  Int16Bounds bounds(length);
  Value scale = b.mul(number(sums[0]), b.real(f32, 1 / double(bounds.factor)));
  // The second where unordered: NaN stays.
  scale = b.larger(scale, b.mul(number(sums[1]), b.real(f32, 1 / bounds.row)));
  scale = b.larger(b.real(f32, leastScale), scale);
  setScale(scale, slot);
  memref::StoreOp::create(b, number(sums[2]), offsets, slot);
  Value factor =
      vector::BroadcastOp::create(b, type, b.div(b.real(f32, 1), scale));
  auto storeAt = [&](Value column, int64_t count) {
    store(load(column, count), factor, slot, column);
  };
  c.loop(0, whole, width, [&](Value column) { storeAt(column, width); });
  if (whole < length)
    storeAt(c.index(whole), length - whole);
}
