//===- GraphBuilder.cpp - Nodes and names of an ONNX graph ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphBuilder.h"

#include "llvm/Support/xxhash.h"

using namespace qcc;
using namespace qcc::onnx_export;

static std::string makeUnique(llvm::StringSet<> &taken, llvm::StringRef hint) {
  std::string name = hint.str();
  for (unsigned i = 1; !taken.insert(name).second; ++i)
    name = hint.str() + "_" + std::to_string(i);
  return name;
}

std::string GraphBuilder::uniqueName(llvm::StringRef hint) {
  return makeUnique(taken, hint);
}

std::vector<std::string>
GraphBuilder::nodes(const char *type, llvm::ArrayRef<std::string> inputs,
                    unsigned outputs, llvm::ArrayRef<NodeAttr> attributes,
                    llvm::StringRef domain) {
  onnx::NodeProto *node = graph.add_node();
  if (!domain.empty())
    node->set_domain(domain.str());
  node->set_op_type(type);
  node->set_name(makeUnique(takenNodes, scope + "/" + type));
  for (const std::string &input : inputs)
    node->add_input(input);
  // Absent operands at the end are left out.
  while (node->input_size() && node->input(node->input_size() - 1).empty())
    node->mutable_input()->RemoveLast();
  std::vector<std::string> results;
  for (unsigned i = 0; i < outputs; ++i) {
    results.push_back(uniqueName(scope + "/" + type));
    node->add_output(results.back());
  }
  for (const NodeAttr &attribute : attributes) {
    onnx::AttributeProto *proto = node->add_attribute();
    proto->set_name(attribute.name);
    if (auto *integer = std::get_if<int64_t>(&attribute.value)) {
      proto->set_type(onnx::AttributeProto::INT);
      proto->set_i(*integer);
    } else if (auto *number = std::get_if<float>(&attribute.value)) {
      proto->set_type(onnx::AttributeProto::FLOAT);
      proto->set_f(*number);
    } else if (auto *text = std::get_if<std::string>(&attribute.value)) {
      proto->set_type(onnx::AttributeProto::STRING);
      proto->set_s(*text);
    } else if (auto *integers =
                   std::get_if<llvm::SmallVector<int64_t>>(&attribute.value)) {
      proto->set_type(onnx::AttributeProto::INTS);
      for (int64_t i : *integers)
        proto->add_ints(i);
    } else if (auto *numbers =
                   std::get_if<llvm::SmallVector<float>>(&attribute.value)) {
      proto->set_type(onnx::AttributeProto::FLOATS);
      for (float x : *numbers)
        proto->add_floats(x);
    } else if (auto *body =
                   std::get_if<const onnx::GraphProto *>(&attribute.value)) {
      proto->set_type(onnx::AttributeProto::GRAPH);
      *proto->mutable_g() = **body;
    } else {
      proto->set_type(onnx::AttributeProto::STRINGS);
      for (const std::string &s :
           std::get<llvm::SmallVector<std::string>>(attribute.value))
        proto->add_strings(s);
    }
  }
  return results;
}

std::string GraphBuilder::node(const char *type,
                               llvm::ArrayRef<std::string> inputs,
                               llvm::ArrayRef<NodeAttr> attributes) {
  return nodes(type, inputs, 1, attributes).front();
}

void GraphBuilder::nameLastNode() {
  graph.mutable_node(graph.node_size() - 1)
      ->set_name(makeUnique(takenNodes, scope));
}

void GraphBuilder::alias(const std::string &output, const std::string &source) {
  onnx::NodeProto *node = graph.add_node();
  node->set_op_type("Identity");
  node->set_name(makeUnique(takenNodes, scope));
  node->add_input(source);
  node->add_output(output);
}

std::string GraphBuilder::addFunction(onnx::FunctionProto function,
                                      llvm::StringRef hint) {
  auto [it, isNew] = functionNames.try_emplace(function.SerializeAsString());
  if (isNew) {
    it->second = makeUnique(takenFunctions, hint);
    function.set_name(it->second);
    functionProtos.push_back(std::move(function));
  }
  return it->second;
}

std::string GraphBuilder::initializer(llvm::StringRef hint, DType dtype,
                                      llvm::ArrayRef<int64_t> shape,
                                      llvm::ArrayRef<char> bytes) {
  onnx::TensorProto *tensor = graph.add_initializer();
  tensor->set_name(uniqueName(hint));
  tensor->set_data_type(int32_t(dtype));
  for (int64_t extent : shape)
    tensor->add_dims(extent);
  if (dtype != DType::I4 && dtype != DType::U4) {
    tensor->set_raw_data(bytes.data(), bytes.size());
    return tensor->name();
  }
  // Two to a byte, the first in the low half.
  std::string packed((bytes.size() + 1) / 2, 0);
  for (size_t i = 0; i < bytes.size(); ++i)
    packed[i / 2] = char(packed[i / 2] | (bytes[i] & 15) << (i % 2 * 4));
  tensor->set_raw_data(packed);
  return tensor->name();
}

std::string GraphBuilder::sharedInitializer(llvm::StringRef hint, DType dtype,
                                            llvm::ArrayRef<int64_t> shape,
                                            llvm::ArrayRef<char> bytes) {
  assert(dtype != DType::I4 && dtype != DType::U4 && "packed in the file");
  llvm::StringRef data(bytes.data(), bytes.size());
  auto &candidates = shared[llvm::xxh3_64bits(data)];
  for (int i : candidates) {
    const onnx::TensorProto &tensor = graph.initializer(i);
    if (tensor.data_type() == int32_t(dtype) &&
        llvm::equal(tensor.dims(), shape) && tensor.raw_data() == data)
      return tensor.name();
  }
  candidates.push_back(graph.initializer_size());
  return initializer(hint, dtype, shape, bytes);
}

template <typename T> static llvm::ArrayRef<char> bytesOf(llvm::ArrayRef<T> a) {
  return {reinterpret_cast<const char *>(a.data()), a.size() * sizeof(T)};
}

std::string GraphBuilder::ints(llvm::StringRef hint,
                               llvm::ArrayRef<int64_t> values) {
  return initializer(scope + "/" + hint.str(), DType::I64,
                     {int64_t(values.size())}, bytesOf(values));
}

std::string GraphBuilder::floats(llvm::StringRef hint,
                                 llvm::ArrayRef<float> values) {
  return initializer(scope + "/" + hint.str(), DType::F32,
                     {int64_t(values.size())}, bytesOf(values));
}

std::string GraphBuilder::scalar(float value) {
  return initializer(scope + "/constant", DType::F32, {},
                     bytesOf(llvm::ArrayRef<float>(value)));
}
