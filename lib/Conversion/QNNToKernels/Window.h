//===- Window.h - Sliding windows of convolutions and pools -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_WINDOW_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_WINDOW_H

#include "LoopBuilder.h"

namespace qcc::reference {

/// A window that slides over up to three spatial dimensions, padded in front
/// to exactly three.
struct Window {
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1},
          stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1}, pad[3] = {0, 0, 0};
  bool transposed = false; ///< in = (out + pad - k * dilation) / stride

  /// Of an op with strides, dilations and pads; the spatial dimensions start
  /// at `first` in both tensors.
  template <typename Op>
  Window(Op op, llvm::ArrayRef<int64_t> kernelShape, unsigned first,
         bool transposed = false)
      : transposed(transposed) {
    unsigned rank = kernelShape.size();
    for (unsigned i = 0; i < rank; ++i) {
      unsigned d = 3 - rank + i;
      in[d] = shapeOf(op.getInput())[first + i];
      out[d] = shapeOf(op.getResult())[first + i];
      kernel[d] = kernelShape[i];
      stride[d] = op.getStrides()[i];
      dilation[d] = op.getDilations()[i];
      pad[d] = op.getPads()[i];
    }
  }

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  /// Whether some tap of dimension d may fall outside the image.
  bool needsCheck(unsigned d) const;
  /// The input coordinate that tap `k` of output `o` reads in dimension d;
  /// `valid` stays null where it always lies in the image.
  mlir::Value coordinate(LoopBuilder &b, unsigned d, mlir::Value o,
                         mlir::Value k, mlir::Value &valid) const;
  /// Loops over the taps of dimensions [0, dims) of the window at `out` that
  /// lie in the image.
  void forTaps(LoopBuilder &b, unsigned dims, llvm::ArrayRef<mlir::Value> out,
               llvm::function_ref<void(mlir::ValueRange k, mlir::ValueRange in)>
                   body) const;

  /// For each tap of dimension 2, the half-open range of the output positions
  /// that it reaches (input positions where transposed), as pairs of i32.
  mlir::Value rowRanges(KernelEmitter &emitter) const;
  /// Loops over the taps of dimension 2 and the positions [lo, hi) of the row
  /// within the block [from, to) of it; `offset` + position * stride is the
  /// other side's position.
  void forRowTaps(LoopBuilder &b, mlir::Value ranges, mlir::Value from,
                  mlir::Value to,
                  llvm::function_ref<void(mlir::Value k, mlir::Value lo,
                                          mlir::Value hi, mlir::Value offset)>
                      body) const;
};

/// ((i0 * extents[1] + i1) * extents[2] + i2) ...
mlir::Value linearIndex(LoopBuilder &b, mlir::ValueRange indices,
                        llvm::ArrayRef<int64_t> extents);

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_WINDOW_H
