//===- KernelCost.h - Cycles of a kernel, from its code ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The time of a kernel on a processor that is not there: its instructions are
// counted, loop by loop, with the bounds that a call gives them, and weighed
// by the rates of the level's processor (docs/costs.md).
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CODEGEN_KERNELCOST_H
#define QCC_CODEGEN_KERNELCOST_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "qcc/Target/TargetBackend.h"

namespace qcc {

/// Models the calls of a kernels-phase module whose functions of mathematics
/// are expanded (qcc-expand-math).
class KernelCost {
public:
  /// `level` must have costs; both must outlive this.
  KernelCost(mlir::ModuleOp module, const TargetLevel &level);

  /// Of a call in @main, on one thread.
  double cycles(mlir::func::CallOp call) const;

private:
  double memoryCycles(mlir::func::CallOp call) const;

  mlir::ModuleOp module;
  const TargetLevel &level;
  double constantBytes = 0; ///< of all calls
};

} // namespace qcc

#endif // QCC_CODEGEN_KERNELCOST_H
