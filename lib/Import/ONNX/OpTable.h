//===- OpTable.h - Which converter for which operator ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_OPTABLE_H
#define QCC_LIB_IMPORT_ONNX_OPTABLE_H

#include "Node.h"

namespace qcc::import {

/// The operator sets of the default domain that are understood.
constexpr int64_t kMinOpset = 6, kMaxOpset = 27;

struct OpEntry {
  const char *domain; ///< "" is the default one
  const char *opType;
  int64_t since; ///< first opset in which the operator has this form
  void (*convert)(Node &);
  int minInputs, maxInputs; ///< maxInputs -1: any number
  unsigned absent = 0;      ///< bit i: operand i < minInputs may be absent
  bool optional(int i) const { return i < 32 && (absent >> i & 1); }
};

/// The entry with the largest `since` that is not beyond `opset`; null if the
/// operator is not supported.
const OpEntry *lookupOp(llvm::StringRef domain, llvm::StringRef opType,
                        int64_t opset);

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_OPTABLE_H
