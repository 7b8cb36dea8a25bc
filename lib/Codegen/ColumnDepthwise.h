//===- ColumnDepthwise.h - Integer depthwise by columns ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_COLUMNDEPTHWISE_H
#define QCC_LIB_CODEGEN_COLUMNDEPTHWISE_H

#include "ColumnDepthwisePlan.h"
#include "ElementwiseChain.h"
#include "ImageRows.h"
#include "qcc/Conversion/QNNToKernels/KernelEmitter.h"

namespace qcc {

/// An integer depthwise convolution whose kernel ColumnDepthwisePlan.h
/// describes.
struct ColumnDepthwise {
  IntConv conv;
  ColumnDepthwisePlan plan;
  qnn::LutOp table;   ///< taken over; null: nothing
  mlir::Value result; ///< of the op or of the table

  /// Nothing where there is no kernel of this kind.
  static std::optional<ColumnDepthwise> match(const DepthwisePart &part,
                                              const TargetLevel &level);
  std::string key() const;
  /// What the kernel takes besides input and result; takes the table over.
  llvm::SmallVector<mlir::Value> constants(KernelEmitter &emitter) const;
};

/// What a kernel whose zero point is known at run time does otherwise: its
/// results are sums of 32 bits and what a chain makes of them.
struct RuntimeSums {
  mlir::Value padding;   ///< what it holds, as the dot product wants it
  mlir::Value zeroPoint; ///< the same in 32 bits; biases are multiplied by it
  bool flips;            ///< the highest bit of what is read
  ChainEmitter *chain;
  RangeRecorder *recorder; ///< or null
};

class ColumnKernel {
public:
  /// All buffers are flat; `constants` as ColumnDepthwise::constants() has
  /// them.
  ColumnKernel(CodeBuilder &c, const ColumnDepthwisePlan &p,
               const TargetLevel &level, const IntConv &conv,
               const ImageRows &imageRows, mlir::Value input,
               mlir::Value result, mlir::ValueRange constants)
      : c(c), p(p), s(p.shape), level(level), conv(conv), imageRows(imageRows),
        input(input), weights(constants[0]), bias(constants[1]),
        scaling(constants.size() > 2 ? constants[2] : Value()), result(result),
        table(constants.size() > 3 ? constants[3] : Value()),
        slab(c.stack(element(), p.slabElements())),
        padding(mlir::arith::ConstantOp::create(
            c.b, c.loc, c.b.getIntegerAttr(element(), conv.inputPadding()))) {}

  /// `constants` then are weights and biases.
  void setSums(const RuntimeSums &given) {
    sums = &given;
    padding = given.padding;
  }

  void emit(mlir::Value begin, mlir::Value end);
  /// A group of output rows, for a slice of the channels; `to`: the first
  /// result of any channel.
  void tile(mlir::Value image, mlir::Value groupNumber, mlir::Value firstSlice,
            mlir::Value to);

private:
  using Value = mlir::Value;

  mlir::Type element() { return c.b.getIntegerType(p.bits); }
  /// A row of a bundle: where its channels start, and how padding replaces what
  /// is read for rows outside: (x & mask) | padding. Null: never outside.
  struct Row {
    Value start, mask, padding;
  };
  void fill(Value image, Value top, Value firstColumn, Value channel);
  void fillLines(Value image, Value top, Value firstColumn, Value channel,
                 Value slabAt);
  void fillRows(Value image, Value top, Value firstColumn, Value channel,
                Value slabAt, bool clipsRows);
  void fillSpread(llvm::ArrayRef<Row> rows, Value to, Value firstColumn);
  void fillColumn(llvm::ArrayRef<Row> rows, Value from, Value target);
  void fillPlane(llvm::ArrayRef<Row> rows, Value to, Value low, Value high,
                 Value firstColumn);
  void interleaveRun(llvm::ArrayRef<Row> rows, Value from, Value to,
                     int64_t count);
  void padColumns(Value to, Value low, Value high);
  void slice(Value image, Value groupNumber, Value number, Value to);
  void group(int64_t rowCount, Value slice, Value to);
  void vectors(int64_t rowCount, int64_t count, Value phase, Value at, Value to,
               int64_t valid);
  void storeSums(mlir::ValueRange vectors, int64_t valid, Value to);
  void dot(llvm::MutableArrayRef<Value> parts, mlir::ValueRange activations,
           mlir::ValueRange weights);

  CodeBuilder &c;
  const ColumnDepthwisePlan &p;
  const ConvShape &s;
  const TargetLevel &level;
  const IntConv &conv;
  ImageRows imageRows;
  Value input, weights, bias, scaling, result, table, slab;
  Value padding; ///< what it holds, an element()
  const RuntimeSums *sums = nullptr;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_COLUMNDEPTHWISE_H
