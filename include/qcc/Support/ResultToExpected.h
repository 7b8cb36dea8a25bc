//===- ResultToExpected.h - From Result to llvm::Expected -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_RESULTTOEXPECTED_H
#define QCC_SUPPORT_RESULTTOEXPECTED_H

#include "qcc/Support/Result.h"
#include "llvm/Support/Error.h"

namespace qcc {

inline llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

template <typename T> llvm::Expected<T> toExpected(Result<T> result) {
  if (!result)
    return makeError(result.error());
  return std::move(*result);
}

inline llvm::Error toError(const Status &status) {
  return status ? llvm::Error::success() : makeError(status.error());
}

} // namespace qcc

#endif // QCC_SUPPORT_RESULTTOEXPECTED_H
