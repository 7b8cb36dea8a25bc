//===- Interleave.h - Bytes of neighbours for one dot product ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Depthwise kernels interleave four taps of bytes of each channel, or two of 16
// bits, to feed one dot product per 32-bit lane, in the order that packToBytes
// undoes: of `taps` taps, element 4*taps*l+4*j+d becomes lane 4*l+d of vector
// j.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_INTERLEAVE_H
#define QCC_LIB_CODEGEN_INTERLEAVE_H

#include "CodeBuilder.h"
#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// Whether the level's micro-kernels pack in the order that interleaveTaps()
/// produces.
bool packsInterleaved(const TargetLevel &level);

/// The channel of lane `lane` of vector j, counted from the first one of those
/// that were interleaved.
inline int64_t interleavedChannel(int64_t j, int64_t lane, int64_t taps = 4) {
  return lane / 4 * 4 * taps + j * 4 + lane % 4;
}

/// Vectors of 32-bit lanes, one lane for each of the channels that were
/// interleaved to as many vectors (two or four), in the order of the channels.
llvm::SmallVector<mlir::Value> sortLanes(CodeBuilder &c,
                                         llvm::ArrayRef<mlir::Value> vectors);

/// As many vectors as taps: of four bytes or two 16-bit numbers per channel. A
/// null tap is zero.
llvm::SmallVector<mlir::Value> interleaveTaps(CodeBuilder &c,
                                              llvm::ArrayRef<mlir::Value> taps);

/// The lower 16 bits of each lane of two vectors, in the order of the channels
/// that were interleaved.
mlir::Value packWords(CodeBuilder &c, llvm::ArrayRef<mlir::Value> vectors);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_INTERLEAVE_H
