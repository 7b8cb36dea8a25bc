//===- X86TileKernels.h - AMX -----------------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_TARGET_X86_X86TILEKERNELS_H
#define QCC_LIB_TARGET_X86_X86TILEKERNELS_H

#include "qcc/Target/TileKernels.h"

#include <memory>

namespace qcc {

/// AMX-INT8.
std::shared_ptr<TileKernels> createAMXKernels();

} // namespace qcc

#endif // QCC_LIB_TARGET_X86_X86TILEKERNELS_H
