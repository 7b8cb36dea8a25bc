//===- QuantTypes.h - Work with quantized tensor types ----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_TRANSFORMS_QUANTTYPES_H
#define QCC_DIALECT_QNN_TRANSFORMS_QUANTTYPES_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Support/QuantMath.h"

namespace qcc::qnn {

inline mlir::RankedTensorType tensorTypeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return tensorTypeOf(value).getShape();
}

inline int64_t rankOf(mlir::Value value) {
  return tensorTypeOf(value).getRank();
}

/// Parameters of a per-tensor type.
QuantParams getQuantParams(mlir::quant::UniformQuantizedType type);

/// The element type of `value` where it is quantized per tensor to 8-bit
/// storage, as activations are; null otherwise.
mlir::quant::UniformQuantizedType getActivationType(mlir::Value value);

/// The same for 8- or 16-bit storage, as kernels of convolutions and products
/// take them.
mlir::quant::UniformQuantizedType getIntActivationType(mlir::Value value);

/// Whether there are kernels of `op` for activations of 16 bits. Volumes,
/// products of two activations and groups but most depthwise ones have none.
bool hasInt16Kernel(mlir::Operation *op);

/// Scales and zero points of a per-tensor (one entry) or per-axis type.
struct ChannelParams {
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int64_t> zeroPoints;
  int64_t axis = -1; ///< -1: per tensor

  float scale(size_t channel) const {
    return scales[scales.size() == 1 ? 0 : channel];
  }
  int64_t zeroPoint(size_t channel) const {
    return zeroPoints[zeroPoints.size() == 1 ? 0 : channel];
  }
  /// Nothing for other types than uniform per-tensor and per-axis ones.
  static std::optional<ChannelParams> get(mlir::Type elementType);
};

/// A 32-bit accumulator type with the given scales and zero points 0.
mlir::Type getAccumulatorType(mlir::MLIRContext *context,
                              llvm::ArrayRef<float> scales, int64_t axis);

/// `elementType` for a tensor whose dimension i was dimension `permutation[i]`.
mlir::Type permuteElementType(mlir::Type elementType,
                              llvm::ArrayRef<int64_t> permutation);

/// `elementType` for the same elements under another shape; null where the
/// quantized dimension does not survive.
mlir::Type reshapeElementType(mlir::Type elementType,
                              llvm::ArrayRef<int64_t> from,
                              llvm::ArrayRef<int64_t> to);

/// The result of `unary kind(x)` before `quantize` to `type`: which part of the
/// saturation range it leaves, as storage values; nothing where `kind` is no
/// clamp. quantize(clamp(x)) == clamp(quantize(x)) because quantize is
/// monotonic.
std::optional<std::pair<int64_t, int64_t>>
getClampRange(UnaryKind kind, float alpha, float beta,
              mlir::quant::UniformQuantizedType type);

/// Whether `kind` clamps only what the quantization to `type` clamps anyway.
bool isImpliedBySaturation(UnaryKind kind, float alpha, float beta,
                           mlir::quant::UniformQuantizedType type);

/// `constant` (any element type) with its dimensions permuted; null when its
/// bytes cannot be read.
mlir::Value transposeConstant(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::Value constant,
                              llvm::ArrayRef<int64_t> permutation);
/// `constant` under another shape; null when its bytes cannot be read or its
/// quantized dimension does not survive.
mlir::Value reshapeConstant(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value constant,
                            llvm::ArrayRef<int64_t> shape);

/// The one quantized type to which every user of `value` quantizes it; null
/// where there is none.
mlir::quant::UniformQuantizedType getCommonQuantizedType(mlir::Value value);

} // namespace qcc::qnn

#endif // QCC_DIALECT_QNN_TRANSFORMS_QUANTTYPES_H
