//===- ExportQuantizedRecurrence.cpp - Layers with quantized states -------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A qnn.recurrence with 8-bit weights as the call of a function
// (RecurrenceFunction.h), whose body says in operators of ONNX what is
// computed: a Scan over the steps, the step itself where there is one, or the
// initial states where there is none. One
// sequence is quantized by DynamicQuantizeLinear, which runtimes fuse with the
// product; several have a scale each, for which ReduceMin, ReduceMax and
// QuantizeLinear with an axis are the fewest operators.
//
//===----------------------------------------------------------------------===//

#include "GraphBuilder.h"

#include "qcc/Dialect/QNN/IR/RecurrenceFunction.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/Sequence.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::onnx_export;
using namespace qcc::qnn;
using namespace qcc::qnn::recurrence_function;

using Ints = SmallVector<int64_t>;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
/// Scales and zero points of the weights, one or one per column. No zero
/// points where all are 0.
struct WeightParameters {
  explicit WeightParameters(Type type) {
    if (auto axis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
      isPerColumn = true;
      llvm::append_range(zeroPoints, axis.getZeroPoints());
      for (double scale : axis.getScales())
        scales.push_back(float(scale));
    } else {
      auto uniform = cast<quant::UniformQuantizedType>(type);
      zeroPoints.push_back(uniform.getZeroPoint());
      scales.push_back(float(uniform.getScale()));
    }
    if (llvm::all_of(zeroPoints, [](int64_t z) { return z == 0; }))
      zeroPoints.clear();
  }
  Ints shape() const {
    return isPerColumn ? Ints{int64_t(scales.size())} : Ints();
  }

  bool isPerColumn = false;
  SmallVector<float> scales;
  Ints zeroPoints;
};

/// Some columns of the weights, as names.
struct Columns {
  std::string weights, scale, zeroPoint;
  std::string sums; ///< of a column's real integers; for several sequences
};

/// Writes the body of the function.
class BodyWriter {
public:
  BodyWriter(RecurrenceOp op, int64_t opset)
      : op(op), parameters(typeOf(op.getWeights()).getElementType()),
        steps(op.getNumSteps()), sequences(op.getNumSequences()),
        hidden(op.getHiddenSize()), layer(layerGraph, opset),
        scanned(stepGraph, opset), step(steps == 1 ? layer : scanned) {
    layer.setScope("layer");
    scanned.setScope("step");
  }

  /// Nothing where a function has no form in ONNX.
  std::optional<onnx::FunctionProto> write();

private:
  bool isLstm() { return op.getKind() == RecurrenceKind::Lstm; }
  std::vector<std::string> split(GraphBuilder &graph, const std::string &value,
                                 Ints sizes, int64_t axis) {
    unsigned count = unsigned(sizes.size());
    return graph.nodes("Split", {value, graph.ints("sizes", sizes)}, count,
                       {{"axis", axis}});
  }
  void prepareColumns();
  std::string columnSums(const Columns &columns);
  std::string initial(Value given, const char *name);
  std::string mask();

  // Of one step.
  std::string multiply(const Columns &columns, const std::string &vector);
  std::string multiplyRows(const Columns &columns, const std::string &vector,
                           std::string &scale);
  std::string activate(unsigned i, std::string value, bool clips = true);
  void writeStep(const std::string &x);
  void writeLstm(const std::string &gates);
  void writeGru(const std::string &x);
  void keepFinished(const std::string &mask);

  void runNoStep();
  void runStep(const std::string &mask);
  void runScan(const std::string &mask);

  RecurrenceOp op;
  WeightParameters parameters;
  int64_t steps, sequences, hidden;
  onnx::GraphProto layerGraph, stepGraph;
  GraphBuilder layer, scanned;
  GraphBuilder &step; ///< where the operators of a step go
  SmallVector<Columns, 2> columns;
  std::vector<std::string> peepholes;     ///< of i, o and f
  std::string state, cell;                ///< before the step
  std::string nextState, nextCell, shown; ///< after it, and its result
  SmallVector<std::string> results;       ///< of the function
  bool hasForm = true;
};
} // namespace

/// The columns that one vector meets: all of them, or of a GRU those of the
/// gates, then those of the reset state.
void BodyWriter::prepareColumns() {
  std::string zeroPoint = parameters.zeroPoints.empty() ? "" : kZero;
  if (op.getKind() != RecurrenceKind::Gru || op.getLinearBeforeReset()) {
    columns.push_back({kWeights, kScale, zeroPoint, ""});
  } else {
    Ints sizes{2 * hidden, hidden};
    auto parts = [&](const std::string &name) {
      return parameters.isPerColumn && !name.empty()
                 ? split(layer, name, sizes, 0)
                 : std::vector<std::string>(2, name);
    };
    auto weights = split(layer, kWeights, sizes, 1);
    auto scales = parts(kScale), zeroPoints = parts(zeroPoint);
    for (unsigned i = 0; i < 2; ++i)
      columns.push_back({weights[i], scales[i], zeroPoints[i], ""});
  }
  if (sequences > 1)
    for (Columns &part : columns)
      part.sums = columnSums(part);
}

std::string BodyWriter::columnSums(const Columns &columns) {
  NodeAttr toInt{"to", int64_t(DType::I32)};
  std::string integers = layer.node("Cast", {columns.weights}, {toInt});
  if (!columns.zeroPoint.empty())
    integers = layer.node(
        "Sub", {integers, layer.node("Cast", {columns.zeroPoint}, {toInt})});
  return layer.node("ReduceSum", {integers, layer.ints("axes", int64_t(0))},
                    {{"keepdims", int64_t(0)}});
}

/// The initial state or cell.
std::string BodyWriter::initial(Value given, const char *name) {
  if (given)
    return name;
  return layer.node("ConstantOfShape",
                    {layer.ints("shape", {sequences, hidden})});
}

/// [steps, sequences, 1], without the first for one step: whether the sequence
/// has the step. Nothing where all have.
std::string BodyWriter::mask() {
  if (!op.getLengths())
    return {};
  auto numbers = llvm::to_vector_of<int32_t>(llvm::seq<int64_t>(0, steps));
  Ints shape(steps == 1 ? 2 : 3, 1);
  shape.front() = steps;
  std::string positions =
      layer.initializer("positions", DType::I32, shape,
                        ArrayRef(reinterpret_cast<const char *>(numbers.data()),
                                 numbers.size() * sizeof(int32_t)));
  return layer.node(
      "Less",
      {positions, layer.node("Unsqueeze", {kLengths, layer.ints("axes", 1)})});
}

/// The products of integers, and the scale of each row of `vector`.
std::string BodyWriter::multiplyRows(const Columns &columns,
                                     const std::string &vector,
                                     std::string &scale) {
  auto limit = [&](const char *reduction, const char *withZero) {
    SmallVector<std::string> operands{vector};
    SmallVector<NodeAttr> attributes{{"keepdims", int64_t(0)}};
    if (step.opset() >= 18)
      operands.push_back(step.ints("axes", int64_t(1)));
    else
      attributes.push_back({"axes", Ints{1}});
    return step.node(
        withZero, {step.node(reduction, operands, attributes), step.scalar(0)});
  };
  std::string least = limit("ReduceMin", "Min");
  std::string most = limit("ReduceMax", "Max");
  std::string width = step.node("Sub", {most, least});
  // Rows of zeros: any scale gives zeros.
  std::string scales =
      step.node("Max", {step.node("Div", {width, step.scalar(255)}),
                        step.scalar(std::numeric_limits<float>::denorm_min())});
  NodeAttr rows{"axis", int64_t(0)};
  std::string zeroPoints =
      step.node("QuantizeLinear", {step.node("Neg", {least}), scales}, rows);
  std::string quantized =
      step.node("QuantizeLinear", {vector, scales, zeroPoints}, rows);
  std::string sums = step.node(
      "MatMulInteger", {quantized, columns.weights, "", columns.zeroPoint});
  // MatMulInteger of runtimes has one zero point for all rows.
  std::string axis = step.ints("axes", int64_t(1));
  std::string shift = step.node(
      "Unsqueeze",
      {step.node("Cast", {zeroPoints}, {{"to", int64_t(DType::I32)}}), axis});
  scale = step.node("Unsqueeze", {scales, axis});
  return step.node("Sub", {sums, step.node("Mul", {shift, columns.sums})});
}

/// vector . weights, the vector quantized by rows.
std::string BodyWriter::multiply(const Columns &columns,
                                 const std::string &vector) {
  std::string sums, scale;
  if (sequences == 1) {
    auto quantized = step.nodes("DynamicQuantizeLinear", {vector}, 3);
    scale = quantized[1];
    sums = step.node("MatMulInteger", {quantized[0], columns.weights,
                                       quantized[2], columns.zeroPoint});
  } else {
    sums = multiplyRows(columns, vector, scale);
  }
  std::string factor = step.node("Mul", {scale, columns.scale});
  std::string real = step.node("Cast", {sums}, {{"to", int64_t(DType::F32)}});
  return step.node("Mul", {real, factor});
}

std::string BodyWriter::activate(unsigned i, std::string value, bool clips) {
  if (clips && op.getClip()) {
    float bound = op.getClip()->convertToFloat();
    value = step.node("Clip", {value, step.scalar(-bound), step.scalar(bound)});
  }
  ActivationAttr function = op.getActivation(i);
  auto result = exportUnary(step, function.getKind(), function.alpha(),
                            function.beta(), value);
  hasForm &= result.has_value();
  return result.value_or("");
}

void BodyWriter::writeLstm(const std::string &gates) {
  bool isCoupled = op.getCoupled();
  std::string i, o, f, candidate;
  auto withPeephole = [&](unsigned part, const std::string &gate,
                          const std::string &cell) {
    return activate(
        0, step.node("Add", {gate, step.node("Mul", {peepholes[part], cell})}));
  };
  if (op.getPeepholes()) {
    auto parts = split(step, gates, Ints(4, hidden), 1);
    i = withPeephole(0, parts[0], cell);
    o = parts[1];
    if (!isCoupled)
      f = withPeephole(2, parts[2], cell);
    candidate = activate(1, parts[3]);
  } else {
    // One operator for all gates of one function.
    auto parts = split(step, gates,
                       isCoupled ? Ints{2 * hidden, hidden, hidden}
                                 : Ints{3 * hidden, hidden},
                       1);
    candidate = activate(1, parts.back());
    auto open =
        split(step, activate(0, parts[0]), Ints(isCoupled ? 2 : 3, hidden), 1);
    i = open[0];
    o = open[1];
    if (!isCoupled)
      f = open[2];
  }
  if (isCoupled)
    f = step.node("Sub", {step.scalar(1), i});
  nextCell = step.node(
      "Add", {step.node("Mul", {f, cell}), step.node("Mul", {i, candidate})});
  if (op.getPeepholes())
    o = withPeephole(1, o, nextCell);
  nextState = step.node("Mul", {o, activate(2, nextCell, /*clips=*/false)});
}

void BodyWriter::writeGru(const std::string &x) {
  Ints sizes{2 * hidden, hidden};
  auto ofInput = split(step, x, sizes, 1);
  std::string ofState = multiply(columns[0], state), ofLast;
  if (op.getLinearBeforeReset()) {
    auto parts = split(step, ofState, sizes, 1);
    ofState = parts[0];
    ofLast = parts[1];
    if (op.getBias())
      ofLast = step.node("Add", {ofLast, kBias});
  }
  auto gates = split(step, activate(0, step.node("Add", {ofInput[0], ofState})),
                     Ints(2, hidden), 1);
  if (op.getLinearBeforeReset())
    ofLast = step.node("Mul", {gates[1], ofLast});
  else
    ofLast = multiply(columns[1], step.node("Mul", {gates[1], state}));
  std::string candidate = activate(1, step.node("Add", {ofInput[1], ofLast}));
  std::string rest = step.node("Sub", {step.scalar(1), gates[0]});
  nextState = step.node("Add", {step.node("Mul", {rest, candidate}),
                                step.node("Mul", {gates[0], state})});
}

/// x: [sequences, columns]
void BodyWriter::writeStep(const std::string &x) {
  if (op.getKind() == RecurrenceKind::Gru)
    return writeGru(x);
  std::string gates = step.node("Add", {x, multiply(columns[0], state)});
  if (isLstm())
    return writeLstm(gates);
  nextState = activate(0, gates);
}

/// A sequence that has ended keeps its state, and its result is 0.
void BodyWriter::keepFinished(const std::string &mask) {
  shown = nextState;
  if (mask.empty())
    return;
  shown = step.node("Where", {mask, nextState, step.scalar(0)});
  nextState = step.node("Where", {mask, nextState, state});
  if (isLstm())
    nextCell = step.node("Where", {mask, nextCell, cell});
}

/// Runtimes refuse a Scan over nothing.
void BodyWriter::runNoStep() {
  results = {layer.node("ConstantOfShape",
                        {layer.ints("shape", {0, sequences, hidden})}),
             layer.node("Identity", {state})};
  if (isLstm())
    results.push_back(layer.node("Identity", {cell}));
}

void BodyWriter::runStep(const std::string &mask) {
  writeStep(layer.node(
      "Reshape",
      {kInput, layer.ints("shape", {sequences, op.getNumGates() * hidden})}));
  keepFinished(mask);
  results = {layer.node("Unsqueeze", {shown, layer.ints("axes", int64_t(0))}),
             nextState};
  if (isLstm())
    results.push_back(nextCell);
}

static void describe(onnx::ValueInfoProto *info, const std::string &name,
                     DType dtype, ArrayRef<int64_t> shape) {
  info->set_name(name);
  auto *tensor = info->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(int32_t(dtype));
  for (int64_t extent : shape)
    tensor->mutable_shape()->add_dim()->set_dim_value(extent);
}

void BodyWriter::runScan(const std::string &mask) {
  Ints stateShape{sequences, hidden};
  SmallVector<std::string> operands;
  auto add = [&](const std::string &name, const std::string &operand,
                 ArrayRef<int64_t> shape, DType dtype = DType::F32) {
    describe(stepGraph.add_input(), scanned.uniqueName(name), dtype, shape);
    operands.push_back(operand);
    return name;
  };
  stepGraph.set_name("step");
  state = add("h", state, stateShape);
  if (isLstm())
    cell = add("c", cell, stateShape);
  std::string x = add("x", kInput, {sequences, op.getNumGates() * hidden});
  std::string now;
  if (!mask.empty())
    now = add("mask", mask, {sequences, 1}, DType::Bool);
  writeStep(x);
  keepFinished(now);
  describe(stepGraph.add_output(), nextState, DType::F32, stateShape);
  if (isLstm())
    describe(stepGraph.add_output(), nextCell, DType::F32, stateShape);
  // An output of its own, although the state may have the same value.
  std::string y = scanned.node("Identity", {shown});
  describe(stepGraph.add_output(), y, DType::F32, stateShape);

  int64_t inputs = mask.empty() ? 1 : 2;
  SmallVector<NodeAttr> attributes{{"body", &stepGraph},
                                   {"num_scan_inputs", inputs}};
  if (op.getReverse()) {
    attributes.push_back({"scan_input_directions", Ints(inputs, 1)});
    attributes.push_back({"scan_output_directions", Ints{1}});
  }
  auto outputs = layer.nodes("Scan", operands, isLstm() ? 3 : 2, attributes);
  results = {outputs.back()};
  results.append(outputs.begin(), outputs.end() - 1);
}

std::optional<onnx::FunctionProto> BodyWriter::write() {
  state = initial(op.getInitialState(), kState);
  if (isLstm())
    cell = initial(op.getInitialCell(), kCell);
  if (steps == 0) {
    runNoStep();
  } else {
    prepareColumns();
    if (op.getPeepholes())
      peepholes = split(layer, kPeepholes, Ints(3, hidden), 0);
    std::string lengths = mask();
    if (steps == 1)
      runStep(lengths);
    else
      runScan(lengths);
  }
  if (!hasForm)
    return std::nullopt;
  onnx::FunctionProto function;
  function.set_domain(kFunctionDomain);
  function.add_opset_import()->set_version(layer.opset());
  for (const std::string &result : results)
    function.add_output(result);
  // Functions have no initializers.
  for (onnx::TensorProto &tensor : *layerGraph.mutable_initializer()) {
    onnx::NodeProto *constant = function.add_node();
    constant->set_op_type("Constant");
    constant->add_output(tensor.name());
    tensor.clear_name();
    onnx::AttributeProto *value = constant->add_attribute();
    value->set_name("value");
    value->set_type(onnx::AttributeProto::TENSOR);
    value->mutable_t()->Swap(&tensor);
  }
  for (onnx::NodeProto &node : *layerGraph.mutable_node())
    function.add_node()->Swap(&node);
  return function;
}

/// hidden x columns.
static std::string writeWeights(GraphBuilder &graph, Value weights) {
  RankedTensorType type = typeOf(weights);
  auto bytes = ConstantBytes::get(weights);
  if (!bytes)
    return graph.node("Transpose", {graph.name(weights)},
                      {{"perm", Ints{1, 0}}});
  int64_t columns = type.getDimSize(0), hidden = type.getDimSize(1);
  ArrayRef<char> rows = bytes->bytes();
  std::vector<char> transposed(rows.size());
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t k = 0; k < hidden; ++k)
      transposed[size_t(k * columns + j)] = rows[size_t(j * hidden + k)];
  return graph.sharedInitializer("weights", getDType(type.getElementType()),
                                 {hidden, columns}, transposed);
}

/// A scale or one per column.
static std::string writeScales(GraphBuilder &graph,
                               const WeightParameters &parameters) {
  return graph.sharedInitializer(
      "scale", DType::F32, parameters.shape(),
      ArrayRef(reinterpret_cast<const char *>(parameters.scales.data()),
               parameters.scales.size() * sizeof(float)));
}

static std::string writeZeroPoints(GraphBuilder &graph,
                                   const WeightParameters &parameters,
                                   DType dtype) {
  // The low byte serves both 8-bit types.
  std::vector<char> bytes(parameters.zeroPoints.begin(),
                          parameters.zeroPoints.end());
  return graph.sharedInitializer("zero_point", dtype, parameters.shape(),
                                 bytes);
}

bool onnx_export::exportQuantizedRecurrence(GraphBuilder &graph,
                                            RecurrenceOp op) {
  // Longer sums may not fit 32 bits.
  constexpr int64_t maxHidden =
      std::numeric_limits<int32_t>::max() / (255 * 255);
  auto attributes = getRecurrenceAttributes(op);
  if (!attributes || op.getHiddenSize() > maxHidden)
    return false;
  auto function = BodyWriter(op, graph.opset()).write();
  if (!function)
    return false;

  Type weightsType = typeOf(op.getWeights()).getElementType();
  WeightParameters parameters(weightsType);
  SmallVector<std::string> operands, names;
  auto add = [&](const char *name, const std::string &operand) {
    names.push_back(name);
    operands.push_back(operand);
    function->add_input(name);
  };
  auto addValue = [&](const char *name, Value value) {
    if (value)
      add(name, graph.name(value));
  };
  addValue(kInput, op.getInput());
  add(kWeights, writeWeights(graph, op.getWeights()));
  add(kScale, writeScales(graph, parameters));
  if (!parameters.zeroPoints.empty())
    add(kZero, writeZeroPoints(graph, parameters, getDType(weightsType)));
  addValue(kBias, op.getBias());
  addValue(kState, op.getInitialState());
  addValue(kCell, op.getInitialCell());
  addValue(kPeepholes, op.getPeepholes());
  addValue(kLengths, op.getLengths());
  attributes->push_back({kOperandsAttr, names});
  for (const NodeAttr &attribute : *attributes)
    function->add_attribute(attribute.name);

  std::string name =
      graph.addFunction(std::move(*function), getFunctionName(op.getKind()));
  auto results = graph.nodes(name.c_str(), operands, op->getNumResults(),
                             *attributes, kFunctionDomain);
  graph.nameLastNode();
  for (auto [result, given] : llvm::zip(op->getResults(), results))
    graph.define(result, given);
  return true;
}
