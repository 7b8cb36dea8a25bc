//===- TileChoice.h - How kernels are cut, where measured -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernel generators cut a problem into tiles by rules. A choice overrules them
// for one shape; it changes the time of a kernel, never its results. The
// choices of a module are an attribute of it, by level and shape:
//
//   qcc.tiles = {"avx2" = {"matrix i8 ..." = {rows = 4 : i32, ...}}}
//
// and each kernel that can be cut otherwise says how it was:
//
//   qcc.tile = {shape = "matrix i8 ...", rows = 6 : i32, ...}
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CODEGEN_TILECHOICE_H
#define QCC_CODEGEN_TILECHOICE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringMap.h"

#include <optional>

namespace qcc {

/// How a kernel is cut: all that a generator took, or only where a choice
/// departs from the rules.
struct TileChoice {
  /// Rows of a register tile; of a depthwise kernel output rows of a tile.
  std::optional<unsigned> rows;
  std::optional<unsigned> vectors;    ///< of columns in a register tile
  std::optional<bool> panelsOuter;    ///< a tile keeps to one panel of columns
  std::optional<bool> gathersWindows; ///< copies each window by itself

  /// The most that a choice may ask for.
  static constexpr unsigned maxRows = 14, maxVectors = 4;

  mlir::DictionaryAttr toAttr(mlir::MLIRContext *context,
                              llvm::StringRef shape = "") const;
  static TileChoice fromAttr(mlir::DictionaryAttr attr);

  bool operator==(const TileChoice &other) const {
    return rows == other.rows && vectors == other.vectors &&
           panelsOuter == other.panelsOuter &&
           gathersWindows == other.gathersWindows;
  }
  bool operator!=(const TileChoice &other) const { return !(*this == other); }
};

/// Choices by the kernel's shape, as its generator spells it.
using TileChoices = llvm::StringMap<TileChoice>;

/// The choices of the module that an op is in.
class TileTable {
public:
  TileTable() = default;
  explicit TileTable(mlir::Operation *op);

  TileChoice lookup(llvm::StringRef level, llvm::StringRef shape) const;

private:
  mlir::DictionaryAttr levels;
};

/// Replaces the choices of a level in `module`.
void setTileChoices(mlir::Operation *module, llvm::StringRef level,
                    const TileChoices &choices);

/// Notes on a kernel how it is cut.
void noteTiles(mlir::func::FuncOp kernel, llvm::StringRef shape,
               const TileChoice &taken);
/// What noteTiles left; an empty shape where it was not called.
std::pair<llvm::StringRef, TileChoice> getTiles(mlir::func::FuncOp kernel);

} // namespace qcc

#endif // QCC_CODEGEN_TILECHOICE_H
