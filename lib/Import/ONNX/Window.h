//===- Window.h - Attributes of convolutions and pools ---------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_WINDOW_H
#define QCC_LIB_IMPORT_ONNX_WINDOW_H

#include "Node.h"

namespace qcc::import {

/// Larger window attributes and extents of images are damage, and their
/// arithmetic could overflow.
inline constexpr int64_t kMaxWindow = int64_t(1) << 30;

/// The window of a convolution or pool; `pads` holds all begins, then all ends.
struct Window {
  llvm::SmallVector<int64_t> kernel, strides, dilations, pads;
  bool ceilMode = false;
};

/// Reads kernel_shape, strides, dilations, pads, auto_pad and ceil_mode of a
/// node whose input has the extents `spatial`. Without a kernel_shape attribute
/// the kernel is that of the filter, `filterKernel`; empty for pools.
std::optional<Window> readWindow(Node &node, llvm::ArrayRef<int64_t> spatial,
                                 llvm::ArrayRef<int64_t> filterKernel);

/// Strides, dilations and kernel only; pads stay as given (zeros if absent).
std::optional<Window> readWindowShape(Node &node, size_t rank,
                                      llvm::ArrayRef<int64_t> filterKernel);

/// Checks that the spatial extents of operand 0, [N, C, spatial...], are at
/// most 2^30; false after an error.
bool checkExtents(Node &node);

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_WINDOW_H
