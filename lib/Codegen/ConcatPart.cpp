//===- ConcatPart.cpp - Results computed where they are concatenated ------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConcatPart.h"
#include "../Conversion/QNNToKernels/Place.h"

#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// The concatenation that `result` can be computed in; null where there is
/// none.
static ConcatOp findConcat(Value result, KernelEmitter &emitter) {
  if (!result.hasOneUse() || emitter.hasBuffer(result))
    return {};
  auto concat = dyn_cast<ConcatOp>(*result.user_begin());
  RankedTensorType type = tensorTypeOf(result);
  if (!concat || concat.use_empty() ||
      int64_t(concat.getAxis()) != type.getRank() - 1 ||
      concat.getType().getElementType() != type.getElementType() ||
      reference::isWrittenThrough(concat) || reference::holdsTensor(concat) ||
      concat->getParentOfType<ModuleOp>()->hasAttr(kKeepTensorsAttr))
    return {};
  return concat;
}

bool qcc::isConcatPart(Value result, KernelEmitter &emitter) {
  return findConcat(result, emitter) != nullptr;
}

RowBuffer qcc::bufferOfRows(Value result, KernelEmitter &emitter) {
  RankedTensorType type = tensorTypeOf(result);
  int64_t columns = type.getRank() == 0 ? 1 : type.getShape().back();
  ConcatOp concat = findConcat(result, emitter);
  if (!concat || type.getNumElements() == 0)
    return {emitter.buffer(result), columns};

  // Which operands need no copy, as the conversion knows it.
  SmallVector<bool> placed(concat.getInputs().size(), false);
  if (auto known =
          concat->getAttrOfType<DenseBoolArrayAttr>(reference::kPlacedAttr))
    placed = SmallVector<bool>(known.asArrayRef());
  int64_t first = 0, pitch = concat.getType().getShape().back();
  for (auto [i, operand] : llvm::enumerate(concat.getInputs())) {
    placed[i] = placed[i] || operand == result;
    if (operand == result)
      break;
    first += tensorTypeOf(operand).getShape().back();
  }
  concat->setDiscardableAttr(
      reference::kPlacedAttr,
      DenseBoolArrayAttr::get(concat.getContext(), placed));

  // From the first row to the end of the last one.
  int64_t rows = type.getNumElements() / columns;
  Type element = emitter.bufferType(type).getElementType();
  Value part = emitter.part(emitter.buffer(concat.getResult()), first, result);
  return {emitter.reshape(
              part, MemRefType::get({(rows - 1) * pitch + columns}, element),
              result.getLoc()),
          pitch};
}
