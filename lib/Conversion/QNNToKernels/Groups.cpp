//===- Groups.cpp - Elements that are reduced together --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Groups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

static constexpr int64_t grain = 1 << 14;
static constexpr int64_t maxBlock = 256;

Groups::Groups(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes) {
  for (auto [d, extent] : llvm::enumerate(shape)) {
    bool isReduced = llvm::is_contained(axes, int64_t(d));
    if (isReduced)
      groupSize *= extent;
    if (extent == 1)
      continue;
    if (!extents.empty() && reduced.back() == isReduced) {
      extents.back() *= extent;
    } else {
      extents.push_back(extent);
      reduced.push_back(isReduced);
    }
  }
  if (!llvm::is_contained(reduced, true)) { // each element is its own group
    extents.push_back(1);
    reduced.push_back(true);
  }
  strides = rowMajor(extents);
  contiguous = reduced.back();
  if (!contiguous)
    block = std::clamp<int64_t>(extents.back(), 1, maxBlock);
}

Tiling Groups::tiling(int64_t passes) const {
  SmallVector<int64_t> box;
  for (auto [extent, isReduced] : llvm::zip(extents, reduced))
    if (!isReduced)
      box.push_back(extent);
  if (!contiguous)
    box.back() = (box.back() + block - 1) / block;
  int64_t work = std::max<int64_t>(1, groupSize) * block * passes;
  return Tiling(box, std::max<int64_t>(1, grain / work));
}

Groups::Code::Code(const Groups &groups, LoopBuilder &b, ValueRange ivs)
    : g(groups), b(b), base(b.index(0)), result(b.index(0)),
      count(b.index(groups.block)) {
  unsigned next = 0;
  for (unsigned d = 0; d < g.extents.size(); ++d) {
    if (g.reduced[d])
      continue;
    Value at = ivs[next++];
    if (!g.contiguous && d + 1 == g.extents.size()) {
      at = b.mulIndex(at, g.block);
      if (g.extents[d] % g.block)
        count = b.smaller(count, b.sub(b.index(g.extents[d]), at));
    }
    base = b.add(base, b.mulIndex(at, g.strides[d]));
    result = b.add(b.mulIndex(result, g.extents[d]), at);
  }
}

/// Loops over the reduced dimensions; of a contiguous one over its rows only.
void Groups::Code::forRows(unsigned d, Value at,
                           llvm::function_ref<void(Value)> body) {
  if (d + 1 == g.extents.size()) // either kind: the innermost loop
    return body(at);
  if (!g.reduced[d])
    return forRows(d + 1, at, body);
  b.loop(0, g.extents[d], [&](Value i) {
    forRows(d + 1, b.add(at, b.mulIndex(i, g.strides[d])), body);
  });
}

void Groups::Code::reduce(
    Value memory, Value buffer, Value init,
    llvm::function_ref<Value(Value, Value, Value, Param)> step,
    llvm::function_ref<Value(Value, Value)> combine) {
  if (!g.contiguous) {
    b.loop(b.index(0), count, [&](Value j) { b.store(init, buffer, j); });
    forRows(0, base, [&](Value row) {
      b.loop(b.index(0), count, [&](Value j) {
        Value at = b.add(row, j);
        Value acc = step(b.load(buffer, j), b.load(memory, at), at,
                         [&](Value param) { return b.load(param, j); });
        b.store(acc, buffer, j);
      });
    });
    return;
  }

  int64_t extent = g.extents.back(), whole = extent / lanes * lanes;
  auto param = [&](Value like) {
    return [this, like](Value buffer) {
      return b.broadcast(b.load(buffer, b.index(0)), like);
    };
  };
  if (g.isShort()) {
    b.store(init, buffer, b.index(0));
    forRows(0, base, [&](Value row) {
      Value acc = b.load(buffer, b.index(0));
      for (int64_t i = 0; i < extent; ++i) {
        Value at = b.addIndex(row, i), raw = b.load(memory, at);
        acc = step(acc, raw, at, param(raw));
      }
      b.store(acc, buffer, b.index(0));
    });
    return;
  }
  b.loop(0, lanes, [&](Value j) { b.store(init, buffer, j); });
  forRows(0, base, [&](Value row) {
    if (whole) {
      Value acc = b.loadVector(buffer, b.index(0), lanes);
      SmallVector<Value> sums =
          b.loop(b.index(0), b.index(whole / lanes), ValueRange(acc),
                 [&](Value i, ValueRange acc) -> SmallVector<Value> {
                   Value at = b.add(row, b.mulIndex(i, lanes));
                   Value raw = b.loadVector(memory, at, lanes);
                   return {step(acc[0], raw, at, param(raw))};
                 });
      b.store(sums[0], buffer, b.index(0));
    }
    if (extent > whole)
      b.loop(whole, extent, [&](Value i) {
        Value at = b.add(row, i), lane = b.addIndex(i, -whole);
        Value raw = b.load(memory, at);
        b.store(step(b.load(buffer, lane), raw, at, param(raw)), buffer, lane);
      });
  });
  Value acc = b.loadVector(buffer, b.index(0), lanes);
  for (int64_t half = lanes / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < half; ++i) {
      low.push_back(i);
      high.push_back(half + i);
    }
    acc = combine(vector::ShuffleOp::create(b, acc, acc, low),
                  vector::ShuffleOp::create(b, acc, acc, high));
  }
  b.store(vector::ExtractOp::create(b, acc, ArrayRef<int64_t>{0}), buffer,
          b.index(0));
}

void Groups::Code::forEach(
    Value memory,
    llvm::function_ref<void(Value, Value, llvm::function_ref<Value(Value)>)>
        body) {
  forRows(0, base, [&](Value row) {
    if (g.isShort()) {
      for (int64_t i = 0; i < g.extents.back(); ++i) {
        Value at = b.addIndex(row, i);
        body(b.load(memory, at), at,
             [&](Value buffer) { return b.load(buffer, b.index(0)); });
      }
      return;
    }
    Value end = g.contiguous ? b.index(g.extents.back()) : count;
    b.loop(b.index(0), end, [&](Value j) {
      Value at = b.add(row, j);
      body(b.load(memory, at), at, [&](Value buffer) {
        return b.load(buffer, g.contiguous ? b.index(0) : j);
      });
    });
  });
}

void Groups::Code::forResults(llvm::function_ref<void(Value, Value)> body) {
  if (g.contiguous)
    return body(b.index(0), result);
  b.loop(b.index(0), count, [&](Value j) { body(j, b.add(result, j)); });
}
