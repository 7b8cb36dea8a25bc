//===- Progress.cpp - A progress bar on a terminal ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Progress.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

using namespace qcc;
using Clock = std::chrono::steady_clock;

static thread_local ProgressListener *listener = nullptr;

ProgressListener::ProgressListener(Callback callback)
    : callback(std::move(callback)), outer(listener) {
  listener = this;
}

ProgressListener::~ProgressListener() { listener = outer; }

Progress::Progress(std::string label, uint64_t total)
    : label(std::move(label)), total(total), terminal(::isatty(2)),
      start(Clock::now()), last(start) {}

Progress::~Progress() {
  if (drawn)
    std::fputs("\r\033[K", stderr);
}

void Progress::step() {
  ++done;
  if (listener) {
    listener->callback(label, done, total);
    return;
  }
  if (!terminal)
    return;
  Clock::time_point now = Clock::now();
  if (now - start < std::chrono::seconds(1) ||
      (now - last < std::chrono::milliseconds(100) && done != total))
    return;
  last = now;
  drawn = true;
  constexpr uint64_t width = 30;
  uint64_t filled = total ? std::min(done, total) * width / total : 0;
  std::string bar = std::string(filled, '#') + std::string(width - filled, '.');
  std::fprintf(stderr, "\r%s [%s] %llu/%llu\033[K", label.c_str(), bar.c_str(),
               static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(total));
  std::fflush(stderr);
}
