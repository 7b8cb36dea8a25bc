//===- QuantizeWeights.cpp - 8-bit weights, 32-bit biases -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightScales.h"

#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Quantization/ChannelStatistics.h"
#include "qcc/Quantization/Passes.h"

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
      op->removeAttr(kInputMeansAttr);
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
    quant::UniformQuantizedType inputType = getActivationType(input.getInput());
    if (!inputType)
      return false;

    int64_t axis = op.getWeightChannelAxis();
    WeightChannels channels(type.getShape(), axis);
    ArrayRef<float> values = weights->as<float>();
    auto maxima = getChannelMaxima(values, channels);
    if (!maxima)
      return false;
    SmallVector<float> clips =
        chooseClips(values, channels, *maxima, weightClip);
    auto bias = readBias(op, channels.count);
    float inputScale = inputType.getScale();
    SmallVector<float> scales;
    for (auto [c, maximum] : llvm::enumerate(clips))
      scales.push_back(chooseScale(maximum, inputScale,
                                   bias ? largestBias(*bias, c, channels) : 0));

    OpBuilder builder(op);
    Type element = getSymmetricType(&getContext(), scales, axis);
    std::vector<char> integers = quantizeSymmetric(values, channels, scales);
    if (bias)
      correctBias(op, values, integers, channels, scales, *bias);
    Value quantized = createConstant(builder, weight.getLoc(),
                                     type.clone(element), integers, "weight");
    op->setOperand(*weightIndex, DequantizeOp::create(builder, weight.getLoc(),
                                                      type, quantized));
    if (bias)
      quantizeBias(builder, op, *bias, scales, inputScale);
    return true;
  }

  /// Takes from the bias what rounding the weights adds to the mean of the
  /// result.
  static void correctBias(Operation *op, ArrayRef<float> weights,
                          ArrayRef<char> integers,
                          const WeightChannels &channels,
                          ArrayRef<float> scales,
                          MutableArrayRef<double> bias) {
    auto means = op->getAttrOfType<DenseF32ArrayAttr>(kInputMeansAttr);
    auto rows = WeightRows::get(op);
    if (!means || !rows || means.size() != rows->channels)
      return;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      double rounded =
          double(scales[channels.of(i)]) * static_cast<int8_t>(integers[i]);
      bias[size_t(rows->columnOf(int64_t(i)))] -=
          (rounded - weight) * means[rows->rowOf(int64_t(i))];
    }
  }

  WeightClip weightClip = WeightClip::Max;

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

  static float chooseScale(float maximum, float inputScale, double bias) {
    // The scale of the accumulator must not vanish either.
    double scale = std::max<double>(
        {maximum / 127.f, kMinWeightScale, kMinWeightScale / inputScale});
    if (maximum == 0)
      scale = bias == 0
                  ? 1.0
                  : std::max(scale, bias / (kZeroChannelBias * inputScale));
    scale = std::max(scale, bias / (kMaxBias * inputScale));
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
          static_cast<int32_t>(std::clamp<double>(q, -kMaxBias, kMaxBias)));
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
