//===- ConvertResize.cpp - Interpolation of images -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

namespace {
/// What to resize to: one entry per dimension of the input.
struct ResizeTarget {
  SmallVector<int64_t> sizes;
  SmallVector<float> scales;
};
} // namespace

static bool checkScale(Node &node, double scale) {
  if (std::isfinite(scale) && scale > 0 && scale < double(kMaxElements))
    return true;
  node.error() << "a scale is " << scale
               << ", expected a positive finite number";
  return false;
}

/// Extents from scales, rounded down as in float32.
static std::optional<ResizeTarget>
fromScales(Node &node, ArrayRef<double> scales, ArrayRef<int64_t> axes) {
  ResizeTarget target;
  llvm::append_range(target.sizes, node.shape(0));
  target.scales.assign(target.sizes.size(), 1.f);
  if (scales.size() != axes.size()) {
    node.error() << "has " << scales.size() << " scales for " << axes.size()
                 << " dimensions";
    return std::nullopt;
  }
  for (auto [scale, axis] : llvm::zip(scales, axes)) {
    if (!checkScale(node, scale))
      return std::nullopt;
    float factor = float(scale);
    float extent = std::floor(float(target.sizes[size_t(axis)]) * factor);
    if (extent > float(kMaxElements)) {
      node.error() << "the result would be too large";
      return std::nullopt;
    }
    target.sizes[size_t(axis)] = int64_t(extent);
    target.scales[size_t(axis)] = factor;
  }
  return target;
}

static std::optional<ResizeTarget> fromSizes(Node &node,
                                             ArrayRef<int64_t> sizes,
                                             ArrayRef<int64_t> axes,
                                             StringRef policy) {
  ResizeTarget target;
  llvm::append_range(target.sizes, node.shape(0));
  target.scales.assign(target.sizes.size(), 1.f);
  if (sizes.size() != axes.size()) {
    node.error() << "has " << sizes.size() << " sizes for " << axes.size()
                 << " dimensions";
    return std::nullopt;
  }
  std::optional<double> common;
  for (auto [size, axis] : llvm::zip(sizes, axes)) {
    int64_t extent = target.sizes[size_t(axis)];
    if (size < 1 || size > kMaxElements || extent < 1) {
      node.error() << "cannot resize extent " << extent << " to " << size;
      return std::nullopt;
    }
    double scale = double(size) / double(extent);
    if (!common)
      common = scale;
    common = policy == "not_smaller" ? std::max(*common, scale)
                                     : std::min(*common, scale);
  }
  if (policy != "stretch" && policy != "not_larger" &&
      policy != "not_smaller") {
    node.error() << "keep_aspect_ratio_policy=\"" << policy << "\" is unknown";
    return std::nullopt;
  }
  for (auto [size, axis] : llvm::zip(sizes, axes)) {
    int64_t extent = target.sizes[size_t(axis)];
    bool stretch = policy == "stretch";
    target.scales[size_t(axis)] =
        stretch ? float(size) / float(extent) : float(*common);
    double kept = std::floor(*common * double(extent) + 0.5);
    if (kept > double(kMaxElements)) {
      node.error() << "the result would be too large";
      return std::nullopt;
    }
    target.sizes[size_t(axis)] = stretch ? size : int64_t(kept);
  }
  return target;
}

static Value resize(Node &node, Value x, const ResizeTarget &target,
                    ResizeMode mode, CoordMode coord, NearestMode nearest,
                    float cubicCoeff = -0.75f, bool excludeOutside = false) {
  if (ArrayRef<int64_t>(target.sizes) == Node::shapeOf(x) &&
      llvm::all_of(target.scales, [](float scale) { return scale == 1.f; }))
    return x;
  // Only nearest moves elements; the others compute.
  if (mode == ResizeMode::Nearest)
    return node.move<ResizeOp>(x, target.sizes, target.scales, mode, coord,
                               nearest, llvm::APFloat(cubicCoeff),
                               excludeOutside);
  return node.create<ResizeOp>(Node::elementTypeOf(x), x, target.sizes,
                               target.scales, mode, coord, nearest,
                               llvm::APFloat(cubicCoeff), excludeOutside);
}

static std::optional<ResizeMode> readMode(Node &node) {
  StringRef name = node.stringAttr("mode", "nearest");
  auto mode = llvm::StringSwitch<std::optional<ResizeMode>>(name)
                  .Case("nearest", ResizeMode::Nearest)
                  .Cases({"linear", "bilinear"}, ResizeMode::Linear)
                  .Case("cubic", ResizeMode::Cubic)
                  .Default(std::nullopt);
  if (!mode)
    node.error() << "mode \"" << name << "\" is unknown";
  return mode;
}

/// Upsample, and Resize before it had options: asymmetric coordinates, where
/// nearest takes the element before when enlarging and after when reducing.
static void simpleResize(Node &node, ArrayRef<double> scales) {
  SmallVector<int64_t> axes(size_t(node.rank(0)));
  std::iota(axes.begin(), axes.end(), 0);
  std::optional<ResizeMode> mode = readMode(node);
  std::optional<ResizeTarget> target = fromScales(node, scales, axes);
  if (!mode || !target)
    return;
  Value x = node.in(0);
  for (bool enlarging : {true, false}) {
    ResizeTarget step;
    for (size_t i = 0; i < axes.size() && !node.failed(); ++i) {
      bool applies = (target->scales[i] >= 1.f) == enlarging;
      step.sizes.push_back(applies ? target->sizes[i] : Node::shapeOf(x)[i]);
      step.scales.push_back(applies ? target->scales[i] : 1.f);
    }
    if (!node.failed())
      x = resize(node, x, step, *mode, CoordMode::Asymmetric,
                 enlarging ? NearestMode::Floor : NearestMode::Ceil);
  }
  node.setOutput(0, x, node.dtype(0));
}

void qcc::import::convertUpsample(Node &node) {
  if (node.opset() >= 9)
    return simpleResize(node, node.constantFloats(1, "scales"));
  SmallVector<float> scales = node.floatsAttr("scales");
  simpleResize(node, SmallVector<double>(scales.begin(), scales.end()));
}

void qcc::import::convertResize(Node &node) {
  if (node.opset() < 11)
    return simpleResize(node, node.constantFloats(1, "scales"));

  std::optional<ResizeMode> mode = readMode(node);
  StringRef coordName =
      node.stringAttr("coordinate_transformation_mode", "half_pixel");
  std::optional<CoordMode> coord = symbolizeCoordMode(coordName);
  StringRef nearestName = node.stringAttr("nearest_mode", "round_prefer_floor");
  std::optional<NearestMode> nearest = symbolizeNearestMode(nearestName);
  if (!coord || !nearest) {
    node.error() << "coordinate_transformation_mode=\"" << coordName
                 << "\" with nearest_mode=\"" << nearestName
                 << "\" is not supported";
    return;
  }

  SmallVector<int64_t> axes = node.intsAttr("axes");
  if (!node.hasAttr("axes")) {
    axes.resize(size_t(node.rank(0)));
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (int64_t &axis : axes)
    axis = node.normalizeAxis(axis, node.rank(0));

  // An empty tensor stands for an absent operand in early models.
  auto isGiven = [&](unsigned i) {
    return node.has(i) && countElements(node.shape(i)) != 0;
  };
  std::optional<ResizeTarget> target;
  if (isGiven(3))
    target = fromSizes(node, node.constantInts(3, "sizes"), axes,
                       node.stringAttr("keep_aspect_ratio_policy", "stretch"));
  else if (isGiven(2))
    target = fromScales(node, node.constantFloats(2, "scales"), axes);
  else
    node.error() << "has neither scales nor sizes";
  if (!target || !mode || node.failed())
    return;
  bool reduces = llvm::any_of(target->scales, [](float s) { return s < 1.f; });
  if (node.boolAttr("antialias") && reduces && *mode != ResizeMode::Nearest) {
    node.error() << "antialias=1 is not supported when reducing an image";
    return;
  }
  node.setOutput(0,
                 resize(node, node.in(0), *target, *mode, *coord, *nearest,
                        node.floatAttr("cubic_coeff_a", -0.75f),
                        node.boolAttr("exclude_outside")),
                 node.dtype(0));
}
