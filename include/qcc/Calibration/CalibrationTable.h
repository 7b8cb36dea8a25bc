//===- CalibrationTable.h - Ranges of tensors, as a file --------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The file is YAML, made to be read and edited:
//
//   version: 1
//   samples: 32
//   equalized: true
//   keep_float: ["conv0"]
//   int16: ["conv2"]
//   fp16: ["fc1"]
//   tensors:
//   - id: "conv1"
//     min: -1.5
//     max: 2.25
//     method: mse
//   channels:
//   - algorithm: smooth
//     input_of: "conv1"
//     maxima: [3.5, 0.25]
//     means: [0.5, 0.125]
//     deviations: [1.25, 0.0625]
//   ptq: "gptq,correct-bias"
//   corrected_with_float: ["conv0"]
//   layers:
//   - name: "conv1"
//     weights: 8c1f2a90b7d3e654
//     bias_correction: [0.0125, -0.25]
//     rounding:
//     - "..ab-"
//     - "-"
//
// "id", "min" and "max" are needed, of the tensors the rest is for the reader.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CALIBRATION_CALIBRATIONTABLE_H
#define QCC_CALIBRATION_CALIBRATIONTABLE_H

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace qcc {

struct CalibrationEntry {
  std::string id;
  float min = 0, max = 0; ///< the range that 8 bits shall cover
  std::string method;     ///< how it was found
  /// Of the data: its extremes, the number of values, the part of them that is
  /// 0, and seven quantiles (0.01, 1, 25, 50, 75, 99 and 99.99 %).
  float observedMin = 0, observedMax = 0;
  uint64_t count = 0;
  double zeros = 0;
  std::vector<float> quantiles;
  /// Signal to quantization noise, in dB; 0 where unknown.
  double sqnr = 0;
};

/// What an algorithm that changes the weights beforehand measured of the input
/// of a layer, by channel.
struct ChannelEntry {
  std::string algorithm; ///< in words of -ptq=
  std::string layer;
  std::vector<float> maxima, means, deviations;
};

/// What calibration made of a layer besides ranges.
struct LayerCorrection {
  std::string name;
  /// Of the float weights and their scales: tells whether the rest is of them.
  uint64_t fingerprint = 0;
  /// By output channel how its weights differ from those rounded to nearest
  /// (encodeRounding); empty where none does.
  std::vector<std::string> rounding;
  /// What each output channel of the bias gets added; empty: nothing.
  std::vector<float> biasCorrection;
};

class CalibrationTable {
public:
  /// Number of samples seen.
  uint64_t samples = 0;
  /// Names of layers that 8 bits would spoil.
  std::vector<std::string> keepFloat;
  std::vector<std::string> int16; ///< of those in 16 bits
  /// Of those in float with weights stored in 16 bits.
  std::vector<std::string> fp16, bf16;
  /// Whether channels were balanced (qnn-equalize-channels) beforehand.
  bool equalized = false;
  std::vector<ChannelEntry> channels;
  /// What the layers were rounded and corrected by; empty: they were not.
  std::string ptq;
  /// The layers that stayed float, or were in 16 bits, when biases were
  /// corrected.
  std::vector<std::string> correctedWithFloat;
  std::vector<LayerCorrection> layers;

  /// Fails when the id exists.
  bool add(CalibrationEntry entry);
  /// Null when there is none.
  const CalibrationEntry *find(llvm::StringRef id) const;
  const std::vector<CalibrationEntry> &entries() const { return list; }

  void print(llvm::raw_ostream &os) const;
  llvm::Error save(const std::string &path) const;

  /// Errors name `path`, line and column.
  static llvm::Expected<CalibrationTable> parse(llvm::StringRef text,
                                                llvm::StringRef path);
  static llvm::Expected<CalibrationTable> load(const std::string &path);

private:
  std::vector<CalibrationEntry> list;
  llvm::StringMap<size_t> byId;
};

} // namespace qcc

#endif // QCC_CALIBRATION_CALIBRATIONTABLE_H
