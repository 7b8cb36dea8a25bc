//===- Progress.h - A progress bar on a terminal ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_PROGRESS_H
#define QCC_SUPPORT_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace qcc {

/// Receives the steps of this thread's work in place of the terminal while it
/// lives.
class ProgressListener {
public:
  using Callback = std::function<void(const std::string &label, uint64_t done,
                                      uint64_t total)>;
  explicit ProgressListener(Callback callback);
  ~ProgressListener();
  ProgressListener(const ProgressListener &) = delete;
  ProgressListener &operator=(const ProgressListener &) = delete;

private:
  friend class Progress;
  Callback callback;
  ProgressListener *outer;
};

/// Draws `label [####....] 12/32` on stderr while it lives, once the work has
/// taken a second; draws nothing where stderr is no terminal.
/// Belongs to the thread that made it.
class Progress {
public:
  Progress(std::string label, uint64_t total);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  /// Call after each of `total` steps.
  void step();

private:
  std::string label;
  uint64_t total, done = 0;
  bool terminal, drawn = false;
  std::chrono::steady_clock::time_point start, last;
};

} // namespace qcc

#endif // QCC_SUPPORT_PROGRESS_H
