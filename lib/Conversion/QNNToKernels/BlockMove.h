//===- BlockMove.h - Moves by blocks in registers ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_BLOCKMOVE_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_BLOCKMOVE_H

#include "LoopBuilder.h"

namespace qcc::reference {

/// The columns of a square of row vectors, whose number is a power of two.
llvm::SmallVector<mlir::Value>
transposeSquare(mlir::OpBuilder &b, mlir::Location loc,
                llvm::SmallVector<mlir::Value> rows);

/// What the code of a kernel for `move` depends on.
std::string keyOf(const Move &move);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_BLOCKMOVE_H
