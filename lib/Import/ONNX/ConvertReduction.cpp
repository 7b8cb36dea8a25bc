//===- ConvertReduction.cpp - Reductions and softmax ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"

#include "llvm/ADT/StringSwitch.h"

#include <numeric>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// Each element reduced by itself.
static Value reduceAlone(Node &node, ReduceKind kind, Value x) {
  switch (kind) {
  case ReduceKind::L1:
  case ReduceKind::L2:
    return node.unary(UnaryKind::Abs, x);
  case ReduceKind::LogSum:
    return node.unary(UnaryKind::Log, x);
  case ReduceKind::SumSquare:
    return node.binary(BinaryKind::Mul, x, x);
  case ReduceKind::Sum:
  case ReduceKind::Mean:
  case ReduceKind::Prod:
  case ReduceKind::Max:
  case ReduceKind::Min:
  case ReduceKind::LogSumExp:
    return x;
  }
  llvm_unreachable("no such reduction");
}

void qcc::import::convertReduce(Node &node) {
  auto kind = llvm::StringSwitch<ReduceKind>(node.opType())
                  .Case("ReduceL1", ReduceKind::L1)
                  .Case("ReduceL2", ReduceKind::L2)
                  .Case("ReduceLogSum", ReduceKind::LogSum)
                  .Case("ReduceLogSumExp", ReduceKind::LogSumExp)
                  .Case("ReduceMax", ReduceKind::Max)
                  .Case("ReduceMean", ReduceKind::Mean)
                  .Case("ReduceMin", ReduceKind::Min)
                  .Case("ReduceProd", ReduceKind::Prod)
                  .Case("ReduceSum", ReduceKind::Sum)
                  .Default(ReduceKind::SumSquare);
  bool axesFromInput = node.opset() >= (kind == ReduceKind::Sum ? 13 : 18);
  SmallVector<int64_t> axes = axesFromInput && node.has(1)
                                  ? node.constantInts(1, "axes")
                                  : node.intsAttr("axes");
  bool keepdims = node.boolAttr("keepdims", true);
  Value x = node.in(0);
  if (axes.empty()) {
    if (node.boolAttr("noop_with_empty_axes"))
      return node.setOutput(0, reduceAlone(node, kind, x));
    axes.resize(size_t(node.rank(0)));
    std::iota(axes.begin(), axes.end(), 0);
  }
  axes = node.normalizeAxes(axes, node.rank(0));
  if (node.failed())
    return;

  Type type = node.elementType(0);
  bool isMove = kind == ReduceKind::Max || kind == ReduceKind::Min;
  if (isMove && type.isInteger(1)) {
    // Largest and smallest of bools: any and all.
    Type byte = getElementType(node.getContext(), DType::U8);
    Value y = node.reduce(kind, node.cast(x, byte), axes, keepdims);
    return node.setOutput(0, node.cast(y, type));
  }
  node.setOutput(0, node.reduce(kind, x, axes, keepdims));
}

void qcc::import::convertArgReduce(Node &node) {
  int64_t axis = node.normalizeAxis(node.intAttr("axis", 0), node.rank(0));
  node.setOutput(0,
                 node.create<ArgReduceOp>(
                     node.getBuilder().getI64Type(), node.in(0), uint64_t(axis),
                     node.boolAttr("keepdims", true), node.opType() == "ArgMin",
                     node.boolAttr("select_last_index")));
}

void qcc::import::convertTopK(Node &node) {
  int64_t axis = node.normalizeAxis(node.intAttr("axis", -1), node.rank(0));
  SmallVector<int64_t> k = node.opset() < 10
                               ? SmallVector<int64_t>{node.requiredIntAttr("k")}
                               : node.constantInts(1, "k");
  bool smallest = !node.boolAttr("largest", true);
  if (!node.failed() && k.size() != 1)
    node.error() << "k has " << k.size() << " elements, expected one";
  if (node.failed())
    return;
  // Sorted in any case: sorted=0 leaves the order open.
  OpBuilder &builder = node.getBuilder();
  Type values = RankedTensorType::get({}, node.elementType(0));
  Type indices = RankedTensorType::get({}, builder.getI64Type());
  if (!node.finishAll(TopKOp::create(builder, node.getLoc(), values, indices,
                                     node.in(0), k[0], axis, smallest)))
    return;
  Value found = node.results()[0], positions = node.results()[1];
  node.setOutput(0, found, node.dtype(0));
  node.setOutput(1, positions);
}

/// Calls `apply(x, axis)` as the opset demands: along one dimension from 13
/// on; before, along all dimensions from `axis` on as one.
static void overAxis(Node &node,
                     llvm::function_ref<Value(Value, int64_t)> apply) {
  bool flattens = node.opset() < 13;
  Value x = node.in(0);
  ArrayRef<int64_t> shape = node.shape(0);
  int64_t rank = node.rank(0);
  int64_t axis = node.intAttr("axis", flattens ? 1 : -1);
  // A flattening axis may be one beyond the last dimension.
  if (!(flattens && axis == rank))
    axis = node.normalizeAxis(axis, rank);
  if (node.failed())
    return;
  bool isOneDim = axis < rank && llvm::all_of(
                                     shape.drop_front(size_t(axis) + 1),
                                     [](int64_t d) { return d == 1; });
  if (!flattens || isOneDim)
    return node.setOutput(0, apply(x, axis));
  int64_t rows = *countElements(shape.take_front(size_t(axis)));
  int64_t columns = *countElements(shape.drop_front(size_t(axis)));
  Value y = apply(node.reshape(x, {rows, columns}), 1);
  node.setOutput(0, node.reshape(y, shape));
}

void qcc::import::convertSoftmax(Node &node) {
  overAxis(node, [&](Value x, int64_t axis) {
    return node.failed()
               ? Value()
               : node.create<SoftmaxOp>(Node::elementTypeOf(x), x,
                                        uint64_t(axis),
                                        node.opType() == "LogSoftmax");
  });
}

void qcc::import::convertHardmax(Node &node) {
  overAxis(node, [&](Value x, int64_t axis) {
    Value largest = node.failed()
                        ? Value()
                        : node.create<ArgReduceOp>(
                              node.getBuilder().getI64Type(), x, uint64_t(axis),
                              /*keepdims=*/true, false, false);
    if (!largest)
      return Value();
    int64_t extent = Node::shapeOf(x)[size_t(axis)];
    SmallVector<int64_t> shape(Node::shapeOf(x).size(), 1);
    shape[size_t(axis)] = extent;
    Value isLargest =
        node.binary(BinaryKind::Equal, largest, node.iota(extent, shape));
    return node.cast(isLargest, Node::elementTypeOf(x));
  });
}

/// Running sums or products, in log2(n) steps: each adds what stands 1, 2, 4...
/// elements before.
void qcc::import::convertCumulative(Node &node) {
  SmallVector<int64_t> axes = node.constantInts(1, "axis");
  if (!node.failed() && axes.size() != 1)
    node.error() << "has " << axes.size() << " axes, expected one";
  if (node.failed())
    return;
  int64_t rank = node.rank(0), axis = node.normalizeAxis(axes[0], rank);
  bool isReverse = node.boolAttr("reverse");
  bool isSum = node.opType() == "CumSum";
  if (node.failed())
    return;
  auto shifted = [&](Value x, int64_t by) {
    SmallVector<int64_t> pads(2 * rank, 0);
    pads[axis] = isReverse ? -by : by;
    pads[axis + rank] = isReverse ? by : -by;
    return node.move<PadOp>(x, pads, PadMode::Constant,
                            llvm::APFloat(isSum ? 0.0 : 1.0));
  };
  Value x = node.in(0);
  int64_t count = node.shape(0)[axis];
  if (node.boolAttr("exclusive") && count > 0)
    x = shifted(x, 1);
  for (int64_t by = 1; by < count; by *= 2)
    x = node.binary(isSum ? BinaryKind::Add : BinaryKind::Mul, x,
                    shifted(x, by));
  node.setOutput(0, x);
}
