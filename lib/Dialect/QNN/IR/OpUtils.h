//===- OpUtils.h - Shape and type checks shared by the ops ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DIALECT_QNN_IR_OPUTILS_H
#define QCC_LIB_DIALECT_QNN_IR_OPUTILS_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include <optional>

namespace qcc::qnn::detail {

/// No tensor may have more elements, and no attribute a larger value, than
/// arithmetic on int64 extents can take without overflow.
constexpr int64_t kMaxElements = int64_t(1) << 40;
constexpr int64_t kMaxExtent = (int64_t(1) << 31) - 1;

using Shape = llvm::SmallVector<int64_t, 6>;

/// Reports contradictions during shape inference, as `'qnn.conv' op ...`.
class InferenceError {
public:
  InferenceError(std::optional<mlir::Location> loc, llvm::StringRef opName)
      : loc(loc), opName(opName) {}
  template <typename... Args>
  llvm::LogicalResult operator()(Args &&...args) const {
    return mlir::emitOptionalError(loc, "'", opName, "' op ",
                                   std::forward<Args>(args)...);
  }

private:
  std::optional<mlir::Location> loc;
  llvm::StringRef opName;
};

inline mlir::RankedTensorType tensorType(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}
inline mlir::Type elementType(mlir::Value value) {
  return tensorType(value).getElementType();
}
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return tensorType(value).getShape();
}
inline bool isQuantized(mlir::Type type) {
  return llvm::isa<mlir::quant::QuantizedType>(type);
}
/// Width of the storage of a quantized type.
unsigned storageWidth(mlir::Type type);

/// "2x3x4", or "scalar".
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// Fails when a tensor of `shape` would be negative or beyond kMaxElements.
llvm::LogicalResult checkExtents(const InferenceError &error,
                                 llvm::ArrayRef<int64_t> shape);

/// NumPy broadcasting of two shapes; nothing when they are incompatible.
std::optional<Shape> broadcast(llvm::ArrayRef<int64_t> lhs,
                               llvm::ArrayRef<int64_t> rhs);

/// Whether every entry lies in [low, high].
bool allWithin(llvm::ArrayRef<int64_t> values, int64_t low, int64_t high);

/// Appends a result shape to an op's inferred components.
llvm::LogicalResult
addResult(const InferenceError &error,
          llvm::SmallVectorImpl<mlir::ShapedTypeComponents> &results,
          llvm::ArrayRef<int64_t> shape);

/// Strides, dilations, pads of a convolution or pool over `spatial` dims.
llvm::LogicalResult checkWindow(const InferenceError &error, int64_t spatial,
                                llvm::ArrayRef<int64_t> kernel,
                                llvm::ArrayRef<int64_t> strides,
                                llvm::ArrayRef<int64_t> dilations,
                                llvm::ArrayRef<int64_t> pads);

/// Fails when the scales of a per-axis type do not fit the tensor's shape.
llvm::LogicalResult verifyPerAxis(mlir::Operation *op,
                                  mlir::RankedTensorType type);

/// Fails unless every operand and result has the element type of operand 0.
llvm::LogicalResult verifySameElementType(mlir::Operation *op);

/// Type rules of conv, conv_transpose and matmul: see their descriptions.
/// `weightAxis` is the only axis of `weight` that may carry scales.
llvm::LogicalResult verifyContraction(mlir::Operation *op, mlir::Value input,
                                      mlir::Value weight, mlir::Value bias,
                                      mlir::Value residual, int64_t weightAxis,
                                      bool hasActivation);

/// Fails where `axis` is no dimension of a tensor of this rank.
inline llvm::LogicalResult checkAxis(const InferenceError &error, int64_t axis,
                                     int64_t rank) {
  if (axis < 0 || axis >= rank)
    return error("has axis ", axis, ", beyond a tensor of rank ", rank);
  return llvm::success();
}

} // namespace qcc::qnn::detail

/// The head of an op's shape inference, with what bodies call its arguments.
#define QNN_INFER(OP)                                                          \
  llvm::LogicalResult OP::inferReturnTypeComponents(                           \
      mlir::MLIRContext *, std::optional<mlir::Location> loc, Adaptor adaptor, \
      llvm::SmallVectorImpl<mlir::ShapedTypeComponents> &results)

#endif // QCC_LIB_DIALECT_QNN_IR_OPUTILS_H
