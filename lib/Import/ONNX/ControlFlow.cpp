//===- ControlFlow.cpp - If, Loop and Scan -------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Graphs inside nodes are inlined: the branch of an If that is known to be
// taken, else both; the body of a Loop or Scan once for each iteration.
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"

#include "ConstantOperand.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;

bool GraphImporter::isControlFlow(StringRef opType) {
  return opType == "If" || opType == "Loop" || opType == "Scan";
}

LogicalResult GraphImporter::importControlFlow(const onnx::NodeProto &node,
                                               ArrayRef<Tensor> inputs,
                                               Scope &scope) {
  std::optional<Attributes> attributes = resolveAttributes(node, scope);
  if (!attributes)
    return failure();
  if (node.op_type() == "If")
    return importIf(node, *attributes, inputs, scope);
  if (node.op_type() == "Loop")
    return importLoop(node, *attributes, inputs, scope);
  return importScan(node, *attributes, inputs, scope);
}

std::optional<SmallVector<Tensor>>
GraphImporter::importBody(const onnx::NodeProto &node, StringRef name,
                          const Attributes &attributes, ArrayRef<Tensor> inputs,
                          Scope &scope) {
  const onnx::AttributeProto *attribute = attributes.lookup(name);
  if (!attribute || !attribute->has_g()) {
    error(node, scope) << "has no graph \"" << name << "\"";
    return std::nullopt;
  }
  const onnx::GraphProto &graph = attribute->g();
  if (graph.input_size() != int(inputs.size())) {
    error(node, scope) << "\"" << name << "\" has " << graph.input_size()
                       << " inputs, expected " << inputs.size();
    return std::nullopt;
  }
  Scope inner;
  inner.parent = &scope;
  inner.opsets = scope.opsets;
  inner.attributes = scope.attributes;
  inner.prefix = scope.prefix;
  for (auto [input, tensor] : llvm::zip_equal(graph.input(), inputs))
    inner.values[input.name()] = tensor;
  if (failed(addInitializers(graph, inner)))
    return std::nullopt;
  SmallVector<StringRef> outputs;
  for (const onnx::ValueInfoProto &output : graph.output())
    outputs.push_back(output.name());
  if (failed(importNodes(graph.node(), outputs, inner)))
    return std::nullopt;
  SmallVector<Tensor> results;
  for (StringRef output : outputs) {
    std::optional<Tensor> tensor = lookup(output, inner);
    if (!tensor || !tensor->value) {
      if (!hasFailed)
        error(node, scope) << "\"" << output << "\" has no value";
      return std::nullopt;
    }
    results.push_back(*tensor);
  }
  return results;
}

/// The node's outputs are the first of `results`.
LogicalResult GraphImporter::setOutputs(const onnx::NodeProto &node,
                                        ArrayRef<Tensor> results,
                                        Scope &scope) {
  if (int(results.size()) < node.output_size())
    return error(node, scope) << "its graph gives " << results.size()
                              << " outputs, expected " << node.output_size();
  for (int i = 0; i < node.output_size(); ++i)
    if (!node.output(i).empty())
      scope.values[node.output(i)] = results[size_t(i)];
  return success();
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

/// One branch where the condition is known, else both and a choice.
LogicalResult GraphImporter::importIf(const onnx::NodeProto &node,
                                      const Attributes &attributes,
                                      ArrayRef<Tensor> inputs, Scope &scope) {
  Value condition = inputs.size() == 1 ? inputs[0].value : Value();
  if (!condition || inputs[0].dtype != DType::Bool ||
      cast<ShapedType>(condition.getType()).getNumElements() != 1)
    return error(node, scope) << "needs one boolean as its condition";
  std::optional<SmallVector<int64_t>> known =
      qnn::getConstantInts(foldConstant(builder, condition));
  bool needsThen = !known || known->front(), needsElse = !known || !needsThen;
  std::optional<SmallVector<Tensor>> onTrue, onFalse;
  if (needsThen &&
      !(onTrue = importBody(node, "then_branch", attributes, {}, scope)))
    return failure();
  if (needsElse &&
      !(onFalse = importBody(node, "else_branch", attributes, {}, scope)))
    return failure();

  if (known)
    return setOutputs(node, needsThen ? *onTrue : *onFalse, scope);

  Location loc = locOf(node, scope);
  if (cast<RankedTensorType>(condition.getType()).getRank() != 0)
    condition = qnn::ReshapeOp::create(
        builder, loc, RankedTensorType::get({}, builder.getI1Type()),
        condition);
  if (onTrue->size() != onFalse->size())
    return error(node, scope) << "its branches give " << onTrue->size()
                              << " and " << onFalse->size() << " outputs";
  for (auto [i, result] : llvm::enumerate(*onTrue)) {
    const Tensor &other = (*onFalse)[i];
    if (result.value.getType() != other.value.getType() ||
        result.dtype != other.dtype)
      return error(node, scope)
             << "the condition is computed at run time, and the branches give "
                "output "
             << i << " as " << result.value.getType() << " and "
             << other.value.getType()
             << "; bind symbolic dimensions with -shape, or simplify the model";
    result.value = qnn::SelectOp::create(builder, loc, other.value.getType(),
                                         condition, result.value, other.value);
  }
  return setOutputs(node, *onTrue, scope);
}

//===----------------------------------------------------------------------===//
// Loop and Scan
//===----------------------------------------------------------------------===//

namespace {
/// What a Loop or Scan collects of each iteration.
class Collected {
public:
  explicit Collected(size_t count) : parts(count) {}

  void add(size_t i, Value value, bool toFront) {
    parts[i].insert(toFront ? parts[i].begin() : parts[i].end(), value);
  }
  /// All parts of output i along a new dimension; null where there is none.
  Value join(Node &node, size_t i, int64_t axis) {
    SmallVector<Value> rows;
    for (Value part : parts[i]) {
      SmallVector<int64_t> shape(Node::shapeOf(part));
      int64_t at = node.normalizeAxis(axis, shape.size() + 1);
      if (node.failed())
        return {};
      shape.insert(shape.begin() + at, 1);
      rows.push_back(node.reshape(part, shape));
      if (node.failed() || Node::typeOf(rows.back()) != Node::typeOf(rows[0])) {
        node.error() << "an output has another shape in each iteration";
        return {};
      }
    }
    if (rows.empty())
      return {};
    return node.concat(
        rows, node.normalizeAxis(axis, Node::typeOf(rows[0]).getRank()));
  }

private:
  SmallVector<SmallVector<Value>> parts;
};
} // namespace

/// The one integer or boolean of a constant.
static std::optional<int64_t> getNumber(OpBuilder &builder, Value value) {
  auto values = qnn::getConstantInts(foldConstant(builder, value));
  if (!values || values->size() != 1)
    return std::nullopt;
  return values->front();
}

LogicalResult GraphImporter::importLoop(const onnx::NodeProto &node,
                                        const Attributes &attributes,
                                        ArrayRef<Tensor> inputs, Scope &scope) {
  auto unknown = [&](StringRef what) {
    return error(node, scope)
           << what << " is computed at run time, which is not supported; bind "
           << "symbolic dimensions with -shape, or simplify the model";
  };
  // trip count, condition, then what is carried from iteration to iteration
  std::optional<int64_t> count, goesOn = 1;
  if (!inputs.empty() && inputs[0].value &&
      !(count = getNumber(builder, inputs[0].value)))
    return unknown("the number of iterations");
  if (inputs.size() > 1 && inputs[1].value &&
      !(goesOn = getNumber(builder, inputs[1].value)))
    return unknown("the condition");
  SmallVector<Tensor> carried(
      inputs.drop_front(std::min<size_t>(inputs.size(), 2)));
  if (int(carried.size()) > node.output_size())
    return error(node, scope) << "has fewer outputs than carried values";
  size_t collects = size_t(node.output_size()) - carried.size();
  Collected collected(collects);
  Node helper(node, "", opsetOf("", scope), {}, model, builder,
              locOf(node, scope), nameOf(node, scope));
  for (int64_t i = 0; *goesOn && (!count || i < *count); ++i) {
    SmallVector<Tensor> given = {
        {helper.ints(i, ArrayRef<int64_t>()), DType::I64},
        {helper.constant({}, builder.getI1Type(), char(1)), DType::Bool}};
    llvm::append_range(given, carried);
    auto results = importBody(node, "body", attributes, given, scope);
    if (!results)
      return failure();
    if (results->size() != 1 + carried.size() + collects)
      return error(node, scope)
             << "its body gives " << results->size() << " outputs, expected "
             << 1 + carried.size() + collects;
    if (!(goesOn = getNumber(builder, results->front().value)))
      return unknown("the condition of the next iteration");
    for (size_t c = 0; c < carried.size(); ++c)
      carried[c] = (*results)[1 + c];
    for (size_t c = 0; c < collects; ++c)
      collected.add(c, (*results)[1 + carried.size() + c].value, false);
  }
  for (size_t c = 0; c < collects; ++c) {
    Value whole = collected.join(helper, c, 0);
    if (!whole && !helper.failed())
      return error(node, scope) << "runs no iteration, so that an output has "
                                   "no shape";
    if (helper.failed())
      return failure();
    carried.push_back({whole, qnn::getDType(Node::elementTypeOf(whole))});
  }
  return setOutputs(node, carried, scope);
}

LogicalResult GraphImporter::importScan(const onnx::NodeProto &node,
                                        const Attributes &attributes,
                                        ArrayRef<Tensor> inputs, Scope &scope) {
  Node helper(node, "", opsetOf("", scope), attributes, model, builder,
              locOf(node, scope), nameOf(node, scope));
  if (helper.opset() < 9)
    return error(node, scope) << "is supported from opset 9 on; convert the "
                                 "model to another opset";
  int64_t scanned = helper.requiredIntAttr("num_scan_inputs");
  if (helper.failed())
    return failure();
  if (scanned < 1 || scanned > int64_t(inputs.size()) ||
      llvm::any_of(inputs, [](const Tensor &t) { return !t.value; }))
    return error(node, scope) << "has " << inputs.size() << " operands and "
                              << "num_scan_inputs = " << scanned;
  size_t states = inputs.size() - size_t(scanned);
  if (size_t(node.output_size()) < states)
    return error(node, scope) << "has fewer outputs than states";
  size_t collects = size_t(node.output_size()) - states;
  // Lists with an entry per scanned tensor, 0 where they are absent.
  auto entry = [&](StringRef name, size_t i) -> int64_t {
    SmallVector<int64_t> list = helper.intsAttr(name);
    return i < list.size() ? list[i] : 0;
  };
  SmallVector<Tensor> carried(inputs.take_front(states));
  ArrayRef<Tensor> sequences = inputs.drop_front(states);
  SmallVector<int64_t> axes;
  std::optional<int64_t> count;
  for (auto [i, tensor] : llvm::enumerate(sequences)) {
    ArrayRef<int64_t> shape = Node::shapeOf(tensor.value);
    axes.push_back(
        helper.normalizeAxis(entry("scan_input_axes", i), shape.size()));
    if (helper.failed())
      return failure();
    if (count && *count != shape[size_t(axes.back())])
      return error(node, scope) << "scans tensors of different lengths";
    count = shape[size_t(axes.back())];
  }
  Collected collected(collects);
  for (int64_t step = 0; step < *count; ++step) {
    SmallVector<Tensor> given(carried);
    for (auto [i, tensor] : llvm::enumerate(sequences)) {
      SmallVector<int64_t> sizes(Node::shapeOf(tensor.value));
      SmallVector<int64_t> starts(sizes.size(), 0), steps(sizes.size(), 1);
      bool isReverse = entry("scan_input_directions", i) != 0;
      starts[size_t(axes[i])] = isReverse ? *count - 1 - step : step;
      sizes[size_t(axes[i])] = 1;
      Value part = helper.slice(tensor.value, starts, sizes, steps);
      sizes.erase(sizes.begin() + axes[i]);
      given.push_back({helper.reshape(part, sizes), tensor.dtype});
    }
    if (helper.failed())
      return failure();
    auto results = importBody(node, "body", attributes, given, scope);
    if (!results)
      return failure();
    if (results->size() != states + collects)
      return error(node, scope) << "its body gives " << results->size()
                                << " outputs, expected " << states + collects;
    carried.assign(results->begin(), results->begin() + int64_t(states));
    for (size_t c = 0; c < collects; ++c)
      collected.add(c, (*results)[states + c].value,
                    entry("scan_output_directions", c) != 0);
  }
  for (size_t c = 0; c < collects; ++c) {
    Value whole = collected.join(helper, c, entry("scan_output_axes", c));
    if (!whole && !helper.failed())
      return error(node, scope) << "scans nothing, so that an output has no "
                                   "shape";
    if (helper.failed())
      return failure();
    carried.push_back({whole, qnn::getDType(Node::elementTypeOf(whole))});
  }
  return setOutputs(node, carried, scope);
}
