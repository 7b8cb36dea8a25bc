//===- GraphImporter.cpp - Walks graphs and functions --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"

#include "OpTable.h"

#include "qcc/Dialect/QNN/IR/RecurrenceFunction.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"

#include <google/protobuf/unknown_field_set.h>
#include <list>
#include <set>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;

/// Functions may be called from functions: a short file could describe an
/// endless program.
static constexpr int64_t kMaxNodes = 200'000;
static constexpr size_t kMaxCallDepth = 100;

/// "ai.onnx" is another name of the default domain.
static StringRef canonicalDomain(StringRef domain) {
  return domain == "ai.onnx" ? StringRef() : domain;
}

static StringRef printedDomain(StringRef domain) {
  return domain.empty() ? StringRef("ai.onnx") : domain;
}

GraphImporter::GraphImporter(ModelFile &model, OpBuilder &builder,
                             StringAttr fileName)
    : model(model), builder(builder), fileName(fileName) {}

Location GraphImporter::fileLoc() const {
  return FileLineColLoc::get(fileName, 0, 0);
}

InFlightDiagnostic GraphImporter::error() { return emitError(fileLoc()); }

std::string GraphImporter::nameOf(const onnx::NodeProto &node,
                                  const Scope &scope) const {
  return scope.prefix + nodeName(node).str();
}

Location GraphImporter::locOf(const onnx::NodeProto &node,
                              const Scope &scope) const {
  return NameLoc::get(builder.getStringAttr(nameOf(node, scope)), fileLoc());
}

InFlightDiagnostic GraphImporter::error(const onnx::NodeProto &node,
                                        const Scope &scope) {
  return emitError(locOf(node, scope)) << "node \"" << nameOf(node, scope)
                                       << "\" (" << node.op_type() << "): ";
}

int64_t GraphImporter::opsetOf(StringRef domain, const Scope &scope) const {
  auto it = scope.opsets->find(domain);
  if (it != scope.opsets->end())
    return it->second;
  it = opsets.find(domain);
  // Other domains than the default one are often used without an import.
  return it != opsets.end() ? it->second : domain.empty() ? 0 : 1;
}

/// The field of a message newer than libonnx's classes, as text.
static StringRef unknownText(const google::protobuf::Message &message,
                             int number) {
  const auto &fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i)
    if (fields.field(i).number() == number &&
        fields.field(i).type() ==
            google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      return fields.field(i).length_delimited();
  return {};
}

/// NodeProto.overload and FunctionProto.overload (IR version 10).
static constexpr int kNodeOverload = 8, kFunctionOverload = 13;
/// FunctionProto.attribute_proto (IR version 9): attributes with defaults.
static constexpr int kFunctionAttributeProto = 11;

/// What the table of operators calls a node's operator: without the number
/// that functions of qcc's own domain may have behind their name.
static StringRef operatorName(const onnx::NodeProto &node) {
  StringRef name = node.op_type();
  if (node.domain() != qnn::kFunctionDomain)
    return name;
  auto [stem, number] = name.rsplit('_');
  return !number.empty() && llvm::all_of(number, llvm::isDigit) ? stem : name;
}

const onnx::FunctionProto *
GraphImporter::findFunction(const onnx::NodeProto &node) const {
  // Functions that qcc wrote are operators of its own: their bodies are for
  // other runtimes.
  if (node.domain() == qnn::kFunctionDomain &&
      lookupOp(node.domain(), operatorName(node), 1))
    return nullptr;
  std::string name = node.op_type();
  if (StringRef overload = unknownText(node, kNodeOverload); !overload.empty())
    name += ":" + overload.str();
  auto it = functions.find({canonicalDomain(node.domain()).str(), name});
  return it == functions.end() ? nullptr : it->second;
}

LogicalResult GraphImporter::readModel() {
  const onnx::ModelProto &proto = model.proto();
  for (const onnx::OperatorSetIdProto &import : proto.opset_import())
    opsets[canonicalDomain(import.domain())] = import.version();
  if (proto.opset_import().empty())
    opsets[""] = 1; // what IR versions before 3 mean
  for (const onnx::FunctionProto &function : proto.functions()) {
    std::string name = function.name();
    if (StringRef overload = unknownText(function, kFunctionOverload);
        !overload.empty())
      name += ":" + overload.str();
    FunctionKey key(canonicalDomain(function.domain()).str(), name);
    if (!functions.emplace(key, &function).second)
      return error() << "function \"" << function.name() << "\" of domain \""
                     << function.domain() << "\" is defined twice";
  }
  return success();
}

LogicalResult GraphImporter::addInitializers(const onnx::GraphProto &graph,
                                             Scope &scope) {
  if (!graph.sparse_initializer().empty())
    return error() << "sparse initializers are not supported; store \""
                   << graph.sparse_initializer(0).values().name()
                   << "\" as a dense one";
  for (const onnx::TensorProto &tensor : graph.initializer())
    if (!scope.initializers.try_emplace(tensor.name(), &tensor).second)
      return error() << "initializer \"" << tensor.name()
                     << "\" is defined twice";
  return success();
}

std::optional<Tensor> GraphImporter::lookup(StringRef name,
                                            const Scope &scope) {
  if (auto it = scope.values.find(name); it != scope.values.end())
    return it->second;
  if (auto it = scope.initializers.find(name); it != scope.initializers.end()) {
    Location loc = NameLoc::get(builder.getStringAttr(name), fileLoc());
    Tensor tensor = model.createConstant(builder, loc, *it->second,
                                         [&] { return emitError(loc); });
    hasFailed |= !tensor.value;
    scope.values[name] = tensor;
    return tensor;
  }
  return scope.parent ? lookup(name, *scope.parent) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Unsupported operators, all at once
//===----------------------------------------------------------------------===//

LogicalResult
GraphImporter::checkSupported(ArrayRef<const onnx::NodeProto *> nodes,
                              const Scope &scope) {
  // Operator -> its nodes, in the order of the file.
  llvm::MapVector<StringRef, std::vector<std::string>> unsupported;
  std::list<std::string> labels; // owns the keys
  std::set<const onnx::FunctionProto *> visited;
  std::optional<int64_t> badOpset;
  bool lacksOpset = false;

  auto visit = [&](auto &self, const onnx::NodeProto &node,
                   const Scope &nodeScope) -> void {
    StringRef domain = canonicalDomain(node.domain());
    int64_t opset = opsetOf(domain, nodeScope);
    if (const onnx::FunctionProto *function = findFunction(node)) {
      if (!visited.insert(function).second)
        return;
      OpsetMap functionOpsets;
      for (const onnx::OperatorSetIdProto &import : function->opset_import())
        functionOpsets[canonicalDomain(import.domain())] = import.version();
      Scope inner;
      inner.opsets = &functionOpsets;
      inner.prefix = nameOf(node, nodeScope) + "/";
      for (const onnx::NodeProto &innerNode : function->node())
        self(self, innerNode, inner);
      return;
    }
    if (domain.empty() && opset == 0)
      lacksOpset = true;
    else if (domain.empty() && (opset < kMinOpset || opset > kMaxOpset))
      badOpset = opset;
    if (domain.empty() && isControlFlow(node.op_type()))
      return; // its graphs are looked at when they are needed
    if (lookupOp(domain, operatorName(node), opset))
      return;
    std::string label = node.op_type() + " (" + printedDomain(domain).str() +
                        " " + std::to_string(opset) + ")";
    StringRef key = labels.emplace_back(std::move(label));
    unsupported[key].push_back(nameOf(node, nodeScope));
  };
  for (const onnx::NodeProto *node : nodes)
    visit(visit, *node, scope);

  if (lacksOpset)
    return error() << "the model does not say which version of the ONNX "
                      "operators it uses (opset_import)";
  if (badOpset)
    return error() << "opset " << *badOpset << " is not supported ("
                   << kMinOpset << " to " << kMaxOpset
                   << " are); convert the model to another opset";
  if (unsupported.empty())
    return success();

  constexpr size_t kMaxNames = 8;
  InFlightDiagnostic diag = error() << "the model uses operators that are not "
                                       "supported:";
  for (const auto &[label, names] : unsupported) {
    diag << "\n  " << label << ": node";
    for (size_t i = 0; i < std::min(names.size(), kMaxNames); ++i)
      diag << (i ? ", \"" : " \"") << names[i] << "\"";
    if (names.size() > kMaxNames)
      diag << " and " << names.size() - kMaxNames << " more";
  }
  if (!scope.parent)
    diag << "\n-outputs=NAME,... compiles the model up to values in front of "
            "them";
  return diag;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

LogicalResult GraphImporter::importNodes(const NodeList &nodes,
                                         ArrayRef<StringRef> outputs,
                                         Scope &scope) {
  auto isLocal = [&](StringRef name) {
    return scope.values.contains(name) || scope.initializers.contains(name);
  };
  auto isDefined = [&](StringRef name) {
    for (const Scope *s = &scope; s; s = s->parent)
      if (s->values.contains(name) || s->initializers.contains(name))
        return true;
    return false;
  };
  auto emit = [&](const onnx::NodeProto *node) {
    return node ? error(*node, scope) : error();
  };
  std::optional<GraphOrder> order =
      orderNodes(nodes, outputs, isDefined, isLocal, emit);
  if (!order || failed(checkSupported(order->nodes, scope)))
    return failure();
  for (const onnx::NodeProto *node : order->nodes)
    if (failed(importNode(*node, order->used, scope)))
      return failure();
  return success();
}

std::optional<Attributes>
GraphImporter::resolveAttributes(const onnx::NodeProto &node,
                                 const Scope &scope) {
  Attributes attributes;
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    const onnx::AttributeProto *value = &attribute;
    if (!attribute.ref_attr_name().empty()) {
      if (!scope.attributes) {
        error(node, scope) << "attribute \"" << attribute.name()
                           << "\" refers to one of a function, but the node "
                              "is in none";
        return std::nullopt;
      }
      auto it = scope.attributes->find(attribute.ref_attr_name());
      if (it == scope.attributes->end())
        continue; // not given by the caller: the operator's default
      value = it->second;
    }
    if (!attributes.try_emplace(attribute.name(), value).second) {
      error(node, scope) << "attribute \"" << attribute.name()
                         << "\" is given twice";
      return std::nullopt;
    }
  }
  return attributes;
}

LogicalResult GraphImporter::importNode(const onnx::NodeProto &proto,
                                        const llvm::StringSet<> &used,
                                        Scope &scope) {
  if (++numImported > kMaxNodes)
    return error() << "with its functions inlined the model has more than "
                   << kMaxNodes << " nodes";
  SmallVector<Tensor> inputs;
  for (const std::string &name : proto.input()) {
    if (name.empty()) {
      inputs.push_back({});
      continue;
    }
    std::optional<Tensor> tensor = lookup(name, scope);
    if (!tensor)
      return error(proto, scope)
             << "reads \"" << name << "\", which has no value here";
    if (hasFailed)
      return failure();
    // Null for an operand that the enclosing function was not given.
    inputs.push_back(*tensor);
  }

  StringRef domain = canonicalDomain(proto.domain());
  if (const onnx::FunctionProto *function = findFunction(proto))
    return importCall(proto, *function, inputs, scope);
  if (domain.empty() && isControlFlow(proto.op_type()))
    return importControlFlow(proto, inputs, scope);

  int64_t opset = opsetOf(domain, scope);
  const OpEntry *entry = lookupOp(domain, operatorName(proto), opset);
  assert(entry && "checked by checkSupported");
  std::optional<Attributes> attributes = resolveAttributes(proto, scope);
  if (!attributes)
    return failure();
  // Absent operands at the end need not be known to the operator.
  while (entry->maxInputs >= 0 && int(inputs.size()) > entry->maxInputs &&
         !inputs.back().value)
    inputs.pop_back();
  int count = int(inputs.size());
  if (count < entry->minInputs ||
      (entry->maxInputs >= 0 && count > entry->maxInputs))
    return error(proto, scope)
           << "has " << count << " operands, but in opset " << opset
           << " it takes "
           << (entry->maxInputs < 0
                   ? std::to_string(entry->minInputs) + " or more"
               : entry->minInputs == entry->maxInputs
                   ? std::to_string(entry->minInputs)
                   : std::to_string(entry->minInputs) + " to " +
                         std::to_string(entry->maxInputs));

  Node node(proto, domain, opset, std::move(*attributes), model, builder,
            locOf(proto, scope), nameOf(proto, scope));
  for (auto [i, tensor] : llvm::enumerate(inputs))
    node.addInput(tensor);
  for (auto [i, name] : llvm::enumerate(proto.output()))
    if (!name.empty() && used.contains(name))
      node.setWanted(unsigned(i));
  for (int i = 0; i < entry->minInputs; ++i)
    if (!entry->optional(i) && !node.has(unsigned(i)))
      return error(proto, scope) << "operand " << i << " is missing";

  entry->convert(node);
  if (node.failed())
    return failure();
  for (auto [i, name] : llvm::enumerate(proto.output())) {
    Tensor tensor = node.output(unsigned(i));
    if (!tensor.value && node.wantsOutput(unsigned(i)))
      return error(proto, scope)
             << "output " << i << " (\"" << name << "\") is not supported";
    if (!name.empty() && tensor.value)
      scope.values[name] = tensor;
  }
  return success();
}

LogicalResult GraphImporter::importCall(const onnx::NodeProto &node,
                                        const onnx::FunctionProto &function,
                                        ArrayRef<Tensor> inputs, Scope &scope) {
  if (llvm::is_contained(callStack, &function))
    return error(node, scope) << "the function calls itself";
  if (callStack.size() >= kMaxCallDepth)
    return error(node, scope) << "functions are nested too deeply";
  if (int(inputs.size()) > function.input_size() ||
      node.output_size() > function.output_size())
    return error(node, scope)
           << "is called with " << inputs.size() << " operands for "
           << node.output_size() << " results, but the function has "
           << function.input_size() << " and " << function.output_size();
  callStack.push_back(&function);
  llvm::scope_exit leave([&] { callStack.pop_back(); });

  std::optional<Attributes> attributes = resolveAttributes(node, scope);
  if (!attributes)
    return failure();
  // Defaults of attributes that the caller leaves out.
  std::list<onnx::AttributeProto> defaults;
  const auto &fields = function.GetReflection()->GetUnknownFields(function);
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField &field = fields.field(i);
    if (field.number() != kFunctionAttributeProto ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      continue;
    onnx::AttributeProto &attribute = defaults.emplace_back();
    if (!attribute.ParseFromString(field.length_delimited()))
      return error(node, scope) << "the function is damaged";
    attributes->try_emplace(attribute.name(), &attribute);
  }

  OpsetMap functionOpsets;
  for (const onnx::OperatorSetIdProto &import : function.opset_import())
    functionOpsets[canonicalDomain(import.domain())] = import.version();
  Scope inner;
  inner.opsets = &functionOpsets;
  inner.attributes = &*attributes;
  inner.prefix = nameOf(node, scope) + "/";
  for (int i = 0; i < function.input_size(); ++i)
    inner.values[function.input(i)] =
        size_t(i) < inputs.size() ? inputs[size_t(i)] : Tensor();
  SmallVector<StringRef> outputs(function.output().begin(),
                                 function.output().begin() +
                                     node.output_size());
  if (failed(importNodes(function.node(), outputs, inner)))
    return failure();
  for (int i = 0; i < node.output_size(); ++i) {
    std::optional<Tensor> tensor = lookup(outputs[size_t(i)], inner);
    if (!tensor || !tensor->value)
      return hasFailed ? LogicalResult(failure())
                       : LogicalResult(error(node, scope)
                                       << "the function does not produce \""
                                       << outputs[size_t(i)] << "\"");
    if (!node.output(i).empty())
      scope.values[node.output(i)] = *tensor;
  }
  return success();
}
