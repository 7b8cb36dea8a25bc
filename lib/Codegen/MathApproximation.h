//===- MathApproximation.h - Polynomial forms of functions -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits transcendental functions as branch-free arithmetic on f32 scalars or
// vectors. The coefficients are minimax fits of the reduced functions, made
// for this project.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_MATHAPPROXIMATION_H
#define QCC_LIB_CODEGEN_MATHAPPROXIMATION_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace qcc {

/// Builds functions of f32 values; `like` gives the shape (scalar or vector)
/// of everything that is built.
class MathApproximation {
public:
  MathApproximation(mlir::OpBuilder &b, mlir::Location loc, mlir::Type like)
      : b(b), loc(loc), like(like) {}

  mlir::Value exp(mlir::Value x);
  /// exp of x in [-87.3, 88.3], where the result is a normal number.
  mlir::Value boundedExp(mlir::Value x);
  mlir::Value exp2(mlir::Value x);
  mlir::Value expm1(mlir::Value x);
  mlir::Value log(mlir::Value x);
  mlir::Value log2(mlir::Value x);
  mlir::Value log10(mlir::Value x);
  mlir::Value log1p(mlir::Value x);
  mlir::Value tanh(mlir::Value x);
  mlir::Value sinh(mlir::Value x);
  mlir::Value cosh(mlir::Value x);
  mlir::Value erf(mlir::Value x);
  mlir::Value sin(mlir::Value x) { return sinOrCos(x, 0); }
  mlir::Value cos(mlir::Value x) { return sinOrCos(x, 1); }
  mlir::Value tan(mlir::Value x);
  mlir::Value asin(mlir::Value x);
  mlir::Value acos(mlir::Value x);
  mlir::Value atan(mlir::Value x);
  mlir::Value pow(mlir::Value x, mlir::Value y);
  mlir::Value rsqrt(mlir::Value x);

private:
  using Value = mlir::Value;
  using Pred = mlir::arith::CmpFPredicate;

  /// `element` under the shape of `like`.
  mlir::Type typeOf(mlir::Type element) const;
  /// Constants of the type of `v`, or of i32 / f32 in the common shape.
  Value splat(Value v, double c);
  Value f32(double c);
  Value i32(int64_t c);
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value div(Value x, Value y);
  /// x * y + z by math.fma. f32 only.
  Value mulAdd(Value x, Value y, Value z);
  /// sum of c[i] x^i by Horner's rule.
  Value horner(Value x, llvm::ArrayRef<double> c);
  Value compare(Pred p, Value x, Value y);
  Value select(Value condition, Value x, Value y);
  Value minimum(Value x, double c); ///< NaN gives c
  Value maximum(Value x, double c); ///< NaN gives c
  Value abs(Value x);
  Value copySign(Value magnitude, Value sign);
  Value toBits(Value x);
  Value fromBits(Value x);
  Value toInt(Value x);
  /// 2^n; n in [-126, 127].
  Value powerOfTwo(Value n);
  /// x * 2^n; n in [-252, 254].
  Value scale(Value x, Value n);

  /// x = n ln 2 + r with |r| <= ln 2 / 2; n comes as an integer.
  void reduceExp(Value x, Value &r, Value &n);
  /// exp(r) - 1 for |r| <= ln 2 / 2.
  Value expm1Poly(Value r);
  /// x = 2^e m with m in [sqrt 1/2, sqrt 2); gives log(m) and e (as a float).
  /// x must be positive and finite.
  void reduceLog(Value x, Value &logM, Value &e);
  /// Puts in what log gives where reduceLog does not apply.
  Value logSpecials(Value x, Value y);
  /// sin(x + quarterTurns * pi / 2).
  Value sinOrCos(Value x, int64_t quarterTurns);
  /// asin(|x|) as `inner` where |x| <= 1/2; else as pi/2 - `outer`.
  void foldedAsin(Value x, Value &inner, Value &outer, Value &isInner);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type like;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_MATHAPPROXIMATION_H
