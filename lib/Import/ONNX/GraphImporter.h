//===- GraphImporter.h - Walks graphs and functions ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_GRAPHIMPORTER_H
#define QCC_LIB_IMPORT_ONNX_GRAPHIMPORTER_H

#include "GraphOrder.h"
#include "Node.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <map>

namespace qcc::import {

/// Operator set versions by domain ("" is the default one).
using OpsetMap = llvm::StringMap<int64_t>;

/// The names of a graph or function body and what they mean.
struct Scope {
  const Scope *parent = nullptr; ///< the enclosing graph; none for functions
  const OpsetMap *opsets = nullptr;
  const Attributes *attributes = nullptr; ///< of the enclosing function
  std::string prefix; ///< of node names: "call/" inside functions
  mutable llvm::StringMap<Tensor> values; ///< null values are absent operands
  llvm::StringMap<const onnx::TensorProto *> initializers;
};

class GraphImporter {
public:
  GraphImporter(ModelFile &model, mlir::OpBuilder &builder,
                mlir::StringAttr fileName);

  /// The model's operator sets; fails on those that are not supported.
  llvm::LogicalResult readModel();
  const OpsetMap &modelOpsets() const { return opsets; }

  /// Registers the initializers of a graph; fails on duplicates.
  llvm::LogicalResult addInitializers(const onnx::GraphProto &graph,
                                      Scope &scope);
  /// Converts the nodes that the outputs need.
  llvm::LogicalResult importNodes(const NodeList &nodes,
                                  llvm::ArrayRef<llvm::StringRef> outputs,
                                  Scope &scope);
  /// The value of a name; nothing if it has none. A null value is that of an
  /// absent operand, or of an initializer that could not be read (reported).
  std::optional<Tensor> lookup(llvm::StringRef name, const Scope &scope);

  /// A problem of the whole model.
  mlir::InFlightDiagnostic error();
  mlir::Location fileLoc() const;

private:
  using FunctionKey = std::pair<std::string, std::string>;

  mlir::InFlightDiagnostic error(const onnx::NodeProto &node,
                                 const Scope &scope);
  mlir::Location locOf(const onnx::NodeProto &node, const Scope &scope) const;
  std::string nameOf(const onnx::NodeProto &node, const Scope &scope) const;
  int64_t opsetOf(llvm::StringRef domain, const Scope &scope) const;
  const onnx::FunctionProto *findFunction(const onnx::NodeProto &node) const;

  llvm::LogicalResult
  checkSupported(llvm::ArrayRef<const onnx::NodeProto *> nodes,
                 const Scope &scope);
  std::optional<Attributes> resolveAttributes(const onnx::NodeProto &node,
                                              const Scope &scope);
  llvm::LogicalResult importNode(const onnx::NodeProto &node,
                                 const llvm::StringSet<> &used, Scope &scope);
  // Control flow, see ControlFlow.cpp.
  static bool isControlFlow(llvm::StringRef opType);
  llvm::LogicalResult importControlFlow(const onnx::NodeProto &node,
                                        llvm::ArrayRef<Tensor> inputs,
                                        Scope &scope);
  /// The outputs of a graph attribute on these inputs; nothing after an error.
  std::optional<llvm::SmallVector<Tensor>>
  importBody(const onnx::NodeProto &node, llvm::StringRef name,
             const Attributes &attributes, llvm::ArrayRef<Tensor> inputs,
             Scope &scope);
  llvm::LogicalResult setOutputs(const onnx::NodeProto &node,
                                 llvm::ArrayRef<Tensor> results, Scope &scope);
  llvm::LogicalResult importIf(const onnx::NodeProto &node,
                               const Attributes &attributes,
                               llvm::ArrayRef<Tensor> inputs, Scope &scope);
  llvm::LogicalResult importLoop(const onnx::NodeProto &node,
                                 const Attributes &attributes,
                                 llvm::ArrayRef<Tensor> inputs, Scope &scope);
  llvm::LogicalResult importScan(const onnx::NodeProto &node,
                                 const Attributes &attributes,
                                 llvm::ArrayRef<Tensor> inputs, Scope &scope);
  llvm::LogicalResult importCall(const onnx::NodeProto &node,
                                 const onnx::FunctionProto &function,
                                 llvm::ArrayRef<Tensor> inputs, Scope &scope);

  ModelFile &model;
  mlir::OpBuilder &builder;
  mlir::StringAttr fileName;
  OpsetMap opsets;
  std::map<FunctionKey, const onnx::FunctionProto *> functions;
  llvm::SmallVector<const onnx::FunctionProto *> callStack;
  int64_t numImported = 0;
  bool hasFailed = false; ///< an initializer could not be read
};

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_GRAPHIMPORTER_H
