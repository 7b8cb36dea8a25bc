//===- BlockProduct.cpp - Weights in blocks: tiles and packing ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockProduct.h"
#include "MatrixEpilogue.h"
#include "Product.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/FormatVariadic.h"

#include <cstring>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::LoopBuilder;

/// Unpacked weights should stay in the first level cache, floats in the second.
static constexpr int64_t chunkDepth = 512;
/// The most of the stack that a chunk may take.
static constexpr int64_t maxChunkBytes = 256 * 1024;
/// Rows that share unpacked weights.
static constexpr int64_t maxTileRows = 128;
/// Tiles that a kernel should have, for the threads to share.
static constexpr int64_t goodTiles = 16;
/// More rows than this gain nothing, as in MatrixPlan.
static constexpr int64_t maxRegisterRows = 12;

//===----------------------------------------------------------------------===//
// Which ops, and how they are cut
//===----------------------------------------------------------------------===//

std::optional<BlockProduct> BlockProduct::match(Operation *op,
                                                const TargetLevel &level) {
  auto matmul = dyn_cast_if_present<BlockMatmulOp>(op);
  if (!matmul)
    return std::nullopt;
  BlockProduct p;
  p.op = op;
  p.input = matmul.getInput();
  p.weights = matmul.getWeights();
  p.scales = matmul.getScales();
  p.zeroPoints = matmul.getZeroPoints();
  p.isInteger = matmul.getInt8Input();
  p.depth = matmul.getDepth();
  p.columns = matmul.getNumColumns();
  p.blocks = matmul.getNumBlocks();
  p.block = matmul.getBlock();
  p.bits = matmul.getBits();
  p.rows = reference::product(reference::shapeOf(p.input).drop_back());
  auto scales = ConstantBytes::get(p.scales);
  if (!scales || p.rows == 0 || p.columns == 0 || p.depth == 0)
    return std::nullopt;
  for (Value operand : {p.weights, p.zeroPoints})
    if (operand && !operand.getDefiningOp<ConstantOp>())
      return std::nullopt;
  if (p.zeroPoints)
    p.zeros = isa<FloatType>(getElementTypeOrSelf(p.zeroPoints))
                  ? ZeroPoints::Floats
                  : ZeroPoints::Bytes;
  p.flipsWeights = p.isInteger && p.bits == 8 && !level.unsignedActivations;
  p.perByte = 8 / p.bits;
  p.steps = llvm::divideCeil(p.block, 4 * p.perByte);
  ArrayRef<uint32_t> scaleBits = scales->as<uint32_t>();
  bool areShort = llvm::all_of(
      scaleBits, [](uint32_t bits) { return (bits & 0xffff) == 0; });
  p.scaleBytes = areShort ? 2 : 4;
  p.cut(level);
  return p;
}

unsigned BlockProduct::vectorsFor(int64_t width,
                                  const TargetLevel &level) const {
  RegisterTile tile = isInteger ? level.int8Tile : level.floatTile;
  int64_t total = width / level.lanes();
  unsigned vectors = std::min<int64_t>(tile.vectors, total);
  while (total % vectors != 0)
    --vectors;
  return vectors;
}

void BlockProduct::cut(const TargetLevel &level) {
  RegisterTile tile = isInteger ? level.int8Tile : level.floatTile;
  unsigned vectors = vectorsFor(std::min(panelColumns, paddedColumns()), level);
  int64_t most = int64_t(tile.rows) * tile.vectors / vectors;
  int64_t limit = level.activationLoadBytes > 4 ? 8 : maxRegisterRows;
  most = std::min(most, std::max<int64_t>(limit, tile.rows));
  int64_t elementBytes = isInteger ? 1 : 4;
  unpacks = rows > most &&
            paddedBlock() * panelColumns * elementBytes <= maxChunkBytes;
  rowTiles = llvm::divideCeil(rows, most);
  tileRows = llvm::divideCeil(rows, rowTiles);
  longTiles = rowTiles - (tileRows * rowTiles - rows);

  int64_t wanted = std::clamp<int64_t>(llvm::divideCeil(goodTiles, panels()), 1,
                                       llvm::divideCeil(rowTiles, 2));
  blockTiles = std::min<int64_t>(llvm::divideCeil(rowTiles, wanted),
                                 std::max<int64_t>(1, maxTileRows / tileRows));
  rowBlocks = llvm::divideCeil(rowTiles, blockTiles);
  chunkBlocks = blocks;
  if (unpacks)
    chunkBlocks = std::clamp<int64_t>(chunkDepth / paddedBlock(), 1, blocks);
}

std::string BlockProduct::key() const {
  return llvm::formatv("{0}x{1}x{2} {3}x{4} {5}{6} {7}", rows, depth, columns,
                       block, bits, isInteger ? "i" : "f", int(zeros),
                       scaleBytes);
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

Value qcc::packBlocks(const BlockProduct &p, KernelEmitter &emitter) {
  std::vector<char> packed(p.packedBytes());
  auto weights = ConstantBytes::get(p.weights);
  auto scales = ConstantBytes::get(p.scales);
  std::optional<ConstantBytes> zeros;
  if (p.zeroPoints)
    zeros = ConstantBytes::get(p.zeroPoints);
  int64_t blockBytes = p.block * p.bits / 8;
  uint8_t flip = p.flipsWeights ? 0x80 : 0;
  uint8_t mask = (1 << p.bits) - 1;
  for (int64_t column = 0; column < p.columns; ++column) {
    int64_t panel = column / p.panelColumns, at = column % p.panelColumns;
    int64_t width =
        std::min(p.panelColumns, p.paddedColumns() - panel * p.panelColumns);
    for (int64_t block = 0; block < p.blocks; ++block) {
      char *to = packed.data() + panel * p.panelBytes() +
                 block * width * p.columnBytes();
      int64_t number = column * p.blocks + block;
      // The upper bytes of a float are a bfloat16.
      std::memcpy(to + p.scaleBytes * at,
                  scales->bytes().data() + 4 * (number + 1) - p.scaleBytes,
                  size_t(p.scaleBytes));
      to += p.scaleBytes * width;
      if (zeros)
        std::memcpy(to + p.zeroBytes() * at,
                    zeros->bytes().data() + p.zeroBytes() * number,
                    size_t(p.zeroBytes()));
      to += p.zeroBytes() * width + 4 * at;
      const char *from = weights->bytes().data() + number * blockBytes;
      int64_t valid = std::min(p.block, p.depth - block * p.block);
      for (int64_t k = 0; k < valid; ++k) {
        uint8_t q = uint8_t(from[k / p.perByte]) >> (k % p.perByte * p.bits);
        int64_t unit = k / 4;
        char &byte = to[unit / p.perByte * 4 * width + k % 4];
        byte = char(uint8_t(byte) | ((q & mask) ^ flip)
                                        << (unit % p.perByte * p.bits));
      }
    }
  }
  Builder b(emitter.context());
  return emitter.constant("block_weights",
                          MemRefType::get({p.packedBytes()}, b.getI8Type()),
                          packed);
}

//===----------------------------------------------------------------------===//
// Input
//===----------------------------------------------------------------------===//

namespace {
/// Emits the kernel that brings the input to 8 bits, some rows per tile.
class InputKernel {
public:
  InputKernel(LoopBuilder &b, const BlockProduct &p, ValueRange args)
      : b(b), c(b, b.getLoc()), p(p) {
    input = flatten(c, args[0]);
    integers = flatten(c, args[1]);
    scales = flatten(c, args[2]);
    sums = flatten(c, args[3]);
  }

  static int64_t rowsPerTile(const BlockProduct &p) {
    return std::max<int64_t>(1, 4096 / p.depth);
  }
  void emit(Value begin, Value end) {
    c.loop(begin, end, 1, [&](Value tile) {
      Value first = c.mul(tile, rowsPerTile(p));
      Value last = c.min(c.add(first, rowsPerTile(p)), c.index(p.rows));
      c.loop(first, last, 1, [&](Value row) {
        int64_t whole = p.depth / p.block;
        c.loop(0, whole, 1, [&](Value i) { block(row, i, p.block); });
        if (whole < p.blocks)
          block(row, c.index(whole), p.depth - whole * p.block);
      });
    });
  }

private:
  static constexpr int64_t lanes = 16;
  VectorType type(Type element) { return c.vectorType(element, lanes); }

  /// Calls body(offset, valid elements, elements to store, carried) for each
  /// vector of a block.
  SmallVector<Value>
  forVectors(int64_t valid, int64_t extent, ValueRange initial,
             llvm::function_ref<SmallVector<Value>(Value, int64_t, int64_t,
                                                   ValueRange)>
                 body) {
    SmallVector<Value> carried(initial);
    int64_t whole = valid / lanes * lanes;
    if (whole > 0)
      carried = c.loop(c.index(0), c.index(whole), lanes, carried,
                       [&](Value at, ValueRange values) {
                         return body(at, lanes, lanes, values);
                       });
    for (int64_t at = whole; at < extent; at += lanes)
      carried = body(c.index(at), std::clamp<int64_t>(valid - at, 0, lanes),
                     std::min(lanes, extent - at), carried);
    return carried;
  }

  /// One number from the lanes of a vector, in an order that does not matter.
  Value combine(Value v, llvm::function_ref<Value(Value, Value)> join) {
    for (int64_t half = lanes / 2; half >= 1; half /= 2) {
      SmallVector<int64_t> low, high;
      for (int64_t i = 0; i < half; ++i) {
        low.push_back(i);
        high.push_back(half + i);
      }
      v = join(c.shuffle(v, v, low), c.shuffle(v, v, high));
    }
    return vector::ExtractOp::create(b, v, ArrayRef<int64_t>{0});
  }

  void block(Value row, Value number, int64_t valid) {
    Type f32 = b.getF32Type(), i32 = b.getI32Type();
    Value from = c.add(c.mul(row, p.depth), c.mul(number, p.block));
    Value slot = c.add(c.mul(row, p.blocks), number);
    Value to = c.mul(slot, p.paddedBlock());
    auto elements = [&](Value at, int64_t count) -> Value {
      if (count == 0)
        return c.splat(f32, 0, lanes);
      return loadFirst(c, type(f32), count, input, c.add(from, at));
    };
    Value largest =
        forVectors(valid, valid, c.splat(f32, 0, lanes),
                   [&](Value at, int64_t count, int64_t,
                       ValueRange carried) -> SmallVector<Value> {
                     Value v = math::AbsFOp::create(b, elements(at, count));
                     return {b.larger(v, carried[0])};
                   })[0];
    largest =
        combine(largest, [&](Value x, Value y) { return b.larger(x, y); });
    Value zero = b.real(f32, 0), range = b.real(f32, 127);
    Value isTiny = b.less(largest, b.real(f32, 0x1p-100));
    Value factor = b.select(isTiny, zero, b.div(range, largest));
    b.store(b.select(isTiny, zero, b.div(largest, range)), scales, slot);
    Value factors = vector::BroadcastOp::create(b, type(f32), factor);
    Value high = b.real(type(f32), 127), low = b.real(type(f32), -127);
    Value sum = forVectors(
        valid, p.paddedBlock(), c.splat(i32, 0, lanes),
        [&](Value at, int64_t count, int64_t stored,
            ValueRange carried) -> SmallVector<Value> {
          Value q =
              math::RoundEvenOp::create(b, b.mul(elements(at, count), factors));
          q = b.smaller(b.larger(q, low), high); // NaN: the least
          Value n = arith::FPToSIOp::create(b, type(i32), q);
          // The product of what stands behind the row may be NaN.
          if (count < lanes)
            n = onlyFirst(n, count);
          storeFirst(c, arith::TruncIOp::create(b, type(b.getI8Type()), n),
                     stored, integers, c.add(to, at));
          return {b.add(carried[0], n)};
        })[0];
    sum = combine(sum, [&](Value x, Value y) { return b.add(x, y); });
    b.store(sum, sums, slot);
  }

  Value onlyFirst(Value n, int64_t count) {
    SmallVector<int32_t> mask(lanes, 0);
    std::fill_n(mask.begin(), count, -1);
    return arith::AndIOp::create(
        b, n,
        arith::ConstantOp::create(
            b, DenseElementsAttr::get(type(b.getI32Type()),
                                      ArrayRef<int32_t>(mask))));
  }

  LoopBuilder &b;
  CodeBuilder c;
  const BlockProduct &p;
  Value input, integers, scales, sums;
};
} // namespace

BlockInput qcc::quantizeBlocks(const BlockProduct &p, KernelEmitter &emitter) {
  Builder types(emitter.context());
  BlockInput result;
  result.integers = emitter.scratch(MemRefType::get(
      {p.rows * p.blocks * p.paddedBlock()}, types.getI8Type()));
  result.scales =
      emitter.scratch(MemRefType::get({p.rows * p.blocks}, types.getF32Type()));
  result.sums =
      emitter.scratch(MemRefType::get({p.rows * p.blocks}, types.getI32Type()));
  SmallVector<Value> args{emitter.buffer(p.input), result.integers,
                          result.scales, result.sums};
  std::string key = llvm::formatv("{0}x{1} {2} {3}", p.rows, p.depth, p.block,
                                  p.paddedBlock());
  func::FuncOp kernel = emitter.kernel(
      "quantize_blocks", key, ValueRange(args).getTypes(), p.op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        InputKernel(b, p, values).emit(begin, end);
      });
  emitter.call(kernel, args,
               llvm::divideCeil(p.rows, InputKernel::rowsPerTile(p)),
               p.op->getLoc());
  return result;
}
