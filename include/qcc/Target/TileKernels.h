//===- TileKernels.h - Matrix instructions on tiles -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TARGET_TILEKERNELS_H
#define QCC_TARGET_TILEKERNELS_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/ArrayRef.h"

namespace qcc {

/// The part of a tile register that its configuration makes usable.
struct TileShape {
  unsigned rows = 0;
  unsigned bytes = 0; ///< per row
};

/// Emits the instructions of a matrix unit: registers that hold tiles of up to
/// maxRows x rowBytes, numbered, with shapes that are configured at run time.
/// Buffers are flat memrefs of numbers; `at` counts their elements.
class TileKernels {
public:
  static constexpr unsigned count = 8, maxRows = 16, rowBytes = 64;

  virtual ~TileKernels() = default;

  /// Bytes of memory that a configuration takes.
  virtual unsigned configurationBytes() const = 0;
  /// Writes the configuration with these shapes of tiles 0, 1, ... to
  /// `buffer` (i8).
  virtual void storeConfiguration(mlir::OpBuilder &b, mlir::Location loc,
                                  llvm::ArrayRef<TileShape> shapes,
                                  mlir::Value buffer, mlir::Value at) = 0;
  /// Takes the configuration in memory into use; all tiles become zero.
  virtual void configure(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Value buffer, mlir::Value at) = 0;
  /// Gives the unit back; the end of every kernel.
  virtual void release(mlir::OpBuilder &b, mlir::Location loc) = 0;

  virtual void zero(mlir::OpBuilder &b, mlir::Location loc, unsigned tile) = 0;
  /// Loads or stores the rows of a tile, `pitch` bytes from one to the next.
  /// Nothing else is touched.
  virtual void load(mlir::OpBuilder &b, mlir::Location loc, unsigned tile,
                    mlir::Value buffer, mlir::Value at, int64_t pitch) = 0;
  virtual void store(mlir::OpBuilder &b, mlir::Location loc, unsigned tile,
                     mlir::Value buffer, mlir::Value at, int64_t pitch) = 0;
  /// sums[i][j] += activations[i][4k..4k+3] . weights[k][4j..4j+3] for all k:
  /// i32 sums of u8 activations, or s8 ones, times s8 weights.
  virtual void dot(mlir::OpBuilder &b, mlir::Location loc, unsigned sums,
                   unsigned activations, unsigned weights,
                   bool signedActivations) = 0;
  /// The same for f32 sums of products of bf16, two for each k:
  /// sums[i][j] += activations[i][2k..2k+1] . weights[k][2j..2j+1].
  /// Numbers below 2^-126 count as zero, as factors, products and sums.
  virtual void dotBF16(mlir::OpBuilder &b, mlir::Location loc, unsigned sums,
                       unsigned activations, unsigned weights) = 0;
  /// Rounds a vector of 16 f32 to the factors of dotBF16(): to nearest, ties to
  /// even.
  virtual mlir::Value roundToBF16(mlir::OpBuilder &b, mlir::Location loc,
                                  mlir::Value f32) = 0;
};

} // namespace qcc

#endif // QCC_TARGET_TILEKERNELS_H
