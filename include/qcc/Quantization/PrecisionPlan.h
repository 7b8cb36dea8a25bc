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
// "name" and "precision" (int8 or float) are needed, the rest is for the
// reader. Layers that the file does not name go to 8 bits.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_PRECISIONPLAN_H
#define QCC_QUANTIZATION_PRECISIONPLAN_H

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace qcc {

struct LayerPrecision {
  std::string name;
  bool isFloat = false;
  std::string reason;
  double noiseDecibels = 0; ///< of this layer alone in 8 bits, at the outputs
  double floatMicroseconds = 0, int8Microseconds = 0; ///< measured; 0 unknown
};

struct PrecisionPlan {
  std::vector<LayerPrecision> layers;

  /// Names of the layers that stay float.
  std::vector<std::string> keepFloat() const;
  std::string print() const;
  llvm::Error save(const std::string &path) const;
  /// Errors name `path`, line and column.
  static llvm::Expected<PrecisionPlan> parse(llvm::StringRef text,
                                             llvm::StringRef path);
  static llvm::Expected<PrecisionPlan> load(const std::string &path);
};

} // namespace qcc

#endif // QCC_QUANTIZATION_PRECISIONPLAN_H
