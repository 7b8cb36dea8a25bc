//===- Report.h - What was decided, why, what it costs ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_REPORT_H
#define QCC_LIB_DRIVER_REPORT_H

#include "Layers.h"
#include "Verification.h"

#include "qcc/Emit/Emit.h"
#include "qcc/Quantization/PrecisionPlan.h"
#include "llvm/Support/JSON.h"

namespace qcc {

/// Discardable attribute of a module: names of the layers that static
/// quantization kept float.
inline constexpr char keepFloatAttr[] = "qcc.keep_float";

/// The values of a layer in float and as compiled, over one common range.
struct LayerHistogram {
  float min = 0, max = 0;
  std::vector<uint64_t> expected, actual;
};

struct LayerReport {
  Layer layer;
  std::string precision; ///< as a plan spells it
  std::string reason;
  int64_t weightBytes = 0;
  std::vector<size_t> inputs; ///< layers whose results it uses
  std::optional<LayerError> error;
  LayerHistogram histogram;
  std::optional<double> milliseconds; ///< see ModelReport::times
};

struct OutputReport {
  std::string name;
  LayerError error;
  size_t samples = 0, sameTop = 0;
  bool isClassifier = false;
};

/// A mean over samples with its 95 % confidence interval.
struct Interval {
  double mean = 0, lower = 0, upper = 0;
};

/// What quantization changes on samples of -verify=.
struct AccuracyReport {
  size_t samples = 0;
  bool isLabelled = false;
  /// Whether there are outputs to take noise, and classes, from.
  bool hasSignals = false, hasScores = false;
  double expectedTop1 = 0, actualTop1 = 0; ///< parts of the samples
  Interval top1Drop, agreement, divergence, noise;
};

/// Holds a module, of which it speaks.
struct ModelReport {
  std::string model, target;
  mlir::OwningOpRef<mlir::ModuleOp> module; ///< after legalization
  std::vector<LayerReport> layers;
  std::vector<OutputReport> outputs;
  ArtefactSizes sizes;
  PrecisionPlan plan; ///< empty without static quantization
  std::string times;  ///< what those of the layers are; empty: there are none
  std::optional<AccuracyReport> accuracy;
};

/// Precisions, reasons and weights. `explicitModel`: it came quantized.
ModelReport describeModel(mlir::ModuleOp legalized, bool explicitModel,
                          llvm::StringRef quantizeMode, llvm::StringRef target,
                          PrecisionPlan plan);

/// Runs both forms on the samples and compares layers and outputs.
llvm::Error measureErrors(ModelReport &report, mlir::ModuleOp expected,
                          llvm::ArrayRef<std::vector<HostTensor>> samples,
                          const ModelRunnerFactory &run);

/// Runs both forms on samples that neither calibration nor search has seen.
llvm::Error measureAccuracy(ModelReport &report, mlir::ModuleOp expected,
                            const HeldOutSamples &samples,
                            const ModelRunnerFactory &run);

/// Times the layers of an artefact on one thread. False where this machine
/// cannot run it.
bool measureLatency(ModelReport &report, const std::string &artefact,
                    const std::string &prefix);

/// Gives layers the times of the kernel calls that compute them.
void addTimes(ModelReport &report, llvm::ArrayRef<StepTime> steps);

/// The report as .json, or with any other extension as a page that needs
/// nothing else.
llvm::Error writeReport(const ModelReport &report, const std::string &path);

} // namespace qcc

#endif // QCC_LIB_DRIVER_REPORT_H
