//===- Starts.cpp - Where parts of a tensor begin -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Starts.h"
#include "../Conversion/QNNToKernels/LoopBuilder.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace qcc;

Starts::Starts(ArrayRef<int64_t> box, ArrayRef<int64_t> boxStrides,
               int64_t offset)
    : shape(box), strides(boxStrides), offset(offset) {
  reference::collapseBox(shape, {&strides});
}

std::string Starts::key() const {
  std::string key;
  llvm::raw_string_ostream os(key);
  for (auto [extent, stride] : llvm::zip_equal(shape, strides))
    os << ' ' << extent << ':' << stride;
  os << '+' << offset;
  return key;
}

Value Starts::of(CodeBuilder &c, Value number) const {
  Value start = c.index(offset);
  for (size_t d = shape.size(); d-- > 0;) {
    Value digit = d == 0 ? number : c.rem(number, shape[d]);
    start = c.add(start, c.mul(digit, strides[d]));
    number = c.div(number, shape[d]);
  }
  return start;
}

bool Starts::areMultiplesOf(int64_t n) const {
  return offset % n == 0 &&
         llvm::all_of(strides, [&](int64_t stride) { return stride % n == 0; });
}
