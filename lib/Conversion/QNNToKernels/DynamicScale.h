//===- DynamicScale.h - Scales that are chosen at run time ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_DYNAMICSCALE_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_DYNAMICSCALE_H

#include "LoopBuilder.h"

namespace qcc::reference {

/// The smallest and the largest number of each tile of a tensor, and 0: a
/// buffer [tiles][2].
mlir::Value emitRanges(mlir::Value x, int64_t elements, const Tiling &tiling,
                       KernelEmitter &emitter, mlir::Location loc);

/// What qnn.dynamic_quantize makes of ranges.
struct DynamicScale {
  mlir::Value scale, zeroPoint; ///< f32, i8
};
DynamicScale chooseScale(LoopBuilder &b, mlir::Value ranges);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_DYNAMICSCALE_H
