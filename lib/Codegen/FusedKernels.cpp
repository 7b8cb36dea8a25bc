//===- FusedKernels.cpp - Kernels that take elementwise chains ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FusedKernels.h"
#include "KernelLists.h"

using namespace mlir;
using namespace qcc;

static LogicalResult emitFused(Operation *op, KernelEmitter &emitter) {
  Operation *producer = ElementwiseChain::producerOf(op);
  std::optional<Product> product = Product::match(producer, emitter.level());
  if (!product)
    return failure();
  // Results of 8 bits are no link of a chain: theirs is empty.
  ElementwiseChain chain(producer);
  if (chain.last() != op)
    return success(); // the last op emits the kernel
  return emitProduct(*product, chain, emitter);
}

void qcc::populateFusedKernels(KernelGenerators &generators) {
  generators.push_back({"fused", emitFused});
}
