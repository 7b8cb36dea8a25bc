//===- MatrixKernel.cpp - The body of a matrix kernel ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixKernel.h"
#include "PanelPrefetch.h"

using namespace mlir;
using namespace qcc;

/// Left matrices of up to this size are read from near caches, and rows longer
/// than this are streams that the processor follows.
static constexpr int64_t nearBytes = 256 * 1024, longRowBytes = 2048;

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

void MatrixKernel::allocate() {
  Type element = elementType();
  if (p.scratchElements() > 0)
    scratch = c.stack(element, p.scratchElements());
  if (p.gather) {
    // What follows a row in its last unit meets weights of zero.
    for (int64_t row = 0; row < p.blockTiles * p.tileRows; ++row)
      for (int64_t k = p.depth; k < p.units * p.unitElements; ++k)
        memref::StoreOp::create(
            c.b, c.loc,
            arith::ConstantOp::create(c.b, c.loc, c.b.getZeroAttr(element)),
            scratch, c.index(row * p.pitch + k));
  }
  if (hasZeroPoints() && !sumsUnits())
    rowSums = c.stack(c.b.getI32Type(), p.blockTiles * p.tileRows);
  if (p.widensPanels())
    widened = c.stack(c.b.getF32Type(), p.widenedElements());
}

void MatrixKernel::run(Value begin, Value end) {
  SmallVector<Value> held; // what `widened` holds
  if (widened)
    held.push_back(c.index(-1));
  c.loop(begin, end, 1, held, [&](Value tile, ValueRange carried) {
    SmallVector<Value> next;
    Value outer = c.div(tile, p.rowBlocks);
    Value group = p.rowsOuter ? outer : c.div(outer, p.panels());
    Value rowBlock = c.rem(tile, p.rowBlocks);
    Value firstTile = firstTileOf(rowBlock);
    Value lastTile = firstTileOf(c.add(rowBlock, 1));
    if (widened) {
      Value isOther = arith::CmpIOp::create(
          c.b, c.loc, arith::CmpIPredicate::ne, carried[0], outer);
      c.branch(isOther, [&] { widen(group, outer); }, nullptr);
      next.push_back(outer);
    }
    block(firstTile, lastTile, group,
          [&](auto emitPanel) { forPanels(outer, emitPanel); });
    return next;
  });
}

/// The panels of a tile: all of a group, or one.
void MatrixKernel::forPanels(
    Value outer, llvm::function_ref<void(Value, unsigned)> emitPanel) {
  if (p.rowsOuter) {
    c.loop(0, p.fullPanels, 1, [&](Value i) { emitPanel(i, p.vectors); });
    if (p.tailVectors)
      emitPanel(c.index(p.fullPanels), p.tailVectors);
    return;
  }
  Value i = c.rem(outer, p.panels());
  if (!p.tailVectors)
    return emitPanel(i, p.vectors);
  c.branch(
      c.compare(arith::CmpIPredicate::ult, i, p.fullPanels),
      [&] { emitPanel(i, p.vectors); }, [&] { emitPanel(i, p.tailVectors); });
}

/// Where a panel stands in `widened`.
static Value widenedBase(CodeBuilder &c, const MatrixPlan &p, Value panel) {
  return p.rowsOuter ? c.mul(panel, p.panelColumns() * p.units) : c.index(0);
}

void MatrixKernel::widen(Value group, Value outer) {
  forPanels(outer, [&](Value panel, unsigned vectors) {
    MatrixWeights weights(c, p, group, panel, vectors);
    Value base = widenedBase(c, p, panel);
    c.loop(0, p.units, 1, [&](Value unit) {
      Value at = c.add(base, c.mul(unit, int64_t(vectors) * p.lanes));
      for (unsigned v = 0; v < vectors; ++v)
        c.store(weights.load(args.weights, unit, v), widened,
                c.add(at, int64_t(v) * p.lanes));
    });
  });
}

/// The panel, widened where it is.
MatrixWeights MatrixKernel::weightsOf(Value group, Value panel,
                                      unsigned vectors) {
  if (widened)
    return MatrixWeights(c, p, widenedBase(c, p, panel), vectors);
  return MatrixWeights(c, p, group, panel, vectors);
}

Value MatrixKernel::firstTileOf(Value block) {
  if (p.rowTiles % p.rowBlocks == 0)
    return c.mul(block, p.blockTiles);
  return c.div(c.mul(block, p.rowTiles), p.rowBlocks);
}

Value MatrixKernel::firstRowOf(Value rowTile) {
  if (p.longTiles == p.rowTiles)
    return c.mul(rowTile, p.tileRows);
  return c.add(c.mul(rowTile, p.tileRows - 1),
               c.min(rowTile, c.index(p.longTiles)));
}

void MatrixKernel::block(
    Value firstTile, Value lastTile, Value group,
    llvm::function_ref<void(llvm::function_ref<void(Value, unsigned)>)>
        forPanels) {
  Value firstRow = firstRowOf(firstTile);
  if (p.band && p.copiesBand) {
    Value lastRow = c.sub(firstRowOf(lastTile), c.index(1));
    fillBand(c.div(firstRow, p.shape.ow), c.add(c.div(lastRow, p.shape.ow), 1));
  }
  if (p.gather)
    c.loop(firstRow, firstRowOf(lastTile), 1, [&](Value row) {
      gatherRow(row, c.mul(c.sub(row, firstRow), p.pitch), group);
    });

  Value elements = scratch ? scratch : args.input;
  if (rowSums)
    c.loop(firstRow, firstRowOf(lastTile), 1, [&](Value row) {
      sumRow(elements, startOf(row, firstRow, group), c.sub(row, firstRow));
    });

  auto registerTile = [&](Value tile, int64_t count, Value panelNumber,
                          unsigned vectors) {
    Value first = firstRowOf(tile);
    Rows rows{first, count, tile, elements, {}, c.sub(first, firstRow)};
    Value start = startOf(first, firstRow, group);
    for (int64_t row = 0; row < count; ++row)
      rows.starts.push_back(p.band ? startOf(c.add(first, row), firstRow, group)
                                   : c.add(start, row * p.pitch));
    panel(rows, group, panelNumber, vectors);
  };
  forPanels([&](Value panelNumber, unsigned vectors) {
    auto emitTile = [&](Value tile) {
      auto longTile = [&] {
        registerTile(tile, p.tileRows, panelNumber, vectors);
      };
      if (p.longTiles == p.rowTiles)
        return longTile();
      c.branch(
          c.compare(arith::CmpIPredicate::ult, tile, p.longTiles), longTile,
          [&] { registerTile(tile, p.tileRows - 1, panelNumber, vectors); });
    };
    if (p.blockTiles == 1)
      return emitTile(firstTile);
    c.loop(firstTile, lastTile, 1, emitTile);
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void MatrixKernel::panel(const Rows &rows, Value group, Value panel,
                         unsigned vectors) {
  Value column =
      c.add(c.mul(group, p.paddedColumns()), c.mul(panel, p.panelColumns()));
  auto loadVectors = [&](Value buffer) {
    SmallVector<Value> loaded;
    for (unsigned v = 0; v < vectors; ++v) {
      auto type = c.vectorType(
          cast<MemRefType>(buffer.getType()).getElementType(), p.lanes);
      loaded.push_back(
          c.load(buffer, c.add(column, int64_t(v) * p.lanes), type));
    }
    return loaded;
  };

  Value zero = c.splat(unitsType().getElementType(), 0, p.lanes);
  SmallVector<Value> offsets(vectors, zero), zeroPoints(vectors);
  if (args.offsets)
    offsets = loadVectors(args.offsets);
  if (args.zeroPoints)
    zeroPoints = loadVectors(args.zeroPoints);
  SmallVector<Value> offsetOf; // per row and vector
  for (int64_t row = 0; row < rows.count; ++row)
    llvm::append_range(offsetOf, rowOffsets(rows, row, offsets, zeroPoints));
  // Where a vector's sums are spread over several, they start from zero.
  bool offsetsFirst = sumsPerVector() == 1;
  SmallVector<Value> initial;
  for (int64_t row = 0; row < rows.count; ++row)
    for (unsigned v = 0; v < vectors; ++v)
      for (unsigned i = 0; i < sumsPerVector(); ++i)
        initial.push_back(offsetsFirst ? offsetOf[row * vectors + v] : zero);

  MatrixWeights weights = weightsOf(group, panel, vectors);
  SmallVector<Value> all = sums(rows, vectors, weights, initial);

  SmallVector<int64_t> order;
  if (p.permuted)
    order = level.micro->packOrder(vectors);
  MatrixEpilogueEmitter epilogue(c, level, m.epilogue, order);
  if (args.scales)
    epilogue.scales = loadVectors(args.scales);
  if (args.biases)
    epilogue.biases = loadVectors(args.biases);
  epilogue.table = args.table;
  epilogue.other = args.other;

  Value firstRow = rows.first;
  if (firstResultRow)
    firstRow = c.add(firstRow, firstResultRow);
  auto rowsWith = [&](int64_t pitch) {
    return placeOf(firstRow, rows.count, group, c.mul(panel, p.panelColumns()),
                   pitch);
  };
  auto emitRows = [&](int64_t count) {
    SmallVector<SmallVector<Value>> finished(rows.count);
    for (int64_t row = 0; row < rows.count; ++row)
      for (unsigned v = 0; v < vectors; ++v) {
        ArrayRef<Value> parts = ArrayRef<Value>(all).slice(
            (row * vectors + v) * sumsPerVector(), sumsPerVector());
        Value sum = parts[0];
        if (m.factors == Factors::Int8)
          sum = level.micro->finishAccumulators(c.b, c.loc, parts);
        if (!offsetsFirst && args.offsets)
          sum = c.add(sum, offsetOf[row * vectors + v]);
        finished[row].push_back(sum);
      }
    epilogue.emit(finished, count, args.residual, rowsWith(m.resultChannels()),
                  args.result, rowsWith(m.resultPitch));
  };
  forColumnsOf(panel, vectors, emitRows);
}

/// Calls f with the number of columns of a panel.
void MatrixKernel::forColumnsOf(Value panel, unsigned vectors,
                                llvm::function_ref<void(int64_t)> f) {
  // Only the last panel of a group can have columns of padding.
  int64_t whole = int64_t(vectors) * p.lanes;
  int64_t last = p.columns - (p.panels() - 1) * p.panelColumns();
  bool isTail = p.tailVectors && vectors == p.tailVectors;
  if (p.paddedColumns() == p.columns || (!isTail && p.tailVectors))
    return f(whole);
  if (isTail || p.panels() == 1)
    return f(last);
  c.branch(
      c.compare(arith::CmpIPredicate::ult, panel, p.panels() - 1),
      [&] { f(whole); }, [&] { f(last); });
}

/// The element of the band, the scratch or the input where a row starts.
Value MatrixKernel::startOf(Value row, Value firstOfBlock, Value group) {
  const ConvShape &s = p.shape;
  if (p.gather)
    return c.mul(c.sub(row, firstOfBlock), p.pitch);
  if (!p.band) {
    if (firstInputRow)
      row = c.add(row, firstInputRow);
    return c.add(c.mul(row, p.pitch), firstChannel(group));
  }
  Value line = c.div(row, s.ow);
  if (p.copiesBand)
    line = c.mul(c.sub(line, c.div(firstOfBlock, s.ow)), s.sh);
  else if (s.n == 1)
    line = c.mul(line, s.sh);
  else
    line = c.add(c.mul(c.div(line, s.oh), s.h), c.mul(c.rem(line, s.oh), s.sh));
  return c.add(c.mul(line, p.linePitch), c.mul(c.rem(row, s.ow), s.sw * s.c));
}

SmallVector<Value> MatrixKernel::sums(const Rows &rows, unsigned vectors,
                                      MatrixWeights &weights,
                                      ArrayRef<Value> initial) {
  if (p.lines == 1)
    return lineSums(rows.elements, rows.starts, vectors, weights, c.index(0),
                    rows.tile, initial);
  return c.loop(c.index(0), c.index(p.lines), 1, initial,
                [&](Value line, ValueRange carried) {
                  Value offset = c.mul(line, p.shape.dh * p.linePitch);
                  SmallVector<Value> starts;
                  for (Value start : rows.starts)
                    starts.push_back(c.add(start, offset));
                  return lineSums(rows.elements, starts, vectors, weights,
                                  c.mul(line, p.lineUnits),
                                  c.add(c.mul(rows.tile, p.lines), line),
                                  carried);
                });
}

/// Adds what one line of the windows contributes; `firstUnit` is its first unit
/// of the weights, `loopNumber` counts such loops of the panel.
SmallVector<Value>
MatrixKernel::lineSums(Value elements, ArrayRef<Value> starts, unsigned vectors,
                       MatrixWeights &weights, Value firstUnit,
                       Value loopNumber, ValueRange initial) {
  int64_t step = level.activationLoadBytes / 4;
  int64_t blocks = p.lineUnits / step;
  auto elementAt = [&](Value unit, Value start) {
    return c.add(start, c.mul(unit, p.unitElements));
  };
  // One unit of every row, loaded alone.
  auto single = [&](Value unit, SmallVectorImpl<Value> &sums) {
    SmallVector<Value> activations;
    for (Value start : starts)
      activations.push_back(
          broadcastUnit(loadUnit(elements, elementAt(unit, start))));
    accumulate(sums, activations, vectors, weights, c.add(firstUnit, unit));
  };
  auto block = [&](Value unit, SmallVectorImpl<Value> &sums) {
    if (step == 1)
      return single(unit, sums);
    auto type = c.vectorType(elementType(), step * p.unitElements);
    SmallVector<Value> loaded;
    for (Value start : starts) {
      Value v = c.load(elements, elementAt(unit, start), type);
      loaded.push_back(m.isInteger() ? c.bitcast(v, unitsType()) : v);
    }
    for (int64_t i = 0; i < step; ++i) {
      SmallVector<Value> activations;
      for (Value v : loaded)
        activations.push_back(unitOf(v, i));
      accumulate(sums, activations, vectors, weights,
                 c.add(c.add(firstUnit, unit), i));
    }
  };

  SmallVector<Value> result(initial);
  // Not unrolled: the loads of all units would come first and spill the sums.
  PanelPrefetch prefetch;
  if (!p.rowsOuter && p.panels() > 1 && !sharedPacking(p) && !widened)
    prefetch = PanelPrefetch(int64_t(vectors) * p.units * level.vectorBytes,
                             p.rowTiles * p.lines, blocks);
  PanelPrefetch rowsPrefetch;
  int64_t elementBytes = 4 / p.unitElements;
  if (!p.gather && !p.band && p.shape.group == 1 &&
      p.rows * p.pitch * elementBytes > nearBytes &&
      p.pitch * elementBytes <= longRowBytes)
    rowsPrefetch =
        PanelPrefetch::ofRows(int64_t(starts.size()) * p.pitch * elementBytes,
                              blocks, prefetch.together());
  Value nextRow = c.add(starts.front(), int64_t(starts.size()) * p.pitch);
  int64_t stride = step * prefetch.together();
  int64_t steps = blocks * step / stride;
  Value nextPanel = weights.end(p.units);
  if (blocks == 1) {
    block(c.index(0), result);
    prefetch.emit(c, args.weights, nextPanel, loopNumber, c.index(0));
    rowsPrefetch.emit(c, elements, nextRow, c.index(0), c.index(0));
  } else if (blocks > 1) {
    result =
        c.loop(c.index(0), c.index(steps * stride), stride, result,
               [&](Value unit, ValueRange carried) {
                 SmallVector<Value> next(carried);
                 for (int64_t i = 0; i < stride; i += step)
                   block(c.add(unit, i), next);
                 Value number = c.div(unit, stride);
                 prefetch.emit(c, args.weights, nextPanel, loopNumber, number);
                 rowsPrefetch.emit(c, elements, nextRow, c.index(0), number);
                 return next;
               });
    for (int64_t unit = steps * stride; unit < blocks * step; unit += step)
      block(c.index(unit), result);
  }
  for (int64_t unit = blocks * step; unit < p.lineUnits; ++unit)
    single(c.index(unit), result);
  return result;
}

/// One unit of all rows: activations[row] . weights[vector].
void MatrixKernel::accumulate(SmallVectorImpl<Value> &sums,
                              ArrayRef<Value> activations, unsigned vectors,
                              MatrixWeights &panel, Value unit) {
  unsigned perVector = sumsPerVector();
  SmallVector<SmallVector<Value>> weights;
  for (unsigned v = 0; v < vectors; ++v) {
    Value loaded = panel.load(widened ? widened : args.weights, unit, v);
    if (m.factors == Factors::Int8)
      weights.push_back(level.micro->prepareWeights(c.b, c.loc, loaded));
    else
      weights.push_back({loaded});
  }
  for (auto [row, activation] : llvm::enumerate(activations)) {
    SmallVector<Value> prepared{activation};
    if (m.factors == Factors::Int16)
      prepared = {
          c.bitcast(activation, c.vectorType(c.b.getI16Type(),
                                             int64_t(level.vectorBytes) / 2))};
    if (m.factors == Factors::Int8)
      prepared = level.micro->prepareActivations(
          c.b, c.loc, c.bitcast(activation, bytesType()));
    for (unsigned v = 0; v < vectors; ++v) {
      MutableArrayRef<Value> parts = MutableArrayRef<Value>(sums).slice(
          (row * vectors + v) * perVector, perVector);
      if (m.factors == Factors::Int8)
        level.micro->dot(c.b, c.loc, parts, prepared, weights[v]);
      else if (m.factors == Factors::Int16)
        parts[0] = level.micro->dotInt16(c.b, c.loc, parts[0], prepared[0],
                                         weights[v][0]);
      else
        parts[0] = multiplyAdd(c, level, prepared[0], weights[v][0], parts[0]);
    }
  }
}

Value MatrixKernel::loadUnit(Value elements, Value at) {
  if (!m.isInteger())
    return memref::LoadOp::create(c.b, c.loc, elements, at);
  Value unit =
      c.load(elements, at, c.vectorType(elementType(), p.unitElements));
  return vector::ExtractOp::create(
      c.b, c.loc, c.bitcast(unit, c.vectorType(c.b.getI32Type(), 1)), 0);
}

Value MatrixKernel::broadcastUnit(Value scalar) {
  if (m.flip) {
    Value mask = arith::ConstantOp::create(
        c.b, c.loc, c.b.getI32IntegerAttr(int32_t(0x80808080u)));
    scalar = arith::XOrIOp::create(c.b, c.loc, scalar, mask);
  }
  return vector::BroadcastOp::create(c.b, c.loc, unitsType(), scalar);
}

Value MatrixKernel::unitOf(Value vector, unsigned unit) {
  if (m.flip)
    vector = arith::XOrIOp::create(
        c.b, c.loc, vector,
        c.splat(c.b.getI32Type(), int32_t(0x80808080u), p.lanes));
  return c.shuffle(vector, vector, SmallVector<int64_t>(p.lanes, unit));
}
