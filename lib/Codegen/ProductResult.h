//===- ProductResult.h - From sums of a product to results ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_PRODUCTRESULT_H
#define QCC_LIB_CODEGEN_PRODUCTRESULT_H

#include "ElementwiseChain.h"
#include "Product.h"

namespace qcc {

/// Emits what happens to the sums of a product: scale, activation, the chain of
/// elementwise ops behind it.
class ProductResult {
public:
  using Value = mlir::Value;

  /// Flat buffers: `operands` of the chain, and the result's.
  ProductResult(reference::LoopBuilder &b, const Product &p,
                const TargetLevel &level, const ElementwiseChain &chain,
                mlir::ValueRange operands, Value result,
                RangeRecorder *recorder);

  /// Rows are counted from this one on.
  void beginBlock(Value matrix, Value firstRow);
  /// As ProductTiles::Store has it; sums are multiplied by `factor`, if any.
  void store(mlir::ValueRange sums, int64_t valid, Value slot, int64_t offset,
             Value column, Value factor = Value());

private:
  reference::LoopBuilder &b;
  CodeBuilder c;
  const Product &p;
  const TargetLevel &level;
  ChainEmitter chain;
  Value result;
  Value position, to; ///< of the block, in the tensor and in the buffer
};

/// The real values of sums, behind the product's own activation; sums
/// themselves where those are its results.
llvm::SmallVector<mlir::Value> realValues(CodeBuilder &c, const Product &p,
                                          mlir::ValueRange sums);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_PRODUCTRESULT_H
