//===- BlockOps.cpp - Ops on weights quantized in blocks ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"

#include "OpUtils.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

LogicalResult BlockMatmulOp::inferReturnTypeComponents(
    MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
    SmallVectorImpl<ShapedTypeComponents> &results) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> weights = shapeOf(adaptor.getWeights());
  int64_t bits = adaptor.getBits(), block = adaptor.getBlock();
  if (bits != 2 && bits != 4 && bits != 8)
    return error("needs 2, 4 or 8 bits, has ", bits);
  if (block < 1 || block > maxBlock || block * bits % 8 != 0)
    return error("needs blocks of whole bytes and at most ", maxBlock,
                 " weights, has ", block, " weights of ", bits, " bits");
  if (input.empty())
    return error("needs an input of rank 1 or more");
  int64_t blocks = (input.back() + block - 1) / block;
  if (weights.size() != 3 || weights[1] != blocks ||
      weights[2] != block * bits / 8)
    return error("needs weights of N columns x ", blocks, " blocks x ",
                 block * bits / 8, " bytes, has ", formatShape(weights));
  for (Value operand : {adaptor.getScales(), adaptor.getZeroPoints()})
    if (operand && shapeOf(operand) != weights.drop_back())
      return error("needs a scale and zero point for each of ",
                   formatShape(weights.drop_back()), " blocks, has ",
                   formatShape(shapeOf(operand)));
  Shape result(input);
  result.back() = weights[0];
  return addResult(error, results, result);
}

LogicalResult BlockMatmulOp::verify() {
  if (!elementType(getInput()).isF32() || !elementType(getScales()).isF32() ||
      !elementType(getResult()).isF32())
    return emitOpError("computes on f32, has ")
           << elementType(getInput()) << ", " << elementType(getScales())
           << " and " << elementType(getResult());
  if (!elementType(getWeights()).isUnsignedInteger(8))
    return emitOpError("needs weights in ui8, has ")
           << elementType(getWeights());
  if (Value zeros = getZeroPoints())
    if (!elementType(zeros).isUnsignedInteger(8) && !elementType(zeros).isF32())
      return emitOpError("needs zero points of ui8 or f32, has ")
             << elementType(zeros);
  return success();
}
