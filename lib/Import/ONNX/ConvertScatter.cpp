//===- ConvertScatter.cpp - Elements and slices put at indices -----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

static ScatterReduction readReduction(Node &node) {
  StringRef name = node.stringAttr("reduction", "none");
  std::optional<ScatterReduction> reduction = symbolizeScatterReduction(name);
  if (!reduction)
    node.error() << "reduction=\"" << name
                 << "\" is unknown; none, add, mul, min and max are supported";
  return reduction.value_or(ScatterReduction::None);
}

void qcc::import::convertScatterElements(Node &node) {
  int64_t axis = node.normalizeAxis(node.intAttr("axis", 0), node.rank(0));
  ScatterReduction reduction = readReduction(node);
  node.setOutput(0,
                 node.create<ScatterElementsOp>(node.elementType(0), node.in(0),
                                                node.in(1), node.in(2),
                                                uint64_t(axis), reduction),
                 node.dtype(0));
}

void qcc::import::convertScatterND(Node &node) {
  ScatterReduction reduction = readReduction(node);
  node.setOutput(0,
                 node.create<ScatterNDOp>(node.elementType(0), node.in(0),
                                          node.in(1), node.in(2), reduction),
                 node.dtype(0));
}
