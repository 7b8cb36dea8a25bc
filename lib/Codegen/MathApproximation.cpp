//===- MathApproximation.cpp - Polynomial forms of functions --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MathApproximation.h"
#include "../Conversion/QNNToKernels/FloatFunctions.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using reference::FloatFunctions;

static constexpr double infinity = std::numeric_limits<double>::infinity();
static constexpr double quietNaN = std::numeric_limits<double>::quiet_NaN();
static constexpr double ln2Hi = 0.693359375; // few bits: n * ln2Hi is exact
static constexpr double ln2Lo = -2.12194440054690583e-4;
static constexpr double log2E = 1.4426950408889634;

//===----------------------------------------------------------------------===//
// Vocabulary
//===----------------------------------------------------------------------===//

Type MathApproximation::typeOf(Type element) const {
  if (auto vector = dyn_cast<VectorType>(like))
    return VectorType::get(vector.getShape(), element,
                           vector.getScalableDims());
  return element;
}

static Value constantOf(OpBuilder &b, Location loc, Type type, Attribute c) {
  if (auto vector = dyn_cast<VectorType>(type))
    c = DenseElementsAttr::get(vector, c);
  return arith::ConstantOp::create(b, loc, type, cast<TypedAttr>(c));
}

Value MathApproximation::splat(Value v, double c) {
  return constantOf(b, loc, v.getType(),
                    b.getFloatAttr(getElementTypeOrSelf(v.getType()), c));
}

Value MathApproximation::f32(double c) {
  return constantOf(b, loc, typeOf(b.getF32Type()), b.getF32FloatAttr(c));
}

Value MathApproximation::i32(int64_t c) {
  return constantOf(b, loc, typeOf(b.getI32Type()),
                    b.getIntegerAttr(b.getI32Type(), c));
}

Value MathApproximation::add(Value x, Value y) {
  if (isa<FloatType>(getElementTypeOrSelf(x.getType())))
    return arith::AddFOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}

Value MathApproximation::sub(Value x, Value y) {
  if (isa<FloatType>(getElementTypeOrSelf(x.getType())))
    return arith::SubFOp::create(b, loc, x, y);
  return arith::SubIOp::create(b, loc, x, y);
}

Value MathApproximation::mul(Value x, Value y) {
  return arith::MulFOp::create(b, loc, x, y);
}

Value MathApproximation::div(Value x, Value y) {
  return arith::DivFOp::create(b, loc, x, y);
}

Value MathApproximation::mulAdd(Value x, Value y, Value z) {
  return math::FmaOp::create(b, loc, x, y, z);
}

Value MathApproximation::horner(Value x, ArrayRef<double> c) {
  bool isF32 = getElementTypeOrSelf(x.getType()).isF32();
  Value y = splat(x, c.back());
  for (double next : llvm::reverse(c.drop_back()))
    y = isF32 ? mulAdd(y, x, splat(x, next)) : add(mul(y, x), splat(x, next));
  return y;
}

Value MathApproximation::compare(Pred p, Value x, Value y) {
  return arith::CmpFOp::create(b, loc, p, x, y);
}

Value MathApproximation::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, loc, condition, x, y);
}

Value MathApproximation::minimum(Value x, double c) {
  Value limit = splat(x, c);
  return select(compare(Pred::OLT, x, limit), x, limit);
}

Value MathApproximation::maximum(Value x, double c) {
  Value limit = splat(x, c);
  return select(compare(Pred::OGT, x, limit), x, limit);
}

Value MathApproximation::abs(Value x) {
  return math::AbsFOp::create(b, loc, x);
}

Value MathApproximation::copySign(Value magnitude, Value sign) {
  return math::CopySignOp::create(b, loc, magnitude, sign);
}

Value MathApproximation::toBits(Value x) {
  return arith::BitcastOp::create(b, loc, typeOf(b.getI32Type()), x);
}

Value MathApproximation::fromBits(Value x) {
  return arith::BitcastOp::create(b, loc, typeOf(b.getF32Type()), x);
}

Value MathApproximation::toInt(Value x) {
  return arith::FPToSIOp::create(b, loc, typeOf(b.getI32Type()), x);
}

Value MathApproximation::powerOfTwo(Value n) {
  Value biased = add(n, i32(127));
  return fromBits(arith::ShLIOp::create(b, loc, biased, i32(23)));
}

Value MathApproximation::scale(Value x, Value n) {
  // Two exact steps: the only rounding is that of a subnormal result.
  Value half = arith::ShRSIOp::create(b, loc, n, i32(1));
  return mul(mul(x, powerOfTwo(half)), powerOfTwo(sub(n, half)));
}

//===----------------------------------------------------------------------===//
// Exponentials
//===----------------------------------------------------------------------===//

void MathApproximation::reduceExp(Value x, Value &r, Value &n) {
  // Adding this rounds to an integer, which stands in the low bits of the sum.
  constexpr double offset = 12582912.0;
  constexpr int64_t offsetBits = 0x4b400000;
  Value sum = mulAdd(x, f32(log2E), f32(offset));
  Value turns = sub(sum, f32(offset));
  r = mulAdd(turns, f32(-ln2Lo), mulAdd(turns, f32(-ln2Hi), x));
  n = sub(toBits(sum), i32(offsetBits));
}

Value MathApproximation::expm1Poly(Value r) {
  static const double c[] = {0.4999999403953552, 0.1666651964187622,
                             0.04166839271783829, 0.008368780836462975,
                             0.0013814467238262296};
  return mulAdd(mul(r, r), horner(r, c), r);
}

Value MathApproximation::exp(Value x) {
  // Beyond the limits the result is 0 or infinity all the same.
  Value r, n;
  reduceExp(minimum(maximum(x, -104.0), 89.0), r, n);
  Value y = scale(add(expm1Poly(r), f32(1)), n);
  return select(compare(Pred::UNO, x, x), x, y);
}

Value MathApproximation::boundedExp(Value x) {
  Value r, n;
  reduceExp(x, r, n);
  return mul(add(expm1Poly(r), f32(1)), powerOfTwo(n));
}

Value MathApproximation::exp2(Value x) {
  Value limited = minimum(maximum(x, -151.0), 129.0);
  Value turns = math::RoundEvenOp::create(b, loc, limited);
  Value r = mul(sub(limited, turns), f32(0.6931471805599453));
  Value y = scale(add(expm1Poly(r), f32(1)), toInt(turns));
  return select(compare(Pred::UNO, x, x), x, y);
}

Value MathApproximation::expm1(Value x) {
  // 2 (2^(n-1) (exp(r) - 1) + (2^(n-1) - 1/2)): half scale, so that the sum
  // does not overflow before the result does.
  Value r, n;
  reduceExp(minimum(maximum(x, -104.0), 89.0), r, n);
  Value half = sub(n, i32(1));
  Value sum =
      add(scale(expm1Poly(r), half), sub(scale(f32(1), half), f32(0.5)));
  Value y = add(sum, sum);
  // Tiny x, -0 too: the polynomial is the identity, but the sum drops the sign.
  Value tiny = compare(Pred::OLT, abs(x), f32(1e-8));
  return select(compare(Pred::UNO, x, x), x, select(tiny, x, y));
}

Value MathApproximation::tanh(Value x) {
  // e / (e + 2) with e = exp(2|x|) - 1; beyond the limit the result is 1.
  Value magnitude = minimum(abs(x), 9.02);
  Value r, n;
  reduceExp(add(magnitude, magnitude), r, n);
  Value power = powerOfTwo(n);
  Value e = mulAdd(power, expm1Poly(r), sub(power, f32(1)));
  Value y = mul(e, FloatFunctions(b, loc, like).reciprocal(add(e, f32(2))));
  return select(compare(Pred::UNO, x, x), x, copySign(y, x));
}

Value MathApproximation::sinh(Value x) {
  Value magnitude = abs(x), e = expm1(minimum(magnitude, 60.0));
  Value moderate = mul(f32(0.5), add(e, div(e, add(e, f32(1)))));
  Value root = exp(mul(magnitude, f32(0.5))); // exp itself overflows first
  Value large = mul(mul(root, f32(0.5)), root);
  Value y = select(compare(Pred::OLT, magnitude, f32(60)), moderate, large);
  return copySign(y, x);
}

Value MathApproximation::cosh(Value x) {
  Value magnitude = abs(x), e = exp(minimum(magnitude, 60.0));
  Value moderate = mul(f32(0.5), add(e, div(f32(1), e)));
  Value root = exp(mul(magnitude, f32(0.5)));
  Value large = mul(mul(root, f32(0.5)), root);
  return select(compare(Pred::OLT, magnitude, f32(60)), moderate, large);
}

Value MathApproximation::erf(Value x) {
  static const double small[] = {1.128379225730896,    -0.37612631916999817,
                                 0.11283663660287857,  -0.026857705786824226,
                                 0.005196952261030674, -0.0008097703685052693,
                                 8.185093611245975e-05};
  static const double large[] = {
      0.0001692038931651041, -1.1294883489608765,    -0.6334008574485779,
      -0.10822036862373352,  0.02508060447871685,    -0.004156250506639481,
      0.0004313925455790013, -2.0828525521210395e-05}; // of log(1 - erf(x))
  Value magnitude = abs(x);
  Value inner = mul(x, horner(mul(x, x), small));
  // The exponential of a number in [-18, 0]: no limits, no subnormal result.
  Value r, n;
  reduceExp(horner(minimum(magnitude, 3.95), large), r, n);
  Value tail = mul(add(expm1Poly(r), f32(1)), powerOfTwo(n));
  Value outer = copySign(sub(f32(1), tail), x);
  Value y = select(compare(Pred::OLT, magnitude, f32(0.93)), inner, outer);
  return select(compare(Pred::UNO, x, x), x, y);
}

//===----------------------------------------------------------------------===//
// Logarithms and powers
//===----------------------------------------------------------------------===//

void MathApproximation::reduceLog(Value x, Value &logM, Value &e) {
  static const double c[] = {
      0.3333331346511841,  -0.25000008940696716, 0.2000211924314499,
      -0.1666799634695053, 0.14219552278518677,  -0.1240558922290802,
      0.11888162046670914, -0.11675652116537094, 0.06746640801429749};
  Value subnormal = compare(Pred::OLT, x, f32(1.17549435e-38));
  Value bits = toBits(select(subnormal, mul(x, f32(8388608.0)), x));
  Value exponent = arith::ShRSIOp::create(b, loc, sub(bits, i32(0x3f3504f3)),
                                          i32(23)); // bits of sqrt 1/2
  Value f =
      sub(fromBits(sub(bits, arith::ShLIOp::create(b, loc, exponent, i32(23)))),
          f32(1));
  e = arith::SIToFPOp::create(
      b, loc, typeOf(b.getF32Type()),
      select(subnormal, sub(exponent, i32(23)), exponent));
  Value square = mul(f, f);
  Value tail = mulAdd(square, f32(-0.5), mul(mul(f, square), horner(f, c)));
  logM = add(f, tail);
}

Value MathApproximation::logSpecials(Value x, Value y) {
  y = select(compare(Pred::OEQ, x, f32(infinity)), x, y);
  y = select(compare(Pred::OEQ, x, f32(0)), f32(-infinity), y);
  return select(compare(Pred::ULT, x, f32(0)), f32(quietNaN), y);
}

Value MathApproximation::log(Value x) {
  Value logM, e;
  reduceLog(x, logM, e);
  Value y = mulAdd(e, f32(ln2Hi), mulAdd(e, f32(ln2Lo), logM));
  return logSpecials(x, y);
}

Value MathApproximation::log2(Value x) {
  Value logM, e;
  reduceLog(x, logM, e);
  return logSpecials(x, mulAdd(logM, f32(log2E), e));
}

Value MathApproximation::log10(Value x) {
  Value logM, e;
  reduceLog(x, logM, e);
  // log10(2) in two parts, the first of few bits.
  Value high = mul(e, f32(0.30078125));
  Value low = mulAdd(e, f32(2.4874566398119521e-4),
                     mul(logM, f32(0.43429448190325183)));
  return logSpecials(x, add(high, low));
}

Value MathApproximation::log1p(Value x) {
  // log(u) + (x - (u - 1)) / u: corrects the rounding of u = 1 + x.
  Value u = add(f32(1), x);
  Value lost = div(sub(x, sub(u, f32(1))), u);
  Value logU = log(u);
  Value regular = compare(Pred::OLT, abs(logU), f32(infinity));
  Value y = select(regular, add(logU, lost), logU);
  Value tiny = compare(Pred::OLT, abs(x), f32(1e-8));
  return select(tiny, x, y);
}

Value MathApproximation::rsqrt(Value x) {
  return div(f32(1), math::SqrtOp::create(b, loc, x));
}

Value MathApproximation::pow(Value x, Value y) {
  // 2^(y log2|x|) in f64, which leaves one rounding to f32 at the end.
  static const double logC[] = {2.8853900817778153,  0.9617966948310803,
                                0.5770777183649906,  0.4122316265667076,
                                0.31901308184035243, 0.2952712915830238};
  static const double expC[] = {
      0.9999999999997619,     0.6931471805464884,     0.24022650698882633,
      0.055504109394416974,   0.009618128542747904,   0.0013333451967881991,
      0.00015403851659358213, 1.5309762431350993e-05, 1.3175907275445272e-06};
  Type f64 = typeOf(b.getF64Type()), i64 = typeOf(b.getI64Type()),
       word = typeOf(b.getI32Type());
  auto i64Of = [&](int64_t c) {
    return constantOf(b, loc, i64, b.getI64IntegerAttr(c));
  };
  Value magnitude = abs(x);
  Value bits = arith::BitcastOp::create(
      b, loc, i64, arith::ExtFOp::create(b, loc, f64, magnitude));
  // The exponent from the upper word: 64-bit arithmetic shifts are slow.
  Value upper = arith::TruncIOp::create(
      b, loc, word, arith::ShRUIOp::create(b, loc, bits, i64Of(32)));
  Value exponent =
      arith::ShRSIOp::create(b, loc, sub(upper, i32(0x3fe6a09e)), i32(20));
  Value exponentBits = arith::ShLIOp::create(
      b, loc, arith::ExtSIOp::create(b, loc, i64, exponent), i64Of(52));
  Value m = arith::BitcastOp::create(b, loc, f64, sub(bits, exponentBits));
  Value s = div(sub(m, splat(m, 1)), add(m, splat(m, 1)));
  Value log2M = mul(s, horner(mul(s, s), logC));
  Value log2X = add(arith::SIToFPOp::create(b, loc, f64, exponent), log2M);
  Value t = mul(arith::ExtFOp::create(b, loc, f64, y), log2X);
  t = minimum(maximum(t, -300), 300);
  Value turns = math::RoundEvenOp::create(b, loc, t);
  Value p = horner(sub(t, turns), expC);
  Value n = arith::ExtSIOp::create(
      b, loc, i64, arith::FPToSIOp::create(b, loc, word, turns));
  Value factor = arith::BitcastOp::create(
      b, loc, f64,
      arith::ShLIOp::create(b, loc, add(n, i64Of(1023)), i64Of(52)));
  Value r =
      arith::TruncFOp::create(b, loc, typeOf(b.getF32Type()), mul(p, factor));

  Value zero = f32(0), one = f32(1), inf = f32(infinity), nan = f32(quietNaN);
  Value yNegative = compare(Pred::OLT, y, zero);
  r = select(compare(Pred::OEQ, magnitude, zero), select(yNegative, inf, zero),
             r);
  r = select(compare(Pred::OEQ, magnitude, inf), select(yNegative, zero, inf),
             r);
  r = select(compare(Pred::OEQ, magnitude, one), one, r);
  // A negative base: the sign of an odd power; no value for a broken one.
  Value yInteger = compare(Pred::OEQ, math::FloorOp::create(b, loc, y), y);
  Value halfY = mul(y, f32(0.5));
  // The half of the smallest number is rounded to zero, which is even.
  Value even = arith::AndIOp::create(
      b, loc, yInteger,
      compare(Pred::OEQ, math::FloorOp::create(b, loc, halfY), halfY));
  Value signedR = copySign(r, x);
  Value ofNegative = select(even, r, select(yInteger, signedR, nan));
  Value finiteNegative =
      arith::AndIOp::create(b, loc, compare(Pred::OLT, x, zero),
                            compare(Pred::OGT, x, f32(-infinity)));
  Value ofOther = select(even, r, select(yInteger, signedR, r));
  r = select(finiteNegative, ofNegative, ofOther);
  r = select(compare(Pred::UNO, x, y), nan, r);
  r = select(compare(Pred::OEQ, x, one), one, r);
  return select(compare(Pred::OEQ, y, zero), one, r);
}

//===----------------------------------------------------------------------===//
// Circular functions
//===----------------------------------------------------------------------===//

Value MathApproximation::sinOrCos(Value x, int64_t quarterTurns) {
  static const double sinC[] = {-0.1666666716337204, 0.008333329111337662,
                                -0.00019839327433146536, 2.71823728326126e-06};
  static const double cosC[] = {0.04166664555668831, -0.001388736185617745,
                                2.4437729734927416e-05};
  // The reduction in f64: pi/2 in two parts, the first of 33 bits.
  Type f64 = typeOf(b.getF64Type());
  Value wide =
      arith::ExtFOp::create(b, loc, f64, minimum(maximum(x, -1e9), 1e9));
  Value turns = math::RoundEvenOp::create(
      b, loc, mul(wide, splat(wide, 0.63661977236758138)));
  Value rest = sub(wide, mul(turns, splat(wide, 1.57079632673412561417)));
  rest = sub(rest, mul(turns, splat(wide, 6.07710050650619224932e-11)));
  Value r = arith::TruncFOp::create(b, loc, typeOf(b.getF32Type()), rest);
  Value quadrant = add(toInt(turns), i32(quarterTurns));

  Value square = mul(r, r);
  Value sine = mulAdd(mul(r, square), horner(square, sinC), r);
  Value cosine = add(mulAdd(square, f32(-0.5), f32(1)),
                     mul(mul(square, square), horner(square, cosC)));
  auto bitSet = [&](int64_t bit) -> Value {
    Value masked = arith::AndIOp::create(b, loc, quadrant, i32(bit));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, masked,
                                 i32(0));
  };
  Value y = select(bitSet(1), cosine, sine);
  y = select(bitSet(2), arith::NegFOp::create(b, loc, y), y);
  Value finite = compare(Pred::OLT, abs(x), f32(infinity));
  return select(finite, y, f32(quietNaN));
}

Value MathApproximation::tan(Value x) { return div(sin(x), cos(x)); }

static constexpr double halfPiHi = 1.57079637050628662109375; // float(pi / 2)
static constexpr double halfPiLo = -4.37113900018624283e-8;

void MathApproximation::foldedAsin(Value x, Value &inner, Value &outer,
                                   Value &isInner) {
  // asin(s) = s + s^3 P(s^2) up to 1/2; beyond, asin(a) = pi/2 - 2 asin(s) with
  // s^2 = (1 - a) / 2, which is NaN for a > 1.
  static const double c[] = {0.1666666567325592,   0.07500103116035461,
                             0.04459662362933159,  0.031131917610764503,
                             0.017005793750286102, 0.03392107039690018};
  Value magnitude = abs(x);
  isInner = compare(Pred::OLE, magnitude, f32(0.5));
  Value folded = mul(sub(f32(1), magnitude), f32(0.5));
  Value square = select(isInner, mul(magnitude, magnitude), folded);
  Value s = select(isInner, magnitude, math::SqrtOp::create(b, loc, folded));
  inner = mulAdd(mul(s, square), horner(square, c), s);
  outer = add(inner, inner);
}

Value MathApproximation::asin(Value x) {
  Value inner, outer, isInner;
  foldedAsin(x, inner, outer, isInner);
  Value large = add(sub(f32(halfPiHi), outer), f32(halfPiLo));
  return copySign(select(isInner, inner, large), x);
}

Value MathApproximation::acos(Value x) {
  Value inner, outer, isInner;
  foldedAsin(x, inner, outer, isInner);
  Value quarter = add(sub(f32(halfPiHi), copySign(inner, x)), f32(halfPiLo));
  Value half = add(sub(f32(2 * halfPiHi), outer), f32(2 * halfPiLo));
  Value isNegative = compare(Pred::OLT, x, f32(0));
  return select(isInner, quarter, select(isNegative, half, outer));
}

Value MathApproximation::atan(Value x) {
  // Up to tan(pi/8) t + t^3 P(t^2); beyond, of (a - 1) / (a + 1) behind pi/4,
  // and of -1 / a behind pi/2.
  static const double c[] = {-0.3333333134651184, 0.19999559223651886,
                             -0.14264479279518127, 0.10748548060655594,
                             -0.06465797871351242};
  Value magnitude = abs(x);
  Value isLarge = compare(Pred::OGT, magnitude, f32(2.414213562373095));
  Value isMiddle = compare(Pred::OGT, magnitude, f32(0.4142135623730950));
  Value above = select(isLarge, f32(-1), sub(magnitude, f32(1)));
  Value below = select(isLarge, magnitude, add(magnitude, f32(1)));
  Value t = select(isMiddle, div(above, below), magnitude);
  Value high = select(isLarge, f32(halfPiHi),
                      select(isMiddle, f32(halfPiHi / 2), f32(0)));
  Value low = select(isLarge, f32(halfPiLo),
                     select(isMiddle, f32(halfPiLo / 2), f32(0)));
  Value square = mul(t, t);
  Value tail = add(mul(mul(t, square), horner(square, c)), low);
  return copySign(add(high, add(t, tail)), x);
}
