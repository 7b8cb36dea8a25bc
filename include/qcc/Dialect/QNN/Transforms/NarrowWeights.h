//===- NarrowWeights.h - Float weights in 16 bits ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_TRANSFORMS_NARROWWEIGHTS_H
#define QCC_DIALECT_QNN_TRANSFORMS_NARROWWEIGHTS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

namespace qcc::qnn {

/// Weights that are read for so few rows at most take longer to read than to
/// multiply with: they are stored in 16 bits without being asked, where that is
/// exact. For more rows 16 bits were asked for.
constexpr int64_t kFewRows = 4;

/// Whether kernels read the constant float32 weights of `op` in 16 bits: a
/// product, a convolution (but depthwise ones) or a recurrent layer.
bool hasNarrowForm(mlir::Operation *op);

/// The sum of squares by which rounding those weights to `type` changes them;
/// infinity where it cannot hold them all, or `op` has no such form.
double getNarrowingError(mlir::Operation *op, mlir::FloatType type);

/// The 16-bit float type that constant weights of `op`, or of the table that
/// its operand was looked up in, are stored in; null for other ops.
mlir::FloatType getNarrowType(mlir::Operation *op);

/// Stores weights in 16 bits; ops that share a constant share the new one.
class WeightNarrower {
public:
  enum class Result {
    Done,
    NoForm,     ///< hasNarrowForm() is false
    OutOfRange, ///< an infinite or no number in 16 bits
    Inexact,    ///< rounding would change them, which is not wanted
  };
  /// `onlyExact`: weights that rounding would change stay.
  explicit WeightNarrower(bool onlyExact = false) : onlyExact(onlyExact) {}

  /// Rounds the weights of `op` to nearest, ties to even.
  Result narrow(mlir::Operation *op, mlir::FloatType type);
  /// Looks rows up in a narrow table and widens them, where `op` is a lookup of
  /// part of a large constant table.
  Result narrowTable(mlir::Operation *op, mlir::FloatType type);
  /// Erases constants that nothing uses any more.
  void eraseUnused();

private:
  Result narrow(mlir::OpOperand &operand, mlir::FloatType type);

  struct Narrowed {
    Result result;
    mlir::Value constant; ///< in 16 bits, if Done
  };
  bool onlyExact;
  llvm::DenseMap<std::pair<mlir::Operation *, mlir::Type>, Narrowed> known;
};

} // namespace qcc::qnn

#endif // QCC_DIALECT_QNN_TRANSFORMS_NARROWWEIGHTS_H
