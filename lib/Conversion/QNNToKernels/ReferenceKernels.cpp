//===- ReferenceKernels.cpp - The generators that take every op -----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "ReferenceBlocks.h"
#include "ReferenceIndexing.h"

using namespace qcc;

void qcc::populateReferenceKernels(KernelGenerators &generators) {
  generators.push_back({"elementwise", reference::emitElementwise});
  generators.push_back({"cast", reference::emitCast});
  generators.push_back({"linear", reference::emitLinear});
  generators.push_back({"blocks", reference::emitBlocks});
  generators.push_back({"pool", reference::emitPool});
  generators.push_back({"reduction", reference::emitReduction});
  generators.push_back({"normalization", reference::emitNormalization});
  generators.push_back({"recurrence", reference::emitRecurrence});
  generators.push_back({"movement", reference::emitMovement});
  generators.push_back({"resize", reference::emitResize});
  generators.push_back({"top_k", reference::emitTopK});
  generators.push_back({"scatter", reference::emitScatter});
  generators.push_back({"grid_sample", reference::emitGridSample});
  generators.push_back({"roi_align", reference::emitRoiAlign});
}
