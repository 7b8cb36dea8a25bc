//===- AssignStorage.cpp - Signedness of activations ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_ASSIGNSTORAGE
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using quant::UniformQuantizedType;

/// Whether the types of the op's operands and results are this pass's to
/// choose. A storage_cast ties one to plain integers, other dialects' ops
/// (return, control flow) to a signature.
static bool isInternal(Operation *op) {
  return isa_and_nonnull<QNNDialect>(op->getDialect()) &&
         !isa<StorageCastOp>(op) && op->getNumRegions() == 0;
}

static bool isWeightUse(OpOperand &use) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(use.getOwner());
  return quantizable &&
         quantizable.getWeightOperand() == use.getOperandNumber();
}

/// `attr` with every element's highest bit flipped: u8 <-> s8 under a shift by
/// 128, u16 <-> s16 under one by 32768.
static ElementsAttr flipElements(ElementsAttr attr, Type elementType) {
  auto bytes = ConstantBytes::get(attr);
  if (!bytes)
    return {};
  std::vector<char> flipped(bytes->bytes().begin(), bytes->bytes().end());
  size_t size = elementType.getIntOrFloatBitWidth() / 8;
  for (size_t i = size - 1; i < flipped.size(); i += size)
    flipped[i] = static_cast<char>(flipped[i] ^ 0x80);
  auto type = cast<RankedTensorType>(attr.getType());
  return makeElementsAttr(type.clone(elementType), flipped);
}

/// The table for an input whose highest bit is flipped.
static ElementsAttr swapHalves(ElementsAttr attr) {
  auto bytes = ConstantBytes::get(attr);
  if (!bytes)
    return {};
  size_t half = bytes->bytes().size() / 2;
  std::vector<char> swapped;
  llvm::append_range(swapped, bytes->bytes().drop_front(half));
  llvm::append_range(swapped, bytes->bytes().take_front(half));
  return makeElementsAttr(cast<RankedTensorType>(attr.getType()), swapped);
}

namespace {

struct AssignStorage : qcc::qnn::impl::AssignStorageBase<AssignStorage> {
  using AssignStorageBase::AssignStorageBase;

  /// The element type that stands for the one of `value`; null where that
  /// stays.
  UniformQuantizedType getFlippedType(Value value) {
    if (!isa<RankedTensorType>(value.getType()))
      return {};
    UniformQuantizedType type = getIntActivationType(value);
    if (!type)
      return {};
    unsigned bits = type.getStorageTypeIntegralWidth();
    bool wantSigned = bits == 16 || activations == ActivationStorage::Signed;
    if (type.isSigned() == wantSigned)
      return {};
    int64_t half = int64_t(1) << (bits - 1);
    int64_t shift = wantSigned ? -half : half;
    return UniformQuantizedType::get(
        wantSigned ? quant::QuantizationFlags::Signed : 0,
        type.getStorageType(), type.getExpressedType(), type.getScale(),
        type.getZeroPoint() + shift, type.getStorageTypeMin() + shift,
        type.getStorageTypeMax() + shift);
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    SmallVector<Value> edges; // values whose type is given
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      for (Region &region : op->getRegions())
        for (Block &block : region)
          llvm::append_range(edges, block.getArguments());
      if (isInternal(op))
        ops.push_back(op);
      else
        llvm::append_range(edges, op->getResults());
    });
    for (Operation *op : ops)
      if (auto constant = dyn_cast<ConstantOp>(op))
        separateWeight(constant);
    // Tables first, while the types still tell what will flip.
    for (Operation *op : ops)
      if (auto lut = dyn_cast<LutOp>(op); lut && failed(flipTable(lut)))
        return signalPassFailure();
    for (Operation *op : ops)
      if (failed(flip(op)))
        return signalPassFailure();
    for (Value edge : edges)
      if (UniformQuantizedType type = getFlippedType(edge))
        enter(edge, type);
  }

  /// Gives the uses of a constant as a weight a constant of their own, which
  /// keeps its type.
  void separateWeight(ConstantOp constant) {
    if (!getFlippedType(constant))
      return;
    Operation *weight = nullptr;
    for (OpOperand &use :
         llvm::make_early_inc_range(constant.getResult().getUses()))
      if (isWeightUse(use)) {
        if (!weight)
          weight = OpBuilder(constant).clone(*constant);
        use.set(weight->getResult(0));
      }
  }

  LogicalResult flip(Operation *op) {
    // Weights keep their storage.
    if (isa<ConstantOp>(op) && !op->use_empty() &&
        llvm::all_of(op->getUses(), isWeightUse))
      return success();
    for (Value result : op->getResults()) {
      UniformQuantizedType type = getFlippedType(result);
      if (!type)
        continue;
      if (auto constant = dyn_cast<ConstantOp>(op)) {
        ElementsAttr value =
            flipElements(constant.getValue(), getStorageType(type));
        if (!value)
          return constant.emitOpError("holds data that cannot be read");
        constant.setValueAttr(value);
      }
      Type old = result.getType();
      result.setType(tensorTypeOf(result).clone(Type(type)));
      leave(result, old);
    }
    return success();
  }

  /// Users outside see the old type of `value`.
  void leave(Value value, Type old) {
    Value back;
    for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
      if (isInternal(use.getOwner()))
        continue;
      if (!back) {
        OpBuilder builder(value.getContext());
        builder.setInsertionPointAfterValue(value);
        back = RequantizeOp::create(builder, value.getLoc(), old, value);
      }
      use.set(back);
    }
  }

  /// Users inside see the new type of a value from outside.
  void enter(Value value, UniformQuantizedType type) {
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : value.getUses())
      if (isInternal(use.getOwner()) && !isWeightUse(use))
        uses.push_back(&use);
    if (uses.empty())
      return;
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    Value inside = RequantizeOp::create(
        builder, value.getLoc(), tensorTypeOf(value).clone(Type(type)), value);
    for (OpOperand *use : uses)
      use->set(inside);
  }

  LogicalResult flipTable(LutOp lut) {
    ElementsAttr table = lut.getTable();
    if (getFlippedType(lut.getInput()))
      table = swapHalves(table);
    if (UniformQuantizedType type = getFlippedType(lut.getResult());
        type && table)
      table = flipElements(table, getStorageType(type));
    if (!table)
      return lut.emitOpError("holds a table that cannot be read");
    lut.setTableAttr(table);
    return success();
  }
};

} // namespace
