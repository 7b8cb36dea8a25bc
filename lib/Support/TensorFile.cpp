//===- TensorFile.cpp - Tensor files by extension -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/TensorFile.h"
#include "qcc/Support/Npy.h"
#include "qcc/Support/Npz.h"
#include "qcc/Support/OutputFile.h"
#include "qcc/Support/TensorProto.h"

#include <cctype>
#include <cstring>
#include <sys/stat.h>

using namespace qcc;

bool qcc::hasExtension(const std::string &path, const char *extension) {
  size_t length = std::strlen(extension);
  if (path.size() <= length)
    return false;
  for (size_t i = 0; i < length; ++i) {
    auto c = static_cast<unsigned char>(path[path.size() - length + i]);
    if (std::tolower(c) != extension[i])
      return false;
  }
  return true;
}

static Status loadFile(const std::string &path, std::vector<HostTensor> &to) {
  if (hasExtension(path, ".npz")) {
    Result<std::vector<HostTensor>> tensors = readNpz(path);
    if (!tensors)
      return tensors.failure();
    for (HostTensor &tensor : *tensors)
      to.push_back(std::move(tensor));
    return {};
  }
  if (!hasExtension(path, ".npy") && !hasExtension(path, ".pb"))
    return Failure{"'" + path + "' is no .npz, .npy or .pb file"};
  Result<HostTensor> tensor = hasExtension(path, ".npy")
                                  ? readNpyFile(path)
                                  : readTensorProtoFile(path);
  if (!tensor)
    return tensor.failure();
  to.push_back(std::move(*tensor));
  return {};
}

Result<std::vector<HostTensor>> qcc::loadTensors(const std::string &spec) {
  std::vector<HostTensor> tensors;
  // A file whose name has a comma is still one file.
  struct stat info;
  if (stat(spec.c_str(), &info) == 0) {
    if (Status status = loadFile(spec, tensors); !status)
      return status.failure();
    return tensors;
  }
  for (size_t begin = 0; begin <= spec.size();) {
    size_t end = std::min(spec.find(',', begin), spec.size());
    if (Status status = loadFile(spec.substr(begin, end - begin), tensors);
        !status)
      return status.failure();
    begin = end + 1;
  }
  return tensors;
}

Status qcc::saveTensors(const std::string &path,
                        const std::vector<HostTensor> &tensors) {
  std::vector<char> bytes;
  if (hasExtension(path, ".npz")) {
    Result<std::vector<char>> archive = writeNpz(tensors);
    if (!archive)
      return archive.failure();
    bytes = std::move(*archive);
  } else if (!hasExtension(path, ".npy") && !hasExtension(path, ".pb")) {
    return Failure{"'" + path + "' is no .npz, .npy or .pb file"};
  } else if (tensors.size() != 1) {
    return Failure{"'" + path + "' can hold one tensor, not " +
                   std::to_string(tensors.size()) + "; use .npz"};
  } else if (hasExtension(path, ".pb")) {
    bytes = writeTensorProto(tensors[0]);
  } else {
    Result<std::vector<char>> array = writeNpy(tensors[0]);
    if (!array)
      return array.failure();
    bytes = std::move(*array);
  }
  return writeFile(path, bytes.data(), bytes.size());
}
