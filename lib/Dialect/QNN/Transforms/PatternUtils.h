//===- PatternUtils.h - What several simplifications look for ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DIALECT_QNN_TRANSFORMS_PATTERNUTILS_H
#define QCC_LIB_DIALECT_QNN_TRANSFORMS_PATTERNUTILS_H

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/IR/PatternMatch.h"

namespace qcc::qnn {

inline mlir::Type elementTypeOf(mlir::Value value) {
  return tensorTypeOf(value).getElementType();
}
inline bool isFloat(mlir::Value value) {
  return llvm::isa<mlir::FloatType>(elementTypeOf(value));
}

/// Rewrites what is in `op` until no pattern applies. MLIR's own limit of ten
/// sweeps, which deep models exceed, does not hold here; patterns that undo
/// each other are an error.
llvm::LogicalResult applyToFixpoint(mlir::Operation *op,
                                    mlir::RewritePatternSet &&patterns);

/// The number that all elements of a float constant are, if there is one.
std::optional<double> getUniform(mlir::Value value);

/// Whether two numbers are equal but for the rounding of constants of `type`.
bool isClose(double a, double b, mlir::Type type);

/// The constant `value` as one number per channel, where it broadcasts to
/// `shape` along no other dimension than `channelDim`.
std::optional<llvm::SmallVector<double>>
getChannelVector(mlir::Value value, llvm::ArrayRef<int64_t> shape,
                 int64_t channelDim);

/// A float constant of `type`, rounded from doubles.
mlir::Value createFloatConstant(mlir::OpBuilder &builder, mlir::Location loc,
                                mlir::RankedTensorType type,
                                llvm::ArrayRef<double> values,
                                llvm::StringRef name);

/// Adds `other` to the location of `op`, which now does its work as well.
void mergeLocation(mlir::Operation *op, mlir::Operation *other);

/// The `activation` of an op that can take one; null where `op` cannot, or has
/// none. `canTakeActivation`: has none and could.
ActivationAttr getActivation(mlir::Operation *op);
bool canTakeActivation(mlir::Operation *op);

/// unary(op) -> op with `activation`.
void populateFuseActivationPatterns(mlir::RewritePatternSet &patterns);
/// matmul(one_hot(i), W) -> gather(W, i).
void populateOneHotProduct(mlir::RewritePatternSet &patterns);
/// matmul(a, repeated b) -> one product per b.
void populateShareOperand(mlir::RewritePatternSet &patterns);
/// Chains of simple ops -> one unary op.
void populateActivationIdioms(mlir::RewritePatternSet &patterns);

} // namespace qcc::qnn

#endif // QCC_LIB_DIALECT_QNN_TRANSFORMS_PATTERNUTILS_H
