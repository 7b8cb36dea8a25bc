//===- QuantizeDynamic.cpp - Integer products with run-time ranges --------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightScales.h"

#include "qcc/Dialect/QNN/IR/BlockWeights.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Quantization/Passes.h"

#include "mlir/IR/Builders.h"

#include <limits>

namespace qcc {
#define GEN_PASS_DEF_QUANTIZEDYNAMIC
#include "qcc/Quantization/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {

struct QuantizeDynamic : qcc::impl::QuantizeDynamicBase<QuantizeDynamic> {
  using QuantizeDynamicBase::QuantizeDynamicBase;

  void runOnOperation() override {
    SmallVector<MatmulOp> products;
    getOperation()->walk([&](MatmulOp op) { products.push_back(op); });
    for (MatmulOp op : products)
      if (quantizeProduct(op))
        ++numQuantized;
  }

  bool quantizeProduct(MatmulOp op) {
    Value weight = op.getRhs();
    RankedTensorType type = tensorTypeOf(weight);
    if (!op.isQuantizable() || !weight.getDefiningOp<ConstantOp>() ||
        type.getRank() != 2 || !type.getElementType().isF32() ||
        rankOf(op.getLhs()) < 2 || op.getTransposeLhs() ||
        type.getNumElements() < minWeights || type.getNumElements() == 0 ||
        tensorTypeOf(op.getLhs()).getNumElements() == 0)
      return false;
    OpBuilder builder(op);
    Location loc = op.getLoc();
    int64_t axis = op.getTransposeRhs() ? 0 : 1;
    int64_t products = type.getDimSize(1 - axis);
    // Sums of products of up to 255 * 127 must fit in 32 bits.
    if (products > std::numeric_limits<int32_t>::max() / (255 * 127))
      return false;
    auto bytes = ConstantBytes::get(weight);
    if (!bytes)
      return false;
    WeightChannels channels(type.getShape(), axis);
    ArrayRef<float> values = bytes->as<float>();
    auto maxima = getChannelMaxima(values, channels);
    if (!maxima)
      return false;
    SmallVector<float> scales;
    for (float maximum : *maxima)
      scales.push_back(
          maximum == 0 ? 1.f : std::max(maximum / 127.f, kMinWeightScale));

    Value quantized = createConstant(
        builder, weight.getLoc(), type.clone(builder.getI8Type()),
        quantizeSymmetric(values, channels, scales), "weight");
    if (op.getTransposeRhs()) {
      Value transposed =
          transposeConstant(builder, weight.getLoc(), quantized, {1, 0});
      if (!transposed)
        return false;
      quantized.getDefiningOp()->erase();
      quantized = transposed;
    }

    RankedTensorType f32Scalar =
        RankedTensorType::get({}, builder.getF32Type());
    Type u8 = IntegerType::get(&getContext(), 8, IntegerType::Unsigned);
    auto input = DynamicQuantizeOp::create(
        builder, loc, tensorTypeOf(op.getLhs()).clone(u8), f32Scalar,
        RankedTensorType::get({}, u8), op.getLhs());
    RankedTensorType result = tensorTypeOf(op.getResult());
    Value sums = MatmulIntegerOp::create(
        builder, loc, result.clone(builder.getI32Type()), input.getResult(),
        quantized, input.getZeroPoint(), /*rhsZeroPoint=*/Value());
    Value columnScales = createConstant(
        builder, loc, {static_cast<int64_t>(scales.size())}, scales);
    Value scale =
        BinaryOp::create(builder, loc, columnScales.getType(), BinaryKind::Mul,
                         input.getScale(), columnScales, ActivationAttr());
    // As exporters write it, for which kernels have a place in their epilogue.
    Value value = BinaryOp::create(builder, loc, result, BinaryKind::Mul,
                                   CastOp::create(builder, loc, result, sums),
                                   scale, ActivationAttr());
    value = createEpilogue(builder, op, value);
    op.replaceAllUsesWith(value);
    op.erase();
    return true;
  }
};

} // namespace
