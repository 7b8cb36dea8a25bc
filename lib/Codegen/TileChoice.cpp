//===- TileChoice.cpp - How kernels are cut, where measured ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Codegen/TileChoice.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace qcc;

/// Of a module and of a kernel.
static constexpr StringLiteral tableName = "qcc.tiles", noteName = "qcc.tile";

DictionaryAttr TileChoice::toAttr(MLIRContext *context, StringRef shape) const {
  Builder b(context);
  NamedAttrList entries;
  if (!shape.empty())
    entries.set("shape", b.getStringAttr(shape));
  if (rows)
    entries.set("rows", b.getI32IntegerAttr(int32_t(*rows)));
  if (vectors)
    entries.set("vectors", b.getI32IntegerAttr(int32_t(*vectors)));
  if (panelsOuter)
    entries.set("panels_outer", b.getBoolAttr(*panelsOuter));
  if (gathersWindows)
    entries.set("gathers_windows", b.getBoolAttr(*gathersWindows));
  return entries.getDictionary(context);
}

TileChoice TileChoice::fromAttr(DictionaryAttr attr) {
  TileChoice choice;
  auto number = [&](StringRef name, unsigned most) -> std::optional<unsigned> {
    auto value = attr.getAs<IntegerAttr>(name);
    if (!value)
      return std::nullopt;
    return unsigned(std::clamp<int64_t>(value.getInt(), 1, most));
  };
  auto flag = [&](StringRef name) -> std::optional<bool> {
    auto value = attr.getAs<BoolAttr>(name);
    return value ? std::optional(value.getValue()) : std::nullopt;
  };
  // What a kernel took by the rules may be more than can be asked for.
  bool isNote = attr.contains("shape");
  choice.rows = number("rows", isNote ? UINT_MAX : maxRows);
  choice.vectors = number("vectors", isNote ? UINT_MAX : maxVectors);
  choice.panelsOuter = flag("panels_outer");
  choice.gathersWindows = flag("gathers_windows");
  return choice;
}

TileTable::TileTable(Operation *op) {
  if (auto module = op->getParentOfType<ModuleOp>())
    levels = module->getAttrOfType<DictionaryAttr>(tableName);
}

TileChoice TileTable::lookup(StringRef level, StringRef shape) const {
  auto shapes = levels ? levels.getAs<DictionaryAttr>(level) : nullptr;
  auto choice = shapes ? shapes.getAs<DictionaryAttr>(shape) : nullptr;
  return choice ? TileChoice::fromAttr(choice) : TileChoice();
}

void qcc::setTileChoices(Operation *module, StringRef level,
                         const TileChoices &choices) {
  MLIRContext *context = module->getContext();
  NamedAttrList shapes, levels;
  for (const auto &entry : choices)
    shapes.set(entry.getKey(), entry.getValue().toAttr(context));
  if (auto table = module->getAttrOfType<DictionaryAttr>(tableName))
    levels = NamedAttrList(table);
  levels.set(level, shapes.getDictionary(context));
  module->setAttr(tableName, levels.getDictionary(context));
}

void qcc::noteTiles(func::FuncOp kernel, StringRef shape,
                    const TileChoice &taken) {
  kernel->setAttr(noteName, taken.toAttr(kernel.getContext(), shape));
}

std::pair<StringRef, TileChoice> qcc::getTiles(func::FuncOp kernel) {
  auto note = kernel->getAttrOfType<DictionaryAttr>(noteName);
  if (!note)
    return {"", {}};
  return {note.getAs<StringAttr>("shape").getValue(),
          TileChoice::fromAttr(note)};
}
