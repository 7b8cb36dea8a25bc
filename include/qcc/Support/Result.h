//===- Result.h - A value or why there is none ------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For code that must build without LLVM; elsewhere llvm::Expected is used
// (ResultToExpected.h converts).
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_RESULT_H
#define QCC_SUPPORT_RESULT_H

#include <optional>
#include <string>
#include <utility>

namespace qcc {

/// What went wrong, in one sentence without a full stop.
struct Failure {
  std::string message;
};

template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : value(std::move(value)) {}
  Result(Failure failure) : message(std::move(failure.message)) {}

  explicit operator bool() const { return value.has_value(); }
  T &operator*() { return *value; }
  const T &operator*() const { return *value; }
  T *operator->() { return &*value; }
  const T *operator->() const { return &*value; }

  const std::string &error() const { return message; }
  Failure failure() const { return {message}; }

private:
  std::optional<T> value;
  std::string message;
};

/// Success or a failure.
template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Failure failure) : failed(true), message(std::move(failure.message)) {}

  explicit operator bool() const { return !failed; }
  const std::string &error() const { return message; }
  Failure failure() const { return {message}; }

private:
  bool failed = false;
  std::string message;
};
using Status = Result<void>;

} // namespace qcc

#endif // QCC_SUPPORT_RESULT_H
