//===- ConvertPool.cpp - Pooling -----------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"
#include "Window.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// Checks that operand 0 is [N, C, spatial...]; false after an error.
static bool checkImage(Node &node) {
  if (node.rank(0) >= 3)
    return true;
  node.error() << "the input has shape " << shapeToString(node.shape(0))
               << ", expected [N, C, spatial...]";
  return false;
}

void qcc::import::convertMaxPool(Node &node) {
  if (!checkImage(node))
    return;
  if (node.wantsOutput(1)) {
    node.error() << "the output \"Indices\" is not supported";
    return;
  }
  auto window = readWindow(node, node.shape(0).drop_front(2), {});
  if (!window)
    return;
  node.setOutput(0, node.move<MaxPoolOp>(node.in(0), window->kernel,
                                         window->strides, window->dilations,
                                         window->pads, window->ceilMode,
                                         Layout::ChannelsFirst));
}

static Value averagePool(Node &node, Value x, const Window &window,
                         bool countIncludePad) {
  if (node.failed())
    return {};
  return node.create<AvgPoolOp>(Node::elementTypeOf(x), x, window.kernel,
                                window.strides, window.dilations, window.pads,
                                window.ceilMode, countIncludePad,
                                Layout::ChannelsFirst);
}

void qcc::import::convertAveragePool(Node &node) {
  if (!checkImage(node))
    return;
  auto window = readWindow(node, node.shape(0).drop_front(2), {});
  if (!window)
    return;
  node.setOutput(0, averagePool(node, node.in(0), *window,
                                node.boolAttr("count_include_pad")));
}

/// `|x|^p` and its inverse, exact for the usual p.
static Value absPower(Node &node, Value x, double p) {
  if (p == 1)
    return node.unary(UnaryKind::Abs, x);
  if (p == 2)
    return node.binary(BinaryKind::Mul, x, x);
  return node.binary(BinaryKind::Pow, node.unary(UnaryKind::Abs, x),
                     node.scalarLike(x, p));
}

static Value root(Node &node, Value x, double p) {
  if (p == 1 || node.failed())
    return x;
  if (p == 2)
    return node.unary(UnaryKind::Sqrt, x);
  return node.binary(BinaryKind::Pow, x, node.scalarLike(x, 1 / p));
}

static std::optional<double> readNorm(Node &node) {
  int64_t p = node.intAttr("p", 2);
  if (p < 1 || p > 1024) {
    node.error() << "attribute \"p\" is " << p << ", expected 1 to 1024";
    return std::nullopt;
  }
  return double(p);
}

void qcc::import::convertLpPool(Node &node) {
  if (!checkImage(node))
    return;
  auto window = readWindow(node, node.shape(0).drop_front(2), {});
  std::optional<double> p = readNorm(node);
  if (!window || !p)
    return;
  if (window->ceilMode) {
    node.error() << "ceil_mode=1 is not supported";
    return;
  }
  // The sum is the mean over the padded image times the window's size.
  double size = 1;
  for (int64_t extent : window->kernel)
    size *= double(extent);
  Value mean = averagePool(node, absPower(node, node.in(0), *p), *window, true);
  Value sum =
      node.binary(BinaryKind::Mul, mean, node.scalarLike(node.in(0), size));
  node.setOutput(0, root(node, sum, *p));
}

void qcc::import::convertGlobalPool(Node &node) {
  if (!checkImage(node))
    return;
  SmallVector<int64_t> axes;
  for (int64_t i = 2; i < node.rank(0); ++i)
    axes.push_back(i);
  Value x = node.in(0);
  if (node.opType() == "GlobalAveragePool")
    return node.setOutput(0, node.reduce(ReduceKind::Mean, x, axes, true));
  if (node.opType() == "GlobalMaxPool")
    return node.setOutput(0, node.reduce(ReduceKind::Max, x, axes, true));
  std::optional<double> p = readNorm(node);
  if (!p)
    return;
  Value sum = node.reduce(ReduceKind::Sum, absPower(node, x, *p), axes, true);
  node.setOutput(0, root(node, sum, *p));
}
