//===- Passes.h - Passes around a calibration run ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CALIBRATION_PASSES_H
#define QCC_CALIBRATION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace qcc {

#define GEN_PASS_DECL
#include "qcc/Calibration/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "qcc/Calibration/Passes.h.inc"

} // namespace qcc

#endif // QCC_CALIBRATION_PASSES_H
