//===- HostTensor.cpp - A tensor in the compiler's own memory -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/HostTensor.h"

using namespace qcc;

unsigned qcc::byteSize(DType dtype) {
  switch (dtype) {
  case DType::U8:
  case DType::I8:
  case DType::Bool:
    return 1;
  case DType::U16:
  case DType::I16:
  case DType::F16:
  case DType::BF16:
    return 2;
  case DType::F32:
  case DType::I32:
  case DType::U32:
    return 4;
  case DType::F64:
  case DType::I64:
  case DType::U64:
    return 8;
  default:
    return 0;
  }
}

const char *qcc::name(DType dtype) {
  switch (dtype) {
  case DType::F32:
    return "f32";
  case DType::U8:
    return "u8";
  case DType::I8:
    return "i8";
  case DType::U16:
    return "u16";
  case DType::I16:
    return "i16";
  case DType::I32:
    return "i32";
  case DType::I64:
    return "i64";
  case DType::String:
    return "string";
  case DType::Bool:
    return "bool";
  case DType::F16:
    return "f16";
  case DType::F64:
    return "f64";
  case DType::U32:
    return "u32";
  case DType::U64:
    return "u64";
  case DType::BF16:
    return "bf16";
  case DType::U4:
    return "u4";
  case DType::I4:
    return "i4";
  case DType::Undefined:
    break;
  }
  return "undefined";
}

std::optional<int64_t> qcc::elementCount(const std::vector<int64_t> &shape) {
  // Zero extents do not excuse absurd ones: the product without them counts.
  constexpr int64_t limit = int64_t(1) << 48;
  if (shape.size() > 64)
    return std::nullopt;
  int64_t count = 1;
  bool empty = false;
  for (int64_t extent : shape) {
    if (extent < 0)
      return std::nullopt;
    if (extent == 0) {
      empty = true;
      continue;
    }
    if (extent > limit / count)
      return std::nullopt;
    count *= extent;
  }
  return empty ? 0 : count;
}

std::optional<int64_t> qcc::byteCount(const std::vector<int64_t> &shape,
                                      DType dtype) {
  std::optional<int64_t> count = elementCount(shape);
  if (!count)
    return std::nullopt;
  if (dtype == DType::U4 || dtype == DType::I4)
    return (*count + 1) / 2;
  unsigned size = byteSize(dtype);
  if (size == 0)
    return std::nullopt;
  return *count * size;
}

std::string qcc::shapeString(const std::vector<int64_t> &shape) {
  if (shape.empty())
    return "scalar";
  std::string text;
  for (int64_t extent : shape) {
    if (text.size() > 400)
      return text + "x...";
    if (!text.empty())
      text += 'x';
    text += std::to_string(extent);
  }
  return text;
}
