//===- Node.h - A node under conversion ------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a converter sees of the ONNX node, and how it builds ops. Errors are
// sticky: the first one is reported, later accessors give defaults and later
// ops are not built (null values), so that converters need to check only
// before they look into a value they have just made.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_NODE_H
#define QCC_LIB_IMPORT_ONNX_NODE_H

#include "ModelFile.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include "llvm/ADT/BitVector.h"

namespace qcc::import {

using mlir::RankedTensorType;
using mlir::Type;
using mlir::Value;

/// The attributes of a node by name, references to those of the enclosing
/// function resolved.
using Attributes = llvm::StringMap<const onnx::AttributeProto *>;

class Node {
public:
  Node(const onnx::NodeProto &proto, llvm::StringRef domain, int64_t opset,
       Attributes attributes, ModelFile &model, mlir::OpBuilder &builder,
       mlir::Location loc, llvm::StringRef name);

  // The ONNX node.
  llvm::StringRef name() const { return nodeName; }
  llvm::StringRef opType() const { return proto.op_type(); }
  llvm::StringRef domain() const { return nodeDomain; }
  int64_t opset() const { return version; }

  /// Reports a problem of this node and marks it as failed. After the first
  /// report the result swallows its text.
  mlir::InFlightDiagnostic error();
  bool failed() const { return hasFailed; }

  // Operands.
  unsigned numInputs() const { return inputs.size(); }
  bool has(unsigned i) const { return i < inputs.size() && inputs[i].value; }
  Value in(unsigned i) const { return has(i) ? inputs[i].value : Value(); }
  DType dtype(unsigned i) const {
    return has(i) ? inputs[i].dtype : DType::Undefined;
  }
  RankedTensorType type(unsigned i) const {
    return mlir::cast<RankedTensorType>(inputs[i].value.getType());
  }
  llvm::ArrayRef<int64_t> shape(unsigned i) const { return type(i).getShape(); }
  int64_t rank(unsigned i) const { return type(i).getRank(); }
  Type elementType(unsigned i) const { return type(i).getElementType(); }
  void addInput(Tensor tensor) { inputs.push_back(tensor); }
  /// Replaces operand `i` by one of the same element type.
  void setInput(unsigned i, Value value) { inputs[i].value = value; }
  /// The integers of a constant operand; an error that names `what` if it is
  /// computed at run time.
  llvm::SmallVector<int64_t> constantInts(unsigned i, llvm::StringRef what);
  /// The same for floats.
  llvm::SmallVector<double> constantFloats(unsigned i, llvm::StringRef what);

  // Results.
  unsigned numOutputs() const { return proto.output_size(); }
  bool wantsOutput(unsigned i) const { return i < wanted.size() && wanted[i]; }
  void setWanted(unsigned i) { wanted.set(i); }
  /// `dtype` need only be given for 4-bit integers.
  void setOutput(unsigned i, Value value, DType dtype = DType::Undefined);
  Tensor output(unsigned i) const { return outputs[i]; }

  // Attributes: a default where absent, an error where of another type.
  bool hasAttr(llvm::StringRef name) const { return attributes.contains(name); }
  /// An error where there is an attribute that is not among `known`.
  void expectAttrs(llvm::ArrayRef<llvm::StringRef> known);
  int64_t intAttr(llvm::StringRef name, int64_t defaultValue);
  int64_t requiredIntAttr(llvm::StringRef name);
  bool boolAttr(llvm::StringRef name, bool defaultValue = false) {
    return intAttr(name, defaultValue) != 0;
  }
  float floatAttr(llvm::StringRef name, float defaultValue);
  llvm::StringRef stringAttr(llvm::StringRef name,
                             llvm::StringRef defaultValue);
  llvm::SmallVector<int64_t> intsAttr(llvm::StringRef name);
  llvm::SmallVector<float> floatsAttr(llvm::StringRef name);
  llvm::SmallVector<llvm::StringRef> stringsAttr(llvm::StringRef name);
  /// The constant of a tensor attribute; null where absent.
  Tensor tensorAttr(llvm::StringRef name);
  const onnx::GraphProto *graphAttr(llvm::StringRef name);
  /// An axis in [-rank, rank) as one in [0, rank); an error outside.
  int64_t normalizeAxis(int64_t axis, int64_t rank);
  /// Sorted and without duplicates.
  llvm::SmallVector<int64_t> normalizeAxes(llvm::ArrayRef<int64_t> axes,
                                           int64_t rank);

  // Building. All give a null value after an error.
  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() const { return loc; }
  mlir::MLIRContext *getContext() { return builder.getContext(); }

  /// Builds an op with one result of this element type, infers its shape,
  /// verifies and folds it.
  template <typename OpTy, typename... Args>
  Value create(Type elementType, Args &&...args) {
    if (failed())
      return {};
    return finish(OpTy::create(builder, loc,
                               RankedTensorType::get({}, elementType),
                               std::forward<Args>(args)...));
  }
  /// Infers, verifies and folds an op built by other means.
  Value finish(mlir::Operation *op) {
    return finishAll(op) ? folded.front() : Value();
  }
  /// The same for an op with several results, which are then in `results`.
  bool finishAll(mlir::Operation *op);
  llvm::ArrayRef<Value> results() const { return folded; }

  Value unary(qnn::UnaryKind kind, Value x, float alpha = 0, float beta = 0);
  /// Operands of one element type; comparisons give i1.
  Value binary(qnn::BinaryKind kind, Value lhs, Value rhs);
  Value cast(Value x, Type elementType);
  Value reduce(qnn::ReduceKind kind, Value x, llvm::ArrayRef<int64_t> axes,
               bool keepdims);
  Value select(Value condition, Value onTrue, Value onFalse);
  // Data movement; a 4-bit or quantized tensor in plain storage is moved as
  // what it is, so that quantize and dequantize meet again behind it.
  Value reshape(Value x, llvm::ArrayRef<int64_t> shape);
  Value transpose(Value x, llvm::ArrayRef<int64_t> permutation);
  Value expand(Value x, llvm::ArrayRef<int64_t> shape);
  Value slice(Value x, llvm::ArrayRef<int64_t> starts,
              llvm::ArrayRef<int64_t> sizes, llvm::ArrayRef<int64_t> steps);
  Value concat(llvm::ArrayRef<Value> xs, int64_t axis);
  Value gather(Value x, Value indices, int64_t axis);
  template <typename OpTy, typename... Args>
  Value move(Value x, Args &&...args) {
    if (failed())
      return {};
    Value source = withoutStorageCast(x);
    Value moved = create<OpTy>(elementTypeOf(source), source,
                               std::forward<Args>(args)...);
    return toStorage(moved);
  }
  /// A quantized tensor as plain storage integers; others as they are.
  Value toStorage(Value x);
  /// What a storage_cast to plain integers was made from, else `x`. Only for
  /// per-tensor types, which hold whatever the shape becomes.
  static Value withoutStorageCast(Value x);

  /// [N, spatial..., C] -> [N, C, spatial...], and back.
  Value toChannelsFirst(Value x);
  Value toChannelsLast(Value x);

  // Constants.
  Value constant(llvm::ArrayRef<int64_t> shape, Type elementType,
                 llvm::ArrayRef<char> bytes);
  /// A constant of this element type, of floating point.
  Value reals(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values,
              Type elementType);
  /// One number in every element; element type float or integer.
  Value splat(llvm::ArrayRef<int64_t> shape, Type elementType, double number);
  /// A rank-0 constant of the element type of `x`.
  Value scalarLike(Value x, double number);
  Value ints(llvm::ArrayRef<int64_t> values);
  Value ints(llvm::ArrayRef<int64_t> values, llvm::ArrayRef<int64_t> shape);
  /// 0, step, 2 * step... `count` times, as a tensor of `shape`.
  Value iota(int64_t count, llvm::ArrayRef<int64_t> shape, int64_t step = 1);

  static RankedTensorType typeOf(Value x) {
    return mlir::cast<RankedTensorType>(x.getType());
  }
  static Type elementTypeOf(Value x) { return typeOf(x).getElementType(); }
  static llvm::ArrayRef<int64_t> shapeOf(Value x) {
    return typeOf(x).getShape();
  }

private:
  mlir::InFlightDiagnostic notConstant(unsigned i, llvm::StringRef what);
  const onnx::AttributeProto *
  attribute(llvm::StringRef name, onnx::AttributeProto::AttributeType type);

  const onnx::NodeProto &proto;
  llvm::StringRef nodeDomain;
  int64_t version;
  Attributes attributes;
  ModelFile &model;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  std::string nodeName;
  llvm::SmallVector<Tensor> inputs, outputs;
  llvm::BitVector wanted;
  llvm::SmallVector<Value, 3> folded;
  bool hasFailed = false;
};

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_NODE_H
