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

namespace qcc {

/// A product of an activation with constant weights, taken from a qnn.conv or
/// a qnn.matmul (which is a 1x1 convolution of a row of pixels).
struct MatrixOperands {
  ConvShape shape;
  Factors factors = Factors::Float32;
  mlir::Value input, result, residual;
  /// The activations have the other sign than the level's dot product wants:
  /// their upper bit is flipped when they are loaded.
  bool flip = false;
  bool isSigned = false; ///< multiplied as they are, see keepSign()
  int64_t padding = 0;   ///< what padding holds, as stored (signed)

  // Weights: element (channel, index) stands at
  // channel * channelStride + index * elementStride.
  int64_t channelStride = 0, elementStride = 1;
  IntFilter intFilter;
  std::vector<float> floatFilter;
  std::vector<uint16_t> halfFilter; ///< instead, if halfType is there
  mlir::FloatType halfType;         ///< f16 or bf16

  // Per output channel.
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
  int64_t packedWeight(int64_t channel, int64_t index) const {
    return intFilter.at(channel,
                        channel * channelStride + index * elementStride) +
           (zeroPoints.empty() ? 0 : zeroPoints[channel]);
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

private:
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
