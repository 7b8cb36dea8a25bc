//===- BlockProductKernel.cpp - The kernel of weights in blocks -----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockProductKernel.h"
#include "Product.h"

using namespace mlir;
using namespace qcc;
using reference::LoopBuilder;

static Value floatsOf(CodeBuilder &c, Value bytes) {
  auto type = cast<MemRefType>(bytes.getType());
  return memref::ViewOp::create(
      c.b, c.loc,
      MemRefType::get({type.getNumElements() / 4}, c.b.getF32Type()), bytes,
      c.index(0), ValueRange());
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Value BlockProductKernel::firstRowOf(Value rowTile) {
  if (p.longTiles == p.rowTiles)
    return c.mul(rowTile, p.tileRows);
  return c.add(c.mul(rowTile, p.tileRows - 1),
               c.min(rowTile, c.index(p.longTiles)));
}

void BlockProductKernel::emit(ValueRange args, Value begin, Value end) {
  SmallVector<Value> flat;
  for (Value arg : args)
    flat.push_back(flatten(c, arg));
  packed = flat[0];
  result = flat[1];
  input = flat[2];
  packedWords = wordsOf(c, packed);
  packedFloats = floatsOf(c, packed);
  unsigned next = 3;
  if (p.isInteger) {
    inputWords = wordsOf(c, input);
    inputScales = flat[next++];
    inputSums = flat[next++];
  }
  operands.assign(flat.begin() + next, flat.end());
  int64_t widest = std::min(p.panelColumns, p.paddedColumns());
  sums = c.stack(b.getF32Type(), p.blockTiles * p.tileRows * widest);
  if (p.unpacks)
    unpacked = c.stack(p.isInteger ? Type(b.getI8Type()) : Type(b.getF32Type()),
                       p.chunkBlocks * p.paddedBlock() * widest);

  c.loop(begin, end, 1, [&](Value tile) {
    Value number = c.div(tile, p.rowBlocks);
    Value firstTile = c.mul(c.rem(tile, p.rowBlocks), p.blockTiles);
    Value lastTile = c.min(c.add(firstTile, p.blockTiles), c.index(p.rowTiles));
    auto emitPanel = [&](int64_t valid) {
      Panel part;
      part.valid = valid;
      part.width = llvm::alignTo(valid, p.groupColumns);
      part.vectors = p.vectorsFor(part.width, level);
      part.bytes = c.mul(number, p.panelBytes());
      part.column = c.mul(number, p.panelColumns);
      panel(part, firstTile, lastTile);
    };
    int64_t last = p.columns - (p.panels() - 1) * p.panelColumns;
    if (p.panels() == 1 || last == p.panelColumns)
      return emitPanel(last);
    c.branch(
        c.compare(arith::CmpIPredicate::ult, number, p.panels() - 1),
        [&] { emitPanel(p.panelColumns); }, [&] { emitPanel(last); });
  });
}

void BlockProductKernel::panel(const Panel &panel, Value firstTile,
                               Value lastTile) {
  Value firstRow = firstRowOf(firstTile), lastRow = firstRowOf(lastTile);
  Value zero = c.splat(b.getF32Type(), 0, lanes);
  c.loop(c.index(0), c.mul(c.sub(lastRow, firstRow), panel.width), lanes,
         [&](Value at) { c.store(zero, sums, at); });

  auto chunk = [&](Value firstBlock, Value lastBlock) {
    if (p.unpacks)
      c.loop(firstBlock, lastBlock, 1, [&](Value block) {
        Value slot = c.sub(block, firstBlock);
        p.isInteger ? unpackBytes(panel, block, slot)
                    : unpackFloats(panel, block, slot);
      });
    c.loop(firstTile, lastTile, 1, [&](Value rowTile) {
      Value row = firstRowOf(rowTile), slot = c.sub(row, firstRow);
      auto emitRows = [&](int64_t count) {
        registerTile(panel, {count, row, slot}, firstBlock, lastBlock);
      };
      if (p.longTiles == p.rowTiles)
        return emitRows(p.tileRows);
      c.branch(
          c.compare(arith::CmpIPredicate::ult, rowTile, p.longTiles),
          [&] { emitRows(p.tileRows); }, [&] { emitRows(p.tileRows - 1); });
    });
  };
  if (p.chunkBlocks == p.blocks)
    chunk(c.index(0), c.index(p.blocks));
  else
    c.loop(c.index(0), c.index(p.blocks), p.chunkBlocks, [&](Value first) {
      chunk(first, c.min(c.add(first, p.chunkBlocks), c.index(p.blocks)));
    });

  c.loop(firstRow, lastRow, 1,
         [&](Value row) { storeRow(panel, row, c.sub(row, firstRow)); });
}

void BlockProductKernel::storeRow(const Panel &panel, Value row, Value slot) {
  ChainEmitter emitter(b, level, chain, operands);
  auto store = [&](Value at, int64_t count) {
    SmallVector<Value> values;
    Value from = c.add(c.mul(slot, panel.width), at);
    for (int64_t i = 0; i < count; i += lanes)
      values.push_back(c.load(sums, c.add(from, i), type(b.getF32Type())));
    Value column = c.add(panel.column, at);
    emitter.store(values, count, result, c.add(c.mul(row, p.columns), column),
                  column);
  };
  int64_t step = std::min<int64_t>(4 * lanes, panel.width);
  int64_t whole = panel.valid / step * step;
  c.loop(0, whole, step, [&](Value at) { store(at, step); });
  if (whole < panel.valid)
    store(c.index(whole), panel.valid - whole);
}

void BlockProductKernel::forColumns(const Panel &panel,
                                    llvm::function_ref<void(Value)> body) {
  c.loop(0, panel.width, int64_t(panel.vectors) * lanes, body);
}

void BlockProductKernel::registerTile(const Panel &panel, const Rows &rows,
                                      Value firstBlock, Value lastBlock) {
  if (p.isInteger)
    return c.loop(firstBlock, lastBlock, 1, [&](Value block) {
      if (!p.unpacks)
        prefetch(panel, block);
      integerBlock(panel, rows, block, c.sub(block, firstBlock));
    });
  if (p.unpacks)
    return multiplyUnpacked(panel, rows, firstBlock, lastBlock);
  floatBlocks(panel, rows, firstBlock, lastBlock);
}

void BlockProductKernel::prefetch(const Panel &panel, Value block) {
  constexpr int64_t distance = 4096, line = 64;
  int64_t bytes = panel.width * p.columnBytes();
  Value at = c.min(c.add(blockAt(panel, block), distance),
                   c.index(std::max<int64_t>(0, p.packedBytes() - bytes)));
  for (int64_t offset = 0; offset < bytes; offset += line)
    memref::PrefetchOp::create(b, packed, c.add(at, offset),
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
}

Value BlockProductKernel::loadScales(const Panel &panel, Value block,
                                     Value column) {
  Value from = blockAt(panel, block);
  auto f32 = type(b.getF32Type()), i32 = type(b.getI32Type());
  if (p.scaleBytes == 4)
    return c.load(packedFloats, c.add(c.div(from, 4), column), f32);
  Value bytes = c.load(packed, c.add(from, c.mul(column, 2)),
                       c.vectorType(b.getI8Type(), 2 * lanes));
  Value halves = c.bitcast(bytes, type(b.getI16Type()));
  Value wide = arith::ExtUIOp::create(b, i32, halves);
  return c.bitcast(arith::ShLIOp::create(b, wide, b.integer(i32, 16)), f32);
}

Value BlockProductKernel::zeroPoints(const Panel &panel, Value block,
                                     Value column) {
  Type f32 = b.getF32Type();
  Value at = c.add(blockAt(panel, block), p.scaleBytes * panel.width);
  switch (p.zeros) {
  case BlockProduct::ZeroPoints::Middle:
    return {};
  case BlockProduct::ZeroPoints::Bytes: {
    Value bytes = c.load(packed, c.add(at, column), type(b.getI8Type()));
    Value wide = arith::ExtUIOp::create(b, type(b.getI32Type()), bytes);
    return arith::SIToFPOp::create(b, type(f32), wide);
  }
  case BlockProduct::ZeroPoints::Floats:
    return c.load(packedFloats, c.add(c.div(at, 4), column), type(f32));
  }
  llvm_unreachable("unknown kind of zero points");
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

SmallVector<Value> BlockProductKernel::takeApart(Value bytes) {
  SmallVector<Value> parts;
  for (int64_t i = 0; i < p.perByte; ++i) {
    Value part = bytes;
    if (i > 0)
      part = arith::ShRUIOp::create(b, part,
                                    b.integer(bytes.getType(), i * p.bits));
    if (i + 1 < p.perByte)
      part = arith::AndIOp::create(
          b, part, b.integer(bytes.getType(), (1 << p.bits) - 1));
    parts.push_back(part);
  }
  return parts;
}

void BlockProductKernel::dot(MutableArrayRef<Value> sums, Value input,
                             Value weights) {
  // Where one factor must be unsigned, the weights are; the order of the
  // operands is that of the dot product, not of the matrices.
  MicroKernels &micro = *level.micro;
  Location loc = b.getLoc();
  if (level.unsignedActivations)
    micro.dot(b, loc, sums, micro.prepareActivations(b, loc, weights),
              micro.prepareWeights(b, loc, input));
  else
    micro.dot(b, loc, sums, micro.prepareActivations(b, loc, input),
              micro.prepareWeights(b, loc, weights));
}

void BlockProductKernel::unpackBytes(const Panel &panel, Value block,
                                     Value chunkBlock) {
  int64_t unitBytes = 4 * panel.width;
  Value to = c.mul(chunkBlock, p.steps * p.perByte * unitBytes);
  c.loop(0, p.steps, 1, [&](Value step) {
    c.loop(0, panel.width, lanes, [&](Value column) {
      Value bytes =
          c.load(packed, weightsAt(panel, block, step, column), bytesType());
      Value at = c.add(
          to, c.add(c.mul(step, p.perByte * unitBytes), c.mul(column, 4)));
      for (auto [i, part] : llvm::enumerate(takeApart(bytes)))
        c.store(part, unpacked, c.add(at, int64_t(i) * unitBytes));
    });
  });
}

void BlockProductKernel::integerBlock(const Panel &panel, const Rows &rows,
                                      Value block, Value chunkBlock) {
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  unsigned vectors = panel.vectors;
  unsigned perVector = level.micro->accumulatorsPerVector();
  int64_t units = p.steps * p.perByte;
  // Steps whose code is unrolled; the others take turns.
  int64_t unrolled = std::max<int64_t>(1, 8 / p.perByte);
  while (p.steps % unrolled != 0)
    --unrolled;
  // What each sum starts from, in multiples of the sum of the input.
  int64_t excess =
      (p.flipsWeights ? 128 : 0) - (p.zeros == BlockProduct::ZeroPoints::Middle
                                        ? int64_t(1) << (p.bits - 1)
                                        : 0);
  SmallVector<Value> slots;
  for (int64_t row = 0; row < rows.count; ++row)
    slots.push_back(c.add(c.mul(c.add(rows.first, row), p.blocks), block));

  forColumns(panel, [&](Value column) {
    SmallVector<Value> initial, excesses, inputSumsOf;
    Value zero = c.splat(i32, 0, lanes);
    bool startsWithExcess = perVector == 1;
    for (Value slot : slots) {
      Value sum = memref::LoadOp::create(b, inputSums, slot);
      inputSumsOf.push_back(sum);
      Value start =
          excess ? broadcast(b.mul(sum, b.integer(i32, excess))) : zero;
      excesses.push_back(start);
      initial.append(vectors * perVector, startsWithExcess ? start : zero);
    }
    auto steps = [&](Value first, ValueRange carried) {
      SmallVector<Value> all(carried);
      for (int64_t s = 0; s < unrolled; ++s) {
        Value step = c.add(first, s);
        // weights[vector][unit of the step]
        SmallVector<SmallVector<Value>> weights;
        for (unsigned v = 0; v < vectors; ++v) {
          Value at = c.add(column, int64_t(v) * lanes);
          if (!p.unpacks) {
            weights.push_back(takeApart(c.load(
                packed, weightsAt(panel, block, step, at), bytesType())));
            continue;
          }
          SmallVector<Value> loaded;
          for (int64_t i = 0; i < p.perByte; ++i) {
            Value unit = c.add(
                c.add(c.mul(chunkBlock, units), c.mul(step, p.perByte)), i);
            loaded.push_back(c.load(
                unpacked, c.add(c.mul(unit, 4 * panel.width), c.mul(at, 4)),
                bytesType()));
          }
          weights.push_back(loaded);
        }
        for (int64_t i = 0; i < p.perByte; ++i)
          for (auto [row, slot] : llvm::enumerate(slots)) {
            Value unit =
                c.add(c.add(c.mul(slot, units), c.mul(step, p.perByte)), i);
            Value word = memref::LoadOp::create(b, inputWords, unit);
            Value bytes = c.bitcast(broadcast(word), bytesType());
            for (unsigned v = 0; v < vectors; ++v)
              dot(MutableArrayRef<Value>(all).slice(
                      (row * vectors + v) * perVector, perVector),
                  bytes, weights[v][i]);
          }
      }
      return all;
    };
    SmallVector<Value> all =
        unrolled == p.steps
            ? steps(c.index(0), initial)
            : c.loop(c.index(0), c.index(p.steps), unrolled, initial, steps);

    for (auto [row, slot] : llvm::enumerate(slots)) {
      Value inputScale =
          broadcast(memref::LoadOp::create(b, inputScales, slot));
      Value realSum;
      if (p.zeros != BlockProduct::ZeroPoints::Middle)
        realSum = broadcast(
            arith::SIToFPOp::create(b, f32, inputSumsOf[row]).getResult());
      for (unsigned v = 0; v < vectors; ++v) {
        Value at = c.add(column, int64_t(v) * lanes);
        ArrayRef<Value> parts = ArrayRef<Value>(all).slice(
            (row * vectors + v) * perVector, perVector);
        Value sum = level.micro->finishAccumulators(b, b.getLoc(), parts);
        if (!startsWithExcess && excess)
          sum = b.add(sum, excesses[row]);
        Value real = arith::SIToFPOp::create(b, type(f32), sum);
        if (Value zeros = zeroPoints(panel, block, at))
          real = b.multiplyAdd(arith::NegFOp::create(b, zeros), realSum, real);
        Value scale = loadScales(panel, block, at);
        Value to =
            c.add(c.mul(c.add(rows.slot, int64_t(row)), panel.width), at);
        c.store(b.multiplyAdd(real, b.mul(inputScale, scale),
                              c.load(sums, to, type(f32))),
                sums, to);
      }
    }
  });
}

LogicalResult qcc::emitBlockProduct(const BlockProduct &p,
                                    const ElementwiseChain &chain,
                                    KernelEmitter &emitter) {
  Location loc = chain.last()->getLoc();
  SmallVector<Value> args{packBlocks(p, emitter),
                          emitter.buffer(chain.result())};
  if (p.isInteger) {
    BlockInput quantized = quantizeBlocks(p, emitter);
    args.append({quantized.integers, quantized.scales, quantized.sums});
  } else {
    args.push_back(emitter.buffer(p.input));
  }
  for (Value operand : chain.operands())
    args.push_back(emitter.buffer(operand));
  func::FuncOp kernel = emitter.kernel(
      "block_matmul", p.key() + chain.key(), ValueRange(args).getTypes(), loc,
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        BlockProductKernel(b, p, emitter.level(), chain)
            .emit(values, begin, end);
      });
  emitter.call(kernel, args, p.tiles(), loc);
  return success();
}
