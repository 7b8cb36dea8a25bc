//===- Clock.h - Time that passes, and time of a thread ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_CLOCK_H
#define QCC_SUPPORT_CLOCK_H

namespace qcc {

/// Seconds on the clock on the wall, since some time.
double wallSeconds();

/// Seconds that the calling thread has computed: those that others take from it
/// do not count.
double threadSeconds();

} // namespace qcc

#endif // QCC_SUPPORT_CLOCK_H
