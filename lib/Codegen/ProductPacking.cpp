//===- ProductPacking.cpp - Right-hand sides as panels --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Conversion/QNNToKernels/BlockMove.h"
#include "Int16Factors.h"
#include "MatrixEpilogue.h"
#include "Product.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

Value qcc::wordsOf(CodeBuilder &c, Value bytes) {
  auto type = cast<MemRefType>(bytes.getType());
  auto words = MemRefType::get({type.getNumElements() / 4}, c.b.getI32Type());
  return memref::ViewOp::create(c.b, c.loc, words, bytes, c.index(0),
                                ValueRange());
}

Value qcc::flatten(CodeBuilder &c, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t count = type.getNumElements();
  return memref::ReinterpretCastOp::create(
      c.b, c.loc, MemRefType::get({count}, type.getElementType()), buffer,
      /*offset=*/0, ArrayRef<int64_t>{count}, ArrayRef<int64_t>{1});
}

//===----------------------------------------------------------------------===//
// By the compiler
//===----------------------------------------------------------------------===//

static PackedRhs packConstant(const Product &p, const ConstantBytes &data,
                              KernelEmitter &emitter) {
  std::vector<int8_t> packed(p.rhsMatrices * p.matrixElements());
  std::vector<int32_t> sums(p.rhsMatrices * p.paddedColumns());
  ArrayRef<int8_t> bytes = data.as<int8_t>();
  for (int64_t matrix = 0; matrix < p.rhsMatrices; ++matrix)
    for (int64_t column = 0; column < p.columns; ++column) {
      int64_t panel = column / p.panelColumns();
      int64_t first = panel * p.panelColumns();
      int64_t width =
          panel < p.fullPanels ? p.panelColumns() : p.tailVectors * p.lanes;
      int8_t *to = packed.data() + matrix * p.matrixElements() +
                   first * p.units * 4 + (column - first) * 4;
      int32_t sum = 0;
      for (int64_t k = 0; k < p.depth; ++k) {
        int8_t w = bytes[(matrix * p.depth + k) * p.columns + column];
        if (p.rhsFlip)
          w = int8_t(w ^ -128);
        to[k / 4 * width * 4 + k % 4] = w;
        sum += w;
      }
      sums[matrix * p.paddedColumns() + column] = sum;
    }
  auto constant = [&](StringRef stem, const auto &values) {
    using T = std::decay_t<decltype(values[0])>;
    Type element = IntegerType::get(emitter.context(), 8 * sizeof(T));
    return emitter.constant(stem,
                            MemRefType::get({int64_t(values.size())}, element),
                            {reinterpret_cast<const char *>(values.data()),
                             values.size() * sizeof(T)});
  };
  PackedRhs result;
  result.elements = constant("weights", packed);
  if (p.hasColumnSums())
    result.columnSums = constant("column_sums", sums);
  return result;
}

//===----------------------------------------------------------------------===//
// At run time
//===----------------------------------------------------------------------===//

namespace {
/// Emits the kernel that packs one panel per tile.
class Packer {
public:
  Packer(CodeBuilder &c, const Product &p, const TargetLevel &level,
         ValueRange args)
      : c(c), p(p), level(level), rhs(flatten(c, args[0])),
        packed(flatten(c, args[1])) {
    if (p.hasColumnSums())
      columnSums = flatten(c, args[2]);
    words = p.isInteger && p.depth % 4 == 0 && p.rhsTransposed ? wordsOf(c, rhs)
                                                               : rhs;
    packedWords = p.isInteger ? wordsOf(c, packed) : packed;
  }

  void emit(Value begin, Value end) {
    c.loop(begin, end, 1, [&](Value tile) {
      Value matrix = c.div(tile, p.panels()), panel = c.rem(tile, p.panels());
      p.forPanel(c, panel, [&](unsigned vectors, int64_t valid) {
        Value column = c.mul(panel, p.panelColumns());
        Value from = p.rhsStarts.of(c, matrix);
        Value to = c.add(c.mul(matrix, p.matrixElements()),
                         c.mul(column, p.units * p.unitElements));
        if (!p.rhsTransposed)
          packRows(c.add(from, column), to, vectors, valid);
        else if (p.depth % p.unitElements == 0)
          packWords(from, column, to, vectors);
        else
          packBytes(from, column, to, vectors, valid);
        if (columnSums)
          sumColumns(to, vectors,
                     c.add(c.mul(matrix, p.paddedColumns()), column));
      });
    });
  }

private:
  int64_t valid(int64_t count, unsigned v) const {
    return std::clamp<int64_t>(count - int64_t(v) * p.lanes, 0, p.lanes);
  }
  Value flip(Value bytes) {
    if (!p.rhsFlip)
      return bytes;
    auto type = cast<VectorType>(bytes.getType());
    int64_t mask =
        type.getElementType().isInteger(8) ? -128 : int32_t(0x80808080u);
    return arith::XOrIOp::create(
        c.b, c.loc, bytes,
        c.splat(type.getElementType(), mask, type.getNumElements()));
  }

  /// The right-hand side is [depth][columns].
  void packRows(Value from, Value to, unsigned vectors, int64_t count);
  void packUnit(Value from, Value to, unsigned vectors, int64_t count,
                int64_t depth);
  /// It is [columns][depth], the depth a whole number of units.
  void packWords(Value from, Value column, Value to, unsigned vectors);
  /// It is [columns][depth], 8-bit.
  void packBytes(Value from, Value column, Value to, unsigned vectors,
                 int64_t count);
  void sumColumns(Value from, unsigned vectors, Value to);

  CodeBuilder &c;
  const Product &p;
  const TargetLevel &level;
  Value rhs, packed, columnSums;
  Value words, packedWords; ///< the same by units, where those are whole
};
} // namespace

void Packer::packUnit(Value from, Value to, unsigned vectors, int64_t count,
                      int64_t depth) {
  Type element = p.isInteger ? Type(c.b.getI8Type()) : Type(c.b.getF32Type());
  auto type = c.vectorType(element, p.lanes);
  for (unsigned v = 0; v < vectors; ++v) {
    SmallVector<Value> rows;
    for (int64_t k = 0; k < p.unitElements; ++k)
      rows.push_back(k < depth && valid(count, v) > 0
                         ? loadFirst(c, type, valid(count, v), rhs,
                                     c.add(from, k * p.rhsPitch + v * p.lanes))
                         : c.splat(element, 0, p.lanes));
    Value at = c.add(to, int64_t(v) * p.lanes * p.unitElements);
    if (!p.isInteger) {
      c.store(rows[0], packed, at);
      continue;
    }
    // Four rows side by side: pairs, then pairs of pairs.
    SmallVector<int64_t> bytes, pairs;
    for (int64_t i = 0; i < int64_t(p.lanes); ++i) {
      bytes.append({i, p.lanes + i});
      pairs.append(
          {2 * i, 2 * i + 1, 2 * p.lanes + 2 * i, 2 * p.lanes + 2 * i + 1});
    }
    Value low = c.shuffle(rows[0], rows[1], bytes);
    Value high = c.shuffle(rows[2], rows[3], bytes);
    Value unit = flip(c.shuffle(low, high, pairs));
    if (p.rhsFlip && depth < 4) { // what follows the depth stays 0
      SmallVector<int8_t> mask;
      for (int64_t i = 0; i < 4 * int64_t(p.lanes); ++i)
        mask.push_back(i % 4 < depth ? -1 : 0);
      auto maskType = cast<VectorType>(unit.getType());
      unit = arith::AndIOp::create(
          c.b, c.loc, unit,
          arith::ConstantOp::create(
              c.b, c.loc,
              DenseElementsAttr::get(maskType, ArrayRef<int8_t>(mask))));
    }
    c.store(unit, packed, at);
  }
}

void Packer::packRows(Value from, Value to, unsigned vectors, int64_t count) {
  int64_t width = int64_t(vectors) * p.lanes * p.unitElements;
  int64_t whole = p.depth / p.unitElements;
  c.loop(0, whole, 1, [&](Value unit) {
    packUnit(c.add(from, c.mul(unit, p.unitElements * p.rhsPitch)),
             c.add(to, c.mul(unit, width)), vectors, count, p.unitElements);
  });
  if (whole < p.units)
    packUnit(c.add(from, whole * p.unitElements * p.rhsPitch),
             c.add(to, whole * width), vectors, count,
             p.depth - whole * p.unitElements);
}

void Packer::packWords(Value from, Value column, Value to, unsigned vectors) {
  int64_t lanes = p.lanes, width = vectors * lanes;
  Type element = p.isInteger ? Type(c.b.getI32Type()) : Type(c.b.getF32Type());
  auto type = c.vectorType(element, lanes);
  Value source = c.div(from, p.unitElements),
        target = c.div(to, p.unitElements);
  // What stands for the padding is some other column.
  auto rowAt = [&](int64_t i) {
    Value row = c.min(c.add(column, i), c.index(p.columns - 1));
    return c.add(source, c.mul(row, p.rhsPitch / p.unitElements));
  };
  int64_t whole = p.units / lanes * lanes;
  for (unsigned v = 0; v < vectors; ++v) {
    c.loop(0, whole, lanes, [&](Value unit) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < lanes; ++i)
        rows.push_back(c.load(words, c.add(rowAt(v * lanes + i), unit), type));
      for (auto [i, part] :
           llvm::enumerate(reference::transposeSquare(c.b, c.loc, rows)))
        c.store(flip(part), packedWords,
                c.add(target, c.add(c.mul(c.add(unit, int64_t(i)), width),
                                    c.index(v * lanes))));
    });
    for (int64_t i = 0; i < lanes && whole < p.units; ++i)
      c.loop(whole, p.units, 1, [&](Value unit) {
        Value word = memref::LoadOp::create(c.b, c.loc, words,
                                            c.add(rowAt(v * lanes + i), unit));
        if (p.rhsFlip)
          word = arith::XOrIOp::create(
              c.b, c.loc, word,
              arith::ConstantOp::create(
                  c.b, c.loc, c.b.getI32IntegerAttr(int32_t(0x80808080u))));
        memref::StoreOp::create(
            c.b, c.loc, word, packedWords,
            c.add(target, c.add(c.mul(unit, width), c.index(v * lanes + i))));
      });
  }
}

void Packer::packBytes(Value from, Value column, Value to, unsigned vectors,
                       int64_t count) {
  int64_t width = int64_t(vectors) * p.lanes;
  auto byte = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        c.b, c.loc, c.b.getIntegerAttr(c.b.getI8Type(), value));
  };
  auto at = [&](Value i, Value unit, int64_t k) {
    return c.add(c.add(to, c.mul(unit, 4 * width)), c.add(c.mul(i, 4), k));
  };
  c.loop(0, count, 1, [&](Value i) {
    Value row = c.add(from, c.mul(c.add(column, i), p.rhsPitch));
    auto move = [&](Value unit, int64_t k) {
      Value value = memref::LoadOp::create(
          c.b, c.loc, rhs, c.add(c.add(row, c.mul(unit, 4)), k));
      if (p.rhsFlip)
        value = arith::XOrIOp::create(c.b, c.loc, value, byte(-128));
      memref::StoreOp::create(c.b, c.loc, value, packed, at(i, unit, k));
    };
    c.loop(0, p.depth / 4, 1, [&](Value unit) {
      for (int64_t k = 0; k < 4; ++k)
        move(unit, k);
    });
    Value last = c.index(p.depth / 4);
    for (int64_t k = 0; k < 4; ++k) {
      if (k < p.depth % 4)
        move(last, k);
      else
        memref::StoreOp::create(c.b, c.loc, byte(0), packed, at(i, last, k));
    }
  });
}

void Packer::sumColumns(Value from, unsigned vectors, Value to) {
  MicroKernels &micro = *level.micro;
  unsigned perVector = micro.accumulatorsPerVector();
  auto bytes = c.vectorType(c.b.getI8Type(), level.vectorBytes);
  SmallVector<Value> ones = micro.prepareActivations(
      c.b, c.loc, c.splat(c.b.getI8Type(), 1, level.vectorBytes));
  SmallVector<Value> sums(vectors * perVector,
                          c.splat(c.b.getI32Type(), 0, p.lanes));
  sums = c.loop(
      c.index(0), c.index(p.units), 1, sums,
      [&](Value unit, ValueRange carried) {
        SmallVector<Value> next(carried);
        Value at = c.add(from, c.mul(unit, vectors * level.vectorBytes));
        for (unsigned v = 0; v < vectors; ++v)
          micro.dot(
              c.b, c.loc,
              MutableArrayRef<Value>(next).slice(v * perVector, perVector),
              ones,
              micro.prepareWeights(
                  c.b, c.loc,
                  c.load(packed, c.add(at, int64_t(v) * level.vectorBytes),
                         bytes)));
        return next;
      });
  for (unsigned v = 0; v < vectors; ++v)
    c.store(
        micro.finishAccumulators(
            c.b, c.loc, ArrayRef<Value>(sums).slice(v * perVector, perVector)),
        columnSums, c.add(to, int64_t(v) * p.lanes));
}

PackedRhs qcc::packRhs(const Product &p, KernelEmitter &emitter) {
  if (p.isInt16)
    return packInt16(p, emitter);
  if (std::optional<ConstantBytes> data = ConstantBytes::get(p.rhs.tensor))
    return packConstant(p, *data, emitter);
  Builder b(emitter.context());
  Type element = p.isInteger ? Type(b.getI8Type()) : Type(b.getF32Type());
  PackedRhs result;
  result.elements = emitter.scratch(
      MemRefType::get({p.rhsMatrices * p.matrixElements()}, element));
  SmallVector<Value> args{emitter.buffer(p.rhs.tensor), result.elements};
  if (p.hasColumnSums()) {
    result.columnSums = emitter.scratch(
        MemRefType::get({p.rhsMatrices * p.paddedColumns()}, b.getI32Type()));
    args.push_back(result.columnSums);
  }
  std::string key = std::to_string(p.depth) + "x" + std::to_string(p.columns) +
                    (p.rhsTransposed ? "t" : "") + (p.rhsFlip ? "f" : "") +
                    " " + std::to_string(p.vectors) + p.rhsStarts.key() + "/" +
                    std::to_string(p.rhsPitch);
  func::FuncOp kernel =
      emitter.kernel("pack", key, ValueRange(args).getTypes(), p.op->getLoc(),
                     [&](OpBuilder &builder, Location loc, ValueRange values,
                         Value begin, Value end) {
                       CodeBuilder c(builder, loc);
                       Packer(c, p, emitter.level(), values).emit(begin, end);
                     });
  emitter.call(kernel, args, p.rhsMatrices * p.panels(), p.op->getLoc());
  return result;
}
