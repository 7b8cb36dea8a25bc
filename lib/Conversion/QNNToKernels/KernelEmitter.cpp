//===- KernelEmitter.cpp - Kernels, buffers and calls of @main ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace qcc;

/// The names in a location, joined by '+'.
static void collectNames(Location loc, SmallVectorImpl<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    if (!llvm::is_contained(names, name.getName().getValue()))
      names.push_back(name.getName().getValue());
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectNames(call.getCallee(), names);
  }
}

static std::string tensorName(Value tensor) {
  SmallVector<StringRef> names;
  collectNames(tensor.getLoc(), names);
  std::string name = llvm::join(names, "+");
  if (auto result = dyn_cast<OpResult>(tensor);
      result && result.getResultNumber() != 0)
    name += "#" + std::to_string(result.getResultNumber());
  return name;
}

/// An identifier made of `text`: no leading digit, only [A-Za-z0-9_].
static std::string identifier(StringRef text) {
  std::string id;
  for (char c : text)
    id += llvm::isAlnum(c) ? c : '_';
  if (id.empty() || llvm::isDigit(id.front()))
    id.insert(id.begin(), '_');
  return id;
}

KernelEmitter::KernelEmitter(ModuleOp module, const TargetLevel &level)
    : module(module), targetLevel(level), mainBuilder(module.getContext()) {}

void KernelEmitter::setInsertionPoint(Operation *mainOp) {
  mainBuilder.setInsertionPoint(mainOp);
}

void KernelEmitter::mapBuffer(Value tensor, Value buffer) {
  buffers[tensor] = buffer;
}

MemRefType KernelEmitter::bufferType(Type tensorType) const {
  auto tensor = cast<RankedTensorType>(tensorType);
  Type element = qnn::getStorageType(tensor.getElementType());
  if (auto integer = dyn_cast<IntegerType>(element))
    element =
        IntegerType::get(tensor.getContext(), std::max(8u, integer.getWidth()));
  SmallVector<int64_t> shape(tensor.getShape());
  // Only where its first dimension alone is 0 has an empty buffer known
  // strides.
  if (llvm::is_contained(shape, 0)) {
    shape.assign(shape.size(), 1);
    shape.front() = 0;
  }
  return MemRefType::get(shape, element);
}

Value KernelEmitter::buffer(Value tensor) {
  auto it = buffers.find(tensor);
  if (it != buffers.end())
    return it->second;
  MemRefType type = bufferType(tensor.getType());
  Value result;
  if (auto op = tensor.getDefiningOp<qnn::ConstantOp>()) {
    result = constant(op, type);
  } else {
    auto alloc = memref::AllocOp::create(mainBuilder, tensor.getLoc(), type);
    describeBuffer(alloc, tensor);
    result = alloc;
  }
  buffers[tensor] = result;
  return result;
}

/// Notes which tensor the result of `op` holds.
void KernelEmitter::describeBuffer(Operation *op, Value tensor) {
  std::string name = tensorName(tensor);
  if (!name.empty())
    op->setAttr("qcc.tensor", mainBuilder.getStringAttr(name));
  op->setAttr("qcc.type", TypeAttr::get(tensor.getType()));
}

Value KernelEmitter::part(Value buffer, int64_t element, Value tensor) {
  auto whole = cast<MemRefType>(buffer.getType());
  int64_t bytes = whole.getElementTypeBitWidth() / 8;
  auto bytesType = MemRefType::get({whole.getNumElements() * bytes},
                                   mainBuilder.getI8Type());
  Location loc = tensor.getLoc();
  auto raw =
      UnrealizedConversionCastOp::create(mainBuilder, loc, bytesType, buffer);
  Value offset =
      arith::ConstantIndexOp::create(mainBuilder, loc, element * bytes);
  auto view =
      memref::ViewOp::create(mainBuilder, loc, bufferType(tensor.getType()),
                             raw.getResult(0), offset, ValueRange());
  describeBuffer(view, tensor);
  return view;
}

Value KernelEmitter::scratch(MemRefType type) {
  return memref::AllocOp::create(mainBuilder, mainBuilder.getUnknownLoc(),
                                 type);
}

Value KernelEmitter::reshape(Value buffer, MemRefType type, Location loc) {
  if (buffer.getType() == type)
    return buffer;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)))
    llvm_unreachable("buffers have the identity layout");
  return memref::ReinterpretCastOp::create(mainBuilder, loc, type, buffer,
                                           /*offset=*/0, type.getShape(),
                                           strides);
}

void KernelEmitter::alias(Value result, Value source) {
  Value shared =
      reshape(buffer(source), bufferType(result.getType()), result.getLoc());
  buffers[result] = shared;
}

Value KernelEmitter::globalFor(StringRef stem, MemRefType type,
                               ArrayRef<char> bytes,
                               llvm::function_ref<ElementsAttr()> makeValue) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(
      ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  std::string key;
  llvm::raw_string_ostream(key)
      << type << ' ' << hash.high64 << ' ' << hash.low64;
  memref::GlobalOp &global = constants[key];
  if (!global) {
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    if (lastGlobal)
      builder.setInsertionPointAfter(lastGlobal);
    std::string id = identifier(stem);
    global = memref::GlobalOp::create(
        builder, module.getLoc(),
        id + "_" + std::to_string(nextIndex["@" + id]++),
        builder.getStringAttr("private"), type, makeValue(),
        /*constant=*/true, builder.getI64IntegerAttr(64));
    lastGlobal = global;
  }
  return memref::GetGlobalOp::create(mainBuilder, module.getLoc(), type,
                                     global.getSymName());
}

Value KernelEmitter::constant(StringRef stem, MemRefType type,
                              ArrayRef<char> bytes) {
  return globalFor(stem, type, bytes, [&] {
    return qnn::makeElementsAttr(
        RankedTensorType::get(type.getShape(), type.getElementType()), bytes,
        identifier(stem));
  });
}

Value KernelEmitter::constant(qnn::ConstantOp op, MemRefType type) {
  std::optional<qnn::ConstantBytes> data =
      qnn::ConstantBytes::get(op.getValue());
  if (!data) {
    // Unreadable blobs were rejected when the conversion began.
    llvm_unreachable("constant without data");
  }
  auto tensor = RankedTensorType::get(type.getShape(), type.getElementType());
  return globalFor("constant", type, data->bytes(), [&]() -> ElementsAttr {
    // Large constants keep their blob; only the element type is renamed.
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue()))
      if (!resource.getElementType().isInteger(1))
        return DenseResourceElementsAttr::get(tensor, resource.getRawHandle());
    if (auto dense = dyn_cast<DenseElementsAttr>(op.getValue()))
      if (dense.isSplat() && dense.getElementType().getIntOrFloatBitWidth() ==
                                 type.getElementTypeBitWidth())
        return DenseElementsAttr::getFromRawBuffer(tensor, dense.getRawData());
    return qnn::makeElementsAttr(tensor, data->bytes(), "constant");
  });
}

func::FuncOp KernelEmitter::kernel(StringRef stem, StringRef key,
                                   TypeRange argTypes, Location loc,
                                   Body body) {
  std::string fullKey;
  llvm::raw_string_ostream os(fullKey);
  os << stem << '|' << key << '|';
  for (Type type : argTypes)
    os << type << ',';
  func::FuncOp &kernel = kernels[fullKey];
  if (kernel)
    return kernel;

  OpBuilder builder(module.getContext());
  builder.setInsertionPoint(mainBuilder.getBlock()->getParentOp());
  SmallVector<Type> types(argTypes);
  types.append(2, builder.getIndexType());
  std::string id = identifier(stem);
  kernel = func::FuncOp::create(builder, loc,
                                id + "_" + std::to_string(nextIndex[id]++),
                                builder.getFunctionType(types, {}));
  kernel.setPrivate();
  kernel->setAttr("qcc.kernel", builder.getUnitAttr());
  // A call never passes overlapping buffers where one is written.
  for (unsigned i = 0, e = argTypes.size(); i != e; ++i)
    kernel.setArgAttr(i, "llvm.noalias", builder.getUnitAttr());
  Block *entry = kernel.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  ValueRange args = entry->getArguments();
  func::FuncOp result = kernel; // `body` may emit other kernels
  body(builder, loc, args.drop_back(2), args[args.size() - 2], args.back());
  builder.setInsertionPointToEnd(entry);
  func::ReturnOp::create(builder, loc);
  return result;
}

void KernelEmitter::call(func::FuncOp kernel, ValueRange args, int64_t tiles,
                         Location loc, int64_t rounds) {
  if (tiles == 0)
    return;
  SmallVector<Value> operands(args);
  operands.push_back(arith::ConstantIndexOp::create(mainBuilder, loc, 0));
  operands.push_back(
      arith::ConstantIndexOp::create(mainBuilder, loc, tiles * rounds));
  auto call = func::CallOp::create(mainBuilder, loc, kernel, operands);
  if (rounds > 1)
    call->setAttr("qcc.rounds", mainBuilder.getI64IntegerAttr(rounds));
}
