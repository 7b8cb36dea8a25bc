//===- ShareConstants.h - Constants of several levels -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_SHARECONSTANTS_H
#define QCC_LIB_DRIVER_SHARECONSTANTS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace qcc {

/// Lets the kernels modules of several levels share the memory of constants
/// that are equal, as packed weights are.
class ConstantSharing {
public:
  /// `model` is what the levels are made from; its constants are left alone.
  explicit ConstantSharing(mlir::ModuleOp model);

  /// Replaces large constants of `level` that an earlier level has by those,
  /// and frees their memory.
  void add(mlir::ModuleOp level);

private:
  using Blob = mlir::DialectResourceBlobManager::BlobEntry;

  llvm::DenseSet<Blob *> ofModel;
  llvm::DenseMap<uint64_t,
                 llvm::SmallVector<mlir::DenseResourceElementsHandle, 1>>
      byHash;
};

} // namespace qcc

#endif // QCC_LIB_DRIVER_SHARECONSTANTS_H
