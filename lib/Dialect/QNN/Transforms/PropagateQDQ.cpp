//===- PropagateQDQ.cpp - Move dequantize down, quantize up ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/CSE.h"
#include "llvm/ADT/TypeSwitch.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_PROPAGATEQDQ
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using quant::UniformQuantizedType;

/// Whether quantize and dequantize commute with `op`: it moves elements, or
/// picks the largest one.
static bool commutesWithQuantization(Operation *op) {
  if (auto resize = dyn_cast<ResizeOp>(op))
    return resize.getMode() == ResizeMode::Nearest;
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getKind() == ReduceKind::Max ||
           reduce.getKind() == ReduceKind::Min;
  return isa<ReshapeOp, TransposeOp, ConcatOp, SliceOp, PadOp, ExpandOp,
             GatherOp, MaxPoolOp>(op);
}

/// The operands of a commuting op that hold its data.
static OperandRange dataOperands(Operation *op) {
  return isa<ConcatOp>(op) ? op->getOperands()
                           : op->getOperands().take_front(1);
}

/// Clones `op` with other data operands of `elementType`.
static Value cloneOn(PatternRewriter &rewriter, Operation *op,
                     ValueRange operands, Type elementType) {
  Operation *clone = rewriter.clone(*op);
  clone->setOperands(0, operands.size(), operands);
  Value result = clone->getResult(0);
  result.setType(tensorTypeOf(result).clone(elementType));
  return result;
}

/// The element type of the result of a commuting op on operands of `type`;
/// null where the op cannot take that type.
static Type movedElementType(Operation *op, Type type) {
  if (isa<UniformQuantizedType>(type))
    return type;
  return TypeSwitch<Operation *, Type>(op)
      .Case([&](TransposeOp transpose) {
        return permuteElementType(type, transpose.getPermutation());
      })
      .Case([&](ReshapeOp reshape) {
        return reshapeElementType(type, shapeOf(reshape.getInput()),
                                  shapeOf(reshape.getResult()));
      })
      .Default([](Operation *) { return Type(); });
}

namespace {

/// move(dequantize(q)) -> dequantize(move(q))
struct DequantizeDown : RewritePattern {
  DequantizeDown(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!commutesWithQuantization(op))
      return failure();
    SmallVector<Value> sources;
    for (Value operand : dataOperands(op)) {
      auto dequantize = operand.getDefiningOp<DequantizeOp>();
      if (!dequantize)
        return failure();
      sources.push_back(dequantize.getInput());
    }
    if (sources.empty())
      return failure();
    Type type = tensorTypeOf(sources[0]).getElementType();
    for (Value source : sources)
      if (tensorTypeOf(source).getElementType() != type)
        return failure();
    if (auto pad = dyn_cast<PadOp>(op);
        pad && pad.getMode() == PadMode::Constant) {
      auto uniform = dyn_cast<UniformQuantizedType>(type);
      if (!uniform)
        return failure();
      QuantParams params = getQuantParams(uniform);
      float value = pad.getValue().convertToDouble();
      if (dequantize(quantize(value, params), params) != value)
        return failure();
    }
    Type moved = movedElementType(op, type);
    if (!moved)
      return failure();
    Value result = cloneOn(rewriter, op, sources, moved);
    rewriter.replaceOpWithNewOp<DequantizeOp>(op, op->getResult(0).getType(),
                                              result);
    return success();
  }
};

/// arg_reduce(dequantize(q)) -> arg_reduce(q): scales are positive.
struct ArgReduceOfDequantize : OpRewritePattern<ArgReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ArgReduceOp op,
                                PatternRewriter &rewriter) const override {
    auto dequantize = op.getInput().getDefiningOp<DequantizeOp>();
    if (!dequantize || !getActivationType(dequantize.getInput()))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.setOperand(dequantize.getInput()); });
    return success();
  }
};

/// quantize(move(x)) -> move(quantize(x))
struct QuantizeUp : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  /// Whether all that is done with `value` is to quantize it to `type`, maybe
  /// after it was moved.
  static bool isOnlyQuantizedTo(Value value, UniformQuantizedType type) {
    return llvm::all_of(value.getUsers(), [&](Operation *user) {
      if (auto quantize = dyn_cast<QuantizeOp>(user))
        return tensorTypeOf(quantize.getResult()).getElementType() == type;
      return commutesWithQuantization(user) &&
             getCommonQuantizedType(user->getResult(0)) == type;
    });
  }

  /// Whether the producer of `value` may give 8-bit results directly.
  static bool mayProduceQuantized(Value value) {
    Operation *producer = value.getDefiningOp();
    if (!producer)
      return false;
    if (isa<DequantizeOp>(producer) || commutesWithQuantization(producer))
      return true;
    auto quantizable = dyn_cast<QuantizableOpInterface>(producer);
    return quantizable && quantizable.isQuantizable();
  }

  /// `value` quantized to `type` in front of `op`, by the op that does so
  /// already where there is one: what reads a value twice, over and over,
  /// would be quantized 2^n times.
  static Value quantizeOnce(PatternRewriter &rewriter, QuantizeOp op,
                            Value value, Type type) {
    for (Operation *user : value.getUsers()) {
      auto quantize = dyn_cast<QuantizeOp>(user);
      if (!quantize || quantize == op ||
          quantize->getBlock() != op->getBlock() ||
          tensorTypeOf(quantize.getResult()).getElementType() != type)
        continue;
      if (!quantize->isBeforeInBlock(op))
        rewriter.moveOpBefore(quantize, op);
      return quantize.getResult();
    }
    return QuantizeOp::create(rewriter, op.getLoc(),
                              tensorTypeOf(value).clone(type), value);
  }

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *move = op.getInput().getDefiningOp();
    if (!move || !commutesWithQuantization(move))
      return failure();
    UniformQuantizedType type = getCommonQuantizedType(op.getInput());
    if (!type || type != tensorTypeOf(op.getResult()).getElementType())
      return failure();
    if (!isa<ConcatOp>(move)) {
      Value input = move->getOperand(0);
      bool drops = tensorTypeOf(input).getNumElements() >
                   tensorTypeOf(op.getInput()).getNumElements();
      if (drops &&
          (!isOnlyQuantizedTo(input, type) || !mayProduceQuantized(input)))
        return failure();
    }
    SmallVector<Value> operands;
    for (Value operand : dataOperands(move))
      operands.push_back(quantizeOnce(rewriter, op, operand, type));
    Value result = cloneOn(rewriter, move, operands, type);
    if (auto pad = result.getDefiningOp<PadOp>();
        pad && pad.getMode() == PadMode::Constant) {
      QuantParams params = getQuantParams(type);
      float value = pad.getValue().convertToDouble();
      pad.setValue(APFloat(
          static_cast<double>(dequantize(quantize(value, params), params))));
    }
    rewriter.replaceOp(op, result);
    // It would keep the next move from seeing that only quantize ops are left.
    if (isOpTriviallyDead(move))
      rewriter.eraseOp(move);
    return success();
  }
};

/// quantize(dequantize(q)) -> q where both types are equal. The other order
/// loses information and stays.
struct RemoveQuantizeOfDequantize : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto dequantize = op.getInput().getDefiningOp<DequantizeOp>();
    if (!dequantize ||
        dequantize.getInput().getType() != op.getResult().getType())
      return failure();
    rewriter.replaceOp(op, dequantize.getInput());
    return success();
  }
};

/// quantize(clamp(x)) -> quantize(x) where the saturation clamps as tightly.
struct RemoveImpliedClamp : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto unary = op.getInput().getDefiningOp<UnaryOp>();
    auto type = dyn_cast<UniformQuantizedType>(
        tensorTypeOf(op.getResult()).getElementType());
    if (!unary || !type ||
        !isImpliedBySaturation(unary.getKind(),
                               unary.getAlpha().convertToFloat(),
                               unary.getBeta().convertToFloat(), type))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.setOperand(unary.getInput()); });
    return success();
  }
};

/// Quantizes float constants: weights of models that store them in float.
struct QuantizeConstant : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getInput().getDefiningOp<ConstantOp>())
      return failure();
    RankedTensorType type = tensorTypeOf(op.getResult());
    auto storage = dyn_cast<IntegerType>(getStorageType(type.getElementType()));
    auto params = ChannelParams::get(type.getElementType());
    if (!params || !storage ||
        !tensorTypeOf(op.getInput()).getElementType().isF32() ||
        (storage.getWidth() != 8 && storage.getWidth() != 16 &&
         storage.getWidth() != 32))
      return failure();
    auto bytes = ConstantBytes::get(op.getInput());
    if (!bytes)
      return failure();
    auto quantized = cast<quant::QuantizedType>(type.getElementType());
    int64_t inner = 1, channels = 1;
    if (params->axis >= 0) {
      for (int64_t extent : type.getShape().drop_front(params->axis + 1))
        inner *= extent;
      channels = type.getDimSize(params->axis);
    }
    const size_t width = storage.getWidth() / 8;
    ArrayRef<float> values = bytes->as<float>();
    std::vector<char> out(values.size() * width);
    for (auto [i, value] : llvm::enumerate(values)) {
      size_t channel = static_cast<int64_t>(i) / inner % channels;
      int64_t q =
          quantize(value, {params->scale(channel), params->zeroPoint(channel),
                           quantized.getStorageTypeMin(),
                           quantized.getStorageTypeMax()});
      std::memcpy(out.data() + i * width, &q, width); // little-endian
    }
    rewriter.replaceOp(op, createConstant(rewriter, op.getLoc(), type, out));
    return success();
  }
};

/// Transposes and reshapes quantized constants.
struct MoveConstant : RewritePattern {
  MoveConstant(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!isa<TransposeOp, ReshapeOp>(op) ||
        !op->getOperand(0).getDefiningOp<ConstantOp>() ||
        !isa<quant::QuantizedType>(
            tensorTypeOf(op->getOperand(0)).getElementType()))
      return failure();
    Value moved;
    if (auto transpose = dyn_cast<TransposeOp>(op))
      moved = transposeConstant(rewriter, op->getLoc(), op->getOperand(0),
                                transpose.getPermutation());
    else
      moved = reshapeConstant(rewriter, op->getLoc(), op->getOperand(0),
                              shapeOf(op->getResult(0)));
    if (!moved)
      return failure();
    rewriter.replaceOp(op, moved);
    return success();
  }
};

struct PropagateQDQ : qcc::qnn::impl::PropagateQDQBase<PropagateQDQ> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    auto merge = [&] {
      DominanceInfo dominance(getOperation());
      eliminateCommonSubExpressions(rewriter, dominance, getOperation());
    };
    // Equal quantize ops of one value hide that it has one quantized type.
    merge();
    RewritePatternSet patterns(&getContext());
    patterns.add<DequantizeDown, ArgReduceOfDequantize, QuantizeUp,
                 RemoveQuantizeOfDequantize, RemoveImpliedClamp,
                 QuantizeConstant, MoveConstant>(&getContext());
    if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
      return signalPassFailure();
    merge();
  }
};

} // namespace
