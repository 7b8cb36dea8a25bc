//===- PiecewiseFunction.cpp - Activations as polynomials -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PiecewiseFunction.h"
#include "ExactSteps.h"
#include "FloatFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qcc::qnn::UnaryKind;

/// What is left of a function where x is clamped, in steps.
static constexpr double tail = 0.02;
/// No piece lies below.
static constexpr double leastX = -60;
/// The functions have one minimum, above this.
static constexpr double beforeMinimum = -1.3;
/// Of the largest error, what the samples next to it show at the least.
static constexpr double sampledPart = 0.98;
static constexpr unsigned leastDegree = 2, mostDegree = 5;
/// Added to a small number, it leaves the nearest integer in the low bits.
static constexpr float roundingOffset = 12582912.0f;

/// The function, which is 0 at minus infinity; nothing for others.
static std::optional<double> valueOf(UnaryKind kind, double x) {
  auto logistic = [](double v) { return 1 / (1 + std::exp(-v)); };
  switch (kind) {
  case UnaryKind::Sigmoid:
    return logistic(x);
  case UnaryKind::Silu:
    return x * logistic(x);
  case UnaryKind::Gelu:
    return 0.5 * x * std::erfc(-x * std::sqrt(0.5));
  case UnaryKind::GeluTanh:
    return x * logistic(2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
  default:
    return std::nullopt;
  }
}

/// The end of [low, high], where `holds` does at `low`, up to which it does.
static double findEnd(double low, double high,
                      llvm::function_ref<bool(double)> holds) {
  for (int step = 0; step < 60; ++step) {
    double middle = (low + high) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

/// Where the function crosses the lowest and the highest byte, and 0.
static SmallVector<double> saturationEnds(UnaryKind kind,
                                          const ByteRange &range) {
  auto value = [&](double x) { return *valueOf(kind, x); };
  double low = double(range.low) * range.scale;
  double high = double(range.high) * range.scale;
  double least = beforeMinimum, end = -least;
  for (int i = 0; i < 60; ++i) { // Ternary search of the minimum.
    double third = (end - least) / 3;
    if (value(least + third) < value(end - third))
      end -= third;
    else
      least += third;
  }
  return {0.0, least,
          findEnd(leastX, least, [&](double x) { return value(x) >= low; }),
          findEnd(least, -leastX, [&](double x) { return value(x) <= low; }),
          findEnd(least, -2 * leastX + 2 * std::abs(high),
                  [&](double x) { return value(x) <= high; })};
}

std::optional<PiecewiseFunction>
PiecewiseFunction::get(UnaryKind kind, const ByteRange &range) {
  double step = range.scale, most = (double(range.high) + 0.6) * step;
  if (!valueOf(kind, 0) || !std::isnormal(range.scale) || !(most > 0))
    return std::nullopt;
  bool isBounded = kind == UnaryKind::Sigmoid;
  if (isBounded)
    most = std::min(most, 1 - tail * step);
  if (!(most > (isBounded ? 0.5 : 0)))
    return std::nullopt;
  PiecewiseFunction f;
  f.first = float(-findEnd(-beforeMinimum, -leastX, [&](double x) {
    return std::abs(*valueOf(kind, -x)) > tail * step;
  }));
  f.last = float(findEnd(0, isBounded ? -leastX : 2 * most + 1,
                         [&](double x) { return *valueOf(kind, x) < most; }));
  f.width = HUGE_VAL;
  for (int64_t zero = 0; zero < int64_t(kLaneTableSize); ++zero) {
    double width = std::max(-f.first / (double(zero) + 0.5),
                            f.last / (kLaneTableSize - 0.5 - double(zero)));
    if (width >= f.width)
      continue;
    f.width = width;
    f.pieceOfZero = zero;
  }
  f.width *= 1.0001; // both ends are inside
  f.piecesPerUnit = float(1 / f.width);
  for (unsigned degree = leastDegree; degree <= mostDegree; ++degree) {
    f.fit(kind, range.scale, degree);
    if (f.isWithin(kind, range, mostError * sampledPart))
      return f;
  }
  return std::nullopt;
}

/// Polynomials through the function at Chebyshev's points of each piece.
void PiecewiseFunction::fit(UnaryKind kind, float scale, unsigned degree) {
  powers.assign(degree + 1, Coefficients());
  for (unsigned piece = 0; piece < kLaneTableSize; ++piece) {
    double middle = (double(piece) - double(pieceOfZero)) * width;
    // Newton's divided differences, then powers of x.
    SmallVector<double> points, rest, result(degree + 1, 0.0);
    for (unsigned i = 0; i <= degree; ++i) {
      points.push_back(
          middle +
          width / 2 * std::cos((2 * i + 1) * M_PI / (2 * double(degree) + 2)));
      rest.push_back(*valueOf(kind, points[i]) / scale);
    }
    for (unsigned order = 1; order <= degree; ++order)
      for (unsigned i = degree; i >= order; --i)
        rest[i] = (rest[i] - rest[i - 1]) / (points[i] - points[i - order]);
    for (int i = int(degree); i >= 0; --i) {
      // result * (x - points[i]) + rest[i].
      for (unsigned power = degree; power > 0; --power)
        result[power] = result[power - 1] - points[i] * result[power];
      result[0] = rest[i] - points[i] * result[0];
    }
    for (auto [power, coefficient] : llvm::zip_equal(powers, result))
      power[piece] = float(coefficient);
  }
}

unsigned PiecewiseFunction::pieceOf(float x) const {
  float rounded =
      std::fma(x, piecesPerUnit, roundingOffset + float(pieceOfZero));
  return unsigned(rounded - roundingOffset) % kLaneTableSize;
}

float PiecewiseFunction::evaluate(float x) const {
  x = x > first ? x : first;
  x = x < last ? x : last;
  unsigned piece = pieceOf(x);
  float y = powers.back()[piece];
  for (const Coefficients &power : llvm::reverse(ArrayRef(powers).drop_back()))
    y = std::fma(y, x, power[piece]);
  return y;
}

/// Horner's rule with a running bound of the error (Higham).
double PiecewiseFunction::roundingError(float x) const {
  unsigned piece = pieceOf(x);
  double y = powers.back()[piece], sum = 0;
  for (const Coefficients &power :
       llvm::reverse(ArrayRef(powers).drop_back())) {
    y = y * x + power[piece];
    sum = sum * std::abs(x) + std::abs(y);
  }
  return std::ldexp(sum, -24);
}

bool PiecewiseFunction::isWithin(UnaryKind kind, const ByteRange &range,
                                 double bound) const {
  auto clamp = [&](double y) {
    return std::clamp(y, double(range.low) - 0.5, double(range.high) + 0.5);
  };
  // NaN is within no bound.
  auto isClose = [&](float x, double value) {
    double y = evaluate(x), rounding = roundingError(x);
    value = clamp(value / range.scale);
    return std::abs(value - clamp(y - rounding)) <= bound &&
           std::abs(value - clamp(y + rounding)) <= bound;
  };
  auto isCloseAt = [&](double x) {
    auto sample = std::clamp(float(x), first, last);
    return isClose(sample, *valueOf(kind, sample));
  };
  if (!isClose(first, 0) ||
      !isClose(last, kind == UnaryKind::Sigmoid ? 1 : HUGE_VAL))
    return false;
  // The byte may saturate all over a piece but for a sliver: each stretch
  // between the ends of pieces and of saturation is sampled by itself, evenly
  // and ever closer to its ends.
  constexpr int samples = 96, halvings = 24;
  SmallVector<double> ends = saturationEnds(kind, range);
  for (unsigned piece = 0; piece <= kLaneTableSize; ++piece)
    ends.push_back((double(piece) - double(pieceOfZero) - 0.5) * width);
  for (double &end : ends)
    end = std::clamp(end, double(first), double(last));
  llvm::sort(ends);
  for (auto [low, high] :
       llvm::zip(ArrayRef(ends).drop_back(), ArrayRef(ends).drop_front())) {
    double length = high - low;
    for (int i = 0; i <= samples; ++i)
      if (!isCloseAt(low + length * i / samples))
        return false;
    for (int i = 7; i <= halvings; ++i)
      if (double part = std::ldexp(length, -i);
          !isCloseAt(low + part) || !isCloseAt(high - part))
        return false;
  }
  return true;
}

static Value makeConstant(OpBuilder &b, Location loc, Type type, float c) {
  TypedAttr value = b.getF32FloatAttr(c);
  if (auto vector = dyn_cast<VectorType>(type))
    value = DenseElementsAttr::get(vector, Attribute(value));
  return arith::ConstantOp::create(b, loc, value);
}

/// As lookUpLanes(), lane by lane.
static Value lookUpEach(OpBuilder &b, Location loc, ArrayRef<float> table,
                        Value indices) {
  auto floats = VectorType::get({kLaneTableSize}, b.getF32Type());
  Value entries =
      arith::ConstantOp::create(b, loc, DenseElementsAttr::get(floats, table));
  auto lookUp = [&](Value index) -> Value {
    Value mask = arith::ConstantOp::create(
        b, loc, b.getI32IntegerAttr(kLaneTableSize - 1));
    Value at = arith::IndexCastOp::create(
        b, loc, b.getIndexType(), arith::AndIOp::create(b, loc, index, mask));
    return vector::ExtractOp::create(b, loc, entries, OpFoldResult(at));
  };
  auto type = dyn_cast<VectorType>(indices.getType());
  if (!type)
    return lookUp(indices);
  Value found = makeConstant(b, loc, type.clone(b.getF32Type()), 0);
  for (int64_t lane = 0; lane < type.getNumElements(); ++lane)
    found = vector::InsertOp::create(
        b, loc, lookUp(vector::ExtractOp::create(b, loc, indices, lane)), found,
        lane);
  return found;
}

Value PiecewiseFunction::emit(OpBuilder &b, Location loc,
                              const TargetLevel &level, Value x) const {
  Type type = x.getType();
  auto real = [&](float c) { return makeConstant(b, loc, type, c); };
  auto clamp = [&](arith::CmpFPredicate p, float bound) {
    Value limit = real(bound);
    Value isInside = arith::CmpFOp::create(b, loc, p, x, limit);
    x = arith::SelectOp::create(b, loc, isInside, x, limit);
  };
  clamp(arith::CmpFPredicate::OGT, first);
  clamp(arith::CmpFPredicate::OLT, last);
  if (level.hasFMA)
    return emitSteps(b, loc, level, x, /*fused=*/true);

  // Two roundings a step, and the fused steps only where these might give
  // another byte: next to a tie, or to the border of two pieces.
  Value split = emitSteps(b, loc, level, x, /*fused=*/false);
  Value position = arith::MulFOp::create(b, loc, x, real(piecesPerUnit));
  auto differs = [&](Value v, double margin) -> Value {
    Value whole = math::RoundEvenOp::create(b, loc, v);
    Value off = math::AbsFOp::create(
        b, loc, arith::SubFOp::create(b, loc, v, whole).getResult());
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, off,
                                 real(float(0.5 - margin)));
  };
  Value isNear = arith::OrIOp::create(b, loc, differs(split, splitError()),
                                      differs(position, 1e-5));
  if (auto vector = dyn_cast<VectorType>(type))
    isNear =
        vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, isNear);
  auto choice = scf::IfOp::create(b, loc, TypeRange{type}, isNear,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, loc, split);
  b.setInsertionPointToStart(choice.thenBlock());
  {
    ExactSteps exact(b);
    Value fused = emitSteps(b, loc, level, x, /*fused=*/true);
    scf::YieldOp::create(b, loc, fused);
  }
  return choice.getResult(0);
}

/// Horner's rule with as many products and sums as there are powers, each of
/// which loses 2^-24 of itself: of both ways together.
double PiecewiseFunction::splitError() const {
  double most = 0;
  for (unsigned piece = 0; piece < kLaneTableSize; ++piece) {
    double middle = double(piece) - double(pieceOfZero);
    double x = (std::abs(middle) + 0.501) * width, sum = 0;
    for (const Coefficients &power : llvm::reverse(powers))
      sum = sum * x + std::abs(double(power[piece]));
    most = std::max(most, sum);
  }
  return std::ldexp(most, -24) * 1.01 * (3 * double(powers.size()) + 1);
}

Value PiecewiseFunction::emitSteps(OpBuilder &b, Location loc,
                                   const TargetLevel &level, Value x,
                                   bool fused) const {
  Type type = x.getType(), integers = b.getI32Type();
  if (auto vector = dyn_cast<VectorType>(type))
    integers = vector.clone(integers);
  auto real = [&](float c) { return makeConstant(b, loc, type, c); };
  auto mulAdd = [&](Value u, Value v, Value w) -> Value {
    if (fused)
      return math::FmaOp::create(b, loc, u, v, w);
    return arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, u, v),
                                 w);
  };
  Value piece = arith::BitcastOp::create(
      b, loc, integers,
      mulAdd(x, real(piecesPerUnit),
             real(roundingOffset + float(pieceOfZero))));
  auto coefficient = [&](const Coefficients &power) {
    Value found = lookUpLanes(b, loc, level, power, piece);
    return found ? found : lookUpEach(b, loc, power, piece);
  };
  Value y = coefficient(powers.back());
  for (const Coefficients &power : llvm::reverse(ArrayRef(powers).drop_back()))
    y = mulAdd(y, x, coefficient(power));
  return y;
}

std::optional<RoughFunction> RoughFunction::get(UnaryKind kind,
                                                const ByteRange &range) {
  if (!FloatFunctions::hasRough(kind, range.scale))
    return std::nullopt;
  RoughFunction f;
  f.kind = kind;
  f.scale = range.scale;
  f.pieces = PiecewiseFunction::get(kind, range);
  return f;
}

Value RoughFunction::emit(OpBuilder &b, Location loc, const TargetLevel &level,
                          Value x) const {
  if (pieces)
    return pieces->emit(b, loc, level, x);
  ExactSteps exact(b);
  return FloatFunctions(b, loc, x.getType()).roughly(kind, x, scale);
}
