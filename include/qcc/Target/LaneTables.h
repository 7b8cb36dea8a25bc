//===- LaneTables.h - Small tables that vectors look up ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TARGET_LANETABLES_H
#define QCC_TARGET_LANETABLES_H

#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// Entries of a table that every level keeps in registers.
constexpr unsigned kLaneTableSize = 8;

/// table[i mod 8] for each lane i of `indices` (i32). Null where the level has
/// no instruction for vectors of so many lanes.
mlir::Value lookUpLanes(mlir::OpBuilder &b, mlir::Location loc,
                        const TargetLevel &level, llvm::ArrayRef<float> table,
                        mlir::Value indices);

} // namespace qcc

#endif // QCC_TARGET_LANETABLES_H
