//===- ConvertNN.cpp - Convolutions and matrix products ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"
#include "Window.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

std::optional<Window>
qcc::import::readWindowShape(Node &node, size_t rank,
                             ArrayRef<int64_t> filterKernel) {
  Window window;
  auto read = [&](StringRef name, SmallVectorImpl<int64_t> &values, size_t size,
                  ArrayRef<int64_t> defaults, int64_t min,
                  unsigned maxBits = 30) {
    SmallVector<int64_t> given = node.intsAttr(name);
    values.assign(given.begin(), given.end());
    if (values.empty())
      values.assign(defaults.begin(), defaults.end());
    if (values.size() != size) {
      node.error() << "attribute \"" << name << "\" has " << values.size()
                   << " values, expected " << size;
      return;
    }
    for (int64_t value : values)
      if (value < min || value > int64_t(1) << maxBits)
        node.error() << "attribute \"" << name << "\" holds " << value
                     << ", expected at least " << min << " and at most 2^"
                     << maxBits;
  };
  if (filterKernel.empty() && rank > 0 && !node.hasAttr("kernel_shape")) {
    node.error() << "attribute \"kernel_shape\" is missing";
    return std::nullopt;
  }
  read("kernel_shape", window.kernel, rank, filterKernel, 1);
  if (!filterKernel.empty() && !node.failed() &&
      ArrayRef<int64_t>(window.kernel) != filterKernel) {
    node.error() << "attribute \"kernel_shape\" is "
                 << shapeToString(window.kernel) << ", but the filter has "
                 << shapeToString(filterKernel);
    return std::nullopt;
  }
  SmallVector<int64_t> ones(rank, 1), zeros(2 * rank, 0);
  read("strides", window.strides, rank, ones, 1);
  read("dilations", window.dilations, rank, ones, 1);
  // Each place of a row has an entry in tables.
  read("pads", window.pads, 2 * rank, zeros, 0, /*maxBits=*/24);
  window.ceilMode = node.boolAttr("ceil_mode");
  if (node.failed())
    return std::nullopt;
  return window;
}

std::optional<Window> qcc::import::readWindow(Node &node,
                                              ArrayRef<int64_t> spatial,
                                              ArrayRef<int64_t> filterKernel) {
  size_t rank = spatial.size();
  std::optional<Window> window = readWindowShape(node, rank, filterKernel);
  if (!window)
    return std::nullopt;
  StringRef autoPad = node.stringAttr("auto_pad", "NOTSET");
  if (autoPad.empty() || autoPad == "NOTSET")
    return window;
  if (autoPad == "VALID") {
    window->pads.assign(2 * rank, 0);
    return window;
  }
  if (autoPad != "SAME_UPPER" && autoPad != "SAME_LOWER") {
    node.error() << "auto_pad=\"" << autoPad << "\" is unknown";
    return std::nullopt;
  }
  for (size_t i = 0; i < rank; ++i) {
    int64_t extent = (window->kernel[i] - 1) * window->dilations[i] + 1;
    int64_t out = (spatial[i] + window->strides[i] - 1) / window->strides[i];
    int64_t total = std::max<int64_t>(
        (out - 1) * window->strides[i] + extent - spatial[i], 0);
    int64_t smaller = total / 2, larger = total - smaller;
    window->pads[i] = autoPad == "SAME_UPPER" ? smaller : larger;
    window->pads[i + rank] = autoPad == "SAME_UPPER" ? larger : smaller;
  }
  window->ceilMode = false; // SAME fixes the output extents
  return window;
}

bool qcc::import::checkExtents(Node &node) {
  for (int64_t extent : node.shape(0).drop_front(2))
    if (extent > kMaxWindow) {
      node.error() << "extent " << extent << " is too large (at most 2^30)";
      return false;
    }
  return true;
}

/// Checks the ranks of operands 0 and `filter`; false after an error.
static bool checkConvRanks(Node &node, unsigned filter) {
  int64_t rank = node.rank(0), filterRank = node.rank(filter);
  if (rank < 3 || filterRank != rank) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << " and the filter " << shapeToString(node.shape(filter))
                 << "; both must be [N, C, spatial...] of the same rank";
    return false;
  }
  return checkExtents(node);
}

/// 1 or more; groups are checked against the channels by the dialect.
static int64_t readGroup(Node &node) {
  int64_t group = node.intAttr("group", 1);
  if (group < 1)
    node.error() << "attribute \"group\" is " << group
                 << ", expected at least 1";
  return group;
}

void qcc::import::convertConv(Node &node) {
  if (!checkConvRanks(node, 1))
    return;
  int64_t group = readGroup(node);
  auto window = readWindow(node, node.shape(0).drop_front(2),
                           node.shape(1).drop_front(2));
  if (!window)
    return;
  node.setOutput(
      0, node.create<ConvOp>(node.elementType(0), node.in(0), node.in(1),
                             node.in(2), Value(), window->strides,
                             window->dilations, window->pads, uint64_t(group),
                             Layout::ChannelsFirst, ActivationAttr()));
}

void qcc::import::convertConvInteger(Node &node) {
  if (!checkConvRanks(node, 1))
    return;
  int64_t group = readGroup(node);
  auto window = readWindow(node, node.shape(0).drop_front(2),
                           node.shape(1).drop_front(2));
  if (!window)
    return;
  node.setOutput(0,
                 node.create<ConvIntegerOp>(
                     node.getBuilder().getI32Type(), node.in(0), node.in(1),
                     node.in(2), node.in(3), window->strides, window->dilations,
                     window->pads, uint64_t(group), Layout::ChannelsFirst));
}

/// Pads of a transposed convolution that is asked for an output extent or for
/// input * stride; what is missing becomes output padding.
static void fitTransposed(Node &node, Window &window, ArrayRef<int64_t> spatial,
                          ArrayRef<int64_t> outputShape, bool isUpper,
                          SmallVectorImpl<int64_t> &outputPadding) {
  size_t rank = spatial.size();
  for (size_t i = 0; i < rank; ++i) {
    if (outputShape[i] < 1 || outputShape[i] > kMaxElements) {
      node.error() << "output extent " << outputShape[i]
                   << " is outside of [1, 2^40]";
      return;
    }
    int64_t total = window.strides[i] * (spatial[i] - 1) + outputPadding[i] +
                    (window.kernel[i] - 1) * window.dilations[i] + 1 -
                    outputShape[i];
    if (total < -kMaxWindow || total > kMaxWindow) {
      node.error() << "output extent " << outputShape[i]
                   << " cannot be reached from " << spatial[i];
      return;
    }
    if (total < 0) {
      outputPadding[i] -= total;
      total = 0;
    }
    int64_t smaller = total / 2, larger = total - smaller;
    window.pads[i] = isUpper ? smaller : larger;
    window.pads[i + rank] = isUpper ? larger : smaller;
  }
}

void qcc::import::convertConvTranspose(Node &node) {
  if (!checkConvRanks(node, 1))
    return;
  int64_t group = readGroup(node);
  ArrayRef<int64_t> spatial = node.shape(0).drop_front(2);
  size_t rank = spatial.size();
  auto window = readWindowShape(node, rank, node.shape(1).drop_front(2));
  if (!window)
    return;

  SmallVector<int64_t> outputPadding = node.intsAttr("output_padding");
  if (outputPadding.empty())
    outputPadding.assign(rank, 0);
  SmallVector<int64_t> outputShape = node.intsAttr("output_shape");
  // Some exporters give the batch and channel dimensions, too.
  if (outputShape.size() == rank + 2)
    outputShape.erase(outputShape.begin(), outputShape.begin() + 2);
  StringRef autoPad = node.stringAttr("auto_pad", "NOTSET");
  bool isSame = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  if (outputPadding.size() != rank ||
      (!outputShape.empty() && outputShape.size() != rank)) {
    node.error() << "output_padding and output_shape must have " << rank
                 << " values";
    return;
  }
  for (int64_t value : outputPadding)
    if (value < 0 || value > kMaxWindow)
      node.error() << "output_padding holds " << value;
  if (!isSame && autoPad != "VALID" && autoPad != "NOTSET" && !autoPad.empty())
    node.error() << "auto_pad=\"" << autoPad << "\" is unknown";
  if (node.failed())
    return;

  if (autoPad == "VALID")
    window->pads.assign(2 * rank, 0);
  if (outputShape.empty() && isSame)
    for (size_t i = 0; i < rank; ++i)
      outputShape.push_back(spatial[i] * window->strides[i]);
  if (!outputShape.empty())
    fitTransposed(node, *window, spatial, outputShape, autoPad == "SAME_UPPER",
                  outputPadding);
  node.setOutput(0, node.create<ConvTransposeOp>(
                        node.elementType(0), node.in(0), node.in(1), node.in(2),
                        window->strides, window->dilations, window->pads,
                        outputPadding, uint64_t(group), Layout::ChannelsFirst,
                        ActivationAttr()));
}

static Value matmul(Node &node, Value lhs, Value rhs, Value bias,
                    bool transposeLhs, bool transposeRhs) {
  if (node.failed())
    return {};
  if (Node::elementTypeOf(lhs) != Node::elementTypeOf(rhs)) {
    node.error() << "operands of different types " << Node::elementTypeOf(lhs)
                 << " and " << Node::elementTypeOf(rhs);
    return {};
  }
  return node.create<MatmulOp>(Node::elementTypeOf(lhs), lhs, rhs, bias,
                               Value(), transposeLhs, transposeRhs,
                               ActivationAttr());
}

void qcc::import::convertMatMul(Node &node) {
  node.setOutput(0, matmul(node, node.in(0), node.in(1), {}, false, false));
}

void qcc::import::convertMatMulInteger(Node &node) {
  node.setOutput(0, node.create<MatmulIntegerOp>(node.getBuilder().getI32Type(),
                                                 node.in(0), node.in(1),
                                                 node.in(2), node.in(3)));
}

/// `x * factor`, or `x` for 1.
static Value scaled(Node &node, Value x, float factor) {
  return factor == 1.f || node.failed()
             ? x
             : node.binary(BinaryKind::Mul, x, node.scalarLike(x, factor));
}

void qcc::import::convertGemm(Node &node) {
  float alpha = node.floatAttr("alpha", 1.f),
        beta = node.floatAttr("beta", 1.f);
  bool transA = node.boolAttr("transA"), transB = node.boolAttr("transB");
  if (node.rank(0) != 2 || node.rank(1) != 2) {
    node.error() << "operands of shapes " << shapeToString(node.shape(0))
                 << " and " << shapeToString(node.shape(1))
                 << "; both must be matrices";
    return;
  }
  if (isa<IntegerType>(node.elementType(0)) && (alpha != 1.f || beta != 1.f)) {
    node.error() << "alpha and beta must be 1 for integers";
    return;
  }
  if (!node.has(2) || beta == 0.f)
    return node.setOutput(
        0,
        scaled(node, matmul(node, node.in(0), node.in(1), {}, transA, transB),
               alpha));

  Value bias = scaled(node, node.in(2), beta);
  int64_t columns = node.shape(1)[transB ? 0 : 1];
  int64_t rank = node.rank(2);
  bool isRow = rank >= 1 && rank <= 2 && node.shape(2).back() == columns &&
               (rank == 1 || node.shape(2)[0] == 1);
  if (alpha == 1.f && isRow) {
    bias = node.reshape(bias, columns);
    return node.setOutput(
        0, matmul(node, node.in(0), node.in(1), bias, transA, transB));
  }
  Value product = matmul(node, node.in(0), node.in(1), {}, transA, transB);
  Value sum = node.binary(BinaryKind::Add, scaled(node, product, alpha), bias);
  if (sum && Node::shapeOf(sum) != Node::shapeOf(product))
    node.error() << "operand C of shape " << shapeToString(node.shape(2))
                 << " does not broadcast to "
                 << shapeToString(Node::shapeOf(product));
  node.setOutput(0, sum);
}

//===----------------------------------------------------------------------===//
// com.microsoft
//===----------------------------------------------------------------------===//

/// An operand whose first dimension is the row of its matrices (transBatchA and
/// transBatchB): [rows, batches..., columns] -> [batches..., rows, columns].
static Value behindBatches(Node &node, unsigned i, StringRef attribute) {
  int64_t rank = node.rank(i);
  if (!node.boolAttr(attribute) || rank < 3)
    return node.in(i);
  auto order = llvm::to_vector(llvm::seq<int64_t>(1, rank - 1));
  order.append({0, rank - 1});
  return node.transpose(node.in(i), order);
}

void qcc::import::convertFusedMatMul(Node &node) {
  Value a = behindBatches(node, 0, "transBatchA");
  Value b = behindBatches(node, 1, "transBatchB");
  bool transA = node.boolAttr("transA") && node.rank(0) > 1;
  bool transB = node.boolAttr("transB") && node.rank(1) > 1;
  float alpha = node.floatAttr("alpha", 1.f);
  node.setOutput(0,
                 scaled(node, matmul(node, a, b, {}, transA, transB), alpha));
}

/// The function that com.microsoft fuses into a convolution or product; its
/// parameters have no defaults.
static Value fusedActivation(Node &node, Value y,
                             ArrayRef<std::optional<float>> params) {
  StringRef name = node.stringAttr("activation", "");
  if (name.empty() || node.failed())
    return y;
  struct Function {
    UnaryKind kind;
    size_t params;
  };
  using Kind = UnaryKind;
  auto function =
      llvm::StringSwitch<std::optional<Function>>(name)
          .Case("Relu", Function{Kind::Relu, 0})
          .Case("Sigmoid", Function{Kind::Sigmoid, 0})
          .Case("Tanh", Function{Kind::Tanh, 0})
          .Case("Softplus", Function{Kind::Softplus, 0})
          .Case("Softsign", Function{Kind::Softsign, 0})
          .Case("Elu", Function{Kind::Elu, 1})
          .Case("LeakyRelu", Function{Kind::LeakyRelu, 1})
          .Case("ThresholdedRelu", Function{Kind::ThresholdedRelu, 1})
          .Case("Clip", Function{Kind::Clamp, 2})
          .Case("HardSigmoid", Function{Kind::HardSigmoid, 2})
          .Default(std::nullopt);
  if (!function) {
    node.error() << "activation \"" << name << "\" is not supported";
    return {};
  }
  float values[2] = {0, 0};
  for (size_t i = 0; i < function->params; ++i) {
    if (i >= params.size() || !params[i]) {
      node.error() << "activation \"" << name << "\" needs " << function->params
                   << " parameters, number " << i << " is missing";
      return {};
    }
    values[i] = *params[i];
  }
  return node.unary(function->kind, y, values[0], values[1]);
}

void qcc::import::convertFusedGemm(Node &node) {
  convertGemm(node);
  SmallVector<std::optional<float>> params;
  for (StringRef name : {"activation_alpha", "activation_beta"})
    params.push_back(node.hasAttr(name)
                         ? std::optional<float>(node.floatAttr(name, 0.f))
                         : std::nullopt);
  node.setOutput(0, fusedActivation(node, node.output(0).value, params));
}

void qcc::import::convertFusedConv(Node &node) {
  if (!checkConvRanks(node, 1))
    return;
  int64_t group = readGroup(node);
  auto window = readWindow(node, node.shape(0).drop_front(2),
                           node.shape(1).drop_front(2));
  if (!window)
    return;
  Value y = node.create<ConvOp>(
      node.elementType(0), node.in(0), node.in(1), node.in(2), Value(),
      window->strides, window->dilations, window->pads, uint64_t(group),
      Layout::ChannelsFirst, ActivationAttr());
  if (node.has(3))
    y = node.binary(BinaryKind::Add, y, node.in(3));
  SmallVector<float> params = node.floatsAttr("activation_params");
  node.setOutput(0, fusedActivation(node, y,
                                    SmallVector<std::optional<float>>(
                                        params.begin(), params.end())));
}

void qcc::import::convertContribGelu(Node &node) {
  Value x = node.in(0);
  if (node.has(1))
    x = node.binary(BinaryKind::Add, x, node.in(1));
  if (node.opType() == "QuickGelu") {
    Value scaledX = scaled(node, x, node.floatAttr("alpha", 1.702f));
    return node.setOutput(0,
                          node.binary(BinaryKind::Mul, x,
                                      node.unary(UnaryKind::Sigmoid, scaledX)));
  }
  node.setOutput(0, node.unary(node.opType() == "FastGelu" ? UnaryKind::GeluTanh
                                                           : UnaryKind::Gelu,
                               x));
}
