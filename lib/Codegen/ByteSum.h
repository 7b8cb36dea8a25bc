//===- ByteSum.h - 8-bit additions ------------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A residual addition of 8-bit tensors, as docs/quantization.md defines it. The
// kernel of the convolution or matrix product that is one of its terms computes
// it: that term is rounded to 8 bits in registers and never stored.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_BYTESUM_H
#define QCC_LIB_CODEGEN_BYTESUM_H

#include "Requantize.h"

namespace qcc {

/// A sum or difference of 8-bit tensors:
///   requantize((x - zero point) * factors[0] +- (y - zero point) * factors[1])
struct ByteSum {
  float factors[2];
  Requantize requantize; ///< by emitScaled()

  /// Nothing for other ops and where kernels do not apply.
  static std::optional<ByteSum> get(qnn::BinaryOp op);
};

/// The addition that the kernel of `product`, whose 8-bit result is `term`, can
/// compute; null where there is none. The other term is a tensor of the same
/// shape that is known when the product is computed. Either may be integers
/// that are taken for those of another scale (qnn.storage_cast).
qnn::BinaryOp findResultSum(mlir::Operation *product, mlir::Value term);

/// Which operand of that sum `term` is.
unsigned operandOf(qnn::BinaryOp sum, mlir::Value term);

/// The tensor that has the integers of `value`.
mlir::Value skipStorageCasts(mlir::Value value);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_BYTESUM_H
