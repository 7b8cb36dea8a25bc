//===- Layers.h - The layers of a module and what they compute --*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What -report, explain and bisect share: two forms of a model (float and
// quantized, right and wrong) have layers of the same names.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_LAYERS_H
#define QCC_LIB_DRIVER_LAYERS_H

#include "mlir/IR/BuiltinOps.h"
#include "qcc/Support/ModelRunner.h"

namespace qcc {

/// An op that computes, under the name of the last node that it stands for.
struct Layer {
  std::string name;
  std::string nodes; ///< all of them, separated by ", "
  /// The product of integers, where the op became that and others behind it; of
  /// a cast to the node's type, what it casts.
  mlir::Operation *op = nullptr;
  /// What users of the layer see: behind quantize and dequantize, if those are
  /// all that use its result.
  mlir::Value value;
};

/// The names of the nodes that an op computes.
std::vector<std::string> getNodes(mlir::Operation *op);

/// The layers of @main with one result, in order; of those with one name the
/// last. Constants and casts are none, ops without a name neither.
std::vector<Layer> getLayers(mlir::ModuleOp module);

/// The real values that a tensor stands for.
std::vector<float> toFloats(const HostTensor &tensor, mlir::Type elementType);

/// A module that gives the values of `names` behind its own results.
mlir::OwningOpRef<mlir::ModuleOp>
exposeLayers(mlir::ModuleOp module, llvm::ArrayRef<std::string> names);

/// A module that gives the values of `names` alone, where every layer computes
/// from the values that further arguments (float, in the order of `names`) give
/// for the layers before it: each shows its own error alone.
mlir::OwningOpRef<mlir::ModuleOp>
isolateLayers(mlir::ModuleOp module, llvm::ArrayRef<std::string> names);

/// Signal and noise of a layer.
struct LayerError {
  double signal = 0, noise = 0;
  float largest = 0; ///< difference

  void add(llvm::ArrayRef<float> expected, llvm::ArrayRef<float> actual);
  /// In decibels, at most 200 (equal).
  double sqnr() const;
};

} // namespace qcc

#endif // QCC_LIB_DRIVER_LAYERS_H
