//===- Phases.cpp - The pipelines of each phase ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/Phases.h"
#include "Plans.h"
#include "qcc/Codegen/Kernels.h"
#include "qcc/Codegen/NarrowActivations.h"
#include "qcc/Codegen/Passes.h"
#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace qcc::qnn;

namespace qcc {

StringRef phaseName(Phase phase) {
  switch (phase) {
  case Phase::Import:
    return "import";
  case Phase::Quantize:
    return "quantize";
  case Phase::Kernels:
    return "kernels";
  case Phase::Target:
    return "target";
  case Phase::LLVM:
    return "llvm";
  }
  llvm_unreachable("no such phase");
}

void buildSimplifyPipeline(OpPassManager &pm, const ModelRunnerFactory &run) {
  pm.addPass(createFoldEmpty());
  pm.addPass(createPromoteHalf());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createFormBlockMatmul());
  pm.addPass(createFoldConstants(run));
  pm.addPass(createFuseNormalization());
  pm.addPass(createSimplifyMatmul());
  pm.addPass(createFoldBatchNorm());
  pm.addPass(createFoldPad());
  pm.addPass(createFoldSpaceToDepth());
  pm.addPass(createFuseActivation());
  pm.addPass(createFuseResidual());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildLegalizePipeline(OpPassManager &pm, const ModelRunnerFactory &run) {
  pm.addPass(createPropagateQDQ());
  pm.addPass(createLegalizeQDQ());
  pm.addPass(createSimplifyMatmul());
  pm.addPass(createFormLuts());
  pm.addPass(createFoldPad());
  pm.addPass(createFoldSpaceToDepth());
  // Weights that stay float are dequantized at compile time.
  pm.addPass(createFoldConstants(run, /*keepDequantize=*/false));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildNarrowPipeline(OpPassManager &pm, const CompileOptions &options) {
  if (narrowsWeights(options))
    pm.addPass(
        createNarrowWeights({options.precision == "fp16" ? "f16" : "bf16"}));
}

void buildLayoutPipeline(OpPassManager &pm) {
  pm.addPass(createAssignLayout());
  pm.addPass(createLowerConvInteger());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

LogicalResult lowerToKernels(ModuleOp module, const TargetLevel &level,
                             const CompileOptions &options,
                             PipelineRunner runPipeline) {
  AssignStorageOptions storage;
  storage.activations = level.unsignedActivations ? ActivationStorage::Unsigned
                                                  : ActivationStorage::Signed;
  if (failed(runPipeline(module, [&](OpPassManager &pm) {
        pm.addPass(createAssignStorage(storage));
      })))
    return failure();
  if (options.keepTensors)
    module->setAttr(kKeepTensorsAttr, UnitAttr::get(module.getContext()));
  KernelGenerators generators;
  if (!options.reference) {
    narrowActivations(module, level);
    populateOptimizedKernels(generators);
  }
  populateReferenceKernels(generators);
  if (failed(convertQNNToKernels(module, level, generators)))
    return failure();
  return runPipeline(module, [&](OpPassManager &pm) {
    PlanArenaOptions plan;
    plan.keepTensors = options.keepTensors;
    pm.addPass(createPlanArena(plan));
  });
}

EmitOptions emitOptions(const CompileOptions &options) {
  EmitOptions emit;
  emit.prefix = options.prefix;
  emit.keepTensors = options.keepTensors;
  emit.reference = options.reference;
  emit.prepare = [](OpPassManager &pm, const TargetLevel &level) {
    ExpandMathOptions math;
    math.fma = level.hasFMA;
    pm.addNestedPass<func::FuncOp>(createExpandMath(math));
  };
  return emit;
}

} // namespace qcc
