//===- HostRunner.cpp - Runs qnn modules in the compiler's process --------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostRunner.h"

#include "qcc/Driver/Targets.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace qcc {

/// Turns the errors that a phase reports into an llvm::Error.
static llvm::Error collectErrors(MLIRContext *context,
                                 llvm::function_ref<LogicalResult()> phase) {
  std::string text;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && text.empty())
      text = diagnostic.str();
    return success();
  });
  if (succeeded(phase()))
    return llvm::Error::success();
  return llvm::createStringError(text.empty() ? "compilation failed" : text);
}

llvm::Expected<OwningOpRef<ModuleOp>>
generateKernels(ModuleOp module, const TargetLevel &level,
                const CompileOptions &options) {
  OwningOpRef<ModuleOp> copy(module.clone());
  // A debugging run of the user's pipeline shows the model, not this one.
  auto pipeline = [](ModuleOp m,
                     llvm::function_ref<void(OpPassManager &)> build) {
    PassManager pm(m.getContext(), ModuleOp::getOperationName());
    build(pm);
    return pm.run(m);
  };
  CompileOptions inProcess = options;
  inProcess.keepTensors = false;
  if (llvm::Error e = collectErrors(module.getContext(), [&] {
        if (failed(pipeline(
                *copy, [](OpPassManager &pm) { buildLayoutPipeline(pm); })))
          return failure();
        return lowerToKernels(*copy, level, inProcess, pipeline);
      }))
    return e;
  return copy;
}

static EmitOptions emitInProcess(const CompileOptions &options) {
  CompileOptions inProcess = options;
  inProcess.keepTensors = false;
  return emitOptions(inProcess);
}

llvm::Expected<TimedRunners> createLevelRunners(ModuleOp module,
                                                const TargetBackend &backend,
                                                const TargetLevel &level,
                                                const CompileOptions &options,
                                                unsigned threads) {
  auto kernels = generateKernels(module, level, options);
  if (!kernels)
    return kernels.takeError();
  return createTimedRunners(backend, {&level, **kernels},
                            emitInProcess(options), threads);
}

ModelRunnerFactory createHostRunnerFactory(const CompileOptions &options) {
  return [&options](
             ModuleOp module) -> llvm::Expected<std::unique_ptr<ModelRunner>> {
    llvm::Expected<TargetSpec> host = hostTarget();
    if (!host)
      return host.takeError();
    const TargetLevel &level = host->backend->levels()[host->levels.back()];
    auto kernels = generateKernels(module, level, options);
    if (!kernels)
      return kernels.takeError();
    return createJITRunner(*host->backend, {&level, **kernels},
                           emitInProcess(options));
  };
}

} // namespace qcc
