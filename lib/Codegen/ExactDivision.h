//===- ExactDivision.h - Quotients by multiplications -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With the nearest reciprocal and an exact remainder, one correction of an
// approximate quotient gives the nearest one (Markstein), as long as nothing
// overflows or becomes subnormal. Divisions take many times as long.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_EXACTDIVISION_H
#define QCC_LIB_CODEGEN_EXACTDIVISION_H

#include "../Conversion/QNNToKernels/LoopBuilder.h"
#include "CodeBuilder.h"

namespace qcc {

/// x / divisor for a quantization that follows, correctly rounded as far as
/// that can be seen: beyond 2^20 the result may be 2^20 of the same sign, and
/// for NaN -2^20. By multiplications where multipliesExactly().
/// `isBounded`: the quotient is known to be below 2^31, and no NaN.
mlir::Value divideExactly(reference::LoopBuilder &b, mlir::Value x,
                          float divisor, bool isBounded = false);

/// Whether divideExactly() needs no division, so that its result is bounded.
bool multipliesExactly(const TargetLevel &level, float divisor);

/// Quantizes by a scale and a zero point that are known at run time:
/// clamp(roundeven(x / scale), -zeroPoint, 255 - zeroPoint).
class RuntimeQuantizer {
public:
  using Value = mlir::Value;

  /// `scale`: f32, `zeroPoint`: i32 in [0, 255]; both in all lanes.
  RuntimeQuantizer(CodeBuilder &c, const TargetLevel &level, Value scale,
                   Value zeroPoint);

  /// Emits `body` once or, where the way to divide depends on the scale, under
  /// a condition for each way. In it, centered() may be called.
  void emit(llvm::function_ref<void()> body);
  /// The same with a body that returns values.
  llvm::SmallVector<Value>
  emit(mlir::TypeRange types,
       llvm::function_ref<llvm::SmallVector<Value>()> body);
  /// The quantized value of a vector, less the zero point; i32.
  Value centered(Value x);

private:
  CodeBuilder &c;
  const TargetLevel &level;
  Value scale, reciprocal, least, most;
  bool divides = true; ///< with an instruction, in the code that is emitted
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_EXACTDIVISION_H
