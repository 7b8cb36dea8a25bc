//===- BlockFloatKernel.cpp - Float products with weights in blocks -------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockProductKernel.h"

using namespace mlir;
using namespace qcc;

SmallVector<Value> BlockProductKernel::loadSums(const Panel &panel,
                                                const Rows &rows,
                                                Value column) {
  SmallVector<Value> values;
  for (int64_t row = 0; row < rows.count; ++row)
    for (unsigned v = 0; v < panel.vectors; ++v)
      values.push_back(c.load(sums,
                              c.add(c.mul(c.add(rows.slot, row), panel.width),
                                    c.add(column, int64_t(v) * lanes)),
                              type(b.getF32Type())));
  return values;
}

void BlockProductKernel::storeSums(const Panel &panel, const Rows &rows,
                                   Value column, ValueRange values) {
  for (int64_t row = 0; row < rows.count; ++row)
    for (unsigned v = 0; v < panel.vectors; ++v)
      c.store(values[row * panel.vectors + v], sums,
              c.add(c.mul(c.add(rows.slot, row), panel.width),
                    c.add(column, int64_t(v) * lanes)));
}

void BlockProductKernel::forFloats(
    const Panel &panel, Value block, Value step, Value column, unsigned vectors,
    int64_t elements, llvm::function_ref<void(int64_t, ArrayRef<Value>)> body) {
  auto f32 = type(b.getF32Type()), i32 = type(b.getI32Type());
  SmallVector<Value> words, scales, zeros;
  for (unsigned v = 0; v < vectors; ++v) {
    Value at = c.add(column, int64_t(v) * lanes);
    words.push_back(
        c.load(packedWords, c.div(weightsAt(panel, block, step, at), 4), i32));
    scales.push_back(loadScales(panel, block, at));
    Value zero = zeroPoints(panel, block, at);
    zeros.push_back(zero ? zero : b.real(f32, double(1 << (p.bits - 1))));
  }
  for (int64_t element = 0; element < elements; ++element) {
    SmallVector<Value> weights;
    int64_t shift = element % 4 * 8 + element / 4 * p.bits;
    for (unsigned v = 0; v < vectors; ++v) {
      Value q = words[v];
      if (shift > 0)
        q = arith::ShRUIOp::create(b, q, b.integer(i32, shift));
      q = arith::AndIOp::create(b, q, b.integer(i32, (1 << p.bits) - 1));
      Value real = arith::SIToFPOp::create(b, f32, q);
      weights.push_back(b.mul(b.sub(real, zeros[v]), scales[v]));
    }
    body(element, weights);
  }
}

void BlockProductKernel::addProducts(MutableArrayRef<Value> sums,
                                     const Rows &rows, Value element,
                                     ArrayRef<Value> weights) {
  for (int64_t row = 0; row < rows.count; ++row) {
    Value at = c.add(c.mul(c.add(rows.first, row), p.depth), element);
    Value x = broadcast(memref::LoadOp::create(b, input, at));
    for (auto [v, weight] : llvm::enumerate(weights)) {
      Value &sum = sums[row * weights.size() + v];
      sum = b.multiplyAdd(x, weight, sum);
    }
  }
}

void BlockProductKernel::floatBlocks(const Panel &panel, const Rows &rows,
                                     Value firstBlock, Value lastBlock) {
  int64_t stepElements = 4 * p.perByte;
  forColumns(panel, [&](Value column) {
    auto steps = [&](Value block, Value step, int64_t elements,
                     ValueRange carried) {
      SmallVector<Value> all(carried);
      Value first = c.add(c.mul(block, p.block), c.mul(step, stepElements));
      forFloats(panel, block, step, column, panel.vectors, elements,
                [&](int64_t element, ArrayRef<Value> weights) {
                  addProducts(all, rows, c.add(first, element), weights);
                });
      return all;
    };
    auto emitBlock = [&](Value block, int64_t valid, ValueRange carried) {
      SmallVector<Value> all(carried);
      int64_t whole = valid / stepElements;
      if (whole > 0)
        all = c.loop(c.index(0), c.index(whole), 1, all,
                     [&](Value step, ValueRange values) {
                       return steps(block, step, stepElements, values);
                     });
      if (whole * stepElements < valid)
        all = steps(block, c.index(whole), valid - whole * stepElements, all);
      return all;
    };
    SmallVector<Value> all = loadSums(panel, rows, column);
    // Without chunks, all blocks are here; the last one may be cut off.
    int64_t whole = p.depth / p.block;
    if (whole > 0)
      all = c.loop(c.index(0), c.index(whole), 1, all,
                   [&](Value block, ValueRange values) {
                     return emitBlock(block, p.block, values);
                   });
    if (whole < p.blocks)
      all = emitBlock(c.index(whole), p.depth - whole * p.block, all);
    storeSums(panel, rows, column, all);
  });
}

void BlockProductKernel::unpackFloats(const Panel &panel, Value block,
                                      Value chunkBlock) {
  int64_t stepElements = 4 * p.perByte;
  // Blocks follow each other without padding, as the input has them.
  Value first = c.mul(chunkBlock, p.block);
  auto steps = [&](Value step, int64_t elements) {
    c.loop(0, panel.width, lanes, [&](Value column) {
      forFloats(
          panel, block, step, column, 1, elements,
          [&](int64_t element, ArrayRef<Value> weights) {
            Value k = c.add(c.add(first, c.mul(step, stepElements)), element);
            c.store(weights[0], unpacked, c.add(c.mul(k, panel.width), column));
          });
    });
  };
  int64_t whole = p.block / stepElements;
  c.loop(0, whole, 1, [&](Value step) { steps(step, stepElements); });
  if (whole * stepElements < p.block)
    steps(c.index(whole), p.block - whole * stepElements);
}

void BlockProductKernel::multiplyUnpacked(const Panel &panel, const Rows &rows,
                                          Value firstBlock, Value lastBlock) {
  Value first = c.mul(firstBlock, p.block);
  Value last = c.min(c.mul(lastBlock, p.block), c.index(p.depth));
  forColumns(panel, [&](Value column) {
    SmallVector<Value> all = c.loop(
        first, last, 1, loadSums(panel, rows, column),
        [&](Value element, ValueRange carried) {
          SmallVector<Value> next(carried), weights;
          Value at = c.add(c.mul(c.sub(element, first), panel.width), column);
          for (unsigned v = 0; v < panel.vectors; ++v)
            weights.push_back(c.load(unpacked, c.add(at, int64_t(v) * lanes),
                                     type(b.getF32Type())));
          addProducts(next, rows, element, weights);
          return next;
        });
    storeSums(panel, rows, column, all);
  });
}
