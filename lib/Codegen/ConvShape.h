//===- ConvShape.h - What a convolution kernel is made for -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_CONVSHAPE_H
#define QCC_LIB_CODEGEN_CONVSHAPE_H

#include "ResultQuantize.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Target/TargetBackend.h"

#include <optional>
#include <string>
#include <vector>

namespace qcc {

/// Extents of a channels-last convolution over one or two spatial dimensions
/// (one becomes a row of height 1).
struct ConvShape {
  int64_t n, h, w, c, oh, ow, oc;
  int64_t kh, kw, sh, sw, dh, dw, padT, padL, group;

  // A third spatial dimension, the outermost one: planes.
  int64_t d = 1, od = 1, kd = 1, sd = 1, dd = 1, padF = 0;
  /// Filters of `oc` channels each that read the same windows: several only of
  /// transposed convolutions, whose pads may be negative, too.
  int64_t phases = 1;
  /// Columns of the input are this far apart, with padding between them: only
  /// of depthwise transposed convolutions.
  int64_t spread = 1;

  /// Nothing for channels-first and for windows of several planes.
  static std::optional<ConvShape> get(qnn::ConvOp op);
  /// The same for windows of planes, too.
  static std::optional<ConvShape> getVolume(qnn::ConvOp op);
  static std::optional<ConvShape> getVolume(qnn::ConvIntegerOp op);
  /// Spells out all of it, for kernel keys.
  std::string key() const;
  /// Output pixels.
  int64_t rows() const { return n * od * oh * ow; }
  int64_t taps() const { return kd * kh * kw; }
  /// Of results: those of the planes are images of their own.
  int64_t images() const { return n * od; }
  /// The columns of the input with those between them.
  int64_t spreadColumns() const { return (w - 1) * spread + 1; }
  bool isDepthwise() const { return group == c && oc == c; }
  /// Whether windows move along the planes or lie outside of the only one.
  bool isVolume() const { return d != 1 || od != 1 || kd != 1 || padF != 0; }
  /// Makes planes images of their own where windows hold one each.
  void splitPlanes();
};

/// What is multiplied. BF16: both factors; weights of 16 bits that meet float32
/// are Float32.
enum class Factors { Int8, Int16, BF16, Float32 };

/// An integer filter with its zero points taken off.
struct IntFilter {
  qnn::ConstantBytes storage;
  bool isUnsigned = false;
  unsigned bits = 8;                     ///< of the storage: 8 or 16
  llvm::SmallVector<int64_t> zeroPoints; ///< one, or one per output channel

  /// Element `index` (row-major) of output channel `channel`.
  int64_t at(int64_t channel, int64_t index) const;
  /// Nothing unless `value` is a constant quantized to storage of 8 bits, or
  /// of 16 where `bits` is that, per tensor or along `axis`.
  static std::optional<IntFilter> match(mlir::Value value, int64_t axis,
                                        unsigned bits = 8);
};

/// The operands of a convolution with a filter per output channel.
struct ConvTerms {
  mlir::Value input, filter, bias, result;
  qnn::ActivationAttr activation;
  int64_t filterAxis = 0; ///< which scales of the filter may be along
  /// Elements of a channel's filter that are taps; -1: a zero that is not
  /// there. Nothing: all are.
  std::optional<llvm::SmallVector<int64_t>> taps;

  static ConvTerms get(qnn::ConvOp op);
  /// Of a channel's filter.
  int64_t filterElements() const;
  int64_t tapCount() const { return taps ? taps->size() : filterElements(); }
  /// Where tap `tap` of a channel is in the filter; -1: nowhere.
  int64_t elementOf(int64_t channel, int64_t tap) const;
};

/// The constants of a convolution of 8 or 16 bits, and what becomes of its
/// sums.
struct IntConv {
  ConvTerms terms;
  IntFilter filter;
  unsigned bits; ///< of the activations
  int64_t inputZeroPoint;
  bool inputUnsigned;
  /// Per output channel: bias - inputZeroPoint * sum of the filter.
  llvm::SmallVector<int32_t> bias;
  llvm::SmallVector<float> multipliers;
  /// Added to the real values, per output channel; empty: nothing.
  llvm::SmallVector<float> realBias;
  /// Results are integers; nothing: floats behind `activation`.
  std::optional<Requantize> requantize;
  FloatActivation activation;

  /// What padding holds, as a signed constant.
  int64_t inputPadding() const {
    return bits == 8 ? int8_t(inputZeroPoint) : inputZeroPoint;
  }

  /// Nothing where the types are others, or the signedness of the activations
  /// is not the one that the level's dot product wants.
  static std::optional<IntConv>
  match(const ConvTerms &terms, const TargetLevel &level, unsigned bits = 8);
  int64_t weight(int64_t channel, int64_t tap) const {
    int64_t at = terms.elementOf(channel, tap);
    return at < 0 ? 0 : filter.at(channel, at);
  }
  /// What code from emitResults() depends on.
  std::string key() const;
  /// What emitResults() takes, per channel: `multipliers` and `realBias`.
  llvm::SmallVector<llvm::ArrayRef<float>, 2> parameters() const {
    if (realBias.empty())
      return {multipliers};
    return {multipliers, realBias};
  }
  /// Turns vectors of sums, whose channels are interleaved (four with 8 bits,
  /// two with 16), into one vector of integers or as many of floats, in the
  /// order of the channels. `parameters`: as many of each of parameters().
  llvm::SmallVector<mlir::Value> emitResults(CodeBuilder &c,
                                             const TargetLevel &level,
                                             mlir::ValueRange sums,
                                             mlir::ValueRange parameters) const;
};

/// The constants of a float32 convolution.
struct FloatConv {
  ConvTerms terms;
  qnn::ConstantBytes filterBytes;
  llvm::ArrayRef<float> filter;
  std::optional<qnn::ConstantBytes> biasBytes;
  FloatActivation activation;
  mlir::Value result;
  qnn::QuantizeOp quantize; ///< what the kernel takes over; null: nothing
  std::optional<Requantize> requantize; ///< of it

  float biasOf(int64_t channel) const {
    return biasBytes ? biasBytes->as<float>()[channel] : 0.f;
  }
  float weight(int64_t channel, int64_t tap) const {
    int64_t at = terms.elementOf(channel, tap);
    return at < 0 ? 0.f : filter[at];
  }
  static std::optional<FloatConv> match(const ConvTerms &terms);
  std::string key() const {
    return requantize ? requantize->key() + " " + requantize->scaleKey()
                      : activation.key();
  }
  /// Of a vector of sums.
  mlir::Value emitResult(CodeBuilder &c, const TargetLevel &level,
                         mlir::Value sum) const {
    return requantize ? requantize->emitReal(c, level, sum)
                      : activation.emit(c, sum);
  }
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_CONVSHAPE_H
