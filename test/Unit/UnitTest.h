//===- UnitTest.h - Helpers of the unit tests -------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TEST_UNIT_UNITTEST_H
#define QCC_TEST_UNIT_UNITTEST_H

#include "qcc/Support/HostTensor.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace qcc::test {

/// A folder that is removed with its contents.
class TempFolder {
public:
  TempFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "qcc-test-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::string path(const std::string &name) const {
    return (folder / name).string();
  }
  std::string write(const std::string &name, const std::string &bytes) const {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  size_t count() const {
    return size_t(std::distance(std::filesystem::directory_iterator(folder),
                                std::filesystem::directory_iterator()));
  }

private:
  std::filesystem::path folder;
};

inline std::string fromHex(const std::string &hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += char(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

inline std::string toString(const std::vector<char> &bytes) {
  return std::string(bytes.begin(), bytes.end());
}

template <typename T>
HostTensor tensor(const std::string &name, DType dtype,
                  std::vector<int64_t> shape, const std::vector<T> &values) {
  HostTensor t;
  t.name = name;
  t.dtype = dtype;
  t.shape = std::move(shape);
  t.data.resize(values.size() * sizeof(T));
  if (!values.empty())
    std::memcpy(t.data.data(), values.data(), t.data.size());
  return t;
}

template <typename T> std::vector<T> values(const HostTensor &t) {
  return {t.as<T>().begin(), t.as<T>().end()};
}

} // namespace qcc::test

/// `expression` is a Result that fails with a message that has `part` in it.
#define EXPECT_FAILURE(expression, part)                                       \
  do {                                                                         \
    auto result_ = (expression);                                               \
    EXPECT_FALSE(bool(result_));                                               \
    EXPECT_NE(result_.error().find(part), std::string::npos)                   \
        << "message: " << result_.error();                                     \
  } while (false)

#endif // QCC_TEST_UNIT_UNITTEST_H
