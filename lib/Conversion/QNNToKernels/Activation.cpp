//===- Activation.cpp - Functions of one real number ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExactSteps.h"
#include "FloatFunctions.h"
#include "LoopBuilder.h"
#include "PiecewiseFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qnn::UnaryKind;

Value LoopBuilder::activate(qnn::ActivationAttr activation, Value x) {
  if (!activation)
    return x;
  return unary(activation.getKind(), activation.alpha(), activation.beta(), x);
}

Value LoopBuilder::storedActivation(qnn::ActivationAttr activation, Value x,
                                    const Element &element) {
  if (activation && element.isQuantized() && element.width() == 8 &&
      getElementTypeOrSelf(x.getType()).isF32()) {
    QuantParams params = element.params();
    ByteRange range{params.scale, params.qmin - params.zeroPoint,
                    params.qmax - params.zeroPoint};
    if (auto rough = RoughFunction::get(activation.getKind(), range))
      return roundToStorage(rough->emit(*this, getLoc(), level, x), params,
                            element.storage);
  }
  std::optional<ExactSteps> exact;
  if (element.isQuantized())
    exact.emplace(*this);
  return fromReal(activate(activation, x), element);
}

// Comparisons are written so that NaN passes through: `x < 0 ? 0 : x`.
Value LoopBuilder::unary(UnaryKind kind, double alpha, double beta, Value x) {
  Type type = x.getType();
  auto c = [&](double value) { return real(type, value); };
  auto clamp = [&](Value v, double lo, double hi) {
    v = select(less(v, c(lo)), c(lo), v);
    return select(greater(v, c(hi)), c(hi), v);
  };
  auto exp = [&](Value v) -> Value { return math::ExpOp::create(*this, v); };
  auto neg = [&](Value v) -> Value { return arith::NegFOp::create(*this, v); };
  auto abs = [&](Value v) -> Value { return math::AbsFOp::create(*this, v); };
  auto softplus = [&](Value v) {
    // log(1 + exp(v)) without overflow.
    Value tail = math::Log1pOp::create(*this, exp(neg(abs(v))));
    return add(select(less(v, c(0)), c(0), v), tail);
  };
  auto elu = [&](Value v, double a) {
    return select(less(v, c(0)), mul(c(a), sub(exp(v), c(1))), v);
  };

  bool isF32 = getElementTypeOrSelf(type).isF32();
  FloatFunctions functions(*this, getLoc(), type);
  switch (kind) {
  case UnaryKind::Identity:
    return x;
  case UnaryKind::Relu:
    return select(less(x, c(0)), c(0), x);
  case UnaryKind::Clamp:
    return clamp(x, alpha, beta);
  case UnaryKind::LeakyRelu:
    return select(less(x, c(0)), mul(c(alpha), x), x);
  case UnaryKind::Sigmoid:
    return isF32 ? functions.gated(c(1), x) : div(c(1), add(c(1), exp(neg(x))));
  case UnaryKind::Tanh:
    return math::TanhOp::create(*this, x);
  case UnaryKind::HardSigmoid:
    return clamp(add(mul(c(alpha), x), c(beta)), 0, 1);
  case UnaryKind::HardSwish:
    return mul(x, clamp(add(mul(c(1.0f / 6.0f), x), c(0.5)), 0, 1));
  case UnaryKind::Silu:
    return isF32 ? functions.gated(x, x) : div(x, add(c(1), exp(neg(x))));
  case UnaryKind::Gelu: {
    if (isF32)
      return functions.gelu(x);
    Value erf = math::ErfOp::create(*this, mul(x, c(0.70710678118654752440)));
    return mul(mul(c(0.5), x), add(c(1), erf));
  }
  case UnaryKind::GeluTanh: {
    Value cube = mul(mul(x, x), x);
    Value inner =
        mul(c(0.79788456080286535588), add(x, mul(c(0.044715), cube)));
    // (1 + tanh(v)) / 2 is the logistic function of 2v.
    if (isF32)
      return functions.gated(x, add(inner, inner));
    Value tanh = math::TanhOp::create(*this, inner);
    return mul(mul(c(0.5), x), add(c(1), tanh));
  }
  case UnaryKind::Elu:
    return elu(x, alpha);
  case UnaryKind::Selu:
    return mul(c(beta), elu(x, alpha));
  case UnaryKind::Celu: {
    Value low = mul(c(alpha), sub(exp(div(x, c(alpha))), c(1)));
    return select(less(x, c(0)), select(less(low, c(0)), low, c(0)), x);
  }
  case UnaryKind::ThresholdedRelu:
    return select(greater(x, c(alpha)), x, c(0));
  case UnaryKind::Softplus:
    return softplus(x);
  case UnaryKind::Softsign:
    return div(x, add(c(1), abs(x)));
  case UnaryKind::Mish:
    return mul(x, math::TanhOp::create(*this, softplus(x)));
  case UnaryKind::Exp:
    return exp(x);
  case UnaryKind::Log:
    return math::LogOp::create(*this, x);
  case UnaryKind::Sqrt:
    return math::SqrtOp::create(*this, x);
  case UnaryKind::Reciprocal:
    return div(c(1), x);
  case UnaryKind::Neg:
    return neg(x);
  case UnaryKind::Abs:
    return abs(x);
  case UnaryKind::Floor:
    return math::FloorOp::create(*this, x);
  case UnaryKind::Ceil:
    return math::CeilOp::create(*this, x);
  case UnaryKind::Round:
    return math::RoundEvenOp::create(*this, x);
  case UnaryKind::Sign:
    return select(greater(x, c(0)), c(1), select(less(x, c(0)), c(-1), x));
  case UnaryKind::Erf:
    return math::ErfOp::create(*this, x);
  case UnaryKind::Sin:
    return math::SinOp::create(*this, x);
  case UnaryKind::Cos:
    return math::CosOp::create(*this, x);
  case UnaryKind::Tan:
    return math::TanOp::create(*this, x);
  case UnaryKind::Asin:
    return math::AsinOp::create(*this, x);
  case UnaryKind::Acos:
    return math::AcosOp::create(*this, x);
  case UnaryKind::Atan:
    return math::AtanOp::create(*this, x);
  case UnaryKind::Not:
    return arith::UIToFPOp::create(
        *this, type,
        arith::CmpFOp::create(*this, arith::CmpFPredicate::OEQ, x, c(0)));
  case UnaryKind::IsNaN:
    return arith::UIToFPOp::create(
        *this, type,
        arith::CmpFOp::create(*this, arith::CmpFPredicate::UNO, x, x));
  case UnaryKind::Shrink:
    return select(less(x, c(-alpha)), add(x, c(beta)),
                  select(greater(x, c(alpha)), sub(x, c(beta)), c(0)));
  case UnaryKind::Affine:
    return add(mul(c(alpha), x), c(beta));
  case UnaryKind::ScaledTanh:
    return mul(c(alpha), math::TanhOp::create(*this, mul(c(beta), x)));
  }
  llvm_unreachable("unknown function");
}
