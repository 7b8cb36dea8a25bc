//===- Targets.h - The targets that -target= can name ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DRIVER_TARGETS_H
#define QCC_DRIVER_TARGETS_H

#include "qcc/Target/TargetBackend.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace qcc {

/// The backend and levels that `name` stands for; the error lists the names.
llvm::Expected<TargetSpec> resolveTarget(llvm::StringRef name);

/// The best level of the machine that runs the compiler.
llvm::Expected<TargetSpec> hostTarget();

/// Whether the machine that runs the compiler can run code of this level.
bool canRunHere(const TargetBackend &backend, const TargetLevel &level);

/// Prints every target with what it holds (-target=help).
void printTargets(llvm::raw_ostream &os);

} // namespace qcc

#endif // QCC_DRIVER_TARGETS_H
