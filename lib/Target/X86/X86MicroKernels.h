//===- X86MicroKernels.h - x86-64 instructions ------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_TARGET_X86_X86MICROKERNELS_H
#define QCC_LIB_TARGET_X86_X86MICROKERNELS_H

#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// pmaddwd on 16-bit halves: SSE4.2 (16 bytes) and AVX2 (32 bytes).
std::shared_ptr<MicroKernels> createMultiplyAddKernels(unsigned vectorBytes);
/// vpdpbusd: AVX-VNNI (32 bytes) and AVX512-VNNI (64 bytes). `hasTableLookup`:
/// vpermi2b (AVX512-VBMI).
std::shared_ptr<MicroKernels> createVNNIKernels(unsigned vectorBytes,
                                                bool hasTableLookup);

} // namespace qcc

#endif // QCC_LIB_TARGET_X86_X86MICROKERNELS_H
