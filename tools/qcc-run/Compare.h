//===- Compare.h - Results against references ----------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TOOLS_QCC_RUN_COMPARE_H
#define QCC_TOOLS_QCC_RUN_COMPARE_H

#include "qcc/Support/HostTensor.h"

namespace qcc {

/// How far a result is from its reference.
struct Difference {
  std::string problem; ///< other shape or type; then the rest is not set
  int64_t count = 0;   ///< elements outside the tolerance
  int64_t total = 0;
  double maxAbsolute = 0, maxRelative = 0;
  int64_t worst = 0; ///< index of the largest absolute error
  double got = 0, expected = 0;

  bool isMatch() const { return problem.empty() && count == 0; }
};

/// An element fits if |got - expected| <= atol + rtol * |expected|; NaN fits
/// NaN only.
Difference compare(const HostTensor &got, const HostTensor &expected,
                   double rtol, double atol);

} // namespace qcc

#endif // QCC_TOOLS_QCC_RUN_COMPARE_H
