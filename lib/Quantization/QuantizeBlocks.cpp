//===- QuantizeBlocks.cpp - Weights of products to blocks -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockRounding.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Quantization/Passes.h"

namespace qcc {
#define GEN_PASS_DEF_QUANTIZEBLOCKS
#include "qcc/Quantization/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {

struct QuantizeBlocks : qcc::impl::QuantizeBlocksBase<QuantizeBlocks> {
  using QuantizeBlocksBase::QuantizeBlocksBase;

  void runOnOperation() override {
    if ((bits != 4 && bits != 8) || block < 8 ||
        block > BlockMatmulOp::maxBlock || block % 8 != 0) {
      getOperation()->emitError("bits=")
          << int64_t(bits) << " block=" << int64_t(block)
          << ": expected 4 or 8 bits and a block of 8 to "
          << BlockMatmulOp::maxBlock << " weights, divisible by 8";
      return signalPassFailure();
    }
    SmallVector<MatmulOp> products;
    getOperation()->walk([&](MatmulOp op) { products.push_back(op); });
    for (MatmulOp op : products)
      if (quantizeProduct(op))
        ++numQuantized;
  }

  bool quantizeProduct(MatmulOp op) {
    Value rhs = op.getRhs();
    RankedTensorType type = tensorTypeOf(rhs);
    auto bytes = ConstantBytes::get(rhs);
    if (!bytes || type.getRank() != 2 || !type.getElementType().isF32() ||
        op.getTransposeLhs() || !op.isQuantizable() ||
        type.getNumElements() < minWeights || type.getNumElements() == 0)
      return false;
    bool isTransposed = op.getTransposeRhs();
    WeightMatrix matrix{bytes->as<float>(),
                        type.getDimSize(isTransposed ? 0 : 1),
                        type.getDimSize(isTransposed ? 1 : 0), isTransposed};
    std::optional<BlockWeights> weights =
        roundToNearest(&getContext(), matrix, block, bits);
    if (!weights)
      return false;
    OpBuilder builder(op);
    Value product = createBlockMatmul(builder, op.getLoc(), op.getLhs(),
                                      *weights, int8Input);
    op.replaceAllUsesWith(createEpilogue(builder, op, product));
    op.erase();
    return true;
  }
};

} // namespace
