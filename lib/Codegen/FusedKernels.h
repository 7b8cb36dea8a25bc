//===- FusedKernels.h - Kernels that take elementwise chains ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_FUSEDKERNELS_H
#define QCC_LIB_CODEGEN_FUSEDKERNELS_H

#include "ElementwiseChain.h"
#include "Product.h"

namespace qcc {

/// A normalization or softmax of rows (the last dimension), with the
/// dequantization of its input where that is used by nothing else.
struct RowOp {
  mlir::Operation *op;
  mlir::Value input; ///< of the op or of the dequantization
  int64_t length, rows;
  /// The dequantization and what follows it.
  std::optional<ElementwiseChain> before;

  /// Nothing for other ops and where the kernel does not apply.
  static std::optional<RowOp> match(mlir::Operation *op);
  static bool isDequantization(mlir::Operation *op);
  /// Whether a kernel of rows dequantizes its own input, so that nothing is to
  /// be emitted for `dequantization` and its chain.
  static bool takes(mlir::Operation *dequantization);
  int64_t rowsPerTile() const;
  /// Rows that are worked on side by side.
  int64_t rowsTogether() const;
};

llvm::LogicalResult emitRows(const RowOp &row, const ElementwiseChain &chain,
                             KernelEmitter &emitter);
llvm::LogicalResult emitProduct(const Product &product,
                                const ElementwiseChain &chain,
                                KernelEmitter &emitter);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_FUSEDKERNELS_H
