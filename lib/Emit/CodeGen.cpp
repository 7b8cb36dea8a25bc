//===- CodeGen.cpp - LLVM modules to objects ------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CodeGen.h"

#include "qcc/Runtime/qcc_runtime.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"

#include <mutex>

using namespace llvm;
using namespace qcc;
using namespace qcc::emit;

/// What a kernel may take of QCC_STACK_BYTES; the rest is for its callers.
static constexpr unsigned kKernelStackBytes = QCC_STACK_BYTES - (32 << 10);

namespace {
struct Feature {
  unsigned bit;
  const char *name;
};
} // namespace

static ArrayRef<Feature> knownFeatures(const Triple &triple) {
  static const Feature x86[] = {
#define QCC_X86_FEATURE(BIT, NAME, ...) {BIT, NAME},
#include "../Runtime/features.def"
  };
  static const Feature arm[] = {
#define QCC_ARM_FEATURE(BIT, NAME, ...) {BIT, NAME},
#include "../Runtime/features.def"
  };
  if (triple.isX86())
    return x86;
  if (triple.isAArch64())
    return arm;
  return {};
}

/// What every processor of the family has, without dispatch.
static StringRef baselineCPU(const Triple &triple) {
  return triple.isX86() ? "x86-64" : "generic";
}

std::shared_mutex &emit::llvmOptionsMutex() {
  static std::shared_mutex mutex;
  return mutex;
}

Expected<CodeGenerator> CodeGenerator::create(const TargetBackend &backend) {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    InitializeAllAsmParsers();
  });
  Triple triple(backend.triple());
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);
  return CodeGenerator(std::move(triple), target);
}

std::unique_ptr<TargetMachine> CodeGenerator::createMachine() const {
  TargetOptions options;
  options.FunctionSections = true;
  options.DataSections = true;
  // a*b+c stays two roundings unless a kernel asks for fma: all levels agree.
  options.AllowFPOpFusion = FPOpFusion::Strict;
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(
      triple, baselineCPU(triple), "", options, Reloc::PIC_, std::nullopt,
      CodeGenOptLevel::Aggressive));
}

Error CodeGenerator::prepare(Module &module) const {
  std::unique_ptr<TargetMachine> machine = createMachine();
  if (!machine)
    return createStringError("LLVM has no code generator for " + triple.str());
  module.setTargetTriple(triple);
  module.setDataLayout(machine->createDataLayout());
  if (module.getPICLevel() == PICLevel::NotPIC)
    module.setPICLevel(PICLevel::BigPIC);
  return Error::success();
}

void CodeGenerator::setLevel(Function &function,
                             const TargetLevel &level) const {
  function.addFnAttr("target-cpu", baselineCPU(triple));
  if (!level.cpu.empty())
    function.addFnAttr("tune-cpu", level.cpu);
  if (!level.features.empty())
    function.addFnAttr("target-features",
                       level.tuning.empty()
                           ? level.features
                           : level.features + "," + level.tuning);
  std::string width = std::to_string(level.vectorBytes * 8);
  function.addFnAttr("prefer-vector-width", width);
  if (triple.isX86())
    function.addFnAttr("min-legal-vector-width", width);
  function.addFnAttr("no-trapping-math", "true");
  // Kernels fill short lines in vectors; a call would save registers around it.
  function.addFnAttr("no-builtin-memset");
  function.addFnAttr("warn-stack-size", std::to_string(kKernelStackBytes));
  function.addFnAttr(Attribute::NoUnwind);
}

Expected<std::array<uint64_t, 2>>
CodeGenerator::requiredFeatures(const TargetLevel &level) const {
  std::unique_ptr<MCSubtargetInfo> info(target->createMCSubtargetInfo(
      triple, baselineCPU(triple), level.features));
  if (!info)
    return createStringError("LLVM does not know the features of level '" +
                             level.name + "'");
  std::unique_ptr<MCSubtargetInfo> baseline(
      target->createMCSubtargetInfo(triple, baselineCPU(triple), ""));
  std::array<uint64_t, 2> bits{};
  StringSet<> known;
  for (const Feature &feature : knownFeatures(triple)) {
    known.insert(feature.name);
    std::string flag = std::string("+") + feature.name;
    if (info->checkFeatures(flag) && !baseline->checkFeatures(flag))
      bits[feature.bit / 64] |= 1ull << feature.bit % 64;
  }
  // What the level names must be known to the runtime's probe, or an artefact
  // could be run on a processor without it.
  SmallVector<StringRef> names;
  StringRef(level.features).split(names, ',', -1, false);
  for (StringRef name : names)
    if (name.starts_with("+") && !known.contains(name.drop_front()) &&
        !baseline->checkFeatures(name.str()))
      return createStringError("level '" + level.name +
                               "': the runtime cannot probe feature " + name);
  return bits;
}

void CodeGenerator::optimize(Module &module, Effort effort) const {
  std::shared_lock<std::shared_mutex> lock(llvmOptionsMutex());
  std::unique_ptr<TargetMachine> machine = createMachine();
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = effort == Effort::Full;
  tuning.LoopInterleaving = effort == Effort::Full;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(machine.get(), tuning);
  // No libm: what LLVM may call is what the runtime brings.
  TargetLibraryInfoImpl libraries(triple);
  libraries.disableAllFunctions();
  for (LibFunc f : {LibFunc_memcpy, LibFunc_memmove, LibFunc_memset})
    libraries.setAvailable(f);
  functions.registerPass([&] { return TargetLibraryAnalysis(libraries); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder
      .buildPerModuleDefaultPipeline(effort == Effort::Full
                                         ? OptimizationLevel::O2
                                         : OptimizationLevel::O1)
      .run(module, modules);
}

SmallVector<char, 0> CodeGenerator::generate(Module &module,
                                             CodeGenFileType type) const {
  std::shared_lock<std::shared_mutex> lock(llvmOptionsMutex());
  std::unique_ptr<TargetMachine> machine = createMachine();
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  TargetLibraryInfoImpl libraries(triple);
  passes.add(new TargetLibraryInfoWrapperPass(libraries));
  // ELF targets all have an assembler and a printer: it cannot fail.
  bool failed = machine->addPassesToEmitFile(passes, stream, nullptr, type,
                                             /*DisableVerify=*/true);
  assert(!failed && "the target cannot emit this kind of file");
  (void)failed;
  passes.run(module);
  return bytes;
}

std::optional<std::array<uint64_t, 2>>
emit::hostFeatures(const Triple &triple) {
  Triple host(sys::getProcessTriple());
  if (host.getArch() != triple.getArch())
    return std::nullopt;
  StringMap<bool> has = sys::getHostCPUFeatures();
  std::array<uint64_t, 2> bits{};
  for (const Feature &feature : knownFeatures(triple))
    if (has.lookup(feature.name))
      bits[feature.bit / 64] |= 1ull << feature.bit % 64;
  return bits;
}
