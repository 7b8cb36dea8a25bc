//===- PrecisionSearch.h - Which layers go to 8 bits ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_PRECISIONSEARCH_H
#define QCC_QUANTIZATION_PRECISIONSEARCH_H

#include "qcc/Quantization/OutputError.h"
#include "qcc/Quantization/Simulation.h"

namespace qcc {

/// A simulation with the samples that choices are made on.
class PrecisionSearch {
public:
  using Sample = std::vector<HostTensor>;
  /// Runs the float model on the samples. `compared` are its outputs.
  static llvm::Expected<PrecisionSearch> create(Simulation &simulation,
                                                ComparedOutputs compared,
                                                std::vector<Sample> samples);

  /// The mean error of the outputs over the samples.
  llvm::Expected<OutputError> measure(const llvm::BitVector &keepFloat) const;

  /// The error with only this layer in 8 bits, for each of `layers`.
  llvm::Expected<std::vector<OutputError>>
  measureLayers(llvm::ArrayRef<unsigned> layers) const;

  Simulation &getSimulation() const { return *simulation; }

private:
  PrecisionSearch() = default;
  Simulation *simulation;
  ComparedOutputs compared;
  std::vector<Sample> samples, references;
};

/// When plain 8 bits are too few, and what may stay float for it.
struct GuardOptions {
  /// Noise at the outputs, as part of the signal, that needs no remedy: 20 dB.
  double acceptedNoise = 0.01;
  /// Smallest part of all layers' noise that makes a layer worth keeping float.
  double smallestShare = 0.05;
  /// Part of the multiplications that may stay float.
  double largestCost = 0.1;
  /// What the noise must fall to, as part of that of plain 8 bits.
  double leastGain = 0.6;
  /// So many layers are measured: those with the greatest estimated noise.
  size_t candidates = SIZE_MAX;
};

struct NoisyLayer {
  unsigned index;
  double noise; ///< at the outputs, with only this layer in 8 bits
};

/// The layers to be kept float because their quantization alone makes most of
/// the noise at the outputs; none where this would not help.
llvm::Expected<std::vector<NoisyLayer>>
findNoisyLayers(const PrecisionSearch &search, const GuardOptions &options);

/// The layers that stay float so that the losses of the others sum to `allowed`
/// at most and 8 bits gain the most time: a knapsack. A layer that gains none
/// stays float.
llvm::BitVector chooseFloatLayers(llvm::ArrayRef<double> losses,
                                  llvm::ArrayRef<double> gains, double allowed);

/// How a layer's weights are stored.
enum class WeightForm : unsigned { Int8, Int16, Fp16, Bf16, Float };

/// The bytes of weights, in a form for each layer, beyond those of 8 bits. A
/// constant that layers share counts once in each form that one of them takes.
int64_t countExtraBytes(llvm::ArrayRef<Simulation::Layer> layers,
                        llvm::ArrayRef<WeightForm> forms);

/// `notInt8` and the layers of regions in 8 bits that take longer so (`own`
/// times, of all layers) than where nothing is in 8 bits (`others`).
llvm::BitVector leaveSlowRegions(const llvm::BitVector &notInt8,
                                 llvm::ArrayRef<double> own,
                                 llvm::ArrayRef<double> others);

} // namespace qcc

#endif // QCC_QUANTIZATION_PRECISIONSEARCH_H
