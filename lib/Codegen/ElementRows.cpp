//===- ElementRows.cpp - Elementwise kernels walk rows --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementRows.h"
#include "MatrixEpilogue.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using reference::Element;
using reference::LoopBuilder;

/// Elements per tile.
static constexpr int64_t grain = 8 * 1024;

Rows::Rows(int64_t count, int64_t length, int64_t step)
    : count(count), length(length), step(step),
      rowsPerTile(std::max<int64_t>(1, grain / length)),
      columnsPerTile(count == 1 ? llvm::alignTo(grain, step) : length) {}

int64_t Rows::tiles() const {
  return count == 1 ? llvm::divideCeil(length, columnsPerTile)
                    : llvm::divideCeil(count, rowsPerTile);
}

void Rows::emit(CodeBuilder &c, Value begin, Value end,
                llvm::function_ref<void(Value, int64_t, ForRows)> body) const {
  int64_t whole = length / step * step;
  c.loop(begin, end, 1, [&](Value tile) {
    Value firstRow = c.index(0), lastRow = c.index(1);
    Value from = c.index(0), to = c.index(whole);
    if (count == 1) {
      from = c.mul(tile, columnsPerTile);
      to = c.min(c.add(from, columnsPerTile), to);
    } else {
      firstRow = c.mul(tile, rowsPerTile);
      lastRow = c.min(c.add(firstRow, rowsPerTile), c.index(count));
    }
    auto at = [&](Value column, int64_t valid) {
      body(column, valid, [&](llvm::function_ref<void(Value)> row) {
        if (count == 1)
          return row(column);
        c.loop(firstRow, lastRow, 1,
               [&](Value i) { row(c.add(c.mul(i, length), column)); });
      });
    };
    c.loop(from, to, step, [&](Value column) { at(column, step); });
    if (whole == length)
      return;
    auto rest = [&] { at(c.index(whole), length - whole); };
    if (count != 1 || tiles() == 1)
      return rest();
    c.branch(c.compare(arith::CmpIPredicate::eq, tile, tiles() - 1), rest, {});
  });
}

SmallVector<Value> qcc::loadCentered(LoopBuilder &b, CodeBuilder &c,
                                     const TargetLevel &level,
                                     const Element &element, int64_t valid,
                                     Value buffer, Value at, int64_t period) {
  SmallVector<Value> vectors;
  int64_t lanes = level.lanes();
  for (int64_t first = 0; first < valid; first += lanes) {
    Value loaded = loadFirst(c, c.vectorType(element.storage, lanes),
                             std::min(valid - first, lanes), buffer,
                             c.add(at, first % period));
    vectors.push_back(
        arith::SIToFPOp::create(b, c.vectorType(b.getF32Type(), lanes),
                                b.centered(loaded, element, b.getI32Type())));
  }
  return vectors;
}
