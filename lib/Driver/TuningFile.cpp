//===- TuningFile.cpp - Measured tiles, as a file -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TuningFile.h"

#include "qcc/Support/ByteReader.h"
#include "qcc/Support/OutputFile.h"
#include "qcc/Support/ResultToExpected.h"
#include "qcc/Support/YamlDocument.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace qcc;

LLVM_YAML_IS_SEQUENCE_VECTOR(qcc::TunedShape)
LLVM_YAML_IS_SEQUENCE_VECTOR(qcc::TunedLevel)

namespace {
/// What stands in the file.
struct TuningDocument {
  unsigned version = 1;
  std::vector<TunedLevel> levels;
};
} // namespace

namespace llvm::yaml {

template <> struct MappingTraits<TunedShape> {
  static void mapping(IO &io, TunedShape &entry) {
    TileChoice &choice = entry.choice;
    io.mapRequired("shape", entry.shape);
    io.mapOptional("rows", choice.rows);
    io.mapOptional("vectors", choice.vectors);
    io.mapOptional("panels_outer", choice.panelsOuter);
    io.mapOptional("gathers_windows", choice.gathersWindows);
    io.mapOptional("gain", entry.gain, 1.0);
  }
  static std::string validate(IO &, TunedShape &entry) {
    auto beyond = [](std::optional<unsigned> value, unsigned most) {
      return value && (*value == 0 || *value > most);
    };
    if (beyond(entry.choice.rows, TileChoice::maxRows))
      return "'rows' must be 1 to " + std::to_string(TileChoice::maxRows);
    if (beyond(entry.choice.vectors, TileChoice::maxVectors))
      return "'vectors' must be 1 to " + std::to_string(TileChoice::maxVectors);
    return "";
  }
};

template <> struct MappingTraits<TunedLevel> {
  static void mapping(IO &io, TunedLevel &level) {
    io.mapRequired("host", level.host);
    io.mapRequired("level", level.level);
    io.mapRequired("kernels", level.kernels);
  }
};

template <> struct MappingTraits<TuningDocument> {
  static void mapping(IO &io, TuningDocument &document) {
    io.mapRequired("version", document.version);
    if (document.version != 1)
      io.setError("only version 1 is known");
    io.mapRequired("levels", document.levels);
  }
};

} // namespace llvm::yaml

const TunedShape *TunedLevel::find(llvm::StringRef shape) const {
  auto it = llvm::find_if(
      kernels, [&](const TunedShape &entry) { return entry.shape == shape; });
  return it == kernels.end() ? nullptr : &*it;
}

TileChoices TunedLevel::choices() const {
  TileChoices choices;
  for (const TunedShape &entry : kernels)
    if (entry.choice != TileChoice())
      choices[entry.shape] = entry.choice;
  return choices;
}

TunedLevel *TuningFile::find(llvm::StringRef host, llvm::StringRef level) {
  auto it = llvm::find_if(levels, [&](const TunedLevel &entry) {
    return entry.host == host && entry.level == level;
  });
  return it == levels.end() ? nullptr : &*it;
}

TunedLevel *TuningFile::findOnly(llvm::StringRef level) {
  TunedLevel *found = nullptr;
  for (TunedLevel &entry : levels)
    if (entry.level == level) {
      if (found)
        return nullptr;
      found = &entry;
    }
  return found;
}

std::string TuningFile::print() const {
  return printYaml(TuningDocument{1, levels});
}

llvm::Error TuningFile::save(const std::string &path) const {
  std::string text = print();
  return toError(writeFile(path, text.data(), text.size()));
}

llvm::Expected<TuningFile> TuningFile::parse(llvm::StringRef text,
                                             llvm::StringRef path) {
  auto document = parseYaml<TuningDocument>(text, path, "tuning file");
  if (!document)
    return document.takeError();
  for (const TunedLevel &level : document->levels) {
    llvm::StringSet<> shapes;
    for (const TunedShape &entry : level.kernels)
      if (!shapes.insert(entry.shape).second)
        return makeError(path + ": shape '" + entry.shape + "' of level " +
                         level.level + " stands in the file twice");
  }
  return TuningFile{std::move(document->levels)};
}

llvm::Expected<TuningFile> TuningFile::load(const std::string &path) {
  Result<std::vector<char>> bytes = readFile(path);
  if (!bytes)
    return makeError(bytes.error());
  return parse(llvm::StringRef(bytes->data(), bytes->size()), path);
}
