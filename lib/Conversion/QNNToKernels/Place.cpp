//===- Place.cpp - Tensors that stand in buffers of others ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Place.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

/// On a tensor's op and on the concatenation that holds the tensor.
static constexpr StringLiteral heldAttr = "qcc.held", holdsAttr = "qcc.holds";

bool reference::isReadThrough(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  return op && isa<qnn::SliceOp, qnn::TransposeOp>(op) && !tensor.use_empty() &&
         llvm::all_of(tensor.getUsers(), [](Operation *user) {
           return isa<qnn::SliceOp, qnn::TransposeOp, qnn::ConcatOp>(user);
         });
}

/// The transposition that a concatenation is written through.
static qnn::TransposeOp onlyTransposition(qnn::ConcatOp concat) {
  Value result = concat.getResult();
  if (!result.hasOneUse())
    return {};
  auto transpose = dyn_cast<qnn::TransposeOp>(*result.getUsers().begin());
  return transpose && !isReadThrough(transpose.getResult())
             ? transpose
             : qnn::TransposeOp();
}

bool reference::isWrittenThrough(qnn::ConcatOp concat) {
  return bool(onlyTransposition(concat));
}

void Place::slice(qnn::SliceOp op) {
  for (auto [stride, start, step] :
       llvm::zip(strides, op.getStarts(), op.getSteps())) {
    offset += start * stride;
    stride *= step;
  }
}

void Place::transpose(qnn::TransposeOp op) {
  SmallVector<int64_t> from = strides;
  for (auto [stride, d] : llvm::zip(strides, op.getPermutation()))
    stride = from[d];
}

void Place::transposeBack(qnn::TransposeOp op) {
  SmallVector<int64_t> to = strides;
  for (auto [stride, d] : llvm::zip(to, op.getPermutation()))
    strides[d] = stride;
}

Place Place::ofSource(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  if (op && op->hasAttr(heldAttr))
    return ofResult(findHolder(tensor).getResult());
  if (!isReadThrough(tensor))
    return {tensor, rowMajor(shapeOf(tensor))};
  Place place = ofSource(op->getOperand(0));
  if (auto slice = dyn_cast<qnn::SliceOp>(op))
    place.slice(slice);
  else
    place.transpose(cast<qnn::TransposeOp>(op));
  return place;
}

Place Place::ofResult(Value tensor) {
  qnn::TransposeOp transpose;
  if (auto concat = tensor.getDefiningOp<qnn::ConcatOp>())
    transpose = onlyTransposition(concat);
  if (!transpose)
    return {tensor, rowMajor(shapeOf(tensor))};
  Place place = ofResult(transpose.getResult());
  place.transposeBack(transpose);
  return place;
}

/// Where `slice` is an operand of a concatenation with the same elements as in
/// its own operand.
static std::optional<unsigned> operandInPlace(qnn::SliceOp slice,
                                              qnn::ConcatOp concat) {
  if (llvm::any_of(slice.getSteps(), [](int64_t step) { return step != 1; }))
    return std::nullopt;
  int64_t axis = concat.getAxis(), offset = 0;
  for (auto [i, operand] : llvm::enumerate(concat.getInputs())) {
    if (operand == slice.getResult()) {
      for (auto [d, start] : llvm::enumerate(slice.getStarts()))
        if (start != (int64_t(d) == axis ? offset : 0))
          return std::nullopt;
      return i;
    }
    offset += shapeOf(operand)[axis];
  }
  return std::nullopt;
}

qnn::ConcatOp reference::findHolder(Value tensor) {
  qnn::ConcatOp holder;
  SmallVector<qnn::SliceOp> others;
  for (Operation *user : tensor.getUsers()) {
    auto slice = dyn_cast<qnn::SliceOp>(user);
    if (!slice)
      return {};
    qnn::ConcatOp concat;
    if (slice->hasOneUse())
      concat = dyn_cast<qnn::ConcatOp>(*slice->user_begin());
    if (concat && (!holder || concat == holder) &&
        concat.getType() == tensor.getType() && !concat.use_empty() &&
        operandInPlace(slice, concat))
      holder = concat;
    else
      others.push_back(slice);
  }
  // The others are stored before the concatenation overwrites what they are of.
  bool isReadBefore = llvm::all_of(others, [&](qnn::SliceOp slice) {
    return !isReadThrough(slice.getResult()) && holder &&
           slice->getBlock() == holder->getBlock() &&
           slice->isBeforeInBlock(holder);
  });
  return isReadBefore ? holder : qnn::ConcatOp();
}

std::optional<Place> reference::holdInConcat(Value tensor,
                                             KernelEmitter &emitter) {
  Operation *op = tensor.getDefiningOp();
  qnn::ConcatOp concat = findHolder(tensor);
  if (!op || op->getNumResults() != 1 || !concat || emitter.hasBuffer(tensor) ||
      concat->hasAttr(kPlacedAttr))
    return std::nullopt;
  Place place = Place::ofResult(concat.getResult());
  if (place.strides.back() != 1)
    return std::nullopt;
  SmallVector<bool> placed(concat.getInputs().size(), false);
  // A slice that something else reads, too, has a buffer and is copied.
  for (Operation *user : tensor.getUsers())
    if (user->hasOneUse() && *user->user_begin() == concat)
      if (auto operand = operandInPlace(cast<qnn::SliceOp>(user), concat))
        placed[*operand] = true;
  Builder b(op->getContext());
  concat->setDiscardableAttr(kPlacedAttr, b.getDenseBoolArrayAttr(placed));
  concat->setDiscardableAttr(holdsAttr, b.getUnitAttr());
  op->setDiscardableAttr(heldAttr, b.getUnitAttr());
  return place;
}

bool reference::holdsTensor(qnn::ConcatOp concat) {
  return concat->hasAttr(holdsAttr);
}
