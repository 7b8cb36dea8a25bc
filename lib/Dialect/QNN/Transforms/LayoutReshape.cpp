//===- LayoutReshape.cpp - Reshapes of reordered tensors ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayoutSweep.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {
/// Dimensions that a reshape turns into others, both in row-major order.
struct ReshapeGroup {
  SmallVector<int64_t> from, to;
};
} // namespace

/// Splits a reshape into the smallest independent groups, leaving out
/// dimensions of extent 1. Extents must be positive and of equal product.
static SmallVector<ReshapeGroup> splitReshape(ArrayRef<int64_t> from,
                                              ArrayRef<int64_t> to) {
  SmallVector<ReshapeGroup> groups;
  size_t i = 0, j = 0;
  auto skipUnits = [](ArrayRef<int64_t> shape, size_t &at) {
    while (at < shape.size() && shape[at] == 1)
      ++at;
    return at < shape.size();
  };
  while (skipUnits(from, i) && skipUnits(to, j)) {
    ReshapeGroup group;
    int64_t left = 1, right = 1;
    do {
      if (left <= right) {
        if (!skipUnits(from, i))
          break;
        left *= from[i];
        group.from.push_back(static_cast<int64_t>(i++));
      } else {
        if (!skipUnits(to, j))
          break;
        right *= to[j];
        group.to.push_back(static_cast<int64_t>(j++));
      }
    } while (left != right);
    groups.push_back(std::move(group));
  }
  return groups;
}

/// `order` with the dimensions of each group side by side, where its last one
/// stands.
static Order gatherGroups(ArrayRef<int64_t> order,
                          ArrayRef<ReshapeGroup> groups) {
  Order result(order);
  for (const ReshapeGroup &group : groups) {
    if (group.from.size() < 2)
      continue;
    SmallVector<int64_t> positions;
    for (int64_t dim : group.from)
      positions.push_back(positionOf(result, dim));
    int64_t last = *llvm::max_element(positions);
    Order next;
    for (auto [i, dim] : llvm::enumerate(result)) {
      if (!llvm::is_contained(group.from, dim))
        next.push_back(dim);
      if (static_cast<int64_t>(i) == last)
        next.append(group.from.begin(), group.from.end());
    }
    result = next;
  }
  return result;
}

bool LayoutSweep::convertReshape(ReshapeOp op) {
  RankedTensorType from = tensorTypeOf(op.getInput());
  RankedTensorType to = tensorTypeOf(op.getResult());
  if (from.getNumElements() == 0 ||
      isa<quant::UniformQuantizedPerAxisType>(from.getElementType()))
    return false;
  SmallVector<ReshapeGroup> groups =
      splitReshape(from.getShape(), to.getShape());

  // Dimensions of extent 1 may stand anywhere: first.
  Order current;
  Order units;
  for (int64_t dim : orderOf(op.getInput()))
    (from.getDimSize(dim) == 1 ? units : current).push_back(dim);
  Order gathered = gatherGroups(current, groups);
  if (llvm::is_sorted(gathered) && gathered != current)
    return false;
  Order order = units;
  order.append(gathered.begin(), gathered.end());
  if (gathered == current)
    order = orderOf(op.getInput());

  Order result;
  for (auto [dim, extent] : llvm::enumerate(to.getShape()))
    if (extent == 1)
      result.push_back(static_cast<int64_t>(dim));
  for (int64_t dim : gathered)
    for (const ReshapeGroup &group : groups)
      if (group.from.front() == dim)
        result.append(group.to.begin(), group.to.end());

  builder.setInsertionPoint(op);
  Value input = get(op.getInput(), order);
  builder.setInsertionPoint(op);
  auto type = RankedTensorType::get(permuted(to.getShape(), result),
                                    to.getElementType());
  Value reshaped = ReshapeOp::create(builder, op.getLoc(), type, input);
  place(op.getResult(), reshaped, result);
  return true;
}

/// matmul(flatten(image), constant): the rows of the constant take the order
/// in which the image is stored.
bool LayoutSweep::convertMatmulOfReshape(MatmulOp op) {
  auto reshape = op.getLhs().getDefiningOp<ReshapeOp>();
  if (!reshape || op.getTransposeLhs() ||
      !op.getRhs().getDefiningOp<ConstantOp>() || op.getResidual())
    return false;
  Value image = reshape.getInput();
  ArrayRef<int64_t> shape = shapeOf(image);
  ArrayRef<int64_t> flat = shapeOf(op.getLhs());
  Order order = orderOf(image);
  if (stored(op.getLhs()) != op.getLhs() || isIdentity(order) ||
      order[0] != 0 || flat.size() != 2 || rankOf(op.getRhs()) != 2 ||
      shape[0] != flat[0])
    return false;

  // Columns last, or first when they are transposed.
  int64_t columns = shapeOf(op.getRhs())[op.getTransposeRhs() ? 0 : 1];
  SmallVector<int64_t> wide(shape.drop_front());
  Order rows;
  for (int64_t dim : ArrayRef<int64_t>(order).drop_front())
    rows.push_back(op.getTransposeRhs() ? dim : dim - 1);
  if (op.getTransposeRhs()) {
    wide.insert(wide.begin(), columns);
    rows.insert(rows.begin(), 0);
  } else {
    wide.push_back(columns);
    rows.push_back(static_cast<int64_t>(wide.size()) - 1);
  }
  builder.setInsertionPoint(op);
  Value weight = op.getRhs();
  for (int step = 0; step < 3 && weight; ++step) {
    Value next = step == 0 ? reshapeConstant(builder, op.getLoc(), weight, wide)
                 : step == 1
                     ? transposeConstant(builder, op.getLoc(), weight, rows)
                     : reshapeConstant(builder, op.getLoc(), weight,
                                       shapeOf(op.getRhs()));
    if (step != 0) // an intermediate constant
      weight.getDefiningOp()->erase();
    weight = next;
  }
  if (!weight)
    return false;
  RankedTensorType type = tensorTypeOf(op.getLhs());
  Value input =
      ReshapeOp::create(builder, op.getLoc(), type, stored(image)).getResult();
  Operation *clone = cloneReordered(op, identityOrder(rankOf(op.getResult())));
  clone->setOperand(0, input);
  clone->setOperand(1, weight);
  return true;
}
