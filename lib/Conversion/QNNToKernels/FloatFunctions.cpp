//===- FloatFunctions.cpp - Activations as arithmetic ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatFunctions.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qcc::qnn::UnaryKind;
using Pred = arith::CmpFPredicate;

/// exp of less than this is no normal number.
static constexpr double leastExponent = -87.3;
/// 1 / (1 + exp) of this is one, and reciprocal() takes the sum.
static constexpr double largestExponent = 86;
/// Below this sigmoid(x) and x sigmoid(x) vanish in bytes: what roughly() takes
/// for all that is less.
static constexpr double leastRough = -80;
/// Above this 1 + exp(-x) is 1 for roughly().
static constexpr double largestRough = 83;
/// Added to a number of at most 2^22 and taken off again, it rounds it to an
/// integer, which then stands in the low bits of the sum.
static constexpr double roundingOffset = 12582912.0;

Type FloatFunctions::typeOf(Type element) const {
  if (auto vector = dyn_cast<VectorType>(like))
    return vector.clone(element);
  return element;
}

static Value constant(OpBuilder &b, Location loc, Type type, TypedAttr c) {
  if (auto vector = dyn_cast<VectorType>(type))
    c = DenseElementsAttr::get(vector, Attribute(c));
  return arith::ConstantOp::create(b, loc, c);
}

Value FloatFunctions::real(double c) {
  return constant(b, loc, typeOf(b.getF32Type()), b.getF32FloatAttr(c));
}
Value FloatFunctions::integer(int64_t c) {
  return constant(b, loc, typeOf(b.getI32Type()), b.getI32IntegerAttr(c));
}
Value FloatFunctions::bits(Value x) {
  return arith::BitcastOp::create(b, loc, typeOf(b.getI32Type()), x);
}
Value FloatFunctions::fromBits(Value x) {
  return arith::BitcastOp::create(b, loc, typeOf(b.getF32Type()), x);
}

Value FloatFunctions::mulAdd(Value x, Value y, Value z) {
  return math::FmaOp::create(b, loc, x, y, z);
}

Value FloatFunctions::horner(Value x, ArrayRef<double> c) {
  Value y = real(c.back());
  for (double next : llvm::reverse(c.drop_back()))
    y = mulAdd(y, x, real(next));
  return y;
}

Value FloatFunctions::clamp(Value x, double low, double high) {
  auto replaceIf = [&](Pred p, double bound) {
    Value limit = real(bound);
    Value beyond = arith::CmpFOp::create(b, loc, p, x, limit);
    x = arith::SelectOp::create(b, loc, beyond, limit, x);
  };
  replaceIf(Pred::OLT, low);
  replaceIf(Pred::OGT, high);
  return x;
}

Value FloatFunctions::boundedExp(Value x) {
  auto exp = math::ExpOp::create(b, loc, x);
  exp->setDiscardableAttr("qcc.bounded", b.getUnitAttr());
  return exp;
}

Value FloatFunctions::expOfNegative(Value x) {
  Value least = real(leastExponent);
  Value vanishes = arith::CmpFOp::create(b, loc, Pred::OLT, x, least);
  Value e = boundedExp(arith::SelectOp::create(b, loc, vanishes, least, x));
  return arith::SelectOp::create(b, loc, vanishes, real(0), e);
}

Value FloatFunctions::gated(Value numerator, Value x) {
  // Beyond the upper limit the factor is 0: the numerator may be huge.
  Value exponent = arith::NegFOp::create(b, loc, x);
  Value vanishes =
      arith::CmpFOp::create(b, loc, Pred::OGT, exponent, real(largestExponent));
  Value e = boundedExp(clamp(exponent, leastExponent, largestExponent));
  Value factor = reciprocal(arith::AddFOp::create(b, loc, e, real(1)));
  factor = arith::SelectOp::create(b, loc, vanishes, real(0), factor);
  return arith::MulFOp::create(b, loc, numerator, factor);
}

Value FloatFunctions::reciprocal(Value x) {
  // Subtracting the bits negates the exponent and leaves 5 % of error; then a
  // step of third order, and Newton's.
  Value r =
      fromBits(arith::SubIOp::create(b, loc, integer(0x7ef311c3), bits(x)));
  Value one = real(1), negated = arith::NegFOp::create(b, loc, x);
  Value rest = mulAdd(negated, r, one);
  r = mulAdd(r, mulAdd(rest, rest, rest), r);
  return mulAdd(r, mulAdd(negated, r, one), r);
}

Value FloatFunctions::gelu(Value x) {
  static const double q[] = {-1.1511088609695435,    -0.4591643214225769,
                             -0.05266660451889038,   0.007363124284893274,
                             -0.0004069797578267753, -5.769713970948942e-05,
                             8.858415640133899e-06}; // of q / a
  static const double power[] = {0.5000000596046448,   0.34657347202301025,
                                 0.12011060118675232,  0.027753567323088646,
                                 0.004837773274630308, 0.0006638240884058177};
  return geluOf(x, /*limit=*/6.5, q, power);
}

/// max(x, 0) - a P(-a) with a = |x|, where P(-a) = 2^(a q(a)) / 2 vanishes
/// beyond the limit, and `power` is 2^r / 2 for r in [-0.5, 0.5].
Value FloatFunctions::geluOf(Value x, double most, ArrayRef<double> q,
                             ArrayRef<double> power) {
  Value limit = real(most), offset = real(roundingOffset);
  Value a = math::AbsFOp::create(b, loc, x);
  Value isBeyond = arith::CmpFOp::create(b, loc, Pred::OGT, a, limit);
  a = arith::SelectOp::create(b, loc, isBeyond, limit, a);
  Value p = horner(a, q);
  Value turns = mulAdd(p, a, offset);
  Value whole = arith::SubFOp::create(b, loc, turns, offset);
  Value rest = mulAdd(p, a, arith::NegFOp::create(b, loc, whole));
  // The exponent of 2^rest / 2 grows by `whole`.
  Value probability = fromBits(arith::AddIOp::create(
      b, loc, bits(horner(rest, power)),
      arith::ShLIOp::create(b, loc, bits(turns), integer(23))));
  Value isNegative = arith::CmpFOp::create(b, loc, Pred::OLT, x, real(0));
  Value positive = arith::SelectOp::create(b, loc, isNegative, real(0), x);
  return mulAdd(arith::NegFOp::create(b, loc, a), probability, positive);
}

bool FloatFunctions::hasRough(UnaryKind kind, float scale) {
  switch (kind) {
  case UnaryKind::Gelu:
    return std::isnormal(1.0f / scale) && scale >= 1.3e-8f; // 2 % of a step
  case UnaryKind::Sigmoid:
  case UnaryKind::Silu:
  case UnaryKind::GeluTanh:
  case UnaryKind::HardSwish:
    return std::isnormal(scale) && std::isnormal(1.0f / scale);
  default:
    return false;
  }
}

Value FloatFunctions::atLeast(Value x, double low) {
  Value limit = real(low);
  Value isAbove = arith::CmpFOp::create(b, loc, Pred::OGT, x, limit);
  return arith::SelectOp::create(b, loc, isAbove, x, limit);
}

Value FloatFunctions::roughly(UnaryKind kind, Value x, float scale) {
  auto mul = [&](Value u, Value v) -> Value {
    return arith::MulFOp::create(b, loc, u, v);
  };
  double factor = 1.0f / scale;
  if (kind == UnaryKind::HardSwish)
    return mul(x,
               clamp(mulAdd(x, real(factor / 6), real(factor / 2)), 0, factor));
  x = atLeast(x, leastRough);
  if (kind == UnaryKind::Sigmoid)
    return roughlyGated(real(factor), x);
  if (kind == UnaryKind::Gelu)
    return mul(roughGelu(x), real(factor));
  Value exponent = x;
  if (kind == UnaryKind::GeluTanh) {
    Value cube = mul(mul(x, x), x);
    Value inner =
        mul(real(0.79788456080286535588), mulAdd(real(0.044715), cube, x));
    exponent = atLeast(arith::AddFOp::create(b, loc, inner, inner), leastRough);
  }
  return roughlyGated(mul(x, real(factor)), exponent);
}

Value FloatFunctions::roughlyGated(Value numerator, Value x) {
  // 2^r for r in [-0.5, 0.5], within 7.5e-5 of it.
  static const double power[] = {0.9999280571937561, 0.6932609677314758,
                                 0.2426111400127411, 0.0551716685295105};
  Value offset = real(roundingOffset), factor = real(-1.4426950408889634);
  // exp(-x) is 2^z, and 1 + 2^z is 1 beyond the limit.
  Value limit = real(largestRough);
  Value isBelow = arith::CmpFOp::create(b, loc, Pred::OLT, x, limit);
  x = arith::SelectOp::create(b, loc, isBelow, x, limit);
  Value turns = mulAdd(x, factor, offset);
  Value whole = arith::SubFOp::create(b, loc, turns, offset);
  Value rest = mulAdd(x, factor, arith::NegFOp::create(b, loc, whole));
  Value e = fromBits(arith::AddIOp::create(
      b, loc, bits(horner(rest, power)),
      arith::ShLIOp::create(b, loc, bits(turns), integer(23))));
  Value divisor = arith::AddFOp::create(b, loc, e, real(1));
  // As reciprocal() without the last step: within 1.3e-4.
  Value r = fromBits(
      arith::SubIOp::create(b, loc, integer(0x7ef311c3), bits(divisor)));
  Value lost = mulAdd(arith::NegFOp::create(b, loc, divisor), r, real(1));
  r = mulAdd(r, mulAdd(lost, lost, lost), r);
  return arith::MulFOp::create(b, loc, numerator, r);
}

Value FloatFunctions::roughGelu(Value x) {
  // As gelu() with fewer terms.
  static const double q[] = {-1.1500957012176514,    -0.4618617594242096,
                             -0.0505877323448658,    0.006961969658732414,
                             -0.0005715718143619597, 2.056443554465659e-05};
  static const double power[] = {0.49996402859687805, 0.3466304838657379,
                                 0.12130557000637054, 0.02758583426475525};
  return geluOf(x, /*limit=*/6.5, q, power);
}

//===----------------------------------------------------------------------===//
// Where GELU may be rough
//===----------------------------------------------------------------------===//

static bool isOnlyRounded(Value value) {
  return !value.use_empty() &&
         llvm::all_of(value.getUsers(), [](Operation *user) {
           auto reshape = dyn_cast<qnn::ReshapeOp>(user);
           return reshape ? isOnlyRounded(reshape.getResult())
                          : isa<qnn::DynamicQuantizeOp>(user);
         });
}

bool qcc::reference::endsInRoughGelu(Operation *op) {
  std::optional<UnaryKind> kind;
  if (auto unary = dyn_cast<qnn::UnaryOp>(op))
    kind = unary.getKind();
  else if (auto binary = dyn_cast<qnn::BinaryOp>(op);
           binary && binary.getActivationAttr())
    kind = binary.getActivationAttr().getKind();
  return kind == UnaryKind::Gelu &&
         getElementTypeOrSelf(op->getResult(0).getType()).isF32() &&
         isOnlyRounded(op->getResult(0));
}
