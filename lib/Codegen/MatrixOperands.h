//===- MatrixOperands.h - Ops that are matrix products ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_MATRIXOPERANDS_H
#define QCC_LIB_CODEGEN_MATRIXOPERANDS_H

#include "ConvShape.h"
#include "MatrixEpilogue.h"
#include "TransposedConv.h"

namespace qcc {

/// A product of an activation with constant weights, taken from a qnn.conv, a
/// qnn.matmul (which is a 1x1 convolution of a row of pixels) or a part of a
/// qnn.conv_transpose.
struct MatrixOperands {
  ConvShape shape;
  Factors factors = Factors::Float32;
  mlir::Value input, result, residual;
  /// The activations have the other sign than the level's dot product wants:
  /// their upper bit is flipped when they are loaded.
  bool flip = false;
  bool isSigned = false; ///< multiplied as they are, see keepSign()
  int64_t padding = 0;   ///< what padding holds, as stored (signed)

  // Weights: element (column, index) stands at
  // column * channelStride + index * elementStride, or where `part` says.
  int64_t channelStride = 0, elementStride = 1;
  std::optional<TransposedPart> part;
  /// Groups of the op in one of `shape`, with weights of zero between them.
  int64_t joinedGroups = 1;
  IntFilter intFilter;
  std::vector<float> floatFilter;
  std::vector<uint16_t> halfFilter; ///< instead, if halfType is there
  mlir::FloatType halfType;         ///< f16 or bf16

  // Per column of all filters: output channels, unless there is a part.
  std::vector<int32_t> offsets; ///< initial sums
  std::vector<float> scales;    ///< of the sums
  std::vector<float> biases;    ///< see MatrixEpilogue::hasBias
  /// What packed 8-bit weights stand above their real value; empty: nothing.
  /// Each sum then needs this times the sum of its row's activations off.
  std::vector<int32_t> zeroPoints;
  std::optional<int32_t> commonZeroPoint; ///< where they are all the same

  /// Elements from one row of the result's buffer to the next.
  int64_t resultPitch = 0;

  bool isInteger() const {
    return factors == Factors::Int8 || factors == Factors::Int16;
  }
  /// As MatrixPlan::unitBytes.
  int64_t weightUnitBytes() const {
    return halfType && factors == Factors::Float32 ? 2 : 4;
  }
  int64_t columns() const { return shape.oc * shape.phases; }
  /// Element `index` of a column in the filter; -1: a zero that is not there.
  int64_t weightAt(int64_t column, int64_t index) const;
  /// Where a column's scale and zero point stand among those of the filter.
  int64_t parameterOf(int64_t column) const {
    return part ? part->filterColumnOf(column) : column;
  }
  int64_t channelOf(int64_t column) const {
    return part ? part->channelOf(column) : column;
  }
  /// Of the tensor of results.
  int64_t resultChannels() const {
    return part ? part->resultChannels() : shape.oc;
  }
  /// Without zero points.
  int64_t intWeight(int64_t column, int64_t index) const {
    int64_t at = weightAt(column, index);
    return at < 0 ? 0 : intFilter.at(parameterOf(column), at);
  }
  int64_t packedWeight(int64_t column, int64_t index) const {
    return intWeight(column, index) +
           (zeroPoints.empty() ? 0 : zeroPoints[column]);
  }

  /// For kernels that multiply signed activations, too: flips nothing.
  void keepSign();

  MatrixEpilogue epilogue;
  qnn::LutOp table; ///< see MatrixEpilogue::hasTable; its result is `result`
  qnn::QuantizeOp quantize; ///< taken over likewise; null: nothing
  qnn::CastOp factorCast;   ///< see FactorCast.h; likewise
  qnn::BinaryOp sum;        ///< see MatrixEpilogue::Sum; likewise
  mlir::Value other;        ///< the term of `sum` that is no result

  /// Nothing where the kernel does not apply.
  static std::optional<MatrixOperands> match(mlir::Operation *op,
                                             const TargetLevel &level);
  static std::optional<MatrixOperands> match(qnn::ConvTransposeOp op,
                                             const TransposedPart &part,
                                             const TargetLevel &level);

private:
  void takeFollowers(mlir::Operation *op);
  bool matchConv(qnn::ConvOp op, const TargetLevel &level);
  bool matchMatmul(qnn::MatmulOp op, const TargetLevel &level);
  /// The parts that do not depend on the shape of the op. `axis` is the
  /// dimension of the weights that holds the output channel.
  bool matchArithmetic(mlir::Value weights, int64_t axis, mlir::Value bias,
                       qnn::ActivationAttr activation,
                       const TargetLevel &level);
  bool matchInteger(mlir::Value weights, int64_t axis, mlir::Value bias,
                    qnn::ActivationAttr activation, const TargetLevel &level);
  bool matchFloat(mlir::Value weights, int64_t axis, mlir::Value bias,
                  qnn::ActivationAttr activation);
  bool matchResidual();
  void takeSum(qnn::BinaryOp op);
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_MATRIXOPERANDS_H
