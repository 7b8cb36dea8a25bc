//===- ProfilingRunner.h - A model whose kernels are timed ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_EMIT_PROFILINGRUNNER_H
#define QCC_EMIT_PROFILINGRUNNER_H

#include "qcc/Emit/Emit.h"

namespace qcc {

/// One module in memory, ready to run in two ways.
struct TimedRunners {
  std::shared_ptr<ModelRunner> all;   ///< on all threads
  std::shared_ptr<ModelRunner> timed; ///< on so many as asked for
};

/// Compiles a module as createJITRunner does, once for both; `threads`: 0 for
/// all, so that both are the same.
llvm::Expected<TimedRunners> createTimedRunners(const TargetBackend &backend,
                                                const LevelModule &level,
                                                const EmitOptions &options,
                                                unsigned threads);

/// As createJITRunner, on the calling thread alone: the times of kernels do not
/// depend on what other threads find to do.
llvm::Expected<std::unique_ptr<ModelRunner>>
createProfilingRunner(const TargetBackend &backend, const LevelModule &level,
                      const EmitOptions &options);

} // namespace qcc

#endif // QCC_EMIT_PROFILINGRUNNER_H
