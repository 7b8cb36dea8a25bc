//===- TensorProto.cpp - ONNX tensors in .pb files ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/TensorProto.h"
#include "qcc/Support/ByteReader.h"

#include <cstring>
#include <limits>

using namespace qcc;

namespace {
/// Field numbers of onnx.TensorProto.
enum Field : uint64_t {
  Dims = 1,
  DataType = 2,
  Segment = 3,
  FloatData = 4,
  Int32Data = 5,
  StringData = 6,
  Int64Data = 7,
  Name = 8,
  RawData = 9,
  DoubleData = 10,
  Uint64Data = 11,
  ExternalData = 13,
  DataLocation = 14,
};

enum WireType : unsigned { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// A window on the message.
struct Wire {
  const char *next, *end;

  bool varint(uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (next == end)
        return false;
      unsigned char byte = static_cast<unsigned char>(*next++);
      value |= uint64_t(byte & 127) << shift;
      if (!(byte & 128))
        return true;
    }
    return false;
  }
  bool bytes(Wire &part) {
    uint64_t size;
    return varint(size) && take(size, part);
  }
  bool take(uint64_t size, Wire &part) {
    if (size > uint64_t(end - next))
      return false;
    part = {next, next + size};
    next += size;
    return true;
  }
};

class Parser {
public:
  explicit Parser(Wire wire) : wire(wire) {}
  Result<HostTensor> parse();

private:
  bool field(uint64_t number, unsigned type);
  bool dimensions(unsigned type);
  /// Repeated numbers of a fixed size, packed or not, to `typed`.
  bool fixed(unsigned type, unsigned elementType, unsigned size);
  /// Repeated varints, packed or not.
  bool varints(unsigned type, std::vector<int64_t> &values);
  bool collectIntegers();
  Status check();

  Wire wire;
  HostTensor tensor;
  uint64_t dataType = 0;
  bool hasRaw = false, external = false, segment = false, strings = false;
  /// Typed data: bytes of float_data or double_data, values of the others.
  std::vector<char> typed;
  unsigned typedSize = 0;
  std::vector<int64_t> integers;
  bool outOfRange = false;
};
} // namespace

bool Parser::varints(unsigned type, std::vector<int64_t> &values) {
  uint64_t value;
  if (type == Varint) {
    if (!wire.varint(value))
      return false;
    values.push_back(int64_t(value));
    return true;
  }
  Wire part;
  if (type != Bytes || !wire.bytes(part))
    return false;
  while (part.next != part.end) {
    if (!part.varint(value))
      return false;
    values.push_back(int64_t(value));
  }
  return true;
}

bool Parser::fixed(unsigned type, unsigned elementType, unsigned size) {
  Wire part;
  if (type == elementType ? !wire.take(size, part)
                          : type != Bytes || !wire.bytes(part))
    return false;
  if ((part.end - part.next) % size != 0)
    return false;
  typedSize = size;
  typed.insert(typed.end(), part.next, part.end);
  return true;
}

bool Parser::field(uint64_t number, unsigned type) {
  Wire part;
  uint64_t value;
  switch (number) {
  case Dims:
    return varints(type, tensor.shape);
  case DataType:
    return type == Varint && wire.varint(dataType);
  case FloatData:
    return fixed(type, Fixed32, 4);
  case DoubleData:
    return fixed(type, Fixed64, 8);
  case Int32Data:
  case Int64Data:
  case Uint64Data:
    return varints(type, integers);
  case Name:
    if (type != Bytes || !wire.bytes(part))
      return false;
    tensor.name.assign(part.next, part.end);
    return true;
  case RawData:
    if (type != Bytes || !wire.bytes(part))
      return false;
    hasRaw = true;
    tensor.data.assign(part.next, part.end);
    return true;
  case DataLocation:
    if (type != Varint || !wire.varint(value))
      return false;
    external |= value != 0;
    return true;
  default:
    segment |= number == Segment;
    strings |= number == StringData;
    external |= number == ExternalData;
    switch (type) {
    case Varint:
      return wire.varint(value);
    case Fixed64:
      return wire.take(8, part);
    case Bytes:
      return wire.bytes(part);
    case Fixed32:
      return wire.take(4, part);
    }
    return false;
  }
}

/// The inclusive range of an integer type, and of the bit patterns in which
/// int32_data keeps 16-bit floats.
static bool inRange(int64_t value, DType dtype) {
  unsigned bits = 8 * byteSize(dtype);
  switch (dtype) {
  case DType::I8:
  case DType::I16:
  case DType::I32:
    return value >= -(int64_t(1) << (bits - 1)) && value < int64_t(1)
                                                               << (bits - 1);
  case DType::Bool:
    return value == 0 || value == 1;
  case DType::U8:
  case DType::U16:
  case DType::F16:
  case DType::BF16:
  case DType::U32:
    return value >= 0 && value < int64_t(1) << bits;
  case DType::I4:
  case DType::U4: // two elements to a number
    return value >= -128 && value < 256;
  default:
    return true;
  }
}

bool Parser::collectIntegers() {
  unsigned size = byteSize(tensor.dtype);
  if (size == 0)
    size = 1; // a pair of 4-bit integers
  tensor.data.resize(integers.size() * size);
  for (size_t i = 0; i < integers.size(); ++i) {
    if (!inRange(integers[i], tensor.dtype))
      return false;
    std::memcpy(&tensor.data[i * size], &integers[i], size); // little-endian
  }
  return true;
}

Status Parser::check() {
  if (external)
    return Failure{"keeps its data in another file"};
  if (segment)
    return Failure{"is a segment of a tensor"};
  if (dataType > uint64_t(DType::I4) || strings ||
      !byteCount({}, DType(dataType)))
    return Failure{"has ONNX element type " + std::to_string(dataType) +
                   "; boolean, integer or real numbers are needed"};
  tensor.dtype = DType(dataType);
  std::optional<int64_t> size = byteCount(tensor.shape, tensor.dtype);
  if (!size)
    return Failure{"has the impossible shape " + shapeString(tensor.shape)};
  if (!hasRaw) {
    bool real = tensor.dtype == DType::F32 || tensor.dtype == DType::F64;
    if (real ? !integers.empty() ||
                   (typedSize != byteSize(tensor.dtype) && !typed.empty())
             : !typed.empty())
      return Failure{"has data of another type than it declares"};
    if (real)
      tensor.data = std::move(typed);
    else if (!collectIntegers())
      return Failure{std::string("has a value that ") + name(tensor.dtype) +
                     " cannot hold"};
  } else if (!typed.empty() || !integers.empty()) {
    return Failure{"has its data twice"};
  }
  if (int64_t(tensor.data.size()) != *size)
    return Failure{"holds " + std::to_string(tensor.data.size()) +
                   " bytes of data where " + name(tensor.dtype) + " of shape " +
                   shapeString(tensor.shape) + " has " + std::to_string(*size)};
  if (tensor.dtype == DType::Bool)
    for (char &value : tensor.data)
      value = value != 0;
  return {};
}

Result<HostTensor> Parser::parse() {
  while (wire.next != wire.end) {
    uint64_t key;
    if (!wire.varint(key) || key >> 3 == 0 || !field(key >> 3, key & 7))
      return Failure{"is not an ONNX tensor, or is cut short"};
  }
  if (Status status = check(); !status)
    return status.failure();
  return std::move(tensor);
}

Result<HostTensor> qcc::parseTensorProto(const char *data, size_t size) {
  return Parser({data, data + size}).parse();
}

Result<HostTensor> qcc::readTensorProtoFile(const std::string &path) {
  Result<std::vector<char>> bytes = readFile(path);
  if (!bytes)
    return bytes.failure();
  Result<HostTensor> tensor = parseTensorProto(bytes->data(), bytes->size());
  if (!tensor)
    return Failure{"'" + path + "' " + tensor.error()};
  return tensor;
}

static void putVarint(std::vector<char> &to, uint64_t value) {
  for (; value >= 128; value >>= 7)
    to.push_back(char(value | 128));
  to.push_back(char(value));
}

std::vector<char> qcc::writeTensorProto(const HostTensor &tensor) {
  std::vector<char> to;
  for (int64_t extent : tensor.shape) {
    putVarint(to, Dims << 3 | Varint);
    putVarint(to, uint64_t(extent));
  }
  putVarint(to, DataType << 3 | Varint);
  putVarint(to, uint64_t(tensor.dtype));
  if (!tensor.name.empty()) {
    putVarint(to, Name << 3 | Bytes);
    putVarint(to, tensor.name.size());
    to.insert(to.end(), tensor.name.begin(), tensor.name.end());
  }
  putVarint(to, RawData << 3 | Bytes);
  putVarint(to, tensor.data.size());
  to.insert(to.end(), tensor.data.begin(), tensor.data.end());
  return to;
}
