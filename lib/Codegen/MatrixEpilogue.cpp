//===- MatrixEpilogue.cpp - From sums to results --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixEpilogue.h"
#include "FactorCast.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;

static std::string keyOf(const MatrixEpilogue::Residual &r) {
  return llvm::formatv("r{0}{1}{2} {3} {4:x}", r.isFloat, r.isUnsigned, r.bits,
                       r.zeroPoint, llvm::bit_cast<uint32_t>(r.scale));
}

std::string MatrixEpilogue::key() const {
  std::string key =
      llvm::formatv("{0}{1}{2}{3} {4}", int(result), isInteger ? "i" : "f",
                    hasBias ? "b" : "", hasTable ? "t" : "", activation.key());
  if (residual)
    key += " " + keyOf(*residual);
  if (requantize)
    key +=
        " " + requantize->key() +
        (residual || hasBias || !isInteger ? " " + requantize->scaleKey() : "");
  if (sum)
    key += " + " + keyOf(sum->term) + " " + keyOf(sum->other) + " " +
           sum->requantize.key();
  return key;
}

/// Calls f(first, size) for chunks of powers of two that make up `count`.
static void forPieces(int64_t count,
                      llvm::function_ref<void(int64_t, int64_t)> f) {
  for (int64_t at = 0; at < count;) {
    int64_t size = llvm::bit_floor(uint64_t(count - at));
    f(at, size);
    at += size;
  }
}

void qcc::storeFirst(CodeBuilder &c, Value vector, int64_t count, Value buffer,
                     Value at) {
  auto type = cast<VectorType>(vector.getType());
  if (type.getNumElements() == count)
    return c.store(vector, buffer, at);
  Type element = type.getElementType();
  // Where no instruction rounds to bf16, LLVM takes bf16 apart only as floats.
  if (element.isBF16())
    vector = c.bitcast(vector, type.clone(Type(c.b.getI16Type())));
  forPieces(count, [&](int64_t first, int64_t size) {
    SmallVector<int64_t> mask(size);
    for (int64_t i = 0; i < size; ++i)
      mask[i] = first + i;
    Value piece = c.shuffle(vector, vector, mask);
    if (element.isBF16())
      piece = c.bitcast(piece, c.vectorType(element, size));
    c.store(piece, buffer, c.add(at, first));
  });
}

void qcc::storeRun(CodeBuilder &c, ValueRange vectors, int64_t count,
                   Value buffer, Value at) {
  int64_t width = cast<VectorType>(vectors[0].getType()).getNumElements();
  for (auto [v, vector] : llvm::enumerate(vectors)) {
    int64_t first = int64_t(v) * width;
    int64_t valid = std::clamp<int64_t>(count - first, 0, width);
    if (valid > 0)
      storeFirst(c, vector, valid, buffer, c.add(at, first));
  }
}

Value qcc::loadFirst(CodeBuilder &c, VectorType type, int64_t count,
                     Value buffer, Value at) {
  if (type.getNumElements() == count)
    return c.load(buffer, at, type);
  Value all = c.splat(type.getElementType(), 0, type.getNumElements());
  forPieces(count, [&](int64_t first, int64_t size) {
    Value piece = c.load(buffer, c.add(at, first),
                         c.vectorType(type.getElementType(), size));
    all = vector::InsertStridedSliceOp::create(
        c.b, c.loc, piece, all, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{1});
  });
  return all;
}

static Value scaleBy(CodeBuilder &c, Value value, float factor) {
  if (factor == 1.f)
    return value;
  int64_t lanes = cast<VectorType>(value.getType()).getDimSize(0);
  return arith::MulFOp::create(c.b, c.loc, value,
                               c.splat(c.b.getF32Type(), factor, lanes));
}

SmallVector<Value>
MatrixEpilogueEmitter::loadResidual(const MatrixEpilogue::Residual &r,
                                    Value residual, Value at, int64_t count,
                                    unsigned vectors) {
  int64_t lanes = level.lanes();
  auto element =
      r.isFloat ? Type(c.b.getF32Type()) : Type(c.b.getIntegerType(r.bits));
  // All first, in the order of the result.
  if (!r.isFloat || !order.empty())
    return spread(r,
                  loadFirst(c, c.vectorType(element, vectors * lanes), count,
                            residual, at),
                  vectors);
  SmallVector<Value> values;
  for (unsigned v = 0; v < vectors; ++v) {
    int64_t valid = std::clamp<int64_t>(count - v * lanes, 0, lanes);
    values.push_back(valid == 0
                         ? c.splat(element, 0, lanes)
                         : loadFirst(c, c.vectorType(element, lanes), valid,
                                     residual, c.add(at, v * lanes)));
  }
  return values;
}

SmallVector<Value>
MatrixEpilogueEmitter::spread(const MatrixEpilogue::Residual &r, Value whole,
                              unsigned vectors) {
  int64_t lanes = level.lanes(), total = vectors * lanes;
  Type i32 = c.b.getI32Type(), i8 = c.b.getI8Type();
  SmallVector<Value> values;
  for (unsigned v = 0; v < vectors; ++v) {
    // The position in the result of each lane of this vector of sums.
    SmallVector<int64_t> position(lanes);
    for (int64_t lane = 0; lane < lanes; ++lane)
      position[lane] = v * lanes + lane;
    for (auto [p, element] : llvm::enumerate(order))
      if (element / lanes == v)
        position[element % lanes] = p;
    if (r.isFloat) {
      values.push_back(c.shuffle(whole, whole, position));
      continue;
    }
    Value spread;
    if (r.bits == 8) {
      // Each into its 32-bit lane: at the top where the sign must spread.
      SmallVector<int64_t> mask;
      for (int64_t p : position)
        for (int64_t byte = 0; byte < 4; ++byte)
          mask.push_back(byte == (r.isUnsigned ? 0 : 3) ? p : total);
      spread = c.bitcast(c.shuffle(whole, c.splat(i8, 0, total), mask),
                         c.vectorType(i32, lanes));
      if (!r.isUnsigned)
        spread =
            arith::ShRSIOp::create(c.b, c.loc, spread, c.splat(i32, 24, lanes));
    } else {
      Value words = c.shuffle(whole, whole, position);
      auto wide = c.vectorType(i32, lanes);
      spread = r.isUnsigned
                   ? arith::ExtUIOp::create(c.b, c.loc, wide, words).getResult()
                   : arith::ExtSIOp::create(c.b, c.loc, wide, words);
    }
    if (r.zeroPoint != 0)
      spread = c.sub(spread, c.splat(i32, r.zeroPoint, lanes));
    Value value = arith::SIToFPOp::create(
        c.b, c.loc, c.vectorType(c.b.getF32Type(), lanes), spread);
    values.push_back(scaleBy(c, value, r.scale));
  }
  return values;
}

SmallVector<Value> MatrixEpilogueEmitter::resultsOf(ValueRange sums,
                                                    int64_t count,
                                                    Value residual, Value at) {
  SmallVector<Value> values(sums);
  if (e.hasScales())
    for (auto [value, scale] : llvm::zip_equal(values, scales)) {
      Value real = arith::SIToFPOp::create(c.b, c.loc, scale.getType(), value);
      value = arith::MulFOp::create(c.b, c.loc, real, scale);
    }
  auto addAll = [&](ValueRange others) {
    for (auto [value, other] : llvm::zip_equal(values, others))
      value = arith::AddFOp::create(c.b, c.loc, value, other);
  };
  if (e.hasBias)
    addAll(biases);
  if (e.residual)
    addAll(loadResidual(*e.residual, residual, at, count, sums.size()));
  if (e.requantize) {
    Requantize requantize = *e.requantize;
    bool isScaled =
        e.isInteger && !e.residual && !e.hasBias && requantize.isDirect();
    if (!isScaled)
      requantize = requantize.divideByScale(c, level, values);
    if (e.sum && !e.hasTable)
      return requantize.roundScaled(c, level, values);
    return {requantize.emitScaled(c, level, values)};
  }
  for (Value &value : values)
    value = e.activation.emit(c, value);
  return values;
}

Value MatrixEpilogueEmitter::addOther(Values terms, int64_t count, Value at) {
  Values others = loadResidual(e.sum->other, other, at, count, terms.size());
  for (auto [term, other] : llvm::zip_equal(terms, others))
    term = arith::AddFOp::create(c.b, c.loc, term, other);
  return e.sum->requantize.emitScaled(c, level, terms);
}

void MatrixEpilogueEmitter::emit(ArrayRef<SmallVector<Value>> rows,
                                 int64_t count, Value residual,
                                 const Place &from, Value result,
                                 const Place &to) {
  auto rowOf = [&](const Place &place, int64_t row) {
    return !place.rows.empty() ? place.rows[row]
                               : c.add(place.at, row * place.pitch);
  };
  // Tables are looked up for full vectors, so for all rows together.
  SmallVector<Value> indices;
  for (auto [row, sums] : llvm::enumerate(rows)) {
    Value first = rowOf(from, row);
    SmallVector<Value> results = resultsOf(sums, count, residual, first);
    if (e.hasTable) {
      indices.push_back(results[0]);
      continue;
    }
    if (e.sum) {
      for (Value &term : results)
        term = scaleBy(c, term, e.sum->term.scale);
      results = {addOther(results, count, first)};
    }
    if (cast<MemRefType>(result.getType()).getElementType().isBF16())
      for (Value &value : results) // a factor of products
        value = roundToFactor(c, level, value);
    storeRun(c, results, count, result, rowOf(to, row));
  }
  if (!e.hasTable)
    return;
  unsigned vectors = rows[0].size();
  for (auto [row, bytes] :
       llvm::enumerate(lookUpBytes(c, level, table, indices))) {
    Value results = bytes;
    if (e.sum)
      results = addOther(spread(e.sum->term, bytes, vectors), count,
                         rowOf(from, row));
    storeFirst(c, results, count, result, rowOf(to, row));
  }
}
