//===- PanelPrefetch.h - Operands fetched ahead -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A matrix kernel that goes panel by panel meets the weights of each panel in
// far memory: all of a network do not fit the second-level cache. So while the
// register tiles of one panel go by, the next one is fetched in equal parts.
//
// Rows that are read in place, all of a tile's at once, are too many streams
// for the processor to fetch ahead by itself, and those of large images come
// from far memory, too. So while one tile is summed, the rows of the next are
// fetched.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_PANELPREFETCH_H
#define QCC_LIB_CODEGEN_PANELPREFETCH_H

#include "CodeBuilder.h"

namespace qcc {

class PanelPrefetch {
public:
  /// Nothing is fetched.
  PanelPrefetch() = default;
  /// A panel of `bytes`, while `tiles` loops of `blocks` iterations run.
  PanelPrefetch(int64_t bytes, int64_t tiles, int64_t blocks);
  /// Rows of `bytes`, while one loop of `blocks` iterations runs, `joined` of
  /// which are one.
  static PanelPrefetch ofRows(int64_t bytes, int64_t blocks, int64_t joined);

  /// Iterations of the loops that are to be joined to one.
  int64_t together() const { return joined; }
  /// For iteration number `iteration` (of joined ones) in the loop of tile
  /// `tile`; `next`: the element of `buffer` where the next panel, or the next
  /// rows, start.
  void emit(CodeBuilder &c, mlir::Value buffer, mlir::Value next,
            mlir::Value tile, mlir::Value iteration) const;

private:
  int64_t joined = 1;
  int64_t perTile = 0; ///< iterations of a loop
  int64_t lines = 0;   ///< fetched at once
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_PANELPREFETCH_H
