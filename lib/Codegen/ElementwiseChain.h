//===- ElementwiseChain.h - Functions behind a kernel's result --*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel that produces vectors of consecutive real numbers (or 32-bit sums)
// can apply the elementwise ops behind it before it stores anything. Such a
// chain is found from either end without any state: the kernel is emitted when
// the conversion reaches the last op of the chain, and the others emit nothing.
// What no such kernel computes is read from memory by a kernel of the chain's
// own (ChainKernels.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_ELEMENTWISECHAIN_H
#define QCC_LIB_CODEGEN_ELEMENTWISECHAIN_H

#include "../Conversion/QNNToKernels/LoopBuilder.h"
#include "CodeBuilder.h"
#include "RangeRecorder.h"

namespace qcc {

class ElementwiseChain {
public:
  /// The longest chain behind `producer`, whose result holds f32 or i32.
  explicit ElementwiseChain(mlir::Operation *producer);

  /// The chain behind `producer`, which has its own kernel or, where it is
  /// elementwise, is the first link itself. Nothing for chains of fewer than
  /// two ops, but for the rounding of a factor (FactorCast.h).
  static std::optional<ElementwiseChain> fromMemory(mlir::Operation *producer);

  /// The op that starts the chain which `op` is in, if it is in one: `op`
  /// itself where it is no elementwise op.
  static mlir::Operation *producerOf(mlir::Operation *op);

  mlir::Operation *first() const { return producer; }
  /// Whether the producer has no ops behind it.
  bool empty() const { return ops.empty(); }
  /// What the first op is applied to.
  mlir::Value source() const { return start; }
  /// The last op, or the producer.
  mlir::Operation *last() const { return ops.empty() ? producer : ops.back(); }
  mlir::Value result() const { return last()->getResult(0); }
  /// The tensors that the ops combine the chained value with.
  llvm::ArrayRef<mlir::Value> operands() const { return others; }
  /// Whether `op` is one of its ops; a producer with its own kernel is not.
  bool contains(mlir::Operation *op) const;
  /// Whether it has functions that take dozens of instructions.
  bool isCostly() const;
  /// Whether one of operands() is the same for several rows.
  bool hasColumns() const;
  /// What code for the chain depends on besides the types of the buffers.
  std::string key() const;

private:
  friend class ChainEmitter;
  void append(mlir::Operation *op, mlir::Value chained);
  mlir::Operation *producer;
  mlir::Value start;
  llvm::SmallVector<mlir::Operation *> ops;
  llvm::SmallVector<mlir::Value> others;
};

/// Whether a function takes dozens of instructions.
bool isCostly(std::optional<qnn::UnaryKind> kind);

/// Emits a chain on vectors of consecutive elements of a row (the last
/// dimension of the result).
class ChainEmitter {
public:
  using Value = mlir::Value;

  /// `operands`: flat buffers of chain.operands(); `recorder` gets what is
  /// stored.
  ChainEmitter(reference::LoopBuilder &b, const TargetLevel &level,
               const ElementwiseChain &chain, mlir::ValueRange operands,
               RangeRecorder *recorder = nullptr)
      : b(b), c(b, b.getLoc()), level(level), chain(chain), operands(operands),
        recorder(recorder) {}

  /// What the chain makes of the first `count` elements of a vector; they stand
  /// at `position` of the tensor and at `column` of its row. A dequantization
  /// in front takes the integers less their zero point, as reals; a
  /// quantization, or a rounding to bf16, at the end is left to store().
  Value apply(Value value, int64_t count, Value position, Value column);
  /// Stores the first `count` results of vectors that follow each other.
  void store(mlir::ValueRange values, int64_t count, Value result,
             Value position, Value column) {
    store(values, count, result, position, position, column);
  }
  /// The same from element `to` of the result's buffer on.
  void store(mlir::ValueRange values, int64_t count, Value result, Value to,
             Value position, Value column);

private:
  Value apply(mlir::Operation *op, Value value, unsigned &nextOperand,
              int64_t count, Value position, Value column);
  Value loadOperand(unsigned number, mlir::VectorType type, int64_t count,
                    Value position, Value column);

  reference::LoopBuilder &b;
  CodeBuilder c;
  const TargetLevel &level;
  const ElementwiseChain &chain;
  mlir::ValueRange operands;
  RangeRecorder *recorder;
};

/// Requantizes vectors of f32 in units of the scale (`scaled`) and stores the
/// first `count` bytes in order.
void storeQuantized(CodeBuilder &c, const TargetLevel &level,
                    mlir::quant::UniformQuantizedType type,
                    mlir::ValueRange scaled, int64_t count, mlir::Value buffer,
                    mlir::Value at);
/// Bytes as packToBytes() leaves them, in the order of the vectors that were
/// packed.
mlir::Value inOrder(CodeBuilder &c, const TargetLevel &level, mlir::Value bytes,
                    unsigned vectors);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_ELEMENTWISECHAIN_H
