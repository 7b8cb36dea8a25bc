//===- Compare.cpp - Results against references ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compare.h"

#include "qcc/Support/TensorValues.h"

#include <cmath>

using namespace qcc;

Difference qcc::compare(const HostTensor &got, const HostTensor &expected,
                        double rtol, double atol) {
  Difference result;
  if (got.shape != expected.shape)
    result.problem = "shape " + shapeString(got.shape) + ", expected " +
                     shapeString(expected.shape);
  else if (got.dtype != expected.dtype)
    result.problem = std::string("type ") + name(got.dtype) + ", expected " +
                     name(expected.dtype);
  if (!result.problem.empty())
    return result;
  result.total = got.numElements();
  for (int64_t i = 0; i < result.total; ++i) {
    double a = elementAsDouble(got, i), b = elementAsDouble(expected, i);
    if (a == b || (std::isnan(a) && std::isnan(b)))
      continue;
    double error = std::fabs(a - b);
    if (!(error <= atol + rtol * std::fabs(b)))
      ++result.count;
    if (std::isnan(error))
      error = INFINITY;
    if (b != 0)
      result.maxRelative = std::fmax(result.maxRelative, error / std::fabs(b));
    if (error > result.maxAbsolute) {
      result.maxAbsolute = error;
      result.worst = i;
      result.got = a;
      result.expected = b;
    }
  }
  return result;
}
