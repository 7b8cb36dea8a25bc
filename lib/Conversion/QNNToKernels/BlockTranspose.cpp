//===- BlockTranspose.cpp - Transposition in registers --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockMove.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

/// Elements per tile.
static constexpr int64_t grain = 1 << 14;

/// The columns of a square of row vectors: interleaving row r with row
/// r + n/2, log2(n) times, is a transposition.
SmallVector<Value> reference::transposeSquare(OpBuilder &b, Location loc,
                                              SmallVector<Value> rows) {
  int64_t n = rows.size();
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < n / 2; ++i) {
    low.append({i, n + i});
    high.append({n / 2 + i, n + n / 2 + i});
  }
  for (int64_t done = 1; done < n; done *= 2) {
    SmallVector<Value> next;
    for (int64_t r = 0; r < n / 2; ++r)
      for (ArrayRef<int64_t> mask : {low, high})
        next.push_back(
            vector::ShuffleOp::create(b, loc, rows[r], rows[r + n / 2], mask));
    rows = std::move(next);
  }
  return rows;
}

std::string reference::keyOf(const Move &move) {
  std::string key;
  llvm::raw_string_ostream os(key);
  for (ArrayRef<int64_t> numbers :
       {ArrayRef<int64_t>(move.shape), ArrayRef<int64_t>(move.fromStrides),
        ArrayRef<int64_t>(move.toStrides)}) {
    llvm::interleaveComma(numbers, os);
    os << ';';
  }
  os << move.fromOffset << ' ' << move.toOffset;
  return key;
}

namespace {
/// The two dimensions of a move that change places: `across` is contiguous in
/// the source, `along` in the result.
struct Square {
  Move move;
  unsigned across, along;
  int64_t n; ///< side of a block

  Value at(LoopBuilder &b, ValueRange ivs, ArrayRef<int64_t> strides,
           int64_t offset) const {
    Value sum = b.index(offset);
    for (auto [iv, stride] : llvm::zip_equal(ivs, strides))
      sum = b.add(sum, b.mulIndex(iv, stride));
    return sum;
  }
  void block(LoopBuilder &b, Value from, Value to, ValueRange ivs) const {
    Value source = at(b, ivs, move.fromStrides, move.fromOffset);
    Value target = at(b, ivs, move.toStrides, move.toOffset);
    SmallVector<Value> rows;
    for (int64_t r = 0; r < n; ++r)
      rows.push_back(b.loadVector(
          from, b.addIndex(source, r * move.fromStrides[along]), n));
    for (auto [c, column] :
         llvm::enumerate(transposeSquare(b, b.getLoc(), rows)))
      b.store(column, to,
              b.addIndex(target, int64_t(c) * move.toStrides[across]));
  }
  void element(LoopBuilder &b, Value from, Value to, ValueRange ivs) const {
    b.store(b.load(from, at(b, ivs, move.fromStrides, move.fromOffset)), to,
            at(b, ivs, move.toStrides, move.toOffset));
  }
};
} // namespace

bool qcc::reference::emitBlockTranspose(KernelEmitter &emitter, Location loc,
                                        Move move, Value from, Value to) {
  collapseBox(move.shape, {&move.fromStrides, &move.toStrides});
  unsigned rank = move.shape.size();
  auto contiguous = [&](ArrayRef<int64_t> strides) -> unsigned {
    return llvm::find(strides, 1) - strides.begin();
  };
  unsigned across = contiguous(move.fromStrides);
  unsigned along = contiguous(move.toStrides);
  if (across == rank || along == rank || across == along)
    return false;
  auto type = cast<MemRefType>(from.getType());
  int64_t n = std::min<int64_t>(
      {16, emitter.level().vectorBytes / (type.getElementTypeBitWidth() / 8),
       int64_t(llvm::bit_floor(uint64_t(move.shape[across]))),
       int64_t(llvm::bit_floor(uint64_t(move.shape[along])))});
  if (n < 4 || llvm::is_contained(move.fromStrides, 0))
    return false;

  // Tiles: all other dimensions, then runs of whole blocks of `across`; what
  // is left of it belongs to the last run.
  Square square{move, across, along, n};
  SmallVector<int64_t> box;
  SmallVector<unsigned> outer;
  for (unsigned d = 0; d < rank; ++d)
    if (d != across && d != along) {
      outer.push_back(d);
      box.push_back(move.shape[d]);
    }
  int64_t rows = move.shape[across], columns = move.shape[along];
  int64_t run = std::max<int64_t>(1, grain / (n * columns)) * n;
  int64_t runs = std::max<int64_t>(1, rows / run);
  box.push_back(runs);
  Tiling tiling(box, 1);

  func::FuncOp kernel = emitter.kernel(
      "transpose", keyOf(move), TypeRange{from.getType(), to.getType()}, loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value source = b.flat(args[0]), target = b.flat(args[1]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange tile) {
          SmallVector<Value> ivs(rank);
          for (auto [i, d] : llvm::enumerate(outer))
            ivs[d] = tile[i];
          Value first = b.mulIndex(tile.back(), run);
          Value last = b.addIndex(first, run);
          if (runs * run != rows) {
            Value isLast = arith::CmpIOp::create(
                b, arith::CmpIPredicate::eq, tile.back(), b.index(runs - 1));
            last = b.select(isLast, b.index(rows), last);
          }
          Value whole = b.sub(
              last, arith::RemUIOp::create(b, b.sub(last, first), b.index(n)));
          b.loop(first, whole, n, [&](Value i) {
            ivs[across] = i;
            b.loop(b.index(0), b.index(columns / n * n), n, [&](Value j) {
              ivs[along] = j;
              square.block(b, source, target, ivs);
            });
            if (columns % n) { // once more, overlapping the block before
              ivs[along] = b.index(columns - n);
              square.block(b, source, target, ivs);
            }
          });
          if (rows % n)
            b.loop(whole, last, [&](Value i) {
              ivs[across] = i;
              b.loop(0, columns, [&](Value j) {
                ivs[along] = j;
                square.element(b, source, target, ivs);
              });
            });
        });
      });
  emitter.call(kernel, {from, to}, tiling.tiles(), loc);
  return true;
}
