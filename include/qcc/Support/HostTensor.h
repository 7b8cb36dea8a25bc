//===- HostTensor.h - A tensor in the compiler's own memory ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_HOSTTENSOR_H
#define QCC_SUPPORT_HOSTTENSOR_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// This header and the file readers of Support are plain C++, without LLVM:
// qcc-run, which is also built for other machines, uses them too.
namespace qcc {

/// Element types, with the codes of ONNX's TensorProto.DataType.
enum class DType : int32_t {
  Undefined = 0,
  F32 = 1,
  U8 = 2,
  I8 = 3,
  U16 = 4,
  I16 = 5,
  I32 = 6,
  I64 = 7,
  String = 8,
  Bool = 9,
  F16 = 10,
  F64 = 11,
  U32 = 12,
  U64 = 13,
  BF16 = 16,
  U4 = 21,
  I4 = 22,
};

/// Bytes per element; 0 for Undefined, String and sub-byte types.
unsigned byteSize(DType dtype);
/// "f32", "u8", ... as printed in diagnostics.
const char *name(DType dtype);

/// The number of elements of a shape; nothing for negative extents and for
/// counts that no tensor in memory can have.
std::optional<int64_t> elementCount(const std::vector<int64_t> &shape);
/// The bytes of a tensor (4-bit elements: two to a byte); nothing for strings,
/// undefined types and shapes without an element count.
std::optional<int64_t> byteCount(const std::vector<int64_t> &shape,
                                 DType dtype);
/// "1x3x224x224", "scalar".
std::string shapeString(const std::vector<int64_t> &shape);

/// Elements that someone else owns. Converts to llvm::ArrayRef implicitly.
template <typename T> class Span {
public:
  using value_type = T;
  Span() = default;
  Span(const T *data, size_t size) : first(data), count(size) {}
  const T *data() const { return first; }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  const T *begin() const { return first; }
  const T *end() const { return first + count; }
  const T &operator[](size_t i) const { return first[i]; }

private:
  const T *first = nullptr;
  size_t count = 0;
};

/// A dense row-major tensor that owns its bytes (bool: one byte each).
struct HostTensor {
  std::string name;
  DType dtype = DType::Undefined;
  std::vector<int64_t> shape;
  std::vector<char> data;

  int64_t numElements() const {
    int64_t n = 1;
    for (int64_t d : shape)
      n *= d;
    return n;
  }
  template <typename T> Span<T> as() const {
    return {reinterpret_cast<const T *>(data.data()), data.size() / sizeof(T)};
  }
};

} // namespace qcc

#endif // QCC_SUPPORT_HOSTTENSOR_H
