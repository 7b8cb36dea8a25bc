//===- Link.cpp - Objects to artefacts ------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Link.h"

#include "CodeGen.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ObjCopy/CommonConfig.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/StringSaver.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;
using namespace qcc;
using namespace qcc::emit;

static Expected<std::unique_ptr<object::ObjectFile>> open(const Bytes &bytes) {
  return object::ObjectFile::createObjectFile(
      MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "qcc.o"));
}

Error emit::checkSymbols(ArrayRef<Bytes> objects) {
  StringSet<> defined, needed;
  for (const Bytes &bytes : objects) {
    auto object = open(bytes);
    if (!object)
      return object.takeError();
    for (const object::SymbolRef &symbol : (*object)->symbols()) {
      auto name = symbol.getName();
      auto flags = symbol.getFlags();
      if (!name || !flags) {
        consumeError(name.takeError());
        consumeError(flags.takeError());
        continue;
      }
      if (!(*flags & object::SymbolRef::SF_Undefined))
        defined.insert(*name);
      else if (!(*flags & object::SymbolRef::SF_Weak) && !name->empty())
        needed.insert(*name);
    }
  }
  SmallVector<StringRef> missing;
  for (const auto &entry : needed)
    if (!defined.contains(entry.getKey()))
      missing.push_back(entry.getKey());
  if (missing.empty())
    return Error::success();
  llvm::sort(missing);
  return createStringError("internal error: the generated code calls '" +
                           llvm::join(missing, "', '") +
                           "', which no artefact may leave undefined");
}

namespace {
/// Files that lld reads and writes, removed at the end.
class Workspace {
public:
  ~Workspace() {
    for (const std::string &path : paths)
      (void)sys::fs::remove(path);
  }
  Expected<std::string> create(const Bytes &contents) {
    SmallString<128> path;
    int descriptor;
    if (std::error_code code =
            sys::fs::createTemporaryFile("qcc", "o", descriptor, path))
      return createStringError(code, "cannot create a temporary file: " +
                                         code.message());
    paths.push_back(path.str().str());
    raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    stream.write(contents.data(), contents.size());
    stream.close();
    if (std::error_code code = stream.error()) {
      stream.clear_error();
      return createStringError(code, "cannot write a temporary file: " +
                                         code.message());
    }
    return paths.back();
  }

private:
  std::vector<std::string> paths;
};
} // namespace

/// Runs ld.lld with `flags` on the objects and returns what it writes.
static Expected<Bytes> runLinker(const TargetBackend &backend,
                                 ArrayRef<const char *> flags,
                                 std::vector<Bytes> objects) {
  Workspace workspace;
  std::vector<std::string> inputs;
  for (Bytes &object : objects) {
    Expected<std::string> path = workspace.create(object);
    if (!path)
      return path.takeError();
    inputs.push_back(std::move(*path));
    object = Bytes();
  }
  Expected<std::string> output = workspace.create({});
  if (!output)
    return output.takeError();
  std::string emulation = backend.emulation().str();
  std::vector<const char *> arguments = {"ld.lld", "-m", emulation.c_str()};
  llvm::append_range(arguments, flags);
  arguments.insert(arguments.end(), {"-o", output->c_str()});
  for (const std::string &input : inputs)
    arguments.push_back(input.c_str());

  std::string messages;
  raw_string_ostream stream(messages);
  {
    // lld keeps global state, and resets the options that LLVM reads.
    std::unique_lock<std::shared_mutex> lock(llvmOptionsMutex());
    lld::Result result =
        lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
    if (result.retCode != 0)
      return createStringError("internal error: cannot link: " + messages);
  }
  auto buffer = MemoryBuffer::getFile(*output, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(buffer.getError(), "cannot read back the linked "
                                                "file");
  return Bytes((*buffer)->getBuffer().begin(), (*buffer)->getBuffer().end());
}

Expected<Bytes> emit::linkShared(const TargetBackend &backend,
                                 std::vector<Bytes> objects) {
  return runLinker(backend,
                   {"-shared", "--build-id=none", "-z", "now", "-z", "relro",
                    "-z", "noexecstack", "--gc-sections", "--strip-debug",
                    "--hash-style=both", "-Bsymbolic"},
                   std::move(objects));
}

Expected<Bytes> emit::linkRelocatable(const TargetBackend &backend,
                                      std::vector<Bytes> objects) {
  Expected<Bytes> linked =
      runLinker(backend, {"-r", "--build-id=none"}, std::move(objects));
  if (!linked)
    return linked.takeError();
  auto object = open(*linked);
  if (!object)
    return object.takeError();
  // Two models may go into one program, and libc has a memcpy too.
  objcopy::ConfigManager config;
  config.ELF.LocalizeHidden = true;
  Bytes result;
  raw_svector_ostream stream(result);
  if (Error error = objcopy::executeObjcopyOnBinary(config, **object, stream))
    return std::move(error);
  return result;
}

Expected<Bytes> emit::renameSymbols(StringRef object, StringRef mark,
                                    StringRef prefix) {
  auto file = object::ObjectFile::createObjectFile(
      MemoryBufferRef(object, "runtime.o"));
  if (!file)
    return file.takeError();
  objcopy::ConfigManager config;
  BumpPtrAllocator allocator;
  StringSaver names(allocator);
  for (const object::SymbolRef &symbol : (*file)->symbols()) {
    Expected<StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    if (name->starts_with(mark))
      config.Common.SymbolsToRename[*name] =
          names.save(prefix + name->drop_front(mark.size()));
  }
  Bytes result;
  raw_svector_ostream stream(result);
  if (Error error = objcopy::executeObjcopyOnBinary(config, **file, stream))
    return std::move(error);
  return result;
}

Expected<Bytes> emit::archive(const Bytes &object) {
  NewArchiveMember member(
      MemoryBufferRef(StringRef(object.data(), object.size()), "model.o"));
  Bytes result;
  raw_svector_ostream stream(result);
  if (Error error = writeArchiveToStream(
          stream, member, SymtabWritingMode::NormalSymtab,
          object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false))
    return std::move(error);
  return result;
}

uint64_t emit::loadedBytes(const Bytes &file) {
  auto object = open(file);
  if (!object) {
    consumeError(object.takeError());
    return 0;
  }
  uint64_t bytes = 0;
  for (const object::ELFSectionRef section : (*object)->sections())
    if ((section.getFlags() & ELF::SHF_ALLOC) &&
        section.getType() != ELF::SHT_NOBITS)
      bytes += section.getSize();
  return bytes;
}
