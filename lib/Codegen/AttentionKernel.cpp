//===- AttentionKernel.cpp - The kernel of attention by blocks ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Conversion/QNNToKernels/OperationCount.h"
#include "Attention.h"
#include "Int16Factors.h"
#include "KeptRows.h"
#include "ProductResult.h"
#include "ProductTiles.h"

using namespace mlir;
using namespace qcc;
using reference::LoopBuilder;

/// Rows of scores that are worked on side by side.
static constexpr int64_t together = 4;

namespace {
class AttentionKernel {
public:
  AttentionKernel(LoopBuilder &b, const Attention &a, const TargetLevel &level,
                  const ElementwiseChain &chain)
      : b(b), c(b, b.getLoc()), a(a), level(level), chain(chain),
        kept(c.stack(b.getF32Type(), a.blockRows() * a.pitch())),
        rows(b, kept, a.scores.columns) {}

  /// `ranges`: of the results of each tile, or null.
  void emit(ValueRange args, Value ranges, Value begin, Value end);

private:
  void multiply(ProductTiles &tiles, const Product &p, Value matrix,
                ProductTiles::Store store);
  /// The real values of sums of 16-bit integers. `scales`: of the columns of
  /// this matrix, from `column` on; `rowScale`: a vector.
  SmallVector<Value> scaled(const Product &p, ValueRange sums, Value scales,
                            Value rowScale, Value matrix, Value column);
  void softmax(ArrayRef<Value> slots, Value position);
  void roundExponentials(ArrayRef<Value> slots, ValueRange factors);
  void storeProbabilities(ArrayRef<Value> slots, ArrayRef<Value> positions,
                          ValueRange factors);

  LoopBuilder &b;
  CodeBuilder c;
  const Attention &a;
  const TargetLevel &level;
  const ElementwiseChain &chain;
  Value kept;      ///< scores, then what softmax makes of them
  KeptRows rows;   ///< of those
  Value bytes;     ///< probabilities in 8 bits
  Value factorsOf; ///< what the exponentials of each row lack, if they are kept
  /// Rows of q and exponentials, where they are rounded to 16 bits.
  std::optional<Int16Rows> queries, exponentials;
  SmallVector<ChainEmitter> before, behind;
};
} // namespace

void AttentionKernel::emit(ValueRange args, Value ranges, Value begin,
                           Value end) {
  SmallVector<Value> flat;
  for (Value arg : args)
    flat.push_back(flatten(c, arg));
  ValueRange left(flat);
  auto take = [&](size_t count) {
    ValueRange taken = left.take_front(count);
    left = left.drop_front(count);
    return taken;
  };
  auto takeIf = [&](bool isThere) {
    return isThere ? take(1).front() : Value();
  };
  Value lhs = takeIf(true), result = takeIf(true);
  Value centers = takeIf(a.isInt16());
  SmallVector<Value> columnScales;
  ProductTiles scores(b, a.scores, level, /*arePadded=*/false,
                      /*holds=*/false),
      values(b, a.values, level, /*arePadded=*/true,
             chain.isCostly() || isCostly(a.values.activation.kind));
  for (auto [tiles, p] :
       {std::pair(&scores, &a.scores), std::pair(&values, &a.values)}) {
    Value packed = takeIf(true);
    tiles->setRhs(packed, takeIf(p->hasColumnSums()), Value(), Value());
    columnScales.push_back(takeIf(p->isInt16));
  }
  for (const ElementwiseChain &part : a.before)
    before.emplace_back(b, level, part, take(part.operands().size()));
  for (const ElementwiseChain &part : a.behind)
    behind.emplace_back(b, level, part, take(part.operands().size()));
  if (a.isInt16()) {
    queries.emplace(b, a.blockRows(), a.scores.depth);
    exponentials.emplace(b, a.blockRows(), a.scores.columns);
  } else if (a.hasBytes())
    bytes = c.stack(b.getI8Type(), a.blockRows() * a.bytesPitch());
  else if (a.keepsExponentials())
    factorsOf = c.stack(b.getF32Type(), a.blockRows());
  std::optional<RangeRecorder> recorder;
  if (ranges)
    recorder.emplace(b, a.values.lanes, ranges);
  ProductResult results(b, a.values, level, chain, left, result,
                        recorder ? &*recorder : nullptr);

  c.loop(begin, end, 1, [&](Value tile) {
    if (recorder)
      recorder->beginTile();
    const Product &p = a.scores;
    Value matrix = c.div(tile, p.rowBlocks);
    Value firstTile = c.mul(c.rem(tile, p.rowBlocks), p.blockTiles);
    Value lastTile = c.min(c.add(firstTile, p.blockTiles), c.index(p.rowTiles));
    Value firstRow = firstRowOf(c, p, firstTile);
    Value count = c.sub(firstRowOf(c, p, lastTile), firstRow);

    Value start = c.add(p.lhsStarts.of(c, matrix), c.mul(firstRow, p.lhsPitch));
    if (queries) {
      c.loop(c.index(0), count, 1, [&](Value slot) {
        queries->round(lhs, c.add(start, c.mul(slot, p.lhsPitch)), slot,
                       centers, c.mul(p.rhsNumbers.of(c, matrix), p.depth));
      });
      scores.beginBlock(queries->words(), c.index(0), queries->wordPitch(),
                        firstTile, lastTile);
    } else {
      scores.beginBlock(lhs, start, p.lhsPitch, firstTile, lastTile);
    }
    multiply(scores, p, matrix,
             [&](ValueRange sums, int64_t, Value slot, int64_t offset,
                 Value column) {
               Value at = c.add(
                   c.add(c.mul(slot, a.pitch()), offset * a.pitch()), column);
               SmallVector<Value> reals(sums);
               if (queries) {
                 Value scale = queries->scale(c.add(slot, offset), p.lanes);
                 reals =
                     scaled(p, sums, columnScales[0], scale, matrix, column);
                 Value mean = queries->offset(c.add(slot, offset), p.lanes);
                 for (Value &value : reals)
                   value = b.add(value, mean);
               }
               for (auto [v, value] : llvm::enumerate(realValues(c, p, reals)))
                 c.store(value, kept, c.add(at, int64_t(v) * p.lanes));
             });

    Value position = c.mul(c.add(c.mul(matrix, p.rows), firstRow), p.columns);
    Value whole = c.sub(count, c.rem(count, together));
    c.loop(c.index(0), whole, together, [&](Value slot) {
      SmallVector<Value> slots;
      for (int64_t r = 0; r < together; ++r)
        slots.push_back(c.add(slot, r));
      softmax(slots, position);
    });
    c.loop(whole, count, 1, [&](Value slot) { softmax({slot}, position); });

    if (exponentials)
      values.beginBlock(exponentials->words(), c.index(0),
                        exponentials->wordPitch(), firstTile, lastTile);
    else
      values.beginBlock(bytes ? bytes : kept, c.index(0),
                        bytes ? a.bytesPitch() : a.pitch(), firstTile,
                        lastTile);
    results.beginBlock(matrix, firstRow);
    multiply(values, a.values, matrix,
             [&](ValueRange sums, int64_t valid, Value slot, int64_t offset,
                 Value column) {
               SmallVector<Value> reals(sums);
               Value factor;
               if (exponentials)
                 reals = scaled(
                     a.values, sums, columnScales[1],
                     exponentials->scale(c.add(slot, offset), a.values.lanes),
                     matrix, column);
               if (factorsOf)
                 factor = vector::BroadcastOp::create(
                     b, sums[0].getType(),
                     memref::LoadOp::create(b, factorsOf, c.add(slot, offset)));
               results.store(reals, valid, slot, offset, column, factor);
             });
    if (recorder)
      recorder->endTile(tile);
  });
  values.end();
}

void AttentionKernel::multiply(ProductTiles &tiles, const Product &p,
                               Value matrix, ProductTiles::Store store) {
  Value rhsMatrix = p.rhsNumbers.of(c, matrix);
  c.loop(0, p.panels(), 1,
         [&](Value panel) { tiles.multiply(rhsMatrix, panel, store); });
}

SmallVector<Value> AttentionKernel::scaled(const Product &p, ValueRange sums,
                                           Value scales, Value rowScale,
                                           Value matrix, Value column) {
  auto type = c.vectorType(b.getF32Type(), p.lanes);
  Value at =
      c.add(c.mul(p.rhsNumbers.of(c, matrix), p.paddedColumns()), column);
  SmallVector<Value> reals;
  // Scales first: a sum times one of them may overflow where the value does
  // not.
  for (auto [v, sum] : llvm::enumerate(sums))
    reals.push_back(
        b.mul(arith::SIToFPOp::create(b, type, sum),
              b.mul(c.load(scales, c.add(at, int64_t(v) * p.lanes), type),
                    rowScale)));
  return reals;
}

/// Of rows of the block, which begins at `position` of the tensor of scores.
void AttentionKernel::softmax(ArrayRef<Value> slots, Value position) {
  SmallVector<Value> starts, positions;
  for (Value slot : slots) {
    starts.push_back(c.mul(slot, a.pitch()));
    positions.push_back(c.add(position, c.mul(slot, a.scores.columns)));
  }
  rows.begin(starts);
  auto apply = [&](size_t r, Value v, Value column, int64_t count) {
    for (ChainEmitter &emitter : before)
      v = emitter.apply(v, count, c.add(positions[r], column), column);
    return v;
  };
  bool changes = llvm::any_of(
      a.before, [](const ElementwiseChain &part) { return !part.empty(); });
  SmallVector<Value> largest = changes ? rows.maxima(apply) : rows.maxima();
  SmallVector<Value> factors = rows.softmax(largest);
  if (exponentials)
    return roundExponentials(slots, factors);
  if (!factorsOf)
    return storeProbabilities(slots, positions, factors);
  for (auto [slot, factor] : llvm::zip_equal(slots, factors))
    memref::StoreOp::create(
        b, vector::ExtractOp::create(b, factor, ArrayRef<int64_t>{0}),
        factorsOf, slot);
}

/// As many bits as their sum leaves; a row's results lack what that is divided
/// by and the factor.
void AttentionKernel::roundExponentials(ArrayRef<Value> slots,
                                        ValueRange factors) {
  SmallVector<Value> scales;
  for (auto [slot, factor] : llvm::zip_equal(slots, factors)) {
    Type type = factor.getType();
    // The second where unordered: NaN stays.
    Value scale = b.smaller(
        b.real(type, Int16Bounds::factor),
        b.mul(factor, b.real(type, Int16Bounds(a.scores.columns).row)));
    // An integer, so that the largest ones, maybe all, are exact.
    scale = roundDown(b, scale);
    scales.push_back(scale);
    auto first = [&](Value vector) -> Value {
      return vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{0});
    };
    exponentials->setScale(b.div(first(factor), first(scale)), slot);
  }
  rows.forVectors([&](Value column, int64_t) {
    for (auto [r, slot] : llvm::enumerate(slots))
      exponentials->store(rows.load(r, column), scales[r], slot, column);
  });
}

void AttentionKernel::storeProbabilities(ArrayRef<Value> slots,
                                         ArrayRef<Value> positions,
                                         ValueRange factors) {
  auto vectorsAt = [&](Value column, int64_t count) {
    for (auto [r, slot] : llvm::enumerate(slots)) {
      SmallVector<Value> values;
      Value position = c.add(positions[r], column);
      for (int64_t at = 0; at < count; at += KeptRows::width) {
        Value v = b.mul(rows.load(r, c.add(column, at)), factors[r]);
        for (ChainEmitter &emitter : MutableArrayRef(behind).drop_back())
          v = emitter.apply(v, std::min(count - at, KeptRows::width),
                            c.add(position, at), c.add(column, at));
        values.push_back(v);
      }
      int64_t pitch = bytes ? a.bytesPitch() : a.pitch();
      behind.back().store(values, count, bytes ? bytes : kept,
                          c.add(c.mul(slot, pitch), column), position, column);
    }
  };
  // As many as make a vector of bytes.
  int64_t step = 4 * KeptRows::width, length = a.scores.columns;
  int64_t whole = length / step * step;
  c.loop(0, whole, step, [&](Value column) { vectorsAt(column, step); });
  if (whole < length)
    vectorsAt(c.index(whole), length - whole);
}

LogicalResult qcc::emitAttention(const Attention &a,
                                 const ElementwiseChain &chain,
                                 KernelEmitter &emitter) {
  Location loc = chain.last()->getLoc();
  SmallVector<Value> args{emitter.buffer(a.scores.lhs.tensor),
                          emitter.buffer(a.values.result.tensor)};
  Value centers;
  if (a.isInt16()) {
    centers = columnCenters(a.scores, emitter);
    args.push_back(centers);
  }
  for (const Product *p : {&a.scores, &a.values}) {
    PackedRhs rhs = centers && p == &a.scores ? packInt16(*p, emitter, centers)
                                              : packRhs(*p, emitter);
    args.push_back(rhs.elements);
    for (Value columns : {rhs.columnSums, rhs.columnScales})
      if (columns)
        args.push_back(columns);
  }
  auto addOperands = [&](const ElementwiseChain &part) {
    for (Value operand : part.operands())
      args.push_back(emitter.buffer(operand));
  };
  llvm::for_each(a.before, addOperands);
  llvm::for_each(a.behind, addOperands);
  addOperands(chain);
  std::string key = a.key() + chain.key();
  int64_t tiles = a.scores.batches * a.scores.rowBlocks;
  Value ranges =
      RangeRecorder::bufferFor(a.values.result.tensor, tiles, emitter);
  if (ranges) {
    args.push_back(ranges);
    key += " ranges";
  }
  func::FuncOp kernel =
      emitter.kernel(a.scores.tiled ? "attention_tiles" : "attention", key,
                     ValueRange(args).getTypes(), loc,
                     [&](OpBuilder &builder, Location loc, ValueRange values,
                         Value begin, Value end) {
                       LoopBuilder b(builder, loc, emitter.level());
                       AttentionKernel(b, a, emitter.level(), chain)
                           .emit(ranges ? values.drop_back() : values,
                                 ranges ? values.back() : Value(), begin, end);
                     });
  emitter.call(kernel, args, tiles, loc);
  for (const Product *p : {&a.scores, &a.values})
    noteOperationCount(args[0].getParentBlock()->getTerminator()->getPrevNode(),
                       p->op);
  return success();
}
