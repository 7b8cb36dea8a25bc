//===- ConvertShape.cpp - Operators that move elements -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include "llvm/ADT/StringSwitch.h"

#include <numeric>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// The list in operand `i`, or before opset `since` in attribute `name`.
static SmallVector<int64_t> attrOrInput(Node &node, StringRef name, unsigned i,
                                        int64_t since) {
  return node.opset() >= since ? node.constantInts(i, name)
                               : node.intsAttr(name);
}

void qcc::import::convertReshape(Node &node) {
  SmallVector<int64_t> shape = node.constantInts(1, "shape");
  bool allowZero = node.opset() >= 14 && node.boolAttr("allowzero");
  if (node.failed())
    return;
  ArrayRef<int64_t> from = node.shape(0);
  std::optional<size_t> inferred;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !allowZero) {
      if (i >= from.size()) {
        node.error() << "dimension " << i
                     << " is to be copied from an input "
                        "of shape "
                     << shapeToString(from);
        return;
      }
      shape[i] = from[i];
    } else if (shape[i] == -1 && !inferred) {
      inferred = i;
      shape[i] = 1;
    } else if (shape[i] < 0) {
      node.error() << "the shape holds " << shape[i]
                   << ", or -1 more than once";
      return;
    }
  }
  if (inferred) {
    std::optional<int64_t> rest = countElements(shape);
    int64_t total = *countElements(from);
    if (!rest || *rest == 0 || total % *rest != 0) {
      shape[*inferred] = -1;
      node.error() << "a tensor of shape " << shapeToString(from)
                   << " cannot be reshaped to " << shapeToString(shape);
      return;
    }
    shape[*inferred] = total / *rest;
  }
  node.setOutput(0, node.reshape(node.in(0), shape), node.dtype(0));
}

void qcc::import::convertFlatten(Node &node) {
  int64_t axis = node.intAttr("axis", 1), rank = node.rank(0);
  if (axis != rank)
    axis = node.normalizeAxis(axis, rank);
  if (node.failed())
    return;
  ArrayRef<int64_t> shape = node.shape(0);
  int64_t rows = *countElements(shape.take_front(size_t(axis)));
  int64_t columns = *countElements(shape.drop_front(size_t(axis)));
  node.setOutput(0, node.reshape(node.in(0), {rows, columns}), node.dtype(0));
}

void qcc::import::convertTranspose(Node &node) {
  SmallVector<int64_t> permutation = node.intsAttr("perm");
  if (!node.hasAttr("perm"))
    for (int64_t i = node.rank(0); i-- > 0;)
      permutation.push_back(i);
  node.setOutput(0, node.transpose(node.in(0), permutation), node.dtype(0));
}

void qcc::import::convertSqueeze(Node &node) {
  SmallVector<int64_t> axes = attrOrInput(node, "axes", 1, 13);
  ArrayRef<int64_t> shape = node.shape(0);
  // As ONNX Runtime takes it, an empty list names all that are 1.
  bool all = axes.empty();
  axes = node.normalizeAxes(axes, node.rank(0));
  SmallVector<int64_t> result;
  for (auto [i, dim] : llvm::enumerate(shape)) {
    bool isNamed = llvm::is_contained(axes, int64_t(i));
    if (isNamed && dim != 1)
      node.error() << "dimension " << i << " of shape " << shapeToString(shape)
                   << " is not 1";
    if (all ? dim != 1 : !isNamed)
      result.push_back(dim);
  }
  node.setOutput(0, node.reshape(node.in(0), result), node.dtype(0));
}

void qcc::import::convertUnsqueeze(Node &node) {
  SmallVector<int64_t> axes = attrOrInput(node, "axes", 1, 13);
  int64_t rank = node.rank(0) + int64_t(axes.size());
  if (rank > int64_t(kMaxRank))
    node.error() << "the result would have rank " << rank << " (at most "
                 << kMaxRank << ")";
  axes = node.normalizeAxes(axes, rank);
  if (node.failed())
    return;
  SmallVector<int64_t> result;
  const int64_t *next = node.shape(0).begin();
  for (int64_t i = 0; i < rank; ++i)
    result.push_back(llvm::is_contained(axes, i) ? 1 : *next++);
  node.setOutput(0, node.reshape(node.in(0), result), node.dtype(0));
}

void qcc::import::convertConcat(Node &node) {
  int64_t axis = node.normalizeAxis(node.requiredIntAttr("axis"), node.rank(0));
  SmallVector<Value> xs;
  for (unsigned i = 0; i < node.numInputs(); ++i) {
    if (!node.has(i)) {
      node.error() << "operand " << i << " is missing";
      return;
    }
    xs.push_back(node.in(i));
  }
  node.setOutput(0, node.concat(xs, axis), node.dtype(0));
}

void qcc::import::convertSplit(Node &node) {
  int64_t axis = node.normalizeAxis(node.intAttr("axis", 0), node.rank(0));
  SmallVector<int64_t> sizes = attrOrInput(node, "split", 1, 13);
  if (node.failed())
    return;
  ArrayRef<int64_t> shape = node.shape(0);
  int64_t extent = shape[size_t(axis)], parts = node.numOutputs();
  if (sizes.empty()) {
    int64_t asked = node.intAttr("num_outputs", parts);
    if (parts == 0 || asked != parts ||
        (node.opset() < 18 && extent % parts != 0)) {
      node.error() << "dimension " << axis << " of shape "
                   << shapeToString(shape) << " cannot be split into " << asked
                   << " equal parts for " << parts << " outputs";
      return;
    }
    // From opset 18 on the last part may be smaller.
    int64_t size = (extent + parts - 1) / parts;
    for (int64_t i = 0, rest = extent; i < parts; ++i, rest -= size)
      sizes.push_back(std::clamp<int64_t>(rest, 0, size));
  }
  int64_t total = 0;
  for (int64_t size : sizes) {
    if (size < 0 || size > extent)
      total = -1;
    if (total >= 0)
      total += size;
  }
  if (int64_t(sizes.size()) != parts || total != extent) {
    node.error() << "parts of " << shapeToString(sizes)
                 << " do not add up to dimension " << axis << " of shape "
                 << shapeToString(shape) << " for " << parts << " outputs";
    return;
  }
  SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
  SmallVector<int64_t> extents(shape);
  for (int64_t i = 0; i < parts; ++i) {
    extents[size_t(axis)] = sizes[size_t(i)];
    if (node.wantsOutput(unsigned(i)))
      node.setOutput(unsigned(i),
                     node.slice(node.in(0), starts, extents, steps),
                     node.dtype(0));
    starts[size_t(axis)] += sizes[size_t(i)];
  }
}

void qcc::import::convertSlice(Node &node) {
  SmallVector<int64_t> from = attrOrInput(node, "starts", 1, 10);
  SmallVector<int64_t> to = attrOrInput(node, "ends", 2, 10);
  SmallVector<int64_t> axes = attrOrInput(node, "axes", 3, 10);
  SmallVector<int64_t> by = node.opset() >= 10 ? node.constantInts(4, "steps")
                                               : SmallVector<int64_t>();
  if (axes.empty()) {
    axes.resize(from.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (by.empty())
    by.assign(from.size(), 1);
  if (!node.failed() &&
      (to.size() != from.size() || axes.size() != from.size() ||
       by.size() != from.size()))
    node.error() << "starts, ends, axes and steps have " << from.size() << ", "
                 << to.size() << ", " << axes.size() << " and " << by.size()
                 << " entries, expected the same number";
  node.normalizeAxes(axes, node.rank(0)); // no axis twice
  if (node.failed())
    return;

  ArrayRef<int64_t> shape = node.shape(0);
  SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
  SmallVector<int64_t> sizes(shape);
  for (size_t i = 0; i < from.size(); ++i) {
    auto axis = size_t(node.normalizeAxis(axes[i], node.rank(0)));
    int64_t dim = shape[axis];
    // Larger steps select the same single element.
    int64_t step = std::clamp<int64_t>(by[i], -kMaxElements, kMaxElements);
    if (step == 0) {
      node.error() << "a step is 0";
      return;
    }
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? dim : dim - 1;
    auto clampTo = [&](int64_t index, int64_t min) {
      return std::clamp(index < 0 ? index + dim : index, min,
                        std::max(min, high));
    };
    int64_t start = clampTo(from[i], 0), end = clampTo(to[i], low);
    int64_t distance = step > 0 ? end - start : start - end;
    int64_t stride = std::abs(step);
    sizes[axis] =
        dim == 0 || distance <= 0 ? 0 : (distance + stride - 1) / stride;
    starts[axis] = sizes[axis] == 0 ? 0 : start;
    steps[axis] = step;
  }
  node.setOutput(0, node.slice(node.in(0), starts, sizes, steps),
                 node.dtype(0));
}

/// The number that constant padding writes; nothing after an error.
static std::optional<double> readPadValue(Node &node) {
  if (node.opset() < 11)
    return node.floatAttr("value", 0.f);
  if (!node.has(2))
    return 0;
  if (isa<FloatType>(node.elementType(2))) {
    SmallVector<double> values = node.constantFloats(2, "constant_value");
    if (values.size() == 1)
      return values[0];
  } else {
    SmallVector<int64_t> values = node.constantInts(2, "constant_value");
    if (values.size() == 1)
      return double(values[0]);
  }
  node.error() << "constant_value must be one number";
  return std::nullopt;
}

void qcc::import::convertPad(Node &node) {
  SmallVector<int64_t> given = attrOrInput(node, "pads", 1, 11);
  SmallVector<int64_t> axes;
  if (node.has(3))
    axes = node.constantInts(3, "axes");
  else
    for (int64_t i = 0; i < node.rank(0); ++i)
      axes.push_back(i);
  std::optional<double> value = readPadValue(node);
  node.normalizeAxes(axes, node.rank(0)); // no axis twice
  if (!value || node.failed())
    return;
  if (given.size() != 2 * axes.size()) {
    node.error() << "pads has " << given.size() << " entries, expected "
                 << 2 * axes.size();
    return;
  }
  StringRef modeName = node.stringAttr("mode", "constant");
  auto mode = llvm::StringSwitch<std::optional<PadMode>>(modeName)
                  .Case("constant", PadMode::Constant)
                  .Case("reflect", PadMode::Reflect)
                  .Case("edge", PadMode::Edge)
                  .Case("wrap", PadMode::Wrap)
                  .Default(std::nullopt);
  if (!mode) {
    node.error() << "mode \"" << modeName << "\" is unknown";
    return;
  }
  auto rank = size_t(node.rank(0));
  SmallVector<int64_t> pads(2 * rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    auto axis = size_t(node.normalizeAxis(axes[i], node.rank(0)));
    pads[axis] = given[i];
    pads[axis + rank] = given[i + axes.size()];
  }
  Value x = node.in(0);
  if (llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
    return node.setOutput(0, x, node.dtype(0));
  // A quantized tensor is padded with the real value of the integer.
  if (auto type = dyn_cast<quant::UniformQuantizedType>(
          Node::elementTypeOf(Node::withoutStorageCast(x))))
    value = (*value - double(type.getZeroPoint())) * type.getScale();
  node.setOutput(0, node.move<PadOp>(x, pads, *mode, llvm::APFloat(*value)),
                 node.dtype(0));
}

void qcc::import::convertCenterCropPad(Node &node) {
  SmallVector<int64_t> target = node.constantInts(1, "shape"), axes;
  int64_t rank = node.rank(0);
  if (node.hasAttr("axes"))
    axes = node.intsAttr("axes");
  else
    for (int64_t d = 0; d < rank; ++d)
      axes.push_back(d);
  node.normalizeAxes(axes, rank); // no axis twice
  if (node.failed())
    return;
  if (axes.size() != target.size()) {
    node.error() << "shape has " << target.size() << " extents for "
                 << axes.size() << " axes";
    return;
  }
  Value x = node.in(0);
  SmallVector<int64_t> sizes(node.shape(0)), starts(size_t(rank), 0),
      steps(size_t(rank), 1), pads(size_t(2 * rank), 0);
  for (auto [axis, extent] : llvm::zip_equal(axes, target)) {
    int64_t d = node.normalizeAxis(axis, rank), difference = extent - sizes[d];
    if (extent < 0 || extent > (int64_t(1) << 30)) {
      node.error() << "shape holds " << extent;
      return;
    }
    if (difference > 0) {
      pads[d] = difference / 2;
      pads[d + rank] = difference - pads[d];
    } else {
      starts[d] = -difference / 2;
      sizes[d] = extent;
    }
  }
  x = node.slice(x, starts, sizes, steps);
  if (llvm::any_of(pads, [](int64_t pad) { return pad != 0; }))
    x = node.move<PadOp>(x, pads, PadMode::Constant, llvm::APFloat(0.0));
  node.setOutput(0, x, node.dtype(0));
}

void qcc::import::convertExpand(Node &node) {
  SmallVector<int64_t> asked = node.constantInts(1, "shape");
  if (node.failed())
    return;
  // Broadcasting works both ways: the input may be the larger one.
  ArrayRef<int64_t> shape = node.shape(0);
  SmallVector<int64_t> result(std::max(asked.size(), shape.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    size_t back = result.size() - i;
    int64_t have = back <= shape.size() ? shape[shape.size() - back] : 1;
    int64_t want = back <= asked.size() ? asked[asked.size() - back] : 1;
    if (want < 0 || (have != want && have != 1 && want != 1)) {
      node.error() << "a tensor of shape " << shapeToString(shape)
                   << " cannot be expanded to " << shapeToString(asked);
      return;
    }
    result[i] = have == 1 ? want : have;
  }
  node.setOutput(0, node.expand(node.in(0), result), node.dtype(0));
}

void qcc::import::convertTile(Node &node) {
  SmallVector<int64_t> repeats = node.constantInts(1, "repeats");
  ArrayRef<int64_t> shape = node.shape(0);
  if (!node.failed() && repeats.size() != shape.size())
    node.error() << "repeats has " << repeats.size() << " entries, expected "
                 << shape.size();
  if (node.failed())
    return;
  // [d0, d1] -> [1, d0, 1, d1] -> [r0, d0, r1, d1] -> [r0 d0, r1 d1]; a
  // dimension that is not repeated needs no companion.
  SmallVector<int64_t> apart, repeated, result;
  for (auto [dim, repeat] : llvm::zip(shape, repeats)) {
    if (repeat < 0 || repeat > kMaxElements) {
      node.error() << "repeats holds " << repeat;
      return;
    }
    if (repeat != 1) {
      apart.push_back(1);
      repeated.push_back(repeat);
    }
    apart.push_back(dim);
    repeated.push_back(dim);
  }
  if (!countElements(repeated)) {
    node.error() << "the result would be too large (at most 2^40 elements in "
                    "32 dimensions)";
    return;
  }
  for (auto [dim, repeat] : llvm::zip(shape, repeats))
    result.push_back(dim * repeat);
  Value x = node.expand(node.reshape(node.in(0), apart), repeated);
  node.setOutput(0, node.reshape(x, result), node.dtype(0));
}

/// Checks an input [N, C, H, W] and reads the block size; 0 after an error.
static int64_t readBlockSize(Node &node) {
  int64_t block = node.requiredIntAttr("blocksize");
  if (!node.failed() && (node.rank(0) != 4 || block < 1 || block > 1 << 20)) {
    node.error() << "needs an input [N, C, H, W] and a block size of at least "
                    "1, but has "
                 << shapeToString(node.shape(0)) << " and " << block;
  }
  return node.failed() ? 0 : block;
}

void qcc::import::convertDepthToSpace(Node &node) {
  int64_t b = readBlockSize(node);
  if (!b)
    return;
  ArrayRef<int64_t> s = node.shape(0);
  StringRef mode = node.stringAttr("mode", "DCR");
  if ((mode != "DCR" && mode != "CRD") || s[1] % (b * b) != 0) {
    node.error() << "mode \"" << mode << "\", or the " << s[1]
                 << " channels are not a multiple of " << b * b;
    return;
  }
  int64_t c = s[1] / (b * b);
  bool depthFirst = mode == "DCR";
  Value x = depthFirst ? node.reshape(node.in(0), {s[0], b, b, c, s[2], s[3]})
                       : node.reshape(node.in(0), {s[0], c, b, b, s[2], s[3]});
  x = depthFirst ? node.transpose(x, {0, 3, 4, 1, 5, 2})
                 : node.transpose(x, {0, 1, 4, 2, 5, 3});
  node.setOutput(0, node.reshape(x, {s[0], c, s[2] * b, s[3] * b}),
                 node.dtype(0));
}

void qcc::import::convertSpaceToDepth(Node &node) {
  int64_t b = readBlockSize(node);
  if (!b)
    return;
  ArrayRef<int64_t> s = node.shape(0);
  if (s[2] % b != 0 || s[3] % b != 0) {
    node.error() << "the image " << s[2] << "x" << s[3]
                 << " is not a multiple of the block size " << b;
    return;
  }
  Value x = node.reshape(node.in(0), {s[0], s[1], s[2] / b, b, s[3] / b, b});
  x = node.transpose(x, {0, 3, 5, 1, 2, 4});
  node.setOutput(0, node.reshape(x, {s[0], s[1] * b * b, s[2] / b, s[3] / b}),
                 node.dtype(0));
}
