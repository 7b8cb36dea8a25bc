//===- ProductTiles.cpp - Rows times packed panels ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProductTiles.h"
#include "MatrixEpilogue.h"
#include "PanelPrefetch.h"
#include "RowSum.h"

using namespace mlir;
using namespace qcc;
using reference::LoopBuilder;

Value qcc::firstRowOf(CodeBuilder &c, const Product &p, Value rowTile) {
  Value row = c.mul(rowTile, p.tileRows);
  if (p.tiled) // the last one may be lower
    return p.rows % p.tileRows == 0 ? row : c.min(row, c.index(p.rows));
  if (p.longTiles == p.rowTiles)
    return row;
  return c.add(c.mul(rowTile, p.tileRows - 1),
               c.min(rowTile, c.index(p.longTiles)));
}

ProductTiles::ProductTiles(LoopBuilder &b, const Product &p,
                           const TargetLevel &level, bool arePadded, bool holds)
    : b(b), c(b, b.getLoc()), p(p), level(level) {
  int64_t blockRows = p.blockTiles * p.tileRows;
  if (p.copiesRows() && !arePadded)
    copied = c.stack(b.getI8Type(), blockRows * p.rowPitch());
  if (p.hasRowSums())
    rowSums = c.stack(b.getI32Type(), blockRows);
  if (p.tiled)
    tileSums.emplace(c, level, *p.tiled,
                     TileSums::Kind{Factors::Int8, p.lhsSigned}, p.blockTiles,
                     p.panelColumns());
  else if (holds)
    held = c.stack(unitsType().getElementType(), p.tileRows * p.panelColumns());
}

Value ProductTiles::zeroPoint(const ZeroPoint &zero, Value buffer) {
  Value value = b.integer(b.getI32Type(), zero.constant);
  if (!zero.tensor)
    return value;
  Value byte = memref::LoadOp::create(b, buffer, c.index(0));
  Value wide =
      zero.isUnsigned
          ? arith::ExtUIOp::create(b, b.getI32Type(), byte).getResult()
          : arith::ExtSIOp::create(b, b.getI32Type(), byte).getResult();
  return b.add(wide, value);
}

void ProductTiles::setRhs(Value packedRhs, Value sumsOfColumns,
                          Value lhsZeroBuffer, Value rhsZeroBuffer) {
  packed = packedRhs;
  columnSums = sumsOfColumns;
  if (!p.isInteger)
    return;
  lhsZero = zeroPoint(p.lhsZero, lhsZeroBuffer);
  rhsZero = zeroPoint(p.rhsZero, rhsZeroBuffer);
}

void ProductTiles::beginBlock(Value lhs, Value firstStart, int64_t rowPitch,
                              Value first, Value last) {
  firstTile = first;
  lastTile = last;
  Value count = c.sub(firstRowOf(c, p, last), firstRowOf(c, p, first));
  auto rowAt = [&](Value slot) {
    return c.add(firstStart, c.mul(slot, rowPitch));
  };
  if (copied)
    c.loop(c.index(0), count, 1, [&](Value slot) {
      c.copyRun(lhs, rowAt(slot), copied, c.mul(slot, p.rowPitch()), p.depth,
                level.vectorBytes);
    });
  if (rowSums)
    c.loop(c.index(0), count, 1, [&](Value slot) {
      sumBytes(c, level, lhs, rowAt(slot), p.depth, {p.lhsFlip, p.lhsSigned},
               rowSums, slot);
    });
  Value source = copied ? copied : lhs;
  if (tileSums) {
    onTiles = {first,
               last,
               count,
               source,
               copied ? c.index(0) : firstStart,
               copied ? p.rowPitch() : rowPitch};
    return tileSums->configure();
  }
  units = p.isInteger ? wordsOf(c, source) : source;
  start = copied ? c.index(0) : c.div(firstStart, p.unitElements);
  pitch = (copied ? p.rowPitch() : rowPitch) / p.unitElements;
}

void ProductTiles::multiply(Value rhsMatrix, Value panel, Store store) {
  Value firstRow = firstRowOf(c, p, firstTile);
  p.forPanel(c, panel, [&](unsigned vectors, int64_t valid) {
    Columns columns{c.mul(panel, p.panelColumns()), vectors, valid};
    if (tileSums)
      return multiplyTiles(columns, rhsMatrix, store);
    auto emitRows = [&](Value rowTile, int64_t count) {
      Value slot = c.sub(firstRowOf(c, p, rowTile), firstRow);
      registerTile({count, c.add(start, c.mul(slot, pitch)), rowTile, slot},
                   columns, rhsMatrix, store);
    };
    c.loop(firstTile, lastTile, 1, [&](Value rowTile) {
      if (p.longTiles == p.rowTiles)
        return emitRows(rowTile, p.tileRows);
      c.branch(
          c.compare(arith::CmpIPredicate::ult, rowTile, p.longTiles),
          [&] { emitRows(rowTile, p.tileRows); },
          [&] { emitRows(rowTile, p.tileRows - 1); });
    });
  });
}

void ProductTiles::registerTile(const Rows &rows, const Columns &columns,
                                Value rhsMatrix, Store store) {
  unsigned vectors = columns.vectors;
  Value column = columns.first;
  Type sumElement = unitsType().getElementType();
  Value zero = c.splat(sumElement, 0, p.lanes);
  SmallVector<Value> offsets(vectors, zero);
  if (columnSums)
    offsets = offsetsOf(columns, rhsMatrix);
  bool offsetsFirst = sumsPerVector() == 1;
  SmallVector<Value> initial;
  for (int64_t row = 0; row < rows.count; ++row)
    for (unsigned v = 0; v < vectors; ++v)
      for (unsigned i = 0; i < sumsPerVector(); ++i)
        initial.push_back(offsetsFirst ? offsets[v] : zero);
  SmallVector<Value> all =
      sums(rows, vectors, weightsOf(columns, rhsMatrix), initial);

  for (int64_t row = 0; row < rows.count; ++row) {
    SmallVector<Value> finished;
    for (unsigned v = 0; v < vectors; ++v) {
      ArrayRef<Value> parts = ArrayRef<Value>(all).slice(
          (row * vectors + v) * sumsPerVector(), sumsPerVector());
      Value sum = parts[0];
      if (p.isInteger)
        sum = level.micro->finishAccumulators(b, b.getLoc(), parts);
      finished.push_back(sum);
    }
    finished =
        finish(finished,
               columnSums && !offsetsFirst ? ValueRange(offsets) : ValueRange(),
               c.add(rows.slot, row));
    if (!held) {
      store(finished, columns.valid, rows.slot, row, column);
      continue;
    }
    for (unsigned v = 0; v < vectors; ++v)
      c.store(finished[v], held, c.index((row * vectors + v) * p.lanes));
  }
  if (held)
    c.loop(0, rows.count, 1, [&](Value row) {
      SmallVector<Value> finished;
      for (unsigned v = 0; v < vectors; ++v)
        finished.push_back(c.load(
            held, c.add(c.mul(row, vectors * p.lanes), int64_t(v) * p.lanes),
            unitsType()));
      store(finished, columns.valid, c.add(rows.slot, row), 0, column);
    });
}

void ProductTiles::multiplyTiles(const Columns &columns, Value rhsMatrix,
                                 Store store) {
  SmallVector<Value> offsets;
  if (columnSums)
    offsets = offsetsOf(columns, rhsMatrix);
  tileSums->multiply(
      onTiles, {packed, weightsOf(columns, rhsMatrix), columns.vectors},
      [&](Value slot) {
        store(finish(tileSums->of(slot, columns.vectors), offsets, slot),
              columns.valid, slot, 0, columns.first);
      });
}

/// Where a panel stands in the packed right-hand side.
Value ProductTiles::weightsOf(const Columns &columns, Value rhsMatrix) {
  return c.add(c.mul(rhsMatrix, p.matrixElements()),
               c.mul(columns.first, p.units * p.unitElements));
}

/// What each sum of a column lacks: -zx * (sum of the column - depth * zw).
SmallVector<Value> ProductTiles::offsetsOf(const Columns &columns,
                                           Value rhsMatrix) {
  Value at = c.add(c.mul(rhsMatrix, p.paddedColumns()), columns.first);
  Value excess = broadcast(b.mul(rhsZero, b.integer(b.getI32Type(), p.depth)));
  Value factor = broadcast(lhsZero);
  SmallVector<Value> offsets;
  for (unsigned v = 0; v < columns.vectors; ++v) {
    Value sum =
        c.load(columnSums, c.add(at, int64_t(v) * p.lanes), unitsType());
    offsets.push_back(b.mul(b.sub(excess, sum), factor));
  }
  return offsets;
}

/// Adds the offsets, if any, and takes off what the zero point on the right
/// makes of the row.
SmallVector<Value> ProductTiles::finish(ValueRange sums, ValueRange offsets,
                                        Value slot) {
  SmallVector<Value> finished(sums);
  Value rowOffset;
  if (rowSums)
    rowOffset = broadcast(
        b.mul(memref::LoadOp::create(b, rowSums, slot).getResult(), rhsZero));
  for (auto [v, sum] : llvm::enumerate(finished)) {
    if (!offsets.empty())
      sum = b.add(sum, offsets[v]);
    if (rowOffset)
      sum = b.sub(sum, rowOffset);
  }
  return finished;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

SmallVector<Value> ProductTiles::sums(const Rows &rows, unsigned vectors,
                                      Value weights, ArrayRef<Value> initial) {
  int64_t step = level.activationLoadBytes / 4;
  int64_t whole = p.units / step * step;
  int64_t width = int64_t(vectors) * p.lanes * p.unitElements;
  auto flipped = [&](Value word) {
    if (!p.lhsFlip)
      return word;
    Value mask = b.integer(word.getType(), int32_t(0x80808080u));
    return arith::XOrIOp::create(b, word, mask).getResult();
  };
  auto single = [&](Value unit, SmallVectorImpl<Value> &sums) {
    SmallVector<Value> activations;
    for (int64_t row = 0; row < rows.count; ++row)
      activations.push_back(broadcast(flipped(memref::LoadOp::create(
          b, units, c.add(c.add(rows.at, unit), row * pitch)))));
    accumulate(sums, activations, vectors, c.add(weights, c.mul(unit, width)));
  };
  // Several units of a row at once, where the dot product takes any of them.
  auto block = [&](Value unit, SmallVectorImpl<Value> &sums) {
    if (step == 1)
      return single(unit, sums);
    auto type = c.vectorType(unitsType().getElementType(), step);
    SmallVector<Value> loaded;
    for (int64_t row = 0; row < rows.count; ++row)
      loaded.push_back(flipped(
          c.load(units, c.add(c.add(rows.at, unit), row * pitch), type)));
    for (int64_t i = 0; i < step; ++i) {
      SmallVector<Value> activations;
      for (Value v : loaded)
        activations.push_back(
            c.shuffle(v, v, SmallVector<int64_t>(p.lanes, i)));
      accumulate(sums, activations, vectors,
                 c.add(weights, c.mul(c.add(unit, i), width)));
    }
  };
  SmallVector<Value> result(initial);
  PanelPrefetch prefetch;
  if (streamsWeights())
    prefetch = PanelPrefetch(int64_t(vectors) * p.units * level.vectorBytes,
                             p.rowTiles, whole / step);
  int64_t stride = step * prefetch.together(), steps = whole / stride;
  Value nextPanel =
      c.add(weights, int64_t(vectors) * p.lanes * p.units * p.unitElements);
  if (steps > 0)
    result = c.loop(c.index(0), c.index(steps * stride), stride, result,
                    [&](Value unit, ValueRange carried) {
                      SmallVector<Value> next(carried);
                      for (int64_t i = 0; i < stride; i += step)
                        block(c.add(unit, i), next);
                      prefetch.emit(c, packed, nextPanel, rows.tile,
                                    c.div(unit, stride));
                      return next;
                    });
  for (int64_t unit = steps * stride; unit < whole; unit += step)
    block(c.index(unit), result);
  for (int64_t unit = whole; unit < p.units; ++unit)
    single(c.index(unit), result);
  return result;
}

void ProductTiles::accumulate(SmallVectorImpl<Value> &sums,
                              ArrayRef<Value> activations, unsigned vectors,
                              Value weightsAt) {
  unsigned perVector = sumsPerVector();
  SmallVector<SmallVector<Value>> weights;
  for (unsigned v = 0; v < vectors; ++v) {
    Value at = c.add(weightsAt, int64_t(v) * p.lanes * p.unitElements);
    if (p.isInteger)
      weights.push_back(level.micro->prepareWeights(
          b, b.getLoc(), c.load(packed, at, bytesType())));
    else
      weights.push_back({c.load(packed, at, unitsType())});
  }
  auto pairs = c.vectorType(b.getI16Type(), 2 * p.lanes);
  for (auto [row, activation] : llvm::enumerate(activations)) {
    SmallVector<Value> prepared{activation};
    if (p.isInteger)
      prepared = level.micro->prepareActivations(
          b, b.getLoc(), c.bitcast(activation, bytesType()));
    for (unsigned v = 0; v < vectors; ++v) {
      MutableArrayRef<Value> parts = MutableArrayRef<Value>(sums).slice(
          (row * vectors + v) * perVector, perVector);
      if (p.isInteger)
        level.micro->dot(b, b.getLoc(), parts, prepared, weights[v]);
      else if (p.isInt16)
        parts[0] = level.micro->dotInt16(b, b.getLoc(), parts[0],
                                         c.bitcast(prepared[0], pairs),
                                         c.bitcast(weights[v][0], pairs));
      else
        parts[0] = multiplyAdd(c, level, prepared[0], weights[v][0], parts[0]);
    }
  }
}
