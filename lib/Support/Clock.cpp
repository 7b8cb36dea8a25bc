//===- Clock.cpp - Time that passes, and time of a thread -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Clock.h"

#include <ctime>

using namespace qcc;

static double read(clockid_t clock) {
  timespec time;
  ::clock_gettime(clock, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

double qcc::wallSeconds() { return read(CLOCK_MONOTONIC); }

double qcc::threadSeconds() { return read(CLOCK_THREAD_CPUTIME_ID); }
