//===- MatrixEpilogue.cpp - From sums to results --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixEpilogue.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;

std::string MatrixEpilogue::key() const {
  std::string key =
      llvm::formatv("{0}{1}{2}{3} {4}", int(result), isInteger ? "i" : "f",
                    hasBias ? "b" : "", hasTable ? "t" : "", activation.key());
  if (residual)
    key +=
        llvm::formatv(" r{0}{1}{2} {3} {4:x}", residual->isFloat,
                      residual->isUnsigned, residual->bits, residual->zeroPoint,
                      llvm::bit_cast<uint32_t>(residual->scale));
  if (requantize)
    key +=
        " " + requantize->key() +
        (residual || hasBias || !isInteger ? " " + requantize->scaleKey() : "");
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
  forPieces(count, [&](int64_t first, int64_t size) {
    SmallVector<int64_t> mask(size);
    for (int64_t i = 0; i < size; ++i)
      mask[i] = first + i;
    c.store(c.shuffle(vector, vector, mask), buffer, c.add(at, first));
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

SmallVector<Value> MatrixEpilogueEmitter::loadResidual(Value residual, Value at,
                                                       int64_t count,
                                                       unsigned vectors) {
  const MatrixEpilogue::Residual &r = *e.residual;
  int64_t lanes = level.lanes();
  Type f32 = c.b.getF32Type(), i32 = c.b.getI32Type(), i8 = c.b.getI8Type();
  SmallVector<Value> values;
  // All first, in the order of the result.
  int64_t total = vectors * lanes;
  bool isByte = !r.isFloat && r.bits == 8;
  Value whole;
  if (!r.isFloat || !order.empty())
    whole = loadFirst(
        c, c.vectorType(r.isFloat ? f32 : c.b.getIntegerType(r.bits), total),
        count, residual, at);

  for (unsigned v = 0; v < vectors; ++v) {
    int64_t valid = std::clamp<int64_t>(count - v * lanes, 0, lanes);
    if (r.isFloat && order.empty()) {
      values.push_back(valid == 0
                           ? c.splat(f32, 0, lanes)
                           : loadFirst(c, c.vectorType(f32, lanes), valid,
                                       residual, c.add(at, v * lanes)));
      continue;
    }
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
    if (isByte) {
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
    Value value =
        arith::SIToFPOp::create(c.b, c.loc, c.vectorType(f32, lanes), spread);
    if (r.scale != 1.f)
      value = arith::MulFOp::create(c.b, c.loc, value,
                                    c.splat(f32, r.scale, lanes));
    values.push_back(value);
  }
  return values;
}

SmallVector<Value> MatrixEpilogueEmitter::resultsOf(ValueRange sums,
                                                    int64_t count,
                                                    Value residual, Value at) {
  if (e.requantize && e.isInteger && !e.residual && !e.hasBias)
    return {e.requantize->emit(c, level, sums, scales)};

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
    addAll(loadResidual(residual, at, count, sums.size()));
  if (e.requantize)
    return {e.requantize->emitReal(c, level, values)};
  for (Value &value : values)
    value = e.activation.emit(c, value);
  return values;
}

void MatrixEpilogueEmitter::emit(ArrayRef<SmallVector<Value>> rows,
                                 int64_t count, Value residual, Value result,
                                 Value at, int64_t pitch) {
  // Tables are looked up for full vectors, so for all rows together.
  SmallVector<Value> indices;
  for (auto [row, sums] : llvm::enumerate(rows)) {
    Value first = c.add(at, row * pitch);
    SmallVector<Value> results = resultsOf(sums, count, residual, first);
    if (e.hasTable) {
      indices.push_back(results[0]);
      continue;
    }
    storeRun(c, results, count, result, first);
  }
  if (!e.hasTable)
    return;
  for (auto [row, bytes] :
       llvm::enumerate(lookUpBytes(c, level, table, indices)))
    storeFirst(c, bytes, count, result, c.add(at, row * pitch));
}
