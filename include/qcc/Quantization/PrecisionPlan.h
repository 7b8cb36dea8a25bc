//===- PrecisionPlan.h - The precision of each layer, as a file -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The file is YAML, made to be read and edited:
//
//   version: 1
//   layers:
//   - name: "conv1"
//     precision: float
//     reason: "..."
//
// "name" and "precision" (int8, int16, fp16, bf16 or float) are needed, the
// rest is for the reader, as are "budget" and "points" behind the layers: what
// was measured on the way. Layers that the file does not name go to 8 bits, or
// stay float where nothing is quantized.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_PRECISIONPLAN_H
#define QCC_QUANTIZATION_PRECISIONPLAN_H

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace qcc {

enum class Precision {
  Int8,
  Int16, ///< activations and weights of 16 bits
  Fp16,  ///< float, with weights stored in 16 bits
  Bf16,
  Float,
};

struct LayerPrecision {
  std::string name;
  Precision precision = Precision::Int8;
  std::string reason;
  double noiseDecibels = 0; ///< of this layer alone in 8 bits, at the outputs
  /// Measured or modelled, as the plan says; 0 unknown.
  double floatMicroseconds = 0, int16Microseconds = 0, int8Microseconds = 0,
         fp16Microseconds = 0, bf16Microseconds = 0;
};

/// A choice that a search compiled and measured.
struct SearchPoint {
  unsigned int8Layers = 0;
  double milliseconds = 0;     ///< of an inference, as the plan says
  uint64_t bytes = 0, ram = 0; ///< of the artefact; 0: not measured
  bool hasLoss = false;        ///< whether the two below are known
  /// On samples held out, and its 95 % bound; of choices that lose too much on
  /// those of the search, the mean on those.
  double loss = 0, upper = 0;
  std::string verdict; ///< "chosen", "float", "loses too much", ...
  unsigned int16Layers = 0, fp16Layers = 0, bf16Layers = 0;
};

struct PrecisionPlan {
  std::vector<LayerPrecision> layers;
  std::vector<SearchPoint> points; ///< empty where nothing was searched
  std::string budget;              ///< in words, what the points are held to
  std::string lossName;            ///< what a point's loss is
  /// What all times are: "measured at avx2 ..." or "modelled for dotprod ...";
  /// empty where there are none.
  std::string times;

  /// Names of the layers of a precision.
  std::vector<std::string> layersOf(Precision precision) const;
  std::string print() const;
  llvm::Error save(const std::string &path) const;
  /// Errors name `path`, line and column.
  static llvm::Expected<PrecisionPlan> parse(llvm::StringRef text,
                                             llvm::StringRef path);
  static llvm::Expected<PrecisionPlan> load(const std::string &path);
};

} // namespace qcc

#endif // QCC_QUANTIZATION_PRECISIONPLAN_H
