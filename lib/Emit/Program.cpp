//===- Program.cpp - @main as a table -------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "../Runtime/program.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::emit;

uint64_t TensorDescription::byteSize() const {
  uint64_t bytes = qcc::byteSize(dtype);
  for (int64_t extent : shape)
    bytes *= uint64_t(extent);
  return bytes;
}

static FailureOr<TensorDescription> describe(Operation *op, StringRef name,
                                             Attribute typeAttr) {
  auto attr = dyn_cast_or_null<TypeAttr>(typeAttr);
  auto type =
      attr ? dyn_cast<RankedTensorType>(attr.getValue()) : RankedTensorType();
  if (!type || !type.hasStaticShape())
    return op->emitError() << "'qcc.type' of '" << name
                           << "' must be a tensor type of static shape";
  TensorDescription result;
  result.name = name.str();
  result.dtype = qnn::getDType(type.getElementType());
  if (qcc::byteSize(result.dtype) == 0)
    return op->emitError() << "'" << name << "' has elements of type "
                           << type.getElementType()
                           << ", which an artefact cannot hold";
  result.shape.assign(type.getShape().begin(), type.getShape().end());
  if (auto quant =
          dyn_cast<quant::UniformQuantizedType>(type.getElementType())) {
    result.scales.push_back(float(quant.getScale()));
    result.zeroPoints.push_back(int32_t(quant.getZeroPoint()));
  } else if (auto quant = dyn_cast<quant::UniformQuantizedPerAxisType>(
                 type.getElementType())) {
    result.axis = quant.getQuantizedDimension();
    for (double scale : quant.getScales())
      result.scales.push_back(float(scale));
    for (int64_t zeroPoint : quant.getZeroPoints())
      result.zeroPoints.push_back(int32_t(zeroPoint));
  }
  return result;
}

/// The bytes of a buffer; nothing if they are not known.
static std::optional<uint64_t> byteSize(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || !memref.hasStaticShape())
    return std::nullopt;
  Type element = memref.getElementType();
  if (!element.isIntOrFloat())
    return std::nullopt;
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8) *
         uint64_t(memref.getNumElements());
}

static uint64_t elementAlignment(Type type) {
  Type element = cast<MemRefType>(type).getElementType();
  return llvm::PowerOf2Ceil(
      llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
}

static void collectNames(Location loc, llvm::SetVector<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    names.insert(name.getName());
    return;
  }
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      collectNames(part, names);
}

static std::string nodeNames(Location loc) {
  llvm::SetVector<StringRef> names;
  collectNames(loc, names);
  return llvm::join(names, ", ");
}

namespace {
/// Reads one @main.
class Reader {
public:
  Reader(ModuleOp module, Program &program, bool keepTensors)
      : symbols(module), program(program), keepTensors(keepTensors) {}

  LogicalResult readArguments(func::FuncOp main);
  LogicalResult readBody(func::FuncOp main);

private:
  LogicalResult readOp(Operation *op);
  LogicalResult readView(memref::ViewOp op);
  LogicalResult readGlobal(memref::GetGlobalOp op);
  LogicalResult readCall(func::CallOp op);
  LogicalResult listTensor(Operation *op);
  FailureOr<BufferRef> lookup(Operation *user, Value value);
  void noteArguments(func::CallOp op, ArrayRef<BufferRef> buffers);

  SymbolTable symbols;
  Program &program;
  bool keepTensors;
  llvm::DenseMap<Value, BufferRef> buffers;
  llvm::StringMap<unsigned> constants;
};
} // namespace

LogicalResult Reader::readArguments(func::FuncOp main) {
  bool hasArena = false;
  for (unsigned i = 0, e = main.getNumArguments(); i < e; ++i) {
    bool isInput = main.getArgAttr(i, "qcc.input") != nullptr;
    bool isOutput = main.getArgAttr(i, "qcc.output") != nullptr;
    std::optional<uint64_t> bytes = byteSize(main.getArgument(i).getType());
    if (!bytes)
      return main.emitError()
             << "argument " << i << " must be a memref of static shape";
    if (!isInput && !isOutput) {
      if (hasArena)
        return main.emitError()
               << "argument " << i << " is neither input nor output";
      hasArena = true;
      program.arenaBytes = *bytes;
      buffers[main.getArgument(i)] = {BufferRef::Arena, 0, 0};
      continue;
    }
    auto name = main.getArgAttrOfType<StringAttr>(i, "qcc.name");
    FailureOr<TensorDescription> description = describe(
        main, name ? name.getValue() : "?", main.getArgAttr(i, "qcc.type"));
    if (failed(description))
      return failure();
    if (description->byteSize() != *bytes)
      return main.emitError() << "argument " << i
                              << ": 'qcc.type' and the buffer differ in size";
    auto &list = isInput ? program.inputs : program.outputs;
    buffers[main.getArgument(i)] = {isInput ? BufferRef::Input
                                            : BufferRef::Output,
                                    unsigned(list.size()), 0};
    list.push_back(std::move(*description));
  }
  return success();
}

FailureOr<BufferRef> Reader::lookup(Operation *user, Value value) {
  auto it = buffers.find(value);
  if (it == buffers.end())
    return user->emitError("uses a buffer that is no view of the arena, an "
                           "input, an output or a constant");
  return it->second;
}

LogicalResult Reader::readView(memref::ViewOp op) {
  FailureOr<BufferRef> source = lookup(op, op.getSource());
  APInt shift;
  if (failed(source))
    return failure();
  if (!matchPattern(op.getByteShift(), m_ConstantInt(&shift)) ||
      !op.getSizes().empty())
    return op.emitError("must have a constant offset and static shape");
  BufferRef buffer = *source;
  buffer.offset += shift.getZExtValue();
  uint64_t bytes = *byteSize(op.getType());
  uint64_t size = buffer.kind == BufferRef::Arena
                      ? program.arenaBytes
                      : source->offset + *byteSize(op.getSource().getType());
  if (buffer.offset > size || bytes > size - buffer.offset)
    return op.emitError("does not lie within its buffer");
  buffers[op.getResult()] = buffer;
  return success();
}

LogicalResult Reader::readGlobal(memref::GetGlobalOp op) {
  auto [it, isNew] =
      constants.try_emplace(op.getName(), program.constants.size());
  buffers[op.getResult()] = {BufferRef::Constant, it->second, 0};
  if (!isNew)
    return success();
  auto global = symbols.lookup<memref::GlobalOp>(op.getName());
  auto value = global ? dyn_cast_or_null<ElementsAttr>(
                            global.getInitialValue().value_or(Attribute()))
                      : ElementsAttr();
  std::optional<qnn::ConstantBytes> bytes;
  if (value)
    bytes = qnn::ConstantBytes::get(value);
  if (!bytes || bytes->bytes().size() != byteSize(op.getType()))
    return op.emitError() << "the bytes of constant '" << op.getName()
                          << "' are missing or of the wrong size";
  program.constants.push_back(std::move(*bytes));
  return success();
}

/// Notes what the optimizer may assume of the kernel's arguments.
void Reader::noteArguments(func::CallOp op, ArrayRef<BufferRef> refs) {
  auto &arguments = program.kernels[op.getCallee()];
  arguments.resize(refs.size());
  for (auto [i, ref] : llvm::enumerate(refs)) {
    Type type = op.getOperand(i).getType();
    KernelArgument &argument = arguments[i];
    argument.bytes = *byteSize(type);
    uint64_t alignment = 64;
    if (ref.kind == BufferRef::Input || ref.kind == BufferRef::Output)
      alignment = elementAlignment(type);
    else if (ref.offset)
      alignment = std::min<uint64_t>(alignment, ref.offset & -ref.offset);
    argument.alignment = std::min(argument.alignment, alignment);
    for (auto [k, other] : llvm::enumerate(refs)) {
      uint64_t size = *byteSize(op.getOperand(k).getType());
      if (k != i && ref.kind == other.kind && ref.index == other.index &&
          ref.offset < other.offset + size &&
          other.offset < ref.offset + argument.bytes)
        argument.overlaps = true;
    }
  }
}

LogicalResult Reader::readCall(func::CallOp op) {
  auto kernel = symbols.lookup<func::FuncOp>(op.getCallee());
  unsigned numBuffers = op.getNumOperands() < 2 ? 0 : op.getNumOperands() - 2;
  APInt begin, end;
  if (!kernel || kernel.isDeclaration() || op.getNumResults() != 0 ||
      op.getNumOperands() < 2 ||
      !matchPattern(op.getOperand(numBuffers), m_ConstantInt(&begin)) ||
      !matchPattern(op.getOperand(numBuffers + 1), m_ConstantInt(&end)) ||
      !begin.isZero() || end.isNegative())
    return op.emitError(
        "must call a kernel on buffers, 0 and a constant number of tiles");
  ProgramStep step;
  step.kernel = op.getCallee().str();
  step.nodes = nodeNames(op.getLoc());
  step.tiles = end.getSExtValue();
  if (auto rounds = op->getAttrOfType<IntegerAttr>("qcc.rounds")) {
    step.rounds = rounds.getInt();
    if (step.rounds < 1 || step.rounds > QCC_MAX_ROUNDS ||
        step.tiles % step.rounds != 0)
      return op.emitOpError("must have equally many tiles in each of its "
                            "'qcc.rounds', at most ")
             << QCC_MAX_ROUNDS;
    step.tiles /= step.rounds;
  }
  if (auto macs = op->getAttrOfType<IntegerAttr>("qcc.macs")) {
    step.macs = macs.getInt();
    step.macsType = op->hasAttr("qcc.integer_macs") ? DType::I8 : DType::F32;
  }
  for (Value operand : op.getOperands().take_front(numBuffers)) {
    FailureOr<BufferRef> buffer = lookup(op, operand);
    if (failed(buffer))
      return failure();
    std::optional<uint64_t> bytes = byteSize(operand.getType());
    if (!bytes)
      return op.emitError("a buffer's size is not known");
    step.bytes += *bytes;
    if (buffer->kind == BufferRef::Constant)
      step.constantBytes += *bytes;
    step.buffers.push_back(*buffer);
  }
  noteArguments(op, step.buffers);
  if (step.tiles)
    program.steps.push_back(std::move(step));
  return success();
}

LogicalResult Reader::listTensor(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>("qcc.tensor");
  if (!keepTensors || !name)
    return success();
  FailureOr<TensorDescription> description =
      describe(op, name.getValue(), op->getAttr("qcc.type"));
  if (failed(description))
    return failure();
  program.tensors.push_back(
      {std::move(*description), buffers[op->getResult(0)]});
  return success();
}

LogicalResult Reader::readOp(Operation *op) {
  if (isa<arith::ConstantOp, func::ReturnOp>(op))
    return success();
  if (auto call = dyn_cast<func::CallOp>(op))
    return readCall(call);
  if (isa<ViewLikeOpInterface, memref::GetGlobalOp>(op) &&
      !byteSize(op->getResult(0).getType()))
    return op->emitError("must be a buffer of static shape");
  LogicalResult result =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](memref::ViewOp view) { return readView(view); })
          .Case([&](memref::GetGlobalOp get) { return readGlobal(get); })
          // Same bytes: an offset is part of the type, and the kernel adds it.
          .Case<memref::ReinterpretCastOp, memref::CastOp,
                memref::CollapseShapeOp, memref::ExpandShapeOp,
                memref::SubViewOp, UnrealizedConversionCastOp>(
              [&](Operation *alias) -> LogicalResult {
                FailureOr<BufferRef> source =
                    lookup(alias, alias->getOperand(0));
                if (failed(source))
                  return failure();
                buffers[alias->getResult(0)] = *source;
                return success();
              })
          .Default([](Operation *other) {
            return other->emitError("does not belong into @main, which is a "
                                    "list of views, constants and calls");
          });
  return failed(result) ? failure() : listTensor(op);
}

LogicalResult Reader::readBody(func::FuncOp main) {
  if (!llvm::hasSingleElement(main.getBody()))
    return main.emitError("must be one straight block");
  for (Operation &op : main.getBody().front())
    if (failed(readOp(&op)))
      return failure();
  return success();
}

static FailureOr<func::FuncOp> findMain(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isDeclaration())
    return module.emitError("has no function @main");
  return main;
}

FailureOr<Program> emit::readProgram(ModuleOp module, bool keepTensors) {
  FailureOr<func::FuncOp> main = findMain(module);
  Program program;
  Reader reader(module, program, keepTensors);
  if (failed(main) || failed(reader.readArguments(*main)) ||
      failed(reader.readBody(*main)))
    return failure();
  return program;
}

LogicalResult emit::readInterface(ModuleOp module, Program &program) {
  FailureOr<func::FuncOp> main = findMain(module);
  return failed(main) ? failure()
                      : Reader(module, program, false).readArguments(*main);
}
