//===- GraphBuilder.h - Nodes and names of an ONNX graph -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EXPORT_ONNX_GRAPHBUILDER_H
#define QCC_LIB_EXPORT_ONNX_GRAPHBUILDER_H

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"
#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"
#include "llvm/ADT/StringSet.h"

#include <onnx/onnx_pb.h>

#include <string>
#include <variant>

namespace qcc::onnx_export {

/// An attribute of a node.
struct NodeAttr {
  const char *name;
  std::variant<int64_t, float, std::string, llvm::SmallVector<int64_t>,
               llvm::SmallVector<float>, llvm::SmallVector<std::string>,
               const onnx::GraphProto *>
      value;
};

/// Builds the nodes of one graph. Names of values are strings.
class GraphBuilder {
public:
  GraphBuilder(onnx::GraphProto &graph, int64_t opset)
      : graph(graph), opsetVersion(opset) {}

  int64_t opset() const { return opsetVersion; }
  /// New nodes and values get names that begin with this.
  void setScope(std::string name) { scope = std::move(name); }

  /// Name of the value; it must have been defined.
  std::string name(mlir::Value value) const { return names.lookup(value); }
  void define(mlir::Value value, std::string name) { names[value] = name; }
  bool isDefined(mlir::Value value) const { return names.contains(value); }
  /// A name that no other value has.
  std::string uniqueName(llvm::StringRef hint);

  /// Appends a node with one output and returns the output's name.
  std::string node(const char *type, llvm::ArrayRef<std::string> inputs,
                   llvm::ArrayRef<NodeAttr> attributes = {});
  /// The same with several outputs.
  std::vector<std::string>
  nodes(const char *type, llvm::ArrayRef<std::string> inputs, unsigned outputs,
        llvm::ArrayRef<NodeAttr> attributes = {}, llvm::StringRef domain = {});

  /// Gives the node that was appended last the name of the scope itself.
  void nameLastNode();
  /// Appends an Identity that gives `source` the name `output`.
  void alias(const std::string &output, const std::string &source);

  /// Adds a function of the file, with a name that begins with `hint`, unless
  /// there is an equal one. Returns its name.
  std::string addFunction(onnx::FunctionProto function, llvm::StringRef hint);
  const std::vector<onnx::FunctionProto> &functions() const {
    return functionProtos;
  }

  std::string initializer(llvm::StringRef hint, DType dtype,
                          llvm::ArrayRef<int64_t> shape,
                          llvm::ArrayRef<char> bytes);
  /// The same, or one from here that is equal: unrolled loops have many layers
  /// with the same weights.
  std::string sharedInitializer(llvm::StringRef hint, DType dtype,
                                llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<char> bytes);
  std::string ints(llvm::StringRef hint, llvm::ArrayRef<int64_t> values);
  std::string floats(llvm::StringRef hint, llvm::ArrayRef<float> values);
  std::string scalar(float value);

private:
  onnx::GraphProto &graph;
  int64_t opsetVersion;
  std::string scope;
  llvm::DenseMap<mlir::Value, std::string> names;
  llvm::StringSet<> taken;
  /// Numbers of the shared initializers, by the hash of their bytes.
  llvm::DenseMap<uint64_t, llvm::SmallVector<int, 1>> shared;
  llvm::StringSet<> takenNodes;
  llvm::StringSet<> takenFunctions;
  std::vector<onnx::FunctionProto> functionProtos;
  llvm::StringMap<std::string> functionNames; ///< by the bytes without a name
};

/// Appends the nodes of `op` and defines its results; false if there is no
/// ONNX form.
bool exportOp(GraphBuilder &graph, mlir::Operation *op);
/// Those of casts and quantization.
bool exportCast(GraphBuilder &graph, mlir::Operation *op);
/// DequantizeLinear of a value of the quantized type `element`, which has
/// `leadingDims` dimensions in front of those that the type is for. Nothing
/// where the type has no form in ONNX.
std::optional<std::string> exportDequantize(GraphBuilder &graph,
                                            mlir::Type element,
                                            const std::string &input,
                                            int64_t leadingDims = 0);
/// Weights in blocks as real numbers, depth x columns; nothing for zero points
/// that are no integers.
std::optional<std::string> exportBlockWeights(GraphBuilder &graph,
                                              qnn::BlockMatmulOp op);
/// One direction of a recurrent layer.
bool exportRecurrence(GraphBuilder &graph, qnn::RecurrenceOp op);
/// One with quantized weights and so quantized states, as the call of a
/// function.
bool exportQuantizedRecurrence(GraphBuilder &graph, qnn::RecurrenceOp op);
/// Its attributes as LSTM, GRU and RNN have them; nothing where a function has
/// no name there.
std::optional<llvm::SmallVector<NodeAttr>>
getRecurrenceAttributes(qnn::RecurrenceOp op);
/// The values that its nodes refer to.
void collectOperands(qnn::RecurrenceOp op,
                     llvm::SmallVectorImpl<mlir::Value> &operands);
/// A function of one number, as in qnn.unary; nothing where ONNX has none.
std::optional<std::string> exportUnary(GraphBuilder &graph, qnn::UnaryKind kind,
                                       float alpha, float beta,
                                       const std::string &input);

} // namespace qcc::onnx_export

#endif // QCC_LIB_EXPORT_ONNX_GRAPHBUILDER_H
