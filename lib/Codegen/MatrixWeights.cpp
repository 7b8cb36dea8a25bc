//===- MatrixWeights.cpp - Where a panel's weights stand ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixWeights.h"

#include "../Conversion/QNNToKernels/LoopBuilder.h"

#include <numeric>

using namespace mlir;
using namespace qcc;

/// Columns that stay together in every order of packing.
static constexpr int64_t blockColumns = 4;

std::optional<MatrixPlan> qcc::sharedPacking(const MatrixPlan &plan) {
  if (!plan.level.packing)
    return std::nullopt;
  MatrixPlan wide(plan.shape, plan.factors, plan.permuted, plan.sumsRows,
                  *plan.level.packing, plan.table, plan.unitBytes);
  if (plan.isTall)
    wide.makeTall();
  // A panel must lie in one of the wide ones, with the same units.
  if (wide.lanes % plan.panelColumns() != 0 || wide.lines != plan.lines)
    return std::nullopt;
  return wide;
}

MatrixWeights::MatrixWeights(CodeBuilder &c, const MatrixPlan &plan,
                             Value group, Value panel, unsigned vectors)
    : c(c), level(plan.level) {
  if (std::optional<MatrixPlan> wide = sharedPacking(plan)) {
    locate(plan, *wide, group, panel, vectors);
    return;
  }
  Value column = c.add(c.mul(group, plan.paddedColumns()),
                       c.mul(panel, plan.panelColumns()));
  base = c.mul(column, plan.units * plan.unitElements);
  placeVectors(plan, vectors);
}

MatrixWeights::MatrixWeights(CodeBuilder &c, const MatrixPlan &plan, Value base,
                             unsigned vectors)
    : c(c), level(plan.level), base(base) {
  placeVectors(plan, vectors);
}

void MatrixWeights::placeVectors(const MatrixPlan &plan, unsigned vectors) {
  partElements = plan.lanes * plan.unitElements;
  pitch = c.index(vectors * partElements);
  for (unsigned v = 0; v < vectors; ++v)
    parts.push_back({c.index(v * partElements)});
}

/// Finds the columns of a panel in those of the wide plan.
void MatrixWeights::locate(const MatrixPlan &plan, const MatrixPlan &wide,
                           Value group, Value panel, unsigned vectors) {
  int64_t unit = plan.unitElements;
  Value column = c.mul(panel, plan.panelColumns());
  Value widePanel = c.div(column, wide.panelColumns());
  Value before = c.add(c.mul(group, wide.paddedColumns()),
                       c.mul(widePanel, wide.panelColumns()));
  base = c.mul(before, plan.units * unit);
  Value isFull =
      c.compare(arith::CmpIPredicate::ult, widePanel, wide.fullPanels);
  // Of full panels and of the tail.
  auto choose = [&](llvm::function_ref<Value(int64_t)> f) {
    if (!wide.tailVectors)
      return f(wide.vectors);
    if (!wide.fullPanels)
      return f(wide.tailVectors);
    return arith::SelectOp::create(c.b, c.loc, isFull, f(wide.vectors),
                                   f(wide.tailVectors))
        .getResult();
  };
  pitch = choose([&](int64_t n) { return c.index(n * wide.lanes * unit); });

  int64_t blocks = plan.permuted ? plan.lanes / blockColumns : 1;
  partElements = plan.lanes / blocks * unit;
  Value first = c.sub(column, c.mul(widePanel, wide.panelColumns()));
  // Of the panel, within the wide one.
  Value number = c.div(first, plan.panelColumns());
  int64_t inPanel = int64_t(plan.vectors) * blocks;
  for (unsigned v = 0; v < vectors; ++v) {
    SmallVector<Value> places;
    for (int64_t block = 0; block < blocks; ++block) {
      if (!plan.permuted) {
        places.push_back(c.mul(c.add(first, v * int64_t(plan.lanes)), unit));
        continue;
      }
      // The results that this block is for are block i of the wide panel; they
      // stand there in block i / n of vector i % n.
      int64_t own = block * int64_t(vectors) + int64_t(v);
      Value i = c.add(c.div(first, blockColumns), own);
      places.push_back(choose([&](int64_t n) {
        // A panel begins with block `inPanel` times its number: often nothing
        // is left to divide, which counts where the depth is small.
        if (inPanel % n == 0)
          return c.add(c.mul(number, inPanel / n * blockColumns * unit),
                       (own % n * wide.lanes + own / n * blockColumns) * unit);
        return c.mul(c.add(c.mul(c.rem(i, n), wide.lanes),
                           c.mul(c.div(i, n), blockColumns)),
                     unit);
      }));
    }
    parts.push_back(places);
  }
}

Value MatrixWeights::end(int64_t units) {
  Value size =
      arith::MulIOp::create(c.b, c.loc, pitch, c.index(units)).getResult();
  return c.add(base, size);
}

Value MatrixWeights::load(Value buffer, Value unit, unsigned vector) {
  auto element = cast<MemRefType>(buffer.getType()).getElementType();
  Value start =
      c.add(base, arith::MulIOp::create(c.b, c.loc, unit, pitch).getResult());
  auto type = c.vectorType(element, partElements);
  SmallVector<Value> loaded;
  for (Value place : parts[vector])
    loaded.push_back(c.load(buffer, c.add(start, place), type));
  // Neighbours are joined until one is left.
  while (loaded.size() > 1) {
    SmallVector<Value> joined;
    for (size_t i = 0; i < loaded.size(); i += 2) {
      int64_t n = cast<VectorType>(loaded[i].getType()).getNumElements();
      SmallVector<int64_t> mask(2 * n);
      std::iota(mask.begin(), mask.end(), 0);
      joined.push_back(c.shuffle(loaded[i], loaded[i + 1], mask));
    }
    loaded = joined;
  }
  if (isa<IntegerType>(element) || element.isF32())
    return loaded.front();
  reference::LoopBuilder b(c.b, c.loc, level);
  return b.extend(loaded.front(), b.getF32Type());
}
