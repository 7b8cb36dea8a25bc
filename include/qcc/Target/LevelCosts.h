//===- LevelCosts.h - What instructions cost on a processor -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TARGET_LEVELCOSTS_H
#define QCC_TARGET_LEVELCOSTS_H

namespace qcc {

/// The figures of one processor that has a level, for the cost model of
/// kernels (qcc/Codegen/KernelCost.h). Rates are instructions per cycle on
/// registers of the level's width.
struct LevelCosts {
  const char *processor;
  double issue;       ///< of all kinds
  double vectors;     ///< that work on vector registers, of all kinds
  double products;    ///< float multiplications, additions and both in one
  double dots;        ///< 8- and 16-bit products: dot or widening
  double conversions; ///< between float and integer
  double shuffles;    ///< permutations, packing and widening
  double loads, stores;
  double divisionCycles; ///< of a division or square root
  double latency;        ///< of a product that is added to a sum, in cycles
  double nearSize;       ///< bytes that the second-level cache holds
  /// Bytes per cycle out of that cache, and from behind it.
  double nearBytes, farBytes;
  /// Whether instructions take a lane or one half of a register themselves, and
  /// add pairs to sums.
  bool takesParts;
  /// Cycles of a matrix unit's instructions on whole tiles; 0: there is none.
  double tileDot, tileLoad, tileStore;
};

} // namespace qcc

#endif // QCC_TARGET_LEVELCOSTS_H
