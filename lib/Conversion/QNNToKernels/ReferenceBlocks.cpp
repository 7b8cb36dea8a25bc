//===- ReferenceBlocks.cpp - Products with weights in blocks --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceBlocks.h"
#include "LoopBuilder.h"

#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

namespace {
/// The extents of a qnn.block_matmul.
struct BlockShape {
  explicit BlockShape(qnn::BlockMatmulOp op)
      : depth(op.getDepth()), columns(op.getNumColumns()),
        blocks(op.getNumBlocks()), block(op.getBlock()), bits(op.getBits()) {
    rows = product(op.getInput().getType().getShape().drop_back());
  }
  int64_t perByte() const { return 8 / bits; }
  int64_t rows = 1, depth, columns, blocks, block, bits;
};

/// The input in 8 bits: [row][block][element of the block], with a scale and
/// the sum of its integers for each block.
struct QuantizedInput {
  Value integers, scales, sums;
};
} // namespace

static QuantizedInput emitQuantize(Value x, const BlockShape &s,
                                   KernelEmitter &emitter, Location loc) {
  Builder types(emitter.context());
  QuantizedInput result;
  result.integers = emitter.scratch(
      MemRefType::get({s.rows, s.blocks, s.block}, types.getI8Type()));
  result.scales =
      emitter.scratch(MemRefType::get({s.rows, s.blocks}, types.getF32Type()));
  result.sums =
      emitter.scratch(MemRefType::get({s.rows, s.blocks}, types.getI32Type()));
  SmallVector<Value> args{x, result.integers, result.scales, result.sums};
  Tiling tiling({s.rows, s.blocks}, std::max<int64_t>(1, 4096 / s.block));
  func::FuncOp kernel = emitter.kernel(
      "quantize_blocks", std::to_string(s.depth), ValueRange(args).getTypes(),
      loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Type f32 = b.getF32Type(), i32 = b.getI32Type();
        Value flat = b.flat(args[0]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value row = b.mulIndex(ivs[0], s.depth);
          Value first = b.mulIndex(ivs[1], s.block);
          Value count =
              b.smaller(b.sub(b.index(s.depth), first), b.index(s.block));
          Value at = b.add(row, first);
          Value largest =
              b.loop(b.index(0), count, ValueRange{b.real(f32, 0)},
                     [&](Value i, ValueRange carried) -> SmallVector<Value> {
                       Value v =
                           math::AbsFOp::create(b, b.load(flat, b.add(at, i)));
                       return {b.larger(v, carried[0])};
                     })[0];
          Value isTiny = b.less(largest, b.real(f32, 0x1p-100));
          Value factor = b.select(isTiny, b.real(f32, 0),
                                  b.div(b.real(f32, 127), largest));
          Value scale = b.select(isTiny, b.real(f32, 0),
                                 b.div(largest, b.real(f32, 127)));
          Value zero = b.integer(i32, 0);
          Value sum = b.loop(
              b.index(0), b.index(s.block), ValueRange{zero},
              [&](Value i, ValueRange carried) -> SmallVector<Value> {
                // Zeros stand behind the end of the row.
                Value inside = arith::CmpIOp::create(
                    b, arith::CmpIPredicate::slt, i, count);
                Value safe = b.select(inside, i, b.index(0));
                Value q = math::RoundEvenOp::create(
                    b, b.mul(b.load(flat, b.add(at, safe)), factor));
                q = b.smaller(b.larger(q, b.real(f32, -127)), b.real(f32, 127));
                Value n =
                    b.select(inside, arith::FPToSIOp::create(b, i32, q), zero);
                b.store(arith::TruncIOp::create(b, b.getI8Type(), n), args[1],
                        {ivs[0], ivs[1], i});
                return {b.add(carried[0], n)};
              })[0];
          b.store(scale, args[2], ivs);
          b.store(sum, args[3], ivs);
        });
      });
  emitter.call(kernel, args, tiling.tiles(), loc);
  return result;
}

LogicalResult qcc::reference::emitBlocks(Operation *op,
                                         KernelEmitter &emitter) {
  auto matmul = dyn_cast<qnn::BlockMatmulOp>(op);
  if (!matmul)
    return failure();
  BlockShape s(matmul);
  Location loc = op->getLoc();
  bool isInteger = matmul.getInt8Input(), hasZeros(matmul.getZeroPoints());
  SmallVector<Value> args{emitter.buffer(matmul.getWeights()),
                          emitter.buffer(matmul.getScales()),
                          emitter.buffer(matmul.getResult())};
  Value x = emitter.buffer(matmul.getInput());
  if (isInteger) {
    QuantizedInput quantized = emitQuantize(x, s, emitter, loc);
    args.append({quantized.integers, quantized.scales, quantized.sums});
  } else {
    args.push_back(x);
  }
  if (hasZeros)
    args.push_back(emitter.buffer(matmul.getZeroPoints()));

  constexpr int64_t grain = 64 * 1024;
  Tiling tiling({s.rows, s.columns},
                std::max<int64_t>(1, grain / std::max<int64_t>(s.depth, 1)));
  func::FuncOp kernel = emitter.kernel(
      "block_matmul", opKey(op), ValueRange(args).getTypes(), loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Type f32 = b.getF32Type(), i32 = b.getI32Type();
        Value weights = b.flat(args[0]), scales = b.flat(args[1]);
        Value result = b.flat(args[2]), input = b.flat(args[3]);
        int64_t blockBytes = s.block / s.perByte();
        Value middle = b.real(f32, double(1 << (s.bits - 1)));
        // The weight `k` of the block whose bytes begin at `at`.
        auto weight = [&](Value at, Value k) {
          Value byte = b.load(
              weights,
              b.add(at, arith::DivUIOp::create(b, k, b.index(s.perByte()))));
          Value shift = b.mulIndex(
              arith::RemUIOp::create(b, k, b.index(s.perByte())), s.bits);
          Value wide = arith::ExtUIOp::create(b, i32, byte);
          wide = arith::ShRUIOp::create(
              b, wide, arith::IndexCastOp::create(b, i32, shift));
          return arith::AndIOp::create(b, wide,
                                       b.integer(i32, (1 << s.bits) - 1))
              .getResult();
        };
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value row = ivs[0], column = ivs[1];
          auto addBlock = [&](Value block,
                              ValueRange carried) -> SmallVector<Value> {
            Value number = b.add(b.mulIndex(column, s.blocks), block);
            Value at = b.mulIndex(number, blockBytes);
            Value scale = b.load(scales, number), zero = middle;
            if (hasZeros) {
              zero = b.load(b.flat(args.back()), number);
              if (!isa<FloatType>(zero.getType()))
                zero = arith::UIToFPOp::create(b, f32, zero);
            }
            if (!isInteger) {
              Value first = b.mulIndex(block, s.block);
              Value last =
                  b.smaller(b.addIndex(first, s.block), b.index(s.depth));
              Value x = b.mulIndex(row, s.depth);
              return b.loop(first, last, carried,
                            [&](Value k, ValueRange sum) -> SmallVector<Value> {
                              Value q = arith::SIToFPOp::create(
                                  b, f32, weight(at, b.sub(k, first)));
                              Value w = b.mul(b.sub(q, zero), scale);
                              return {b.multiplyAdd(b.load(input, b.add(x, k)),
                                                    w, sum[0])};
                            });
            }
            Value inputBlock = b.add(b.mulIndex(row, s.blocks), block);
            Value x = b.mulIndex(inputBlock, s.block);
            Value sum = b.loop(
                b.index(0), b.index(s.block), ValueRange{b.integer(i32, 0)},
                [&](Value k, ValueRange sum) -> SmallVector<Value> {
                  Value q = arith::ExtSIOp::create(b, i32,
                                                   b.load(input, b.add(x, k)));
                  return {b.add(sum[0], b.mul(weight(at, k), q))};
                })[0];
            Value inputSum = b.load(b.flat(args[5]), inputBlock);
            Value real;
            if (hasZeros) {
              real = b.multiplyAdd(arith::NegFOp::create(b, zero),
                                   arith::SIToFPOp::create(b, f32, inputSum),
                                   arith::SIToFPOp::create(b, f32, sum));
            } else {
              Value excess = b.mul(inputSum, b.integer(i32, 1 << (s.bits - 1)));
              real = arith::SIToFPOp::create(b, f32, b.sub(sum, excess));
            }
            Value factor = b.mul(b.load(b.flat(args[4]), inputBlock), scale);
            return {b.multiplyAdd(real, factor, carried[0])};
          };
          Value y = b.loop(b.index(0), b.index(s.blocks),
                           ValueRange{b.real(f32, 0)}, addBlock)[0];
          b.store(y, result, b.add(b.mulIndex(row, s.columns), column));
        });
      });
  emitter.call(kernel, args, tiling.tiles(), loc);
  return success();
}
