//===- Image.h - Photographs to input tensors -------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_IMAGE_H
#define QCC_SUPPORT_IMAGE_H

#include "qcc/Support/HostTensor.h"
#include "qcc/Support/Result.h"

namespace qcc {

/// 8-bit pixels, row by row, the channels of a pixel side by side.
struct Image {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;
};

/// Whether the extension is one of readImage.
bool isImagePath(const std::string &path);

/// Reads a PNG or JPEG file as RGB, or an .npy file of uint8 that is
/// height x width or height x width x channels.
Result<Image> readImage(const std::string &path);

/// The image that an array of uint8 holds: height x width (x channels).
Result<Image> toImage(const HostTensor &tensor);

/// Bilinear with antialiasing: each result pixel is the weighted mean of the
/// pixels under a triangle as wide as two result pixels, columns first, rounded
/// to 8 bits after each direction. The bytes are those of Pillow.
Image resize(const Image &image, int64_t height, int64_t width);

/// How images become inputs: the text of -preprocess=.
class Preprocess {
public:
  /// Steps separated by commas, applied in this order whatever the text's:
  ///   resize=256      shorter side, or HEIGHTxWIDTH
  ///   crop=224        centre square, or HEIGHTxWIDTH
  ///   color=bgr       channels reversed (rgb, bgr, gray; default: rgb, or gray
  ///                   where the input has one channel)
  ///   scale=1/255     factor of each pixel
  ///   mean=A/B/C      subtracted per channel (or one for all), after scale
  ///   std=A/B/C       divided by
  ///   layout=nhwc     of the input, where its shape does not tell
  static Result<Preprocess> parse(const std::string &text);

  /// The image as elements of `dtype` in exactly `shape`.
  Result<HostTensor> apply(const Image &image, DType dtype,
                           const std::vector<int64_t> &shape) const;

private:
  enum class Color { Auto, RGB, BGR, Gray };
  enum class Layout { Auto, ChannelsFirst, ChannelsLast };
  struct Extent {
    int64_t height = 0, width = 0; ///< 0: not asked for; width 0: see the step
  };
  static Result<Extent> parseExtent(const std::string &step,
                                    const std::string &text);
  Status parseStep(const std::string &key, const std::string &value);
  Status fitSize(Image &image) const;
  Status fitColor(Image &image, int64_t channels) const;

  Extent resizeTo, cropTo;
  Color color = Color::Auto;
  Layout layout = Layout::Auto;
  double scale = 1;
  std::vector<double> mean, deviation;
};

} // namespace qcc

#endif // QCC_SUPPORT_IMAGE_H
