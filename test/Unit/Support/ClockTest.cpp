//===- ClockTest.cpp - Clocks ---------------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Clock.h"

#include "gtest/gtest.h"

#include <chrono>
#include <thread>

using namespace qcc;

TEST(SupportClock, WaitingIsNoTimeOfTheThread) {
  double wall = wallSeconds(), own = threadSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  EXPECT_GE(wallSeconds() - wall, 0.06);
  EXPECT_LT(threadSeconds() - own, 0.03);
}

TEST(SupportClock, ComputingIs) {
  double own = threadSeconds();
  for (double wall = wallSeconds(); threadSeconds() - own < 0.01;)
    ASSERT_LT(wallSeconds() - wall, 10);
}
