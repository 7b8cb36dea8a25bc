//===- GenerateKernels.cpp - The kernels of one level ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// This file implements qcc-generate-kernels and qcc-narrow-activations.
//
//===----------------------------------------------------------------------===//

#include "qcc/Codegen/Kernels.h"
#include "qcc/Codegen/NarrowActivations.h"
#include "qcc/Driver/Passes.h"
#include "qcc/Driver/RegisterTargets.h"

namespace qcc {
#define GEN_PASS_DEF_GENERATEKERNELS
#define GEN_PASS_DEF_NARROWACTIVATIONS
#include "qcc/Driver/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;

/// Null, and an error, where there is none.
static const TargetLevel *findLevel(ModuleOp module, StringRef name) {
  const TargetLevel *level = qcc::findLevel(name);
  if (!level)
    module->emitError("no target has a level ") << name;
  return level;
}

namespace {
struct GenerateKernels : qcc::impl::GenerateKernelsBase<GenerateKernels> {
  using GenerateKernelsBase::GenerateKernelsBase;

  void runOnOperation() override {
    const TargetLevel *found = ::findLevel(getOperation(), level);
    if (!found)
      return signalPassFailure();
    narrowActivations(getOperation(), *found);
    KernelGenerators generators;
    populateOptimizedKernels(generators);
    populateReferenceKernels(generators);
    if (failed(convertQNNToKernels(getOperation(), *found, generators)))
      signalPassFailure();
  }
};

struct NarrowActivations : qcc::impl::NarrowActivationsBase<NarrowActivations> {
  using NarrowActivationsBase::NarrowActivationsBase;

  void runOnOperation() override {
    const TargetLevel *found = ::findLevel(getOperation(), level);
    if (!found)
      return signalPassFailure();
    narrowActivations(getOperation(), *found, widen);
  }
};
} // namespace
