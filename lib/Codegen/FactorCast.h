//===- FactorCast.h - Rounding of factors to bf16 ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a level multiplies bf16, qcc-narrow-activations rounds what products
// read by a qnn.cast. A kernel whose float result nothing else uses stores it
// rounded, as it does with a quantization (ResultQuantize.h).
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_FACTORCAST_H
#define QCC_LIB_CODEGEN_FACTORCAST_H

#include "CodeBuilder.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// Whether an f32 value is rounded to bf16 for products with sums of f32, and
/// for nothing else: numbers below 2^-126 may then become zero, as they count
/// as zero there.
bool isFactorCast(qnn::CastOp cast);

/// Such a cast that is the only user of the result of `op`; null where there is
/// none.
qnn::CastOp findFactorCast(mlir::Operation *op);

/// Rounds a vector of f32.
mlir::Value roundToFactor(CodeBuilder &c, const TargetLevel &level,
                          mlir::Value value);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_FACTORCAST_H
