//===- QuantizationSites.cpp - What of a model goes to 8 bits -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/QuantizationSites.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/EquivalenceClasses.h"

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

/// Recurrent weights as qnn-quantize-recurrence takes them.
static bool isWorthQuantizing(Value weights) {
  constexpr int64_t fewest = 4096;
  return isConstant(weights) && isFloat32(weights) &&
         cast<RankedTensorType>(weights.getType()).getNumElements() >= fewest;
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

/// An op with a constant weight: where low precision pays.
static bool isAnchor(QuantizableOpInterface op) {
  std::optional<unsigned> weight = op.getWeightOperand();
  return weight && isConstant(op->getOperand(*weight));
}

static bool isSelectable(QuantizableOpInterface op) {
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

/// Whether `op` takes neighbouring elements out of a tensor, which may be of
/// another magnitude than the rest (cells and outputs of a recurrent layer in
/// one state). Every n-th element has the range of the whole.
static bool takesPart(Operation *op) {
  auto slice = dyn_cast<SliceOp>(op);
  return slice && llvm::all_of(slice.getSteps(), [](int64_t step) {
           return std::abs(step) == 1;
         });
}

/// The ops that take `op`'s result as an activation.
static bool isActivationOf(QuantizableOpInterface user, Value value) {
  return llvm::any_of(user.getActivationOperands(),
                      [&](unsigned i) { return user->getOperand(i) == value; });
}

/// A name that `used` does not hold: `name`, or with a number behind it. A node
/// that became several ops, and nodes without names, share one.
static std::string makeUnique(std::string name,
                              llvm::StringMap<unsigned> &used) {
  unsigned earlier = used[name]++;
  if (earlier == 0)
    return name;
  std::string unique;
  do
    unique = name + ":" + std::to_string(earlier++);
  while (!used.try_emplace(unique, 1).second);
  return unique;
}

static std::string nameOf(Operation *op) {
  std::string name = nodeName(op->getLoc());
  return name.empty() ? op->getName().getStringRef().str() : name;
}

/// Products per sum at which weights in 16 bits still have about twice the
/// steps of 8 bits, where the largest one is four times the mean.
static constexpr int64_t kDeepestInt16 = 3072;

bool qcc::hasInt16Form(Operation *layer) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(layer);
  if (!quantizable || !hasInt16Kernel(layer) || !quantizable.getWeightOperand())
    return false;
  auto weight = cast<RankedTensorType>(
      layer->getOperand(*quantizable.getWeightOperand()).getType());
  int64_t axis = quantizable.getWeightChannelAxis();
  int64_t channels = axis < 0 ? 1 : weight.getDimSize(axis);
  return weight.getNumElements() <= kDeepestInt16 * channels;
}

QuantizationSites::QuantizationSites(func::FuncOp function,
                                     llvm::StringMap<unsigned> &usedIds) {
  llvm::StringMap<unsigned> usedNames;
  for (Operation &op : function.getBody().front()) {
    if (auto recurrent = dyn_cast<RecurrenceOp>(op))
      if (isWorthQuantizing(recurrent.getWeights()))
        allRecurrent.push_back({recurrent, makeUnique(nameOf(&op), usedNames)});
    auto quantizable = dyn_cast<QuantizableOpInterface>(op);
    if (!quantizable || !isSelectable(quantizable))
      continue;
    candidates.push_back(quantizable);
    if (isAnchor(quantizable)) {
      std::string name = makeUnique(nameOf(&op), usedNames);
      layerNames[&op] = name;
      allLayers.push_back({quantizable, name});
    }
  }
  OpSet selected = select({});
  for (QuantizableOpInterface op : candidates)
    if (selected.contains(op))
      allOps.push_back(op);
  nameValues(function, usedIds);
}

QuantizationSites::OpSet
QuantizationSites::select(const llvm::StringSet<> &keepFloat) const {
  OpSet layers, fromLayer, toLayer, selected;
  for (const auto &[op, name] : layerNames)
    if (!keepFloat.contains(name))
      layers.insert(op);
  auto isCandidate = [&](Operation *op) {
    return layers.contains(op) || !layerNames.contains(op);
  };
  for (QuantizableOpInterface op : candidates)
    if (isCandidate(op) &&
        (layers.contains(op) ||
         llvm::any_of(op.getActivationOperands(), [&](unsigned i) {
           return fromLayer.contains(op->getOperand(i).getDefiningOp());
         })))
      fromLayer.insert(op);
  // A part of what is float is quantized by itself, with its own range.
  for (QuantizableOpInterface op : llvm::reverse(candidates))
    if (isCandidate(op) && (!takesPart(op) || fromLayer.contains(op)) &&
        (layers.contains(op) || isUsedBy(op->getResult(0), toLayer)))
      toLayer.insert(op);
  for (QuantizableOpInterface op : candidates) {
    bool moves = op.getScaleConstraint() == ScaleConstraint::SameScale;
    if (toLayer.contains(op) && (moves || fromLayer.contains(op)))
      selected.insert(op);
  }
  return selected;
}

bool QuantizationSites::isUsedBy(Value value, const OpSet &ops) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    return ops.contains(user) &&
           isActivationOf(cast<QuantizableOpInterface>(user), value);
  });
}

bool QuantizationSites::isInsideChain(Value value, const OpSet &ops) {
  auto isInChain = [&](Operation *op) {
    return isa_and_present<UnaryOp, BinaryOp>(op) && ops.contains(op) &&
           op->getResult(0).getType() == value.getType();
  };
  return isInChain(value.getDefiningOp()) &&
         llvm::all_of(value.getUsers(), [&](Operation *user) {
           return !ops.contains(user) || isInChain(user);
         });
}

void QuantizationSites::nameValues(func::FuncOp function,
                                   llvm::StringMap<unsigned> &usedIds) {
  // Tied values together.
  llvm::EquivalenceClasses<Value> groups;
  for (QuantizableOpInterface op : allOps) {
    Value result = op->getResult(0);
    SmallVector<unsigned> activations = op.getActivationOperands();
    // What joins several tensors would give one range to all that they come
    // from; requantizing each operand to the scale of the result costs less
    // accuracy.
    bool ties = op.getScaleConstraint() == ScaleConstraint::SameScale &&
                activations.size() == 1;
    for (unsigned i : activations) {
      Value operand = op->getOperand(i);
      idOfValue.insert({operand, {}});
      groups.insert(operand);
      if (ties)
        groups.unionSets(operand, result);
    }
  }
  DenseMap<Value, std::string> idOfGroup;
  for (auto &[value, id] : idOfValue) {
    std::string &shared = idOfGroup[groups.getLeaderValue(value)];
    if (shared.empty()) {
      std::string name;
      if (auto argument = dyn_cast<BlockArgument>(value)) {
        auto attr = function.getArgAttrOfType<StringAttr>(
            argument.getArgNumber(), "qnn.name");
        name = attr ? attr.str()
                    : "input_" + std::to_string(argument.getArgNumber());
      } else {
        name = nameOf(value.getDefiningOp());
      }
      shared = makeUnique(name, usedIds);
    }
    id = shared;
  }
}
