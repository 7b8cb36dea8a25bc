//===- Starts.h - Where parts of a tensor begin -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_STARTS_H
#define QCC_LIB_CODEGEN_STARTS_H

#include "CodeBuilder.h"

#include <string>

namespace qcc {

/// Of the rows or matrices of a tensor, by their number: where they begin in
/// the buffer of another tensor that holds the same elements.
struct Starts {
  Starts() = default;
  /// One part per element of a box.
  Starts(llvm::ArrayRef<int64_t> box, llvm::ArrayRef<int64_t> strides,
         int64_t offset = 0);

  std::string key() const;
  mlir::Value of(CodeBuilder &c, mlir::Value number) const;
  /// Whether all starts are multiples of `n`.
  bool areMultiplesOf(int64_t n) const;

  llvm::SmallVector<int64_t> shape, strides;
  int64_t offset = 0;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_STARTS_H
