//===- Requantize.h - From 32-bit sums to 8-bit results --------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The epilogues of kernels, as docs/quantization.md defines them.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_REQUANTIZE_H
#define QCC_LIB_CODEGEN_REQUANTIZE_H

#include "CodeBuilder.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Target/TargetBackend.h"

#include <optional>
#include <string>

namespace qcc {

/// clamp(roundeven(float(sum) * multiplier)) + zero point, as bytes.
struct Requantize {
  int64_t zeroPoint = 0;
  bool isUnsigned = true;
  int64_t low = 0, high = 255; ///< of the result, in storage values
  /// |sum * multiplier| may leave the range of int32, or be NaN: clamp before
  /// rounding.
  bool mayOverflow = false;

  /// For results of `type` behind `activation` (null: none). `bound` is the
  /// largest |sum * multiplier|. Nothing for activations that are no clamp.
  static std::optional<Requantize> get(mlir::quant::UniformQuantizedType type,
                                       qnn::ActivationAttr activation,
                                       double bound);
  std::string key() const;

  /// Requantizes n vectors of i32 with their multipliers; the bytes come out in
  /// the order of MicroKernels::packOrder(n).
  mlir::Value emit(CodeBuilder &c, const TargetLevel &level,
                   mlir::ValueRange sums, mlir::ValueRange multipliers) const;
  /// The same for values that are already scaled (f32 vectors).
  mlir::Value emitScaled(CodeBuilder &c, const TargetLevel &level,
                         mlir::ValueRange values) const;
};

/// An activation on vectors of f32.
struct FloatActivation {
  std::optional<qnn::UnaryKind> kind; ///< nothing: the identity
  float alpha = 0, beta = 0;

  /// Nothing for kinds that kernels do not fuse.
  static std::optional<FloatActivation> get(qnn::ActivationAttr activation);
  std::string key() const;
  mlir::Value emit(CodeBuilder &c, mlir::Value x) const;
};

/// x * y + z: fused where the level has it, so that all such levels agree.
mlir::Value multiplyAdd(CodeBuilder &c, const TargetLevel &level, mlir::Value x,
                        mlir::Value y, mlir::Value z);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_REQUANTIZE_H
