//===- FloatFunctions.cpp - Activations as arithmetic ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatFunctions.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qcc::reference;
using Pred = arith::CmpFPredicate;

/// exp of less than this is no normal number.
static constexpr double leastExponent = -87.3;
/// 1 / (1 + exp) of this is one, and reciprocal() takes the sum.
static constexpr double largestExponent = 86;
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
  if (fma)
    return math::FmaOp::create(b, loc, x, y, z);
  return arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, x, y), z);
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
  // max(x, 0) - a P(-a) with a = |x|, where P(-a) = 2^q / 2 falls to 4e-11 at
  // the limit of a. The error of q counts less the smaller P is.
  static const double q[] = {-1.1511061191558838,     -0.4591982364654541,
                             -0.05253102630376816,    0.007115159649401903,
                             -0.00017079238023143262, -0.0001798715820768848,
                             4.232352148392238e-05,   -4.287275260139722e-06,
                             1.7062886570329283e-07}; // of q / a
  static const double power[] = {0.5000000596046448,   0.34657347202301025,
                                 0.12011060118675232,  0.027753567323088646,
                                 0.004837773274630308, 0.0006638240884058177};
  Value limit = real(6.5), offset = real(roundingOffset);
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
