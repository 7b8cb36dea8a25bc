//===- ModelRunner.h - "Run this module on these samples" ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Calibration, constant folding and bisection execute the model in the
// compiler's process. They see only this interface; Driver implements it with
// the JIT and passes it down.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_MODELRUNNER_H
#define QCC_SUPPORT_MODELRUNNER_H

#include "mlir/IR/BuiltinOps.h"
#include "qcc/Support/HostTensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <memory>

namespace qcc {

/// The time of one kernel call.
struct StepTime {
  std::string nodes; ///< the names of the nodes it computes, ", " between them
  double seconds;
};

/// A compiled module, ready to run.
class ModelRunner {
public:
  virtual ~ModelRunner() = default;
  /// Runs @main once. Inputs and outputs are in the order of its arguments and
  /// results, with exactly their shapes; quantized tensors are storage
  /// integers.
  virtual llvm::Expected<std::vector<HostTensor>>
  run(llvm::ArrayRef<HostTensor> inputs) = 0;
  /// Runs @main once; the times of its kernel calls in order.
  virtual llvm::Expected<std::vector<StepTime>>
  profile(llvm::ArrayRef<HostTensor> inputs) {
    return llvm::createStringError("the runner measures no times");
  }
};

/// Compiles a qnn-level module (not modified) for this machine.
using ModelRunnerFactory =
    std::function<llvm::Expected<std::unique_ptr<ModelRunner>>(mlir::ModuleOp)>;

} // namespace qcc

#endif // QCC_SUPPORT_MODELRUNNER_H
