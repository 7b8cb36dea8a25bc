//===- PanelPrefetch.h - Weights fetched ahead ------------------*- C++ -*-===//
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

  /// Iterations of the loops that are to be joined to one.
  int64_t together() const { return joined; }
  /// For iteration number `iteration` (of joined ones) in the loop of tile
  /// `tile`; `panel`: the element of `weights` where the next panel starts.
  void emit(CodeBuilder &c, mlir::Value weights, mlir::Value panel,
            mlir::Value tile, mlir::Value iteration) const;

private:
  int64_t joined = 1;
  int64_t perTile = 0; ///< iterations of a loop
  int64_t lines = 0;   ///< fetched at once
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_PANELPREFETCH_H
