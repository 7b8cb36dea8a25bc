//===- TileMatrixKernel.cpp - The body of a kernel on tiles ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileMatrixKernel.h"

using namespace mlir;
using namespace qcc;

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
  TileSums tileSums(c, level, cut, {m.factors, m.isSigned}, p.blockTiles,
                    p.panelColumns());
  sums = &tileSums;
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

  sums->configure();
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
  sums->release();
}

void TileMatrixKernel::block(
    Value number, Value group,
    llvm::function_ref<void(const Block &)> forPanels) {
  Block block;
  block.group = group;
  TileSums::Block &tiles = block.tiles;
  tiles.firstTile = c.mul(number, p.blockTiles);
  tiles.lastTile = c.add(tiles.firstTile, p.blockTiles);
  if (p.rowTiles % p.blockTiles != 0)
    tiles.lastTile = c.min(tiles.lastTile, c.index(p.rowTiles));
  block.firstRow = c.mul(tiles.firstTile, p.tileRows);
  tiles.rows = c.sub(c.min(c.mul(tiles.lastTile, p.tileRows), c.index(p.rows)),
                     block.firstRow);
  tiles.elements = p.gather ? scratch : args.input;
  tiles.at = p.gather
                 ? c.index(0)
                 : c.add(c.mul(block.firstRow, p.pitch), firstChannel(group));
  tiles.pitch = p.pitch;
  if (p.gather)
    c.loop(c.index(0), tiles.rows, 1, [&](Value row) {
      gatherRow(c.add(block.firstRow, row), c.mul(row, p.pitch), group);
    });
  if (rowSums)
    c.loop(c.index(0), tiles.rows, 1, [&](Value row) {
      sumRow(tiles.elements, c.add(tiles.at, c.mul(row, p.pitch)), row);
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

  sums->multiply(
      block.tiles,
      {args.weights, c.mul(column, p.units * p.unitElements), vectors},
      [&](Value row) { finishRow(panel, row); });
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void TileMatrixKernel::finishRow(const Panel &panel, Value row) {
  Type i32 = c.b.getI32Type();
  Value sumOfRow;
  if (rowSums)
    sumOfRow = vector::BroadcastOp::create(
        c.b, c.loc, unitsType(),
        memref::LoadOp::create(c.b, c.loc, rowSums, row));
  SmallVector<Value> finished = sums->of(row, panel.vectors);
  for (auto [v, sum] : llvm::enumerate(finished)) {
    if (!panel.offsets.empty())
      sum = arith::AddIOp::create(c.b, c.loc, sum, panel.offsets[v]);
    if (rowSums) {
      Value zeroPoint = m.commonZeroPoint
                            ? c.splat(i32, *m.commonZeroPoint, p.lanes)
                            : panel.zeroPoints[v];
      sum = c.sub(sum, arith::MulIOp::create(c.b, c.loc, sumOfRow, zeroPoint));
    }
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
  int64_t whole = int64_t(panel.vectors) * p.lanes;
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
