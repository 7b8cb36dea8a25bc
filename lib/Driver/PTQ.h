//===- PTQ.h - What makes a model easier to quantize ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_PTQ_H
#define QCC_LIB_DRIVER_PTQ_H

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Driver/Phases.h"
#include "qcc/Quantization/CorrectBias.h"
#include "qcc/Quantization/WeightRounding.h"

namespace qcc {

/// How much of the difference between channels goes to the layers behind.
constexpr double kMigration = 0.5;

/// The algorithms that -ptq= names.
struct PTQOptions {
  /// Chosen by what they do to the outputs of calibration samples.
  bool automatic = false;
  bool equalize = false;    ///< channels, by weights
  bool smooth = false;      ///< channels, by activations
  bool absorbBias = false;  ///< offsets of channels, by activations
  bool correctBias = false; ///< by the means of results
  RoundingMethod rounding = RoundingMethod::Nearest;
  std::string clip = "max"; ///< of weights: max, mse or octav

  static llvm::Expected<PTQOptions> parse(llvm::StringRef list);
  /// Whether the function of the model is changed before it is calibrated.
  bool changesModel() const { return equalize || smooth || absorbBias; }
  /// Whether the inputs of layers are looked at.
  bool needsStatistics() const {
    return correctBias || rounding != RoundingMethod::Nearest;
  }
  /// How weights are rounded and biases corrected, in words of -ptq=.
  std::string corrections() const;
};

/// How qnn-quantize-weights clips under `options`, which have been parsed.
std::string weightClip(const CompileOptions &options);

using DatasetOpener =
    llvm::function_ref<llvm::Expected<std::unique_ptr<Dataset>>()>;

/// Changes the weights of a float model without changing what it computes on
/// most inputs.
/// `open` is called where samples are needed, which then are some at the front.
/// What they say of the channels is added to `channels`, or read from there if
/// there is any.
llvm::Error prepareWeights(mlir::ModuleOp module, const PTQOptions &ptq,
                           DatasetOpener open, const ModelRunnerFactory &run,
                           std::vector<ChannelEntry> &channels);

/// Looks at what calibration runs give.
class SampleStatistics {
public:
  SampleStatistics(mlir::ModuleOp module, size_t samples,
                   const PTQOptions &ptq);
  /// For calibrate().
  SampleObserver observer();
  /// Rounds the weights of the module's layers, by attributes for
  /// qnn-quantize-weights.
  void round() const;
  /// Why biases are not corrected although that is asked for; empty where they
  /// are.
  std::string explain() const;
  /// Corrects their biases likewise, where the layers of `keepFloat` stay
  /// float. `module` holds the ops that the statistics are of, `inputs` are the
  /// samples that the observer has seen, from the front. Returns the noise at
  /// the outputs where that was measured.
  llvm::Expected<std::optional<double>>
  correct(mlir::ModuleOp module, const CalibrationTable &table,
          llvm::ArrayRef<std::string> keepFloat,
          llvm::ArrayRef<std::vector<HostTensor>> inputs,
          const ModelRunnerFactory &run) const;

private:
  /// Whether there are enough samples for it.
  bool correctsBiases() const;

  PTQOptions ptq;
  InputStatistics statistics;
  std::vector<std::vector<HostTensor>> outputs;
  size_t outputBytes = 0;
};

/// Puts into the table how weights were rounded and biases corrected, where the
/// layers of its keepFloat stay float, and those of int16 are as float.
void saveCorrections(mlir::ModuleOp module, const PTQOptions &ptq,
                     CalibrationTable &table);

/// Rounds and corrects as the table says, not by samples; `cause` says why, in
/// words such as "without samples". Remarks what of it does not fit the model
/// or the options.
llvm::Error applyCorrections(mlir::ModuleOp module, const PTQOptions &ptq,
                             const CalibrationTable &table,
                             llvm::ArrayRef<std::string> keepFloat,
                             llvm::StringRef cause);

} // namespace qcc

#endif // QCC_LIB_DRIVER_PTQ_H
