//===- AssignLayout.cpp - Spatial ops to channels-last --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One sweep in program order: spatial ops ask for their operands channels-last
// and give results that are stored so; every op that can work on any order of
// dimensions takes its operands as they are stored. Transposes appear where
// someone needs another order, so between two convolutions there are none.
//
//===----------------------------------------------------------------------===//

#include "LayoutSweep.h"

#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_ASSIGNLAYOUT
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

Order qcc::qnn::identityOrder(int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(0, rank));
}

Order qcc::qnn::channelsLastOrder(int64_t rank) {
  Order order = {0};
  for (int64_t dim = 2; dim < rank; ++dim)
    order.push_back(dim);
  order.push_back(1);
  return order;
}

bool qcc::qnn::isIdentity(ArrayRef<int64_t> order) {
  for (auto [i, dim] : llvm::enumerate(order))
    if (dim != static_cast<int64_t>(i))
      return false;
  return true;
}

int64_t qcc::qnn::positionOf(ArrayRef<int64_t> order, int64_t dim) {
  return llvm::find(order, dim) - order.begin();
}

SmallVector<int64_t> qcc::qnn::permutedPads(ArrayRef<int64_t> pads,
                                            ArrayRef<int64_t> order) {
  SmallVector<int64_t> result = permuted(pads.take_front(order.size()), order);
  llvm::append_range(result, permuted(pads.drop_front(order.size()), order));
  return result;
}

Order LayoutSweep::orderOf(Value logical) {
  auto [it, inserted] = placed.try_emplace(logical);
  if (inserted)
    it->second = {logical, identityOrder(tensorTypeOf(logical).getRank())};
  return it->second.order;
}

Value LayoutSweep::stored(Value logical) {
  orderOf(logical);
  return placed.find(logical)->second.tensor;
}

void LayoutSweep::place(Value logical, Value tensor, ArrayRef<int64_t> order) {
  placed[logical] = {tensor, Order(order)};
}

Value LayoutSweep::permute(Value tensor, ArrayRef<int64_t> permutation) {
  if (isIdentity(permutation))
    return tensor;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfterValue(tensor);
  Location loc = tensor.getLoc();
  if (tensor.getDefiningOp<ConstantOp>())
    if (Value constant = transposeConstant(builder, loc, tensor, permutation))
      return constant;

  RankedTensorType type = tensorTypeOf(tensor);
  auto result = RankedTensorType::get(
      permuted(type.getShape(), permutation),
      permuteElementType(type.getElementType(), permutation));
  // Where only dimensions of extent 1 move, the elements stay.
  Order moving;
  for (int64_t dim : permutation)
    if (type.getDimSize(dim) != 1)
      moving.push_back(dim);
  if (llvm::is_sorted(moving))
    return ReshapeOp::create(builder, loc, result, tensor);
  // 8-bit elements are cheaper to move than the floats they stand for.
  if (auto dequantize = tensor.getDefiningOp<DequantizeOp>()) {
    Value input = permute(dequantize.getInput(), permutation);
    builder.setInsertionPointAfterValue(input);
    return DequantizeOp::create(builder, dequantize.getLoc(), result, input);
  }
  // So is a tensor before it is padded.
  if (auto pad = tensor.getDefiningOp<PadOp>()) {
    Value input = permute(pad.getInput(), permutation);
    builder.setInsertionPointAfterValue(input);
    return PadOp::create(builder, pad.getLoc(), result, input,
                         permutedPads(pad.getPads(), permutation),
                         pad.getMode(), pad.getValue());
  }
  return TransposeOp::create(builder, loc, result, tensor, permutation);
}

Value LayoutSweep::get(Value logical, ArrayRef<int64_t> order) {
  Order current = orderOf(logical);
  if (ArrayRef<int64_t>(current) == order)
    return stored(logical);
  for (const Stored &other : reordered[logical])
    if (ArrayRef<int64_t>(other.order) == order)
      return other.tensor;
  Order permutation;
  for (int64_t dim : order)
    permutation.push_back(positionOf(current, dim));
  Value tensor = permute(stored(logical), permutation);
  reordered[logical].push_back({tensor, Order(order)});
  return tensor;
}

Value LayoutSweep::getBroadcast(Value logical, ArrayRef<int64_t> order) {
  RankedTensorType type = tensorTypeOf(logical);
  int64_t rank = order.size();
  if (type.getRank() == rank)
    return get(logical, order);
  Value tensor = get(logical, identityOrder(type.getRank()));
  if (type.getNumElements() == 1)
    return tensor;
  SmallVector<int64_t> shape(rank - type.getRank(), 1);
  llvm::append_range(shape, type.getShape());
  Value wide = reshapeConstant(builder, tensor.getLoc(), tensor, shape);
  if (!wide)
    wide =
        ReshapeOp::create(builder, tensor.getLoc(), type.clone(shape), tensor);
  return permute(wide, order);
}

bool qcc::qnn::isChannelsFirst(Operation *op) {
  return TypeSwitch<Operation *, bool>(op)
      .Case<ConvOp, ConvTransposeOp, ConvIntegerOp, MaxPoolOp, AvgPoolOp>(
          [](auto op) { return op.getLayout() == Layout::ChannelsFirst; })
      .Default(false);
}

namespace {

struct AssignLayout : qcc::qnn::impl::AssignLayoutBase<AssignLayout> {
  void runOnOperation() override {
    getOperation()->walk([&](FunctionOpInterface function) {
      for (Block &block : function.getFunctionBody())
        if (llvm::any_of(block,
                         [](Operation &op) { return isChannelsFirst(&op); }))
          assign(block);
    });
  }

  void assign(Block &block) {
    LayoutSweep sweep(&getContext());
    SmallVector<Operation *> originals;
    for (Operation &op : block)
      originals.push_back(&op);
    SmallVector<Operation *> converted;
    for (Operation *op : originals)
      if (sweep.convert(op))
        converted.push_back(op);
    // Users that were not converted get the original order.
    for (Operation *op : llvm::reverse(converted)) {
      for (Value result : op->getResults())
        if (!result.use_empty())
          result.replaceAllUsesWith(
              sweep.get(result, identityOrder(tensorTypeOf(result).getRank())));
      op->erase();
    }
  }
};

} // namespace
