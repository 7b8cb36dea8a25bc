//===- Simulation.h - Quantization with a switch per layer ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_SIMULATION_H
#define QCC_QUANTIZATION_SIMULATION_H

#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Support/ModelRunner.h"
#include "llvm/ADT/BitVector.h"

namespace qcc {

/// A model compiled once in which every layer can be computed in float or in 8
/// bits from one run to the next. Each op that can be quantized stands in it
/// twice, on float and on quantized operands; a run-time switch selects which
/// result goes on.
class Simulation {
public:
  struct Layer {
    std::string name;
    bool hasInt16Form;   ///< see QuantizationSites.h
    bool hasBf16Form;    ///< weights that can be stored in bf16
    bool prefersFp16;    ///< and in f16, which changes them no more
    int64_t products;    ///< multiplications per inference
    int64_t weights;     ///< elements of its constant weight
    unsigned sharedWith; ///< the first layer with that constant, maybe itself
    int64_t results;     ///< elements of its result
    /// Steps of the result by which one step of the input disturbs a quarter of
    /// the channels: `sx * |w| / sy`. A tensor with few large channels and many
    /// small ones, which the weights behind it make equal again, has much.
    double estimatedNoise;
  };

  /// `module` is a simplified float module without observers (not modified).
  /// `compile` gets @main with qnn.quantize and qnn.dequantize around the
  /// quantized twins, whose weights are still float, and with a scalar i1
  /// argument for each switch behind the model's own.
  static llvm::Expected<std::unique_ptr<Simulation>>
  create(mlir::ModuleOp module, const CalibrationTable &table,
         const ModelRunnerFactory &compile);

  llvm::ArrayRef<Layer> layers() const { return allLayers; }

  /// The outputs where the layers whose bit is set stay float, and what lies
  /// between layers follows them as in insertObservers.
  llvm::Expected<std::vector<HostTensor>> run(llvm::ArrayRef<HostTensor> inputs,
                                              const llvm::BitVector &keepFloat);

private:
  Simulation() = default;
  llvm::Error build(const CalibrationTable &table,
                    const ModelRunnerFactory &compile);
  std::vector<bool> switchesFor(const llvm::BitVector &keepFloat) const;

  mlir::OwningOpRef<mlir::ModuleOp> model; ///< what `sites` points into
  std::unique_ptr<QuantizationSites> sites;
  std::vector<Layer> allLayers;
  /// What a switch decides: whether an op computes in 8 bits, or whether a
  /// value is stored in 8 bits.
  std::vector<llvm::PointerUnion<mlir::Operation *, mlir::Value>> switches;
  std::unique_ptr<ModelRunner> runner;
};

} // namespace qcc

#endif // QCC_QUANTIZATION_SIMULATION_H
