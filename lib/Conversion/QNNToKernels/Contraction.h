//===- Contraction.h - Sums of products and what follows them ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What convolutions and matrix products share: how operands enter the sum, and
// how the sum becomes a stored result (bias, requantization, residual,
// activation). Products are summed in the order of the loops: for floats one
// chain of (fused) multiply-adds from zero, then bias, residual, activation.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_CONTRACTION_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_CONTRACTION_H

#include "LoopBuilder.h"

namespace qcc::reference {

class Contraction {
public:
  struct Operands {
    mlir::Value x, w, bias, residual,
        result;                         ///< tensors; bias, residual may be null
    mlir::Value xZeroPoint, wZeroPoint; ///< run-time ones, or null
    qnn::ActivationAttr activation;
    int64_t depth = 0; ///< products per result
  };
  explicit Contraction(const Operands &operands);

  /// Whether there is code for these types.
  bool isSupported() const;
  /// Makes the buffers that the kernel gets; `packedW` replaces w's.
  void createBuffers(KernelEmitter &emitter, mlir::Value packedW);
  mlir::ValueRange buffers() const { return args; }
  mlir::TypeRange bufferTypes() const {
    return mlir::ValueRange(args).getTypes();
  }

  /// The code of one kernel; `channel` is the index of the result's channel
  /// (of w's scales and zero points).
  class Code {
  public:
    Code(const Contraction &c, LoopBuilder &b, mlir::ValueRange args);
    mlir::Type sumType() const { return c.sumType; }
    mlir::Value x(mlir::Value position, mlir::Value row);
    mlir::Value w(mlir::Value position, mlir::Value channel);
    void store(mlir::Value sum, mlir::Value position, mlir::Value channel,
               mlir::Value biasPosition);

  private:
    mlir::Value zeroPoint(unsigned arg, const Element &element,
                          mlir::Value index);
    const Contraction &c;
    LoopBuilder &b;
    llvm::SmallVector<mlir::Value> memory;
  };

private:
  friend class Code;
  Operands operands;
  Element xElement, wElement, yElement;
  bool isInteger; ///< exact sums of integers
  bool isRaw;     ///< the result is the sum itself
  mlir::Type sumType;
  std::optional<QuantParams> folded; ///< range of the result with activation
  llvm::SmallVector<mlir::Value> args;
  // Numbers of optional arguments, 0 where absent.
  unsigned biasArg = 0, residualArg = 0, scaleArg = 0, wZeroPointArg = 0,
           wScaleArg = 0, xZeroPointArg = 0;
  bool wZeroPointIsPerChannel = false, xZeroPointIsPerRow = false;

  /// One multiplication and one rounding lead from the sum to the result.
  bool requantizesDirectly() const {
    return folded && !operands.residual &&
           !(operands.bias && Element(operands.bias.getType()).isFloat());
  }
};

/// The elements of `tensor`, picked by `strides` over the box `shape`, in
/// row-major order: at compile time where the tensor is constant.
mlir::Value packed(KernelEmitter &emitter, mlir::Value tensor,
                   llvm::ArrayRef<int64_t> shape,
                   llvm::ArrayRef<int64_t> strides, mlir::Location loc);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_CONTRACTION_H
