//===- RegisterTargets.cpp - The list of backends -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/RegisterTargets.h"
#include "qcc/Target/AArch64/AArch64Target.h"
#include "qcc/Target/X86/X86Target.h"

const std::vector<std::unique_ptr<qcc::TargetBackend>> &
qcc::registeredTargets() {
  static const std::vector<std::unique_ptr<TargetBackend>> targets = [] {
    std::vector<std::unique_ptr<TargetBackend>> all;
    all.push_back(createX86Target());
    all.push_back(createAArch64Target());
    return all;
  }();
  return targets;
}

const qcc::TargetLevel *qcc::findLevel(llvm::StringRef name) {
  for (const auto &target : registeredTargets())
    for (const TargetLevel &level : target->levels())
      if (level.name == name)
        return &level;
  return nullptr;
}
