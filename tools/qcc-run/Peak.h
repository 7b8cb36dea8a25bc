//===- Peak.h - What a processor core can do at most ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TOOLS_QCCRUN_PEAK_H
#define QCC_TOOLS_QCCRUN_PEAK_H

#include <cstdint>

namespace qcc {

/// Multiply-accumulates per second that one core reaches with the best
/// instruction of an ISA level on registers alone: exact products of bytes for
/// QCC_I8, floats for QCC_F32. Measured now (some 20 ms); 0 where the level or
/// the type is not known. The processor must be able to run the level.
double measurePeak(const char *level, int32_t dtype);

} // namespace qcc

#endif // QCC_TOOLS_QCCRUN_PEAK_H
