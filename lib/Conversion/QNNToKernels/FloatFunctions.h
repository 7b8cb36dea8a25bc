//===- FloatFunctions.h - Activations as arithmetic -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions that every kernel must compute alike, on f32 (scalars or vectors):
// those which cost a network the most time, in forms that need no division and
// no care for subnormal or infinite intermediate results.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_FLOATFUNCTIONS_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_FLOATFUNCTIONS_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace qcc::reference {

class FloatFunctions {
public:
  using Value = mlir::Value;

  /// Of values of the type of `like`.
  FloatFunctions(mlir::OpBuilder &b, mlir::Location loc, mlir::Type like)
      : b(b), loc(loc), like(like) {}

  /// exp(x) for x not above 0; what would be below the smallest normal number
  /// is 0.
  Value expOfNegative(Value x);
  /// numerator / (1 + exp(-x)). Within 2e-7 of it, relative to the numerator.
  Value gated(Value numerator, Value x);
  /// x times the normal distribution's probability up to x, within 1.3e-7 |x|.
  Value gelu(Value x);
  /// 1 / x for x in [1, 2^125], within an ulp and a half.
  Value reciprocal(Value x);

  /// Whether roughly() has the function and can divide by `scale`.
  static bool hasRough(qnn::UnaryKind kind, float scale);
  /// kind(x) / scale for what is then rounded to a byte: kind(x) is off by at
  /// most 2.1e-4 of itself or, of GELU, as roughGelu(), far less than the
  /// rounding. Takes a third fewer instructions. NaN counts as a large negative
  /// number.
  Value roughly(qnn::UnaryKind kind, Value x, float scale);
  /// GELU off by at most 1.6e-4 of itself, which is 2.3e-5 where x is negative,
  /// for x from -6.5; below, it stays at -2.6e-10. For what is then rounded to
  /// bytes of whatever scale. NaN stays NaN.
  Value roughGelu(Value x);

private:
  Value roughlyGated(Value numerator, Value x); ///< x is at least -80
  Value geluOf(Value x, double most, llvm::ArrayRef<double> q,
               llvm::ArrayRef<double> power);
  Value atLeast(Value x, double low); ///< `low` for NaN
  Value real(double c);
  Value integer(int64_t c);
  Value clamp(Value x, double low, double high); ///< NaN passes through
  /// math.exp of x in [-87.3, 88.3], marked so that it is lowered for them.
  Value boundedExp(Value x);
  Value mulAdd(Value x, Value y, Value z);
  Value horner(Value x, llvm::ArrayRef<double> c);
  Value bits(Value x);
  Value fromBits(Value x);
  mlir::Type typeOf(mlir::Type element) const;

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type like;
};

/// Whether an elementwise op ends with a GELU of which nothing is seen but
/// bytes with a scale chosen at run time: it is FloatFunctions::roughGelu.
bool endsInRoughGelu(mlir::Operation *op);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_FLOATFUNCTIONS_H
