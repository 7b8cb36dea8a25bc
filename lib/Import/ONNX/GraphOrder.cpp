//===- GraphOrder.cpp - Nodes in dependency order ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphOrder.h"

#include <queue>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;

llvm::StringRef qcc::import::nodeName(const onnx::NodeProto &node) {
  if (!node.name().empty())
    return node.name();
  for (const std::string &output : node.output())
    if (!output.empty())
      return output;
  return node.op_type();
}

/// Calls `visit` with the names that a graph reads from the enclosing ones.
static void forEachCapture(const onnx::GraphProto &graph,
                           llvm::function_ref<void(StringRef)> visit) {
  llvm::StringSet<> own;
  for (const onnx::ValueInfoProto &input : graph.input())
    own.insert(input.name());
  for (const onnx::TensorProto &tensor : graph.initializer())
    own.insert(tensor.name());
  for (const onnx::NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      own.insert(output);
  auto visitForeign = [&](StringRef name) {
    if (!own.contains(name))
      visit(name);
  };
  for (const onnx::NodeProto &node : graph.node()) {
    for (const std::string &input : node.input())
      visitForeign(input);
    for (const onnx::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        forEachCapture(attribute.g(), visitForeign);
      for (const onnx::GraphProto &nested : attribute.graphs())
        forEachCapture(nested, visitForeign);
    }
  }
  for (const onnx::ValueInfoProto &output : graph.output())
    visitForeign(output.name());
}

/// Calls `visit` with what a node reads, and `visitNested` with what its
/// subgraphs capture, until one of them gives false; false then.
static bool forEachRead(const onnx::NodeProto &node,
                        llvm::function_ref<bool(StringRef)> visit,
                        llvm::function_ref<void(StringRef)> visitNested) {
  for (const std::string &input : node.input())
    if (!visit(input))
      return false;
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    if (attribute.has_g())
      forEachCapture(attribute.g(), visitNested);
    for (const onnx::GraphProto &nested : attribute.graphs())
      forEachCapture(nested, visitNested);
  }
  return true;
}

llvm::StringSet<> qcc::import::namesBehind(const NodeList &nodes,
                                           ArrayRef<StringRef> outputs) {
  llvm::StringMap<const onnx::NodeProto *> producers;
  for (const onnx::NodeProto &node : nodes)
    for (const std::string &output : node.output())
      producers.try_emplace(output, &node);
  llvm::StringSet<> names;
  SmallVector<StringRef> worklist(outputs);
  while (!worklist.empty()) {
    StringRef name = worklist.pop_back_val();
    if (name.empty() || !names.insert(name).second)
      continue;
    if (const onnx::NodeProto *node = producers.lookup(name)) {
      auto read = [&](StringRef operand) { worklist.push_back(operand); };
      forEachRead(
          *node, [&](StringRef operand) { return read(operand), true; }, read);
    }
  }
  return names;
}

std::optional<GraphOrder> qcc::import::orderNodes(
    const NodeList &nodes, ArrayRef<StringRef> outputs,
    llvm::function_ref<bool(StringRef)> isDefined,
    llvm::function_ref<bool(StringRef)> isLocal,
    llvm::function_ref<InFlightDiagnostic(const onnx::NodeProto *)> emitError) {
  auto count = unsigned(nodes.size());
  llvm::StringMap<unsigned> producers;
  for (unsigned i = 0; i < count; ++i)
    for (const std::string &output : nodes[int(i)].output()) {
      if (output.empty())
        continue;
      if (isLocal(output) || !producers.try_emplace(output, i).second) {
        emitError(&nodes[int(i)])
            << "output \"" << output
            << "\" has the name of another value; names must be unique";
        return std::nullopt;
      }
    }

  // What the nodes read: their operands, and what their subgraphs capture.
  // The latter need a value only in the branch that is taken.
  std::vector<llvm::SmallVector<unsigned, 4>> readers(count);
  std::vector<unsigned> pending(count, 0);
  std::vector<bool> isLive(count, false);
  std::vector<unsigned> worklist;
  GraphOrder order;
  auto read = [&](StringRef name, const onnx::NodeProto *reader,
                  std::optional<unsigned> readerIndex, bool mustExist) {
    if (name.empty())
      return true;
    order.used.insert(name);
    auto it = producers.find(name);
    if (it == producers.end()) {
      if (!mustExist || isDefined(name))
        return true;
      if (reader)
        emitError(reader) << "reads \"" << name
                          << "\", which nothing in the model produces";
      else
        emitError(nullptr) << "output \"" << name
                           << "\" is produced by nothing in the model";
      return false;
    }
    if (readerIndex) {
      readers[it->second].push_back(*readerIndex);
      ++pending[*readerIndex];
    }
    if (!isLive[it->second]) {
      isLive[it->second] = true;
      worklist.push_back(it->second);
    }
    return true;
  };

  for (StringRef output : outputs)
    if (!read(output, nullptr, std::nullopt, true))
      return std::nullopt;
  while (!worklist.empty()) {
    unsigned i = worklist.back();
    worklist.pop_back();
    const onnx::NodeProto &node = nodes[int(i)];
    if (!forEachRead(
            node, [&](StringRef name) { return read(name, &node, i, true); },
            [&](StringRef name) { read(name, &node, i, false); }))
      return std::nullopt;
  }

  // The file's order wherever it is a valid one.
  std::priority_queue<unsigned, std::vector<unsigned>, std::greater<unsigned>>
      ready;
  size_t numLive = 0;
  for (unsigned i = 0; i < count; ++i) {
    numLive += isLive[i];
    if (isLive[i] && pending[i] == 0)
      ready.push(i);
  }
  while (!ready.empty()) {
    unsigned i = ready.top();
    ready.pop();
    order.nodes.push_back(&nodes[int(i)]);
    for (unsigned reader : readers[i])
      if (--pending[reader] == 0)
        ready.push(reader);
  }
  if (order.nodes.size() == numLive)
    return order;
  for (unsigned i = 0; i < count; ++i)
    if (isLive[i] && pending[i] != 0) {
      emitError(&nodes[int(i)])
          << "depends on its own result: the graph has a cycle";
      break;
    }
  return std::nullopt;
}
