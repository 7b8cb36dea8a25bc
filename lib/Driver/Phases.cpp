//===- Phases.cpp - The pipelines of each phase ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/Phases.h"

using namespace mlir;

namespace qcc {

StringRef phaseName(Phase phase) {
  switch (phase) {
  case Phase::Import:
    return "import";
  case Phase::Quantize:
    return "quantize";
  case Phase::Kernels:
    return "kernels";
  case Phase::Target:
    return "target";
  case Phase::LLVM:
    return "llvm";
  }
  llvm_unreachable("no such phase");
}

} // namespace qcc
