//===- Kernels.h - Optimized kernel generators -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CODEGEN_KERNELS_H
#define QCC_CODEGEN_KERNELS_H

#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

namespace qcc {

/// On a module: quantized tensors are wanted, so no kernel rounds to 8 bits
/// only on the way.
constexpr llvm::StringLiteral kKeepTensorsAttr = "qcc.keep_tensors";

/// On a module: how many bytes must be between a depthwise convolution and
/// those that stand around it, for them to be computed by blocks of rows.
constexpr llvm::StringLiteral kRowBlockBytesAttr = "qcc.row_block_bytes";

/// Appends every optimized generator, in the order in which they are tried.
/// What none of them takes falls to the reference kernels.
void populateOptimizedKernels(KernelGenerators &generators);

} // namespace qcc

#endif // QCC_CODEGEN_KERNELS_H
