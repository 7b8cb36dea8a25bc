//===- HostTensor.h - A tensor in the compiler's own memory ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_HOSTTENSOR_H
#define QCC_SUPPORT_HOSTTENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qcc {

/// Element types, with the codes of ONNX's TensorProto.DataType.
enum class DType : int32_t {
  Undefined = 0, F32 = 1, U8 = 2, I8 = 3, U16 = 4, I16 = 5, I32 = 6, I64 = 7,
  String = 8, Bool = 9, F16 = 10, F64 = 11, U32 = 12, U64 = 13, BF16 = 16,
  U4 = 21, I4 = 22,
};

/// Bytes per element; 0 for Undefined, String and sub-byte types.
unsigned byteSize(DType dtype);
/// "f32", "u8", ... as printed in diagnostics.
llvm::StringRef name(DType dtype);

/// A dense row-major tensor that owns its bytes (bool: one byte each).
struct HostTensor {
  std::string name;
  DType dtype = DType::Undefined;
  llvm::SmallVector<int64_t, 6> shape;
  std::vector<char> data;

  int64_t numElements() const {
    int64_t n = 1;
    for (int64_t d : shape)
      n *= d;
    return n;
  }
  template <typename T> llvm::ArrayRef<T> as() const {
    return {reinterpret_cast<const T *>(data.data()), data.size() / sizeof(T)};
  }
};

} // namespace qcc

#endif // QCC_SUPPORT_HOSTTENSOR_H
