//===- Zip.h - Zip archives -------------------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What .npz files need: stored and deflated entries, zip64, no encryption.
// Without QCC_HAVE_ZLIB, deflated entries are refused with a message.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_ZIP_H
#define QCC_SUPPORT_ZIP_H

#include "qcc/Support/ByteReader.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace qcc {

class ZipArchive {
public:
  struct Entry {
    std::string name;
    uint64_t size = 0, compressedSize = 0, headerOffset = 0;
    uint32_t crc = 0;
    uint16_t method = 0;
  };

  /// Reads the directory of the archive at `path`.
  static Result<ZipArchive> open(const std::string &path);
  const std::vector<Entry> &entries() const { return directory; }
  /// A stream of an entry's contents. The checksum is compared when the last
  /// byte is read.
  Result<std::unique_ptr<ByteReader>> read(const Entry &entry) const;

private:
  std::string path;
  std::vector<Entry> directory;
};

/// Collects stored entries; the bytes depend on names and contents only.
class ZipWriter {
public:
  Status add(const std::string &name, const std::vector<char> &contents);
  /// The finished archive.
  std::vector<char> finish();

private:
  std::vector<char> bytes, directory;
  uint16_t count = 0;
};

} // namespace qcc

#endif // QCC_SUPPORT_ZIP_H
