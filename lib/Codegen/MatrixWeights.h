//===- MatrixWeights.h - Where a panel's weights stand ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A level with wide vectors packs weights in wide panels, whose columns are in
// the order that its packs want. Levels with narrower vectors read the same
// panels, so that an artefact for several levels holds the weights once: the
// columns that a narrow vector wants are blocks of four of a wide panel.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_MATRIXWEIGHTS_H
#define QCC_LIB_CODEGEN_MATRIXWEIGHTS_H

#include "CodeBuilder.h"
#include "MatrixPlan.h"

namespace qcc {

/// The plan of the level whose packing `plan` shares; nothing where weights are
/// packed as `plan` says.
std::optional<MatrixPlan> sharedPacking(const MatrixPlan &plan);

/// The weights of one panel, for each unit of depth.
class MatrixWeights {
public:
  MatrixWeights(CodeBuilder &c, const MatrixPlan &plan, mlir::Value group,
                mlir::Value panel, unsigned vectors);
  /// Of one whose units follow each other from element `base` on.
  MatrixWeights(CodeBuilder &c, const MatrixPlan &plan, mlir::Value base,
                unsigned vectors);

  /// The given vector of the panel at a unit, floats as float32.
  mlir::Value load(mlir::Value buffer, mlir::Value unit, unsigned vector);

  /// Where the next panel starts, in a packing of the plan's own.
  mlir::Value end(int64_t units);

private:
  using Value = mlir::Value;

  void placeVectors(const MatrixPlan &plan, unsigned vectors);
  void locate(const MatrixPlan &plan, const MatrixPlan &wide, Value group,
              Value panel, unsigned vectors);

  CodeBuilder &c;
  const TargetLevel &level;
  Value base;  ///< the panel's first element
  Value pitch; ///< elements from one unit to the next
  /// Per vector, the places of its parts behind the start of a unit.
  llvm::SmallVector<llvm::SmallVector<Value>> parts;
  int64_t partElements; ///< of each part
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_MATRIXWEIGHTS_H
