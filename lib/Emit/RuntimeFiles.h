//===- RuntimeFiles.h - The embedded runtime --------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EMIT_RUNTIMEFILES_H
#define QCC_LIB_EMIT_RUNTIMEFILES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/TargetParser/Triple.h"

namespace qcc::emit {

/// lib/Runtime for a processor family, in two forms.
struct RuntimeFiles {
  llvm::StringRef bitcode; ///< for outputs that a person reads
  llvm::StringRef object;  ///< compiled when qcc was built, to save the time
};

/// Both empty for a processor family without a runtime.
RuntimeFiles runtimeFiles(llvm::Triple::ArchType arch);

} // namespace qcc::emit

#endif // QCC_LIB_EMIT_RUNTIMEFILES_H
