//===- ConvertRecurrent.cpp - LSTM, GRU, RNN ------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each direction of a layer is one matrix product for the input of all steps,
// which holds the biases too, and one qnn.recurrence.
//
//===----------------------------------------------------------------------===//

#include "Converters.h"
#include "QuantParams.h"

#include "qcc/Dialect/QNN/IR/RecurrenceFunction.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

namespace {

/// What a name of an activation means, and the parameters that it has.
struct Function {
  std::optional<UnaryKind> kind;
  bool hasAlpha = false, hasBeta = false;
  float alpha = 0, beta = 0; ///< the defaults
};

/// A recurrent layer under conversion.
class RecurrentLayer {
public:
  RecurrentLayer(Node &node, RecurrenceKind kind) : node(node), kind(kind) {}
  void convert(bool isDynamic);
  void convertFunction();

private:
  bool readAttributes();
  bool readActivations();
  bool checkShapes(bool isDynamic);
  void readLengths(unsigned operand);
  Value project(int64_t direction, Value bias);
  Value projectDynamic(int64_t direction, Value bias);
  Value quantizedWeights(int64_t direction);
  Value projectionBias(int64_t direction, Value &recurrentBias);
  bool convertDirection(int64_t direction, bool isDynamic);
  bool createOp(int64_t direction, Value projected, Value weights,
                Value recurrentBias, Value initialState, Value initialCell,
                Value peepholes);
  bool checkVersionAndAttributes();
  bool checkLengths(unsigned operand);
  std::optional<llvm::StringMap<unsigned>> readOperands();

  /// Row `direction` of operand i, without that dimension; null where absent.
  Value part(unsigned i, int64_t direction) {
    if (!node.has(i) || node.failed())
      return {};
    return partOf(node.in(i), 0, direction);
  }
  Value partOf(Value x, int64_t axis, int64_t direction) {
    if (node.failed())
      return {};
    SmallVector<int64_t> starts(Node::typeOf(x).getRank(), 0);
    SmallVector<int64_t> sizes(Node::shapeOf(x)), steps(starts.size(), 1);
    starts[axis] = direction;
    sizes[axis] = 1;
    Value slice = node.slice(x, starts, sizes, steps);
    sizes.erase(sizes.begin() + axis);
    return node.reshape(slice, sizes);
  }
  /// Elements [from, to) of a vector.
  Value range(Value vector, int64_t from, int64_t to) {
    return node.slice(vector, from, to - from, int64_t(1));
  }
  /// The direction's initial state or cell.
  Value initial(unsigned i, int64_t direction) {
    if (!node.has(i) || node.failed())
      return {};
    return partOf(node.in(i), batchFirst ? 1 : 0, direction);
  }

  Node &node;
  RecurrenceKind kind;
  int64_t directions = 1, steps = 0, sequences = 0, inputs = 0, hidden = 0,
          columns = 0;
  bool batchFirst = false, reverse = false, coupled = false,
       linearBeforeReset = false;
  std::optional<float> clip;
  SmallVector<Attribute> activations; ///< of all directions
  Value input;                        ///< steps x sequences x inputs
  Value lengths;
  SmallVector<Value, 2> states, lastStates, lastCells;
};

} // namespace

static Function getFunction(StringRef name) {
  using Kind = UnaryKind;
  return llvm::StringSwitch<Function>(name.lower())
      .Case("sigmoid", {Kind::Sigmoid})
      .Case("tanh", {Kind::Tanh})
      .Case("relu", {Kind::Relu})
      .Case("softsign", {Kind::Softsign})
      .Case("softplus", {Kind::Softplus})
      .Case("affine", {Kind::Affine, true, true, 1.f, 0.f})
      .Case("leakyrelu", {Kind::LeakyRelu, true, false, 0.01f})
      .Case("thresholdedrelu", {Kind::ThresholdedRelu, true, false, 1.f})
      .Case("scaledtanh", {Kind::ScaledTanh, true, true, 1.f, 1.f})
      .Case("hardsigmoid", {Kind::HardSigmoid, true, true, 0.2f, 0.5f})
      .Case("elu", {Kind::Elu, true, false, 1.f})
      .Default({});
}

bool RecurrentLayer::readActivations() {
  SmallVector<StringRef> defaults;
  switch (kind) {
  case RecurrenceKind::Lstm:
    defaults = {"Sigmoid", "Tanh", "Tanh"};
    break;
  case RecurrenceKind::Gru:
    defaults = {"Sigmoid", "Tanh"};
    break;
  case RecurrenceKind::Plain:
    defaults = {"Tanh"};
    break;
  }
  SmallVector<StringRef> names = node.stringsAttr("activations");
  if (names.empty())
    for (int64_t d = 0; d < directions; ++d)
      llvm::append_range(names, defaults);
  if (!node.failed() &&
      int64_t(names.size()) != int64_t(defaults.size()) * directions) {
    node.error() << "has " << names.size() << " activations, expected "
                 << defaults.size() * directions;
    return false;
  }
  // Parameters are consumed in order by the functions that have them.
  SmallVector<float> alphas = node.floatsAttr("activation_alpha");
  SmallVector<float> betas = node.floatsAttr("activation_beta");
  size_t nextAlpha = 0, nextBeta = 0;
  for (StringRef name : names) {
    Function function = getFunction(name);
    if (!function.kind) {
      node.error() << "activation \"" << name << "\" is unknown";
      return false;
    }
    if (function.hasAlpha && nextAlpha < alphas.size())
      function.alpha = alphas[nextAlpha++];
    if (function.hasBeta && nextBeta < betas.size())
      function.beta = betas[nextBeta++];
    activations.push_back(ActivationAttr::get(node.getContext(), *function.kind,
                                              function.alpha, function.beta));
  }
  return !node.failed();
}

bool RecurrentLayer::readAttributes() {
  StringRef direction = node.stringAttr("direction", "forward");
  if (direction == "bidirectional")
    directions = 2;
  else if (direction == "reverse")
    reverse = true;
  else if (direction != "forward")
    node.error() << "direction=\"" << direction << "\" is unknown";
  batchFirst = node.boolAttr("layout");
  coupled = node.boolAttr("input_forget");
  linearBeforeReset = node.boolAttr("linear_before_reset");
  if (node.hasAttr("clip")) {
    float bound = node.floatAttr("clip", 0);
    if (bound > 0)
      clip = bound;
  }
  return !node.failed() && readActivations();
}

bool RecurrentLayer::checkShapes(bool isDynamic) {
  auto expect = [&](unsigned i, StringRef what, ArrayRef<int64_t> shape) {
    if (!node.failed() && node.has(i) && node.shape(i) != shape)
      node.error() << "operand " << i << " (" << what << ") is of shape "
                   << shapeToString(node.shape(i)) << ", expected "
                   << shapeToString(shape);
  };
  if (node.rank(0) != 3 || node.rank(1) != 3 || node.rank(2) != 3) {
    node.error() << "input and weights must have three dimensions, have "
                 << shapeToString(node.shape(0)) << ", "
                 << shapeToString(node.shape(1)) << " and "
                 << shapeToString(node.shape(2));
    return false;
  }
  int64_t gates = RecurrenceOp::getNumGates(kind);
  steps = node.shape(0)[batchFirst ? 1 : 0];
  sequences = node.shape(0)[batchFirst ? 0 : 1];
  inputs = node.shape(0)[2];
  hidden = node.shape(2)[isDynamic ? 1 : 2];
  columns = gates * hidden;
  int64_t declared = node.intAttr("hidden_size", hidden);
  if (!node.failed() && declared != hidden)
    node.error() << "hidden_size is " << declared
                 << ", but the recurrent weights are of shape "
                 << shapeToString(node.shape(2));
  if (isDynamic) {
    expect(1, "the weights", {directions, inputs, columns});
    expect(2, "the recurrent weights", {directions, hidden, columns});
  } else {
    expect(1, "the weights", {directions, columns, inputs});
    expect(2, "the recurrent weights", {directions, columns, hidden});
  }
  expect(3, "the bias", {directions, 2 * columns});
  expect(4, "sequence_lens", sequences);
  for (unsigned i : {5u, 6u})
    expect(i, "the initial state",
           batchFirst ? ArrayRef<int64_t>{sequences, directions, hidden}
                      : ArrayRef<int64_t>{directions, sequences, hidden});
  expect(7, "the peepholes", {directions, 3 * hidden});
  return !node.failed();
}

/// Lengths that are known and full are none.
void RecurrentLayer::readLengths(unsigned operand) {
  if (!node.has(operand))
    return;
  auto known = getConstantInts(node.in(operand));
  if (known && llvm::all_of(*known, [&](int64_t n) { return n == steps; }))
    return;
  lengths = node.cast(node.in(operand), node.getBuilder().getI32Type());
}

/// The biases that are added to the input's product; what a GRU adds inside
/// its reset gate is left in `recurrentBias`.
Value RecurrentLayer::projectionBias(int64_t direction, Value &recurrentBias) {
  Value both = part(3, direction);
  if (!both)
    return {};
  Value ofInput = range(both, 0, columns);
  Value ofState = range(both, columns, 2 * columns);
  if (!linearBeforeReset)
    return node.binary(BinaryKind::Add, ofInput, ofState);
  int64_t inner = 2 * hidden;
  recurrentBias = range(ofState, inner, columns);
  Value gates = node.binary(BinaryKind::Add, range(ofInput, 0, inner),
                            range(ofState, 0, inner));
  return node.concat({gates, range(ofInput, inner, columns)}, 0);
}

/// The input's product with the direction's weights.
Value RecurrentLayer::project(int64_t direction, Value bias) {
  Value weights = part(1, direction);
  Value flat = node.reshape(input, {steps * sequences, inputs});
  if (node.failed())
    return {};
  if (Node::elementTypeOf(flat) != Node::elementTypeOf(weights)) {
    node.error() << "operands of different types " << Node::elementTypeOf(flat)
                 << " and " << Node::elementTypeOf(weights);
    return {};
  }
  return node.create<MatmulOp>(Node::elementTypeOf(flat), flat, weights, bias,
                               Value(), /*transpose_lhs=*/false,
                               /*transpose_rhs=*/true, ActivationAttr());
}

/// The op itself, its results in node.results().
bool RecurrentLayer::createOp(int64_t direction, Value projected, Value weights,
                              Value recurrentBias, Value initialState,
                              Value initialCell, Value peepholes) {
  OpBuilder &builder = node.getBuilder();
  size_t functions = activations.size() / directions;
  auto scalar = RankedTensorType::get({}, Node::elementTypeOf(projected));
  return node.finishAll(RecurrenceOp::create(
      builder, node.getLoc(), scalar, scalar,
      kind == RecurrenceKind::Lstm ? scalar : Type(), kind, projected, weights,
      recurrentBias, initialState, initialCell, peepholes, lengths,
      builder.getArrayAttr(
          ArrayRef(activations).slice(direction * functions, functions)),
      clip ? builder.getF32FloatAttr(*clip) : FloatAttr(),
      reverse || direction == 1, coupled, linearBeforeReset));
}

bool RecurrentLayer::convertDirection(int64_t direction, bool isDynamic) {
  Value recurrentBias;
  Value bias = projectionBias(direction, recurrentBias);
  Value projected =
      isDynamic ? projectDynamic(direction, bias) : project(direction, bias);
  if (node.failed())
    return false;
  projected = node.reshape(projected, {steps, sequences, columns});
  Value weights = isDynamic ? quantizedWeights(direction) : part(2, direction);
  bool isLstm = kind == RecurrenceKind::Lstm;
  Value initialState = initial(5, direction);
  Value initialCell = isLstm ? initial(6, direction) : Value();
  Value peepholes = isLstm ? part(7, direction) : Value();
  if (node.failed())
    return false;

  if (!createOp(direction, projected, weights, recurrentBias, initialState,
                initialCell, peepholes))
    return false;
  SmallVector<Value, 3> results(node.results());
  int64_t d = 1;
  states.push_back(node.reshape(results[0], {steps, d, sequences, hidden}));
  lastStates.push_back(node.reshape(results[1], {d, sequences, hidden}));
  if (isLstm)
    lastCells.push_back(node.reshape(results[2], {d, sequences, hidden}));
  return !node.failed();
}

void RecurrentLayer::convert(bool isDynamic) {
  if (!readAttributes() || !checkShapes(isDynamic))
    return;
  readLengths(4);
  input = batchFirst ? node.transpose(node.in(0), {1, 0, 2}) : node.in(0);
  for (int64_t d = 0; d < directions; ++d)
    if (!convertDirection(d, isDynamic))
      return;
  auto put = [&](unsigned i, ArrayRef<Value> parts, int64_t axis,
                 ArrayRef<int64_t> batchFirstOrder) {
    if (parts.empty() || !node.wantsOutput(i))
      return;
    Value whole = node.concat(parts, axis);
    node.setOutput(i,
                   batchFirst ? node.transpose(whole, batchFirstOrder) : whole);
  };
  put(0, states, 1, {2, 0, 1, 3});
  put(1, lastStates, 0, {1, 0, 2});
  put(2, lastCells, 0, {1, 0, 2});
}

void qcc::import::convertLSTM(Node &node) {
  RecurrentLayer(node, RecurrenceKind::Lstm).convert(/*isDynamic=*/false);
}
void qcc::import::convertGRU(Node &node) {
  RecurrentLayer(node, RecurrenceKind::Gru).convert(/*isDynamic=*/false);
}
void qcc::import::convertRNN(Node &node) {
  RecurrentLayer(node, RecurrenceKind::Plain).convert(/*isDynamic=*/false);
}

//===----------------------------------------------------------------------===//
// com.microsoft.DynamicQuantizeLSTM
//===----------------------------------------------------------------------===//
// X, W, R, B, sequence_lens, initial_h, initial_c, P, W_scale, W_zero_point,
// R_scale, R_zero_point; W is [directions, inputs, columns], R likewise.

/// The part of parameters for all directions that one has.
static Params paramsOf(const Params &all, int64_t direction,
                       int64_t directions) {
  size_t count = all.scales.size() / directions;
  Params params;
  params.storage = all.storage;
  params.scales.assign(all.scales.begin() + direction * count,
                       all.scales.begin() + (direction + 1) * count);
  params.zeroPoints.assign(all.zeroPoints.begin() + direction * count,
                           all.zeroPoints.begin() + (direction + 1) * count);
  return params;
}

static std::optional<Params> readDirection(Node &node, unsigned weights,
                                           unsigned scale, int64_t direction,
                                           int64_t directions,
                                           int64_t columns) {
  auto all = readParams(node, scale, scale + 1, node.dtype(weights));
  if (!all)
    return std::nullopt;
  int64_t count = all->scales.size();
  if (count != directions && count != directions * columns) {
    node.error() << "has " << count << " scales (operand " << scale
                 << "), expected one for each direction or column";
    return std::nullopt;
  }
  return paramsOf(*all, direction, directions);
}

/// The direction's recurrent weights as [columns, hidden].
Value RecurrentLayer::quantizedWeights(int64_t direction) {
  auto params = readDirection(node, 2, 10, direction, directions, columns);
  if (!params)
    return {};
  Value storage = node.transpose(part(2, direction), {1, 0});
  return fromStorage(node, storage, quantizedType(node, *params, 0));
}

Value RecurrentLayer::projectDynamic(int64_t direction, Value bias) {
  auto params = readDirection(node, 1, 8, direction, directions, columns);
  if (!params || node.failed())
    return {};
  OpBuilder &builder = node.getBuilder();
  Type f32 = builder.getF32Type();
  Type byte = getElementType(node.getContext(), DType::U8);
  auto scalar = [](Type type) { return RankedTensorType::get({}, type); };
  Value flat = node.reshape(input, {steps * sequences, inputs});
  if (node.failed() || !node.finishAll(DynamicQuantizeOp::create(
                           builder, node.getLoc(), scalar(byte), scalar(f32),
                           scalar(byte), flat)))
    return {};
  Value quantized = node.results()[0], scale = node.results()[1],
        zeroPoint = node.results()[2];
  Value weights = part(1, direction);
  if (node.failed())
    return {};
  int64_t count = params->scales.size();
  SmallVector<int64_t> shape;
  if (count > 1)
    shape.push_back(count);
  Value weightZeroPoint;
  if (llvm::any_of(params->zeroPoints, [](int64_t z) { return z != 0; })) {
    // Both 8-bit types store the zero point's low byte.
    SmallVector<char> bytes(params->zeroPoints.begin(),
                            params->zeroPoints.end());
    weightZeroPoint = node.constant(shape, Node::elementTypeOf(weights), bytes);
  }
  Value weightScale = node.constant(
      shape, f32,
      ArrayRef<char>(reinterpret_cast<const char *>(params->scales.data()),
                     count * sizeof(float)));
  Value sums = node.create<MatmulIntegerOp>(
      builder.getI32Type(), quantized, weights, zeroPoint, weightZeroPoint);
  Value factor = node.binary(BinaryKind::Mul, scale, weightScale);
  if (node.failed())
    return {};
  Value product = node.binary(BinaryKind::Mul, node.cast(sums, f32), factor);
  return bias ? node.binary(BinaryKind::Add, product, bias) : product;
}

void qcc::import::convertDynamicQuantizeLSTM(Node &node) {
  if (!node.elementType(0).isF32()) {
    node.error() << "the input must be float32";
    return;
  }
  RecurrentLayer(node, RecurrenceKind::Lstm).convert(/*isDynamic=*/true);
}

//===----------------------------------------------------------------------===//
// Functions of qcc's own files
//===----------------------------------------------------------------------===//

/// What other versions and attributes mean is not known.
bool RecurrentLayer::checkVersionAndAttributes() {
  if (node.opset() != 1)
    node.error() << "is of version " << node.opset() << " of the domain "
                 << kFunctionDomain << ", expected 1";
  SmallVector<StringRef> known{
      "hidden_size",     "direction",
      "layout",          "clip",
      "activations",     "activation_alpha",
      "activation_beta", recurrence_function::kOperandsAttr};
  if (kind == RecurrenceKind::Lstm)
    known.push_back("input_forget");
  else if (kind == RecurrenceKind::Gru)
    known.push_back("linear_before_reset");
  node.expectAttrs(known);
  return !node.failed();
}

/// Before full lengths are dropped.
bool RecurrentLayer::checkLengths(unsigned operand) {
  if (!node.has(operand) ||
      (node.dtype(operand) == DType::I32 &&
       node.shape(operand) == ArrayRef<int64_t>(sequences)))
    return true;
  node.error() << "sequence_lens is of shape "
               << shapeToString(node.shape(operand)) << " and type "
               << node.elementType(operand) << ", expected "
               << shapeToString(sequences) << " and i32";
  return false;
}

/// Their numbers by name.
std::optional<llvm::StringMap<unsigned>> RecurrentLayer::readOperands() {
  using namespace recurrence_function;
  SmallVector<StringRef> known{kInput, kWeights, kScale,
                               kZero,  kState,   kLengths};
  if (kind == RecurrenceKind::Lstm)
    known.append({kCell, kPeepholes});
  else if (kind == RecurrenceKind::Gru)
    known.push_back(kBias);
  SmallVector<StringRef> names = node.stringsAttr(kOperandsAttr);
  if (node.failed())
    return std::nullopt;
  llvm::StringMap<unsigned> result;
  for (auto [i, name] : llvm::enumerate(names))
    if (!llvm::is_contained(known, name) ||
        !result.try_emplace(name, unsigned(i)).second) {
      node.error() << "attribute \"operands\" names \"" << name
                   << "\", which is unknown or named before";
      return std::nullopt;
    }
  bool isComplete = llvm::all_of(ArrayRef(known).take_front(3), [&](auto name) {
    return result.contains(name);
  });
  if (names.size() != node.numInputs() || !isComplete) {
    node.error() << "attribute \"operands\" must name the " << node.numInputs()
                 << " operands, among them X, R and R_scale";
    return std::nullopt;
  }
  for (auto [i, name] : llvm::enumerate(names))
    if (!node.has(unsigned(i))) {
      node.error() << "operand " << i << " (" << name << ") is missing";
      return std::nullopt;
    }
  return result;
}

void RecurrentLayer::convertFunction() {
  using namespace recurrence_function;
  if (!checkVersionAndAttributes())
    return;
  auto operands = readOperands();
  if (!operands || !readAttributes())
    return;
  auto number = [&](StringRef name) {
    auto it = operands->find(name);
    return it == operands->end() ? node.numInputs() : it->second;
  };
  auto operand = [&](StringRef name) { return node.in(number(name)); };
  unsigned x = number(kInput), r = number(kWeights);
  if (directions != 1 || batchFirst || node.rank(x) != 3 || node.rank(r) != 2) {
    node.error() << "needs one direction, no layout, an input of three "
                    "dimensions and weights of two";
    return;
  }
  steps = node.shape(x)[0];
  sequences = node.shape(x)[1];
  hidden = node.shape(r)[0];
  columns = node.shape(r)[1];
  if (node.intAttr("hidden_size", hidden) != hidden) {
    node.error() << "hidden_size is not " << hidden
                 << ", the first dimension of the weights";
    return;
  }
  if (!checkLengths(number(kLengths)))
    return;
  readLengths(number(kLengths));
  auto params = readParams(node, number(kScale), number(kZero), node.dtype(r));
  if (!params)
    return;
  Value storage = node.transpose(node.in(r), {1, 0});
  Value weights = fromStorage(node, storage, quantizedType(node, *params, 0));
  if (node.failed() ||
      !createOp(0, node.in(x), weights, operand(kBias), operand(kState),
                operand(kCell), operand(kPeepholes)))
    return;
  SmallVector<Value, 3> results(node.results());
  for (auto [i, result] : llvm::enumerate(results))
    node.setOutput(unsigned(i), result);
}

void qcc::import::convertQuantizedLSTM(Node &node) {
  RecurrentLayer(node, RecurrenceKind::Lstm).convertFunction();
}
void qcc::import::convertQuantizedGRU(Node &node) {
  RecurrentLayer(node, RecurrenceKind::Gru).convertFunction();
}
void qcc::import::convertQuantizedRNN(Node &node) {
  RecurrentLayer(node, RecurrenceKind::Plain).convertFunction();
}
