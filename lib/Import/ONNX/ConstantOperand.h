//===- ConstantOperand.h - Operands that must be constant -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_CONSTANTOPERAND_H
#define QCC_LIB_IMPORT_ONNX_CONSTANTOPERAND_H

#include "mlir/IR/Builders.h"

namespace qcc::import {

/// A constant in place of `value` where it is computed from constants only, by
/// ops that the dialect evaluates on small tensors; else `value`. Ops are
/// folded as they are built, but a quantize or dequantize is not, so that
/// weights stay quantized: shapes behind one are evaluated here, where they are
/// asked for.
mlir::Value foldConstant(mlir::OpBuilder &builder, mlir::Value value);

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_CONSTANTOPERAND_H
