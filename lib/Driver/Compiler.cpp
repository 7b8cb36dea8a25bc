//===- Compiler.cpp - From a model file to an artefact --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/Compiler.h"
#include "qcc/Driver/Phases.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Emit/Emit.h"
#include "qcc/Import/ONNX/Importer.h"
#include "qcc/Support/OutputFile.h"

#include "mlir/Support/Timing.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace qcc {

namespace {

/// One run of the compiler: what the phases share.
class Compilation {
public:
  Compilation(MLIRContext &context, const CompileOptions &options,
              const CompileHooks &hooks)
      : context(context), options(options), hooks(hooks) {
    timing.setEnabled(options.time);
    root = timing.getRootScope();
  }

  LogicalResult run();

private:
  /// An error about the command line or the output file.
  InFlightDiagnostic error() {
    return emitError(UnknownLoc::get(&context));
  }
  LogicalResult chooseEmitKind();
  LogicalResult runPipeline(ModuleOp module, TimingScope &scope,
                            llvm::function_ref<void(OpPassManager &)> build);
  LogicalResult dump(ModuleOp module, Phase phase, StringRef level = "");
  LogicalResult writeText(llvm::function_ref<void(llvm::raw_ostream &)> print,
                          const llvm::Twine &path);
  LogicalResult emitModule(ModuleOp module);
  LogicalResult emitLevels(ModuleOp module, const TargetSpec &target);

  MLIRContext &context;
  const CompileOptions &options;
  const CompileHooks &hooks;
  EmitKind kind = EmitKind::SharedLibrary;
  DefaultTimingManager timing;
  TimingScope root;
};

} // namespace

LogicalResult Compilation::chooseEmitKind() {
  if (options.emit) {
    kind = *options.emit;
    return success();
  }
  StringRef extension = llvm::sys::path::extension(options.output);
  std::optional<EmitKind> chosen =
      llvm::StringSwitch<std::optional<EmitKind>>(extension)
          .Case(".so", EmitKind::SharedLibrary)
          .Case(".o", EmitKind::Object)
          .Case(".a", EmitKind::Archive)
          .Case(".s", EmitKind::Assembly)
          .Case(".ll", EmitKind::LLVMIR)
          .Case(".mlir", EmitKind::Quantize)
          .Default(std::nullopt);
  if (!chosen)
    return error() << options.output
                   << ": the extension names no kind of output; use .so, .o, "
                      ".a, .s, .ll or .mlir, or say -emit=";
  kind = *chosen;
  return success();
}

LogicalResult
Compilation::runPipeline(ModuleOp module, TimingScope &scope,
                         llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(&context, ModuleOp::getOperationName());
  build(pm);
  pm.enableTiming(scope);
  if (hooks.configurePasses && failed(hooks.configurePasses(pm)))
    return failure();
  return pm.run(module);
}

LogicalResult
Compilation::writeText(llvm::function_ref<void(llvm::raw_ostream &)> print,
                       const llvm::Twine &path) {
  if (path.isTriviallyEmpty() || path.str() == "-") {
    print(llvm::outs());
    return success();
  }
  if (llvm::Error e = writeOutputFile(path.str(), print))
    return error() << llvm::toString(std::move(e));
  return success();
}

LogicalResult Compilation::dump(ModuleOp module, Phase phase, StringRef level) {
  if (options.dumpPhases.empty())
    return success();
  if (std::error_code code = llvm::sys::fs::create_directories(options.dumpPhases))
    return error() << "-dump-phases=" << options.dumpPhases << ": "
                   << code.message();
  std::string name = llvm::formatv("{0}-{1}", int(phase), phaseName(phase));
  if (!level.empty())
    name += "." + level.str();
  SmallString<128> path(options.dumpPhases);
  llvm::sys::path::append(path, name + ".mlir");
  return writeText([&](llvm::raw_ostream &os) { os << *module << "\n"; }, path);
}

LogicalResult Compilation::emitLevels(ModuleOp module, const TargetSpec &target) {
  std::vector<OwningOpRef<ModuleOp>> modules;
  std::vector<LevelModule> levels;
  for (unsigned index : target.levels) {
    const TargetLevel &level = target.backend->levels()[index];
    TimingScope scope = root.nest("Kernels " + level.name);
    OwningOpRef<ModuleOp> copy(module.clone());
    auto pipeline = [&](ModuleOp m, llvm::function_ref<void(OpPassManager &)> build) {
      return runPipeline(m, scope, build);
    };
    if (failed(lowerToKernels(*copy, level, options, pipeline)) ||
        failed(dump(*copy, Phase::Kernels, level.name)))
      return failure();
    if (kind == EmitKind::Kernels)
      return writeText([&](llvm::raw_ostream &os) { os << **copy << "\n"; },
                       options.output);
    levels.push_back({&level, *copy});
    modules.push_back(std::move(copy));
  }

  {
    TimingScope scope = root.nest("Target");
    for (LevelModule &level : levels) {
      auto configure = [&](PassManager &pm) -> LogicalResult {
        pm.enableTiming(scope);
        return hooks.configurePasses ? hooks.configurePasses(pm) : success();
      };
      if (failed(lowerKernelsToLLVM(level.module, *level.level, configure)) ||
          failed(dump(level.module, Phase::Target, level.level->name)))
        return failure();
      if (kind == EmitKind::Target)
        return writeText([&](llvm::raw_ostream &os) { os << level.module << "\n"; },
                         options.output);
    }
  }
  TimingScope scope = root.nest("Emit");
  return emitArtefact(target, levels, kind, options);
}

LogicalResult Compilation::run() {
  if (failed(chooseEmitKind()))
    return failure();
  llvm::Expected<TargetSpec> target = resolveTarget(options.target);
  if (!target)
    return error() << llvm::toString(target.takeError());

  OwningOpRef<ModuleOp> module;
  {
    TimingScope scope = root.nest("Import");
    ImportOptions importOptions;
    importOptions.shapes = options.shapes;
    module = importONNX(context, options.input, importOptions);
    if (!module)
      return failure();
  }
  auto print = [&](llvm::raw_ostream &os) { os << *module << "\n"; };
  if (failed(dump(*module, Phase::Import)))
    return failure();
  if (kind == EmitKind::Import)
    return writeText(print, options.output);
  {
    TimingScope scope = root.nest("Quantize");
    auto pipeline = [&](ModuleOp m, llvm::function_ref<void(OpPassManager &)> build) {
      return runPipeline(m, scope, build);
    };
    if (failed(quantizeModule(*module, options, createHostRunnerFactory(options),
                              pipeline)) ||
        failed(dump(*module, Phase::Quantize)))
      return failure();
  }
  if (kind == EmitKind::Quantize)
    return writeText(print, options.output);
  return emitLevels(*module, *target);
}

LogicalResult compile(MLIRContext &context, const CompileOptions &options,
                      const CompileHooks &hooks) {
  return Compilation(context, options, hooks).run();
}

} // namespace qcc
