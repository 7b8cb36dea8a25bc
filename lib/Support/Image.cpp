//===- Image.cpp - Reading and resizing images ----------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Support/Image.h"
#include "qcc/Support/Npy.h"
#include "qcc/Support/TensorFile.h"

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <memory>

#include <jpeglib.h>
#include <png.h>

using namespace qcc;

/// As many pixels as are taken for an image.
static constexpr int64_t maxPixels = int64_t(1) << 28;

static bool isJpeg(const std::string &path) {
  return hasExtension(path, ".jpg") || hasExtension(path, ".jpeg");
}

bool qcc::isImagePath(const std::string &path) {
  return isJpeg(path) || hasExtension(path, ".png") ||
         hasExtension(path, ".npy");
}

Result<Image> qcc::toImage(const HostTensor &tensor) {
  size_t rank = tensor.shape.size();
  if (tensor.dtype != DType::U8 || (rank != 2 && rank != 3))
    return Failure{"is " + std::string(name(tensor.dtype)) + " of shape " +
                   shapeString(tensor.shape) +
                   ", but images are u8 of height x width x channels"};
  Image image;
  image.height = tensor.shape[0];
  image.width = tensor.shape[1];
  image.channels = rank == 3 ? tensor.shape[2] : 1;
  if (tensor.numElements() == 0)
    return Failure{"is empty"};
  image.pixels.assign(tensor.data.begin(), tensor.data.end());
  return image;
}

static Result<Image> readPng(const std::string &path) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&png, path.c_str()))
    return Failure{std::string("is no PNG image: ") + png.message};
  // Transparent parts are black.
  png.format = PNG_FORMAT_RGB;
  png_color black{};
  Image image{int64_t(png.height), int64_t(png.width), 3, {}};
  if (image.height * image.width > maxPixels) {
    png_image_free(&png);
    return Failure{"has too many pixels"};
  }
  image.pixels.resize(PNG_IMAGE_SIZE(png));
  if (!png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr))
    return Failure{std::string("is damaged: ") + png.message};
  return image;
}

namespace {
struct JpegErrors : jpeg_error_mgr {
  std::jmp_buf jump;
  char text[JMSG_LENGTH_MAX];
};
} // namespace

/// Decodes in two steps, between which `image` gets its memory. Nothing with a
/// destructor lives in this frame: libjpeg reports errors by longjmp.
static bool decodeJpeg(std::FILE *file, JpegErrors &errors, Image &image) {
  jpeg_decompress_struct jpeg{};
  jpeg.err = jpeg_std_error(&errors);
  errors.error_exit = [](j_common_ptr common) {
    auto *own = static_cast<JpegErrors *>(common->err);
    own->format_message(common, own->text);
    std::longjmp(own->jump, 1);
  };
  errors.output_message = [](j_common_ptr) {};
  if (setjmp(errors.jump)) {
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_stdio_src(&jpeg, file);
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&jpeg);
  image.height = jpeg.output_height;
  image.width = jpeg.output_width;
  image.channels = 3;
  if (image.height * image.width > maxPixels) {
    std::snprintf(errors.text, sizeof errors.text, "too many pixels");
    std::longjmp(errors.jump, 1);
  }
  image.pixels.resize(size_t(image.height * image.width * 3));
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row =
        image.pixels.data() + size_t(jpeg.output_scanline * image.width * 3);
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return true;
}

static Result<Image> readJpeg(const std::string &path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(
      std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file)
    return Failure{"cannot be opened"};
  Image image;
  JpegErrors errors{};
  if (!decodeJpeg(file.get(), errors, image))
    return Failure{std::string("is no JPEG image: ") + errors.text};
  if (errors.num_warnings)
    return Failure{"is damaged"};
  return image;
}

Result<Image> qcc::readImage(const std::string &path) {
  Result<Image> image = Failure{"is neither .png, .jpg nor .npy"};
  if (isJpeg(path)) {
    image = readJpeg(path);
  } else if (hasExtension(path, ".png")) {
    image = readPng(path);
  } else if (hasExtension(path, ".npy")) {
    Result<HostTensor> tensor = readNpyFile(path);
    if (!tensor)
      return tensor.failure();
    image = toImage(*tensor);
  }
  if (!image)
    return Failure{"'" + path + "' " + image.error()};
  return image;
}

//===----------------------------------------------------------------------===//
// Resizing
//===----------------------------------------------------------------------===//

namespace {
/// The pixels that one result pixel is made of.
struct Taps {
  int64_t first;
  std::vector<int32_t> weights; ///< their sum is about 1 << precision
};
} // namespace

static constexpr int precision = 22;

static std::vector<Taps> makeTaps(int64_t from, int64_t to) {
  double ratio = double(from) / double(to);
  double filterScale = std::max(ratio, 1.0);
  std::vector<Taps> all;
  for (int64_t i = 0; i < to; ++i) {
    double center = (double(i) + 0.5) * ratio;
    auto first = std::max<int64_t>(0, int64_t(center - filterScale + 0.5));
    auto last = std::min<int64_t>(from, int64_t(center + filterScale + 0.5));
    std::vector<double> weights;
    double sum = 0;
    for (int64_t x = first; x < last; ++x) {
      double distance = std::abs((double(x) - center + 0.5) / filterScale);
      weights.push_back(std::max(0.0, 1 - distance));
      sum += weights.back();
    }
    Taps taps{first, {}};
    for (double weight : weights)
      taps.weights.push_back(
          int32_t(0.5 + (sum ? weight / sum : weight) * (1 << precision)));
    all.push_back(std::move(taps));
  }
  return all;
}

/// Resizes the middle one of three dimensions.
static std::vector<uint8_t> resizeMiddle(const std::vector<uint8_t> &in,
                                         int64_t outer, int64_t from,
                                         int64_t inner, int64_t to) {
  std::vector<Taps> taps = makeTaps(from, to);
  std::vector<uint8_t> out(size_t(outer * to * inner));
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < to; ++i)
      for (int64_t k = 0; k < inner; ++k) {
        int32_t sum = 1 << (precision - 1);
        int64_t x = taps[size_t(i)].first;
        for (int32_t weight : taps[size_t(i)].weights)
          sum += int32_t(in[size_t((o * from + x++) * inner + k)]) * weight;
        out[size_t((o * to + i) * inner + k)] =
            uint8_t(std::clamp(sum >> precision, 0, 255));
      }
  return out;
}

Image qcc::resize(const Image &image, int64_t height, int64_t width) {
  Image result = image;
  if (width != image.width)
    result.pixels = resizeMiddle(result.pixels, image.height, image.width,
                                 image.channels, width);
  result.width = width;
  if (height != image.height)
    result.pixels = resizeMiddle(result.pixels, 1, image.height,
                                 width * image.channels, height);
  result.height = height;
  return result;
}
