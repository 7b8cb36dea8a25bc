//===- KeptRows.h - Rows of floats on the stack -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_KEPTROWS_H
#define QCC_LIB_CODEGEN_KEPTROWS_H

#include "../Conversion/QNNToKernels/LoopBuilder.h"
#include "CodeBuilder.h"

namespace qcc {

/// Some rows of a buffer that are worked on side by side: what must wait for a
/// sum over one row leaves room for the others.
///
/// Sums have the 16 lanes and the tree of the reference kernels (Groups.h) on
/// every level. Whole vectors are read and written, so that a row has room for
/// them behind its end.
class KeptRows {
public:
  using Value = mlir::Value;

  /// Lanes of every reduction.
  static constexpr int64_t width = 16;

  KeptRows(reference::LoopBuilder &b, Value kept, int64_t length)
      : b(b), c(b, b.getLoc()), kept(kept), length(length) {}

  /// Room that a row of `length` elements needs.
  static int64_t roomFor(int64_t length) {
    return (length + width - 1) / width * width;
  }
  /// The rows that begin at these positions.
  void begin(mlir::ValueRange positions) {
    starts.assign(positions.begin(), positions.end());
  }
  size_t count() const { return starts.size(); }

  mlir::VectorType type() { return c.vectorType(b.getF32Type(), width); }
  Value load(size_t row, Value column) {
    return c.load(kept, c.add(starts[row], column), type());
  }
  void store(Value value, size_t row, Value column) {
    c.store(value, kept, c.add(starts[row], column));
  }
  /// Visits each vector of columns, and how many of them there are.
  void forVectors(llvm::function_ref<void(Value column, int64_t count)> body);
  /// For each row, acc = step(row, acc, elements) over its vectors, with
  /// `neutral` behind its end; then the lanes as one number, in all lanes.
  /// `transform`, if any, replaces the elements first.
  using Step = llvm::function_ref<Value(size_t row, Value acc, Value elements)>;
  using Transform = llvm::function_ref<Value(size_t row, Value elements,
                                             Value column, int64_t count)>;
  llvm::SmallVector<Value> reduce(double init, Step step, double neutral,
                                  llvm::function_ref<Value(Value, Value)> join,
                                  Transform transform = nullptr);
  /// The largest elements.
  llvm::SmallVector<Value> maxima(Transform transform = nullptr);
  /// Leaves exponentials, given the largest element of each row; returns what
  /// they are to be multiplied by.
  llvm::SmallVector<Value> softmax(mlir::ValueRange largest);

private:
  int64_t whole() const { return length / width * width; }
  Value onlyValid(Value value, double neutral);

  reference::LoopBuilder &b;
  CodeBuilder c;
  Value kept;
  int64_t length;
  llvm::SmallVector<Value> starts;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_KEPTROWS_H
