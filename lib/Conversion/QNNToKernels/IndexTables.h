//===- IndexTables.h - Moves by a table per dimension -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_INDEXTABLES_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_INDEXTABLES_H

#include "LoopBuilder.h"

namespace qcc::reference {

/// For each dimension the input index of every output index, or nothing where
/// they are equal.
using IndexTables =
    llvm::SmallVector<std::optional<llvm::SmallVector<int32_t>>>;

/// result[i, j, ...] = operand[tables[0][i], tables[1][j], ...].
void emitIndexed(KernelEmitter &emitter, mlir::Operation *op,
                 llvm::StringRef stem, const IndexTables &tables);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_INDEXTABLES_H
