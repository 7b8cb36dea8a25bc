//===- AArch64Target.h - The 64-bit Arm target ------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TARGET_AARCH64_AARCH64TARGET_H
#define QCC_TARGET_AARCH64_AARCH64TARGET_H

#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// The 64-bit Arm backend.
std::unique_ptr<TargetBackend> createAArch64Target();

} // namespace qcc

#endif // QCC_TARGET_AARCH64_AARCH64TARGET_H
