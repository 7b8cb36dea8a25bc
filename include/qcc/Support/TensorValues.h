//===- TensorValues.h - Elements of any type as numbers ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_TENSORVALUES_H
#define QCC_SUPPORT_TENSORVALUES_H

#include "qcc/Support/HostTensor.h"

namespace qcc {

/// Whether the elements are f16, bf16, f32 or f64.
bool isFloat(DType dtype);

/// Element `i` as a number, rounded where a double does not hold it; NaN for
/// types without a byte size.
double elementAsDouble(const HostTensor &tensor, int64_t i);

/// All of them, in order.
std::vector<double> toDoubles(const HostTensor &tensor);

} // namespace qcc

#endif // QCC_SUPPORT_TENSORVALUES_H
