//===- TileMatrixKernel.cpp - The body of a kernel on tiles ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileMatrixKernel.h"

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

void TileMatrixKernel::storeConfiguration(int64_t rows, int64_t at) {
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
void TileMatrixKernel::configure(bool odd) {
  unit.configure(c.b, c.loc, configurations,
                 c.index(odd ? unit.configurationBytes() : 0));
}

//===----------------------------------------------------------------------===//
// Blocks and panels
//===----------------------------------------------------------------------===//

void TileMatrixKernel::emit(Value begin, Value end) {
  Type element = elementType();
  if (m.factors == Factors::BF16) {
    // They are moved, no more: LLVM holds bf16 in vectors as floats where no
    // instruction rounds to it.
    element = c.b.getI16Type();
    auto type = cast<MemRefType>(args.input.getType());
    args.input =
        UnrealizedConversionCastOp::create(
            c.b, c.loc, MemRefType::get(type.getShape(), element), args.input)
            .getResult(0);
  }
  configurations = c.stack(c.b.getI8Type(), 2 * unit.configurationBytes());
  storeConfiguration(wholeRows(), 0);
  if (oddRows())
    storeConfiguration(oddRows(), unit.configurationBytes());
  sums = c.stack(unitsType().getElementType(), t.sums());
  int64_t blockRows = p.blockTiles * p.tileRows;
  if (p.gather) {
    scratch = c.stack(element, blockRows * p.pitch);
    // What follows a row in its last unit meets weights of zero. (The rest of
    // the unit is gathered.)
    if (p.depth % p.unitElements != 0)
      c.loop(0, blockRows, 1, [&](Value row) {
        c.store(c.splat(element, 0, p.unitElements), scratch,
                c.add(c.mul(row, p.pitch), (p.units - 1) * p.unitElements));
      });
  }
  if (hasZeroPoints())
    rowSums = c.stack(c.b.getI32Type(), blockRows);

  configure(/*odd=*/false);
  c.loop(begin, end, 1, [&](Value tile) {
    Value outer = c.div(tile, p.rowBlocks);
    Value group = p.rowsOuter ? outer : c.div(outer, p.panels());
    block(c.rem(tile, p.rowBlocks), group, [&](const Block &rows) {
      if (p.rowsOuter) {
        c.loop(0, p.fullPanels, 1, [&](Value i) { panel(rows, i, p.vectors); });
        if (p.tailVectors)
          panel(rows, c.index(p.fullPanels), p.tailVectors);
        return;
      }
      Value i = c.rem(outer, p.panels());
      if (!p.tailVectors)
        return panel(rows, i, p.vectors);
      c.branch(
          c.compare(arith::CmpIPredicate::ult, i, p.fullPanels),
          [&] { panel(rows, i, p.vectors); },
          [&] { panel(rows, i, p.tailVectors); });
    });
  });
  unit.release(c.b, c.loc);
}

void TileMatrixKernel::block(
    Value number, Value group,
    llvm::function_ref<void(const Block &)> forPanels) {
  Block block;
  block.group = group;
  block.firstTile = c.mul(number, p.blockTiles);
  block.lastTile = c.add(block.firstTile, p.blockTiles);
  if (p.rowTiles % p.blockTiles != 0)
    block.lastTile = c.min(block.lastTile, c.index(p.rowTiles));
  block.firstRow = c.mul(block.firstTile, p.tileRows);
  block.rows = c.sub(c.min(c.mul(block.lastTile, p.tileRows), c.index(p.rows)),
                     block.firstRow);
  block.elements = p.gather ? scratch : args.input;
  block.at = p.gather
                 ? c.index(0)
                 : c.add(c.mul(block.firstRow, p.pitch), firstChannel(group));
  if (p.gather)
    c.loop(c.index(0), block.rows, 1, [&](Value row) {
      gatherRow(c.add(block.firstRow, row), c.mul(row, p.pitch), group);
    });
  if (rowSums)
    c.loop(c.index(0), block.rows, 1, [&](Value row) {
      sumRow(block.elements, c.add(block.at, c.mul(row, p.pitch)), row);
    });
  forPanels(block);
}

void TileMatrixKernel::panel(const Block &block, Value number,
                             unsigned vectors) {
  Panel panel;
  panel.number = number;
  panel.vectors = vectors;
  Value column = c.add(c.mul(block.group, p.paddedColumns()),
                       c.mul(number, p.panelColumns()));
  panel.weightsAt = c.mul(column, p.units * p.unitElements);
  panel.firstRow = block.firstRow;
  panel.filter = block.group;
  panel.firstColumn = c.mul(number, p.panelColumns());
  auto load = [&](Value buffer) {
    SmallVector<Value> loaded;
    if (!buffer)
      return loaded;
    auto type = c.vectorType(
        cast<MemRefType>(buffer.getType()).getElementType(), p.lanes);
    for (unsigned v = 0; v < vectors; ++v)
      loaded.push_back(
          c.load(buffer, c.add(column, int64_t(v) * p.lanes), type));
    return loaded;
  };
  panel.offsets = load(args.offsets);
  panel.zeroPoints = load(args.zeroPoints);
  panel.scales = load(args.scales);
  panel.biases = load(args.biases);

  for (unsigned v = 0; v < vectors; v += 2) {
    Pass next{v, std::min(2u, vectors - v), v + 2 >= vectors, c.index(0)};
    c.loop(0, t.depthBlocks, 1, [&](Value depthBlock) {
      next.depthBlock = depthBlock;
      pass(block, panel, next);
    });
  }
  // Of the last row tile.
  Value lastFrom = c.mul(
      c.sub(c.sub(block.lastTile, block.firstTile), c.index(1)), p.tileRows);
  finish(panel, lastFrom, block.rows);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void TileMatrixKernel::pass(const Block &block, const Panel &panel,
                            const Pass &pass) {
  c.loop(block.firstTile, block.lastTile, 1, [&](Value tile) {
    Part part;
    part.row = c.mul(c.sub(tile, block.firstTile), p.tileRows);
    part.halves = 2;
    if (pass.isLast) {
      // The row tile before is complete, unless more of the depth follows.
      part.finishFrom = c.sub(part.row, c.index(p.tileRows));
      Value ready = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::ugt,
                                          tile, block.firstTile);
      if (t.depthBlocks > 1)
        ready = arith::AndIOp::create(c.b, c.loc, ready,
                                      c.compare(arith::CmpIPredicate::eq,
                                                pass.depthBlock,
                                                t.depthBlocks - 1));
      part.finishCount = arith::SelectOp::create(
          c.b, c.loc, ready, c.index(p.tileRows), c.index(0));
    }
    if (t.rowsOfLast == p.tileRows)
      return this->part(block, panel, pass, part);
    if (p.rowTiles == 1)
      return lastRowTile(block, panel, pass, part);
    c.branch(
        c.compare(arith::CmpIPredicate::ult, tile, p.rowTiles - 1),
        [&] { this->part(block, panel, pass, part); },
        [&] { lastRowTile(block, panel, pass, part); });
  });
}

/// The last row tile where its rows are fewer: a whole tile of them, if there
/// is one, then the odd ones.
void TileMatrixKernel::lastRowTile(const Block &block, const Panel &panel,
                                   const Pass &pass, Part part) {
  part.halves = 1;
  if (!oddRows() || t.rowsOfLast > wholeRows()) {
    this->part(block, panel, pass, part);
    part.row = c.add(part.row, wholeRows());
    part.finishFrom = part.finishCount = Value();
  }
  if (!oddRows())
    return;
  configure(/*odd=*/true);
  this->part(block, panel, pass, part);
  configure(/*odd=*/false);
}

/// Calls f for every tile of sums, with its place in `sums`.
void TileMatrixKernel::forSums(const Panel &panel, const Pass &pass,
                               const Part &part,
                               llvm::function_ref<void(unsigned, Value)> f) {
  for (unsigned half = 0; half < part.halves; ++half)
    for (unsigned v = 0; v < pass.vectors; ++v) {
      Value row = c.add(part.row, half * int64_t(TileKernels::maxRows));
      f(sumsTile(half, v), c.add(c.mul(row, pitchOfSums(panel)),
                                 (pass.firstVector + v) * int64_t(p.lanes)));
    }
}

void TileMatrixKernel::part(const Block &block, const Panel &panel,
                            const Pass &pass, const Part &part) {
  int64_t sumsPitch = pitchOfSums(panel) * 4;
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
  int64_t perStep = p.tileRows;
  if (t.steps)
    perStep = llvm::divideCeil(p.tileRows, t.stepsOfLast());
  auto finishFrom = [&](Value done) {
    Value low = c.min(done, part.finishCount);
    Value high = c.min(c.add(done, perStep), part.finishCount);
    finish(panel, c.add(part.finishFrom, low), c.add(part.finishFrom, high));
  };
  Value firstStep = c.mul(pass.depthBlock, t.blockSteps);
  Value lastStep = c.index(t.steps);
  if (t.depthBlocks > 1)
    lastStep = c.min(c.add(firstStep, t.blockSteps), lastStep);
  if (t.steps)
    c.loop(firstStep, lastStep, 1, [&](Value at) {
      step(block, panel, pass, part, at, /*isRest=*/false);
      if (part.finishCount)
        finishFrom(c.mul(c.sub(at, firstStep), perStep));
    });
  auto rest = [&] {
    step(block, panel, pass, part, c.index(t.steps), /*isRest=*/true);
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

/// One tile of the depth: of all halves and vectors.
void TileMatrixKernel::step(const Block &block, const Panel &panel,
                            const Pass &pass, const Part &part, Value step,
                            bool isRest) {
  int64_t rowElements = rowBytes / p.elementBytes();
  int64_t unitElements = int64_t(panel.vectors) * rowElements;
  auto loadActivations = [&](unsigned tile, unsigned half) {
    Value row = c.add(part.row, half * int64_t(TileKernels::maxRows));
    Value at =
        c.add(c.add(block.at, c.mul(row, p.pitch)), c.mul(step, rowElements));
    unit.load(c.b, c.loc, tile, block.elements, at, p.pitch * p.elementBytes());
  };
  auto loadWeights = [&](unsigned tile, unsigned vector) {
    Value at =
        c.add(c.add(panel.weightsAt,
                    c.mul(step, TileMatrixPlan::stepUnits * unitElements)),
              (pass.firstVector + vector) * rowElements);
    unit.load(c.b, c.loc, tile, args.weights, at,
              unitElements * p.elementBytes());
  };
  auto dot = [&](unsigned half, unsigned vector, unsigned activations,
                 unsigned weights) {
    if (m.factors == Factors::BF16)
      unit.dotBF16(c.b, c.loc, sumsTile(half, vector), activations, weights);
    else
      unit.dot(c.b, c.loc, sumsTile(half, vector), activations, weights);
  };
  if (!t.restUnits) {
    for (unsigned half = 0; half < part.halves; ++half) {
      loadActivations(4 + half, half);
      for (unsigned v = 0; v < pass.vectors; ++v) {
        if (half == 0)
          loadWeights(6 + v, v);
        dot(half, v, 4 + half, 6 + v);
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
      dot(half, v, activations, weights);
    }
  }
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void TileMatrixKernel::finish(const Panel &panel, Value begin, Value end) {
  c.loop(begin, end, 1, [&](Value row) { finishRow(panel, row); });
}

void TileMatrixKernel::finishRow(const Panel &panel, Value row) {
  Type i32 = c.b.getI32Type();
  Value sumOfRow;
  if (rowSums)
    sumOfRow = vector::BroadcastOp::create(
        c.b, c.loc, unitsType(),
        memref::LoadOp::create(c.b, c.loc, rowSums, row));
  SmallVector<Value> finished;
  for (unsigned v = 0; v < panel.vectors; ++v) {
    Value at = c.add(c.mul(row, pitchOfSums(panel)), int64_t(v) * p.lanes);
    Value sum = c.load(sums, at, unitsType());
    if (!panel.offsets.empty())
      sum = arith::AddIOp::create(c.b, c.loc, sum, panel.offsets[v]);
    if (rowSums) {
      Value zeroPoint = m.commonZeroPoint
                            ? c.splat(i32, *m.commonZeroPoint, p.lanes)
                            : panel.zeroPoints[v];
      sum = c.sub(sum, arith::MulIOp::create(c.b, c.loc, sumOfRow, zeroPoint));
    }
    finished.push_back(sum);
  }

  SmallVector<int64_t> order;
  if (p.permuted)
    order = level.micro->packOrder(panel.vectors);
  MatrixEpilogueEmitter epilogue(c, level, m.epilogue, order);
  epilogue.scales = panel.scales;
  epilogue.biases = panel.biases;
  epilogue.table = args.table;
  epilogue.other = args.other;
  auto rowWith = [&](int64_t pitch) {
    return placeOf(c.add(panel.firstRow, row), 1, panel.filter,
                   panel.firstColumn, pitch);
  };
  auto emit = [&](int64_t count) {
    epilogue.emit(ArrayRef<SmallVector<Value>>(finished), count, args.residual,
                  rowWith(m.resultChannels()), args.result,
                  rowWith(m.resultPitch));
  };
  // Only the last panel of a group can have columns of padding.
  int64_t whole = pitchOfSums(panel);
  int64_t last = p.columns - (p.panels() - 1) * p.panelColumns();
  bool isTail = p.tailVectors && panel.vectors == p.tailVectors;
  if (p.paddedColumns() == p.columns || (!isTail && p.tailVectors))
    return emit(whole);
  if (isTail || p.panels() == 1)
    return emit(last);
  c.branch(
      c.compare(arith::CmpIPredicate::ult, panel.number, p.panels() - 1),
      [&] { emit(whole); }, [&] { emit(last); });
}
