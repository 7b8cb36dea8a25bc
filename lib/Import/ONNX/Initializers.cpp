//===- Initializers.cpp - TensorProto to qnn.constant --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelFile.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;

/// Smaller tensors are copied into ordinary attributes, which print readably.
static constexpr size_t kMaxCopiedBytes = 2048;

static constexpr llvm::StringLiteral kCodeNames[] = {
    "UNDEFINED",      "FLOAT",      "UINT8",
    "INT8",           "UINT16",     "INT16",
    "INT32",          "INT64",      "STRING",
    "BOOL",           "FLOAT16",    "DOUBLE",
    "UINT32",         "UINT64",     "COMPLEX64",
    "COMPLEX128",     "BFLOAT16",   "FLOAT8E4M3FN",
    "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ",
    "UINT4",          "INT4",       "FLOAT4E2M1",
    "FLOAT8E8M0",     "UINT2",      "INT2"};

StringRef qcc::import::codeName(int32_t code) {
  if (code < 0 || size_t(code) >= std::size(kCodeNames))
    return "unknown";
  return kCodeNames[code];
}

DType qcc::import::dtypeOfCode(int32_t code) {
  switch (code) {
  case int32_t(DType::F32):
  case int32_t(DType::U8):
  case int32_t(DType::I8):
  case int32_t(DType::U16):
  case int32_t(DType::I16):
  case int32_t(DType::I32):
  case int32_t(DType::I64):
  case int32_t(DType::Bool):
  case int32_t(DType::F16):
  case int32_t(DType::F64):
  case int32_t(DType::U32):
  case int32_t(DType::U64):
  case int32_t(DType::BF16):
  case int32_t(DType::U4):
  case int32_t(DType::I4):
    return DType(code);
  default:
    return DType::Undefined;
  }
}

/// Converts the elements of a typed field (float_data, ...) to bytes.
template <typename To, typename Field>
static std::vector<char> convertField(const Field &field) {
  std::vector<char> bytes(size_t(field.size()) * sizeof(To));
  char *out = bytes.data();
  for (auto element : field) {
    To value = static_cast<To>(element);
    std::memcpy(out, &value, sizeof(To));
    out += sizeof(To);
  }
  return bytes;
}

/// The elements in the typed fields, one by one (4-bit ones still packed).
static std::vector<char> typedBytes(const onnx::TensorProto &tensor,
                                    DType dtype) {
  switch (dtype) {
  case DType::F32:
    return convertField<float>(tensor.float_data());
  case DType::F64:
    return convertField<double>(tensor.double_data());
  case DType::I64:
    return convertField<int64_t>(tensor.int64_data());
  case DType::U64:
    return convertField<uint64_t>(tensor.uint64_data());
  case DType::U32:
    return convertField<uint32_t>(tensor.uint64_data());
  case DType::I32:
    return convertField<int32_t>(tensor.int32_data());
  case DType::U16:
  case DType::I16:
  case DType::F16:
  case DType::BF16:
    return convertField<uint16_t>(tensor.int32_data());
  default:
    return convertField<uint8_t>(tensor.int32_data());
  }
}

/// Two elements per byte, the low nibble first, to one byte each.
static std::vector<char> unpackNibbles(ArrayRef<char> packed, size_t count,
                                       bool isSigned) {
  std::vector<char> bytes(count);
  for (size_t i = 0; i < count; ++i) {
    unsigned nibble = (uint8_t(packed[i / 2]) >> (4 * (i % 2))) & 15;
    bytes[i] = char(isSigned && nibble > 7 ? int(nibble) - 16 : int(nibble));
  }
  return bytes;
}

Tensor ModelFile::createConstant(OpBuilder &builder, Location loc,
                                 const onnx::TensorProto &tensor,
                                 EmitError emitError) {
  auto error = [&]() {
    return emitError() << "tensor \"" << tensor.name() << "\": ";
  };
  DType dtype = dtypeOfCode(tensor.data_type());
  if (dtype == DType::Undefined) {
    error() << "element type " << codeName(tensor.data_type()) << " ("
            << tensor.data_type() << ") is not supported";
    return {};
  }
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  std::optional<int64_t> count = countElements(shape);
  if (!count) {
    error()
        << "shape " << shapeToString(shape)
        << " is negative or too large (at most 2^40 elements in 32 dimensions)";
    return {};
  }
  if (tensor.has_segment()) {
    error() << "segmented tensors are not supported";
    return {};
  }

  bool isNibble = dtype == DType::I4 || dtype == DType::U4;
  size_t size =
      isNibble ? size_t(*count + 1) / 2 : size_t(*count) * byteSize(dtype);
  ArrayRef<char> bytes;
  std::vector<char> owned;
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    auto external = externalBytes(tensor, size, emitError);
    if (!external)
      return {};
    bytes = *external;
  } else if (tensor.has_raw_data()) {
    bytes = ArrayRef<char>(tensor.raw_data().data(), tensor.raw_data().size());
  } else {
    owned = typedBytes(tensor, dtype);
    bytes = owned;
  }
  if (bytes.size() != size) {
    error() << "holds " << bytes.size() << " bytes, but shape "
            << shapeToString(shape) << " of " << codeName(tensor.data_type())
            << " needs " << size << "; the file is damaged";
    return {};
  }

  DType storage = dtype;
  if (isNibble) {
    owned = unpackNibbles(bytes, size_t(*count), dtype == DType::I4);
    bytes = owned;
    storage = dtype == DType::I4 ? DType::I8 : DType::U8;
  } else if (dtype == DType::Bool) {
    owned.assign(bytes.begin(), bytes.end());
    for (char &element : owned)
      element = element != 0;
    bytes = owned;
  }
  auto type = RankedTensorType::get(
      shape, qnn::getElementType(builder.getContext(), storage));

  StringRef name =
      tensor.name().empty() ? "constant" : StringRef(tensor.name());
  size_t width = byteSize(storage);
  bool isAligned = reinterpret_cast<uintptr_t>(bytes.data()) % width == 0;
  if (!owned.empty() || bytes.size() <= kMaxCopiedBytes || !isAligned)
    return {qnn::createConstant(builder, loc, type, bytes, name), dtype};

  // The blob shares ownership of this file.
  AsmResourceBlob blob(
      bytes, width,
      [keep = shared_from_this()](void *, size_t, size_t) mutable {
        keep.reset();
      },
      /*dataIsMutable=*/false);
  auto attr = DenseResourceElementsAttr::get(type, name, std::move(blob));
  return {qnn::ConstantOp::create(builder, loc, type, attr), dtype};
}
