//===- TuningFile.h - Measured tiles, as a file -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What -tune=FILE reads and writes (docs/tuning.md): for each kind of machine
// and instruction set level the shapes that were measured there.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_TUNINGFILE_H
#define QCC_LIB_DRIVER_TUNINGFILE_H

#include "qcc/Codegen/TileChoice.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace qcc {

/// A shape and what was measured to be best; an empty choice: the rules.
struct TunedShape {
  std::string shape;
  TileChoice choice;
  double gain = 1; ///< time by the rules over time by the choice
};

/// The shapes of one level, measured on one kind of machine.
struct TunedLevel {
  std::string host, level;
  std::vector<TunedShape> kernels;

  const TunedShape *find(llvm::StringRef shape) const;
  TileChoices choices() const;
};

struct TuningFile {
  std::vector<TunedLevel> levels;

  /// Refuses what no generator takes.
  static llvm::Expected<TuningFile> parse(llvm::StringRef text,
                                          llvm::StringRef path);
  static llvm::Expected<TuningFile> load(const std::string &path);
  std::string print() const;
  llvm::Error save(const std::string &path) const;

  /// The entry of a level on a machine; null if there is none.
  TunedLevel *find(llvm::StringRef host, llvm::StringRef level);
  /// The entry of a level that was measured on one kind of machine only.
  TunedLevel *findOnly(llvm::StringRef level);
};

} // namespace qcc

#endif // QCC_LIB_DRIVER_TUNINGFILE_H
