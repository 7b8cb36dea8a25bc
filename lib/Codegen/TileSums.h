//===- TileSums.h - Sums of products on tiles -------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of row tiles times a panel of columns. A pair of vectors of columns
// goes over the row tiles before the next pair does, so that the weights of a
// pair stay in the first level of the cache; where even those are too many, the
// depth is cut. The sums wait in memory for the last pair; while it works on a
// row tile, the vector unit turns the sums of the row tile before into results.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_TILESUMS_H
#define QCC_LIB_CODEGEN_TILESUMS_H

#include "CodeBuilder.h"
#include "ConvShape.h"
#include "TileCut.h"

#include "qcc/Target/TargetBackend.h"

namespace qcc {

class TileSums {
public:
  using Value = mlir::Value;

  /// What is multiplied: 8-bit numbers, of which those on the left may be
  /// signed, or bf16 as words of 16 bits.
  struct Kind {
    Factors factors = Factors::Int8;
    bool signedRows = false;

    int64_t elementBytes() const { return factors == Factors::BF16 ? 2 : 1; }
  };

  /// Allocates memory on the stack for blocks of up to `blockTiles` row tiles
  /// and panels of up to `panelColumns` columns.
  TileSums(CodeBuilder &c, const TargetLevel &level, const TileCut &cut,
           Kind kind, int64_t blockTiles, int64_t panelColumns);

  /// Takes the shapes of this product into use, before the first multiply() and
  /// after other products; gives the unit back, at the end of the kernel.
  void configure() { configure(/*odd=*/false); }
  void release() { unit.release(c.b, c.loc); }

  /// Row tiles [firstTile, lastTile) of the product, `rows` in all, which start
  /// `pitch` elements one behind the other from `at` on.
  struct Block {
    Value firstTile, lastTile, rows;
    Value elements, at;
    int64_t pitch;
  };
  /// Vectors of columns, packed from element `at` on.
  struct Panel {
    Value weights, at;
    unsigned vectors;
  };
  /// Gets each row, counted from the block's first, when of() has its sums.
  using Finish = llvm::function_ref<void(Value row)>;
  void multiply(const Block &block, const Panel &panel, Finish finish);

  /// The sums of a row, one vector each per vector of columns.
  llvm::SmallVector<Value> of(Value row, unsigned vectors);

private:
  /// What one loop over the depth sums: one or two vectors of the columns.
  struct Pass {
    unsigned firstVector, vectors;
    bool isLast; ///< of the panel
    Value depthBlock;
  };
  /// Rows with a shape of tiles, one above the other.
  struct Part {
    Value row;
    unsigned halves; ///< one or two tiles of rows
    /// Rows with sums to be finished meanwhile: [finishFrom, finishFrom +
    /// finishCount); null: none.
    Value finishFrom, finishCount;
  };
  /// A call of multiply().
  struct Work {
    const Block &block;
    const Panel &panel;
    Finish finish;
  };

  void pass(const Work &work, const Pass &pass);
  void lastRowTile(const Work &work, const Pass &pass, Part part);
  void part(const Work &work, const Pass &pass, const Part &part);
  void step(const Work &work, const Pass &pass, const Part &part, Value step,
            bool isRest);
  void dot(unsigned sums, unsigned activations, unsigned weights);
  void configure(bool odd);
  void storeConfiguration(int64_t rows, int64_t at);
  void forSums(const Panel &panel, const Pass &pass, const Part &part,
               llvm::function_ref<void(unsigned tile, Value at)> f);
  int64_t pitchOf(unsigned vectors) const { return int64_t(vectors) * lanes; }

  CodeBuilder &c;
  TileKernels &unit;
  const TileCut &t;
  Kind kind;
  int64_t lanes;
  Value configurations, sums;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_TILESUMS_H
