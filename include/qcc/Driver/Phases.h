//===- Phases.h - The phases of a compilation ------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each phase is a function from the form that stands before it to the form
// after it (docs/architecture.md); Compiler.cpp calls them in order.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DRIVER_PHASES_H
#define QCC_DRIVER_PHASES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "qcc/Driver/Options.h"
#include "qcc/Emit/Emit.h"
#include "qcc/Quantization/PrecisionPlan.h"
#include "qcc/Support/ModelRunner.h"
#include "qcc/Target/TargetBackend.h"

namespace qcc {

enum class Phase { Import, Quantize, Kernels, Target, LLVM };
/// "import", ... as in -emit= and in the names of dumped files.
llvm::StringRef phaseName(Phase phase);

/// Runs a pipeline with the tool's debug flags and the timing of the phase.
using PipelineRunner = llvm::function_ref<llvm::LogicalResult(
    mlir::ModuleOp, llvm::function_ref<void(mlir::OpPassManager &)>)>;

/// Graph simplification that needs no data: constants, batch norm,
/// activations, residuals.
void buildSimplifyPipeline(mlir::OpPassManager &pm,
                           const ModelRunnerFactory &run);

/// Folds quantize and dequantize into the ops between them.
void buildLegalizePipeline(mlir::OpPassManager &pm,
                           const ModelRunnerFactory &run);

/// Stores float weights in the 16 bits of -precision=fp16 or bf16; nothing else
/// asks for that here.
void buildNarrowPipeline(mlir::OpPassManager &pm,
                         const CompileOptions &options);

/// Fuses what is left and chooses channels-last.
void buildLayoutPipeline(mlir::OpPassManager &pm);

/// Whether the imported model is compiled with the quantization it came with,
/// so that what it computes in float stays float: it has scales of activations,
/// or, where the options ask for no quantization, other quantized products.
bool keepsOwnQuantization(mlir::ModuleOp module, const CompileOptions &options);

/// Phase Quantize up to the legalize pipeline: simplifies, calibrates and
/// quantizes as the options say. It ends with a model of float ops
/// between explicit quantize and dequantize. `plan` receives what static
/// quantization decided, and measured for it.
llvm::LogicalResult insertQuantization(mlir::ModuleOp module,
                                       const CompileOptions &options,
                                       const ModelRunnerFactory &run,
                                       PipelineRunner runPipeline,
                                       PrecisionPlan *plan = nullptr);

/// Phase Kernels for one level of the target: kernels on an arena.
llvm::LogicalResult lowerToKernels(mlir::ModuleOp module,
                                   const TargetLevel &level,
                                   const CompileOptions &options,
                                   PipelineRunner runPipeline);

/// What Emit needs to know to compile kernels of this level.
EmitOptions emitOptions(const CompileOptions &options);

/// Compiles qnn modules for the machine that runs the compiler, in memory.
ModelRunnerFactory createHostRunnerFactory(const CompileOptions &options);

} // namespace qcc

#endif // QCC_DRIVER_PHASES_H
