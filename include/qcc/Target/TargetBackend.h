//===- TargetBackend.h - What the compiler knows of a target ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The whole contract of a target. Adding one is a folder below lib/Target and
// one line in lib/Driver/RegisterTargets.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TARGET_TARGETBACKEND_H
#define QCC_TARGET_TARGETBACKEND_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <string>
#include <vector>

namespace qcc {

/// Register tile of a matrix micro-kernel: rows x (vectors of columns).
struct RegisterTile {
  unsigned rows;    ///< MR, output pixels (or matrix rows) per tile
  unsigned vectors; ///< NR, vectors of output channels per tile
};

/// Emits the machine operations that MLIR's generic dialects cannot express.
/// Vectors are `lanes` x i32 or f32; bytes are `4 * lanes` x i8.
class MicroKernels {
public:
  virtual ~MicroKernels() = default;

  /// Number of i32 accumulator vectors that one output vector needs while
  /// summing (NEON without dotprod keeps two, see finishAccumulators).
  virtual unsigned accumulatorsPerVector() const { return 1; }
  /// Prepares a weight vector (4*lanes x i8: for each of `lanes` columns four
  /// consecutive k) for dot(); done once per k step and shared by all rows.
  virtual llvm::SmallVector<mlir::Value>
  prepareWeights(mlir::OpBuilder &b, mlir::Location loc, mlir::Value bytes) = 0;
  /// Prepares activation bytes (4*lanes x i8: four consecutive k for each of
  /// the lanes; a matrix kernel broadcasts one i32 to all lanes, a depthwise
  /// kernel interleaves four taps of each channel); shared by all dot() of it.
  virtual llvm::SmallVector<mlir::Value>
  prepareActivations(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::Value bytes) = 0;
  /// accumulators += activations . weights per column, exact in int32.
  virtual void dot(mlir::OpBuilder &b, mlir::Location loc,
                   llvm::MutableArrayRef<mlir::Value> accumulators,
                   mlir::ValueRange activations, mlir::ValueRange weights) = 0;
  /// accumulator (lanes x i32) + activations . weights per column, both
  /// 2*lanes x i16 with two consecutive k for each column; sums wrap around.
  virtual mlir::Value dotInt16(mlir::OpBuilder &b, mlir::Location loc,
                               mlir::Value accumulator, mlir::Value activations,
                               mlir::Value weights) = 0;
  /// The sums per column as one vector of lanes x i32.
  virtual mlir::Value finishAccumulators(mlir::OpBuilder &b, mlir::Location loc,
                                         mlir::ValueRange accumulators) = 0;
  /// Rounds lanes x f32 to the nearest i32, ties to even; |x| < 2^31.
  virtual mlir::Value roundToInt(mlir::OpBuilder &b, mlir::Location loc,
                                 mlir::Value f32) = 0;
  /// Adds `zeroPoint`, saturates to 8 bits (unsigned or signed) and packs the
  /// given i32 vectors into one vector of all their elements. The byte at
  /// position p is element packOrder(n)[p] of the concatenated input.
  virtual mlir::Value packToBytes(mlir::OpBuilder &b, mlir::Location loc,
                                  mlir::ValueRange i32, int64_t zeroPoint,
                                  bool isUnsigned) = 0;
  /// The permutation that packToBytes applies to n vectors.
  virtual llvm::SmallVector<int64_t> packOrder(unsigned vectors) const = 0;
  /// Loads a table of 256 bytes (memref<256xi8>) for lookup(); done once per
  /// kernel. Empty where the level has no fast way (a scalar loop is used).
  virtual llvm::SmallVector<mlir::Value>
  loadTable(mlir::OpBuilder &b, mlir::Location loc, mlir::Value table) {
    return {};
  }
  /// table[i] for each i of `indices` (4*lanes x i8, read as unsigned).
  virtual mlir::Value lookup(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value indices, mlir::ValueRange table) {
    return {};
  }
};

class TileKernels;
struct LevelCosts;

/// One instruction set level of a target: everything that kernel generators
/// are parameterised by.
struct TargetLevel {
  std::string name;     ///< as QCC_ISA spells it: "avx2", "dotprod", ...
  unsigned rank = 0;    ///< order within the target; 0 is the baseline
  std::string cpu;      ///< LLVM CPU, for scheduling
  std::string features; ///< LLVM features, "+avx2,+fma,..."
  std::string tuning;   ///< likewise, but no processor has to have them
  unsigned vectorBytes = 16;
  unsigned numVectorRegisters = 16;
  bool hasFMA = false;
  /// Sign of the 8-bit activations that dot() wants; qnn-assign-storage gives
  /// every internal activation this storage.
  bool unsignedActivations = true;
  bool hasInt8Dot = false; ///< one instruction per dot()
  /// dotInt16() does more products in the same time than float instructions.
  bool hasInt16Dot = false;
  /// Activation bytes that a matrix kernel loads at once per row: 4 where a
  /// load broadcasts them for free, 16 where dot() takes any dword of a vector.
  unsigned activationLoadBytes = 4;
  /// The largest tile that stays in registers; kernels with fewer vectors use
  /// more rows.
  RegisterTile int8Tile{4, 2};
  RegisterTile floatTile{4, 2};
  std::shared_ptr<MicroKernels> micro;
  /// Matrix instructions on tiles (qcc/Target/TileKernels.h); null: none.
  std::shared_ptr<TileKernels> tiles;
  /// The level whose packing of 8-bit matrix weights this one reads, so that
  /// an artefact holds them once; null: its own.
  std::shared_ptr<const TargetLevel> packing;
  /// What kernels cost on a processor of this level, for machines that cannot
  /// measure it (qcc/Target/LevelCosts.h); null: unknown.
  const LevelCosts *costs = nullptr;

  unsigned lanes() const { return vectorBytes / 4; }
};

/// A processor family.
class TargetBackend {
public:
  virtual ~TargetBackend() = default;
  virtual llvm::StringRef name() const = 0;   ///< "x86-64", "arm64"
  virtual llvm::StringRef triple() const = 0; ///< of the artefact
  /// Ascending; the last is the best.
  virtual llvm::ArrayRef<TargetLevel> levels() const = 0;
  /// ld.lld emulation, "elf_x86_64".
  virtual llvm::StringRef emulation() const = 0;
};

/// A target as the user names it (-target=): a backend and the levels that the
/// artefact shall hold.
struct TargetSpec {
  const TargetBackend *backend = nullptr;
  std::vector<unsigned> levels; ///< indices into backend->levels(), ascending
};

} // namespace qcc

#endif // QCC_TARGET_TARGETBACKEND_H
