//===- PrecisionPlan.cpp - The precision of each layer, as a file ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/PrecisionPlan.h"

#include "qcc/Support/ByteReader.h"
#include "qcc/Support/OutputFile.h"
#include "qcc/Support/ResultToExpected.h"
#include "qcc/Support/YamlDocument.h"

#include "llvm/ADT/StringSet.h"

using namespace qcc;

static llvm::StringRef getName(Precision precision) {
  switch (precision) {
  case Precision::Int8:
    return "int8";
  case Precision::Int16:
    return "int16";
  case Precision::Fp16:
    return "fp16";
  case Precision::Bf16:
    return "bf16";
  case Precision::Float:
    return "float";
  }
  llvm_unreachable("every precision has a name");
}

static std::optional<Precision> parsePrecision(llvm::StringRef name) {
  for (Precision precision :
       {Precision::Int8, Precision::Int16, Precision::Fp16, Precision::Bf16,
        Precision::Float})
    if (name == getName(precision))
      return precision;
  return std::nullopt;
}

namespace {
/// What stands in the file.
struct PlanDocument {
  unsigned version = 1;
  PrecisionPlan plan;
};
} // namespace

LLVM_YAML_IS_SEQUENCE_VECTOR(qcc::LayerPrecision)
LLVM_YAML_IS_SEQUENCE_VECTOR(qcc::SearchPoint)

namespace llvm::yaml {

template <> struct MappingTraits<LayerPrecision> {
  static void mapping(IO &io, LayerPrecision &layer) {
    io.mapRequired("name", layer.name);
    std::string precision = getName(layer.precision).str();
    io.mapRequired("precision", precision);
    auto given = parsePrecision(precision);
    if (!given)
      io.setError("'precision' is '" + precision +
                  "', expected int8, int16, fp16, bf16 or float");
    layer.precision = given.value_or(Precision::Float);
    io.mapOptional("reason", layer.reason, std::string());
    io.mapOptional("noise_db", layer.noiseDecibels, 0.0);
    io.mapOptional("float_us", layer.floatMicroseconds, 0.0);
    io.mapOptional("fp16_us", layer.fp16Microseconds, 0.0);
    io.mapOptional("bf16_us", layer.bf16Microseconds, 0.0);
    io.mapOptional("int16_us", layer.int16Microseconds, 0.0);
    io.mapOptional("int8_us", layer.int8Microseconds, 0.0);
  }
};

template <> struct MappingTraits<SearchPoint> {
  static void mapping(IO &io, SearchPoint &point) {
    io.mapRequired("int8_layers", point.int8Layers);
    io.mapOptional("int16_layers", point.int16Layers, 0u);
    io.mapOptional("fp16_layers", point.fp16Layers, 0u);
    io.mapOptional("bf16_layers", point.bf16Layers, 0u);
    io.mapRequired("ms", point.milliseconds);
    io.mapOptional("bytes", point.bytes, uint64_t(0));
    io.mapOptional("ram", point.ram, uint64_t(0));
    if (point.hasLoss || !io.outputting()) {
      io.mapOptional("loss", point.loss);
      io.mapOptional("upper", point.upper);
    }
    io.mapRequired("verdict", point.verdict);
  }
};

template <> struct MappingTraits<PlanDocument> {
  static void mapping(IO &io, PlanDocument &document) {
    io.mapRequired("version", document.version);
    if (document.version != 1)
      io.setError("only version 1 is known");
    io.mapRequired("layers", document.plan.layers);
    io.mapOptional("budget", document.plan.budget, std::string());
    io.mapOptional("loss_is", document.plan.lossName, std::string());
    io.mapOptional("times", document.plan.times, std::string());
    io.mapOptional("points", document.plan.points);
  }
};

} // namespace llvm::yaml

std::vector<std::string> PrecisionPlan::layersOf(Precision precision) const {
  std::vector<std::string> names;
  for (const LayerPrecision &layer : layers)
    if (layer.precision == precision)
      names.push_back(layer.name);
  return names;
}

std::string PrecisionPlan::print() const {
  return printYaml(PlanDocument{1, *this});
}

llvm::Error PrecisionPlan::save(const std::string &path) const {
  std::string text = print();
  return toError(writeFile(path, text.data(), text.size()));
}

llvm::Expected<PrecisionPlan> PrecisionPlan::parse(llvm::StringRef text,
                                                   llvm::StringRef path) {
  auto document = parseYaml<PlanDocument>(text, path, "precision plan");
  if (!document)
    return document.takeError();
  llvm::StringSet<> names;
  for (const LayerPrecision &layer : document->plan.layers)
    if (!names.insert(layer.name).second)
      return makeError(path + ": layer '" + layer.name +
                       "' stands in the file twice");
  return std::move(document->plan);
}

llvm::Expected<PrecisionPlan> PrecisionPlan::load(const std::string &path) {
  Result<std::vector<char>> bytes = readFile(path);
  if (!bytes)
    return makeError(bytes.error());
  return parse(llvm::StringRef(bytes->data(), bytes->size()), path);
}
