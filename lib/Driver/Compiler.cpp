//===- Compiler.cpp - From a model file to an artefact --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/Compiler.h"
#include "CostBasis.h"
#include "Forms.h"
#include "Report.h"
#include "Samples.h"
#include "ShareConstants.h"
#include "TargetRunner.h"
#include "Tune.h"
#include "qcc/Calibration/Calibrate.h"
#include "qcc/Codegen/AttentionPrecision.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Driver/Phases.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Emit/Emit.h"
#include "qcc/Export/ONNX/Exporter.h"
#include "qcc/Import/ONNX/Importer.h"
#include "qcc/Support/OutputFile.h"

#include "mlir/Support/Timing.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace qcc {

void registerAllDialects(DialectRegistry &registry) {
  registerImportDialects(registry);
  registerEmitDialects(registry);
}

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
  /// Writes the artefact of a legalized module, which is consumed.
  LogicalResult emit(ModuleOp legalized, ArtefactSizes &sizes);

private:
  /// An error about the command line or the output file.
  InFlightDiagnostic error() { return emitError(UnknownLoc::get(&context)); }
  LogicalResult chooseEmitKind();
  LogicalResult runPipeline(ModuleOp module, TimingScope &scope,
                            llvm::function_ref<void(OpPassManager &)> build);
  LogicalResult dump(ModuleOp module, Phase phase, StringRef level = "");
  /// Writes IR to `path`, by default to the output.
  LogicalResult writeText(ModuleOp module, StringRef path = "");
  /// Quantizes as asked and writes the model with explicit quantization.
  LogicalResult writeONNX(ModuleOp module, const ModelRunnerFactory &run,
                          PipelineRunner pipeline);
  /// What pass managers of this compilation are set up with.
  std::function<LogicalResult(PassManager &)> configure(TimingScope &scope);
  LogicalResult lowerLevel(ModuleOp module, const TargetLevel &level,
                           TimingScope &scope);
  LogicalResult emitLevels(ModuleOp module, const TargetSpec &target,
                           ArtefactSizes &sizes);
  /// What the report says of the model before it is lowered.
  LogicalResult startReport(ModelReport &report, ModuleOp imported,
                            ModuleOp legalized, PrecisionPlan plan,
                            const ModelRunnerFactory &run);
  LogicalResult finishReport(ModelReport &report, ModuleOp module);

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
          .Case(".onnx", EmitKind::QDQ)
          .Default(std::nullopt);
  if (!chosen)
    return error() << options.output
                   << ": the extension names no kind of output; use .so, .o, "
                      ".a, .s, .ll, .mlir or .onnx, or say -emit=";
  kind = *chosen;
  return success();
}

std::function<LogicalResult(PassManager &)>
Compilation::configure(TimingScope &scope) {
  return [&](PassManager &pm) -> LogicalResult {
    pm.enableTiming(scope);
    return hooks.configurePasses ? hooks.configurePasses(pm) : success();
  };
}

LogicalResult
Compilation::runPipeline(ModuleOp module, TimingScope &scope,
                         llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(&context, ModuleOp::getOperationName());
  build(pm);
  if (failed(configure(scope)(pm)))
    return failure();
  bool explained = false;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    explained |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
    return failure(); // not handled here
  });
  if (succeeded(pm.run(module)))
    return success();
  if (!explained)
    return error() << options.input
                   << ": internal error: a pass failed and did not say why; "
                      "please report this model";
  return failure();
}

LogicalResult Compilation::writeText(ModuleOp module, StringRef path) {
  if (path.empty())
    path = options.output;
  // Not `<< module`, which leaves the dense_resource blobs out.
  if (path == "-") {
    module->print(llvm::outs());
    return success();
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  Status status = writeFile(path.str(), text.data(), text.size());
  if (!status)
    return error() << status.error();
  return success();
}

LogicalResult Compilation::dump(ModuleOp module, Phase phase, StringRef level) {
  if (options.dumpPhases.empty())
    return success();
  if (std::error_code code =
          llvm::sys::fs::create_directories(options.dumpPhases))
    return error() << "-dump-phases=" << options.dumpPhases << ": "
                   << code.message();
  std::string name = llvm::formatv("{0}-{1}", int(phase), phaseName(phase));
  if (!level.empty())
    name += "." + level.str();
  SmallString<128> path(options.dumpPhases);
  llvm::sys::path::append(path, name + ".mlir");
  return writeText(module, path);
}

/// The file kind of an EmitKind that is not a phase.
static ArtefactKind artefactKind(EmitKind kind) {
  switch (kind) {
  case EmitKind::Object:
    return ArtefactKind::Object;
  case EmitKind::Archive:
    return ArtefactKind::Archive;
  case EmitKind::Assembly:
    return ArtefactKind::Assembly;
  case EmitKind::LLVMIR:
    return ArtefactKind::LLVMIR;
  default:
    return ArtefactKind::SharedObject;
  }
}

LogicalResult Compilation::lowerLevel(ModuleOp module, const TargetLevel &level,
                                      TimingScope &scope) {
  auto pipeline = [&](ModuleOp m,
                      llvm::function_ref<void(OpPassManager &)> build) {
    return runPipeline(m, scope, build);
  };
  if (failed(lowerToKernels(module, level, options, pipeline)) ||
      failed(dump(module, Phase::Kernels, level.name)))
    return failure();
  if (kind == EmitKind::Kernels)
    return writeText(module);
  if (kind != EmitKind::Target)
    return success();
  EmitOptions emit = emitOptions(options);
  emit.configure = configure(scope);
  if (failed(lowerKernelsToLLVM({&level, module}, emit)))
    return failure();
  return writeText(module);
}

LogicalResult Compilation::emitLevels(ModuleOp module, const TargetSpec &target,
                                      ArtefactSizes &sizes) {
  bool isText = kind == EmitKind::Kernels || kind == EmitKind::Target;
  if (isText && target.levels.size() > 1)
    return error() << "-target=" << options.target
                   << " has several levels; -emit=kernels and -emit=target "
                      "show one: name it (-target=help)";
  std::vector<OwningOpRef<ModuleOp>> modules;
  std::vector<LevelModule> levels;
  ConstantSharing constants(module);
  std::vector<TargetLevel> chosen;
  for (unsigned index : target.levels)
    chosen.push_back(target.backend->levels()[index]);
  // A level on its own shares nothing: it packs weights as suits it best.
  if (chosen.size() == 1)
    chosen.front().packing.reset();
  if (options.tune) {
    TimingScope scope = root.nest("Tune");
    if (llvm::Error e = tuneLevels(module, *target.backend, chosen, options))
      return error() << llvm::toString(std::move(e));
  }
  warnOfFloatAttention(module, chosen.back());
  for (const TargetLevel &level : chosen) {
    TimingScope scope = root.nest("Kernels " + level.name);
    OwningOpRef<ModuleOp> copy(module.clone());
    if (failed(lowerLevel(*copy, level, scope)))
      return failure();
    constants.add(*copy);
    levels.push_back({&level, *copy});
    modules.push_back(std::move(copy));
  }
  if (isText)
    return success();

  TimingScope scope = root.nest("Emit");
  EmitOptions emit = emitOptions(options);
  emit.configure = configure(scope);
  emit.timing = &scope;
  emit.lowered = [&](const LevelModule &level) {
    return dump(level.module, Phase::Target, level.level->name);
  };
  // Emit consumes its modules; the header needs one.
  OwningOpRef<ModuleOp> described;
  if (options.emitHeader)
    described = OwningOpRef<ModuleOp>(levels.back().module.clone());
  if (failed(emitArtefact(*target.backend, levels, emit, artefactKind(kind),
                          options.output, &sizes)))
    return failure();
  if (!options.emitHeader)
    return success();
  SmallString<128> header(options.output);
  llvm::sys::path::replace_extension(header, "h");
  return emitHeader(*described, emit, sizes, header);
}

/// Layers are compared on this many samples.
static constexpr size_t reportSamples = 4;

LogicalResult Compilation::startReport(ModelReport &report, ModuleOp imported,
                                       ModuleOp legalized, PrecisionPlan plan,
                                       const ModelRunnerFactory &run) {
  report =
      describeModel(legalized, keepsOwnQuantization(imported, options),
                    quantizeModeName(options), options.target, std::move(plan));
  report.model = options.input;
  if (!hasSamples(options) && !hasVerification(options))
    return success();
  OwningOpRef<ModuleOp> expected = makeForm(imported, Form::Float, options);
  if (!expected)
    return failure();
  llvm::Expected<std::vector<InputSpec>> inputs = getInputSpecs(*expected);
  if (!inputs)
    return error() << llvm::toString(inputs.takeError());
  if (hasSamples(options)) {
    auto samples = readSamples(options, *inputs, reportSamples);
    if (!samples)
      return error() << llvm::toString(samples.takeError());
    if (llvm::Error e = measureErrors(report, *expected, *samples, run))
      return error() << llvm::toString(std::move(e));
  }
  if (!hasVerification(options))
    return success();
  auto heldOut = readHeldOut(options, *inputs);
  if (!heldOut)
    return error() << llvm::toString(heldOut.takeError());
  if (llvm::Error e = measureAccuracy(report, *expected, *heldOut, run))
    return error() << llvm::toString(std::move(e));
  return success();
}

/// Of a target that does not run here times are modelled, where its costs are
/// known.
static llvm::Error modelLatency(ModelReport &report, ModuleOp module,
                                const CompileOptions &options) {
  auto basis = CostBasis::create(options);
  if (!basis) {
    llvm::consumeError(basis.takeError());
    return llvm::Error::success();
  }
  if (!basis->isModelled())
    return llvm::Error::success();
  auto steps = basis->model(module);
  if (!steps)
    return steps.takeError();
  addTimes(report, *steps);
  report.times = basis->describe();
  return llvm::Error::success();
}

LogicalResult Compilation::finishReport(ModelReport &report, ModuleOp module) {
  if (kind == EmitKind::SharedLibrary &&
      !measureLatency(report, options.output, options.prefix))
    if (llvm::Error e = modelLatency(report, module, options))
      return error() << llvm::toString(std::move(e));
  if (llvm::Error e = writeReport(report, options.report))
    return error() << llvm::toString(std::move(e));
  return success();
}

LogicalResult Compilation::writeONNX(ModuleOp module,
                                     const ModelRunnerFactory &run,
                                     PipelineRunner pipeline) {
  bool floatStates = options.exportRecurrence == "float";
  if (failed(insertQuantization(module, options, run, pipeline)) ||
      failed(pipeline(module, [&](OpPassManager &pm) {
        buildNarrowPipeline(pm, options);
        pm.addPass(qnn::createPrepareExport({floatStates}));
        pm.addPass(qnn::createAvoidTies());
      })))
    return failure();
  std::optional<std::string> bytes = exportONNX(module);
  if (!bytes)
    return failure();
  Status status = writeFile(options.output, bytes->data(), bytes->size());
  if (!status)
    return error() << status.error();
  return success();
}

LogicalResult Compilation::run() {
  if (failed(chooseEmitKind()))
    return failure();
  if (!llvm::is_contained({"exact", "float"}, options.exportRecurrence))
    return error() << "-export-recurrence=" << options.exportRecurrence
                   << ": expected exact or float";
  llvm::Expected<TargetSpec> target = resolveTarget(options.target);
  if (!target)
    return error() << llvm::toString(target.takeError());
  if (!options.report.empty()) {
    if (kind == EmitKind::Import || kind == EmitKind::QDQ ||
        kind == EmitKind::Quantize)
      return error() << "-report=" << options.report
                     << " is about compiled code; " << options.output
                     << " holds none";
    if (Status status = checkWritable(options.report); !status)
      return error() << status.error();
  }
  if (options.tune) {
    if (kind == EmitKind::Import || kind == EmitKind::QDQ ||
        kind == EmitKind::Quantize)
      return error() << "-tune chooses how kernels are cut; " << options.output
                     << " holds none";
    if (options.reference)
      return error() << "-tune: the loops of -reference are not cut";
    if (!options.tune->empty() && !llvm::sys::fs::exists(*options.tune))
      if (Status status = checkWritable(*options.tune); !status)
        return error() << status.error();
  }
  if (options.output != "-")
    if (Status status = checkWritable(options.output); !status)
      return error() << status.error();

  OwningOpRef<ModuleOp> module;
  {
    TimingScope scope = root.nest("Import");
    module = importModel(context, options);
    if (!module)
      return failure();
  }
  if (failed(dump(*module, Phase::Import)))
    return failure();
  if (kind == EmitKind::Import)
    return writeText(*module);
  ModelReport report;
  {
    TimingScope scope = root.nest("Quantize");
    auto pipeline = [&](ModuleOp m,
                        llvm::function_ref<void(OpPassManager &)> build) {
      return runPipeline(m, scope, build);
    };
    ModelRunnerFactory run = createHostRunnerFactory(options);
    if (kind == EmitKind::QDQ)
      return writeONNX(*module, run, pipeline);
    OwningOpRef<ModuleOp> imported;
    if (!options.report.empty())
      imported = OwningOpRef<ModuleOp>(module->clone());
    PrecisionPlan plan;
    if (failed(insertQuantization(*module, options, run, pipeline, &plan)) ||
        failed(pipeline(*module, [&](OpPassManager &pm) {
          buildLegalizePipeline(pm, run);
          buildNarrowPipeline(pm, options);
        })))
      return failure();
    if (imported &&
        failed(startReport(report, *imported, *module, std::move(plan), run)))
      return failure();
    if (failed(pipeline(*module,
                        [&](OpPassManager &pm) {
                          pm.addPass(qnn::createNarrowWeights());
                          buildLayoutPipeline(pm);
                        })) ||
        failed(dump(*module, Phase::Quantize)))
      return failure();
  }
  if (kind == EmitKind::Quantize)
    return writeText(*module);
  if (failed(emitLevels(*module, *target, report.sizes)))
    return failure();
  return options.report.empty() ? success() : finishReport(report, *module);
}

LogicalResult Compilation::emit(ModuleOp legalized, ArtefactSizes &sizes) {
  llvm::Expected<TargetSpec> target = resolveTarget(options.target);
  if (!target)
    return error() << llvm::toString(target.takeError());
  TimingScope scope = root.nest("Layout");
  return failure(failed(chooseEmitKind()) ||
                 failed(runPipeline(legalized, scope, buildLayoutPipeline)) ||
                 failed(emitLevels(legalized, *target, sizes)));
}

LogicalResult emitModule(ModuleOp legalized, const CompileOptions &options,
                         const std::string &path, ArtefactSizes &sizes) {
  CompileOptions own = options;
  own.output = path;
  own.emitHeader = own.time = false;
  own.dumpPhases.clear();
  CompileHooks hooks;
  OwningOpRef<ModuleOp> copy(legalized.clone());
  return Compilation(*legalized.getContext(), own, hooks).emit(*copy, sizes);
}

LogicalResult compile(MLIRContext &context, const CompileOptions &options,
                      const CompileHooks &hooks) {
  return Compilation(context, options, hooks).run();
}

} // namespace qcc
