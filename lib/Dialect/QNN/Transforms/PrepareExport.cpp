//===- PrepareExport.cpp - Quantization as runtimes recognize it ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_PREPAREEXPORT
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc::qnn;

/// The type of a signed 8-bit activation that only dequantize ops read.
static quant::UniformQuantizedType getSignedType(QuantizeOp op) {
  auto type = getActivationType(op.getResult());
  if (!type || !type.isSigned() ||
      !llvm::all_of(op->getUsers(), llvm::IsaPred<DequantizeOp>))
    return {};
  return type;
}

/// The unsigned type with the same real numbers.
static quant::UniformQuantizedType
getUnsignedType(quant::UniformQuantizedType type) {
  constexpr int64_t shift = 128;
  return quant::UniformQuantizedType::get(
      /*flags=*/0, type.getStorageType(), type.getExpressedType(),
      type.getScale(), type.getZeroPoint() + shift,
      type.getStorageTypeMin() + shift, type.getStorageTypeMax() + shift);
}

/// Whether runtimes compute the op in integers if a quantize follows at once.
static bool hasIntegerKernel(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  auto conv = dyn_cast<ConvOp>(op);
  auto matmul = dyn_cast<MatmulOp>(op);
  // What is added to a result makes it a float one.
  if (!quantizable || (conv && conv.getResidual()) ||
      (matmul && matmul.getResidual()) || !isa<ConvOp, MatmulOp, BinaryOp>(op))
    return false;
  return llvm::all_of(quantizable.getActivationOperands(), [&](unsigned i) {
    return op->getOperand(i).getDefiningOp<DequantizeOp>() != nullptr;
  });
}

static bool isQuantized(Value value) {
  return isa<quant::QuantizedType>(elementTypeOf(value));
}

/// Whether the op computes on quantized tensors, rather than moving elements.
static bool computesOnQuantized(Operation *op) {
  return (isa<QuantizableOpInterface>(op) || isa<RecurrenceOp>(op)) &&
         !isa<ReshapeOp, TransposeOp, ConcatOp, SliceOp, ExpandOp, GatherOp>(
             op) &&
         (llvm::any_of(op->getOperands(), isQuantized) ||
          llvm::any_of(op->getResults(), isQuantized));
}

namespace {
struct PrepareExport : qcc::qnn::impl::PrepareExportBase<PrepareExport> {
  using PrepareExportBase::PrepareExportBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (computesOnQuantized(op) && (floatStates || !isa<RecurrenceOp>(op)))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      makeFloat(op);
    SmallVector<QuantizeOp> quantizes;
    getOperation()->walk([&](QuantizeOp op) { quantizes.push_back(op); });
    for (QuantizeOp op : quantizes)
      splitClamp(op);
    makeUnsigned();
    getOperation()->walk([&](Operation *op) {
      if (isa<ConvOp, MatmulOp, RecurrenceOp>(op))
        widen(op);
    });
  }

  /// Weights of 16 bits -> their cast to float32, where that is what they meet.
  void widen(Operation *op) {
    OpOperand &weights = op->getOpOperand(1);
    Type type = elementTypeOf(weights.get());
    if (!elementTypeOf(op->getOperand(0)).isF32() ||
        !(type.isF16() || type.isBF16()))
      return;
    OpBuilder builder(op);
    weights.set(
        CastOp::create(builder, op->getLoc(),
                       tensorTypeOf(weights.get()).clone(builder.getF32Type()),
                       weights.get()));
    ++numWidened;
  }

  /// op -> quantize(op(dequantize))
  void makeFloat(Operation *op) {
    OpBuilder builder(op);
    auto floatTypeOf = [&](Value value) {
      return tensorTypeOf(value).clone(builder.getF32Type());
    };
    for (OpOperand &operand : op->getOpOperands())
      if (isQuantized(operand.get()))
        operand.set(DequantizeOp::create(
            builder, op->getLoc(), floatTypeOf(operand.get()), operand.get()));
    builder.setInsertionPointAfter(op);
    for (Value result : op->getResults()) {
      if (!isQuantized(result))
        continue;
      Type type = result.getType();
      result.setType(floatTypeOf(result));
      auto quantized = QuantizeOp::create(builder, op->getLoc(), type, result);
      result.replaceAllUsesExcept(quantized, quantized);
    }
    ++numFloat;
  }

  /// quantize(clamp(op)) -> quantize(clamp(dequantize(quantize(op)))): rounding
  /// is monotonic, so that the integers are the same.
  void splitClamp(QuantizeOp quantize) {
    Operation *op = quantize.getInput().getDefiningOp();
    auto type = getActivationType(quantize.getResult());
    ActivationAttr activation = op ? getActivation(op) : ActivationAttr();
    if (!activation || !type || !op->hasOneUse() || !hasIntegerKernel(op) ||
        !getClampRange(activation.getKind(), activation.alpha(),
                       activation.beta(), type) ||
        isImpliedBySaturation(activation.getKind(), activation.alpha(),
                              activation.beta(), type))
      return;
    op->removeAttr("activation");
    OpBuilder builder(quantize);
    Location loc = op->getLoc();
    Value first = QuantizeOp::create(builder, loc, quantize.getType(),
                                     quantize.getInput());
    Value real = DequantizeOp::create(builder, loc,
                                      quantize.getInput().getType(), first);
    quantize.setOperand(UnaryOp::create(
        builder, loc, real.getType(), activation.getKind(), real,
        activation.getAlpha().getValue(), activation.getBeta().getValue()));
    ++numClamps;
  }

  /// Symmetric models stay signed: there are runtimes that take nothing else.
  void makeUnsigned() {
    SmallVector<QuantizeOp> signedOps;
    bool isSymmetric = true;
    getOperation()->walk([&](QuantizeOp op) {
      if (auto type = getSignedType(op)) {
        signedOps.push_back(op);
        isSymmetric &= type.getZeroPoint() == 0;
      }
    });
    if (isSymmetric)
      return;
    for (QuantizeOp op : signedOps) {
      Value value = op.getResult();
      value.setType(
          tensorTypeOf(value).clone(getUnsignedType(getSignedType(op))));
      ++numUnsigned;
    }
  }
};
} // namespace
