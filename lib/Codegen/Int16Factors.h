//===- Int16Factors.h - Floats as factors of 16 bits ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product of floats as one of integers of 16 bits, with a scale for each row
// on the left and each column on the right, chosen at run time so that sums
// stay within 32 bits: columns by their largest magnitude, rows also by the sum
// of their magnitudes.
//
// A unit is a pair of neighbours along the depth in one word of 32 bits; an odd
// one at the end has a zero beside it on the right.
//
// A NaN or infinity makes the scale of its row or column NaN or infinite and
// one of its integers or all of them 0, so that all results are NaN.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_INT16FACTORS_H
#define QCC_LIB_CODEGEN_INT16FACTORS_H

#include "Product.h"

namespace qcc {

/// The magnitude of integers on the right, and how much those of a row on the
/// left may sum to before they are rounded.
struct Int16Bounds {
  explicit Int16Bounds(int64_t depth);

  int64_t column;
  double row;
  /// Elements of a row of which each integer is at most this.
  static constexpr int64_t factor = 32767;
};

/// A positive number of less than 22 bits without its fraction, and now and
/// then one less.
mlir::Value roundDown(reference::LoopBuilder &b, mlir::Value number);

/// As packRhs(): words of pairs, and the scale of each padded column.
/// `centers`: of columnCenters(), which are taken off first, or null.
PackedRhs packInt16(const Product &product, KernelEmitter &emitter,
                    mlir::Value centers = mlir::Value());
/// What to take off all columns of each matrix on the right, [matrix][depth]:
/// their mean, but 0 where that is less than a fourth of the largest magnitude
/// or no number.
mlir::Value columnCenters(const Product &product, KernelEmitter &emitter);

/// Rows on the left, in 16 bits on the stack.
class Int16Rows {
public:
  using Value = mlir::Value;
  /// Elements that are rounded at a time: a row has room for whole vectors.
  static constexpr int64_t width = 16;

  /// Elements from row to row: a row begins where a cache line does, and is no
  /// multiple of the distance at which addresses share a place in a cache.
  static int64_t pitchOf(int64_t length) {
    return llvm::alignTo(length, 32) + 32;
  }

  Int16Rows(reference::LoopBuilder &b, int64_t rows, int64_t length);

  /// Pairs, and their distance from row to row.
  Value words() const { return pairs; }
  int64_t wordPitch() const { return pitch / 2; }

  /// Rounds row `slot`, the floats of `buffer` from `at` on, and notes its
  /// product with the floats of `centers` from `center` on.
  void round(Value buffer, Value at, Value slot, Value centers, Value center);
  /// That product, in `lanes` lanes.
  Value offset(Value slot, int64_t lanes);
  /// What the sums of row `slot` are to be multiplied by, in `lanes` lanes.
  Value scale(Value slot, int64_t lanes);

  /// Stores `value` times `factor` from column `column` of row `slot` on.
  void store(Value value, Value factor, Value slot, Value column);
  void setScale(Value scalar, Value slot);

private:
  Value reduce(Value vector, mlir::vector::CombiningKind kind);

  reference::LoopBuilder &b;
  CodeBuilder c;
  int64_t length, pitch; ///< in elements
  Value elements, pairs, scales, offsets;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_INT16FACTORS_H
