//===- PanelPrefetch.cpp - Operands fetched ahead -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PanelPrefetch.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;

static constexpr int64_t lineBytes = 64;
/// More iterations than this are not joined: code grows, and gains nothing.
static constexpr int64_t mostJoined = 4;

PanelPrefetch::PanelPrefetch(int64_t bytes, int64_t tiles, int64_t blocks) {
  int64_t panelLines = llvm::divideCeil(bytes, lineBytes);
  if (tiles < 2 || blocks < 1)
    return; // read once, in order: the processor does it by itself
  joined = std::clamp<int64_t>(tiles * blocks / panelLines, 1,
                               std::min(mostJoined, blocks));
  perTile = blocks / joined;
  lines = llvm::divideCeil(panelLines, tiles * perTile);
}

PanelPrefetch PanelPrefetch::ofRows(int64_t bytes, int64_t blocks,
                                    int64_t joined) {
  PanelPrefetch rows;
  rows.joined = joined;
  rows.perTile = std::max<int64_t>(1, blocks / joined);
  rows.lines =
      llvm::divideCeil(llvm::divideCeil(bytes, lineBytes), rows.perTile);
  return rows;
}

void PanelPrefetch::emit(CodeBuilder &c, Value buffer, Value next, Value tile,
                         Value iteration) const {
  if (lines == 0)
    return;
  auto type = cast<MemRefType>(buffer.getType());
  int64_t lineElements = lineBytes * 8 / type.getElementTypeBitWidth();
  Value number = c.add(c.mul(tile, perTile), iteration);
  Value at = c.add(next, c.mul(number, lines * lineElements));
  Value last =
      c.index(std::max<int64_t>(0, type.getNumElements() - lineElements));
  for (int64_t i = 0; i < lines; ++i)
    memref::PrefetchOp::create(c.b, c.loc, buffer,
                               c.min(c.add(at, i * lineElements), last),
                               /*isWrite=*/false, /*localityHint=*/2,
                               /*isDataCache=*/true);
}
