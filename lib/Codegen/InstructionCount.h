//===- InstructionCount.h - Cycles of straight-line code --------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_INSTRUCTIONCOUNT_H
#define QCC_LIB_CODEGEN_INSTRUCTIONCOUNT_H

#include "qcc/Target/TargetBackend.h"

#include "mlir/IR/Block.h"

#include <optional>

namespace qcc {

/// Weighs the operations of a block by what they become on a level's processor.
class InstructionCounter {
public:
  explicit InstructionCounter(const TargetLevel &level) : level(level) {}

  /// Of one run through the block, without the blocks inside its operations; of
  /// the body of a loop as the mean over many iterations.
  double cycles(mlir::Block &block) const;

private:
  const TargetLevel &level;
};

/// The result of an operation on integers, where it follows from these.
std::optional<int64_t>
evaluate(mlir::Operation *op, llvm::ArrayRef<std::optional<int64_t>> operands);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_INSTRUCTIONCOUNT_H
