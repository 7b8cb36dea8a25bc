//===- GenerateKernels.cpp - The kernels of one level ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// This file implements qcc-generate-kernels.
//
//===----------------------------------------------------------------------===//

#include "qcc/Codegen/Kernels.h"
#include "qcc/Driver/Passes.h"
#include "qcc/Driver/RegisterTargets.h"

namespace qcc {
#define GEN_PASS_DEF_GENERATEKERNELS
#include "qcc/Driver/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;

namespace {
struct GenerateKernels : qcc::impl::GenerateKernelsBase<GenerateKernels> {
  using GenerateKernelsBase::GenerateKernelsBase;

  void runOnOperation() override {
    const TargetLevel *found = findLevel(level);
    if (!found) {
      getOperation()->emitError("no target has a level ") << level;
      return signalPassFailure();
    }
    KernelGenerators generators;
    populateOptimizedKernels(generators);
    populateReferenceKernels(generators);
    if (failed(convertQNNToKernels(getOperation(), *found, generators)))
      signalPassFailure();
  }
};
} // namespace
