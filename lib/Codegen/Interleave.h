//===- Interleave.h - Bytes of neighbours for one dot product ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Depthwise kernels interleave four taps of each channel to feed one dot
// product per 32-bit lane, in the order that packToBytes undoes: byte
// 16*l+4*j+d of the taps becomes lane 4*l+d of vector j.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_INTERLEAVE_H
#define QCC_LIB_CODEGEN_INTERLEAVE_H

#include "CodeBuilder.h"
#include "qcc/Target/TargetBackend.h"

#include <array>

namespace qcc {

/// Whether the level's micro-kernels pack in the order that interleaveTaps()
/// produces.
bool packsInterleaved(const TargetLevel &level);

/// The channel of lane `lane` of vector j, counted from the first one of the
/// bytes that were interleaved.
inline int64_t interleavedChannel(int64_t j, int64_t lane) {
  return lane / 4 * 16 + j * 4 + lane % 4;
}

/// Vectors of 32-bit lanes, one lane for each byte that was interleaved, in the
/// order of the bytes.
std::array<mlir::Value, 4> sortLanes(CodeBuilder &c,
                                     llvm::ArrayRef<mlir::Value> vectors);

/// The four vectors of four bytes per channel. A null tap is zero.
std::array<mlir::Value, 4> interleaveTaps(CodeBuilder &c,
                                          std::array<mlir::Value, 4> taps);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_INTERLEAVE_H
