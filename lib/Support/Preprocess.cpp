//===- Preprocess.cpp - How images become inputs --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Image.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace qcc;

static std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (true) {
    size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos)
      return parts;
    begin = end + 1;
  }
}

static Failure stepFailure(const std::string &step, const std::string &text) {
  return Failure{"-preprocess: " + step + ": " + text};
}

static std::optional<double> parseNumber(const std::string &text) {
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end || !std::isfinite(value))
    return std::nullopt;
  return value;
}

/// A/B/C, or one number for all channels.
static Result<std::vector<double>> parseNumbers(const std::string &step,
                                                const std::string &text) {
  std::vector<double> values;
  for (const std::string &part : split(text, '/')) {
    std::optional<double> value = parseNumber(part);
    if (!value)
      return stepFailure(step, "expected numbers separated by /");
    values.push_back(*value);
  }
  return values;
}

Result<Preprocess::Extent> Preprocess::parseExtent(const std::string &step,
                                                   const std::string &text) {
  std::vector<int64_t> sides;
  for (const std::string &part : split(text, 'x')) {
    std::optional<double> side = parseNumber(part);
    if (!side || *side < 1 || *side > 65536 || *side != std::floor(*side))
      return stepFailure(step, "expected 224 or 224x320, height first");
    sides.push_back(int64_t(*side));
  }
  if (sides.size() > 2)
    return stepFailure(step, "expected 224 or 224x320, height first");
  return Extent{sides[0], sides.size() == 2 ? sides[1] : 0};
}

Status Preprocess::parseStep(const std::string &key, const std::string &value) {
  std::string step = key + "=" + value;
  if (key == "resize" || key == "crop") {
    Result<Extent> extent = parseExtent(step, value);
    if (!extent)
      return extent.failure();
    (key == "resize" ? resizeTo : cropTo) = *extent;
    return {};
  }
  if (key == "scale") {
    std::vector<std::string> parts = split(value, '/');
    std::optional<double> top = parseNumber(parts[0]), bottom = 1.0;
    if (parts.size() == 2)
      bottom = parseNumber(parts[1]);
    if (!top || !bottom || *bottom == 0 || parts.size() > 2)
      return stepFailure(step, "expected a number or a fraction");
    scale = *top / *bottom;
    return {};
  }
  if (key == "mean" || key == "std") {
    Result<std::vector<double>> values = parseNumbers(step, value);
    if (!values)
      return values.failure();
    if (key == "std" && std::count(values->begin(), values->end(), 0.0))
      return stepFailure(step, "must not be 0");
    (key == "mean" ? mean : deviation) = *values;
    return {};
  }
  if (key == "color") {
    if (value != "rgb" && value != "bgr" && value != "gray")
      return stepFailure(step, "expected rgb, bgr or gray");
    color = value == "rgb"   ? Color::RGB
            : value == "bgr" ? Color::BGR
                             : Color::Gray;
    return {};
  }
  if (key == "layout") {
    if (value != "nchw" && value != "nhwc")
      return stepFailure(step, "expected nchw or nhwc");
    layout = value == "nchw" ? Layout::ChannelsFirst : Layout::ChannelsLast;
    return {};
  }
  return stepFailure(step, "no such step; there are resize, crop, color, "
                           "scale, mean, std and layout");
}

Result<Preprocess> Preprocess::parse(const std::string &text) {
  Preprocess result;
  if (text.empty())
    return result;
  for (const std::string &step : split(text, ',')) {
    size_t equals = step.find('=');
    if (equals == std::string::npos)
      return stepFailure(step, "expected NAME=VALUE");
    Status status =
        result.parseStep(step.substr(0, equals), step.substr(equals + 1));
    if (!status)
      return status.failure();
  }
  return result;
}

static std::string sizeText(int64_t height, int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width);
}

Status Preprocess::fitSize(Image &image) const {
  if (resizeTo.height) {
    int64_t height = resizeTo.height, width = resizeTo.width;
    if (!width) { // the shorter side gets this length, the other keeps pace
      int64_t side = height;
      bool upright = image.width <= image.height;
      width = upright ? side : side * image.width / image.height;
      height = upright ? side * image.height / image.width : side;
    }
    image = resize(image, height, width);
  }
  if (!cropTo.height)
    return {};
  int64_t height = cropTo.height;
  int64_t width = cropTo.width ? cropTo.width : height;
  if (height > image.height || width > image.width)
    return Failure{"crop=" + sizeText(height, width) +
                   " does not fit an image of " +
                   sizeText(image.height, image.width)};
  auto top = int64_t(std::nearbyint(double(image.height - height) / 2));
  auto left = int64_t(std::nearbyint(double(image.width - width) / 2));
  Image part{height, width, image.channels, {}};
  part.pixels.resize(size_t(height * width * image.channels));
  for (int64_t y = 0; y < height; ++y)
    std::memcpy(part.pixels.data() + y * width * image.channels,
                image.pixels.data() +
                    ((top + y) * image.width + left) * image.channels,
                size_t(width * image.channels));
  image = std::move(part);
  return {};
}

/// Luma of ITU-R 601 in 16 bits of fraction.
static uint8_t luma(const uint8_t *rgb) {
  return uint8_t(
      (rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000) >> 16);
}

Status Preprocess::fitColor(Image &image, int64_t channels) const {
  bool gray = color == Color::Gray || (color == Color::Auto && channels == 1);
  if (color == Color::BGR && image.channels == 3)
    for (size_t i = 0; i + 2 < image.pixels.size(); i += 3)
      std::swap(image.pixels[i], image.pixels[i + 2]);
  std::vector<uint8_t> pixels;
  if (gray && image.channels == 3) {
    for (size_t i = 0; i + 2 < image.pixels.size(); i += 3)
      pixels.push_back(luma(&image.pixels[i]));
    image.channels = 1;
    image.pixels = std::move(pixels);
  } else if (image.channels == 1 && channels == 3) {
    for (uint8_t pixel : image.pixels)
      pixels.insert(pixels.end(), 3, pixel);
    image.channels = 3;
    image.pixels = std::move(pixels);
  }
  if (image.channels != channels)
    return Failure{"the image has " + std::to_string(image.channels) +
                   " channels, the input " + std::to_string(channels)};
  return {};
}

Result<HostTensor> Preprocess::apply(const Image &original, DType dtype,
                                     const std::vector<int64_t> &shape) const {
  std::vector<int64_t> dims = shape;
  if (dims.size() == 4 && dims[0] == 1)
    dims.erase(dims.begin());
  if (dims.size() == 2)
    dims.insert(dims.begin(), 1);
  bool isByte = dtype == DType::U8;
  if (dims.size() != 3 || (!isByte && dtype != DType::F32))
    return Failure{"an input that is " + std::string(name(dtype)) +
                   " of shape " + shapeString(shape) + " takes no images"};
  auto isChannels = [](int64_t extent) { return extent == 1 || extent == 3; };
  bool last =
      layout == Layout::ChannelsLast ||
      (layout == Layout::Auto && !isChannels(dims[0]) && isChannels(dims[2]));
  int64_t channels = last ? dims[2] : dims[0];
  int64_t height = last ? dims[0] : dims[1], width = last ? dims[1] : dims[2];

  Image image = original;
  if (Status status = fitSize(image); !status)
    return status.failure();
  if (image.height != height || image.width != width)
    return Failure{"the image is " + sizeText(image.height, image.width) +
                   ", the input takes " + sizeText(height, width) +
                   "; say how it gets there with resize= and crop="};
  if (Status status = fitColor(image, channels); !status)
    return status.failure();
  for (const std::vector<double> *values : {&mean, &deviation})
    if (values->size() > 1 && int64_t(values->size()) != channels)
      return Failure{"mean= and std= take one number, or " +
                     std::to_string(channels) + " for this input"};
  if (isByte && (scale != 1 || !mean.empty() || !deviation.empty()))
    return Failure{"an input of bytes takes pixels as they are, without "
                   "scale=, mean= and std="};

  HostTensor tensor{"", dtype, shape, {}};
  tensor.data.resize(image.pixels.size() * byteSize(dtype));
  auto at = [](const std::vector<double> &values, int64_t c, double fallback) {
    if (values.empty())
      return fallback;
    return values[values.size() == 1 ? 0 : size_t(c)];
  };
  for (int64_t c = 0; c < channels; ++c) {
    double shift = at(mean, c, 0), divisor = at(deviation, c, 1);
    for (int64_t i = 0; i < height * width; ++i) {
      size_t out = size_t(last ? i * channels + c : c * height * width + i);
      uint8_t pixel = image.pixels[size_t(i * channels + c)];
      if (isByte) {
        tensor.data[out] = char(pixel);
        continue;
      }
      auto value = float((pixel * scale - shift) / divisor);
      std::memcpy(tensor.data.data() + out * sizeof value, &value,
                  sizeof value);
    }
  }
  return tensor;
}
