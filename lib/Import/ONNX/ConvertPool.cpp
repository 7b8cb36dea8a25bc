//===- ConvertPool.cpp - Pooling -----------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"
#include "Window.h"

#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// Checks that operand 0 is [N, C, spatial...]; false after an error.
static bool checkImage(Node &node) {
  if (node.rank(0) < 3) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << ", expected [N, C, spatial...]";
    return false;
  }
  return checkExtents(node);
}

/// Each element of a window is compared for itself.
static constexpr int64_t kMostCompared = 1024;

/// The next of the places in a box of `extents`, in row-major order; false
/// behind the last.
static bool advance(SmallVectorImpl<int64_t> &place,
                    ArrayRef<int64_t> extents) {
  for (size_t i = extents.size(); i-- > 0;) {
    if (++place[i] < extents[i])
      return true;
    place[i] = 0;
  }
  return false;
}

/// The positions of the greatest elements, of equal ones the first, in the
/// flattened input: [N, C] from the first dimension, `results` spatial extents.
static Value findMaxima(Node &node, const Window &window,
                        ArrayRef<int64_t> results) {
  Value x = node.in(0);
  ArrayRef<int64_t> extents = node.shape(0).drop_front(2);
  size_t rank = extents.size();
  int64_t planes = node.shape(0)[0] * node.shape(0)[1];
  auto count = countElements(window.kernel), places = countElements(results);
  auto plane = countElements(extents);
  if (!count || *count > kMostCompared || !places || !plane ||
      *plane > std::numeric_limits<int32_t>::max()) {
    node.error() << "the output \"Indices\" of a window of "
                 << shapeToString(window.kernel) << " on an image of "
                 << shapeToString(extents) << " is not supported (at most "
                 << kMostCompared << " elements)";
    return {};
  }
  // By columns in the last two dimensions if asked for.
  SmallVector<int64_t> steps(rank, 1);
  bool byColumns = node.intAttr("storage_order", 0) != 0;
  for (size_t i = 1; i < rank; ++i)
    if (byColumns)
      steps[i] = steps[i - 1] * extents[i - 1];
    else
      steps[rank - 1 - i] = steps[rank - i] * extents[rank - i];

  // Padding is less than every element, and behind the image as far as the last
  // window goes.
  SmallVector<int64_t> pads(2 * (rank + 2), 0);
  for (size_t i = 0; i < rank; ++i) {
    int64_t last = (results[i] - 1) * window.strides[i] +
                   (window.kernel[i] - 1) * window.dilations[i];
    pads[2 + i] = window.pads[i];
    pads[rank + 4 + i] =
        std::max<int64_t>(last + 1 - extents[i] - window.pads[i], 0);
  }
  double least = -std::numeric_limits<double>::infinity();
  if (auto integer = dyn_cast<IntegerType>(node.elementType(0)))
    least = integer.isUnsigned() ? 0 : -std::ldexp(1, integer.getWidth() - 1);
  Value padded = node.create<PadOp>(node.elementType(0), x, pads,
                                    PadMode::Constant, llvm::APFloat(least));

  Type narrow = node.getBuilder().getI32Type();
  SmallVector<int64_t> sizes(node.shape(0).take_front(2));
  llvm::append_range(sizes, results);
  SmallVector<int64_t> positionShape(2, 1), stride(2, 1);
  llvm::append_range(positionShape, results);
  llvm::append_range(stride, window.strides);
  // Of an element of each window; of one in the padding, of the first that is
  // not, along that dimension.
  auto positionsOf = [&](ArrayRef<int64_t> element) {
    SmallVector<int64_t> positions, place(rank, 0);
    do {
      int64_t index = 0;
      for (size_t i = 0; i < rank; ++i) {
        int64_t first = place[i] * window.strides[i] - window.pads[i];
        int64_t at = first + element[i] * window.dilations[i];
        if (at < 0 || at >= extents[i])
          at = first < 0
                   ? first + llvm::divideCeil(-first, window.dilations[i]) *
                                 window.dilations[i]
                   : first;
        index += steps[i] * std::clamp<int64_t>(at, 0, extents[i] - 1);
      }
      positions.push_back(index);
    } while (advance(place, results));
    return node.cast(node.ints(positions, positionShape), narrow);
  };
  // NaN is greater than nothing, for the values as for the positions.
  SmallVector<int64_t> element(rank, 0);
  Value greatest = node.splat(sizes, node.elementType(0), least);
  Value position = node.expand(positionsOf(element), sizes);
  do {
    SmallVector<int64_t> begin(2, 0);
    for (size_t i = 0; i < rank; ++i)
      begin.push_back(element[i] * window.dilations[i]);
    Value values = node.slice(padded, begin, sizes, stride);
    Value here = positionsOf(element);
    if (node.failed())
      return {};
    Value isGreater = node.binary(BinaryKind::Greater, values, greatest);
    position = node.select(isGreater, here, position);
    greatest = node.select(isGreater, values, greatest);
  } while (!node.failed() && advance(element, window.kernel));
  SmallVector<int64_t> planeShape(node.shape(0).take_front(2));
  planeShape.append(rank, 1);
  return node.binary(BinaryKind::Add,
                     node.cast(position, node.getBuilder().getI64Type()),
                     node.iota(planes, planeShape, *plane));
}

void qcc::import::convertMaxPool(Node &node) {
  if (!checkImage(node))
    return;
  auto window = readWindow(node, node.shape(0).drop_front(2), {});
  if (!window)
    return;
  Value result = node.move<MaxPoolOp>(
      node.in(0), window->kernel, window->strides, window->dilations,
      window->pads, window->ceilMode, Layout::ChannelsFirst);
  node.setOutput(0, result);
  if (node.wantsOutput(1) && !node.failed())
    node.setOutput(
        1, findMaxima(node, *window, Node::shapeOf(result).drop_front(2)));
}

void qcc::import::convertMaxUnpool(Node &node) {
  if (!checkImage(node))
    return;
  size_t rank = size_t(node.rank(0)) - 2;
  auto window = readWindowShape(node, rank, {});
  if (!window)
    return;
  if (node.shape(1) != node.shape(0)) {
    node.error() << "the indices have shape " << shapeToString(node.shape(1))
                 << ", expected that of the input, "
                 << shapeToString(node.shape(0));
    return;
  }
  SmallVector<int64_t> shape(node.shape(0)), pads(2 * (rank + 2), 0);
  for (size_t i = 0; i < rank; ++i)
    shape[2 + i] = (shape[2 + i] - 1) * window->strides[i] + window->kernel[i] -
                   window->pads[i] - window->pads[rank + i];
  auto count = countElements(node.shape(0)), total = countElements(shape);
  if (!count || !total ||
      llvm::any_of(shape, [](int64_t d) { return d < 0; })) {
    node.error() << "the result would have shape " << shapeToString(shape);
    return;
  }
  Value y = node.create<ScatterElementsOp>(
      node.elementType(0), node.splat({*total}, node.elementType(0), 0),
      node.reshape(node.in(1), {*count}), node.reshape(node.in(0), {*count}),
      /*axis=*/0, ScatterReduction::None);
  y = node.reshape(y, shape);
  // Indices are those of the shape above whatever is asked for.
  if (node.has(2)) {
    SmallVector<int64_t> wanted = node.constantInts(2, "output_shape");
    if (!node.failed() && wanted.size() != shape.size())
      node.error() << "output_shape has " << wanted.size()
                   << " elements, expected " << shape.size();
    if (node.failed())
      return;
    for (size_t i = 0; i < shape.size(); ++i)
      if (i < 2 ? wanted[i] != shape[i] : wanted[i] < shape[i]) {
        node.error() << "output_shape is " << shapeToString(wanted)
                     << ", expected " << shapeToString(shape)
                     << " or more in the spatial dimensions";
        return;
      }
    for (size_t i = 0; i < shape.size(); ++i)
      pads[shape.size() + i] = wanted[i] - shape[i];
    y = node.create<PadOp>(node.elementType(0), y, pads, PadMode::Constant,
                           llvm::APFloat(0.0));
  }
  node.setOutput(0, y, node.dtype(0));
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
