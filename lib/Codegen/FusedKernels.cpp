//===- FusedKernels.cpp - Kernels that take elementwise chains ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FusedKernels.h"
#include "Attention.h"
#include "BlockProduct.h"
#include "KernelLists.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

static LogicalResult emitFused(Operation *op, KernelEmitter &emitter) {
  const TargetLevel &level = emitter.level();
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return success(Product::isReadThrough(transpose, level) ||
                   Product::isWrittenThrough(transpose, level));
  // In any chain, the kernel is emitted with the last op, when all operands of
  // the others are there.
  Operation *producer = ElementwiseChain::producerOf(op);
  if (RowOp::isDequantization(producer))
    return success(RowOp::takes(producer));
  if (std::optional<Attention> attention = Attention::match(producer, level)) {
    ElementwiseChain chain(producer); // empty behind 8-bit results
    return chain.last() == op ? emitAttention(*attention, chain, emitter)
                              : success();
  }
  if (Attention::findProduct(producer, level))
    return success();
  if (std::optional<RowOp> row = RowOp::match(producer)) {
    ElementwiseChain chain(producer);
    return chain.last() == op ? emitRows(*row, chain, emitter) : success();
  }
  if (std::optional<Product> product = Product::match(producer, level)) {
    ElementwiseChain chain(producer); // empty behind 8-bit results
    return chain.last() == op ? emitProduct(*product, chain, emitter)
                              : success();
  }
  if (std::optional<BlockProduct> product =
          BlockProduct::match(producer, level)) {
    ElementwiseChain chain(producer);
    return chain.last() == op ? emitBlockProduct(*product, chain, emitter)
                              : success();
  }
  return failure();
}

void qcc::populateFusedKernels(KernelGenerators &generators) {
  generators.push_back({"fused", emitFused});
}
