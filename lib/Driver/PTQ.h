//===- PTQ.h - What makes a model easier to quantize ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_PTQ_H
#define QCC_LIB_DRIVER_PTQ_H

#include "qcc/Calibration/Dataset.h"
#include "qcc/Driver/Phases.h"

namespace qcc {

/// The algorithms that -ptq= names.
struct PTQOptions {
  bool equalize = false;    ///< channels, by weights
  bool smooth = false;      ///< channels, by activations
  bool correctBias = false; ///< by the means of activations
  std::string clip = "max"; ///< of weights: max, mse or octav

  static llvm::Expected<PTQOptions> parse(llvm::StringRef list);
};

/// How qnn-quantize-weights clips under `options`, which have been parsed.
std::string weightClip(const CompileOptions &options);

using DatasetOpener =
    llvm::function_ref<llvm::Expected<std::unique_ptr<Dataset>>()>;

/// Changes the weights of a float model without changing what it computes, and
/// attaches what qnn-quantize-weights needs. `open` is called where samples are
/// needed, which then are some at the front.
llvm::Error prepareWeights(mlir::ModuleOp module, const PTQOptions &ptq,
                           DatasetOpener open, const ModelRunnerFactory &run);

} // namespace qcc

#endif // QCC_LIB_DRIVER_PTQ_H
