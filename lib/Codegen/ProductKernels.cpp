//===- ProductKernels.cpp - Kernels of products of activations ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Conversion/QNNToKernels/OperationCount.h"
#include "ElementwiseChain.h"
#include "FusedKernels.h"
#include "ProductResult.h"
#include "ProductTiles.h"

using namespace mlir;
using namespace qcc;
using reference::LoopBuilder;

namespace {
/// Emits the kernel that multiplies, see Product.
class ProductKernel {
public:
  ProductKernel(LoopBuilder &b, const Product &p, const TargetLevel &level,
                const ElementwiseChain &chain)
      : b(b), c(b, b.getLoc()), p(p), level(level), chain(chain) {}

  /// `ranges`: of the results of each tile, or null.
  void emit(ValueRange args, Value ranges, Value begin, Value end);

private:
  LoopBuilder &b;
  CodeBuilder c;
  const Product &p;
  const TargetLevel &level;
  const ElementwiseChain &chain;
};
} // namespace

void ProductKernel::emit(ValueRange args, Value ranges, Value begin,
                         Value end) {
  SmallVector<Value> flat;
  for (Value arg : args)
    flat.push_back(flatten(c, arg));
  unsigned next = 0;
  auto nextIf = [&](bool isThere) { return isThere ? flat[next++] : Value(); };
  Value lhs = flat[next++], packed = flat[next++], result = flat[next++];
  Value columnSums = nextIf(p.hasColumnSums());
  Value lhsZero = nextIf(bool(p.lhsZero.tensor));
  Value rhsZero = nextIf(bool(p.rhsZero.tensor));
  ValueRange operands = ArrayRef<Value>(flat).drop_front(next);

  ProductTiles tiles(b, p, level, /*arePadded=*/false,
                     chain.isCostly() || isCostly(p.activation.kind));
  tiles.setRhs(packed, columnSums, lhsZero, rhsZero);
  std::optional<RangeRecorder> recorder;
  if (ranges)
    recorder.emplace(b, p.lanes, ranges);
  ProductResult results(b, p, level, chain, operands, result,
                        recorder ? &*recorder : nullptr);

  c.loop(begin, end, 1, [&](Value tile) {
    if (recorder)
      recorder->beginTile();
    Value outer = c.div(tile, p.rowBlocks);
    Value panelOfTile = c.rem(outer, p.panels());
    Value matrix = p.panelsOuter ? c.div(outer, p.panels()) : outer;
    Value firstTile = c.mul(c.rem(tile, p.rowBlocks), p.blockTiles);
    Value lastTile = c.min(c.add(firstTile, p.blockTiles), c.index(p.rowTiles));
    Value firstRow = firstRowOf(c, p, firstTile);
    Value rhsMatrix = p.rhsNumbers.of(c, matrix);
    tiles.beginBlock(
        lhs, c.add(p.lhsStarts.of(c, matrix), c.mul(firstRow, p.lhsPitch)),
        p.lhsPitch, firstTile, lastTile);
    results.beginBlock(matrix, firstRow);
    auto emitPanel = [&](Value panel) {
      tiles.multiply(rhsMatrix, panel,
                     [&](ValueRange sums, int64_t valid, Value slot,
                         int64_t offset, Value column) {
                       results.store(sums, valid, slot, offset, column);
                     });
    };
    if (p.panelsOuter)
      emitPanel(panelOfTile);
    else
      c.loop(0, p.panels(), 1, emitPanel);
    if (recorder)
      recorder->endTile(tile);
  });
  tiles.end();
}

LogicalResult qcc::emitProduct(const Product &p, const ElementwiseChain &chain,
                               KernelEmitter &emitter) {
  Location loc = chain.last()->getLoc();
  PackedRhs rhs = packRhs(p, emitter);
  SmallVector<Value> args{emitter.buffer(p.lhs.tensor), rhs.elements,
                          emitter.buffer(p.result.tensor)};
  if (rhs.columnSums)
    args.push_back(rhs.columnSums);
  for (const ZeroPoint *zero : {&p.lhsZero, &p.rhsZero})
    if (zero->tensor)
      args.push_back(emitter.buffer(zero->tensor));
  for (Value operand : chain.operands())
    args.push_back(emitter.buffer(operand));
  std::string key = p.key() + chain.key();
  Value ranges = RangeRecorder::bufferFor(p.result.tensor, p.tiles(), emitter);
  if (ranges) {
    args.push_back(ranges);
    key += " ranges";
  }
  std::string stem = p.isSum ? "matmul_integer" : "matmul";
  if (p.tiled)
    stem += "_tiles";
  func::FuncOp kernel =
      emitter.kernel(stem, key, ValueRange(args).getTypes(), loc,
                     [&](OpBuilder &builder, Location loc, ValueRange values,
                         Value begin, Value end) {
                       LoopBuilder b(builder, loc, emitter.level());
                       ProductKernel(b, p, emitter.level(), chain)
                           .emit(ranges ? values.drop_back() : values,
                                 ranges ? values.back() : Value(), begin, end);
                     });
  if (!p.tiled)
    noteTiles(kernel, p.tileKey(), p.taken());
  emitter.call(kernel, args, p.tiles(), loc);
  noteOperationCount(args[0].getParentBlock()->getTerminator()->getPrevNode(),
                     p.op);
  return success();
}
