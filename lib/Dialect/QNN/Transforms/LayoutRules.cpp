//===- LayoutRules.cpp - Which ops follow the order of dimensions ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayoutSweep.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// A copy of `op` whose first result is stored in `order`.
Operation *LayoutSweep::cloneReordered(Operation *op, ArrayRef<int64_t> order) {
  builder.setInsertionPoint(op);
  Operation *clone = builder.clone(*op);
  RankedTensorType type = tensorTypeOf(op->getResult(0));
  clone->getResult(0).setType(
      RankedTensorType::get(permuted(type.getShape(), order),
                            permuteElementType(type.getElementType(), order)));
  place(op->getResult(0), clone->getResult(0), order);
  for (auto [from, to] :
       llvm::drop_begin(llvm::zip(op->getResults(), clone->getResults())))
    place(from, to, identityOrder(rankOf(from)));
  return clone;
}

bool LayoutSweep::convert(Operation *op) {
  if (op->getNumRegions() != 0 || op->getNumResults() == 0)
    return false;
  if (isChannelsFirst(op))
    return convertSpatial(op);
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return convertMatmulOfReshape(matmul);
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return convertTranspose(transpose);
  if (llvm::none_of(op->getOperands(), [&](Value operand) {
        return isa<RankedTensorType>(operand.getType()) && isReordered(operand);
      }))
    return false;
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return convertReshape(reshape);
  return convertElementwise(op) || convertBroadcasting(op) ||
         convertMovement(op) || convertAxis(op) || convertReduction(op);
}

bool LayoutSweep::convertSpatial(Operation *op) {
  Order order = channelsLastOrder(rankOf(op->getResult(0)));
  SmallVector<std::pair<unsigned, Value>> images = {
      {0, get(op->getOperand(0), order)}};
  if (auto conv = dyn_cast<ConvOp>(op); conv && conv.getResidual())
    images.push_back(
        {op->getNumOperands() - 1, get(conv.getResidual(), order)});
  Operation *clone = cloneReordered(op, order);
  for (auto [i, image] : images)
    clone->setOperand(i, image);
  TypeSwitch<Operation *>(clone)
      .Case<ConvOp, ConvTransposeOp, ConvIntegerOp, MaxPoolOp, AvgPoolOp>(
          [](auto op) { op.setLayout(Layout::ChannelsLast); });
  return true;
}

/// One operand of the result's shape.
bool LayoutSweep::convertElementwise(Operation *op) {
  if (!isa<UnaryOp, QuantizeOp, DequantizeOp, RequantizeOp, StorageCastOp,
           CastOp, LutOp, ObserveOp, DynamicQuantizeOp>(op))
    return false;
  Value input = stored(op->getOperand(0));
  cloneReordered(op, orderOf(op->getOperand(0)))->setOperand(0, input);
  return true;
}

/// Operands that broadcast to the result.
bool LayoutSweep::convertBroadcasting(Operation *op) {
  if (!isa<BinaryOp, SelectOp, DynamicDequantizeOp, ExpandOp>(op))
    return false;
  // The largest reordered operand decides.
  int64_t rank = rankOf(op->getResult(0));
  Value lead;
  for (Value operand : op->getOperands())
    if (rankOf(operand) == rank && isReordered(operand) &&
        (!lead || tensorTypeOf(lead).getNumElements() <
                      tensorTypeOf(operand).getNumElements()))
      lead = operand;
  if (!lead)
    return false;
  Order order = orderOf(lead);
  builder.setInsertionPoint(op);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(getBroadcast(operand, order));
  Operation *clone = cloneReordered(op, order);
  clone->setOperands(operands);
  if (auto expand = dyn_cast<ExpandOp>(clone))
    expand.setShape(shapeOf(expand.getResult()));
  return true;
}

/// Data movement with one number per dimension.
bool LayoutSweep::convertMovement(Operation *op) {
  if (!isa<ConcatOp, SliceOp, PadOp, ResizeOp>(op))
    return false;
  Value lead = *llvm::find_if(op->getOperands(),
                              [&](Value v) { return isReordered(v); });
  Order order = orderOf(lead);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(get(operand, order));
  Operation *clone = cloneReordered(op, order);
  clone->setOperands(operands);
  TypeSwitch<Operation *>(clone)
      .Case([&](ConcatOp concat) {
        concat.setAxis(positionOf(order, concat.getAxis()));
      })
      .Case([&](SliceOp slice) {
        slice.setStarts(permuted(slice.getStarts(), order));
        slice.setSizes(permuted(slice.getSizes(), order));
        slice.setSteps(permuted(slice.getSteps(), order));
      })
      .Case([&](PadOp pad) { pad.setPads(permutedPads(pad.getPads(), order)); })
      .Case([&](ResizeOp resize) {
        resize.setSizes(permuted(resize.getSizes(), order));
        resize.setScales(permuted(resize.getScales(), order));
      });
  return true;
}

/// Ops along one or several dimensions that keep the shape.
bool LayoutSweep::convertAxis(Operation *op) {
  if (!isa<SoftmaxOp, BatchNormOp, LrnOp, NormalizeOp>(op) ||
      !isReordered(op->getOperand(0)))
    return false;
  Value input = stored(op->getOperand(0));
  Order order = orderOf(op->getOperand(0));
  Operation *clone = cloneReordered(op, order);
  clone->setOperand(0, input);
  TypeSwitch<Operation *>(clone)
      .Case<SoftmaxOp, BatchNormOp, LrnOp>(
          [&](auto op) { op.setAxis(positionOf(order, op.getAxis())); })
      .Case([&](NormalizeOp normalize) {
        SmallVector<int64_t> axes;
        for (int64_t axis : normalize.getAxes())
          axes.push_back(positionOf(order, axis));
        llvm::sort(axes);
        normalize.setAxes(axes);
      });
  return true;
}

/// Ops that drop dimensions, or keep them with another extent.
bool LayoutSweep::convertReduction(Operation *op) {
  SmallVector<int64_t> axes;
  bool keepdims = false;
  TypeSwitch<Operation *>(op)
      .Case([&](ReduceOp reduce) {
        axes = llvm::to_vector(reduce.getAxes());
        keepdims = reduce.getKeepdims();
      })
      .Case([&](ArgReduceOp reduce) {
        axes = {static_cast<int64_t>(reduce.getAxis())};
        keepdims = reduce.getKeepdims();
      })
      .Case([&](GatherOp gather) {
        axes = {static_cast<int64_t>(gather.getAxis())};
        keepdims = rankOf(gather.getIndices()) == 1;
      });
  if (axes.empty() || !isReordered(op->getOperand(0)) ||
      (isa<GatherOp>(op) && rankOf(op->getOperand(1)) > 1))
    return false;

  Value input = stored(op->getOperand(0));
  Order order = orderOf(op->getOperand(0));
  SmallVector<int64_t> storedAxes;
  for (int64_t axis : axes)
    storedAxes.push_back(positionOf(order, axis));
  llvm::sort(storedAxes);

  Order resultOrder;
  for (int64_t dim : order) {
    if (keepdims)
      resultOrder.push_back(dim);
    else if (!llvm::is_contained(axes, dim)) // renumbered without the axes
      resultOrder.push_back(
          dim - llvm::count_if(axes, [&](int64_t axis) { return axis < dim; }));
  }
  Operation *clone = cloneReordered(op, resultOrder);
  clone->setOperand(0, input);
  TypeSwitch<Operation *>(clone)
      .Case([&](ReduceOp reduce) { reduce.setAxes(storedAxes); })
      .Case<ArgReduceOp, GatherOp>(
          [&](auto op) { op.setAxis(storedAxes.front()); });
  return true;
}

/// A transpose only renames dimensions. One of a tensor in its original order
/// is kept, except where it brings a channels-last tensor to channels-first.
bool LayoutSweep::convertTranspose(TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  Order order = orderOf(op.getInput());
  Order renamed;
  for (int64_t dim : order)
    renamed.push_back(positionOf(permutation, dim));
  if (isIdentity(order) &&
      ArrayRef<int64_t>(renamed) !=
          ArrayRef<int64_t>(channelsLastOrder(order.size())))
    return false;
  place(op.getResult(), stored(op.getInput()), renamed);
  return true;
}
