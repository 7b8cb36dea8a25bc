//===- QuantizeRecurrence.cpp - 8-bit weights of recurrent layers ---------===//
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

#include "mlir/IR/Builders.h"

namespace qcc {
#define GEN_PASS_DEF_QUANTIZERECURRENCE
#include "qcc/Quantization/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {

struct QuantizeRecurrence
    : qcc::impl::QuantizeRecurrenceBase<QuantizeRecurrence> {
  using QuantizeRecurrenceBase::QuantizeRecurrenceBase;

  void runOnOperation() override {
    getOperation()->walk([&](RecurrenceOp op) {
      if (quantizeLayer(op))
        ++numQuantized;
    });
  }

  bool quantizeLayer(RecurrenceOp op) {
    Value weights = op.getWeights();
    RankedTensorType type = tensorTypeOf(weights);
    auto bytes = ConstantBytes::get(weights);
    if (!bytes || op->hasAttr(kKeepFloatAttr) ||
        !type.getElementType().isF32() || type.getNumElements() < minWeights ||
        type.getNumElements() == 0)
      return false;
    WeightChannels channels(type.getShape(), /*axis=*/0);
    ArrayRef<float> values = bytes->as<float>();
    auto maxima = getChannelMaxima(values, channels);
    if (!maxima)
      return false;
    SmallVector<float> scales;
    for (float maximum : *maxima)
      scales.push_back(
          maximum == 0 ? 1.f : std::max(maximum / 127.f, kMinWeightScale));
    OpBuilder builder(op);
    Type element = getSymmetricType(&getContext(), scales, /*axis=*/0);
    op.getWeightsMutable().assign(
        createConstant(builder, weights.getLoc(), type.clone(element),
                       quantizeSymmetric(values, channels, scales), "weight"));
    return true;
  }
};

} // namespace
