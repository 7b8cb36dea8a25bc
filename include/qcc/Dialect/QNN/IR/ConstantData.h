//===- ConstantData.h - Raw access to constant tensors ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_IR_CONSTANTDATA_H
#define QCC_DIALECT_QNN_IR_CONSTANTDATA_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Support/HostTensor.h"

#include <optional>

namespace qcc::qnn {

/// The storage type of an element: f32 -> f32, !quant.uniform<u8:...> -> ui8,
/// !quant.uniform<i8:...> -> i8 (signless).
mlir::Type getStorageType(mlir::Type elementType);

/// ONNX element code of the storage of an element type; Undefined if none.
DType getDType(mlir::Type elementType);
/// The reverse, for plain (not quantized) types: U8 -> ui8, I8 -> i8, Bool ->
/// i1.
mlir::Type getElementType(mlir::MLIRContext *context, DType dtype);

/// The bytes of a constant, row-major, little-endian, i1 and 4-bit
/// integers as one byte each. A splat is expanded. Maps dense_resource blobs
/// without a copy, unless they are not aligned to their elements.
class ConstantBytes {
public:
  llvm::ArrayRef<char> bytes() const { return view; }
  template <typename T> llvm::ArrayRef<T> as() const {
    return {reinterpret_cast<const T *>(view.data()), view.size() / sizeof(T)};
  }
  static std::optional<ConstantBytes> get(mlir::ElementsAttr attr);
  /// Of a value that a qnn.constant defines; nothing otherwise.
  static std::optional<ConstantBytes> get(mlir::Value value);

private:
  llvm::ArrayRef<char> view;
  std::shared_ptr<std::vector<char>> owned; ///< holds `view` where not mapped
};

/// An attribute of `type` (storage element type) that copies `bytes`: inline
/// for small tensors, a dense_resource named after `name` for large ones.
mlir::ElementsAttr makeElementsAttr(mlir::RankedTensorType type,
                                    llvm::ArrayRef<char> bytes,
                                    llvm::StringRef name = "constant");

/// Builds a qnn.constant of `type` (maybe quantized) from storage bytes.
ConstantOp createConstant(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::RankedTensorType type,
                          llvm::ArrayRef<char> bytes,
                          llvm::StringRef name = "constant");
/// Convenience: a float32 constant.
ConstantOp createConstant(mlir::OpBuilder &builder, mlir::Location loc,
                          llvm::ArrayRef<int64_t> shape,
                          llvm::ArrayRef<float> values);

/// Integers (any width, signed or not) of a constant, as int64; nothing when
/// `value` is no integer constant.
std::optional<llvm::SmallVector<int64_t>> getConstantInts(mlir::Value value);
/// Floats (f16, bf16, f32, f64) of a constant, as double.
std::optional<llvm::SmallVector<double>> getConstantFloats(mlir::Value value);

} // namespace qcc::qnn

#endif // QCC_DIALECT_QNN_IR_CONSTANTDATA_H
