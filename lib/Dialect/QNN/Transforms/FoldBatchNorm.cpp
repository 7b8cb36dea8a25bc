//===- FoldBatchNorm.cpp - Affine maps into the weights of a neighbour ----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Batch normalization with constant parameters is an affine map of each
// channel, and so are additions and products with one constant per channel.
// They move into the weights and bias of the product before them, or of the
// product behind them where no padding comes between. Sums are formed in
// double precision and rounded once.
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Weights that others use as well are copied only up to this many elements.
static constexpr int64_t kMaxCopiedWeights = 1 << 18;

//===----------------------------------------------------------------------===//
// Affine maps
//===----------------------------------------------------------------------===//

namespace {
/// y[c] = scale[c] * x[c] + shift[c] along dimension `channelDim`.
struct Affine {
  Value input;
  SmallVector<double> scale, shift;
  ActivationAttr activation; ///< applied to y

  bool scales() const {
    return llvm::any_of(scale, [](double s) { return s != 1; });
  }
  bool shifts() const {
    return llvm::any_of(shift, [](double s) { return s != 0; });
  }
  bool isFinite() const {
    auto finite = [](double s) { return std::isfinite(s); };
    return llvm::all_of(scale, finite) && llvm::all_of(shift, finite);
  }
};
} // namespace

static std::optional<Affine> getAffine(BatchNormOp op) {
  auto scale = getConstantFloats(op.getScale());
  auto shift = getConstantFloats(op.getShift());
  auto mean = getConstantFloats(op.getMean());
  auto variance = getConstantFloats(op.getVariance());
  if (!scale || !shift || !mean || !variance)
    return std::nullopt;
  Affine result;
  result.input = op.getInput();
  double epsilon = op.getEpsilon().convertToDouble();
  for (size_t c = 0; c < scale->size(); ++c) {
    double a = (*scale)[c] / std::sqrt((*variance)[c] + epsilon);
    result.scale.push_back(a);
    result.shift.push_back((*shift)[c] - a * (*mean)[c]);
  }
  return result;
}

static std::optional<Affine> getAffine(BinaryOp op, int64_t channelDim) {
  if (!isFloat(op.getResult()))
    return std::nullopt;
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  Affine result;
  result.activation = op.getActivationAttr();
  result.input = op.getLhs();
  auto constant = getChannelVector(op.getRhs(), shape, channelDim);
  bool constantLhs = !constant;
  if (constantLhs) {
    result.input = op.getRhs();
    constant = getChannelVector(op.getLhs(), shape, channelDim);
  }
  if (!constant || result.input.getType() != op.getType())
    return std::nullopt;
  auto map = [&](double a, double b) {
    result.scale.push_back(a);
    result.shift.push_back(b);
  };
  for (double c : *constant)
    switch (op.getKind()) {
    case BinaryKind::Add:
      map(1, c);
      break;
    case BinaryKind::Sub:
      constantLhs ? map(-1, c) : map(1, -c);
      break;
    case BinaryKind::Mul:
      map(c, 0);
      break;
    case BinaryKind::Div:
      if (constantLhs)
        return std::nullopt;
      map(1 / c, 0);
      break;
    default:
      return std::nullopt;
    }
  return result;
}

/// The affine map that `op` is, if it works along `channelDim`.
static std::optional<Affine> getAffine(Operation *op, int64_t channelDim) {
  std::optional<Affine> result;
  if (auto norm = dyn_cast_or_null<BatchNormOp>(op);
      norm && int64_t(norm.getAxis()) == channelDim)
    result = getAffine(norm);
  else if (auto binary = dyn_cast_or_null<BinaryOp>(op))
    result = getAffine(binary, channelDim);
  return result && result->isFinite() ? result : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
/// Constant weights, seen as [outer][channels][inner], where `channel` gives
/// the channel that (outer, channel) belongs to.
struct Weights {
  ConstantOp constant;
  int64_t outer = 1, channels = 1, inner = 1;
  llvm::function_ref<int64_t(int64_t, int64_t)> channel = nullptr;

  /// Whether they may be replaced by others.
  static bool isReplaceable(Value value) {
    auto constant = value.getDefiningOp<ConstantOp>();
    return constant && isFloat(value) &&
           (value.hasOneUse() ||
            tensorTypeOf(value).getNumElements() <= kMaxCopiedWeights);
  }

  Value scaled(OpBuilder &builder, ArrayRef<double> scale) {
    RankedTensorType type = tensorTypeOf(constant);
    auto bytes = ConstantBytes::get(constant.getValue());
    if (!bytes)
      return {};
    auto factor = [&](int64_t i) {
      return scale[channel(i / (channels * inner), i / inner % channels)];
    };
    if (!type.getElementType().isF32()) {
      auto values = getConstantFloats(constant);
      if (!values)
        return {};
      for (auto [i, value] : llvm::enumerate(*values))
        value *= factor(int64_t(i));
      return createFloatConstant(builder, constant.getLoc(), type, *values,
                                 "weights");
    }
    // The usual case, without a copy in double precision.
    ArrayRef<float> from = bytes->as<float>();
    std::vector<float> to(from.size());
    for (size_t i = 0; i < to.size(); ++i)
      to[i] = float(from[i] * factor(int64_t(i)));
    return createConstant(
        builder, constant.getLoc(), type,
        ArrayRef<char>(reinterpret_cast<const char *>(to.data()),
                       to.size() * sizeof(float)),
        "weights");
  }
};
} // namespace

static int64_t product(ArrayRef<int64_t> extents) {
  return ShapedType::getNumElements(extents);
}

/// The dimension of the result that weights and bias belong to; -1 where `op`
/// is no product that can take an affine map behind it.
static int64_t getResultChannelDim(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op))
    return conv.getResidual() ? -1 : conv.getChannelDim();
  if (auto conv = dyn_cast<ConvTransposeOp>(op))
    return conv.getChannelDim();
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return matmul.getResidual() || rankOf(matmul.getRhs()) < 2
               ? -1
               : rankOf(matmul.getResult()) - 1;
  return -1;
}

/// The weights of `op` with each output channel scaled; null where that cannot
/// be done.
static Value scaleOutputs(OpBuilder &builder, Operation *op,
                          ArrayRef<double> scale) {
  Value filter = op->getOperand(1);
  if (!Weights::isReplaceable(filter))
    return {};
  Weights weights{filter.getDefiningOp<ConstantOp>()};
  ArrayRef<int64_t> shape = shapeOf(filter);
  auto inOrder = [](int64_t, int64_t c) { return c; };
  if (isa<ConvOp>(op)) {
    weights.channels = shape[0];
    weights.inner = product(shape.drop_front());
    weights.channel = inOrder;
    return weights.scaled(builder, scale);
  }
  if (auto conv = dyn_cast<ConvTransposeOp>(op)) {
    int64_t inputsPerGroup = shape[0] / int64_t(conv.getGroup());
    auto channel = [&](int64_t input, int64_t j) {
      return input / inputsPerGroup * shape[1] + j;
    };
    weights.outer = shape[0];
    weights.channels = shape[1];
    weights.inner = product(shape.drop_front(2));
    weights.channel = channel;
    return weights.scaled(builder, scale);
  }
  bool transposed = cast<MatmulOp>(op).getTransposeRhs();
  size_t column = shape.size() - (transposed ? 2 : 1);
  weights.outer = product(shape.take_front(column));
  weights.channels = shape[column];
  weights.inner = product(shape.drop_front(column + 1));
  weights.channel = inOrder;
  return weights.scaled(builder, scale);
}

/// `bias` as `channels` doubles; nothing where it is not constant.
static std::optional<SmallVector<double>> getBias(Value bias,
                                                  int64_t channels) {
  if (!bias)
    return SmallVector<double>(channels, 0.0);
  int64_t shape[] = {channels};
  if (rankOf(bias) > 1)
    return std::nullopt;
  return getChannelVector(bias, shape, 0);
}

/// The bias of a convolution or matrix product.
static MutableOperandRange getBiasMutable(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op))
    return conv.getBiasMutable();
  if (auto conv = dyn_cast<ConvTransposeOp>(op))
    return conv.getBiasMutable();
  return cast<MatmulOp>(op).getBiasMutable();
}

static Value getBiasOperand(Operation *op) {
  MutableOperandRange bias = getBiasMutable(op);
  return bias.empty() ? Value() : bias[0].get();
}

static void setOperands(PatternRewriter &rewriter, Operation *op, Value input,
                        Value filter, Value bias, Operation *merged) {
  rewriter.modifyOpInPlace(op, [&] {
    op->setOperand(0, input);
    op->setOperand(1, filter);
    if (bias)
      getBiasMutable(op).assign(bias);
    mergeLocation(op, merged);
  });
}

static Value makeBias(PatternRewriter &rewriter, Operation *op,
                      ArrayRef<double> values) {
  auto type = RankedTensorType::get({int64_t(values.size())},
                                    elementTypeOf(op->getResult(0)));
  return createFloatConstant(rewriter, op->getLoc(), type, values, "bias");
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// affine(product(x)) -> product'(x)
struct FoldBehind : RewritePattern {
  FoldBehind(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 2, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!isa<BatchNormOp, BinaryOp>(op))
      return failure();
    for (Value operand : op->getOperands()) {
      // The product may have got another shape in between.
      auto reshape = operand.getDefiningOp<ReshapeOp>();
      Value source = reshape ? reshape.getInput() : operand;
      Operation *producer = source.getDefiningOp();
      if (!producer || !operand.hasOneUse() || !source.hasOneUse() ||
          !isa<ConvOp, ConvTransposeOp, MatmulOp>(producer) ||
          !canTakeActivation(producer) ||
          !llvm::all_of(producer->getOperands(), isFloat))
        continue;
      int64_t dim = findDim(source, getResultChannelDim(producer), operand);
      auto affine = dim < 0 ? std::nullopt : getAffine(op, dim);
      if (!affine || affine->input != operand)
        continue;
      auto bias =
          getBias(getBiasOperand(producer), int64_t(affine->scale.size()));
      if (!bias)
        continue;
      // Insert where the product stands, so that its operands come first.
      rewriter.setInsertionPoint(producer);
      Value filter = producer->getOperand(1);
      if (affine->scales()) {
        filter = scaleOutputs(rewriter, producer, affine->scale);
        if (!filter)
          continue;
      }
      for (auto [b, a, s] :
           llvm::zip_equal(*bias, affine->scale, affine->shift))
        b = b * a + s;
      bool hasBias = getBiasOperand(producer) || affine->shifts();
      Value newBias = hasBias ? makeBias(rewriter, producer, *bias) : Value();
      setOperands(rewriter, producer, producer->getOperand(0), filter, newBias,
                  op);
      if (affine->activation)
        rewriter.modifyOpInPlace(producer, [&] {
          producer->setAttr("activation", affine->activation);
        });
      rewriter.replaceOp(op, operand);
      return success();
    }
    return failure();
  }

private:
  /// The dimension of `to`, a reshape of `from`, that is dimension `dim` of
  /// `from`; -1 where there is none.
  static int64_t findDim(Value from, int64_t dim, Value to) {
    if (dim < 0 || from == to)
      return dim;
    ArrayRef<int64_t> shape = shapeOf(from), other = shapeOf(to);
    int64_t before = product(shape.take_front(dim));
    int64_t lead = 1;
    for (int64_t d = 0; d < int64_t(other.size()); lead *= other[d++])
      if (lead == before && other[d] == shape[dim])
        return d;
    return -1;
  }
};

/// conv(affine(x)) -> conv'(x)
struct FoldBeforeConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    Operation *producer = op.getInput().getDefiningOp();
    if (!producer || !producer->hasOneUse() ||
        !llvm::all_of(op->getOperands(), isFloat) ||
        !Weights::isReplaceable(op.getFilter()))
      return failure();
    auto affine = getAffine(producer, op.getChannelDim());
    // Padding stands for 0 behind the map, where the map does not apply.
    bool padded = llvm::any_of(op.getPads(), [](int64_t p) { return p != 0; });
    if (!affine || affine->activation || (padded && affine->shifts()))
      return failure();
    ArrayRef<int64_t> shape = shapeOf(op.getFilter());
    int64_t outputs = shape[0], inputs = shape[1];
    int64_t window = product(shape.drop_front(2));
    int64_t outputsPerGroup = outputs / int64_t(op.getGroup());
    auto channel = [&](int64_t output, int64_t j) {
      return output / outputsPerGroup * inputs + j;
    };
    auto bias = getBias(op.getBias(), outputs);
    if (!bias)
      return failure();
    if (affine->shifts()) {
      auto weights = getConstantFloats(op.getFilter());
      if (!weights)
        return failure();
      for (auto [i, w] : llvm::enumerate(*weights)) {
        int64_t output = int64_t(i) / (inputs * window);
        (*bias)[output] +=
            w * affine->shift[channel(output, int64_t(i) / window % inputs)];
      }
    }
    Weights weights{op.getFilter().getDefiningOp<ConstantOp>(), outputs, inputs,
                    window, channel};
    Value filter = weights.scaled(rewriter, affine->scale);
    if (!filter)
      return failure();
    bool hasBias = op.getBias() || affine->shifts();
    Value newBias = hasBias ? makeBias(rewriter, op, *bias) : Value();
    setOperands(rewriter, op, affine->input, filter, newBias, producer);
    return success();
  }
};

/// matmul(affine(x), W) -> matmul(x, W')
struct FoldBeforeMatmul : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    Operation *producer = op.getLhs().getDefiningOp();
    if (!producer || !producer->hasOneUse() || op.getTransposeLhs() ||
        rankOf(op.getRhs()) != 2 || rankOf(op.getLhs()) < 2 ||
        !llvm::all_of(op->getOperands(), isFloat) ||
        !Weights::isReplaceable(op.getRhs()))
      return failure();
    auto affine = getAffine(producer, rankOf(op.getLhs()) - 1);
    if (!affine || affine->activation)
      return failure();
    bool transposed = op.getTransposeRhs();
    ArrayRef<int64_t> shape = shapeOf(op.getRhs());
    int64_t rows = shape[transposed], columns = shape[!transposed];
    auto bias = getBias(op.getBias(), columns);
    if (!bias)
      return failure();
    if (affine->shifts()) {
      auto weights = getConstantFloats(op.getRhs());
      if (!weights)
        return failure();
      for (auto [i, w] : llvm::enumerate(*weights)) {
        int64_t major = int64_t(i) / shape[1], minor = int64_t(i) % shape[1];
        (*bias)[transposed ? major : minor] +=
            w * affine->shift[transposed ? minor : major];
      }
    }
    auto channel = [](int64_t, int64_t c) { return c; };
    Weights weights{op.getRhs().getDefiningOp<ConstantOp>(),
                    transposed ? columns : 1, rows, transposed ? 1 : columns,
                    channel};
    Value filter = weights.scaled(rewriter, affine->scale);
    if (!filter)
      return failure();
    bool hasBias = op.getBias() || affine->shifts();
    Value newBias = hasBias ? makeBias(rewriter, op, *bias) : Value();
    setOperands(rewriter, op, affine->input, filter, newBias, producer);
    return success();
  }
};

/// batch_norm -> mul, add
struct SplitBatchNorm : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    auto affine = getAffine(op, int64_t(op.getAxis()));
    if (!affine)
      return failure();
    // [C, 1, ...] aligns with the channel from the right.
    SmallVector<int64_t> shape(rankOf(op.getInput()) - op.getAxis(), 1);
    shape[0] = int64_t(affine->scale.size());
    auto type = RankedTensorType::get(shape, elementTypeOf(op.getResult()));
    Value result = op.getInput();
    auto apply = [&](BinaryKind kind, ArrayRef<double> values) {
      Value constant =
          createFloatConstant(rewriter, op.getLoc(), type, values, "norm");
      result = BinaryOp::create(rewriter, op.getLoc(), op.getType(), kind,
                                result, constant, ActivationAttr());
    };
    if (affine->scales())
      apply(BinaryKind::Mul, affine->scale);
    if (affine->shifts())
      apply(BinaryKind::Add, affine->shift);
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct FoldBatchNorm : qcc::qnn::impl::FoldBatchNormBase<FoldBatchNorm> {
  void runOnOperation() override {
    RewritePatternSet idioms(&getContext()), folds(&getContext()),
        rest(&getContext());
    // A constant factor folded elsewhere would hide the function it is part of.
    populateActivationIdioms(idioms);
    folds.add<FoldBehind, FoldBeforeConv, FoldBeforeMatmul>(&getContext());
    rest.add<SplitBatchNorm>(&getContext());
    if (failed(applyToFixpoint(getOperation(), std::move(idioms))) ||
        failed(applyToFixpoint(getOperation(), std::move(folds))) ||
        failed(applyToFixpoint(getOperation(), std::move(rest))))
      signalPassFailure();
  }
};

} // namespace
