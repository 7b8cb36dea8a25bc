//===- PiecewiseFunction.h - Activations as polynomials ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function whose result is rounded to a byte need not be exact: eight
// polynomials of low degree, whose coefficients a vector looks up by the piece
// that each lane is in, take fewer instructions than an exponential and a
// reciprocal.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_PIECEWISEFUNCTION_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_PIECEWISEFUNCTION_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Target/LaneTables.h"

#include <array>
#include <optional>

namespace qcc::reference {

/// What a byte stands for: scale * (byte - zero point), where the difference is
/// from `low` to `high`.
struct ByteRange {
  float scale;
  int64_t low, high;
};

/// f(x) / scale in the range of a byte, for all x.
class PiecewiseFunction {
public:
  /// Nothing where no polynomials are close enough.
  static std::optional<PiecewiseFunction> get(qnn::UnaryKind kind,
                                              const ByteRange &range);

  /// Off by at most `mostError` where the byte does not saturate, and finite:
  /// NaN counts as a large negative number. `x`: f32, a scalar or a vector.
  /// Levels without fused multiply-add give what rounds to the same byte.
  mlir::Value emit(mlir::OpBuilder &b, mlir::Location loc,
                   const TargetLevel &level, mlir::Value x) const;

  /// In steps of the byte.
  static constexpr double mostError = 0.028;

  /// The same on the host, bit for bit, with fused steps.
  float evaluate(float x) const;

private:
  using Coefficients = std::array<float, kLaneTableSize>;

  mlir::Value emitSteps(mlir::OpBuilder &b, mlir::Location loc,
                        const TargetLevel &level, mlir::Value x,
                        bool fused) const;
  /// At most, between fused steps and others in the same piece.
  double splitError() const;
  unsigned pieceOf(float x) const;
  double roundingError(float x) const; ///< at most, of evaluate(x)
  void fit(qnn::UnaryKind kind, float scale, unsigned degree);
  /// In steps, for all x, where the byte does not saturate.
  bool isWithin(qnn::UnaryKind kind, const ByteRange &range,
                double bound) const;

  float first, last;                      ///< x is clamped to these
  double width;                           ///< of a piece
  int64_t pieceOfZero;                    ///< whose middle is 0
  float piecesPerUnit;                    ///< 1 / width
  llvm::SmallVector<Coefficients> powers; ///< ascending
};

/// f(x) / scale for what is then rounded to a byte, as PiecewiseFunction or,
/// where that does not do, FloatFunctions has it: alike on all levels.
class RoughFunction {
public:
  /// Nothing where the function is not computed roughly for the range.
  static std::optional<RoughFunction> get(qnn::UnaryKind kind,
                                          const ByteRange &range);
  mlir::Value emit(mlir::OpBuilder &b, mlir::Location loc,
                   const TargetLevel &level, mlir::Value x) const;

private:
  qnn::UnaryKind kind;
  float scale;
  std::optional<PiecewiseFunction> pieces;
};

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_PIECEWISEFUNCTION_H
