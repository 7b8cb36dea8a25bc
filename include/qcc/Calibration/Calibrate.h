//===- Calibrate.h - Measure the ranges of activations ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CALIBRATION_CALIBRATE_H
#define QCC_CALIBRATION_CALIBRATE_H

#include "mlir/IR/Builders.h"
#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Calibration/Dataset.h"
#include "qcc/Calibration/Range.h"
#include "qcc/Support/ModelRunner.h"
#include "llvm/ADT/StringSet.h"

namespace qcc {

/// Layers (by their names in QuantizationSites) that do not compute in 8 bits.
struct OtherPrecisions {
  llvm::StringSet<> keepFloat;
  llvm::StringSet<> int16;      ///< activations and weights
  llvm::StringSet<> fp16, bf16; ///< float, with weights stored in 16 bits

  /// Those of all, sorted.
  std::vector<std::string> names() const;
};

/// Which values are observed: those that are rounded where all precisions are
/// as OtherPrecisions says, or all that are for some choice of them.
enum class Observed { Rounded, Candidates };

/// What qnn-insert-observers does. Reports a name that no layer has, a layer
/// that has no form in 16 bits, and weights that 16 bits cannot hold.
llvm::LogicalResult insertObservers(mlir::ModuleOp module,
                                    const OtherPrecisions &others,
                                    Observed observed = Observed::Rounded);

/// Stores the weights of the layers of `others.fp16` and `others.bf16` in 16
/// bits, and reports as insertObservers does.
llvm::LogicalResult narrowLayers(mlir::ModuleOp module,
                                 const OtherPrecisions &others);

/// The largest magnitude of an activation of 16 bits: what 32-bit sums of
/// products with weights of as many bits as possible have room for.
constexpr int64_t kLargestInt16 = 8191;

/// The model with observers for the extents of the inputs of a sample.
using ModuleForShapes =
    std::function<llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>(
        llvm::ArrayRef<HostTensor> sample)>;

/// Sees what a sample gives where it has the model's own shapes: the inputs
/// (operand 0) of the layers, as QuantizationSites orders them, and the
/// outputs.
using SampleObserver =
    std::function<void(llvm::ArrayRef<const HostTensor *> layerInputs,
                       llvm::ArrayRef<HostTensor> outputs)>;

/// Runs all samples of `dataset` through `module`, which holds the qnn.observe
/// ops of qnn-insert-observers and is not modified, and chooses a range for
/// each id. One pass over the data. Samples of other extents than `module`'s
/// run through what `reshape` gives, once per shape; ids that only such a
/// module has are left out.
llvm::Expected<CalibrationTable> calibrate(mlir::ModuleOp module,
                                           Dataset &dataset,
                                           const ModelRunnerFactory &compile,
                                           const RangeOptions &options,
                                           const ModuleForShapes &reshape = {},
                                           const SampleObserver &observer = {});

/// The same with a table for each of `options`, in one pass.
llvm::Expected<std::vector<CalibrationTable>>
calibrate(mlir::ModuleOp module, Dataset &dataset,
          const ModelRunnerFactory &compile,
          llvm::ArrayRef<RangeOptions> options, const ModuleForShapes &reshape,
          const SampleObserver &observer);

/// dequantize(quantize(value)) with the range of `entry`, in unsigned 8 bits,
/// at the insertion point.
mlir::Value quantizeAndDequantize(mlir::OpBuilder &builder, mlir::Value value,
                                  const CalibrationEntry &entry);

/// What qnn-apply-calibration does, with a table in memory. Reports observers
/// without an entry, and then changes nothing.
llvm::LogicalResult applyCalibration(mlir::ModuleOp module,
                                     const CalibrationTable &table);

} // namespace qcc

#endif // QCC_CALIBRATION_CALIBRATE_H
