//===- ExportRecurrent.cpp - LSTM, GRU and RNN ----------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A node for each direction. ONNX's nodes multiply their input by weights of
// its own, which for qnn.recurrence is a product in front of it: the factors of
// that become operands of the node.
//
//===----------------------------------------------------------------------===//

#include "GraphBuilder.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::onnx_export;
using namespace qcc::qnn;

using Ints = SmallVector<int64_t>;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
/// What the input of a recurrence is the product of, and the bias added to it.
/// Integers have scales.
struct Factors {
  Factors(Value x, Value w) : x(x), w(w) {}

  Value x, w;
  Value xScale, xZeroPoint, wScale, wZeroPoint;
  Value bias;
  bool transposeX = false, transposeW = false; ///< w: inputs x columns
  BlockMatmulOp blocks;                        ///< in which w is
};

/// A node's operands, as values of the qnn dialect.
struct Layer {
  RecurrenceOp op;
  std::optional<Factors> factors;
  /// Those with the dimension of the directions.
  Value initialState, initialCell;

  explicit Layer(RecurrenceOp op);
  Ints stateShape() { return {1, op.getNumSequences(), op.getHiddenSize()}; }
  int64_t columns() { return op.getNumGates() * op.getHiddenSize(); }
  Value inputBias() { return factors ? factors->bias : Value(); }
};
} // namespace

/// `value` or what it is reshaped from, if that has the shape.
static Value lookThroughReshape(Value value, ArrayRef<int64_t> shape) {
  if (!value || typeOf(value).getShape() == shape)
    return value;
  auto reshape = value.getDefiningOp<ReshapeOp>();
  return reshape && typeOf(reshape.getInput()).getShape() == shape
             ? reshape.getInput()
             : value;
}

static BinaryOp getBinary(Value value, BinaryKind kind) {
  auto op = value.getDefiningOp<BinaryOp>();
  return op && op.getKind() == kind && !op.getActivation() ? op : BinaryOp();
}

/// cast(matmul_integer(x, w)) * (xScale * wScale), x quantized at run time.
static std::optional<Factors> findDynamicFactors(BinaryOp product,
                                                 int64_t columns) {
  for (auto [sums, scales] : {std::pair(product.getLhs(), product.getRhs()),
                              std::pair(product.getRhs(), product.getLhs())}) {
    auto cast = sums.getDefiningOp<CastOp>();
    auto integers =
        cast ? cast.getInput().getDefiningOp<MatmulIntegerOp>() : nullptr;
    BinaryOp scale = getBinary(scales, BinaryKind::Mul);
    auto x = integers ? integers.getLhs().getDefiningOp<DynamicQuantizeOp>()
                      : nullptr;
    if (!x || !scale || integers.getLhs() != x.getResult() ||
        integers.getLhsZeroPoint() != x.getZeroPoint() ||
        typeOf(integers.getRhs()).getRank() != 2)
      continue;
    Factors factors(x.getResult(), integers.getRhs());
    factors.xScale = x.getScale();
    factors.xZeroPoint = x.getZeroPoint();
    factors.wScale =
        scale.getLhs() == x.getScale() ? scale.getRhs() : scale.getLhs();
    factors.wZeroPoint = integers.getRhsZeroPoint();
    auto fits = [&](Value parameter) {
      auto type = typeOf(parameter);
      return type.getRank() == 0 ||
             type.getShape() == ArrayRef<int64_t>(columns);
    };
    if (llvm::is_contained(scale->getOperands(), x.getScale()) &&
        fits(factors.wScale) &&
        (!factors.wZeroPoint || fits(factors.wZeroPoint)))
      return factors;
  }
  return std::nullopt;
}

static std::optional<Factors> findFactors(Value value, int64_t columns) {
  if (typeOf(value).getRank() == 0 ||
      typeOf(value).getShape().back() != columns)
    return std::nullopt;
  if (auto reshape = value.getDefiningOp<ReshapeOp>())
    return findFactors(reshape.getInput(), columns);
  if (auto blocks = value.getDefiningOp<BlockMatmulOp>()) {
    Factors factors(blocks.getInput(), blocks.getWeights());
    factors.blocks = blocks;
    return factors;
  }
  if (auto matmul = value.getDefiningOp<MatmulOp>()) {
    if (typeOf(matmul.getRhs()).getRank() != 2 || matmul.getResidual() ||
        matmul.getActivation())
      return std::nullopt;
    Factors factors(matmul.getLhs(), matmul.getRhs());
    factors.bias = matmul.getBias();
    factors.transposeX = matmul.getTransposeLhs();
    factors.transposeW = !matmul.getTransposeRhs();
    return factors;
  }
  if (BinaryOp product = getBinary(value, BinaryKind::Mul)) {
    auto factors = findDynamicFactors(product, columns);
    if (factors)
      factors->transposeW = true;
    return factors;
  }
  BinaryOp sum = getBinary(value, BinaryKind::Add);
  if (!sum || typeOf(sum.getRhs()).getRank() == 0 ||
      typeOf(sum.getRhs()).getNumElements() != columns ||
      typeOf(sum.getRhs()).getShape().back() != columns)
    return std::nullopt;
  auto factors = findFactors(sum.getLhs(), columns);
  if (!factors || factors->bias)
    return std::nullopt;
  factors->bias = sum.getRhs();
  return factors;
}

Layer::Layer(RecurrenceOp op) : op(op) {
  factors = findFactors(op.getInput(), columns());
  if (factors && !factors->xScale && !factors->transposeX)
    factors->x =
        lookThroughReshape(factors->x, {op.getNumSteps(), op.getNumSequences(),
                                        typeOf(factors->x).getShape().back()});
  initialState = lookThroughReshape(op.getInitialState(), stateShape());
  initialCell = lookThroughReshape(op.getInitialCell(), stateShape());
}

/// The constant that `value` is, or is dequantized or cast from.
static ConstantOp getStored(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<DequantizeOp, CastOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return dyn_cast_or_null<ConstantOp>(op);
}

/// The real numbers of a constant, maybe dequantized; nothing for others.
static std::optional<std::vector<float>> getRealConstant(Value value) {
  ConstantOp stored = getStored(value);
  if (!stored || value.getDefiningOp<CastOp>() ||
      !typeOf(value).getElementType().isF32())
    return std::nullopt;
  std::vector<float> result;
  if (!value.getDefiningOp<DequantizeOp>()) {
    auto bytes = ConstantBytes::get(value);
    if (bytes)
      llvm::append_range(result, bytes->as<float>());
    return bytes ? std::optional(result) : std::nullopt;
  }
  auto integers = getConstantInts(stored.getResult());
  Type type = typeOf(stored.getResult()).getElementType();
  auto uniform = dyn_cast<quant::UniformQuantizedType>(type);
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!integers || (!uniform && !perAxis) || typeOf(value).getRank() != 1)
    return std::nullopt;
  for (auto [i, q] : llvm::enumerate(*integers)) {
    double scale = uniform ? uniform.getScale() : perAxis.getScales()[i];
    int64_t zero =
        uniform ? uniform.getZeroPoint() : perAxis.getZeroPoints()[i];
    result.push_back(float(q - zero) * float(scale));
  }
  return result;
}

/// [1, 2 * columns]: what is added to the input's product, then to the state's,
/// of which a GRU has the last gate. Nothing where it is not known.
static std::optional<std::vector<float>> getKnownBias(Layer &layer) {
  std::vector<float> values(size_t(2 * layer.columns()));
  auto put = [&](Value part, int64_t end) {
    if (!part)
      return true;
    auto numbers = getRealConstant(part);
    if (numbers)
      llvm::copy(*numbers, values.begin() + end - int64_t(numbers->size()));
    return numbers.has_value();
  };
  if (put(layer.inputBias(), layer.columns()) &&
      put(layer.op.getBias(), 2 * layer.columns()))
    return values;
  return std::nullopt;
}

static bool hasQuantizedWeights(RecurrenceOp op) {
  return isa<quant::QuantizedType>(typeOf(op.getWeights()).getElementType());
}

void onnx_export::collectOperands(RecurrenceOp op,
                                  SmallVectorImpl<Value> &operands) {
  if (hasQuantizedWeights(op)) {
    for (Value operand : op->getOperands())
      if (operand != op.getWeights() || !getStored(operand))
        operands.push_back(operand);
    return;
  }
  Layer layer(op);
  if (layer.factors) {
    const Factors &f = *layer.factors;
    operands.append({f.x, f.xScale, f.xZeroPoint, f.wScale, f.wZeroPoint});
    if (!f.blocks && (f.transposeW || !getStored(f.w)))
      operands.push_back(f.w);
  } else {
    operands.push_back(op.getInput());
  }
  if (!getStored(op.getWeights()))
    operands.push_back(op.getWeights());
  if (!getKnownBias(layer))
    operands.append({layer.inputBias(), op.getBias()});
  if (op.getPeepholes() && !getStored(op.getPeepholes()))
    operands.push_back(op.getPeepholes());
  operands.append({layer.initialState, layer.initialCell, op.getLengths()});
  llvm::erase(operands, Value());
}

namespace {
/// Operands of a node as strings.
class OperandWriter {
public:
  OperandWriter(GraphBuilder &graph, Layer &layer)
      : graph(graph), layer(layer), columns(layer.columns()),
        hidden(layer.op.getHiddenSize()) {}

  std::optional<std::string> input();
  std::optional<std::string> weights();
  std::optional<std::string> recurrentWeights() {
    return withDirection(layer.op.getWeights());
  }
  std::optional<std::string> bias();
  std::optional<std::string> peepholes() {
    return withDirection(layer.op.getPeepholes());
  }
  std::string reshaped(Value value, ArrayRef<int64_t> shape) {
    if (!value)
      return {};
    return reshaped(graph.name(value), typeOf(value).getShape(), shape);
  }

private:
  std::string reshaped(const std::string &name, ArrayRef<int64_t> from,
                       ArrayRef<int64_t> to) {
    if (from == to)
      return name;
    return graph.node("Reshape", {name, graph.ints("shape", to)});
  }
  std::optional<std::string> withDirection(Value value);
  std::string identity();
  std::string zeros(int64_t count) {
    DType dtype = getDType(typeOf(layer.op.getInput()).getElementType());
    return graph.initializer(
        "zeros", dtype, {count},
        std::vector<char>(size_t(count) * byteSize(dtype)));
  }

  GraphBuilder &graph;
  Layer &layer;
  int64_t columns, hidden;
};
} // namespace

/// `value` with a dimension of 1 in front, for the direction; a constant has it
/// in the file.
std::optional<std::string> OperandWriter::withDirection(Value value) {
  if (!value)
    return std::string();
  Ints shape{1};
  llvm::append_range(shape, typeOf(value).getShape());
  ConstantOp stored = getStored(value);
  if (!stored)
    return reshaped(value, shape);
  Type element = typeOf(stored.getResult()).getElementType();
  auto bytes = ConstantBytes::get(stored.getResult());
  DType dtype = getDType(element);
  if (!bytes || dtype == DType::Undefined)
    return std::nullopt;
  bool isPacked = dtype == DType::I4 || dtype == DType::U4;
  std::string name =
      isPacked
          ? graph.initializer("weights", dtype, shape, bytes->bytes())
          : graph.sharedInitializer("weights", dtype, shape, bytes->bytes());
  if (value.getDefiningOp<DequantizeOp>())
    return exportDequantize(graph, element, name, /*leadingDims=*/1);
  if (value.getDefiningOp<CastOp>())
    return graph.node(
        "Cast", {name},
        {{"to", int64_t(getDType(typeOf(value).getElementType()))}});
  return name;
}

/// [steps, sequences, inputs]
std::optional<std::string> OperandWriter::input() {
  Ints shape{layer.op.getNumSteps(), layer.op.getNumSequences(), columns};
  if (!layer.factors)
    return graph.name(layer.op.getInput());
  const Factors &f = *layer.factors;
  Ints from(typeOf(f.x).getShape());
  std::string name = graph.name(f.x);
  if (f.xScale)
    name = graph.node("DequantizeLinear",
                      {name, graph.name(f.xScale), graph.name(f.xZeroPoint)});
  if (f.transposeX) {
    Ints permutation = llvm::to_vector(llvm::seq<int64_t>(0, from.size()));
    std::swap(permutation.back(), permutation[from.size() - 2]);
    std::swap(from.back(), from[from.size() - 2]);
    name = graph.node("Transpose", {name}, {{"perm", permutation}});
  }
  shape.back() = from.back();
  return reshaped(name, from, shape);
}

/// A matrix whose product with the input is the input.
std::string OperandWriter::identity() {
  Type element = typeOf(layer.op.getInput()).getElementType();
  std::vector<char> bytes;
  auto fill = [&](auto zero) {
    std::vector<decltype(zero)> values(size_t(columns * columns), zero);
    for (int64_t i = 0; i < columns; ++i)
      values[size_t(i * columns + i)] = 1;
    auto *begin = reinterpret_cast<const char *>(values.data());
    bytes.assign(begin, begin + values.size() * sizeof(zero));
  };
  if (element.isF64())
    fill(0.0);
  else
    fill(0.f);
  return graph.initializer("identity", getDType(element), {1, columns, columns},
                           bytes);
}

/// [1, columns, inputs]
std::optional<std::string> OperandWriter::weights() {
  if (!layer.factors)
    return identity();
  const Factors &f = *layer.factors;
  if (!f.blocks && !f.transposeW)
    return withDirection(f.w);
  std::string name;
  Ints shape;
  if (f.blocks) {
    auto real = exportBlockWeights(graph, f.blocks);
    if (!real)
      return std::nullopt;
    name = *real;
    shape = {columns, typeOf(f.x).getShape().back()};
  } else {
    name = graph.name(f.w);
    shape = {columns, typeOf(f.w).getDimSize(0)};
  }
  if (f.wScale) {
    SmallVector<std::string> operands{name, graph.name(f.wScale)};
    if (f.wZeroPoint)
      operands.push_back(graph.name(f.wZeroPoint));
    name = graph.node("DequantizeLinear", operands, {{"axis", int64_t(1)}});
  }
  name = graph.node("Transpose", {name}, {{"perm", Ints{1, 0}}});
  return reshaped(name, shape, {1, shape[0], shape[1]});
}

std::optional<std::string> OperandWriter::bias() {
  Value ofInput = layer.inputBias(), ofState = layer.op.getBias();
  if (!ofInput && !ofState)
    return std::string();
  if (auto known = getKnownBias(layer))
    return graph.initializer(
        "bias", DType::F32, {1, 2 * columns},
        ArrayRef(reinterpret_cast<const char *>(known->data()),
                 known->size() * sizeof(float)));
  SmallVector<std::string> parts;
  parts.push_back(ofInput ? reshaped(ofInput, columns) : zeros(columns));
  if (ofState) {
    if (columns > hidden)
      parts.push_back(zeros(columns - hidden));
    parts.push_back(reshaped(ofState, hidden));
  } else {
    parts.push_back(zeros(columns));
  }
  std::string both = graph.node("Concat", parts, {{"axis", int64_t(0)}});
  return reshaped(both, {2 * columns}, {1, 2 * columns});
}

/// An activation's name and parameters.
static bool addActivation(ActivationAttr activation,
                          SmallVector<std::string> &names,
                          SmallVector<float> &alphas,
                          SmallVector<float> &betas) {
  using Kind = UnaryKind;
  // In the order in which ONNX consumes them.
  auto add = [&](const char *name, bool hasAlpha = false,
                 bool hasBeta = false) {
    names.push_back(name);
    if (hasAlpha)
      alphas.push_back(activation.alpha());
    if (hasBeta)
      betas.push_back(activation.beta());
    return true;
  };
  switch (activation.getKind()) {
  case Kind::Sigmoid:
    return add("Sigmoid");
  case Kind::Tanh:
    return add("Tanh");
  case Kind::Relu:
    return add("Relu");
  case Kind::Softsign:
    return add("Softsign");
  case Kind::Softplus:
    return add("Softplus");
  case Kind::Affine:
    return add("Affine", true, true);
  case Kind::LeakyRelu:
    return add("LeakyRelu", true);
  case Kind::ThresholdedRelu:
    return add("ThresholdedRelu", true);
  case Kind::ScaledTanh:
    return add("ScaledTanh", true, true);
  case Kind::HardSigmoid:
    return add("HardSigmoid", true, true);
  case Kind::Elu:
    return add("Elu", true);
  default:
    return false;
  }
}

std::optional<SmallVector<NodeAttr>>
onnx_export::getRecurrenceAttributes(RecurrenceOp op) {
  SmallVector<NodeAttr> attributes;
  attributes.push_back({"hidden_size", op.getHiddenSize()});
  if (op.getReverse())
    attributes.push_back({"direction", "reverse"});
  if (op.getClip())
    attributes.push_back({"clip", op.getClip()->convertToFloat()});
  if (op.getCoupled())
    attributes.push_back({"input_forget", int64_t(1)});
  if (op.getLinearBeforeReset())
    attributes.push_back({"linear_before_reset", int64_t(1)});
  SmallVector<std::string> names;
  SmallVector<float> alphas, betas;
  for (unsigned i = 0; i < op.getActivations().size(); ++i)
    if (!addActivation(op.getActivation(i), names, alphas, betas))
      return std::nullopt;
  SmallVector<std::string> defaults{"Sigmoid", "Tanh", "Tanh"};
  if (op.getKind() == RecurrenceKind::Gru)
    defaults = {"Sigmoid", "Tanh"};
  else if (op.getKind() == RecurrenceKind::Plain)
    defaults = {"Tanh"};
  if (names != defaults)
    attributes.push_back({"activations", names});
  if (!alphas.empty())
    attributes.push_back({"activation_alpha", alphas});
  if (!betas.empty())
    attributes.push_back({"activation_beta", betas});
  return attributes;
}

/// Names a result, which in ONNX has the shape `shape`, with a dimension for
/// the directions.
static void defineResult(GraphBuilder &graph, Value result,
                         const std::string &name, ArrayRef<int64_t> shape) {
  bool needsOwn = false;
  for (Operation *user : result.getUsers()) {
    auto reshape = dyn_cast<ReshapeOp>(user);
    if (reshape && typeOf(reshape.getResult()).getShape() == shape)
      graph.define(reshape.getResult(), name);
    else
      needsOwn = true;
  }
  if (needsOwn)
    graph.define(
        result,
        graph.node("Reshape",
                   {name, graph.ints("shape", typeOf(result).getShape())}));
}

bool onnx_export::exportRecurrence(GraphBuilder &graph, RecurrenceOp op) {
  if (hasQuantizedWeights(op))
    return exportQuantizedRecurrence(graph, op);
  Layer layer(op);
  OperandWriter writer(graph, layer);
  bool isLstm = op.getKind() == RecurrenceKind::Lstm;
  auto attributes = getRecurrenceAttributes(op);
  if (!attributes)
    return false;
  SmallVector<std::string> operands;
  for (const auto &operand : {writer.input(), writer.weights(),
                              writer.recurrentWeights(), writer.bias()}) {
    if (!operand)
      return false;
    operands.push_back(*operand);
  }
  operands.push_back(op.getLengths() ? graph.name(op.getLengths())
                                     : std::string());
  operands.push_back(writer.reshaped(layer.initialState, layer.stateShape()));
  if (isLstm) {
    auto peepholes = writer.peepholes();
    if (!peepholes)
      return false;
    operands.push_back(writer.reshaped(layer.initialCell, layer.stateShape()));
    operands.push_back(*peepholes);
  }
  const char *type = isLstm                                ? "LSTM"
                     : op.getKind() == RecurrenceKind::Gru ? "GRU"
                                                           : "RNN";
  auto results = graph.nodes(type, operands, op->getNumResults(), *attributes);
  graph.nameLastNode();
  Ints all{op.getNumSteps(), 1, op.getNumSequences(), op.getHiddenSize()};
  defineResult(graph, op.getStates(), results[0], all);
  for (unsigned i = 1; i < results.size(); ++i)
    defineResult(graph, op->getResult(i), results[i], layer.stateShape());
  return true;
}
