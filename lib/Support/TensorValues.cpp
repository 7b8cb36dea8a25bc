//===- TensorValues.cpp - Elements of any type as numbers -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/TensorValues.h"

#include <cmath>
#include <cstring>

using namespace qcc;

bool qcc::isFloat(DType dtype) {
  return dtype == DType::F16 || dtype == DType::BF16 || dtype == DType::F32 ||
         dtype == DType::F64;
}

template <typename T> static double at(const HostTensor &tensor, int64_t i) {
  T value;
  std::memcpy(&value, tensor.data.data() + size_t(i) * sizeof(T), sizeof(T));
  return double(value);
}

static double halfAt(const HostTensor &tensor, int64_t i) {
  uint16_t bits;
  std::memcpy(&bits, tensor.data.data() + size_t(i) * 2, 2);
  int exponent = bits >> 10 & 31;
  double fraction = bits & 1023;
  double value = exponent == 31 ? (fraction != 0 ? NAN : INFINITY)
                 : exponent     ? std::ldexp(fraction + 1024, exponent - 25)
                                : std::ldexp(fraction, -24);
  return bits >> 15 ? -value : value;
}

static double bfloatAt(const HostTensor &tensor, int64_t i) {
  uint16_t half;
  std::memcpy(&half, tensor.data.data() + size_t(i) * 2, 2);
  uint32_t bits = uint32_t(half) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

double qcc::elementAsDouble(const HostTensor &tensor, int64_t i) {
  switch (tensor.dtype) {
  case DType::F32:
    return at<float>(tensor, i);
  case DType::F64:
    return at<double>(tensor, i);
  case DType::F16:
    return halfAt(tensor, i);
  case DType::BF16:
    return bfloatAt(tensor, i);
  case DType::Bool:
  case DType::U8:
    return at<uint8_t>(tensor, i);
  case DType::I8:
    return at<int8_t>(tensor, i);
  case DType::U16:
    return at<uint16_t>(tensor, i);
  case DType::I16:
    return at<int16_t>(tensor, i);
  case DType::U32:
    return at<uint32_t>(tensor, i);
  case DType::I32:
    return at<int32_t>(tensor, i);
  case DType::U64:
    return at<uint64_t>(tensor, i);
  case DType::I64:
    return at<int64_t>(tensor, i);
  default:
    return NAN;
  }
}

std::vector<double> qcc::toDoubles(const HostTensor &tensor) {
  unsigned size = byteSize(tensor.dtype);
  std::vector<double> values(size == 0 ? 0 : tensor.data.size() / size);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = elementAsDouble(tensor, int64_t(i));
  return values;
}
