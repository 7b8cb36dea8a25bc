//===- FoldEmpty.cpp - Tensors without elements ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_FOLDEMPTY
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

static bool isEmpty(Value value) {
  return tensorTypeOf(value).getNumElements() == 0;
}

namespace {
/// Builds what is left of a contraction whose sums have no terms.
class EmptySum {
public:
  explicit EmptySum(Operation *op)
      : builder(op), loc(op->getLoc()), result(op->getResult(0)) {}

  /// activation(bias + residual), of the type of the result. `bias` may be
  /// null and broadcasts to the result.
  Value build(Value bias, Value residual, ActivationAttr activation) {
    Type element = elementTypeOf(result);
    real = isa<FloatType>(element) || isa<IntegerType>(element)
               ? element
               : builder.getF32Type();
    Value sum = bias ? toReal(bias) : zero();
    if (residual)
      sum = create<BinaryOp>(shapeOf(result), real, BinaryKind::Add, sum,
                             toReal(residual), ActivationAttr());
    if (activation)
      sum = create<UnaryOp>(shapeOf(sum), real, activation.getKind(), sum,
                            activation.getAlpha().getValue(),
                            activation.getBeta().getValue());
    if (shapeOf(sum) != shapeOf(result))
      sum = create<ExpandOp>(shapeOf(result), real, sum, shapeOf(result));
    if (real != element)
      sum = create<QuantizeOp>(shapeOf(result), element, sum);
    return sum;
  }

  /// A vector of one number for each channel along `dim` of the result.
  Value alongChannels(Value vector, int64_t dim) {
    if (!vector)
      return {};
    SmallVector<int64_t> shape(rankOf(result), 1);
    shape[dim] = tensorTypeOf(vector).getNumElements();
    vector = toReal(vector);
    return create<ReshapeOp>(shape, elementTypeOf(vector), vector);
  }

private:
  template <typename OpTy, typename... Args>
  Value create(ArrayRef<int64_t> shape, Type element, Args &&...args) {
    return OpTy::create(builder, loc, RankedTensorType::get(shape, element),
                        std::forward<Args>(args)...);
  }
  Value zero() {
    auto type = RankedTensorType::get({}, real);
    auto value = DenseElementsAttr::get(type, builder.getZeroAttr(real));
    return ConstantOp::create(builder, loc, type, value);
  }
  Value toReal(Value x) {
    Type f32 = builder.getF32Type();
    if (!isa<FloatType, IntegerType>(elementTypeOf(x)))
      x = create<DequantizeOp>(shapeOf(x), f32, x);
    if (real && elementTypeOf(x) != real)
      x = create<CastOp>(shapeOf(x), real, x);
    return x;
  }

  OpBuilder builder;
  Location loc;
  Value result;
  Type real; ///< in which it is computed
};
} // namespace

/// The result of a contraction or mean of an empty operand; null for other ops.
static Value foldEmptySum(Operation *op) {
  EmptySum sum(op);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](MatmulOp matmul) {
        return isEmpty(matmul.getLhs())
                   ? sum.build(matmul.getBias(), matmul.getResidual(),
                               matmul.getActivationAttr())
                   : Value();
      })
      .Case([&](ConvOp conv) {
        return isEmpty(conv.getInput())
                   ? sum.build(sum.alongChannels(conv.getBias(),
                                                 conv.getChannelDim()),
                               conv.getResidual(), conv.getActivationAttr())
                   : Value();
      })
      .Case<MatmulIntegerOp, ConvIntegerOp>([&](Operation *integer) {
        return isEmpty(integer->getOperand(0))
                   ? sum.build({}, {}, ActivationAttr())
                   : Value();
      })
      // The mean of nothing is 0 in ONNX Runtime; other reductions give what
      // they begin with.
      .Case([&](ReduceOp reduce) {
        return reduce.getKind() == ReduceKind::Mean &&
                       isEmpty(reduce.getInput())
                   ? sum.build({}, {}, ActivationAttr())
                   : Value();
      })
      .Default(Value());
}

namespace {
struct FoldEmpty : qcc::qnn::impl::FoldEmptyBase<FoldEmpty> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa_and_nonnull<QNNDialect>(op->getDialect()) && isPure(op) &&
          !isa<ConstantOp>(op) &&
          llvm::all_of(op->getResultTypes(), [](Type type) {
            auto tensor = dyn_cast<RankedTensorType>(type);
            return tensor && tensor.hasStaticShape();
          }))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      fold(op);
    for (Operation *op : llvm::reverse(ops))
      if (isOpTriviallyDead(op))
        op->erase();
  }

private:
  static void fold(Operation *op) {
    OpBuilder builder(op);
    for (Value result : op->getResults())
      if (isEmpty(result) && !result.use_empty())
        result.replaceAllUsesWith(
            createConstant(builder, op->getLoc(), tensorTypeOf(result), {}));
    if (op->getNumResults() != 1 || isEmpty(op->getResult(0)))
      return;
    if (Value sum = foldEmptySum(op))
      op->getResult(0).replaceAllUsesWith(sum);
  }
};
} // namespace
