//===- QuantizeWeights.cpp - 8- or 16-bit weights, 32-bit biases ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightScales.h"

#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Quantization/Passes.h"
#include "qcc/Quantization/WeightRounding.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <limits>

namespace qcc {
#define GEN_PASS_DEF_QUANTIZEWEIGHTS
#include "qcc/Quantization/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Biases stay below this many units of the accumulator, which leaves the
/// other half of its range to the products.
static constexpr double kMaxBias = 1 << 30;
/// The same beside activations of 16 bits, and what the products may take.
static constexpr double kMaxWordBias = 1 << 29,
                        kMaxWordProducts = 3 * (1 << 29);
/// Resolution of the bias of a channel without weights.
static constexpr double kZeroChannelBias = 1 << 20;

namespace {

struct QuantizeWeights : qcc::impl::QuantizeWeightsBase<QuantizeWeights> {
  using QuantizeWeightsBase::QuantizeWeightsBase;

  void runOnOperation() override {
    auto parsed = parseWeightClip(clip);
    if (!parsed) {
      getOperation()->emitError("clip=")
          << clip << ": expected max, mse or octav";
      return signalPassFailure();
    }
    weightClip = *parsed;
    getOperation()->walk([&](QuantizableOpInterface op) {
      if (quantizeWeight(op))
        ++numQuantized;
      // What they say has been heeded, and would tell equal kernels apart.
      op->removeAttr(kKeepFloatAttr);
      for (StringRef name :
           {kRoundedWeightsAttr, kWeightScalesAttr, kBiasCorrectionAttr})
        op->removeAttr(name);
    });
  }

  bool quantizeWeight(QuantizableOpInterface op) {
    auto weightIndex = op.getWeightOperand();
    if (!weightIndex || !op.isQuantizable() || op->hasAttr(kKeepFloatAttr))
      return false;
    auto input = op->getOperand(0).getDefiningOp<DequantizeOp>();
    Value weight = op->getOperand(*weightIndex);
    RankedTensorType type = tensorTypeOf(weight);
    auto weights = ConstantBytes::get(weight);
    if (!input || !weights || !type.getElementType().isF32() ||
        type.getNumElements() == 0)
      return false;
    quant::UniformQuantizedType inputType =
        getIntActivationType(input.getInput());
    if (!inputType)
      return false;
    unsigned bits = inputType.getStorageTypeIntegralWidth();
    maxBias = bits == 8 ? kMaxBias : kMaxWordBias;

    int64_t axis = op.getWeightChannelAxis();
    WeightChannels channels(type.getShape(), axis);
    ArrayRef<float> values = weights->as<float>();
    auto maxima = getChannelMaxima(values, channels);
    if (!maxima)
      return false;
    // What calibration attached is for 8 bits.
    if (bits == 16)
      for (StringRef name :
           {kRoundedWeightsAttr, kWeightScalesAttr, kBiasCorrectionAttr})
        op->removeAttr(name);
    auto given = readRounding(op, channels.count);
    SmallVector<float> wanted;
    if (bits == 16)
      wanted =
          chooseWordScales(values, channels, *maxima,
                           inputType.getStorageTypeMax(), kMaxWordProducts);
    else if (given)
      wanted.assign(given->scales.begin(), given->scales.end());
    else
      for (float clip : chooseClips(values, channels, *maxima, weightClip))
        wanted.push_back(clip / 127.f);
    auto bias = readBias(op, channels.count);
    float inputScale = inputType.getScale();
    SmallVector<float> scales;
    for (auto [c, scale] : llvm::enumerate(wanted))
      scales.push_back(chooseScale(scale, (*maxima)[c] == 0, inputScale,
                                   bias ? largestBias(*bias, c, channels) : 0));

    OpBuilder builder(op);
    Type element = getSymmetricType(&getContext(), scales, axis, bits);
    std::vector<char> integers =
        quantizeSymmetric(values, channels, scales, bits);
    if (given)
      // A scale that had to grow makes other integers.
      for (auto [i, integer] : llvm::enumerate(given->integers))
        if (scales[channels.of(i)] == wanted[channels.of(i)])
          integers[i] = integer;
    Value quantized = createConstant(builder, weight.getLoc(),
                                     type.clone(element), integers, "weight");
    op->setOperand(*weightIndex, DequantizeOp::create(builder, weight.getLoc(),
                                                      type, quantized));
    if (bias)
      quantizeBias(builder, op, *bias, scales, inputScale);
    return true;
  }

  /// What a calibration step has attached.
  struct Rounding {
    ArrayRef<int8_t> integers;
    ArrayRef<float> scales;
  };
  static std::optional<Rounding> readRounding(QuantizableOpInterface op,
                                              size_t channels) {
    auto integers = op->getAttrOfType<DenseI8ArrayAttr>(kRoundedWeightsAttr);
    auto scales = op->getAttrOfType<DenseF32ArrayAttr>(kWeightScalesAttr);
    if (!integers || !scales || size_t(scales.size()) != channels ||
        integers.size() != tensorTypeOf(op->getOperand(*op.getWeightOperand()))
                               .getNumElements())
      return std::nullopt;
    return Rounding{integers, scales};
  }

  WeightClip weightClip = WeightClip::Max;
  double maxBias = kMaxBias; ///< of the layer at hand

  /// The constant bias, one value per channel of the result; nothing where
  /// there is none or it has another form.
  std::optional<SmallVector<double>> readBias(QuantizableOpInterface op,
                                              size_t channels) {
    auto index = op.getBiasOperand();
    if (!index)
      return std::nullopt;
    Value bias = op->getOperand(*index);
    if (!tensorTypeOf(bias).getElementType().isF32() || rankOf(bias) != 1 ||
        (channels != 1 &&
         tensorTypeOf(bias).getNumElements() != static_cast<int64_t>(channels)))
      return std::nullopt;
    auto values = getConstantFloats(bias);
    if (!values || llvm::any_of(*values, [](double value) {
          return !std::isfinite(value);
        }))
      return std::nullopt;
    auto correction = op->getAttrOfType<DenseF32ArrayAttr>(kBiasCorrectionAttr);
    if (correction && size_t(correction.size()) == values->size())
      for (auto [value, add] :
           llvm::zip_equal(*values, correction.asArrayRef()))
        value += add;
    return values;
  }

  /// The largest |bias| of the channels that share scale `c`.
  static double largestBias(ArrayRef<double> bias, size_t c,
                            const WeightChannels &channels) {
    if (channels.count > 1)
      return std::abs(bias[c]);
    double largest = 0;
    for (double value : bias)
      largest = std::max(largest, std::abs(value));
    return largest;
  }

  float chooseScale(float wanted, bool isZero, float inputScale,
                    double bias) const {
    // The scale of the accumulator must not vanish either.
    double least =
        std::max<double>(kMinWeightScale, kMinWeightScale / inputScale);
    double scale = std::max<double>(wanted, least);
    if (isZero)
      scale = bias == 0
                  ? 1.0
                  : std::max(least, bias / (kZeroChannelBias * inputScale));
    scale = std::max(scale, bias / (maxBias * inputScale));
    return static_cast<float>(
        std::min<double>(scale, std::numeric_limits<float>::max() / 256));
  }

  void quantizeBias(OpBuilder &builder, QuantizableOpInterface op,
                    ArrayRef<double> bias, ArrayRef<float> weightScales,
                    float inputScale) {
    SmallVector<float> scales;
    for (float scale : weightScales)
      scales.push_back(inputScale * scale);
    std::vector<int32_t> integers;
    for (auto [c, value] : llvm::enumerate(bias)) {
      double q = std::nearbyint(value / scales[scales.size() == 1 ? 0 : c]);
      integers.push_back(
          static_cast<int32_t>(std::clamp<double>(q, -maxBias, maxBias)));
    }
    Value old = op->getOperand(*op.getBiasOperand());
    Type element = getAccumulatorType(&getContext(), scales, 0);
    ArrayRef<char> bytes(reinterpret_cast<const char *>(integers.data()),
                         integers.size() * sizeof(int32_t));
    Value constant = createConstant(
        builder, old.getLoc(), tensorTypeOf(old).clone(element), bytes, "bias");
    op->setOperand(
        *op.getBiasOperand(),
        DequantizeOp::create(builder, old.getLoc(), old.getType(), constant));
  }
};

} // namespace
