//===- Emit.cpp - Artefact files ------------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Emit/Emit.h"

#include "Assemble.h"
#include "Link.h"
#include "mlir/IR/Diagnostics.h"
#include "qcc/Support/OutputFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace qcc;
using namespace qcc::emit;

static Expected<Bytes> makeText(const TargetBackend &backend,
                                ArrayRef<LevelModule> levels,
                                const EmitOptions &options, ArtefactKind kind,
                                MemoryNeeds &memory) {
  Expected<CodeGenerator> generator = CodeGenerator::create(backend);
  if (!generator)
    return generator.takeError();
  LLVMContext context;
  auto module =
      assembleModule(backend, levels, options, *generator, context, memory);
  if (!module)
    return module.takeError();
  if (kind == ArtefactKind::Assembly)
    return generator->generate(**module, CodeGenFileType::AssemblyFile);
  Bytes bytes;
  raw_svector_ostream stream(bytes);
  (*module)->print(stream, nullptr);
  return bytes;
}

static Expected<Bytes> makeBinary(const TargetBackend &backend,
                                  ArrayRef<LevelModule> levels,
                                  const EmitOptions &options, ArtefactKind kind,
                                  MemoryNeeds &memory) {
  Expected<Objects> objects = assembleObjects(backend, levels, options);
  if (!objects)
    return objects.takeError();
  memory = objects->memory;
  if (Error error = checkSymbols(objects->files))
    return std::move(error);
  mlir::TimingScope scope =
      options.timing ? options.timing->nest("Link") : mlir::TimingScope();
  if (kind == ArtefactKind::SharedObject)
    return linkShared(backend, std::move(objects->files));
  Expected<Bytes> object = linkRelocatable(backend, std::move(objects->files));
  if (!object || kind == ArtefactKind::Object)
    return object;
  return archive(*object);
}

/// Whether the prefix begins a C identifier.
static bool isIdentifier(StringRef prefix) {
  return !prefix.empty() && !isDigit(prefix.front()) &&
         llvm::all_of(prefix, [](char c) { return isAlnum(c) || c == '_'; });
}

LogicalResult qcc::emitArtefact(const TargetBackend &backend,
                                ArrayRef<LevelModule> levels,
                                const EmitOptions &options, ArtefactKind kind,
                                StringRef path, ArtefactSizes *sizes) {
  // lld resets every cl::opt of the process, and one may hold the path.
  std::string ownPath = path.str();
  assert(!levels.empty() && "an artefact needs a level");
  mlir::ModuleOp first = levels.front().module;
  mlir::Location loc = first.getLoc();
  if (!isIdentifier(options.prefix))
    return mlir::emitError(loc)
           << "-prefix=" << options.prefix
           << ": expected letters, digits and underscores, no digit first";
  bool isText = kind == ArtefactKind::Assembly || kind == ArtefactKind::LLVMIR;
  MemoryNeeds memory;
  // What a lowering has said of an op need not be followed by its failure.
  bool isExplained = false;
  mlir::ScopedDiagnosticHandler handler(
      first.getContext(), [&](mlir::Diagnostic &diagnostic) {
        isExplained |=
            diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
        return failure(); // not handled here
      });
  Expected<Bytes> bytes =
      isText ? makeText(backend, levels, options, kind, memory)
             : makeBinary(backend, levels, options, kind, memory);
  if (!bytes) {
    std::string problem = toString(bytes.takeError());
    if (!isExplained)
      mlir::emitError(loc) << problem;
    return failure();
  }
  if (sizes) {
    sizes->arenaBytes = memory.arena;
    sizes->flashBytes =
        isText || kind == ArtefactKind::Archive ? 0 : loadedBytes(*bytes);
  }
  Status status = writeFile(ownPath, bytes->data(), bytes->size(),
                            kind == ArtefactKind::SharedObject);
  if (!status)
    return mlir::emitError(loc) << status.error();
  return success();
}

const TargetLevel *qcc::findHostLevel(const TargetBackend &backend) {
  auto host = hostFeatures(Triple(backend.triple()));
  Expected<CodeGenerator> generator = CodeGenerator::create(backend);
  if (!generator) {
    consumeError(generator.takeError());
    return nullptr;
  }
  const TargetLevel *best = nullptr;
  for (const TargetLevel &level : backend.levels()) {
    auto needs = generator->requiredFeatures(level);
    if (!needs) {
      consumeError(needs.takeError());
      continue;
    }
    if (host && ((*needs)[0] & ~(*host)[0]) == 0 &&
        ((*needs)[1] & ~(*host)[1]) == 0)
      best = &level;
  }
  return best;
}
