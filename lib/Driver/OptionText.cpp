//===- OptionText.cpp - Options as users write them -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/OptionText.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace qcc {

Error addShape(CompileOptions &options, StringRef text) {
  auto [name, dims] = text.rsplit(':');
  SmallVector<int64_t> shape;
  SmallVector<StringRef> parts;
  if (dims != "scalar")
    dims.split(parts, 'x');
  for (StringRef part : parts) {
    int64_t extent;
    if (part.getAsInteger(10, extent) || extent <= 0)
      return makeError("-shape=" + text +
                       ": expected NAME:1x3x224x224 with positive extents");
    shape.push_back(extent);
  }
  if (name.empty() || !options.shapes.try_emplace(name, shape).second)
    return makeError("-shape=" + text + ": input name missing or given twice");
  return Error::success();
}

Expected<EmitKind> parseEmitKind(StringRef word) {
  static const std::pair<StringRef, EmitKind> kinds[] = {
      {"import", EmitKind::Import},   {"quantize", EmitKind::Quantize},
      {"qdq", EmitKind::QDQ},         {"kernels", EmitKind::Kernels},
      {"target", EmitKind::Target},   {"llvm", EmitKind::LLVMIR},
      {"asm", EmitKind::Assembly},    {"obj", EmitKind::Object},
      {"archive", EmitKind::Archive}, {"shared", EmitKind::SharedLibrary}};
  for (auto [name, kind] : kinds)
    if (word == name)
      return kind;
  return makeError(
      "-emit=" + word +
      ": expected import, qdq, quantize, kernels, target, llvm, asm, "
      "obj, archive or shared");
}

/// The words behind weight-only: int4 or int8, block=N, and activations=int8 or
/// float.
static Expected<BlockFormat> parseBlockFormat(StringRef text) {
  BlockFormat format;
  SmallVector<StringRef> words;
  text.split(words, ',', -1, /*KeepEmpty=*/false);
  for (StringRef word : words) {
    auto bits = StringSwitch<std::optional<int64_t>>(word)
                    .Case("int4", 4)
                    .Case("int8", 8)
                    .Default(std::nullopt);
    if (bits)
      format.bits = *bits;
    else if (word == "activations=int8" || word == "activations=float")
      format.int8Activations = word == "activations=int8";
    else if (!word.consume_front("block=") ||
             word.getAsInteger(10, format.block) || format.block < 16 ||
             format.block > 4096 || format.block % 16 != 0)
      return makeError("-quantize=weight-only:" + text +
                       ": expected int4 or int8, block=N (a multiple of 16, at "
                       "most 4096) and activations=int8 or float, "
                       "separated by commas");
  }
  return format;
}

static Error parseQuantize(CompileOptions &options, StringRef word) {
  auto [name, format] = word.split(':');
  auto mode = StringSwitch<std::optional<QuantizeMode>>(word)
                  .Case("auto", QuantizeMode::Auto)
                  .Case("none", QuantizeMode::None)
                  .Case("static", QuantizeMode::Static)
                  .Case("dynamic", QuantizeMode::Dynamic)
                  .Default(std::nullopt);
  if (name == "weight-only") {
    mode = QuantizeMode::WeightOnly;
    Expected<BlockFormat> blocks = parseBlockFormat(format);
    if (!blocks)
      return blocks.takeError();
    options.blocks = *blocks;
  }
  if (!mode)
    return makeError("-quantize=" + word +
                     ": expected auto, none, static, dynamic or weight-only");
  options.quantize = *mode;
  return Error::success();
}

/// Stores the value that was parsed, or passes the error on.
template <typename T, typename U>
static Error store(T &field, Expected<U> value) {
  if (!value)
    return value.takeError();
  field = *value;
  return Error::success();
}

Error setOption(CompileOptions &options, StringRef name, StringRef value) {
  static const std::pair<StringRef, std::string CompileOptions::*> texts[] = {
      {"target", &CompileOptions::target},
      {"prefix", &CompileOptions::prefix},
      {"calib", &CompileOptions::calibrationPath},
      {"calib-method", &CompileOptions::calibrationMethod},
      {"calib-table", &CompileOptions::calibrationTable},
      {"precision", &CompileOptions::precision},
      {"report", &CompileOptions::report},
      {"ptq", &CompileOptions::ptq},
      {"attention", &CompileOptions::attention},
      {"export-recurrence", &CompileOptions::exportRecurrence},
      {"save-precision", &CompileOptions::savePrecision},
      {"max-drop", &CompileOptions::maxDrop},
      {"max-latency", &CompileOptions::maxLatency},
      {"max-size", &CompileOptions::maxSize},
      {"max-ram", &CompileOptions::maxRam},
      {"search-threads", &CompileOptions::searchThreads},
      {"verify", &CompileOptions::verifyPath},
      {"dump-phases", &CompileOptions::dumpPhases}};
  for (auto [key, field] : texts)
    if (name == key) {
      options.*field = value.str();
      return Error::success();
    }
  static const std::pair<StringRef, bool CompileOptions::*> switches[] = {
      {"emit-header", &CompileOptions::emitHeader},
      {"keep-tensors", &CompileOptions::keepTensors},
      {"reference", &CompileOptions::reference}};
  for (auto [key, field] : switches)
    if (name == key) {
      if (value != "true" && value != "false")
        return makeError("-" + name + "=" + value + ": expected true or false");
      options.*field = value == "true";
      return Error::success();
    }
  if (name == "preprocess") {
    options.preprocess = value.str();
    return Error::success();
  }
  if (name == "tune") {
    options.tune = value.str();
    return Error::success();
  }
  if (name == "io") {
    options.inputFormats.push_back(value.str());
    return Error::success();
  }
  if (name == "shape")
    return addShape(options, value);
  if (name == "outputs") {
    SmallVector<StringRef> names;
    value.split(names, ',');
    options.outputs.insert(options.outputs.end(), names.begin(), names.end());
    return Error::success();
  }
  if (name == "emit")
    return store(options.emit, parseEmitKind(value));
  if (name == "quantize")
    return parseQuantize(options, value);
  return makeError("there is no option '" + name + "'");
}

} // namespace qcc
