//===- RangeRecorder.h - Ranges of what a kernel stores ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor that is quantized by a scale chosen at run time needs its smallest
// and its largest element first. A kernel that has the elements in registers
// notes them for each of its tiles, so that they are not read once more.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_RANGERECORDER_H
#define QCC_LIB_CODEGEN_RANGERECORDER_H

#include "../Conversion/QNNToKernels/LoopBuilder.h"
#include "CodeBuilder.h"

namespace qcc {

class RangeRecorder {
public:
  using Value = mlir::Value;

  /// The buffer [tiles][2] for the ranges of `tensor`, where an op will ask for
  /// them; else null.
  static Value bufferFor(Value tensor, int64_t tiles, KernelEmitter &emitter);
  /// What bufferFor() gave for the tensor that `tensor` is a view of.
  static Value rangesOf(Value tensor, KernelEmitter &emitter);

  /// `ranges`: that buffer in the kernel. Vectors have `lanes` elements.
  RangeRecorder(reference::LoopBuilder &b, int64_t lanes, Value ranges);

  void beginTile();
  /// The first `valid` elements of some vectors that follow each other.
  void add(mlir::ValueRange vectors, int64_t valid);
  void endTile(Value tile);

private:
  Value reduce(Value vector, bool isLargest);

  reference::LoopBuilder &b;
  CodeBuilder c;
  mlir::VectorType type;
  Value ranges, low, high; ///< low, high: on the stack
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_RANGERECORDER_H
