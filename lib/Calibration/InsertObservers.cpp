//===- InsertObservers.cpp - Observe what will be quantized ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Passes.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/StringMap.h"

namespace qcc {
#define GEN_PASS_DEF_INSERTOBSERVERS
#include "qcc/Calibration/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

static bool isConstant(Value value) {
  return matchPattern(value, m_Constant());
}

static bool isFloat32(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32() && type.hasStaticShape() &&
         type.getNumElements() > 0;
}

/// The name of the node that an op comes from: of a fused one the last, whose
/// output the result is.
static std::string nodeName(Location loc) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return named.getName().str();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : llvm::reverse(fused.getLocations()))
      if (std::string name = nodeName(part); !name.empty())
        return name;
  return {};
}

namespace {
/// Which ops of a function go to 8 bits.
class Selection {
public:
  explicit Selection(func::FuncOp function);
  bool contains(Operation *op) const { return selected.contains(op); }

  SmallVector<QuantizableOpInterface> ops; ///< in program order

private:
  static bool isSelectable(QuantizableOpInterface op);
  static bool isAnchor(QuantizableOpInterface op);
  DenseSet<Operation *> selected;
};

struct InsertObservers
    : public qcc::impl::InsertObserversBase<InsertObservers> {
  void runOnOperation() override;

private:
  void runOnFunction(func::FuncOp function);
  std::string uniqueId(Value value, func::FuncOp function);
  llvm::StringMap<unsigned> ids;
};
} // namespace

/// An op with a constant weight: where low precision pays.
bool Selection::isAnchor(QuantizableOpInterface op) {
  std::optional<unsigned> weight = op.getWeightOperand();
  return weight && isConstant(op->getOperand(*weight));
}

bool Selection::isSelectable(QuantizableOpInterface op) {
  if (!op.isQuantizable() || op->getNumResults() != 1 ||
      !isFloat32(op->getResult(0)))
    return false;
  // A weight that is computed has no quantized form, and two activations
  // multiplied into sums have no integer kernel.
  if (op.getWeightOperand() ? !isAnchor(op) : isa<MatmulOp>(op.getOperation()))
    return false;
  SmallVector<unsigned> activations = op.getActivationOperands();
  if (activations.empty())
    return false;
  for (unsigned i : activations)
    if (!isFloat32(op->getOperand(i)) ||
        op->getOperand(i).getDefiningOp<DequantizeOp>())
      return false;
  return llvm::none_of(op->getResult(0).getUsers(),
                       [](Operation *user) { return isa<QuantizeOp>(user); });
}

/// The ops that take `op`'s result as an activation.
static bool isActivationOf(QuantizableOpInterface user, Value value) {
  return llvm::any_of(user.getActivationOperands(),
                      [&](unsigned i) { return user->getOperand(i) == value; });
}

Selection::Selection(func::FuncOp function) {
  SmallVector<QuantizableOpInterface> candidates;
  DenseSet<Operation *> selectable, fromAnchor, toAnchor;
  for (Operation &op : function.getBody().front())
    if (auto quantizable = dyn_cast<QuantizableOpInterface>(op))
      if (isSelectable(quantizable)) {
        candidates.push_back(quantizable);
        selectable.insert(&op);
      }
  for (QuantizableOpInterface op : candidates)
    if (isAnchor(op) ||
        llvm::any_of(op.getActivationOperands(), [&](unsigned i) {
          return fromAnchor.contains(op->getOperand(i).getDefiningOp());
        }))
      fromAnchor.insert(op);
  for (QuantizableOpInterface op : llvm::reverse(candidates)) {
    bool leadsToAnchor =
        llvm::any_of(op->getResult(0).getUsers(), [&](Operation *user) {
          return toAnchor.contains(user) &&
                 isActivationOf(cast<QuantizableOpInterface>(user),
                                op->getResult(0));
        });
    if (isAnchor(op) || leadsToAnchor)
      toAnchor.insert(op);
  }
  for (QuantizableOpInterface op : candidates) {
    bool moves = op.getScaleConstraint() == ScaleConstraint::SameScale;
    if (toAnchor.contains(op) && (moves || fromAnchor.contains(op))) {
      ops.push_back(op);
      selected.insert(op);
    }
  }
}

std::string InsertObservers::uniqueId(Value value, func::FuncOp function) {
  std::string id;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                      "qnn.name");
    id = name ? name.str() : "input_" + std::to_string(argument.getArgNumber());
  } else {
    id = nodeName(value.getLoc());
    if (id.empty())
      id = value.getDefiningOp()->getName().getStringRef().str();
  }
  // A node that became several ops, and nodes without names, share one.
  unsigned earlier = ids[id]++;
  if (earlier == 0)
    return id;
  std::string unique;
  do
    unique = id + ":" + std::to_string(earlier++);
  while (!ids.try_emplace(unique, 1).second);
  return unique;
}

void InsertObservers::runOnFunction(func::FuncOp function) {
  if (!llvm::hasSingleElement(function.getBody()))
    return;
  Selection selection(function);

  // The values to observe, tied ones together.
  llvm::SetVector<Value> values;
  llvm::EquivalenceClasses<Value> groups;
  for (QuantizableOpInterface op : selection.ops) {
    Value result = op->getResult(0);
    SmallVector<unsigned> activations = op.getActivationOperands();
    // What joins several tensors would give one range to all that they come
    // from; requantizing each operand to the scale of the result costs less
    // accuracy.
    bool ties = op.getScaleConstraint() == ScaleConstraint::SameScale &&
                activations.size() == 1;
    for (unsigned i : activations) {
      Value operand = op->getOperand(i);
      values.insert(operand);
      groups.insert(operand);
      if (ties)
        groups.unionSets(operand, result);
    }
  }

  DenseMap<Value, std::string> idOfGroup;
  OpBuilder builder(&getContext());
  for (Value value : values) {
    std::string &id = idOfGroup[groups.getLeaderValue(value)];
    if (id.empty())
      id = uniqueId(value, function);
    builder.setInsertionPointAfterValue(value);
    auto observe =
        ObserveOp::create(builder, value.getLoc(), value.getType(), value, id);
    bool quantizedProducer = selection.contains(value.getDefiningOp());
    value.replaceUsesWithIf(observe.getResult(), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      if (user == observe)
        return false;
      if (quantizedProducer)
        return true;
      return selection.contains(user) &&
             llvm::is_contained(
                 cast<QuantizableOpInterface>(user).getActivationOperands(),
                 use.getOperandNumber());
    });
  }
}

void InsertObservers::runOnOperation() {
  ids.clear();
  getOperation().walk([&](ObserveOp op) { ids[op.getId()] = 1; });
  for (auto function : getOperation().getOps<func::FuncOp>())
    if (!function.isExternal())
      runOnFunction(function);
}
