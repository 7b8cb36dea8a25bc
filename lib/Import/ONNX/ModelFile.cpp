//===- ModelFile.cpp - Parse a model, map its external data --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;

std::optional<int64_t> qcc::import::countElements(ArrayRef<int64_t> shape) {
  if (shape.size() > kMaxRank)
    return std::nullopt;
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0 || dim > kMaxElements)
      return std::nullopt;
    // Empty dimensions do not make up for excessive ones.
    count *= std::max<int64_t>(dim, 1);
    if (count > kMaxElements)
      return std::nullopt;
  }
  return llvm::is_contained(shape, 0) ? 0 : count;
}

std::string qcc::import::shapeToString(ArrayRef<int64_t> shape) {
  return shape.empty() ? "scalar"
                       : llvm::join(llvm::map_range(shape,
                                                    [](int64_t d) {
                                                      return std::to_string(d);
                                                    }),
                                    "x");
}

std::shared_ptr<ModelFile> ModelFile::parse(StringRef bytes,
                                            StringRef directory,
                                            StringRef linkedDirectory,
                                            EmitError emitError) {
  if (bytes.empty()) {
    emitError() << "the file is empty; expected an ONNX model";
    return nullptr;
  }
  if (bytes.size() > size_t(std::numeric_limits<int>::max())) {
    emitError() << "the file is larger than 2 GiB, the limit of protobuf; save "
                   "the model with external data";
    return nullptr;
  }

  auto file = std::make_shared<ModelFile>();
  file->directory = directory.str();
  file->linkedDirectory = linkedDirectory.str();
  google::protobuf::LogSilencer silencer; // we report parse errors ourselves
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(bytes.data()), int(bytes.size()));
  stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
  if (!file->model.ParseFromCodedStream(&stream) ||
      !stream.ConsumedEntireMessage()) {
    emitError() << "not an ONNX model: the file is truncated, corrupt or of "
                   "another format";
    return nullptr;
  }
  if (!file->model.has_graph()) {
    emitError() << "not an ONNX model, or an empty one: it holds no graph";
    return nullptr;
  }
  return file;
}

std::optional<ArrayRef<char>>
ModelFile::externalBytes(const onnx::TensorProto &tensor, size_t size,
                         EmitError emitError) {
  StringRef location, offsetText, lengthText;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      offsetText = entry.value();
    else if (entry.key() == "length")
      lengthText = entry.value();
  }
  auto error = [&]() {
    return emitError() << "external data of tensor \"" << tensor.name()
                       << "\": ";
  };
  if (location.empty()) {
    error() << "no file is named";
    return std::nullopt;
  }
  if (directory.empty()) {
    error() << "a model in memory has no folder to look for \"" << location
            << "\" in";
    return std::nullopt;
  }
  // A model must not make the compiler read files outside of its own folder.
  bool escapes =
      llvm::sys::path::is_absolute(location) || location.contains('\0') ||
      llvm::is_contained(llvm::make_range(llvm::sys::path::begin(location),
                                          llvm::sys::path::end(location)),
                         "..");
  SmallString<256> path(directory), realPath;
  llvm::sys::path::append(path, location);
  if (escapes) {
    error() << "\"" << location
            << "\" lies outside of the model's folder; it must be a relative "
               "path without \"..\"";
    return std::nullopt;
  }

  std::unique_ptr<llvm::MemoryBuffer> &buffer = externalFiles[location];
  if (!buffer) {
    if (std::error_code code = llvm::sys::fs::real_path(path, realPath)) {
      error() << "cannot open \"" << location << "\": " << code.message();
      return std::nullopt;
    }
    auto holdsFile = [&](StringRef folder) {
      SmallString<256> real;
      if (llvm::sys::fs::real_path(folder, real))
        return false;
      return llvm::sys::path::parent_path(realPath).starts_with(real) &&
             (StringRef(realPath).drop_front(real.size()).starts_with("/") ||
              real == "/");
    };
    // The second folder is where a linked model file really lies, with its
    // data beside it, as in caches of downloaded models.
    if (!holdsFile(directory) && !holdsFile(linkedDirectory)) {
      error() << "\"" << location
              << "\" is a link to a file outside of the model's folder";
      return std::nullopt;
    }
    if (!llvm::sys::fs::is_regular_file(realPath)) {
      error() << "\"" << location << "\" is no regular file";
      return std::nullopt;
    }
    auto file = llvm::MemoryBuffer::getFile(realPath, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
    if (!file) {
      error() << "cannot read \"" << location
              << "\": " << file.getError().message();
      return std::nullopt;
    }
    buffer = std::move(*file);
  }

  uint64_t offset = 0, length = size;
  if ((!offsetText.empty() && offsetText.getAsInteger(10, offset)) ||
      (!lengthText.empty() && lengthText.getAsInteger(10, length))) {
    error() << "offset \"" << offsetText << "\" or length \"" << lengthText
            << "\" is no number";
    return std::nullopt;
  }
  if (length != size) {
    error() << "it is " << length << " bytes long, but its shape and type need "
            << size;
    return std::nullopt;
  }
  uint64_t available = buffer->getBufferSize();
  if (offset > available || size > available - offset) {
    error() << "bytes " << offset << " to " << offset + size << " of \""
            << location << "\" are needed, but it has only " << available;
    return std::nullopt;
  }
  return ArrayRef<char>(buffer->getBufferStart() + offset, size);
}
