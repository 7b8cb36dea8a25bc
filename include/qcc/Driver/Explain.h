//===- Explain.h - Why a model is compiled as it is -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DRIVER_EXPLAIN_H
#define QCC_DRIVER_EXPLAIN_H

#include "mlir/IR/MLIRContext.h"
#include "qcc/Driver/Options.h"
#include "llvm/Support/raw_ostream.h"

namespace qcc {

/// qcc explain: prints each layer's precision and why it has it; only those
/// whose name contains `filter`.
llvm::LogicalResult explain(mlir::MLIRContext &context,
                            const CompileOptions &options,
                            llvm::StringRef filter, llvm::raw_ostream &os);

/// What qcc bisect compares.
struct BisectOptions {
  CompileOptions expected, actual; ///< models and how they are quantized
  /// "float", "qdq" (literal Q and DQ), "compiled" or "reference" (the plain
  /// loops) of each, or a target, whose artefact is run.
  std::string expectedForm = "float", actualForm = "compiled";
  std::string runner; ///< command in front of qcc-run's arguments, or empty
  std::string inputs; ///< samples, as -calib= takes; empty: those of -calib=
};

/// qcc bisect: gives each layer of the second what the first computed before
/// it, and names the first one that then differs by more than the others do.
llvm::LogicalResult bisect(mlir::MLIRContext &context,
                           const BisectOptions &options, llvm::raw_ostream &os);

} // namespace qcc

#endif // QCC_DRIVER_EXPLAIN_H
