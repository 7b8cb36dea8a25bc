//===- X86Target.h - The x86-64 target --------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TARGET_X86_X86TARGET_H
#define QCC_TARGET_X86_X86TARGET_H

#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// The x86-64 backend.
std::unique_ptr<TargetBackend> createX86Target();

} // namespace qcc

#endif // QCC_TARGET_X86_X86TARGET_H
