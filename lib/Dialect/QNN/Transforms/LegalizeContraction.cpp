//===- LegalizeContraction.cpp - QDQ around conv and matmul ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Convolutions and matrix products accumulate integers, so they need more than
// quantized operands: scales of the accumulator, a bias on that grid, sums that
// fit in 32 bits.
//
//===----------------------------------------------------------------------===//

#include "LegalizeQDQ.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using quant::UniformQuantizedType;

/// A float constant may become a bias where rounding it to the grid of the
/// accumulator moves no result by more than this part of the result's step.
static constexpr double kBiasTolerance = 1.0 / 64;

namespace {

/// A conv, conv_transpose or matmul, with the names that they share.
struct Contraction {
  Operation *op;
  Value input, weight, bias, residual;
  int64_t channels;    ///< of the result
  int64_t channelDim;  ///< of the result; -1: the result has none
  int64_t channelAxis; ///< of the weight; -1: none
  int64_t products;    ///< summed per element of the result, at most

  static std::optional<Contraction> get(Operation *op);
  void setBias(Operation *on, Value value) const;
};

/// The bias of a legalized contraction.
struct Bias {
  std::vector<int32_t> accumulator; ///< on the accumulator's grid, or empty
  Value added;                      ///< to be added in float, or null
  int64_t maxMagnitude = 0;         ///< of the accumulator part
};

} // namespace

std::optional<Contraction> Contraction::get(Operation *op) {
  auto extents = [](Value v) { return shapeOf(v); };
  return TypeSwitch<Operation *, std::optional<Contraction>>(op)
      .Case([&](ConvOp conv) -> std::optional<Contraction> {
        ArrayRef<int64_t> filter = extents(conv.getFilter());
        int64_t products = 1;
        for (int64_t extent : filter.drop_front())
          products *= extent;
        return Contraction{op,
                           conv.getInput(),
                           conv.getFilter(),
                           conv.getBias(),
                           conv.getResidual(),
                           filter[0],
                           conv.getChannelDim(),
                           0,
                           products};
      })
      .Case([&](ConvTransposeOp conv) -> std::optional<Contraction> {
        ArrayRef<int64_t> filter = extents(conv.getFilter());
        int64_t group = conv.getGroup();
        int64_t products = filter[0] / std::max<int64_t>(group, 1);
        for (int64_t extent : filter.drop_front(2))
          products *= extent;
        return Contraction{op,
                           conv.getInput(),
                           conv.getFilter(),
                           conv.getBias(),
                           Value(),
                           filter[1] * group,
                           conv.getChannelDim(),
                           conv.getWeightChannelAxis(),
                           products};
      })
      .Case([&](MatmulOp matmul) -> std::optional<Contraction> {
        ArrayRef<int64_t> lhs = extents(matmul.getLhs());
        ArrayRef<int64_t> rhs = extents(matmul.getRhs());
        int64_t rank = tensorTypeOf(matmul.getResult()).getRank();
        int64_t products =
            matmul.getTransposeLhs() ? lhs[lhs.size() - 2] : lhs.back();
        if (rhs.size() < 2) // a vector: the result has no columns
          return Contraction{op,
                             matmul.getLhs(),
                             matmul.getRhs(),
                             matmul.getBias(),
                             matmul.getResidual(),
                             1,
                             -1,
                             -1,
                             products};
        int64_t axis = static_cast<int64_t>(rhs.size()) -
                       (matmul.getTransposeRhs() ? 2 : 1);
        return Contraction{op,
                           matmul.getLhs(),
                           matmul.getRhs(),
                           matmul.getBias(),
                           matmul.getResidual(),
                           rhs[axis],
                           rank - 1,
                           axis,
                           products};
      })
      .Default([](Operation *) { return std::nullopt; });
}

void Contraction::setBias(Operation *on, Value value) const {
  TypeSwitch<Operation *>(on).Case<ConvOp, ConvTransposeOp, MatmulOp>(
      [&](auto typed) {
        MutableOperandRange operand = typed.getBiasMutable();
        if (value)
          operand.assign(value);
        else
          operand.clear();
      });
}

/// Whether weights take 8 bits, or the 16 of the activations.
static bool isStoredWithin(quant::QuantizedType weight,
                           UniformQuantizedType input) {
  unsigned bits = weight.getStorageTypeIntegralWidth();
  return bits == 8 || (bits == 16 && input.getStorageTypeIntegralWidth() == 16);
}

/// The largest |q - zeroPoint| of a type.
static int64_t maxMagnitude(quant::QuantizedType type, int64_t zeroPoint) {
  return std::max(type.getStorageTypeMax() - zeroPoint,
                  zeroPoint - type.getStorageTypeMin());
}

/// An upper bound for |sum of products| per element of the result. Constant
/// weights are summed, channel by channel, where a simpler one exceeds `limit`.
static double boundSum(const Contraction &op, Value weight,
                       const ChannelParams &params, int64_t inputMagnitude,
                       double limit) {
  auto type = cast<quant::QuantizedType>(tensorTypeOf(weight).getElementType());
  int64_t largest = 0;
  for (int64_t zeroPoint : params.zeroPoints)
    largest = std::max(largest, maxMagnitude(type, zeroPoint));
  double bound = static_cast<double>(op.products) * largest * inputMagnitude;
  if (bound <= limit || op.channelAxis < 0)
    return bound;
  auto values = getConstantInts(weight);
  if (!values)
    return bound;
  ArrayRef<int64_t> shape = shapeOf(weight);
  int64_t inner = 1;
  for (int64_t extent : shape.drop_front(op.channelAxis + 1))
    inner *= extent;
  std::vector<double> sums(shape[op.channelAxis], 0);
  for (auto [i, value] : llvm::enumerate(*values)) {
    size_t channel = static_cast<int64_t>(i) / inner % shape[op.channelAxis];
    sums[channel] +=
        std::abs(static_cast<double>(value - params.zeroPoint(channel)));
  }
  return *llvm::max_element(sums) * inputMagnitude;
}

/// Real values of a constant bias, one per channel (or one for all); nothing
/// where it is no constant or differs between elements of one channel.
static std::optional<SmallVector<double>> readBias(const Contraction &op,
                                                   Value bias) {
  RankedTensorType type = tensorTypeOf(bias);
  // [N] or [1, ..., N] for a matmul.
  int64_t count = type.getNumElements();
  if (count != 1 &&
      (count != op.channels || type.getShape().back() != op.channels))
    return std::nullopt;
  if (auto values = getConstantFloats(bias))
    return values;
  Value source = getDequantizedSource(bias);
  if (!source)
    return std::nullopt;
  auto integers = getConstantInts(source);
  auto params = ChannelParams::get(tensorTypeOf(source).getElementType());
  if (!integers || !params ||
      (params->axis >= 0 &&
       static_cast<int64_t>(params->scales.size()) != count))
    return std::nullopt;
  SmallVector<double> values;
  for (auto [i, integer] : llvm::enumerate(*integers))
    values.push_back(static_cast<double>(integer - params->zeroPoint(i)) *
                     params->scale(i));
  return values;
}

/// Puts the bias on the grid of the accumulator, where that is exact enough
/// for a result of step `resultScale` (0: a float result).
static Bias convertBias(const Contraction &op, ArrayRef<float> scales,
                        float resultScale) {
  Bias bias;
  if (!op.bias)
    return bias;
  bias.added = op.bias;
  auto values = readBias(op, op.bias);
  if (!values || op.channelDim < 0)
    return bias;

  std::vector<int32_t> integers(op.channels);
  int64_t magnitude = 0;
  for (int64_t c = 0; c < op.channels; ++c) {
    double value = (*values)[values->size() == 1 ? 0 : c];
    double scale = scales[scales.size() == 1 ? 0 : c];
    double rounded = std::nearbyint(value / scale);
    // Scales that are equal up to the rounding of their product move a bias by
    // a few of its own ulps only.
    double error = std::abs(rounded * scale - value);
    double tolerance =
        std::max(kBiasTolerance * resultScale, 1e-6 * std::abs(value));
    if (!(std::abs(rounded) < std::numeric_limits<int32_t>::max()) ||
        !(error <= tolerance))
      return bias;
    integers[c] = static_cast<int32_t>(rounded);
    magnitude = std::max(magnitude, std::abs<int64_t>(integers[c]));
  }
  bias.accumulator = std::move(integers);
  bias.added = {};
  bias.maxMagnitude = magnitude;
  return bias;
}

static Value createBias(PatternRewriter &rewriter, const Contraction &op,
                        const Bias &bias, ArrayRef<float> scales) {
  if (bias.accumulator.empty())
    return {};
  Type type = getAccumulatorType(rewriter.getContext(), scales, 0);
  ArrayRef<char> bytes(reinterpret_cast<const char *>(bias.accumulator.data()),
                       bias.accumulator.size() * sizeof(int32_t));
  return createConstant(rewriter, op.bias.getLoc(),
                        RankedTensorType::get({op.channels}, type), bytes,
                        "bias");
}

/// A constant bias as one f32 per channel, as kernels take it; null where it
/// has another form.
static Value createFloatBias(PatternRewriter &rewriter, const Contraction &op) {
  auto values = readBias(op, op.bias);
  if (!values || op.channelDim < 0)
    return {};
  SmallVector<float> floats;
  for (int64_t c = 0; c < op.channels; ++c)
    floats.push_back(
        static_cast<float>((*values)[values->size() == 1 ? 0 : c]));
  return createConstant(rewriter, op.bias.getLoc(), {op.channels}, floats);
}

/// `bias` in a shape that broadcasts against the result.
static Value broadcastBias(PatternRewriter &rewriter, const Contraction &op,
                           Value bias) {
  int64_t rank = tensorTypeOf(op.op->getResult(0)).getRank();
  if (op.channelDim < 0 || op.channelDim == rank - 1)
    return bias;
  SmallVector<int64_t> shape(rank - op.channelDim, 1);
  shape[0] = op.channels;
  RankedTensorType type =
      RankedTensorType::get(shape, tensorTypeOf(bias).getElementType());
  if (Value constant = reshapeConstant(rewriter, bias.getLoc(), bias, shape))
    return constant;
  return ReshapeOp::create(rewriter, bias.getLoc(), type, bias);
}

namespace {

struct LegalizeContraction : OpInterfaceRewritePattern<QuantizableOpInterface> {
  LegalizeContraction(MLIRContext *context, Pass::Statistic &numLegalized)
      : OpInterfaceRewritePattern(context), numLegalized(numLegalized) {}

  LogicalResult matchAndRewrite(QuantizableOpInterface interface,
                                PatternRewriter &rewriter) const override {
    auto op = Contraction::get(interface);
    if (!op || !interface.isQuantizable())
      return failure();
    Value input = getDequantizedSource(op->input);
    Value weight = getDequantizedSource(op->weight);
    if (!input || !weight)
      return failure();
    UniformQuantizedType inputType = getIntActivationType(input);
    auto weightType =
        dyn_cast<quant::QuantizedType>(tensorTypeOf(weight).getElementType());
    auto params = ChannelParams::get(weightType);
    if (!inputType || !params || !isStoredWithin(weightType, inputType) ||
        (params->axis >= 0 && params->axis != op->channelAxis))
      return failure();
    if (inputType.getStorageTypeIntegralWidth() == 16 &&
        !hasInt16Kernel(op->op))
      return failure();
    // Filters are packed at compile time.
    if (!isa<MatmulOp>(op->op) && !weight.getDefiningOp<ConstantOp>())
      return failure();
    if (!tensorTypeOf(op->op->getResult(0)).getElementType().isF32())
      return failure();

    float inputScale = inputType.getScale();
    SmallVector<float> scales;
    for (float scale : params->scales) {
      float product = inputScale * scale;
      // The grid must be representable: neither underflow nor overflow.
      if (!(product >= std::numeric_limits<float>::min()) ||
          !std::isfinite(product))
        return failure();
      scales.push_back(product);
    }

    auto result = QuantizedResult::get(op->op, /*bits=*/16);
    Bias bias =
        convertBias(*op, scales, result.type ? result.type.getScale() : 0.f);
    double limit = std::numeric_limits<int32_t>::max() - bias.maxMagnitude;
    if (boundSum(*op, weight, *params,
                 maxMagnitude(inputType, inputType.getZeroPoint()),
                 limit) > limit)
      return failure();

    // A constant bias that is not on the accumulator's grid is added to the
    // real value; any other one follows in float.
    Value floatBias;
    if (bias.added && (floatBias = createFloatBias(rewriter, *op)))
      bias.added = {};
    bool floatResult = !result.type || bias.added;
    if (bias.added && op->residual)
      return failure();
    Operation *clone = rewriter.clone(*op->op);
    clone->setOperand(0, input);
    clone->setOperand(1, weight);
    if (op->residual)
      if (Value residual = getDequantizedSource(op->residual);
          residual && getIntActivationType(residual))
        clone->setOperand(clone->getNumOperands() - 1, residual);
    op->setBias(clone, floatBias ? floatBias
                                 : createBias(rewriter, *op, bias, scales));
    Value value = clone->getResult(0);
    ++numLegalized;

    if (!floatResult) {
      if (result.activation)
        clone->setAttr("activation", result.activation);
      else
        clone->removeAttr("activation");
      if (result.fused)
        clone->setLoc(
            rewriter.getFusedLoc({op->op->getLoc(), result.fused.getLoc()}));
      value.setType(tensorTypeOf(value).clone(Type(result.type)));
      replaceQuantizes(rewriter, result.replaced(op->op), value);
      return success();
    }
    if (bias.added) {
      auto activation = op->op->getAttrOfType<ActivationAttr>("activation");
      clone->removeAttr("activation");
      auto add = BinaryOp::create(
          rewriter, op->op->getLoc(), value.getType(), BinaryKind::Add, value,
          broadcastBias(rewriter, *op, bias.added), activation);
      value = add.getResult();
    }
    rewriter.replaceOp(op->op, value);
    return success();
  }

  Pass::Statistic &numLegalized;
};

} // namespace

void qcc::qnn::populateLegalizeContraction(RewritePatternSet &patterns,
                                           Pass::Statistic &numLegalized) {
  patterns.add<LegalizeContraction>(patterns.getContext(), numLegalized);
}
