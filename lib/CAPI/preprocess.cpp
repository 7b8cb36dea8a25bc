//===- preprocess.cpp - Images to inputs ----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc-c/qcc.h"
#include "qcc/Support/Image.h"

#include <cstdio>
#include <cstring>
#include <exception>

using namespace qcc;

static Result<HostTensor> run(const char *steps, const char *path,
                              const QccPixels *pixels,
                              const QccInputSpec &input) {
  Result<Preprocess> preprocess = Preprocess::parse(steps);
  if (!preprocess)
    return preprocess.failure();
  Image image;
  if (path) {
    Result<Image> read = readImage(path);
    if (!read)
      return read.failure();
    image = std::move(*read);
  } else {
    if (pixels->height <= 0 || pixels->width <= 0 || pixels->channels <= 0)
      return Failure{"the image is empty"};
    image.height = pixels->height;
    image.width = pixels->width;
    image.channels = pixels->channels;
    image.pixels.assign(pixels->data, pixels->data + image.height *
                                                         image.width *
                                                         image.channels);
  }
  return preprocess->apply(image, DType(input.dtype),
                           {input.shape, input.shape + input.rank});
}

QccStatus qccPreprocess(const char *steps, const char *path,
                        const QccPixels *pixels, const QccInputSpec *input,
                        void *data, char *message, size_t message_size) {
  auto fail = [&](QccStatus status, const char *text) {
    if (message && message_size)
      std::snprintf(message, message_size, "%s", text);
    return status;
  };
  if (!steps || (!path && (!pixels || !pixels->data)) || !input || !data)
    return fail(QCC_INVALID_ARGUMENT, "a null pointer");
  try {
    Result<HostTensor> tensor = run(steps, path, pixels, *input);
    if (!tensor)
      return fail(QCC_FAILURE, tensor.error().c_str());
    std::memcpy(data, tensor->data.data(), tensor->data.size());
    return QCC_SUCCESS;
  } catch (const std::exception &exception) {
    return fail(QCC_INTERNAL_ERROR, exception.what());
  }
}
