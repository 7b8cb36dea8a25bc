//===- RegisterTargets.h - The list of backends ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DRIVER_REGISTERTARGETS_H
#define QCC_DRIVER_REGISTERTARGETS_H

#include "qcc/Target/TargetBackend.h"

#include <memory>
#include <vector>

namespace qcc {

/// Every backend that qcc is built with; one line each in RegisterTargets.cpp.
const std::vector<std::unique_ptr<TargetBackend>> &registeredTargets();

/// The level of that name of any backend; null where there is none.
const TargetLevel *findLevel(llvm::StringRef name);

} // namespace qcc

#endif // QCC_DRIVER_REGISTERTARGETS_H
