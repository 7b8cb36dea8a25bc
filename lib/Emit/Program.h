//===- Program.h - @main as a table --------------------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EMIT_PROGRAM_H
#define QCC_LIB_EMIT_PROGRAM_H

#include "mlir/IR/BuiltinOps.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "llvm/ADT/MapVector.h"

namespace qcc::emit {

/// Where a buffer lies.
struct BufferRef {
  enum Kind { Constant, Arena, Input, Output } kind = Arena;
  unsigned index = 0;  ///< of the constant, input or output
  uint64_t offset = 0; ///< in the arena
};

/// What an artefact tells about a tensor.
struct TensorDescription {
  std::string name;
  DType dtype = DType::Undefined;
  llvm::SmallVector<int64_t> shape;
  int32_t axis = -1; ///< of the scales; -1: one for all
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int32_t> zeroPoints;

  uint64_t byteSize() const;
};

struct ProgramStep {
  std::string kernel;
  std::string nodes;
  llvm::SmallVector<BufferRef> buffers;
  int64_t tiles = 0; ///< of a round
  int64_t rounds = 1;
  int64_t macs = 0;                  ///< multiply-accumulates of a contraction
  DType macsType = DType::Undefined; ///< of the factors: I8 or F32
  uint64_t bytes = 0;                ///< of all buffers
  uint64_t constantBytes = 0;        ///< of those that are constant
};

struct ProgramTensor {
  TensorDescription description;
  BufferRef buffer;
};

/// What holds for a kernel's argument at every call.
struct KernelArgument {
  uint64_t alignment = 64;
  uint64_t bytes = 0;
  bool overlaps = false; ///< another argument of a call
};

/// @main of one level.
struct Program {
  uint64_t arenaBytes = 0;
  std::vector<TensorDescription> inputs, outputs;
  std::vector<ProgramStep> steps;
  std::vector<ProgramTensor> tensors;
  std::vector<qnn::ConstantBytes> constants;
  llvm::MapVector<llvm::StringRef, llvm::SmallVector<KernelArgument>> kernels;
};

/// Reads @main; a diagnostic says what does not fit a table.
llvm::FailureOr<Program> readProgram(mlir::ModuleOp module, bool keepTensors);

/// Only the inputs and outputs of @main.
llvm::LogicalResult readInterface(mlir::ModuleOp module, Program &program);

} // namespace qcc::emit

#endif // QCC_LIB_EMIT_PROGRAM_H
