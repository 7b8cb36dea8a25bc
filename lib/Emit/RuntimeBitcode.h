//===- RuntimeBitcode.h - The embedded runtime ---------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EMIT_RUNTIMEBITCODE_H
#define QCC_LIB_EMIT_RUNTIMEBITCODE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/TargetParser/Triple.h"

namespace qcc::emit {

/// lib/Runtime as bitcode; empty for a processor family that it lacks.
llvm::StringRef runtimeBitcode(llvm::Triple::ArchType arch);

} // namespace qcc::emit

#endif // QCC_LIB_EMIT_RUNTIMEBITCODE_H
