//===- TargetRunner.cpp - Runs qnn modules as artefacts -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetRunner.h"

#include "qcc/Driver/Targets.h"
#include "qcc/Support/Npz.h"
#include "qcc/Support/OutputFile.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace qcc;

namespace {

/// A folder that goes with its owner.
class TemporaryFolder {
public:
  static llvm::Expected<std::unique_ptr<TemporaryFolder>> create() {
    llvm::SmallString<128> path;
    if (std::error_code code =
            llvm::sys::fs::createUniqueDirectory("qcc", path))
      return makeError("cannot create a temporary folder: " + code.message());
    std::unique_ptr<TemporaryFolder> folder(new TemporaryFolder);
    folder->path = path.str().str();
    return folder;
  }
  ~TemporaryFolder() { (void)llvm::sys::fs::remove_directories(path); }
  std::string file(const char *name) const { return path + "/" + name; }

private:
  TemporaryFolder() = default;
  std::string path;
};

class TargetRunner : public ModelRunner {
public:
  TargetRunner(std::unique_ptr<TemporaryFolder> folder,
               std::vector<std::string> command,
               std::vector<std::string> inputs,
               std::vector<std::string> outputs)
      : folder(std::move(folder)), command(std::move(command)),
        inputNames(std::move(inputs)), outputNames(std::move(outputs)) {}

  llvm::Expected<std::vector<HostTensor>>
  run(ArrayRef<HostTensor> inputs) override;

private:
  std::unique_ptr<TemporaryFolder> folder; ///< holds model.so
  std::vector<std::string> command, inputNames, outputNames;
};

} // namespace

llvm::Expected<std::vector<HostTensor>>
TargetRunner::run(ArrayRef<HostTensor> inputs) {
  std::vector<HostTensor> named(inputs.begin(), inputs.end());
  for (auto [tensor, name] : llvm::zip_equal(named, inputNames))
    tensor.name = name;
  auto bytes = writeNpz(named);
  if (!bytes)
    return makeError(bytes.error());
  std::string in = folder->file("in.npz"), out = folder->file("out.npz"),
              log = folder->file("log");
  if (Status status = writeFile(in, bytes->data(), bytes->size()); !status)
    return makeError(status.error());
  std::vector<std::string> arguments = command;
  arguments.insert(arguments.end(),
                   {folder->file("model.so"), "-inputs=" + in, "-o=" + out});
  SmallVector<StringRef> views(arguments.begin(), arguments.end());
  std::optional<StringRef> streams[] = {StringRef(), StringRef(log),
                                        StringRef(log)};
  std::string problem;
  int status = llvm::sys::ExecuteAndWait(command.front(), views, std::nullopt,
                                         streams, 0, 0, &problem);
  if (status != 0) {
    if (auto text = llvm::MemoryBuffer::getFile(log))
      problem += (*text)->getBuffer().rtrim();
    return makeError(llvm::join(command, " ") + " failed: " + problem);
  }
  std::vector<HostTensor> outputs;
  for (const std::string &name : outputNames) {
    auto tensor = readNpzArray(out, name);
    if (!tensor)
      return makeError(tensor.error());
    outputs.push_back(std::move(*tensor));
  }
  return outputs;
}

static std::vector<std::string> namesOf(func::FuncOp main, bool ofInputs) {
  std::vector<std::string> names;
  unsigned count = ofInputs ? main.getNumArguments() : main.getNumResults();
  for (unsigned i = 0; i < count; ++i) {
    auto name = ofInputs ? main.getArgAttrOfType<StringAttr>(i, "qnn.name")
                         : main.getResultAttrOfType<StringAttr>(i, "qnn.name");
    names.push_back(name ? name.str()
                         : (ofInputs ? "input_" : "output_") +
                               std::to_string(i));
  }
  return names;
}

/// The program of this name in PATH, or beside this one.
static llvm::Expected<std::string> findProgram(StringRef name) {
  static int anchor;
  std::string own = llvm::sys::fs::getMainExecutable("qcc", &anchor);
  StringRef folder = llvm::sys::path::parent_path(own);
  if (auto found = llvm::sys::findProgramByName(name, {folder}))
    return *found;
  if (auto found = llvm::sys::findProgramByName(name))
    return *found;
  return makeError("'" + name +
                   "' is needed to run the target and is not there; "
                   "-runner= names what runs its artefacts");
}

/// What runs artefacts of a processor family on this machine.
static llvm::Expected<std::vector<std::string>>
defaultCommand(const TargetSpec &target) {
  llvm::Triple triple(target.backend->triple());
  auto host = hostTarget();
  bool isOwn = bool(host) && host->backend == target.backend;
  if (!host)
    llvm::consumeError(host.takeError());
  std::vector<StringRef> programs = {"qcc-run"};
  if (!isOwn && triple.isAArch64())
    programs = {"qemu-aarch64", "qcc-run-arm64"};
  else if (!isOwn)
    return makeError("nothing here is known to run " + triple.getArchName() +
                     "; -runner= names what does");
  std::vector<std::string> command;
  for (StringRef program : programs) {
    auto path = findProgram(program);
    if (!path)
      return path.takeError();
    command.push_back(*path);
  }
  // Where Debian keeps the libraries of the other family.
  StringRef sysroot = "/usr/aarch64-linux-gnu";
  if (programs.size() == 2 && llvm::sys::fs::is_directory(sysroot))
    command.insert(command.begin() + 1, {"-L", sysroot.str()});
  return command;
}

llvm::Expected<ModelRunnerFactory>
qcc::createTargetRunnerFactory(const CompileOptions &options, StringRef given) {
  auto target = resolveTarget(options.target);
  if (!target)
    return target.takeError();
  std::vector<std::string> command;
  if (given.empty()) {
    auto found = defaultCommand(*target);
    if (!found)
      return found.takeError();
    command = std::move(*found);
  } else {
    llvm::BumpPtrAllocator allocator;
    llvm::StringSaver saver(allocator);
    SmallVector<const char *> words;
    llvm::cl::TokenizeGNUCommandLine(given, saver, words);
    auto path = findProgram(words.empty() ? given : words.front());
    if (!path)
      return path.takeError();
    command.assign(words.begin(), words.end());
    command.front() = *path;
  }
  return [&options, command](
             ModuleOp module) -> llvm::Expected<std::unique_ptr<ModelRunner>> {
    auto folder = TemporaryFolder::create();
    if (!folder)
      return folder.takeError();
    CompileOptions own = options;
    own.emit = EmitKind::SharedLibrary;
    ArtefactSizes sizes;
    if (failed(emitModule(module, own, (*folder)->file("model.so"), sizes)))
      return makeError("the layers cannot be compiled for " + options.target);
    auto main = module.lookupSymbol<func::FuncOp>("main");
    return std::make_unique<TargetRunner>(
        std::move(*folder), command, namesOf(main, true), namesOf(main, false));
  };
}
