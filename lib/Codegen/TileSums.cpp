//===- TileSums.cpp - Sums of products on tiles ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileSums.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;

static constexpr int64_t rowBytes = TileKernels::rowBytes;

// Tiles 0 to 3 hold sums: two halves of the rows, two vectors of columns.
// Where the depth is a multiple of a tile's, 4 and 5 hold the activations of
// the halves, 6 and 7 the weights of the vectors. Else 4 and 6 hold whole tiles
// of them one after the other, 5 and 7 the rest, which has a shape of its own.
static unsigned sumsTile(unsigned half, unsigned vector) {
  return half * 2 + vector;
}

//===----------------------------------------------------------------------===//
// Configurations
//===----------------------------------------------------------------------===//

TileSums::TileSums(CodeBuilder &c, const TargetLevel &level, const TileCut &cut,
                   Kind kind, int64_t blockTiles, int64_t panelColumns)
    : c(c), unit(*level.tiles), t(cut), kind(kind), lanes(level.lanes()) {
  configurations = c.stack(c.b.getI8Type(), 2 * unit.configurationBytes());
  storeConfiguration(t.wholeRows(), 0);
  if (t.oddRows())
    storeConfiguration(t.oddRows(), unit.configurationBytes());
  Type element = kind.factors == Factors::BF16 ? Type(c.b.getF32Type())
                                               : Type(c.b.getI32Type());
  sums = c.stack(element, blockTiles * TileCut::tileRows * panelColumns);
}

void TileSums::storeConfiguration(int64_t rows, int64_t at) {
  TileShape sums{unsigned(rows), unsigned(rowBytes)}, activations = sums;
  TileShape weights{TileKernels::maxRows, TileKernels::rowBytes};
  TileShape activationsRest = activations, weightsRest = weights;
  if (t.restUnits) {
    activationsRest.bytes = unsigned(t.restUnits) * 4;
    weightsRest.rows = unsigned(t.restUnits);
  }
  unit.storeConfiguration(c.b, c.loc,
                          {sums, sums, sums, sums, activations, activationsRest,
                           weights, weightsRest},
                          configurations, c.index(at));
}

/// Takes the shapes of whole tiles of rows, or of the odd rows, into use.
void TileSums::configure(bool odd) {
  unit.configure(c.b, c.loc, configurations,
                 c.index(odd ? unit.configurationBytes() : 0));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void TileSums::multiply(const Block &block, const Panel &panel, Finish finish) {
  Work work{block, panel, finish};
  for (unsigned v = 0; v < panel.vectors; v += 2) {
    Pass next{v, std::min(2u, panel.vectors - v), v + 2 >= panel.vectors,
              c.index(0)};
    c.loop(0, t.depthBlocks, 1, [&](Value depthBlock) {
      next.depthBlock = depthBlock;
      pass(work, next);
    });
  }
  // Of the last row tile.
  Value lastFrom = c.mul(
      c.sub(c.sub(block.lastTile, block.firstTile), c.index(1)), t.tileRows);
  c.loop(lastFrom, block.rows, 1, finish);
}

SmallVector<Value> TileSums::of(Value row, unsigned vectors) {
  auto type =
      c.vectorType(cast<MemRefType>(sums.getType()).getElementType(), lanes);
  SmallVector<Value> loaded;
  for (unsigned v = 0; v < vectors; ++v)
    loaded.push_back(c.load(
        sums, c.add(c.mul(row, pitchOf(vectors)), int64_t(v) * lanes), type));
  return loaded;
}

void TileSums::pass(const Work &work, const Pass &pass) {
  const Block &block = work.block;
  c.loop(block.firstTile, block.lastTile, 1, [&](Value tile) {
    Part part;
    part.row = c.mul(c.sub(tile, block.firstTile), t.tileRows);
    part.halves = 2;
    if (pass.isLast) {
      // The row tile before is complete, unless more of the depth follows.
      part.finishFrom = c.sub(part.row, c.index(t.tileRows));
      Value ready = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::ugt,
                                          tile, block.firstTile);
      if (t.depthBlocks > 1)
        ready = arith::AndIOp::create(c.b, c.loc, ready,
                                      c.compare(arith::CmpIPredicate::eq,
                                                pass.depthBlock,
                                                t.depthBlocks - 1));
      part.finishCount = arith::SelectOp::create(
          c.b, c.loc, ready, c.index(t.tileRows), c.index(0));
    }
    if (t.rowsOfLast == t.tileRows)
      return this->part(work, pass, part);
    if (t.rowTiles == 1)
      return lastRowTile(work, pass, part);
    c.branch(
        c.compare(arith::CmpIPredicate::ult, tile, t.rowTiles - 1),
        [&] { this->part(work, pass, part); },
        [&] { lastRowTile(work, pass, part); });
  });
}

/// The last row tile where its rows are fewer: a whole tile of them, if there
/// is one, then the odd ones.
void TileSums::lastRowTile(const Work &work, const Pass &pass, Part part) {
  part.halves = 1;
  if (!t.oddRows() || t.rowsOfLast > t.wholeRows()) {
    this->part(work, pass, part);
    part.row = c.add(part.row, t.wholeRows());
    part.finishFrom = part.finishCount = Value();
  }
  if (!t.oddRows())
    return;
  configure(/*odd=*/true);
  this->part(work, pass, part);
  configure(/*odd=*/false);
}

/// Calls f for every tile of sums, with its place in `sums`.
void TileSums::forSums(const Panel &panel, const Pass &pass, const Part &part,
                       llvm::function_ref<void(unsigned, Value)> f) {
  for (unsigned half = 0; half < part.halves; ++half)
    for (unsigned v = 0; v < pass.vectors; ++v) {
      Value row = c.add(part.row, half * int64_t(TileKernels::maxRows));
      f(sumsTile(half, v), c.add(c.mul(row, pitchOf(panel.vectors)),
                                 (pass.firstVector + v) * lanes));
    }
}

void TileSums::part(const Work &work, const Pass &pass, const Part &part) {
  const Panel &panel = work.panel;
  int64_t sumsPitch = pitchOf(panel.vectors) * 4;
  auto zero = [&] {
    forSums(panel, pass, part,
            [&](unsigned tile, Value) { unit.zero(c.b, c.loc, tile); });
  };
  if (t.depthBlocks == 1)
    zero();
  else
    c.branch(c.compare(arith::CmpIPredicate::eq, pass.depthBlock, 0), zero,
             [&] {
               forSums(panel, pass, part, [&](unsigned tile, Value at) {
                 unit.load(c.b, c.loc, tile, sums, at, sumsPitch);
               });
             });

  // As many rows are finished per step as are done with the last.
  int64_t perStep = t.tileRows;
  if (t.steps)
    perStep = llvm::divideCeil(t.tileRows, t.stepsOfLast());
  auto finishFrom = [&](Value done) {
    Value low = c.min(done, part.finishCount);
    Value high = c.min(c.add(done, perStep), part.finishCount);
    c.loop(c.add(part.finishFrom, low), c.add(part.finishFrom, high), 1,
           work.finish);
  };
  Value firstStep = c.mul(pass.depthBlock, t.blockSteps);
  Value lastStep = c.index(t.steps);
  if (t.depthBlocks > 1)
    lastStep = c.min(c.add(firstStep, t.blockSteps), lastStep);
  if (t.steps)
    c.loop(firstStep, lastStep, 1, [&](Value at) {
      step(work, pass, part, at, /*isRest=*/false);
      if (part.finishCount)
        finishFrom(c.mul(c.sub(at, firstStep), perStep));
    });
  auto rest = [&] {
    step(work, pass, part, c.index(t.steps), /*isRest=*/true);
  };
  if (t.restUnits && t.depthBlocks == 1)
    rest();
  else if (t.restUnits)
    c.branch(
        c.compare(arith::CmpIPredicate::eq, pass.depthBlock, t.depthBlocks - 1),
        rest, nullptr);
  if (!t.steps && part.finishCount)
    finishFrom(c.index(0));

  forSums(panel, pass, part, [&](unsigned tile, Value at) {
    unit.store(c.b, c.loc, tile, sums, at, sumsPitch);
  });
}

void TileSums::dot(unsigned sums, unsigned activations, unsigned weights) {
  if (kind.factors == Factors::BF16)
    unit.dotBF16(c.b, c.loc, sums, activations, weights);
  else
    unit.dot(c.b, c.loc, sums, activations, weights, kind.signedRows);
}

/// One tile of the depth: of all halves and vectors.
void TileSums::step(const Work &work, const Pass &pass, const Part &part,
                    Value step, bool isRest) {
  const Block &block = work.block;
  const Panel &panel = work.panel;
  int64_t elementBytes = kind.elementBytes();
  int64_t rowElements = rowBytes / elementBytes;
  int64_t unitElements = int64_t(panel.vectors) * rowElements;
  auto loadActivations = [&](unsigned tile, unsigned half) {
    Value row = c.add(part.row, half * int64_t(TileKernels::maxRows));
    Value at = c.add(c.add(block.at, c.mul(row, block.pitch)),
                     c.mul(step, rowElements));
    unit.load(c.b, c.loc, tile, block.elements, at, block.pitch * elementBytes);
  };
  auto loadWeights = [&](unsigned tile, unsigned vector) {
    Value at =
        c.add(c.add(panel.at, c.mul(step, TileCut::stepUnits * unitElements)),
              (pass.firstVector + vector) * rowElements);
    unit.load(c.b, c.loc, tile, panel.weights, at, unitElements * elementBytes);
  };
  if (!t.restUnits) {
    for (unsigned half = 0; half < part.halves; ++half) {
      loadActivations(4 + half, half);
      for (unsigned v = 0; v < pass.vectors; ++v) {
        if (half == 0)
          loadWeights(6 + v, v);
        dot(sumsTile(half, v), 4 + half, 6 + v);
      }
    }
    return;
  }
  // Back and forth, so that what is loaded last is used twice.
  unsigned activations = isRest ? 5 : 4, weights = isRest ? 7 : 6;
  std::optional<unsigned> loaded;
  for (unsigned half = 0; half < part.halves; ++half) {
    loadActivations(activations, half);
    for (unsigned i = 0; i < pass.vectors; ++i) {
      unsigned v = half == 0 ? i : pass.vectors - 1 - i;
      if (loaded != v)
        loadWeights(weights, v);
      loaded = v;
      dot(sumsTile(half, v), activations, weights);
    }
  }
}
