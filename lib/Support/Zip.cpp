//===- Zip.cpp - Zip archives ---------------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Zip.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#ifdef QCC_HAVE_ZLIB
#include <zlib.h>
#endif

using namespace qcc;

namespace {
enum : uint32_t {
  LocalSignature = 0x04034b50,
  DirectorySignature = 0x02014b50,
  EndSignature = 0x06054b50,
  End64Signature = 0x06064b50,
  Locator64Signature = 0x07064b50,
};
enum : uint64_t {
  LocalSize = 30,
  DirectorySize = 46,
  EndSize = 22,
  End64Size = 56,
  Locator64Size = 20,
};
} // namespace

static uint64_t get(const char *from, unsigned bytes) {
  uint64_t value = 0;
  for (unsigned i = bytes; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(from[i]);
  return value;
}

static void put(std::vector<char> &to, uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    to.push_back(char(value >> (8 * i)));
}

static uint32_t updateCrc(uint32_t crc, const char *data, uint64_t size) {
#ifdef QCC_HAVE_ZLIB
  while (size) {
    uInt part = uInt(std::min<uint64_t>(size, 1u << 30));
    crc = uint32_t(crc32(crc, reinterpret_cast<const Bytef *>(data), part));
    data += part;
    size -= part;
  }
  return crc;
#else
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t;
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit)
        c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  crc = ~crc;
  for (; size; --size)
    crc = table[(crc ^ static_cast<unsigned char>(*data++)) & 255] ^ (crc >> 8);
  return ~crc;
#endif
}

//===----------------------------------------------------------------------===//
// Entry streams
//===----------------------------------------------------------------------===//

namespace {
/// Checks length and checksum; subclasses deliver the bytes.
class EntryReader : public ByteReader {
public:
  EntryReader(std::unique_ptr<FileReader> file, const ZipArchive::Entry &entry)
      : file(std::move(file)), left(entry.size), expectedCrc(entry.crc) {}

  uint64_t remaining() const override { return left; }
  Status read(char *to, uint64_t size) override {
    if (size > left)
      return Failure{"ends too early"};
    if (Status status = fill(to, size); !status)
      return status;
    crc = updateCrc(crc, to, size);
    left -= size;
    if (left == 0 && crc != expectedCrc)
      return Failure{"is damaged (its checksum does not match)"};
    return {};
  }

protected:
  virtual Status fill(char *to, uint64_t size) = 0;
  std::unique_ptr<FileReader> file;

private:
  uint64_t left;
  uint32_t crc = 0, expectedCrc;
};

class StoredReader : public EntryReader {
public:
  using EntryReader::EntryReader;

private:
  Status fill(char *to, uint64_t size) override { return file->read(to, size); }
};

#ifdef QCC_HAVE_ZLIB
class DeflatedReader : public EntryReader {
public:
  DeflatedReader(std::unique_ptr<FileReader> file,
                 const ZipArchive::Entry &entry)
      : EntryReader(std::move(file), entry),
        compressedLeft(entry.compressedSize), buffer(1 << 16) {
    // Negative: deflate without zlib's own header.
    ready = inflateInit2(&stream, -MAX_WBITS) == Z_OK;
  }
  ~DeflatedReader() override { inflateEnd(&stream); }

private:
  Status fill(char *to, uint64_t size) override {
    while (ready && size) {
      // At the end of the input, inflate may still hold output.
      if (stream.avail_in == 0 && compressedLeft) {
        uint64_t part = std::min<uint64_t>(compressedLeft, buffer.size());
        if (Status status = file->read(buffer.data(), part); !status)
          return status;
        compressedLeft -= part;
        stream.next_in = reinterpret_cast<Bytef *>(buffer.data());
        stream.avail_in = uInt(part);
      }
      uInt part = uInt(std::min<uint64_t>(size, 1u << 30));
      stream.next_out = reinterpret_cast<Bytef *>(to);
      stream.avail_out = part;
      int code = inflate(&stream, Z_NO_FLUSH);
      uInt written = part - stream.avail_out;
      to += written;
      size -= written;
      if (code == Z_STREAM_END ? size != 0 : code != Z_OK)
        break;
    }
    if (size)
      return Failure{"is damaged (it cannot be decompressed)"};
    return {};
  }

  z_stream stream = {};
  uint64_t compressedLeft;
  std::vector<char> buffer;
  bool ready;
};
#endif
} // namespace

Result<std::unique_ptr<ByteReader>> ZipArchive::read(const Entry &entry) const {
  auto file = FileReader::open(path);
  if (!file)
    return file.failure();
  // Name and extra field may differ in length from those in the directory.
  char local[LocalSize];
  if (!(*file)->seek(entry.headerOffset) || !(*file)->read(local, LocalSize) ||
      get(local, 4) != LocalSignature ||
      !(*file)->seek(entry.headerOffset + LocalSize + get(local + 26, 2) +
                     get(local + 28, 2)) ||
      entry.compressedSize > (*file)->remaining())
    return Failure{"is damaged (its place in the archive is wrong)"};
  if (entry.size == 0 && entry.crc != 0)
    return Failure{"is damaged (its checksum does not match)"};
  if (entry.method == 0) {
    if (entry.size != entry.compressedSize)
      return Failure{"is damaged (its sizes contradict each other)"};
    return std::unique_ptr<ByteReader>(
        std::make_unique<StoredReader>(std::move(*file), entry));
  }
  if (entry.method != 8)
    return Failure{"is compressed by method " + std::to_string(entry.method) +
                   "; store it, or use deflate"};
#ifdef QCC_HAVE_ZLIB
  // Deflate shrinks by 1032:1 at most; a larger claim is no honest one.
  if (entry.size / 1040 > entry.compressedSize)
    return Failure{"is damaged (its sizes contradict each other)"};
  return std::unique_ptr<ByteReader>(
      std::make_unique<DeflatedReader>(std::move(*file), entry));
#else
  return Failure{"is compressed, which this build cannot read; save it "
                 "uncompressed (numpy.savez)"};
#endif
}

//===----------------------------------------------------------------------===//
// The directory
//===----------------------------------------------------------------------===//

/// Replaces the fields that say "see the zip64 extra field".
static bool applyZip64(const char *extra, uint64_t size,
                       ZipArchive::Entry &entry) {
  constexpr uint64_t see64 = 0xffffffff;
  uint64_t *fields[] = {&entry.size, &entry.compressedSize,
                        &entry.headerOffset};
  if (std::none_of(std::begin(fields), std::end(fields),
                   [](uint64_t *field) { return *field == see64; }))
    return true;
  while (size >= 4) {
    uint64_t id = get(extra, 2), length = get(extra + 2, 2);
    extra += 4;
    size -= 4;
    if (length > size)
      return false;
    if (id == 1) {
      for (uint64_t *field : fields) {
        if (*field != see64)
          continue;
        if (length < 8)
          return false;
        *field = get(extra, 8);
        extra += 8;
        length -= 8;
      }
      return true;
    }
    extra += length;
    size -= length;
  }
  return false;
}

/// Finds the directory: its offset and size.
static Status findDirectory(FileReader &file, uint64_t &offset,
                            uint64_t &size) {
  const Failure failure{"is not a zip archive, or is cut short"};
  // The end record is followed by a comment of up to 65535 bytes.
  uint64_t tailSize = std::min<uint64_t>(file.size(), EndSize + 65535);
  std::vector<char> tail(tailSize);
  if (tailSize < EndSize || !file.seek(file.size() - tailSize) ||
      !file.read(tail.data(), tailSize))
    return failure;
  uint64_t at = tailSize - EndSize + 1;
  do {
    if (at == 0)
      return failure;
    --at;
  } while (get(&tail[at], 4) != EndSignature ||
           get(&tail[at + 20], 2) > tailSize - at - EndSize);
  size = get(&tail[at + 12], 4);
  offset = get(&tail[at + 16], 4);
  if (at >= Locator64Size &&
      get(&tail[at - Locator64Size], 4) == Locator64Signature) {
    char end64[End64Size];
    if (!file.seek(get(&tail[at - Locator64Size + 8], 8)) ||
        !file.read(end64, End64Size) || get(end64, 4) != End64Signature)
      return failure;
    size = get(end64 + 40, 8);
    offset = get(end64 + 48, 8);
  }
  return {};
}

Result<ZipArchive> ZipArchive::open(const std::string &path) {
  auto file = FileReader::open(path);
  if (!file)
    return file.failure();
  auto fail = [&](const std::string &what) {
    return Failure{"'" + path + "' " + what};
  };
  uint64_t offset = 0, size = 0;
  if (Status status = findDirectory(**file, offset, size); !status)
    return fail(status.error());
  if (!(*file)->seek(offset) || size > (*file)->remaining())
    return fail("is not a zip archive, or is cut short");
  std::vector<char> bytes(size);
  if (Status status = (*file)->read(bytes.data(), size); !status)
    return fail(status.error());

  ZipArchive archive;
  archive.path = path;
  std::set<std::string> names;
  for (uint64_t at = 0; at < size;) {
    const char *from = bytes.data() + at;
    if (size - at < DirectorySize || get(from, 4) != DirectorySignature)
      return fail("has a damaged directory");
    uint64_t nameSize = get(from + 28, 2), extraSize = get(from + 30, 2);
    uint64_t total = DirectorySize + nameSize + extraSize + get(from + 32, 2);
    if (total > size - at)
      return fail("has a damaged directory");
    Entry entry;
    entry.name.assign(from + DirectorySize, nameSize);
    entry.method = uint16_t(get(from + 10, 2));
    entry.crc = uint32_t(get(from + 16, 4));
    entry.compressedSize = get(from + 20, 4);
    entry.size = get(from + 24, 4);
    entry.headerOffset = get(from + 42, 4);
    if (!applyZip64(from + DirectorySize + nameSize, extraSize, entry))
      return fail("has a damaged directory");
    if (get(from + 8, 2) & 1)
      return fail("has the encrypted entry '" + entry.name + "'");
    if (!names.insert(entry.name).second)
      return fail("has two entries '" + entry.name + "'");
    archive.directory.push_back(std::move(entry));
    at += total;
  }
  return archive;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// The fields that local header and directory share, from "version needed".
static void putCommon(std::vector<char> &to, uint32_t crc, uint64_t size,
                      const std::string &name) {
  put(to, 20, 2);
  put(to, 0x0800, 2); // the name is UTF-8
  put(to, 0, 2);      // stored
  put(to, 0, 2);      // midnight,
  put(to, 0x21, 2);   // 1 January 1980: the same input gives the same file
  put(to, crc, 4);
  put(to, size, 4);
  put(to, size, 4);
  put(to, name.size(), 2);
  put(to, 0, 2); // no extra field
}

Status ZipWriter::add(const std::string &name,
                      const std::vector<char> &contents) {
  uint64_t end = bytes.size() + LocalSize + name.size() + contents.size();
  if (end > 0xfffffffe - directory.size() || name.size() > 65535 ||
      count == 65534)
    return Failure{"archives are written up to 4 GB and 65534 entries"};
  uint32_t crc = updateCrc(0, contents.data(), contents.size());
  put(directory, DirectorySignature, 4);
  put(directory, 20, 2);
  putCommon(directory, crc, contents.size(), name);
  put(directory, 0, 6); // no comment, disk 0, internal attributes
  put(directory, 0, 4); // external attributes
  put(directory, bytes.size(), 4);
  directory.insert(directory.end(), name.begin(), name.end());

  put(bytes, LocalSignature, 4);
  putCommon(bytes, crc, contents.size(), name);
  bytes.insert(bytes.end(), name.begin(), name.end());
  bytes.insert(bytes.end(), contents.begin(), contents.end());
  ++count;
  return {};
}

std::vector<char> ZipWriter::finish() {
  uint64_t offset = bytes.size();
  bytes.insert(bytes.end(), directory.begin(), directory.end());
  put(bytes, EndSignature, 4);
  put(bytes, 0, 4);
  put(bytes, count, 2);
  put(bytes, count, 2);
  put(bytes, directory.size(), 4);
  put(bytes, offset, 4);
  put(bytes, 0, 2);
  return std::move(bytes);
}
