//===- Npz.cpp - NumPy's .npz archives of named tensors -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Npz.h"
#include "qcc/Support/Npy.h"
#include "qcc/Support/Zip.h"

#include <set>

using namespace qcc;

static constexpr char suffix[] = ".npy";
static constexpr size_t suffixSize = sizeof(suffix) - 1;

std::optional<std::string> qcc::npzTensorName(const std::string &entry) {
  if (entry.size() < suffixSize ||
      entry.compare(entry.size() - suffixSize, suffixSize, suffix) != 0)
    return std::nullopt;
  return entry.substr(0, entry.size() - suffixSize);
}

static Result<HostTensor> readEntry(const ZipArchive &archive,
                                    const ZipArchive::Entry &entry,
                                    const std::string &name,
                                    const std::string &path) {
  auto fail = [&](const std::string &what) {
    return Failure{"'" + path + "': '" + name + "' " + what};
  };
  auto reader = archive.read(entry);
  if (!reader)
    return fail(reader.error());
  Result<HostTensor> tensor = readNpy(**reader);
  if (!tensor)
    return fail(tensor.error());
  tensor->name = name;
  return tensor;
}

Result<std::vector<HostTensor>> qcc::readNpz(const std::string &path) {
  Result<ZipArchive> archive = ZipArchive::open(path);
  if (!archive)
    return archive.failure();
  std::vector<HostTensor> tensors;
  for (const ZipArchive::Entry &entry : archive->entries()) {
    std::optional<std::string> name = npzTensorName(entry.name);
    if (!name)
      continue;
    Result<HostTensor> tensor = readEntry(*archive, entry, *name, path);
    if (!tensor)
      return tensor.failure();
    tensors.push_back(std::move(*tensor));
  }
  if (tensors.empty())
    return Failure{"'" + path + "' holds no arrays"};
  return tensors;
}

Result<HostTensor> qcc::readNpzArray(const std::string &path,
                                     const std::string &name) {
  Result<ZipArchive> archive = ZipArchive::open(path);
  if (!archive)
    return archive.failure();
  for (const ZipArchive::Entry &entry : archive->entries())
    if (npzTensorName(entry.name) == name)
      return readEntry(*archive, entry, name, path);
  return Failure{"'" + path + "' has no array '" + name + "'"};
}

Result<std::vector<char>>
qcc::writeNpz(const std::vector<HostTensor> &tensors) {
  ZipWriter writer;
  std::set<std::string> names;
  for (const HostTensor &tensor : tensors) {
    if (!names.insert(tensor.name).second)
      return Failure{"two tensors are called '" + tensor.name + "'"};
    Result<std::vector<char>> bytes = writeNpy(tensor);
    if (!bytes)
      return bytes.failure();
    if (Status status = writer.add(tensor.name + suffix, *bytes); !status)
      return status.failure();
  }
  return writer.finish();
}
