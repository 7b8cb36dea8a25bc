//===- NarrowActivations.h - Factors of products in bf16 --------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CODEGEN_NARROWACTIVATIONS_H
#define QCC_CODEGEN_NARROWACTIVATIONS_H

#include "mlir/IR/BuiltinOps.h"
#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// Rounds what float products with weights of bf16 read to bf16, where they are
/// expected to be faster on tiles of `level` then (qcc-narrow-activations).
/// `widens`: and back to float32, so that any level computes what this one
/// would, but for the order of sums. @main must be channels-last.
void narrowActivations(mlir::ModuleOp module, const TargetLevel &level,
                       bool widens = false);

} // namespace qcc

#endif // QCC_CODEGEN_NARROWACTIVATIONS_H
