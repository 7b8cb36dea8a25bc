//===- ChannelStatistics.h - Inputs of layers, by channel -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_CHANNELSTATISTICS_H
#define QCC_QUANTIZATION_CHANNELSTATISTICS_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Support/ModelRunner.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace qcc {

/// Of each channel of one tensor: the largest magnitude, the mean and the
/// standard deviation.
struct ChannelStatistics {
  std::vector<float> maxima, means, deviations;
};
using StatisticsByValue = llvm::DenseMap<mlir::Value, ChannelStatistics>;

/// A convolution or product whose constant weight has one row for each channel
/// of its input.
struct WeightRows {
  mlir::Operation *op;
  unsigned weightOperand;
  int64_t channels;
  int64_t channelDim; ///< of the input

  /// Nothing for other ops.
  static std::optional<WeightRows> get(mlir::Operation *op);
  mlir::Value input() const { return op->getOperand(0); }
  mlir::Value weight() const { return op->getOperand(weightOperand); }
  /// The input channel that element `i` of the weight, in row-major order, is
  /// multiplied with, and the output channel that it adds to.
  int64_t rowOf(int64_t i) const;
  int64_t columnOf(int64_t i) const;
  int64_t columns() const;
};

/// Runs @main of a float module (not modified) on the samples; the inputs of
/// its layers that WeightRows describes.
llvm::Expected<StatisticsByValue>
measureChannels(mlir::ModuleOp module,
                llvm::ArrayRef<std::vector<HostTensor>> samples,
                const ModelRunnerFactory &compile);

/// Balances the channels of each tensor between the layer in front of it and
/// the layers behind it: the former is divided by a power of two per channel,
/// the rows of the latter multiplied by it, so that no result changes. The
/// factor nearest to `a^alpha / w^(1-alpha)` is taken, where `w` is the largest
/// weight of the channel behind and `a` the largest activation or, without
/// statistics, the largest weight in front. Returns how many tensors changed.
unsigned equalizeChannels(mlir::func::FuncOp function,
                          const StatisticsByValue *statistics, double alpha);

/// Absorbs high biases: where a layer ends in relu and only layers without
/// padding follow, what a channel has below its mean less three deviations is
/// taken from the former's bias and added to those of the latter, weighted, so
/// that the range need not begin so far below. Values further down, which are
/// rare, change. Returns how many tensors changed.
unsigned absorbBiases(mlir::func::FuncOp function,
                      const StatisticsByValue &statistics);

} // namespace qcc

#endif // QCC_QUANTIZATION_CHANNELSTATISTICS_H
