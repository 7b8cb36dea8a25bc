//===- ExportUnary.cpp - Functions of one number to ONNX ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphBuilder.h"

#include <cmath>

using namespace qcc;
using namespace qcc::onnx_export;
using namespace qcc::qnn;

/// Operators without parameters; null for the others.
static const char *plainOperator(UnaryKind kind) {
  switch (kind) {
  case UnaryKind::Identity:
    return "Identity";
  case UnaryKind::Relu:
    return "Relu";
  case UnaryKind::Sigmoid:
    return "Sigmoid";
  case UnaryKind::Tanh:
    return "Tanh";
  case UnaryKind::Softplus:
    return "Softplus";
  case UnaryKind::Softsign:
    return "Softsign";
  case UnaryKind::Exp:
    return "Exp";
  case UnaryKind::Log:
    return "Log";
  case UnaryKind::Sqrt:
    return "Sqrt";
  case UnaryKind::Reciprocal:
    return "Reciprocal";
  case UnaryKind::Neg:
    return "Neg";
  case UnaryKind::Abs:
    return "Abs";
  case UnaryKind::Floor:
    return "Floor";
  case UnaryKind::Ceil:
    return "Ceil";
  case UnaryKind::Round:
    return "Round";
  case UnaryKind::Sign:
    return "Sign";
  case UnaryKind::Erf:
    return "Erf";
  case UnaryKind::Sin:
    return "Sin";
  case UnaryKind::Cos:
    return "Cos";
  case UnaryKind::Tan:
    return "Tan";
  case UnaryKind::Asin:
    return "Asin";
  case UnaryKind::Acos:
    return "Acos";
  case UnaryKind::Atan:
    return "Atan";
  case UnaryKind::Not:
    return "Not";
  case UnaryKind::IsNaN:
    return "IsNaN";
  default:
    return nullptr;
  }
}

/// 0.5 x (1 + f), as ONNX defines both forms of GELU.
static std::string halfProduct(GraphBuilder &graph, const std::string &x,
                               const std::string &f) {
  std::string sum = graph.node("Add", {f, graph.scalar(1)});
  std::string product = graph.node("Mul", {x, sum});
  return graph.node("Mul", {product, graph.scalar(0.5f)});
}

std::optional<std::string> onnx_export::exportUnary(GraphBuilder &graph,
                                                    UnaryKind kind, float alpha,
                                                    float beta,
                                                    const std::string &x) {
  if (const char *type = plainOperator(kind))
    return graph.node(type, {x});
  NodeAttr alphaAttr{"alpha", alpha};
  switch (kind) {
  case UnaryKind::Clamp:
    return graph.node("Clip", {x, graph.scalar(alpha), graph.scalar(beta)});
  case UnaryKind::LeakyRelu:
    return graph.node("LeakyRelu", {x}, {alphaAttr});
  case UnaryKind::Elu:
    return graph.node("Elu", {x}, {alphaAttr});
  case UnaryKind::Celu:
    return graph.node("Celu", {x}, {alphaAttr});
  case UnaryKind::ThresholdedRelu:
    return graph.node("ThresholdedRelu", {x}, {alphaAttr});
  case UnaryKind::HardSigmoid:
    return graph.node("HardSigmoid", {x}, {alphaAttr, {"beta", beta}});
  case UnaryKind::Selu:
    return graph.node("Selu", {x}, {alphaAttr, {"gamma", beta}});
  case UnaryKind::Shrink:
    return graph.node("Shrink", {x}, {{"lambd", alpha}, {"bias", beta}});
  case UnaryKind::HardSwish: // an operator of its own only since opset 14
    return graph.node("Mul",
                      {x, graph.node("HardSigmoid", {x},
                                     {{"alpha", 1.f / 6.f}, {"beta", 0.5f}})});
  case UnaryKind::Affine:
    return graph.node("Add", {graph.node("Mul", {x, graph.scalar(alpha)}),
                              graph.scalar(beta)});
  case UnaryKind::ScaledTanh: {
    std::string inner = graph.node("Mul", {x, graph.scalar(beta)});
    return graph.node("Mul",
                      {graph.node("Tanh", {inner}), graph.scalar(alpha)});
  }
  case UnaryKind::Silu:
    return graph.node("Mul", {x, graph.node("Sigmoid", {x})});
  case UnaryKind::Mish:
    return graph.node("Mul",
                      {x, graph.node("Tanh", {graph.node("Softplus", {x})})});
  case UnaryKind::Gelu:
    return halfProduct(
        graph, x,
        graph.node(
            "Erf",
            {graph.node("Div", {x, graph.scalar(float(std::sqrt(2.0)))})}));
  case UnaryKind::GeluTanh: {
    std::string square = graph.node("Mul", {x, x});
    std::string cube = graph.node("Mul", {square, x});
    std::string scaled = graph.node("Mul", {cube, graph.scalar(0.044715f)});
    std::string sum = graph.node("Add", {x, scaled});
    std::string inner =
        graph.node("Mul", {sum, graph.scalar(0.7978845608028654f)});
    return halfProduct(graph, x, graph.node("Tanh", {inner}));
  }
  default:
    return std::nullopt;
  }
}
