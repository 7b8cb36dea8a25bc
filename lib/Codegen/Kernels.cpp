//===- Kernels.cpp - Optimized kernel generators --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Codegen/Kernels.h"
#include "KernelLists.h"

void qcc::populateOptimizedKernels(KernelGenerators &generators) {
  populateRowBlockKernels(generators);
  populateWideDepthwiseKernels(generators);
  populateColumnDepthwiseKernels(generators);
  populateDepthwiseKernels(generators);
  populateIntegerDepthwiseKernels(generators);
  populateWinogradKernels(generators);
  populateMatrixKernels(generators);
  populateFusedKernels(generators);
  populateChainKernels(generators);
  populateChannelMeanKernels(generators);
  populateStreamKernels(generators);
  populateDynamicQuantizeKernels(generators);
  populateRecurrentKernels(generators);
}
