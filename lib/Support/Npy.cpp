//===- Npy.cpp - NumPy's .npy format --------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Npy.h"

#include <algorithm>
#include <cstring>

using namespace qcc;

namespace {
struct TypeCode {
  const char *code;
  DType dtype;
};
} // namespace

static constexpr TypeCode typeCodes[] = {
    {"f4", DType::F32}, {"u1", DType::U8},   {"i1", DType::I8},
    {"u2", DType::U16}, {"i2", DType::I16},  {"i4", DType::I32},
    {"i8", DType::I64}, {"b1", DType::Bool}, {"f2", DType::F16},
    {"f8", DType::F64}, {"u4", DType::U32},  {"u8", DType::U64},
};

static constexpr char magic[] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

//===----------------------------------------------------------------------===//
// The header: a Python dictionary of three keys
//===----------------------------------------------------------------------===//

namespace {
class HeaderParser {
public:
  explicit HeaderParser(const std::string &text) : text(text) {}

  Result<NpyHeader> parse() {
    NpyHeader header;
    bool hasType = false, hasOrder = false, hasShape = false;
    if (!accept('{'))
      return malformed();
    while (!accept('}')) {
      std::string key;
      if (!string(key) || !accept(':'))
        return malformed();
      if (key == "descr") {
        hasType = true;
        std::string code;
        if (peek() == '[')
          return Failure{"holds records; plain numbers are needed"};
        if (!string(code))
          return malformed();
        if (Status status = setType(header, code); !status)
          return status.failure();
      } else if (key == "fortran_order") {
        hasOrder = true;
        header.fortranOrder = word("True");
        if (!header.fortranOrder && !word("False"))
          return malformed();
      } else if (key == "shape") {
        hasShape = true;
        if (!tuple(header.shape))
          return malformed();
      } else {
        return malformed();
      }
      if (!accept(',') && peek() != '}')
        return malformed();
    }
    if (!hasType || !hasOrder || !hasShape)
      return malformed();
    if (!byteCount(header.shape, header.dtype))
      return Failure{"has the impossible shape " + shapeString(header.shape)};
    return header;
  }

private:
  static Failure malformed() { return {"has a malformed .npy header"}; }

  static Status setType(NpyHeader &header, const std::string &code) {
    char order = code.empty() ? '?' : code[0];
    for (const TypeCode &known : typeCodes)
      if (code.size() == 3 && code.compare(1, 2, known.code) == 0 &&
          std::strchr("<>|=", order)) {
        header.dtype = known.dtype;
        header.bigEndian = order == '>';
        return {};
      }
    return Failure{"has elements of NumPy type '" + code +
                   "'; boolean, integer or real numbers are needed"};
  }

  char peek() {
    while (next < text.size() && std::strchr(" \t\n", text[next]))
      ++next;
    return next < text.size() ? text[next] : '\0';
  }
  bool accept(char c) {
    if (peek() != c)
      return false;
    ++next;
    return true;
  }
  bool word(const char *expected) {
    peek();
    size_t length = std::strlen(expected);
    if (text.compare(next, length, expected) != 0)
      return false;
    next += length;
    return true;
  }
  bool string(std::string &value) {
    char quote = peek();
    if (quote != '\'' && quote != '"')
      return false;
    size_t end = text.find(quote, next + 1);
    if (end == std::string::npos)
      return false;
    value = text.substr(next + 1, end - next - 1);
    next = end + 1;
    return true;
  }
  bool tuple(std::vector<int64_t> &values) {
    if (!accept('('))
      return false;
    while (!accept(')')) {
      int64_t value = 0;
      size_t digits = 0;
      for (char c = peek(); c >= '0' && c <= '9' && digits < 18; ++digits) {
        value = value * 10 + (c - '0');
        c = ++next < text.size() ? text[next] : '\0';
      }
      if (next < text.size() && text[next] == 'L') // Python 2's long
        ++next;
      if (digits == 0 || (!accept(',') && peek() != ')'))
        return false;
      values.push_back(value);
    }
    return true;
  }

  const std::string &text;
  size_t next = 0;
};
} // namespace

Result<NpyHeader> qcc::readNpyHeader(ByteReader &reader) {
  unsigned char start[8], lengthBytes[4] = {};
  if (!reader.read(reinterpret_cast<char *>(start), sizeof(start)) ||
      std::memcmp(start, magic, sizeof(magic)) != 0)
    return Failure{"is not an .npy file"};
  if (start[6] < 1 || start[6] > 3)
    return Failure{"has version " + std::to_string(start[6]) +
                   " of the .npy format; 1 to 3 are known"};
  if (Status status = reader.read(reinterpret_cast<char *>(lengthBytes),
                                  start[6] == 1 ? 2 : 4);
      !status)
    return status.failure();
  uint32_t length = lengthBytes[0] | lengthBytes[1] << 8 |
                    lengthBytes[2] << 16 | uint32_t(lengthBytes[3]) << 24;
  if (length > 65536)
    return Failure{"has a malformed .npy header"};
  std::string text(length, '\0');
  if (Status status = reader.read(text.data(), length); !status)
    return status.failure();
  return HeaderParser(text).parse();
}

//===----------------------------------------------------------------------===//
// The elements
//===----------------------------------------------------------------------===//

void qcc::swapBytes(char *data, uint64_t size, unsigned elementSize) {
  if (elementSize < 2)
    return;
  for (char *end = data + size; data != end; data += elementSize)
    std::reverse(data, data + elementSize);
}

/// Copies column-major elements to row-major ones.
static void reorder(const std::vector<char> &from, std::vector<char> &to,
                    const std::vector<int64_t> &shape, unsigned elementSize) {
  std::vector<int64_t> strides(shape.size()), index(shape.size(), 0);
  int64_t stride = elementSize;
  for (size_t d = 0; d < shape.size(); ++d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  const char *source = from.data();
  for (uint64_t at = 0; at < to.size(); at += elementSize) {
    std::memcpy(to.data() + at, source, elementSize);
    for (size_t d = shape.size(); d-- > 0;) {
      source += strides[d];
      if (++index[d] < shape[d])
        break;
      source -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

Result<HostTensor> qcc::readNpy(ByteReader &reader) {
  Result<NpyHeader> header = readNpyHeader(reader);
  if (!header)
    return header.failure();
  uint64_t size = uint64_t(*byteCount(header->shape, header->dtype));
  if (size != reader.remaining())
    return Failure{"holds " + std::to_string(reader.remaining()) +
                   " bytes of data where " + name(header->dtype) +
                   " of shape " + shapeString(header->shape) + " has " +
                   std::to_string(size)};
  HostTensor tensor;
  tensor.dtype = header->dtype;
  tensor.shape = header->shape;
  tensor.data.resize(size);
  if (Status status = reader.read(tensor.data.data(), size); !status)
    return status.failure();
  unsigned elementSize = byteSize(tensor.dtype);
  if (header->bigEndian)
    swapBytes(tensor.data.data(), size, elementSize);
  if (header->fortranOrder && tensor.shape.size() > 1) {
    std::vector<char> rowMajor(size);
    reorder(tensor.data, rowMajor, tensor.shape, elementSize);
    tensor.data = std::move(rowMajor);
  }
  if (tensor.dtype == DType::Bool)
    for (char &value : tensor.data)
      value = value != 0;
  return tensor;
}

Result<HostTensor> qcc::readNpyFile(const std::string &path) {
  auto reader = FileReader::open(path);
  if (!reader)
    return reader.failure();
  Result<HostTensor> tensor = readNpy(**reader);
  if (!tensor)
    return Failure{"'" + path + "' " + tensor.error()};
  return tensor;
}

Result<std::vector<char>> qcc::writeNpy(const HostTensor &tensor) {
  const TypeCode *type =
      std::find_if(std::begin(typeCodes), std::end(typeCodes),
                   [&](const TypeCode &t) { return t.dtype == tensor.dtype; });
  if (type == std::end(typeCodes))
    return Failure{"tensor '" + tensor.name + "' has type " +
                   name(tensor.dtype) + ", which .npy cannot hold; use .pb"};
  std::string header = "{'descr': '";
  header += byteSize(tensor.dtype) == 1 ? '|' : '<';
  header += std::string(type->code) + "', 'fortran_order': False, 'shape': (";
  for (size_t d = 0; d < tensor.shape.size(); ++d)
    header += (d ? ", " : "") + std::to_string(tensor.shape[d]);
  header += tensor.shape.size() == 1 ? ",), }" : "), }";
  // Elements start at a multiple of 64 bytes.
  constexpr size_t prefix = sizeof(magic) + 2 + 2;
  while ((prefix + header.size() + 1) % 64 != 0)
    header += ' ';
  header += '\n';
  if (header.size() > 65535)
    return Failure{"tensor '" + tensor.name + "' has too many dimensions"};

  std::vector<char> bytes(magic, magic + sizeof(magic));
  bytes.insert(bytes.end(), {'\x01', '\x00', char(header.size() & 255),
                             char(header.size() >> 8)});
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), tensor.data.begin(), tensor.data.end());
  return bytes;
}
