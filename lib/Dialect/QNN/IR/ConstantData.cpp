//===- ConstantData.cpp - Raw access to constant tensors ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Larger constants become resources, which are neither hashed nor uniqued.
static constexpr size_t kMaxInlineBytes = 2048;

Type qcc::qnn::getStorageType(Type elementType) {
  auto quantized = dyn_cast<quant::QuantizedType>(elementType);
  if (!quantized)
    return elementType;
  return IntegerType::get(
      elementType.getContext(), quantized.getStorageTypeIntegralWidth(),
      quantized.isSigned() ? IntegerType::Signless : IntegerType::Unsigned);
}

DType qcc::qnn::getDType(Type elementType) {
  Type type = getStorageType(elementType);
  if (type.isF32())
    return DType::F32;
  if (type.isF16())
    return DType::F16;
  if (type.isBF16())
    return DType::BF16;
  if (type.isF64())
    return DType::F64;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return DType::Undefined;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return isUnsigned ? DType::Undefined : DType::Bool;
  case 4:
    return isUnsigned ? DType::U4 : DType::I4;
  case 8:
    return isUnsigned ? DType::U8 : DType::I8;
  case 16:
    return isUnsigned ? DType::U16 : DType::I16;
  case 32:
    return isUnsigned ? DType::U32 : DType::I32;
  case 64:
    return isUnsigned ? DType::U64 : DType::I64;
  default:
    return DType::Undefined;
  }
}

Type qcc::qnn::getElementType(MLIRContext *context, DType dtype) {
  auto integer = [&](unsigned width, bool isUnsigned) -> Type {
    return IntegerType::get(context, width,
                            isUnsigned ? IntegerType::Unsigned
                                       : IntegerType::Signless);
  };
  switch (dtype) {
  case DType::F32:
    return Float32Type::get(context);
  case DType::F16:
    return Float16Type::get(context);
  case DType::BF16:
    return BFloat16Type::get(context);
  case DType::F64:
    return Float64Type::get(context);
  case DType::Bool:
    return integer(1, false);
  case DType::U4:
    return integer(4, true);
  case DType::I4:
    return integer(4, false);
  case DType::U8:
    return integer(8, true);
  case DType::I8:
    return integer(8, false);
  case DType::U16:
    return integer(16, true);
  case DType::I16:
    return integer(16, false);
  case DType::U32:
    return integer(32, true);
  case DType::I32:
    return integer(32, false);
  case DType::U64:
    return integer(64, true);
  case DType::I64:
    return integer(64, false);
  case DType::String:
  case DType::Undefined:
    break;
  }
  return {};
}

/// Bytes of one element in memory; sub-byte types take one byte each.
static size_t bytesPerElement(Type type) {
  DType dtype = getDType(type);
  if (dtype == DType::U4 || dtype == DType::I4)
    return 1;
  return byteSize(dtype);
}

std::optional<ConstantBytes> ConstantBytes::get(ElementsAttr attr) {
  auto type = dyn_cast<RankedTensorType>(attr.getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  size_t width = bytesPerElement(type.getElementType());
  size_t size = width * size_t(type.getNumElements());
  if (width == 0)
    return std::nullopt;

  ConstantBytes result;
  auto own = [&](size_t bytes) -> char * {
    result.owned = std::make_shared<std::vector<char>>(bytes);
    result.view = *result.owned;
    return result.owned->data();
  };
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || blob->getData().size() != size)
      return std::nullopt;
    result.view = blob->getData();
    // A model file guarantees no alignment, as<T>() needs it.
    if (reinterpret_cast<uintptr_t>(result.view.data()) % width != 0) {
      ArrayRef<char> mapped = result.view;
      std::memcpy(own(size), mapped.data(), size);
    }
    return result;
  }
  auto dense = dyn_cast<DenseIntOrFPElementsAttr>(attr);
  if (!dense)
    return std::nullopt;
  if (type.getElementType().isInteger(1)) {
    char *out = own(size);
    for (bool value : dense.getValues<bool>())
      *out++ = value;
    return result;
  }
  ArrayRef<char> raw = dense.getRawData();
  if (raw.size() == size && !dense.isSplat()) {
    result.view = raw;
    return result;
  }
  if (raw.size() < width)
    return std::nullopt;
  char *out = own(size);
  for (size_t i = 0; i < size; i += width)
    std::memcpy(out + i, raw.data(), width);
  return result;
}

std::optional<ConstantBytes> ConstantBytes::get(Value value) {
  if (auto constant = value.getDefiningOp<ConstantOp>())
    return get(constant.getValue());
  return std::nullopt;
}

ElementsAttr qcc::qnn::makeElementsAttr(RankedTensorType type,
                                        ArrayRef<char> bytes, StringRef name) {
  type = type.clone(getStorageType(type.getElementType()));
  if (type.getElementType().isInteger(1) && bytes.size() <= kMaxInlineBytes) {
    SmallVector<bool> values(
        llvm::map_range(bytes, [](char c) { return c != 0; }));
    return DenseElementsAttr::get(type, values);
  }
  if (bytes.size() <= kMaxInlineBytes) {
    // A buffer of one element is a splat to the raw-buffer constructor.
    if (type.getNumElements() != 0)
      return DenseElementsAttr::getFromRawBuffer(type, bytes);
    return DenseElementsAttr::get(type, ArrayRef<Attribute>());
  }
  return DenseResourceElementsAttr::get(
      type, name,
      HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, /*align=*/64));
}

ConstantOp qcc::qnn::createConstant(OpBuilder &builder, Location loc,
                                    RankedTensorType type, ArrayRef<char> bytes,
                                    StringRef name) {
  return ConstantOp::create(builder, loc, type,
                            makeElementsAttr(type, bytes, name));
}

ConstantOp qcc::qnn::createConstant(OpBuilder &builder, Location loc,
                                    ArrayRef<int64_t> shape,
                                    ArrayRef<float> values) {
  return createConstant(
      builder, loc, RankedTensorType::get(shape, builder.getF32Type()),
      ArrayRef<char>(reinterpret_cast<const char *>(values.data()),
                     values.size() * sizeof(float)));
}

template <typename T>
static SmallVector<int64_t> widen(const ConstantBytes &bytes) {
  return SmallVector<int64_t>(llvm::map_range(
      bytes.as<T>(), [](T value) { return static_cast<int64_t>(value); }));
}

std::optional<SmallVector<int64_t>> qcc::qnn::getConstantInts(Value value) {
  auto bytes = ConstantBytes::get(value);
  if (!bytes)
    return std::nullopt;
  switch (getDType(cast<RankedTensorType>(value.getType()).getElementType())) {
  case DType::Bool:
  case DType::U4:
  case DType::U8:
    return widen<uint8_t>(*bytes);
  case DType::I4:
  case DType::I8:
    return widen<int8_t>(*bytes);
  case DType::U16:
    return widen<uint16_t>(*bytes);
  case DType::I16:
    return widen<int16_t>(*bytes);
  case DType::U32:
    return widen<uint32_t>(*bytes);
  case DType::I32:
    return widen<int32_t>(*bytes);
  case DType::U64:
    return widen<uint64_t>(*bytes);
  case DType::I64:
    return widen<int64_t>(*bytes);
  default:
    return std::nullopt;
  }
}

std::optional<SmallVector<double>> qcc::qnn::getConstantFloats(Value value) {
  auto bytes = ConstantBytes::get(value);
  if (!bytes)
    return std::nullopt;
  auto half = [&](const llvm::fltSemantics &semantics) {
    return SmallVector<double>(
        llvm::map_range(bytes->as<uint16_t>(), [&](uint16_t bits) {
          return APFloat(semantics, APInt(16, bits)).convertToDouble();
        }));
  };
  switch (getDType(cast<RankedTensorType>(value.getType()).getElementType())) {
  case DType::F32:
    return llvm::to_vector_of<double>(bytes->as<float>());
  case DType::F64:
    return llvm::to_vector(bytes->as<double>());
  case DType::F16:
    return half(APFloat::IEEEhalf());
  case DType::BF16:
    return half(APFloat::BFloat());
  default:
    return std::nullopt;
  }
}
