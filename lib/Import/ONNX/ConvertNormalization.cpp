//===- ConvertNormalization.cpp - Normalization operators ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// Reads an epsilon; false after an error.
static bool readEpsilon(Node &node, float &epsilon) {
  epsilon = node.floatAttr("epsilon", 1e-5f);
  if (!(epsilon >= 0.f) || std::isinf(epsilon))
    node.error() << "attribute \"epsilon\" is " << epsilon
                 << ", expected a finite number >= 0";
  return !node.failed();
}

/// A vector of one number per channel as [C, 1, 1...].
static Value perChannel(Node &node, Value vector, int64_t rank) {
  if (node.failed())
    return {};
  SmallVector<int64_t> shape(size_t(std::max<int64_t>(rank - 1, 1)), 1);
  std::optional<int64_t> count = countElements(Node::shapeOf(vector));
  shape[0] = count ? *count : 0;
  return node.reshape(vector, shape);
}

static Value add(Node &node, Value a, Value b) {
  return node.binary(BinaryKind::Add, a, b);
}
static Value mul(Node &node, Value a, Value b) {
  return node.binary(BinaryKind::Mul, a, b);
}

/// Reports wanted results from `first` on, which exist only in training.
static bool rejectTrainingOutputs(Node &node, unsigned first) {
  for (unsigned i = first; i < node.numOutputs(); ++i)
    if (node.wantsOutput(i))
      node.error() << "output " << i
                   << " exists only in training mode, which "
                      "is not supported; export the model for inference";
  if (node.boolAttr("training_mode"))
    node.error() << "training mode is not supported; export the model for "
                    "inference";
  return !node.failed();
}

void qcc::import::convertBatchNormalization(Node &node) {
  float epsilon;
  if (!rejectTrainingOutputs(node, 1) || !readEpsilon(node, epsilon))
    return;
  Value x = node.in(0);
  Type type = node.elementType(0);
  int64_t rank = node.rank(0);
  SmallVector<Value, 4> params;
  for (unsigned i = 1; i <= 4; ++i)
    params.push_back(node.cast(node.in(i), type));
  if (rank < 1) {
    node.error() << "the input is a scalar, expected [N, C, ...]";
    return;
  }

  if (node.opset() < 9 && node.intAttr("spatial", 1) == 0) {
    // One set of parameters for each element of a sample.
    Value centered = node.binary(BinaryKind::Sub, x, params[2]);
    Value deviation = node.unary(
        UnaryKind::Sqrt, add(node, params[3], node.scalarLike(x, epsilon)));
    Value normal = node.binary(BinaryKind::Div, centered, deviation);
    return node.setOutput(0,
                          add(node, mul(node, normal, params[0]), params[1]));
  }
  // [N] alone has one channel.
  if (rank == 1) {
    x = node.reshape(x, {node.shape(0)[0], 1});
  }
  Value y =
      node.create<BatchNormOp>(type, x, params[0], params[1], params[2],
                               params[3], llvm::APFloat(epsilon), uint64_t(1));
  if (rank == 1)
    y = node.reshape(y, node.shape(0));
  node.setOutput(0, y);
}

static Value normalize(Node &node, Value x, ArrayRef<int64_t> axes,
                       float epsilon, bool rms = false) {
  if (node.failed())
    return {};
  return node.create<NormalizeOp>(Node::elementTypeOf(x), x, axes,
                                  llvm::APFloat(epsilon), rms);
}

static SmallVector<int64_t> axesFrom(int64_t first, int64_t rank) {
  SmallVector<int64_t> axes;
  for (int64_t i = first; i < rank; ++i)
    axes.push_back(i);
  return axes;
}

void qcc::import::convertInstanceNormalization(Node &node) {
  float epsilon;
  if (!readEpsilon(node, epsilon))
    return;
  int64_t rank = node.rank(0);
  if (rank < 3) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << ", expected [N, C, spatial...]";
    return;
  }
  Value y = normalize(node, node.in(0), axesFrom(2, rank), epsilon);
  y = mul(node, y, perChannel(node, node.in(1), rank));
  node.setOutput(0, add(node, y, perChannel(node, node.in(2), rank)));
}

void qcc::import::convertLayerNormalization(Node &node) {
  float epsilon;
  int64_t axis = node.normalizeAxis(node.intAttr("axis", -1), node.rank(0));
  if (!readEpsilon(node, epsilon))
    return;
  Value x = node.in(0);
  Type type = node.elementType(0);
  SmallVector<int64_t> axes = axesFrom(axis, node.rank(0));
  Value y = normalize(node, x, axes, epsilon);
  y = mul(node, y, node.cast(node.in(1), type));
  if (node.has(2))
    y = add(node, y, node.cast(node.in(2), type));
  node.setOutput(0, y);
  if (!node.wantsOutput(1) && !node.wantsOutput(2))
    return;
  Value mean = node.reduce(ReduceKind::Mean, x, axes, true);
  node.setOutput(1, mean);
  Value centered = node.binary(BinaryKind::Sub, x, mean);
  Value variance =
      node.reduce(ReduceKind::Mean, mul(node, centered, centered), axes, true);
  Value deviation = node.unary(
      UnaryKind::Sqrt, add(node, variance, node.scalarLike(x, epsilon)));
  node.setOutput(2, node.unary(UnaryKind::Reciprocal, deviation));
}

void qcc::import::convertRMSNormalization(Node &node) {
  float epsilon;
  int64_t axis = node.normalizeAxis(node.intAttr("axis", -1), node.rank(0));
  if (!readEpsilon(node, epsilon))
    return;
  Value y = normalize(node, node.in(0), axesFrom(axis, node.rank(0)), epsilon,
                      /*rms=*/true);
  node.setOutput(0, mul(node, y, node.cast(node.in(1), node.elementType(0))));
}

/// com.microsoft: the sum of input, skip and bias, normalized.
void qcc::import::convertSkipLayerNormalization(Node &node) {
  // input, skip, gamma, beta, bias; without beta where it is simplified.
  bool rms = node.opType() == "SkipSimplifiedLayerNormalization";
  float epsilon = node.floatAttr("epsilon", rms ? 1e-5f : 1e-12f);
  unsigned bias = rms ? 3 : 4;
  Value sum = add(node, node.in(0), node.in(1));
  if (node.has(bias))
    sum = add(node, sum, node.in(bias));
  if (node.wantsOutput(1) || node.wantsOutput(2))
    node.error() << "mean and deviation are not supported as outputs";
  int64_t rank = node.rank(0);
  Value y = normalize(node, sum, axesFrom(rank - 1, rank), epsilon, rms);
  y = mul(node, y, node.in(2));
  if (!rms && node.has(3))
    y = add(node, y, node.in(3));
  node.setOutput(0, y);
  node.setOutput(3, sum);
}

void qcc::import::convertEmbedLayerNormalization(Node &node) {
  // input_ids, segment_ids, word, position and segment embedding, gamma, beta,
  // mask, position_ids
  if (node.rank(0) != 2 || node.rank(3) != 2) {
    node.error() << "the inputs must be [batch, length] and the embeddings "
                    "matrices";
    return;
  }
  int64_t length = node.shape(0)[1], width = node.shape(3)[1];
  Value sum = node.gather(node.in(2), node.in(0), 0);
  Value positions =
      node.has(8) ? node.gather(node.in(3), node.in(8), 0)
                  : node.slice(node.in(3), {0, 0}, {length, width}, {1, 1});
  sum = add(node, sum, positions);
  if (node.has(1) && node.has(4))
    sum = add(node, sum, node.gather(node.in(4), node.in(1), 0));
  Value y = normalize(node, sum, {2}, node.floatAttr("epsilon", 1e-12f));
  node.setOutput(0, add(node, mul(node, y, node.in(5)), node.in(6)));
  if (node.wantsOutput(1)) // the lengths of the sequences, 0 without a mask
    node.setOutput(1, node.has(7)
                          ? node.reduce(ReduceKind::Sum, node.in(7), {1}, false)
                          : node.splat(node.shape(0)[0],
                                       node.getBuilder().getI32Type(), 0));
  node.setOutput(2, sum);
}

void qcc::import::convertGroupNormalization(Node &node) {
  float epsilon;
  int64_t groups = node.requiredIntAttr("num_groups");
  if (!readEpsilon(node, epsilon))
    return;
  ArrayRef<int64_t> shape = node.shape(0);
  int64_t rank = node.rank(0);
  if (rank < 2 || groups < 1 || shape[1] % groups != 0) {
    node.error() << "the channels of shape " << shapeToString(shape)
                 << " cannot be split into " << groups << " groups";
    return;
  }
  // [N, G, C/G, spatial...]
  SmallVector<int64_t> grouped{shape[0], groups, shape[1] / groups};
  llvm::append_range(grouped, shape.drop_front(2));
  Value x = node.reshape(node.in(0), grouped);
  Value y = normalize(node, x, axesFrom(2, rank + 1), epsilon);
  Value scale = node.cast(node.in(1), node.elementType(0));
  Value bias = node.cast(node.in(2), node.elementType(0));
  bool perGroup = node.opset() < 21;
  if (perGroup) {
    y = mul(node, y, perChannel(node, scale, rank + 1));
    y = add(node, y, perChannel(node, bias, rank + 1));
  }
  y = node.reshape(y, shape);
  if (!perGroup) {
    y = mul(node, y, perChannel(node, scale, rank));
    y = add(node, y, perChannel(node, bias, rank));
  }
  node.setOutput(0, y);
}

void qcc::import::convertLpNormalization(Node &node) {
  int64_t axis = node.normalizeAxis(node.intAttr("axis", -1), node.rank(0));
  int64_t p = node.intAttr("p", 2);
  if (p != 1 && p != 2) {
    node.error() << "attribute \"p\" is " << p << ", expected 1 or 2";
    return;
  }
  Value x = node.in(0);
  Value norm =
      node.reduce(p == 1 ? ReduceKind::L1 : ReduceKind::L2, x, axis, true);
  // A vector of zeros stays one.
  Value zero = node.scalarLike(x, 0), one = node.scalarLike(x, 1);
  norm = node.select(node.binary(BinaryKind::Equal, norm, zero), one, norm);
  node.setOutput(0, node.binary(BinaryKind::Div, x, norm));
}

void qcc::import::convertMeanVarianceNormalization(Node &node) {
  SmallVector<int64_t> axes = node.intsAttr("axes");
  if (!node.hasAttr("axes"))
    axes = {0, 2, 3};
  axes = node.normalizeAxes(axes, node.rank(0));
  if (node.failed())
    return;
  Value x = node.in(0);
  Value centered = node.binary(BinaryKind::Sub, x,
                               node.reduce(ReduceKind::Mean, x, axes, true));
  Value variance =
      node.reduce(ReduceKind::Mean, mul(node, centered, centered), axes, true);
  Value deviation = add(node, node.unary(UnaryKind::Sqrt, variance),
                        node.scalarLike(x, 1e-9));
  node.setOutput(0, node.binary(BinaryKind::Div, centered, deviation));
}

void qcc::import::convertLRN(Node &node) {
  int64_t size = node.requiredIntAttr("size");
  if (node.rank(0) < 2 || size < 1) {
    node.error() << "needs an input [N, C, ...] and a size of at least 1";
    return;
  }
  node.setOutput(
      0, node.create<LrnOp>(node.elementType(0), node.in(0), uint64_t(size),
                            llvm::APFloat(node.floatAttr("alpha", 1e-4f)),
                            llvm::APFloat(node.floatAttr("beta", 0.75f)),
                            llvm::APFloat(node.floatAttr("bias", 1.f)),
                            uint64_t(1)));
}
