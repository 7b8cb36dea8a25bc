//===- ByteReader.cpp - Sequential reading of bytes -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/ByteReader.h"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <sys/types.h>

using namespace qcc;

Status MemoryReader::read(char *to, uint64_t size) {
  if (size > left)
    return Failure{"ends too early"};
  if (size)
    std::memcpy(to, next, size);
  next += size;
  left -= size;
  return {};
}

Result<std::unique_ptr<FileReader>> FileReader::open(const std::string &path) {
  // Looked at first: opening a pipe would wait for its writer.
  struct stat info;
  if (stat(path.c_str(), &info) != 0)
    return Failure{"cannot open '" + path + "': " + std::strerror(errno)};
  if (!S_ISREG(info.st_mode))
    return Failure{"cannot open '" + path + "': not a regular file"};
  auto reader = std::make_unique<FileReader>();
  reader->file.reset(std::fopen(path.c_str(), "rb"));
  if (!reader->file)
    return Failure{"cannot open '" + path + "': " + std::strerror(errno)};
  reader->length = uint64_t(info.st_size);
  return reader;
}

Status FileReader::read(char *to, uint64_t size) {
  if (size > remaining())
    return Failure{"ends too early"};
  if (size && std::fread(to, 1, size, file.get()) != size)
    return Failure{"cannot be read"};
  position += size;
  return {};
}

Status FileReader::seek(uint64_t offset) {
  if (offset > length || fseeko(file.get(), off_t(offset), SEEK_SET) != 0)
    return Failure{"ends too early"};
  position = offset;
  return {};
}

Result<std::vector<char>> qcc::readFile(const std::string &path) {
  auto reader = FileReader::open(path);
  if (!reader)
    return reader.failure();
  std::vector<char> bytes((*reader)->size());
  if (Status status = (*reader)->read(bytes.data(), bytes.size()); !status)
    return Failure{"'" + path + "' " + status.error()};
  return bytes;
}
