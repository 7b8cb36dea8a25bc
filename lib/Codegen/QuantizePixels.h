//===- QuantizePixels.h - Planes of reals to 8-bit pixels -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An image of a few planes (channels first) that is quantized, then transposed
// to pixels (channels last), is read and written once.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_QUANTIZEPIXELS_H
#define QCC_LIB_CODEGEN_QUANTIZEPIXELS_H

#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

namespace qcc {

/// Emits `op` and the transposition that is its only user; fails where there is
/// none or the kernel does not apply.
llvm::LogicalResult emitQuantizedPixels(qnn::QuantizeOp op,
                                        KernelEmitter &emitter);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_QUANTIZEPIXELS_H
