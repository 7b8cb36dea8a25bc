//===- Node.cpp - Attributes of a node, building of ops ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "ConstantOperand.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// Folding may not make a constant larger than this, or than its operands: a
/// small model must not blow up in the compiler's memory.
static constexpr int64_t kMaxFoldedElements = int64_t(1) << 20;
/// Nor may an operator make one from a mere shape, nor a table of positions.
static constexpr int64_t kMaxGeneratedElements = int64_t(1) << 28;
static constexpr int64_t kMaxPositions = int64_t(1) << 24;

Node::Node(const onnx::NodeProto &proto, StringRef domain, int64_t opset,
           Attributes attributes, ModelFile &model, OpBuilder &builder,
           Location loc, StringRef name)
    : proto(proto), nodeDomain(domain), version(opset),
      attributes(std::move(attributes)), model(model), builder(builder),
      loc(loc), nodeName(name), outputs(proto.output_size()),
      wanted(proto.output_size()) {}

InFlightDiagnostic Node::error() {
  InFlightDiagnostic diag = emitError(loc);
  if (hasFailed)
    diag.abandon();
  hasFailed = true;
  diag << "node \"" << nodeName << "\" (" << opType() << "): ";
  return diag;
}

InFlightDiagnostic Node::notConstant(unsigned i, StringRef what) {
  InFlightDiagnostic diag = error();
  diag << "operand " << i << " (" << what << ") is computed at run time, but "
       << "must be constant; bind symbolic dimensions with -shape, or simplify "
          "the model";
  return diag;
}

SmallVector<int64_t> Node::constantInts(unsigned i, StringRef what) {
  if (!has(i))
    return {};
  if (auto values = getConstantInts(foldConstant(builder, in(i))))
    return *values;
  if (!isa<IntegerType>(elementType(i)))
    error() << "operand " << i << " (" << what << ") must hold integers";
  else
    notConstant(i, what);
  return {};
}

SmallVector<double> Node::constantFloats(unsigned i, StringRef what) {
  if (!has(i))
    return {};
  if (auto values = getConstantFloats(foldConstant(builder, in(i))))
    return *values;
  if (!isa<FloatType>(elementType(i)))
    error() << "operand " << i << " (" << what << ") must hold floats";
  else
    notConstant(i, what);
  return {};
}

void Node::setOutput(unsigned i, Value value, DType dtype) {
  if (failed() || !value || i >= outputs.size())
    return;
  if (dtype == DType::Undefined)
    dtype = getDType(elementTypeOf(value));
  outputs[i] = {value, dtype};
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// The type of an attribute; writers of old models leave it out.
static onnx::AttributeProto::AttributeType
typeOfAttribute(const onnx::AttributeProto &attribute) {
  using Proto = onnx::AttributeProto;
  if (attribute.has_type() && attribute.type() != Proto::UNDEFINED)
    return attribute.type();
  if (attribute.has_f())
    return Proto::FLOAT;
  if (attribute.has_i())
    return Proto::INT;
  if (attribute.has_s())
    return Proto::STRING;
  if (attribute.has_t())
    return Proto::TENSOR;
  if (attribute.has_g())
    return Proto::GRAPH;
  if (attribute.floats_size())
    return Proto::FLOATS;
  if (attribute.ints_size())
    return Proto::INTS;
  if (attribute.strings_size())
    return Proto::STRINGS;
  return Proto::UNDEFINED;
}

const onnx::AttributeProto *
Node::attribute(StringRef name, onnx::AttributeProto::AttributeType type) {
  auto it = attributes.find(name);
  if (it == attributes.end())
    return nullptr;
  onnx::AttributeProto::AttributeType actual = typeOfAttribute(*it->second);
  if (actual == type)
    return it->second;
  // An empty list carries no type in old models.
  bool isList = type == onnx::AttributeProto::INTS ||
                type == onnx::AttributeProto::FLOATS ||
                type == onnx::AttributeProto::STRINGS;
  if (isList && actual == onnx::AttributeProto::UNDEFINED)
    return it->second;
  error() << "attribute \"" << name << "\" is of type "
          << onnx::AttributeProto::AttributeType_Name(actual) << ", expected "
          << onnx::AttributeProto::AttributeType_Name(type);
  return nullptr;
}

int64_t Node::intAttr(StringRef name, int64_t defaultValue) {
  const auto *found = attribute(name, onnx::AttributeProto::INT);
  return found ? found->i() : defaultValue;
}

int64_t Node::requiredIntAttr(StringRef name) {
  if (!hasAttr(name))
    error() << "attribute \"" << name << "\" is missing";
  return intAttr(name, 0);
}

void Node::expectAttrs(ArrayRef<StringRef> known) {
  // The first by name, whatever the order of the map.
  StringRef unknown;
  for (StringRef name : attributes.keys())
    if (!llvm::is_contained(known, name) && (unknown.empty() || name < unknown))
      unknown = name;
  if (!unknown.empty())
    error() << "attribute \"" << unknown << "\" is unknown";
}

float Node::floatAttr(StringRef name, float defaultValue) {
  const auto *found = attribute(name, onnx::AttributeProto::FLOAT);
  return found ? found->f() : defaultValue;
}

StringRef Node::stringAttr(StringRef name, StringRef defaultValue) {
  const auto *found = attribute(name, onnx::AttributeProto::STRING);
  return found ? StringRef(found->s()) : defaultValue;
}

SmallVector<int64_t> Node::intsAttr(StringRef name) {
  const auto *found = attribute(name, onnx::AttributeProto::INTS);
  if (!found)
    return {};
  return SmallVector<int64_t>(found->ints().begin(), found->ints().end());
}

SmallVector<float> Node::floatsAttr(StringRef name) {
  const auto *found = attribute(name, onnx::AttributeProto::FLOATS);
  if (!found)
    return {};
  return SmallVector<float>(found->floats().begin(), found->floats().end());
}

SmallVector<StringRef> Node::stringsAttr(StringRef name) {
  const auto *found = attribute(name, onnx::AttributeProto::STRINGS);
  if (!found)
    return {};
  return SmallVector<StringRef>(found->strings().begin(),
                                found->strings().end());
}

Tensor Node::tensorAttr(StringRef name) {
  const auto *found = attribute(name, onnx::AttributeProto::TENSOR);
  if (!found || failed())
    return {};
  Tensor tensor =
      model.createConstant(builder, loc, found->t(), [&] { return error(); });
  return failed() ? Tensor() : tensor;
}

const onnx::GraphProto *Node::graphAttr(StringRef name) {
  const auto *found = attribute(name, onnx::AttributeProto::GRAPH);
  return found ? &found->g() : nullptr;
}

int64_t Node::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    error() << "axis " << axis << " is outside of [" << -rank << ", "
            << rank - 1 << "] for a tensor of rank " << rank;
    return 0;
  }
  return axis < 0 ? axis + rank : axis;
}

SmallVector<int64_t> Node::normalizeAxes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes)
    result.push_back(normalizeAxis(axis, rank));
  llvm::sort(result);
  if (!failed() &&
      std::adjacent_find(result.begin(), result.end()) != result.end())
    error() << "an axis is named twice";
  return failed() ? SmallVector<int64_t>() : result;
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

bool Node::finishAll(Operation *op) {
  folded.clear();
  std::string problem;
  {
    // Verifiers speak of qnn ops; the user wants to hear of the ONNX node.
    ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &diag) {
      if (problem.empty() && diag.getSeverity() == DiagnosticSeverity::Error)
        problem = diag.str();
      return success();
    });
    bool infers = isa<InferShapedTypeOpInterface>(op);
    if (!infers || succeeded(refineResultShapes(op))) {
      for (Value result : op->getResults())
        if (!countElements(shapeOf(result)) && problem.empty())
          problem = "the result would have shape " +
                    shapeToString(shapeOf(result)) +
                    ", which is negative or too large (at most 2^40 elements "
                    "in 32 dimensions)";
      if (problem.empty() && mlir::failed(mlir::verify(op, false)) &&
          problem.empty())
        problem = "invalid operands or attributes";
    } else if (problem.empty()) {
      problem = "the shapes of the operands do not fit together";
    }
  }
  if (!problem.empty()) {
    op->erase();
    StringRef text = problem;
    if (text.starts_with("'qnn."))
      text = text.substr(std::min(text.find("' op "), text.size() - 5) + 5);
    error() << text;
    return false;
  }

  int64_t operandElements = 0, resultElements = 0;
  for (Value operand : op->getOperands())
    if (isa_and_nonnull<ConstantOp>(operand.getDefiningOp()))
      operandElements += *countElements(shapeOf(operand));
  for (Value result : op->getResults())
    resultElements += *countElements(shapeOf(result));
  SmallVector<Value> values;
  if (resultElements <= std::max(kMaxFoldedElements, operandElements) &&
      succeeded(builder.tryFold(op, values)) && !values.empty()) {
    folded.assign(values.begin(), values.end());
    op->erase();
    return true;
  }
  folded.assign(op->result_begin(), op->result_end());
  return true;
}

Value Node::unary(UnaryKind kind, Value x, float alpha, float beta) {
  if (failed())
    return {};
  Type type = elementTypeOf(x);
  if (kind == UnaryKind::IsNaN)
    type = builder.getI1Type();
  return create<UnaryOp>(type, kind, x, llvm::APFloat(alpha),
                         llvm::APFloat(beta));
}

Value Node::binary(BinaryKind kind, Value lhs, Value rhs) {
  if (failed())
    return {};
  if (elementTypeOf(lhs) != elementTypeOf(rhs)) {
    error() << "operands of different types " << elementTypeOf(lhs) << " and "
            << elementTypeOf(rhs);
    return {};
  }
  bool isComparison = kind == BinaryKind::Equal || kind == BinaryKind::Less ||
                      kind == BinaryKind::LessEqual ||
                      kind == BinaryKind::Greater ||
                      kind == BinaryKind::GreaterEqual;
  Type type = isComparison ? builder.getI1Type() : elementTypeOf(lhs);
  return create<BinaryOp>(type, kind, lhs, rhs, ActivationAttr());
}

Value Node::cast(Value x, Type elementType) {
  if (failed())
    return {};
  if (elementTypeOf(x) == elementType)
    return x;
  return create<CastOp>(elementType, x);
}

Value Node::reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes,
                   bool keepdims) {
  if (failed())
    return {};
  return create<ReduceOp>(elementTypeOf(x), kind, x, axes, keepdims);
}

Value Node::select(Value condition, Value onTrue, Value onFalse) {
  if (failed())
    return {};
  return create<SelectOp>(elementTypeOf(onTrue), condition, onTrue, onFalse);
}

Value Node::toStorage(Value x) {
  if (failed() || !x)
    return {};
  Type storage = getStorageType(elementTypeOf(x));
  return storage == elementTypeOf(x) ? x : create<StorageCastOp>(storage, x);
}

Value Node::withoutStorageCast(Value x) {
  auto cast = x.getDefiningOp<StorageCastOp>();
  if (cast && isa<quant::UniformQuantizedType>(elementTypeOf(cast.getInput())))
    return cast.getInput();
  return x;
}

Value Node::reshape(Value x, ArrayRef<int64_t> shape) {
  if (failed())
    return {};
  if (shapeOf(x) == shape)
    return x;
  std::optional<int64_t> count = countElements(shape);
  if (!count || *count != *countElements(shapeOf(x))) {
    error() << "a tensor of shape " << shapeToString(shapeOf(x))
            << " cannot be reshaped to " << shapeToString(shape);
    return {};
  }
  Value source = withoutStorageCast(x);
  auto type = RankedTensorType::get(shape, elementTypeOf(source));
  return toStorage(finish(ReshapeOp::create(builder, loc, type, source)));
}

Value Node::transpose(Value x, ArrayRef<int64_t> permutation) {
  return move<TransposeOp>(x, permutation);
}

Value Node::expand(Value x, ArrayRef<int64_t> shape) {
  if (failed())
    return {};
  return shapeOf(x) == shape ? x : move<ExpandOp>(x, shape);
}

Value Node::slice(Value x, ArrayRef<int64_t> starts, ArrayRef<int64_t> sizes,
                  ArrayRef<int64_t> steps) {
  return move<SliceOp>(x, starts, sizes, steps);
}

Value Node::concat(ArrayRef<Value> xs, int64_t axis) {
  if (failed())
    return {};
  if (xs.size() == 1)
    return xs.front();
  SmallVector<Value> sources = llvm::map_to_vector(xs, withoutStorageCast);
  bool isUniform = llvm::all_of(sources, [&](Value source) {
    return elementTypeOf(source) == elementTypeOf(sources.front());
  });
  if (!isUniform)
    sources.assign(xs.begin(), xs.end());
  for (Value source : sources)
    if (elementTypeOf(source) != elementTypeOf(sources.front())) {
      error() << "operands of different types " << elementTypeOf(source)
              << " and " << elementTypeOf(sources.front());
      return {};
    }
  return toStorage(create<ConcatOp>(elementTypeOf(sources.front()),
                                    ValueRange(sources), uint64_t(axis)));
}

Value Node::gather(Value x, Value indices, int64_t axis) {
  return move<GatherOp>(x, indices, uint64_t(axis));
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value Node::toChannelsFirst(Value x) {
  if (failed())
    return {};
  int64_t rank = typeOf(x).getRank();
  SmallVector<int64_t> order{0, rank - 1};
  llvm::append_range(order, llvm::seq<int64_t>(1, rank - 1));
  return transpose(x, order);
}

Value Node::toChannelsLast(Value x) {
  if (failed())
    return {};
  int64_t rank = typeOf(x).getRank();
  SmallVector<int64_t> order{0};
  llvm::append_range(order, llvm::seq<int64_t>(2, rank));
  order.push_back(1);
  return transpose(x, order);
}

Value Node::constant(ArrayRef<int64_t> shape, Type elementType,
                     ArrayRef<char> bytes) {
  if (failed())
    return {};
  return createConstant(builder, loc, RankedTensorType::get(shape, elementType),
                        bytes);
}

Value Node::reals(ArrayRef<int64_t> shape, ArrayRef<double> values,
                  Type elementType) {
  auto bytesOf = [](const auto &numbers) {
    return ArrayRef<char>(reinterpret_cast<const char *>(numbers.data()),
                          numbers.size() * sizeof(numbers.front()));
  };
  if (elementType.isF64())
    return constant(shape, elementType, bytesOf(values));
  std::vector<float> narrowed(values.begin(), values.end());
  return cast(constant(shape, builder.getF32Type(), bytesOf(narrowed)),
              elementType);
}

Value Node::splat(ArrayRef<int64_t> shape, Type elementType, double number) {
  if (failed())
    return {};
  std::optional<int64_t> count = countElements(shape);
  if (!count || *count > kMaxGeneratedElements) {
    error() << "a constant of shape " << shapeToString(shape)
            << " is negative or too large (at most 2^28 elements)";
    return {};
  }
  Attribute element;
  if (isa<FloatType>(elementType))
    element = builder.getFloatAttr(elementType, number);
  else
    element = IntegerAttr::get(
        elementType, APInt(elementType.getIntOrFloatBitWidth(),
                           uint64_t(int64_t(number)), /*isSigned=*/true,
                           /*implicitTrunc=*/true));
  auto type = RankedTensorType::get(shape, elementType);
  auto attr = *count == 0 ? DenseElementsAttr::get(type, ArrayRef<Attribute>())
                          : DenseElementsAttr::get(type, element);
  return ConstantOp::create(builder, loc, type, attr);
}

Value Node::scalarLike(Value x, double number) {
  return failed() ? Value() : splat({}, elementTypeOf(x), number);
}

Value Node::ints(ArrayRef<int64_t> values) {
  return ints(values, int64_t(values.size()));
}

Value Node::ints(ArrayRef<int64_t> values, ArrayRef<int64_t> shape) {
  return constant(shape, builder.getI64Type(),
                  ArrayRef<char>(reinterpret_cast<const char *>(values.data()),
                                 values.size() * sizeof(int64_t)));
}

Value Node::iota(int64_t count, ArrayRef<int64_t> shape, int64_t step) {
  if (failed())
    return {};
  if (count > kMaxPositions) {
    error() << "needs a table of " << count << " numbers (at most 2^24)";
    return {};
  }
  SmallVector<int64_t> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(i * step);
  return ints(values, shape);
}
