//===- LegalizeQDQ.h - Shared by the patterns of qnn-legalize-qdq ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DIALECT_QNN_TRANSFORMS_LEGALIZEQDQ_H
#define QCC_LIB_DIALECT_QNN_TRANSFORMS_LEGALIZEQDQ_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"

namespace qcc::qnn {

/// The quantized tensor that `value` dequantizes to float32; null otherwise.
mlir::Value getDequantizedSource(mlir::Value value);

/// What happens to the float result of an op, as far as the op can do it.
struct QuantizedResult {
  /// An elementwise op between the op and the quantize that the op absorbs.
  UnaryOp fused;
  /// The activation that the op gets: its own, or `fused`; null where the
  /// saturation of the quantize implies it.
  ActivationAttr activation;
  /// The type of at most `bits` bits to which the result (of `fused`) is
  /// quantized; null where someone uses it as float.
  mlir::quant::UniformQuantizedType type;

  /// The value that the new op replaces.
  mlir::Value replaced(mlir::Operation *op) {
    return (fused ? fused.getOperation() : op)->getResult(0);
  }
  static QuantizedResult get(mlir::Operation *op, unsigned bits = 8);
};

/// Lets `quantized`, the replacement of `value`, take the place of the quantize
/// ops that use `value`.
void replaceQuantizes(mlir::PatternRewriter &rewriter, mlir::Value value,
                      mlir::Value quantized);

/// Products with a weight: conv, conv_transpose, matmul.
void populateLegalizeContraction(mlir::RewritePatternSet &patterns,
                                 mlir::Pass::Statistic &numLegalized);

} // namespace qcc::qnn

#endif // QCC_LIB_DIALECT_QNN_TRANSFORMS_LEGALIZEQDQ_H
