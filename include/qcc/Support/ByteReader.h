//===- ByteReader.h - Sequential reading of bytes ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_BYTEREADER_H
#define QCC_SUPPORT_BYTEREADER_H

#include "qcc/Support/Result.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace qcc {

class ByteReader {
public:
  virtual ~ByteReader() = default;
  /// Reads exactly `size` bytes or fails.
  virtual Status read(char *to, uint64_t size) = 0;
  /// How many bytes are left at most; nothing larger is ever allocated.
  virtual uint64_t remaining() const = 0;
};

/// Reads memory that someone else owns.
class MemoryReader : public ByteReader {
public:
  MemoryReader(const char *data, uint64_t size) : next(data), left(size) {}
  Status read(char *to, uint64_t size) override;
  uint64_t remaining() const override { return left; }

private:
  const char *next;
  uint64_t left;
};

/// Reads a regular file.
class FileReader : public ByteReader {
public:
  static Result<std::unique_ptr<FileReader>> open(const std::string &path);
  Status read(char *to, uint64_t size) override;
  uint64_t remaining() const override { return length - position; }
  uint64_t size() const { return length; }
  Status seek(uint64_t offset);

private:
  struct Closer {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Closer> file;
  uint64_t position = 0, length = 0;
};

/// The whole of a file; the message of a failure names the path.
Result<std::vector<char>> readFile(const std::string &path);

} // namespace qcc

#endif // QCC_SUPPORT_BYTEREADER_H
