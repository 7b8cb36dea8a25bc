//===- AArch64MicroKernels.h - 64-bit Arm instructions ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_TARGET_AARCH64_AARCH64MICROKERNELS_H
#define QCC_LIB_TARGET_AARCH64_AARCH64MICROKERNELS_H

#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// smull and sadalp: ARMv8.0.
std::shared_ptr<MicroKernels> createNeonKernels();
/// sdot: ARMv8.2 with the dot product extension.
std::shared_ptr<MicroKernels> createDotProdKernels();

} // namespace qcc

#endif // QCC_LIB_TARGET_AARCH64_AARCH64MICROKERNELS_H
