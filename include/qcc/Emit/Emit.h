//===- Emit.h - From kernels to artefacts --------------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes modules of the kernels phase (docs/architecture.md), one per ISA level,
// and makes a file of them, or runs one in this process.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_EMIT_EMIT_H
#define QCC_EMIT_EMIT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "qcc/Support/ModelRunner.h"
#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// A kernels-phase module and the level that it was generated for.
struct LevelModule {
  const TargetLevel *level = nullptr;
  mlir::ModuleOp module;
};

struct EmitOptions {
  /// Of every symbol that the artefact exports.
  std::string prefix = "qcc_";
  /// Lists the named tensors for -dump-tensors.
  bool keepTensors = false;
  /// Plain code: no vectorization, so that the oracle is independent of it.
  bool reference = false;
  /// Identifies the artefact; empty: a hash of its code and constants.
  std::string buildId;
  /// Appends the passes that replace what LLVM would turn into calls of libm,
  /// for code of this level.
  std::function<void(mlir::OpPassManager &, const TargetLevel &)> prepare;
  /// Sets up a pass manager: timing, instrumentation.
  std::function<llvm::LogicalResult(mlir::PassManager &)> configure;
  /// Sees each level after its lowering to the LLVM dialect.
  std::function<llvm::LogicalResult(const LevelModule &)> lowered;
  /// Receives the times of code generation and linking.
  mlir::TimingScope *timing = nullptr;
};

enum class ArtefactKind { SharedObject, Object, Archive, Assembly, LLVMIR };

/// Registers the dialects that kernels may use and their translations.
void registerEmitDialects(mlir::DialectRegistry &registry);

/// Lowers kernels to the LLVM dialect, in place (@main too, if it is there).
llvm::LogicalResult lowerKernelsToLLVM(const LevelModule &level,
                                       const EmitOptions &options);

/// Sizes that -emit-header and -report state.
struct ArtefactSizes {
  uint64_t arenaBytes = 0; ///< qcc_model_info.arena_bytes
  uint64_t flashBytes = 0; ///< code and constants as loaded; 0 if unknown
  uint64_t fileBytes = 0;  ///< of the artefact
};

/// Writes the artefact to `path`, whole or not at all. `levels` ascend by rank;
/// their modules are consumed.
llvm::LogicalResult emitArtefact(const TargetBackend &backend,
                                 llvm::ArrayRef<LevelModule> levels,
                                 const EmitOptions &options, ArtefactKind kind,
                                 llvm::StringRef path,
                                 ArtefactSizes *sizes = nullptr);

/// The C header of an artefact: its ABI and prototypes, inputs and outputs,
/// sizes. `module` is any of its kernels-phase modules (not modified).
llvm::LogicalResult emitHeader(mlir::ModuleOp module,
                               const EmitOptions &options,
                               const ArtefactSizes &sizes,
                               llvm::StringRef path);

/// Compiles a module for this process; `level` must be one that the processor
/// has. The module is consumed.
llvm::Expected<std::unique_ptr<ModelRunner>>
createJITRunner(const TargetBackend &backend, const LevelModule &level,
                const EmitOptions &options);

/// The best of the levels that this machine can run; nothing if it is another
/// processor family.
const TargetLevel *findHostLevel(const TargetBackend &backend);

} // namespace qcc

#endif // QCC_EMIT_EMIT_H
