//===- CalibrationTable.cpp - Ranges of tensors, as a file ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Support/ByteReader.h"
#include "qcc/Support/OutputFile.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace qcc;
namespace yaml = llvm::yaml;

bool CalibrationTable::add(CalibrationEntry entry) {
  if (!byId.try_emplace(entry.id, list.size()).second)
    return false;
  list.push_back(std::move(entry));
  return true;
}

const CalibrationEntry *CalibrationTable::find(llvm::StringRef id) const {
  auto it = byId.find(id);
  return it == byId.end() ? nullptr : &list[it->second];
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Nine digits: exactly this float32 when read again.
static llvm::format_object<double> exact(float value) {
  return llvm::format("%.9g", double(value));
}

static void printNames(llvm::raw_ostream &os, llvm::StringRef key,
                       llvm::ArrayRef<std::string> names) {
  os << key << ": [";
  llvm::interleaveComma(names, os, [&](const std::string &name) {
    os << '"' << yaml::escape(name) << '"';
  });
  os << "]\n";
}

static void printSingles(llvm::raw_ostream &os, llvm::StringRef key,
                         llvm::ArrayRef<float> values) {
  os << "  " << key << ": [";
  llvm::interleaveComma(values, os, [&](float value) { os << exact(value); });
  os << "]\n";
}

static void printChannels(llvm::raw_ostream &os, const ChannelEntry &entry) {
  os << "- algorithm: " << entry.algorithm << "\n  input_of: \""
     << yaml::escape(entry.layer) << "\"\n";
  printSingles(os, "maxima", entry.maxima);
  printSingles(os, "means", entry.means);
  printSingles(os, "deviations", entry.deviations);
}

static void printCorrection(llvm::raw_ostream &os,
                            const LayerCorrection &layer) {
  os << "- name: \"" << yaml::escape(layer.name) << "\"\n  weights: \""
     << llvm::format_hex_no_prefix(layer.fingerprint, 16) << "\"\n";
  if (!layer.biasCorrection.empty())
    printSingles(os, "bias_correction", layer.biasCorrection);
  if (layer.rounding.empty())
    return;
  os << "  rounding:\n";
  for (const std::string &channel : layer.rounding)
    os << "  - \"" << channel << "\"\n";
}

void CalibrationTable::print(llvm::raw_ostream &os) const {
  os << "# Ranges of activations, measured by qcc. 8 bits cover min to max; "
        "both may be edited.\n"
     << "version: 1\nsamples: " << samples << "\n";
  if (equalized)
    os << "equalized: true\n";
  if (!keepFloat.empty())
    printNames(os, "keep_float", keepFloat);
  if (!int16.empty())
    printNames(os, "int16", int16);
  if (!fp16.empty())
    printNames(os, "fp16", fp16);
  if (!bf16.empty())
    printNames(os, "bf16", bf16);
  os << (list.empty() ? "tensors: []\n" : "tensors:\n");
  for (const CalibrationEntry &entry : list) {
    os << "- id: \"" << yaml::escape(entry.id)
       << "\"\n  min: " << exact(entry.min) << "\n  max: " << exact(entry.max)
       << '\n';
    if (!entry.method.empty())
      os << "  method: " << entry.method << '\n';
    if (!entry.count)
      continue;
    os << "  observed: [" << exact(entry.observedMin) << ", "
       << exact(entry.observedMax) << "]\n  count: " << entry.count
       << "\n  zeros: " << llvm::format("%.3g", entry.zeros)
       << "\n  quantiles: [";
    for (size_t i = 0; i < entry.quantiles.size(); ++i)
      os << (i ? ", " : "") << llvm::format("%.4g", double(entry.quantiles[i]));
    os << "]\n  sqnr_db: " << llvm::format("%.1f", entry.sqnr) << '\n';
  }
  if (!channels.empty())
    os << "# What the weights were changed by before that.\nchannels:\n";
  for (const ChannelEntry &entry : channels)
    printChannels(os, entry);
  if (ptq.empty())
    return;
  os << "# How weights were rounded and biases corrected.\nptq: \""
     << yaml::escape(ptq) << "\"\n";
  printNames(os, "corrected_with_float", correctedWithFloat);
  os << (layers.empty() ? "layers: []\n" : "layers:\n");
  for (const LayerCorrection &layer : layers)
    printCorrection(os, layer);
}

llvm::Error CalibrationTable::save(const std::string &path) const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return toError(writeFile(path, text.data(), text.size()));
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
/// Reads the nodes that it expects, and stops at the first other one: so the
/// depth of the file does not matter.
class Parser {
public:
  Parser(llvm::StringRef text, llvm::StringRef path)
      : stream(llvm::MemoryBufferRef(text, path), sources,
               /*ShowColors=*/false) {
    sources.setDiagHandler(
        [](const llvm::SMDiagnostic &diagnostic, void *context) {
          auto &message = *static_cast<std::string *>(context);
          if (message.empty())
            message = (diagnostic.getFilename() + ":" +
                       llvm::Twine(diagnostic.getLineNo()) + ":" +
                       llvm::Twine(diagnostic.getColumnNo() + 1) + ": " +
                       diagnostic.getMessage())
                          .str();
        },
        &message);
  }

  llvm::Expected<CalibrationTable> parse();

private:
  bool fail(yaml::Node *node, const llvm::Twine &what) {
    if (message.empty() && node)
      stream.printError(node, what);
    if (message.empty()) // an empty document has no place to point at
      message = "calibration table: " + what.str();
    return false;
  }

  bool parseTop(yaml::Node *root);
  /// Fails where another document follows.
  bool parseEnd(yaml::document_iterator document);
  bool parseTopField(llvm::StringRef key, yaml::Node *value);
  bool parseLayer(yaml::Node &node);
  bool parseChannels(yaml::Node &node);
  /// Calls `handle` for each element of a list.
  bool sequence(yaml::Node *node, llvm::StringRef what,
                llvm::function_ref<bool(yaml::Node &)> handle);
  bool parseEntry(yaml::Node &node);
  bool parseField(llvm::StringRef key, yaml::Node *value,
                  CalibrationEntry &entry);
  /// Calls `handle` for each key; stops where that fails.
  bool mapping(yaml::Node *node,
               llvm::function_ref<bool(llvm::StringRef, yaml::Node *)> handle);
  bool text(yaml::Node *node, std::string &value);
  bool number(yaml::Node *node, double &value);
  bool single(yaml::Node *node, float &value);
  bool integer(yaml::Node *node, uint64_t &value);
  bool singles(yaml::Node *node, std::vector<float> &values);
  bool texts(yaml::Node *node, std::vector<std::string> &values);

  llvm::SourceMgr sources;
  std::string message;
  yaml::Stream stream;
  CalibrationTable table;
  llvm::StringSet<> layerNames;
  uint64_t version = 0;
};
} // namespace

bool Parser::mapping(
    yaml::Node *node,
    llvm::function_ref<bool(llvm::StringRef, yaml::Node *)> handle) {
  auto *map = llvm::dyn_cast_or_null<yaml::MappingNode>(node);
  if (!map)
    return fail(node, "expected 'key: value' lines");
  std::vector<std::string> seen;
  for (auto it = map->begin(), end = map->end(); it != end; ++it) {
    std::string key;
    yaml::Node *keyNode = it->getKey();
    if (!text(keyNode, key))
      return false;
    if (llvm::is_contained(seen, key))
      return fail(keyNode, "'" + key + "' stands here twice");
    seen.push_back(key);
    if (!handle(key, it->getValue()) || stream.failed())
      return fail(keyNode, "unknown or malformed '" + key + "'");
  }
  return !stream.failed() || fail(node, "malformed");
}

bool Parser::text(yaml::Node *node, std::string &value) {
  auto *scalar = llvm::dyn_cast_or_null<yaml::ScalarNode>(node);
  if (!scalar)
    return fail(node, "expected a single value");
  llvm::SmallString<64> storage;
  value = scalar->getValue(storage).str();
  return true;
}

bool Parser::number(yaml::Node *node, double &value) {
  std::string digits;
  if (!text(node, digits))
    return false;
  if (llvm::StringRef(digits).getAsDouble(value) || !std::isfinite(value))
    return fail(node, "'" + digits + "' is not a finite number");
  return true;
}

bool Parser::single(yaml::Node *node, float &value) {
  double wide;
  if (!number(node, wide))
    return false;
  value = float(wide);
  return std::isfinite(value) || fail(node, "too large for float32");
}

bool Parser::integer(yaml::Node *node, uint64_t &value) {
  std::string digits;
  if (!text(node, digits))
    return false;
  return !llvm::StringRef(digits).getAsInteger(10, value) ||
         fail(node, "'" + digits + "' is not a whole number");
}

bool Parser::sequence(yaml::Node *node, llvm::StringRef what,
                      llvm::function_ref<bool(yaml::Node &)> handle) {
  auto *sequence = llvm::dyn_cast_or_null<yaml::SequenceNode>(node);
  if (!sequence)
    return fail(node, "expected a list of " + what);
  for (yaml::Node &element : *sequence)
    if (!handle(element))
      return false;
  return true;
}

bool Parser::singles(yaml::Node *node, std::vector<float> &values) {
  return sequence(node, "numbers", [&](yaml::Node &element) {
    values.emplace_back();
    return single(&element, values.back());
  });
}

bool Parser::texts(yaml::Node *node, std::vector<std::string> &values) {
  return sequence(node, "names", [&](yaml::Node &element) {
    values.emplace_back();
    return text(&element, values.back());
  });
}

bool Parser::parseField(llvm::StringRef key, yaml::Node *value,
                        CalibrationEntry &entry) {
  if (key == "id")
    return text(value, entry.id);
  if (key == "min")
    return single(value, entry.min);
  if (key == "max")
    return single(value, entry.max);
  if (key == "method")
    return text(value, entry.method);
  if (key == "count")
    return integer(value, entry.count);
  if (key == "zeros")
    return number(value, entry.zeros);
  if (key == "sqnr_db")
    return number(value, entry.sqnr);
  if (key == "quantiles")
    return singles(value, entry.quantiles);
  if (key == "observed") {
    std::vector<float> ends;
    if (!singles(value, ends))
      return false;
    if (ends.size() != 2)
      return fail(value, "expected [min, max]");
    entry.observedMin = ends[0];
    entry.observedMax = ends[1];
    return true;
  }
  return false;
}

bool Parser::parseEntry(yaml::Node &node) {
  CalibrationEntry entry;
  bool hasId = false, hasMin = false, hasMax = false;
  if (!mapping(&node, [&](llvm::StringRef key, yaml::Node *value) {
        hasId |= key == "id";
        hasMin |= key == "min";
        hasMax |= key == "max";
        return parseField(key, value, entry);
      }))
    return false;
  if (!hasId || !hasMin || !hasMax)
    return fail(&node, "a tensor needs 'id', 'min' and 'max'");
  std::string id = entry.id;
  if (entry.min > entry.max)
    return fail(&node, "'min' is greater than 'max' for '" + id + "'");
  if (!table.add(std::move(entry)))
    return fail(&node, "'" + id + "' stands in the table twice");
  return true;
}

bool Parser::parseLayer(yaml::Node &node) {
  LayerCorrection layer;
  bool hasName = false, hasWeights = false;
  if (!mapping(&node, [&](llvm::StringRef key, yaml::Node *value) {
        if (key == "name") {
          hasName = true;
          return text(value, layer.name);
        }
        if (key == "bias_correction")
          return singles(value, layer.biasCorrection);
        if (key == "rounding")
          return texts(value, layer.rounding);
        std::string digits;
        if (key != "weights" || !text(value, digits))
          return false;
        hasWeights = true;
        return !llvm::StringRef(digits).getAsInteger(16, layer.fingerprint) ||
               fail(value, "'" + digits + "' is no hexadecimal number");
      }))
    return false;
  if (!hasName || !hasWeights)
    return fail(&node, "a layer needs 'name' and 'weights'");
  if (!layerNames.insert(layer.name).second)
    return fail(&node, "layer '" + layer.name + "' stands in the table twice");
  table.layers.push_back(std::move(layer));
  return true;
}

bool Parser::parseChannels(yaml::Node &node) {
  ChannelEntry entry;
  if (!mapping(&node, [&](llvm::StringRef key, yaml::Node *value) {
        if (key == "algorithm")
          return text(value, entry.algorithm);
        if (key == "input_of")
          return text(value, entry.layer);
        if (key == "maxima")
          return singles(value, entry.maxima);
        if (key == "means")
          return singles(value, entry.means);
        return key == "deviations" && singles(value, entry.deviations);
      }))
    return false;
  size_t count = entry.maxima.size();
  if (entry.algorithm.empty() || entry.layer.empty() ||
      entry.means.size() != count || entry.deviations.size() != count)
    return fail(&node, "channels need 'algorithm', 'input_of' and as many "
                       "'maxima' as 'means' and 'deviations'");
  auto isNegative = [](float value) { return value < 0; };
  if (llvm::any_of(entry.maxima, isNegative) ||
      llvm::any_of(entry.deviations, isNegative))
    return fail(&node, "'maxima' and 'deviations' are not negative");
  table.channels.push_back(std::move(entry));
  return true;
}

bool Parser::parseTopField(llvm::StringRef key, yaml::Node *value) {
  if (key == "samples")
    return integer(value, table.samples);
  if (key == "keep_float")
    return texts(value, table.keepFloat);
  if (key == "int16")
    return texts(value, table.int16);
  if (key == "fp16")
    return texts(value, table.fp16);
  if (key == "bf16")
    return texts(value, table.bf16);
  if (key == "ptq")
    return text(value, table.ptq);
  if (key == "corrected_with_float")
    return texts(value, table.correctedWithFloat);
  if (key == "tensors")
    return sequence(value, "tensors",
                    [&](yaml::Node &node) { return parseEntry(node); });
  if (key == "channels")
    return sequence(value, "channels",
                    [&](yaml::Node &node) { return parseChannels(node); });
  if (key == "layers")
    return sequence(value, "layers",
                    [&](yaml::Node &node) { return parseLayer(node); });
  std::string word;
  if (key != "equalized" || !text(value, word))
    return false;
  table.equalized = word == "true";
  return table.equalized || word == "false" ||
         fail(value, "expected true or false");
}

bool Parser::parseTop(yaml::Node *root) {
  bool hasVersion = false;
  if (!mapping(root, [&](llvm::StringRef key, yaml::Node *value) {
        if (key != "version")
          return parseTopField(key, value);
        hasVersion = true;
        return integer(value, version) &&
               (version == 1 || fail(value, "only version 1 is known"));
      }))
    return false;
  return hasVersion || fail(root, "needs 'version: 1'");
}

bool Parser::parseEnd(yaml::document_iterator document) {
  ++document;
  return document == stream.end() ||
         fail(document->getRoot(),
              "a table is one document; remove what stands behind its '---'");
}

llvm::Expected<CalibrationTable> Parser::parse() {
  yaml::document_iterator document = stream.begin();
  yaml::Node *root = document == stream.end() ? nullptr : document->getRoot();
  if (!parseTop(root) || stream.failed() || !parseEnd(document) ||
      !message.empty())
    return makeError(message.empty() ? "malformed calibration table" : message);
  return std::move(table);
}

llvm::Expected<CalibrationTable> CalibrationTable::parse(llvm::StringRef text,
                                                         llvm::StringRef path) {
  return Parser(text, path).parse();
}

llvm::Expected<CalibrationTable>
CalibrationTable::load(const std::string &path) {
  Result<std::vector<char>> bytes = readFile(path);
  if (!bytes)
    return makeError(bytes.error());
  return parse(llvm::StringRef(bytes->data(), bytes->size()), path);
}
