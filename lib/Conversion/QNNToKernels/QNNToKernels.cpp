//===- QNNToKernels.cpp - @main on tensors to calls on buffers ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "OperationCount.h"
#include "Place.h"
#include "qcc/Conversion/Passes.h"
#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

namespace qcc {
#define GEN_PASS_DEF_CONVERTQNNTOKERNELS
#include "qcc/Conversion/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;

/// The kernel of an earlier op computes what is marked.
static constexpr StringLiteral kTakenOver = "qcc.taken_over";

/// Checks what every kernel relies on, so that none has to.
static LogicalResult verifyMain(func::FuncOp main) {
  if (!main.getBody().hasOneBlock())
    return main.emitError("@main must be one block of qnn operations");
  auto checkType = [&](Type type, Location loc) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return emitError(loc) << "has type " << type
                            << " where a kernel needs a tensor of static "
                               "shape; bind its dimensions with -shape";
    Type element = tensor.getElementType();
    if (isa<quant::UniformQuantizedSubChannelType, quant::AnyQuantizedType,
            quant::CalibratedQuantizedType>(element))
      return emitError(loc) << "no kernel computes on " << element;
    if (!qnn::getStorageType(element).isIntOrFloat())
      return emitError(loc) << "no kernel computes on " << element;
    // Tables of positions are 32-bit, byte offsets 64-bit.
    int64_t elements = 1;
    for (int64_t dim : tensor.getShape())
      if (llvm::MulOverflow(elements, std::max<int64_t>(dim, 1), elements) ||
          dim > std::numeric_limits<int32_t>::max() ||
          elements > (int64_t(1) << 48))
        return emitError(loc) << "tensor " << type << " is too large";
    return success();
  };
  for (BlockArgument arg : main.getArguments())
    if (failed(checkType(arg.getType(), arg.getLoc())))
      return failure();
  for (Operation &op : main.front().without_terminator()) {
    if (op.getDialect() != op.getContext()->getLoadedDialect("qnn"))
      return op.emitOpError("cannot be converted to kernels: only qnn "
                            "operations may stand in @main");
    if (isa<qnn::ObserveOp>(op))
      return op.emitOpError("must be replaced before kernels are emitted: run "
                            "the calibration, or remove the observers");
    for (Type type : op.getResultTypes())
      if (failed(checkType(type, op.getLoc())))
        return failure();
    if (auto constant = dyn_cast<qnn::ConstantOp>(op))
      if (!qnn::ConstantBytes::get(constant.getValue()))
        return op.emitOpError("has no data that can be read");
  }
  return success();
}

/// The value whose bytes `value` shares, through ops that only rename them.
static Value bytesOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<qnn::ReshapeOp, qnn::StorageCastOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// Gives the last call after `before`, the one with the products of `op`,
/// their number; the calls before it prepare operands. A kernel that computes
/// more than `op` has noted it itself. Where there is no call, the kernel of a
/// later op computes `op`, which waits in `open` for that.
static void noteLastCall(Operation *op, Operation *before, Operation *end,
                         llvm::DenseSet<Operation *> &open) {
  Operation *call = end->getPrevNode();
  while (call && call != before && !isa<func::CallOp>(call))
    call = call->getPrevNode();
  if (!call || call == before) {
    open.insert(op);
    return;
  }
  if (call->hasAttr("qcc.macs"))
    return;
  noteOperationCount(call, op);
  if (countMultiplyAccumulates(op) == 0)
    return;
  for (Operation *producer = op->getOperand(0).getDefiningOp(); producer;
       producer = producer->getOperand(0).getDefiningOp()) {
    if (open.contains(producer))
      noteOperationCount(call, producer);
    else if (!producer->hasAttr(kTakenOver))
      break;
  }
}

/// Lets the operands of a concatenation be computed in their part of its
/// result, where that is contiguous.
static void placeOperands(qnn::ConcatOp concat, KernelEmitter &emitter) {
  ArrayRef<int64_t> shape = concat.getType().getShape();
  int64_t axis = concat.getAxis();
  if (concat.use_empty() || reference::isWrittenThrough(concat) ||
      llvm::any_of(shape.take_front(axis), [](int64_t d) { return d != 1; }))
    return;
  SmallVector<bool> placed;
  int64_t offset = 0;
  for (Value operand : concat.getInputs()) {
    auto type = cast<RankedTensorType>(operand.getType());
    Value root = bytesOf(operand);
    bool fits = isa<OpResult>(root) && !root.getDefiningOp<qnn::ConstantOp>() &&
                !reference::isReadThrough(root) && !emitter.hasBuffer(root) &&
                type.getElementType() == concat.getType().getElementType() &&
                type.getNumElements() > 0;
    if (fits)
      emitter.mapBuffer(
          root, emitter.part(emitter.buffer(concat.getResult()), offset, root));
    placed.push_back(fits);
    offset += type.getNumElements();
  }
  concat->setDiscardableAttr(
      reference::kPlacedAttr,
      DenseBoolArrayAttr::get(concat.getContext(), placed));
}

LogicalResult qcc::convertQNNToKernels(ModuleOp module,
                                       const TargetLevel &level,
                                       const KernelGenerators &generators) {
  auto source = module.lookupSymbol<func::FuncOp>("main");
  if (!source || source.isExternal())
    return module.emitError("has no @main to convert");
  if (failed(verifyMain(source)))
    return failure();
  MLIRContext *context = module.getContext();
  context->loadDialect<arith::ArithDialect, math::MathDialect,
                       memref::MemRefDialect, scf::SCFDialect,
                       vector::VectorDialect>();

  KernelEmitter emitter(module, level);
  OpBuilder builder(context);
  auto terminator = cast<func::ReturnOp>(source.front().getTerminator());

  // @main(inputs..., outputs...) on buffers.
  SmallVector<Type> argTypes;
  SmallVector<DictionaryAttr> argAttrs;
  auto addArgument = [&](Type type, Attribute name, StringRef role) {
    argTypes.push_back(emitter.bufferType(type));
    NamedAttrList attrs;
    attrs.set("qcc.name", name ? name : builder.getStringAttr(""));
    attrs.set("qcc.type", TypeAttr::get(type));
    attrs.set(role, builder.getUnitAttr());
    argAttrs.push_back(attrs.getDictionary(context));
  };
  for (auto [i, type] : llvm::enumerate(source.getArgumentTypes()))
    addArgument(type, source.getArgAttr(i, "qnn.name"), "qcc.input");
  for (auto [i, type] : llvm::enumerate(source.getResultTypes()))
    addArgument(type, source.getResultAttr(i, "qnn.name"), "qcc.output");
  builder.setInsertionPoint(source);
  source.setSymName("main.source"); // no ONNX name and no kernel has a dot
  auto main = func::FuncOp::create(builder, source.getLoc(), "main",
                                   builder.getFunctionType(argTypes, {}),
                                   ArrayRef<NamedAttribute>(), argAttrs);
  Block *body = main.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  auto end = func::ReturnOp::create(builder, terminator.getLoc());
  emitter.setInsertionPoint(end);

  unsigned numInputs = source.getNumArguments();
  for (BlockArgument arg : source.getArguments())
    emitter.mapBuffer(arg, body->getArgument(arg.getArgNumber()));

  // The producer of an output writes into it; what is not produced here, or
  // is returned twice, is copied at the end.
  SmallVector<std::pair<Value, Value>> copies;
  llvm::DenseSet<Value> written;
  for (auto [i, value] : llvm::enumerate(terminator.getOperands())) {
    Value output = body->getArgument(numInputs + i);
    Value root = bytesOf(value);
    if (isa<OpResult>(root) && !root.getDefiningOp<qnn::ConstantOp>() &&
        written.insert(root).second)
      emitter.mapBuffer(
          root, emitter.reshape(output, emitter.bufferType(root.getType()),
                                root.getLoc()));
    else
      copies.push_back({value, output});
  }

  // The last first, which may hold others.
  for (Operation &op : llvm::reverse(source.front()))
    if (auto concat = dyn_cast<qnn::ConcatOp>(op))
      placeOperands(concat, emitter);

  llvm::DenseSet<Operation *> open;
  for (Operation &op : source.front().without_terminator()) {
    // Constants become buffers where a kernel asks for them; what is marked is
    // computed by the kernel of an earlier op.
    if (isa<qnn::ConstantOp>(op) || op.use_empty() || op.hasAttr(kTakenOver))
      continue;
    // There is nothing to compute of tensors without elements.
    if (llvm::all_of(op.getResultTypes(), [](Type type) {
          return cast<RankedTensorType>(type).getNumElements() == 0;
        }))
      continue;
    emitter.setInsertionPoint(end);
    if (isa<qnn::ReshapeOp, qnn::StorageCastOp>(op)) {
      emitter.alias(op.getResult(0), op.getOperand(0));
      continue;
    }
    Operation *before = end->getPrevNode();
    bool taken = llvm::any_of(generators, [&](const KernelGenerator &g) {
      return succeeded(g.emit(&op, emitter));
    });
    if (!taken)
      return op.emitOpError("has no kernel for these types: ")
             << op.getOperandTypes() << " -> " << op.getResultTypes();
    noteLastCall(&op, before, end, open);
  }
  for (auto [value, output] : copies) {
    Value from = emitter.reshape(emitter.buffer(value),
                                 cast<MemRefType>(output.getType()),
                                 terminator.getLoc());
    reference::emitCopy(emitter, from, output, terminator.getLoc());
  }

  // Buffers of reshaped tensors that a kernel did not store.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*body)))
    if (isa<memref::AllocOp, memref::ReinterpretCastOp>(op) && op.use_empty())
      op.erase();
  source.erase();
  module->setAttr("qcc.level", builder.getStringAttr(level.name));
  return success();
}

namespace {
struct ConvertQNNToKernels
    : qcc::impl::ConvertQNNToKernelsBase<ConvertQNNToKernels> {
  using ConvertQNNToKernelsBase::ConvertQNNToKernelsBase;

  void runOnOperation() override {
    TargetLevel level;
    level.name = "reference";
    level.hasFMA = fma;
    level.vectorBytes = vectorBytes;
    KernelGenerators generators;
    populateReferenceKernels(generators);
    if (failed(convertQNNToKernels(getOperation(), level, generators)))
      signalPassFailure();
  }
};
} // namespace
