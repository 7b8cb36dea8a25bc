//===- ConvertSampling.cpp - Images read at computed places ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"
#include "Window.h"

#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

/// Elements of a block whose filter of ones is made.
static constexpr int64_t kMaxBlock = 4096;
/// Places that are computed at compile time.
static constexpr int64_t kMaxTable = int64_t(1) << 24;

void qcc::import::convertGridSample(Node &node) {
  // Renamed in opset 20.
  StringRef name = node.stringAttr("mode", "linear");
  auto mode = llvm::StringSwitch<std::optional<ResizeMode>>(name)
                  .Case("nearest", ResizeMode::Nearest)
                  .Cases({"linear", "bilinear"}, ResizeMode::Linear)
                  .Cases({"cubic", "bicubic"}, ResizeMode::Cubic)
                  .Default(std::nullopt);
  StringRef padding = node.stringAttr("padding_mode", "zeros");
  std::optional<SampleBorder> border = symbolizeSampleBorder(padding);
  if (!node.failed() && !mode)
    node.error() << "mode=\"" << name << "\" is unknown";
  if (!node.failed() && !border)
    node.error() << "padding_mode=\"" << padding << "\" is unknown";
  if (node.failed())
    return;
  node.setOutput(0, node.create<GridSampleOp>(node.elementType(0), node.in(0),
                                              node.in(1), *mode, *border,
                                              node.boolAttr("align_corners")));
}

void qcc::import::convertRoiAlign(Node &node) {
  // Before opset 16 coordinates were not shifted, and there was no choice.
  StringRef shift =
      node.stringAttr("coordinate_transformation_mode",
                      node.opset() < 16 ? "output_half_pixel" : "half_pixel");
  StringRef mode = node.stringAttr("mode", "avg");
  if (!node.failed() && shift != "half_pixel" && shift != "output_half_pixel")
    node.error() << "coordinate_transformation_mode=\"" << shift
                 << "\" is unknown";
  if (!node.failed() && mode != "avg" && mode != "max")
    node.error() << "mode=\"" << mode << "\" is unknown";
  node.setOutput(0, node.create<RoiAlignOp>(
                        node.elementType(0), node.in(0), node.in(1), node.in(2),
                        uint64_t(node.intAttr("output_height", 1)),
                        uint64_t(node.intAttr("output_width", 1)),
                        uint64_t(node.intAttr("sampling_ratio", 0)),
                        llvm::APFloat(node.floatAttr("spatial_scale", 1.f)),
                        shift == "half_pixel", mode == "max"));
}

/// theta [N, r, r + 1] maps homogeneous coordinates of the result's pixels to
/// those of the input, from the last spatial dimension to the first.
void qcc::import::convertAffineGrid(Node &node) {
  SmallVector<int64_t> size = node.constantInts(1, "size");
  bool alignCorners = node.boolAttr("align_corners");
  if (node.failed())
    return;
  int64_t rank = int64_t(size.size()) - 2;
  ArrayRef<int64_t> shape = node.shape(0);
  if (rank < 2 || rank > 3 || !isa<FloatType>(node.elementType(0)) ||
      shape != ArrayRef<int64_t>{size[0], rank, rank + 1}) {
    node.error() << "theta must be floats [N, 2, 3] for a size of 4 extents or "
                    "[N, 3, 4] for one of 5; is "
                 << shapeToString(shape);
    return;
  }
  ArrayRef<int64_t> spatial = ArrayRef<int64_t>(size).drop_front(2);
  for (int64_t extent : spatial)
    if (extent < 1 || extent > (1 << 20)) {
      node.error() << "size holds " << extent;
      return;
    }
  SmallVector<int64_t> ones(static_cast<size_t>(rank), 1);
  auto column = [&](int64_t j) {
    Value slice =
        node.slice(node.in(0), {0, 0, j}, {size[0], rank, 1}, {1, 1, 1});
    SmallVector<int64_t> to{size[0]};
    to.append(ones);
    to.push_back(rank);
    return node.reshape(slice, to);
  };
  SmallVector<int64_t> result{size[0]};
  llvm::append_range(result, spatial);
  result.push_back(rank);
  Value grid = node.expand(column(rank), result);
  for (int64_t j = 0; j < rank; ++j) {
    int64_t d = rank - 1 - j, extent = spatial[d];
    SmallVector<double> places;
    for (int64_t i = 0; i < extent; ++i)
      places.push_back(!alignCorners ? (2 * double(i) + 1) / double(extent) - 1
                       : extent == 1 ? -1
                                     : 2 * double(i) / double(extent - 1) - 1);
    SmallVector<int64_t> along(ones);
    along[d] = extent;
    along.push_back(1);
    Value term = node.binary(BinaryKind::Mul, column(j),
                             node.reals(along, places, node.elementType(0)));
    grid = node.binary(BinaryKind::Add, grid, term);
  }
  node.setOutput(0, grid);
}

/// A convolution whose taps are each moved by an offset: the taps of all pixels
/// are read by a grid_sample, one image for each group of offsets, and meet
/// the filter in a 1x1 convolution.
void qcc::import::convertDeformConv(Node &node) {
  ArrayRef<int64_t> x = node.shape(0), w = node.shape(1), o = node.shape(2);
  if (x.size() != 4 || w.size() != 4 || o.size() != 4) {
    node.error() << "only images of two dimensions are supported";
    return;
  }
  auto window = readWindow(node, x.drop_front(2), w.drop_front(2));
  int64_t groups = node.intAttr("group", 1);
  int64_t offsetGroups = node.intAttr("offset_group", 1);
  if (node.failed() || !window)
    return;
  int64_t taps = window->kernel[0] * window->kernel[1], channels = x[1];
  std::array<int64_t, 2> extents;
  for (int d = 0; d < 2; ++d) {
    int64_t span = (window->kernel[d] - 1) * window->dilations[d] + 1;
    int64_t room = x[d + 2] + window->pads[d] + window->pads[d + 2] - span;
    extents[d] = room < 0 ? 0 : room / window->strides[d] + 1;
  }
  auto [height, width] = extents;
  if (groups < 1 || offsetGroups < 1 || offsetGroups > channels ||
      channels % offsetGroups != 0 ||
      o != ArrayRef<int64_t>{x[0], 2 * offsetGroups * taps, height, width}) {
    node.error() << "offset must be [" << x[0] << ", 2 * offset_group * "
                 << taps << ", " << height << ", " << width
                 << "], with offset_group a divisor of the " << channels
                 << " channels";
    return;
  }
  if (node.has(4) &&
      node.shape(4) !=
          ArrayRef<int64_t>{x[0], offsetGroups * taps, height, width}) {
    node.error() << "mask must be [" << x[0] << ", offset_group * " << taps
                 << ", " << height << ", " << width << "]";
    return;
  }
  if (taps * height * width > kMaxTable) {
    node.error() << "reads " << taps << " taps for each of " << height << " x "
                 << width << " pixels, which is too large (at most 2^24)";
    return;
  }
  // The pixel of each tap without its offset, column and row.
  SmallVector<double> places;
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t row = 0; row < height; ++row)
      for (int64_t column = 0; column < width; ++column)
        for (int d : {1, 0}) {
          int64_t at = d == 1 ? column : row;
          int64_t k =
              d == 1 ? tap % window->kernel[1] : tap / window->kernel[1];
          places.push_back(double(at * window->strides[d] - window->pads[d] +
                                  k * window->dilations[d]));
        }
  // Halves do not count the pixels of wide images.
  Type given = node.elementType(0);
  Type type = given.isF64() ? given : node.getBuilder().getF32Type();
  int64_t images = x[0] * offsetGroups;
  Value offset = node.transpose(node.reshape(node.cast(node.in(2), type),
                                             {images, taps, 2, height, width}),
                                {0, 1, 3, 4, 2});
  offset = node.gather(offset, node.ints({1, 0}), 4);
  Value grid = node.binary(BinaryKind::Add, offset,
                           node.reals({taps, height, width, 2}, places, type));
  // All is zero beyond the neighbours of the image, also at infinity.
  grid = node.binary(BinaryKind::Max, grid, node.reals({2}, {-2, -2}, type));
  grid =
      node.binary(BinaryKind::Min, grid,
                  node.reals({2}, {double(x[3]) + 1, double(x[2]) + 1}, type));
  grid = node.reshape(grid, {images, taps * height, width, 2});
  Value image = node.reshape(node.cast(node.in(0), type),
                             {images, channels / offsetGroups, x[2], x[3]});
  if (node.failed())
    return;
  Value read = node.create<GridSampleOp>(type, image, grid, ResizeMode::Linear,
                                         SampleBorder::Zeros, false,
                                         /*inPixels=*/true);
  if (node.has(4))
    read = node.binary(BinaryKind::Mul, read,
                       node.reshape(node.cast(node.in(4), type),
                                    {images, 1, taps * height, width}));
  read = node.reshape(read, {x[0], channels * taps, height, width});
  Value filter =
      node.reshape(node.cast(node.in(1), type), {w[0], w[1] * taps, 1, 1});
  Value bias = node.has(3) ? node.cast(node.in(3), type) : Value();
  if (node.failed())
    return;
  Value y = node.create<ConvOp>(
      type, read, filter, bias, Value(), ArrayRef<int64_t>{1, 1},
      ArrayRef<int64_t>{1, 1}, ArrayRef<int64_t>{0, 0, 0, 0}, uint64_t(groups),
      Layout::ChannelsFirst, ActivationAttr());
  node.setOutput(0, node.cast(y, given));
}

/// Sums of overlapping blocks: a transposed convolution of each channel, whose
/// filter has a one for each element of a block.
void qcc::import::convertCol2Im(Node &node) {
  SmallVector<int64_t> image = node.constantInts(1, "image_shape"),
                       block = node.constantInts(2, "block_shape");
  if (node.failed())
    return;
  size_t rank = image.size();
  auto window = rank >= 1 && rank <= 3 && block.size() == rank
                    ? readWindowShape(node, rank, block)
                    : std::nullopt;
  ArrayRef<int64_t> shape = node.shape(0);
  if (node.failed())
    return;
  int64_t taps = 1;
  for (int64_t extent : block)
    taps *= extent >= 1 && extent <= kMaxBlock ? extent : 0;
  if (!window || shape.size() != 3 || taps == 0 || taps > kMaxBlock ||
      shape[1] % taps != 0 || shape[1] == 0 ||
      !isa<FloatType>(node.elementType(0))) {
    node.error() << "needs floats [N, C * elements of a block, blocks], and an "
                    "image and a block of the same 1 to 3 dimensions; a block "
                    "has at most "
                 << kMaxBlock << " elements";
    return;
  }
  int64_t channels = shape[1] / taps, blocks = 1;
  SmallVector<int64_t> input{shape[0] * channels, taps},
      result{shape[0], channels}, padding;
  for (size_t d = 0; d < rank; ++d) {
    int64_t span = (block[d] - 1) * window->dilations[d] + 1;
    int64_t room = image[d] + window->pads[d] + window->pads[d + rank] - span;
    if (image[d] < 1 || image[d] > (1 << 20) || room < 0) {
      node.error() << "a block of " << span
                   << " does not fit into an extent of " << image[d];
      return;
    }
    input.push_back(room / window->strides[d] + 1);
    padding.push_back(room % window->strides[d]);
    blocks *= input.back();
    result.push_back(image[d]);
  }
  if (blocks != shape[2]) {
    node.error() << "the image has " << blocks << " blocks, the input "
                 << shape[2];
    return;
  }
  std::vector<double> filter(size_t(taps * taps), 0);
  for (int64_t tap = 0; tap < taps; ++tap)
    filter[size_t(tap * taps + tap)] = 1;
  SmallVector<int64_t> filterShape{taps, 1};
  filterShape.append(block);
  Value weights = node.reals(filterShape, filter, node.elementType(0));
  Value x = node.reshape(node.in(0), input);
  if (node.failed())
    return;
  Value y = node.create<ConvTransposeOp>(
      node.elementType(0), x, weights, Value(), window->strides,
      window->dilations, window->pads, padding, uint64_t(1),
      Layout::ChannelsFirst, ActivationAttr());
  node.setOutput(0, node.reshape(y, result));
}
