//===- ModelFile.h - A model in memory -------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_MODELFILE_H
#define QCC_LIB_IMPORT_ONNX_MODELFILE_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Support/HostTensor.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <onnx/onnx_pb.h>

namespace qcc::import {

/// No tensor of a model may have more elements or dimensions than these.
constexpr int64_t kMaxElements = int64_t(1) << 40;
constexpr size_t kMaxRank = 32;

/// The number of elements of a shape; nothing if a dimension is negative or
/// the shape exceeds the limits.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape);

/// "2x3x4".
std::string shapeToString(llvm::ArrayRef<int64_t> shape);

/// The element type of an ONNX code, or Undefined; `codeName` for diagnostics.
DType dtypeOfCode(int32_t code);
llvm::StringRef codeName(int32_t code);

/// An ONNX value: the SSA value, and the ONNX element type, which differs from
/// the MLIR one for 4-bit integers (held in i8 and ui8).
struct Tensor {
  mlir::Value value;
  DType dtype = DType::Undefined;
};

using EmitError = llvm::function_ref<mlir::InFlightDiagnostic()>;

/// The parsed model and what its tensors point to. Constants made from it keep
/// it alive, so that weights are mapped, not copied.
class ModelFile : public std::enable_shared_from_this<ModelFile> {
public:
  /// Parses a model; `directory` is where external data lies. Where the model
  /// file is a link, `linkedDirectory` is the folder of the real file.
  static std::shared_ptr<ModelFile> parse(llvm::StringRef bytes,
                                          llvm::StringRef directory,
                                          llvm::StringRef linkedDirectory,
                                          EmitError emitError);

  const onnx::ModelProto &proto() const { return model; }

  /// A qnn.constant of the elements of `tensor`; null after an error.
  Tensor createConstant(mlir::OpBuilder &builder, mlir::Location loc,
                        const onnx::TensorProto &tensor, EmitError emitError);

private:
  std::optional<llvm::ArrayRef<char>>
  externalBytes(const onnx::TensorProto &tensor, size_t size,
                EmitError emitError);

  onnx::ModelProto model;
  std::string directory, linkedDirectory;
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> externalFiles;
};

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_MODELFILE_H
