//===- Passes.h - Passes that lower precision -------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_PASSES_H
#define QCC_QUANTIZATION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace qcc {

#define GEN_PASS_DECL
#include "qcc/Quantization/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "qcc/Quantization/Passes.h.inc"

} // namespace qcc

#endif // QCC_QUANTIZATION_PASSES_H
