//===- NarrowActivations.cpp - Factors of products in bf16 ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights of bf16 allow a level that multiplies bf16 to round activations to
// the same (docs/quantization.md). It is done by casts in the graph, so that
// products that share an operand share it, and kernels store what they compute
// for products alone in bf16.
//
//===----------------------------------------------------------------------===//

#include "qcc/Codegen/NarrowActivations.h"
#include "TileMatrixPlan.h"

#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/Transforms/NarrowWeights.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Whether `op` is a float product that pays on tiles of bf16. Where there are
/// few rows, weights may be of bf16 only because that is exact.
static bool paysInBF16(Operation &op, const TargetLevel &level) {
  if (!isa<ConvOp, MatmulOp>(op))
    return false;
  auto weights = op.getOperand(1).getDefiningOp<ConstantOp>();
  if (!weights ||
      !tensorTypeOf(weights.getResult()).getElementType().isBF16() ||
      !tensorTypeOf(op.getOperand(0)).getElementType().isF32())
    return false;
  std::optional<MatrixOperands> operands = MatrixOperands::match(&op, level);
  return operands && operands->factors == Factors::Float32 &&
         operands->shape.rows() > kFewRows &&
         TileMatrixPlan::paysInBF16(*operands, level, TileTable(&op));
}

namespace {
class ActivationNarrower {
public:
  ActivationNarrower(ModuleOp module, bool widens)
      : widens(widens), hasNames(!module->hasAttr(kKeepTensorsAttr)) {}

  void narrow(Operation &op);

private:
  Value round(Value value, Operation &user);

  bool widens;   ///< back to float32
  bool hasNames; ///< casts are part of the layer that they are for
  llvm::DenseMap<Value, Value> rounded;
};
} // namespace

/// Where the value is a view, what it is one of: its kernel may round then.
Value ActivationNarrower::round(Value value, Operation &user) {
  auto [entry, isNew] = rounded.try_emplace(value);
  if (!isNew)
    return entry->second;
  OpBuilder b(&user);
  Location loc = hasNames ? user.getLoc() : b.getUnknownLoc();
  Value result;
  if (auto view = value.getDefiningOp<ReshapeOp>()) {
    Value source = round(view.getInput(), user);
    Type element = tensorTypeOf(source).getElementType();
    result = ReshapeOp::create(b, view.getLoc(),
                               tensorTypeOf(value).clone(element), source);
  } else {
    RankedTensorType wide = tensorTypeOf(value);
    result = CastOp::create(b, loc, wide.clone(Type(b.getBF16Type())), value);
    if (widens)
      result = CastOp::create(b, loc, wide, result);
  }
  return rounded[value] = result;
}

void ActivationNarrower::narrow(Operation &op) {
  OpOperand &input = op.getOpOperand(0);
  Value before = input.get();
  input.set(round(before, op));
  // A view that is left would be a user of what it views.
  while (auto view = before.getDefiningOp<ReshapeOp>()) {
    if (!view->use_empty())
      break;
    before = view.getInput();
    rounded.erase(view.getResult());
    view.erase();
  }
}

void qcc::narrowActivations(ModuleOp module, const TargetLevel &level,
                            bool widens) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!level.tiles || !main || main.isExternal())
    return;
  SmallVector<Operation *> products;
  for (Operation &op : main.getBody().front())
    if (paysInBF16(op, level))
      products.push_back(&op);
  ActivationNarrower narrower(module, widens);
  for (Operation *op : products)
    narrower.narrow(*op);
}
