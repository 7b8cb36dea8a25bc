//===- Interleave.cpp - Few planes into pixels ----------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockMove.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

/// Elements of one plane per tile.
static constexpr int64_t grain = 1 << 12;
/// Elements of one plane that are interleaved at once.
static constexpr int64_t lanes = 16;

/// Element i of each plane in turn: planes[0][0], planes[1][0], ...
static SmallVector<Value> interleave(LoopBuilder &b, ArrayRef<Value> planes) {
  int64_t count = planes.size();
  SmallVector<Value> pixels;
  for (int64_t part = 0; part < count; ++part) {
    // The last plane, if there are three, is merged into the others' elements.
    SmallVector<int64_t> first, second;
    for (int64_t j = 0; j < lanes; ++j) {
      int64_t element = (part * lanes + j) / count,
              plane = (part * lanes + j) % count;
      first.push_back(plane == 1 ? lanes + element : element);
      second.push_back(plane == 2 ? lanes + element : j);
    }
    Value merged = vector::ShuffleOp::create(b, planes[0], planes[1], first);
    if (count == 3)
      merged = vector::ShuffleOp::create(b, merged, planes[2], second);
    pixels.push_back(merged);
  }
  return pixels;
}

bool qcc::reference::emitInterleave(KernelEmitter &emitter, Location loc,
                                    Move move, Value from, Value to) {
  collapseBox(move.shape, {&move.fromStrides, &move.toStrides});
  unsigned rank = move.shape.size();
  unsigned across = llvm::find(move.fromStrides, 1) - move.fromStrides.begin();
  unsigned along = llvm::find(move.toStrides, 1) - move.toStrides.begin();
  if (across == rank || along == rank || across == along)
    return false;
  int64_t count = move.shape[along], length = move.shape[across];
  if ((count != 2 && count != 3) || length < lanes ||
      move.toStrides[across] != count || move.fromStrides[along] == 0)
    return false;

  SmallVector<int64_t> box;
  SmallVector<unsigned> outer;
  for (unsigned d = 0; d < rank; ++d)
    if (d != across && d != along) {
      outer.push_back(d);
      box.push_back(move.shape[d]);
    }
  // What is left of whole runs belongs to the last one.
  int64_t runs = std::max<int64_t>(1, length / grain);
  box.push_back(runs);
  box.push_back(1); // a tile is a run, not some of them
  Tiling tiling(box, 1);

  func::FuncOp kernel = emitter.kernel(
      "interleave", keyOf(move), TypeRange{from.getType(), to.getType()}, loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value source = b.flat(args[0]), target = b.flat(args[1]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange tile) {
          Value fromAt = b.index(move.fromOffset),
                toAt = b.index(move.toOffset);
          for (auto [i, d] : llvm::enumerate(outer)) {
            fromAt = b.add(fromAt, b.mulIndex(tile[i], move.fromStrides[d]));
            toAt = b.add(toAt, b.mulIndex(tile[i], move.toStrides[d]));
          }
          auto block = [&](Value i) {
            SmallVector<Value> planes;
            for (int64_t plane = 0; plane < count; ++plane)
              planes.push_back(b.loadVector(
                  source,
                  b.addIndex(b.add(fromAt, i), plane * move.fromStrides[along]),
                  lanes));
            Value at = b.add(toAt, b.mulIndex(i, count));
            for (auto [part, pixels] : llvm::enumerate(interleave(b, planes)))
              b.store(pixels, target, b.addIndex(at, int64_t(part) * lanes));
          };
          Value run = tile[outer.size()];
          Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, run,
                                               b.index(runs - 1));
          Value first = b.mulIndex(run, grain);
          Value last = b.select(isLast, b.index(length / lanes * lanes),
                                b.addIndex(first, grain));
          b.loop(first, last, lanes, block);
          if (length % lanes) // once more, overlapping the block before
            b.ifThen(isLast, [&] { block(b.index(length - lanes)); });
        });
      });
  emitter.call(kernel, {from, to}, tiling.tiles(), loc);
  return true;
}
