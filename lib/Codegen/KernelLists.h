//===- KernelLists.h - The families of kernel generators -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_KERNELLISTS_H
#define QCC_LIB_CODEGEN_KERNELLISTS_H

#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

namespace qcc {

void populateChainKernels(KernelGenerators &generators);
void populateColumnDepthwiseKernels(KernelGenerators &generators);
void populateDepthwiseKernels(KernelGenerators &generators);
void populateDynamicQuantizeKernels(KernelGenerators &generators);
void populateFusedKernels(KernelGenerators &generators);
void populateChannelMeanKernels(KernelGenerators &generators);
void populateIntegerDepthwiseKernels(KernelGenerators &generators);
void populateMatrixKernels(KernelGenerators &generators);
void populateStreamKernels(KernelGenerators &generators);
void populateWideDepthwiseKernels(KernelGenerators &generators);
void populateRowBlockKernels(KernelGenerators &generators);
void populateRecurrentKernels(KernelGenerators &generators);
void populateWinogradKernels(KernelGenerators &generators);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_KERNELLISTS_H
