//===- Options.h - What a compilation is asked to do -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain structs: tools fill them from flags, APIs from their arguments.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DRIVER_OPTIONS_H
#define QCC_DRIVER_OPTIONS_H

#include "qcc/Calibration/Dataset.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace qcc {

/// What is written. The first group are the words of -emit= for phases, whose
/// output is textual IR; the others are file kinds, chosen by the extension of
/// the output.
enum class EmitKind {
  Import,
  QDQ, ///< an ONNX model with explicit quantization; .onnx files
  Quantize,
  Kernels,
  Target,
  LLVMIR, ///< "llvm", and .ll files
  Assembly,
  Object,
  Archive,
  SharedLibrary,
};

/// -quantize=
enum class QuantizeMode {
  Auto,       ///< static with calibration data or a table, dynamic without
  None,       ///< adds no quantization; explicit Q/DQ is kept
  Static,     ///< needs calibration data or a table
  Dynamic,    ///< int8 weights of matrix products, activations at run time
  WeightOnly, ///< weights of matrix products in blocks of few bits
};

/// What -quantize=weight-only makes of weights.
struct BlockFormat {
  int64_t bits = 4, block = 32;
  bool int8Activations = true; ///< quantized at run time, else float
};

/// A model in memory.
struct ModelBytes {
  llvm::StringRef bytes; ///< live as long as the options
  std::string directory; ///< of external data; empty: there may be none
};

/// Opens samples for these inputs.
using SampleOpener = std::function<llvm::Expected<std::unique_ptr<Dataset>>(
    llvm::ArrayRef<InputSpec>)>;

struct CompileOptions {
  std::string input;
  std::optional<ModelBytes> model; ///< then `input` only names it
  std::string output;              ///< "-" writes textual IR to standard output
  std::optional<EmitKind> emit;    ///< overrides the output's extension

  std::string target = "native";
  std::string prefix = "qcc_";
  llvm::StringMap<llvm::SmallVector<int64_t>> shapes; ///< by input name
  std::vector<std::string> outputs; ///< in place of the model's; empty: those

  std::vector<std::string> inputFormats; ///< of qnn-convert-input, one each

  QuantizeMode quantize = QuantizeMode::Auto;
  BlockFormat blocks; ///< of QuantizeMode::WeightOnly
  std::string calibrationPath;
  std::optional<std::string> preprocess; ///< how its images become inputs
  std::string calibrationMethod =
      "auto"; ///< or minmax, percentile, entropy, mse, output
  /// Samples in place of calibrationPath.
  SampleOpener openCalibration;
  std::string calibrationTable; ///< reused when it exists, else written
  /// guarded, int8 (no layer stays float), int16 (all layers in 16 bits that
  /// have kernels for it, the others float), auto (under the budgets below), or
  /// a plan's file, as savePrecision writes it; fp16 and bf16 quantize nothing
  /// and store float weights in 16 bits.
  std::string precision = "guarded";
  /// What static quantization does besides: auto, none, or some of equalize,
  /// smooth, correct-bias, gptq, adaround, clip-weights and clip-weights-octav,
  /// separated by commas.
  std::string ptq = "auto";
  /// Float products of attention: auto (in 16 bits where their result is
  /// quantized at run time), float, or int16.
  std::string attention = "auto";
  /// Recurrent layers with 8-bit weights in ONNX files: exact (functions that
  /// quantize the states at each step, as compiled code does) or float (LSTM,
  /// GRU and RNN).
  std::string exportRecurrence = "exact";
  std::string savePrecision; ///< file for the precision of each layer
  std::string maxDrop;       ///< METRIC:VALUE (qcc/Quantization/Budget.h)
  std::string maxLatency;    ///< milliseconds of an inference on this machine
  /// Threads that a search times inferences on; empty: as many as an artefact
  /// takes by itself.
  std::string searchThreads;
  std::string maxSize;    ///< bytes of the artefact
  std::string maxRam;     ///< bytes of memory of an instance
  std::string verifyPath; ///< samples to verify on; else half of the others
  /// Samples in place of verifyPath.
  SampleOpener openVerification;
  /// The caller's metric, for -max-drop=metric:VALUE: what the model's outputs
  /// for the sample of this index (of the verification samples, else of the
  /// calibration samples) are worth; more is better.
  std::function<llvm::Expected<double>(uint64_t, llvm::ArrayRef<HostTensor>)>
      metric;

  /// Tiles are measured on this machine; a file of them is reused and kept up
  /// to date, unless empty.
  std::optional<std::string> tune;

  bool emitHeader = false;
  bool keepTensors = false; ///< no two tensors share memory (for -dump-tensors)
  bool reference = false;   ///< plain loops only, the oracle of the kernels
  bool time = false;        ///< report the time of each phase
  std::string report;       ///< .html or .json, or empty
  std::string dumpPhases;   ///< folder for the IR after each phase, or empty
};

} // namespace qcc

#endif // QCC_DRIVER_OPTIONS_H
