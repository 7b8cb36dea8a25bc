//===- Requantize.h - From 32-bit sums to integer results -------*- C++ -*-===//
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

/// An activation on vectors of f32.
struct FloatActivation {
  std::optional<qnn::UnaryKind> kind; ///< nothing: the identity
  float alpha = 0, beta = 0;
  bool isRough = false; ///< as FloatFunctions::roughly() has it

  /// Nothing for kinds that kernels do not fuse.
  static std::optional<FloatActivation> get(qnn::ActivationAttr activation);
  std::string key() const;
  /// The largest |result| for an |operand| of at most `bound`.
  double bound(double bound) const;
  mlir::Value emit(CodeBuilder &c, mlir::Value x) const;
};

/// From 32-bit sums or real values to bytes.
struct Requantize {
  float scale = 1;
  int64_t zeroPoint = 0;
  bool isUnsigned = true;
  unsigned bits = 8;           ///< of the results: 8 or 16
  int64_t low = 0, high = 255; ///< of the result, in storage values
  /// Applied to the real value. A clamp narrows the range of the result
  /// instead.
  FloatActivation activation;
  /// What is rounded may leave the range of int32, or be NaN: clamp before.
  bool mayOverflow = true;

  /// For results of `type` behind `activation` (null: none). Nothing for
  /// activations that kernels do not fuse.
  static std::optional<Requantize> get(mlir::quant::UniformQuantizedType type,
                                       qnn::ActivationAttr activation);
  /// Of an op that gives bytes itself: some functions are computed roughly.
  void setActivation(const FloatActivation &function);
  /// What code from emit() depends on; that from emitReal() depends on
  /// scaleKey(), too.
  std::string key() const;
  std::string scaleKey() const;

  /// Whether a sum becomes a byte with one product and one rounding:
  /// clamp(roundeven(float(sum) * multiplier)) + zero point.
  bool isDirect() const { return !activation.kind; }
  /// The factor of sums for emit().
  float multiplier(float inputScale, float weightScale) const;
  /// `bound`: the largest |sum * multiplier|.
  void setBound(double bound) {
    isDirect() ? setScaledBound(bound) : setRealBound(bound);
  }
  /// `bound`: the largest magnitude of a value for emitReal().
  void setRealBound(double bound) {
    setScaledBound(activation.bound(bound) / double(scale));
  }

  /// Whether results of emit() come out in the order of
  /// MicroKernels::packOrder() instead of the operands'.
  bool permutes() const { return bits == 8; }
  /// Requantizes n vectors of i32 with their multipliers to one vector.
  mlir::Value emit(CodeBuilder &c, const TargetLevel &level,
                   mlir::ValueRange sums, mlir::ValueRange multipliers) const;
  /// The same for real values (f32 vectors). `interleaved`: 16-bit results of
  /// two vectors come out in the order that packWords() gives.
  mlir::Value emitReal(CodeBuilder &c, const TargetLevel &level,
                       mlir::ValueRange values, bool interleaved = false) const;
  /// The same for values that are already scaled (f32 vectors).
  mlir::Value emitScaled(CodeBuilder &c, const TargetLevel &level,
                         mlir::ValueRange values,
                         bool interleaved = false) const;
  /// From values for emitReal() to values for emitScaled() of the result.
  Requantize divideByScale(CodeBuilder &c, const TargetLevel &level,
                           llvm::MutableArrayRef<mlir::Value> values) const;
  /// The results less the zero point, as f32, for values that are scaled.
  llvm::SmallVector<mlir::Value> roundScaled(CodeBuilder &c,
                                             const TargetLevel &level,
                                             mlir::ValueRange values) const;

private:
  mlir::Value packToInt16(CodeBuilder &c, llvm::ArrayRef<mlir::Value> rounded,
                          bool interleaved) const;
  void setScaledBound(double bound) { mayOverflow = !(bound < 2147483000.0); }
};

/// x * y + z: fused where the level has it, so that all such levels agree.
mlir::Value multiplyAdd(CodeBuilder &c, const TargetLevel &level, mlir::Value x,
                        mlir::Value y, mlir::Value z);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_REQUANTIZE_H
