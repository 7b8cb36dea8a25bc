//===- WeightScales.h - Symmetric scales of weights -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_QUANTIZATION_WEIGHTSCALES_H
#define QCC_LIB_QUANTIZATION_WEIGHTSCALES_H

#include "qcc/Quantization/LayerRows.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <vector>

namespace qcc {

/// A weight tensor seen as channels along one dimension (all as one channel
/// where `axis` is negative).
struct WeightChannels {
  WeightChannels(llvm::ArrayRef<int64_t> shape, int64_t axis);
  size_t count = 1;
  /// The channel of element `i` in row-major order.
  size_t of(size_t i) const { return i / inner % count; }

private:
  size_t inner = 1;
};

/// max |w| per channel; nothing when a weight is not finite.
std::optional<llvm::SmallVector<float>>
getChannelMaxima(llvm::ArrayRef<float> weights, const WeightChannels &channels);

/// How the range of a channel's weights is chosen.
enum class WeightClip { Max, MSE, Octav };
std::optional<WeightClip> parseWeightClip(llvm::StringRef name);

/// The magnitude from which on the weights of each channel are clipped, at most
/// the channel's `maxima`.
llvm::SmallVector<float> chooseClips(llvm::ArrayRef<float> weights,
                                     const WeightChannels &channels,
                                     llvm::ArrayRef<float> maxima,
                                     WeightClip clip);

/// The scale of each column of a layer, whose weights `columns` holds one
/// column after the other; nothing where a weight is not finite.
std::optional<llvm::SmallVector<float>>
chooseColumnScales(llvm::ArrayRef<float> columns, const LayerRows &rows,
                   WeightClip clip);

/// The bytes of storage values of `bits` bits (8 or 16) in [-m, m], where m is
/// the largest of them, under one scale per channel.
std::vector<char> quantizeSymmetric(llvm::ArrayRef<float> weights,
                                    const WeightChannels &channels,
                                    llvm::ArrayRef<float> scales,
                                    unsigned bits = 8);

/// The element type of such weights.
mlir::Type getSymmetricType(mlir::MLIRContext *context,
                            llvm::ArrayRef<float> scales, int64_t axis,
                            unsigned bits = 8);

/// The finest scales of weights of 16 bits whose products with activations of
/// at most `largest` units sum to at most `budget` units in each channel.
llvm::SmallVector<float> chooseWordScales(llvm::ArrayRef<float> weights,
                                          const WeightChannels &channels,
                                          llvm::ArrayRef<float> maxima,
                                          int64_t largest, double budget);

/// Weights whose scale would be smaller are zero for all purposes.
constexpr float kMinWeightScale = 0x1p-80f;

} // namespace qcc

#endif // QCC_LIB_QUANTIZATION_WEIGHTSCALES_H
