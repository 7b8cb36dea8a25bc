//===- Requantize.cpp - From 32-bit sums to integer results ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Requantize.h"
#include "../Conversion/QNNToKernels/ExactSteps.h"
#include "../Conversion/QNNToKernels/FloatFunctions.h"
#include "../Conversion/QNNToKernels/PiecewiseFunction.h"
#include "ExactDivision.h"
#include "Interleave.h"

#include "qcc/Dialect/QNN/Transforms/Epilogue.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/QuantMath.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// x p y ? y : x. NaN compares false and passes through, in one instruction.
static Value replaceIf(CodeBuilder &c, arith::CmpFPredicate p, Value x,
                       Value y) {
  Value condition = arith::CmpFOp::create(c.b, c.loc, p, x, y);
  return arith::SelectOp::create(c.b, c.loc, condition, y, x);
}

static Value clampFloat(CodeBuilder &c, Value x, float low, float high) {
  int64_t lanes = cast<VectorType>(x.getType()).getDimSize(0);
  Type f32 = c.b.getF32Type();
  x = replaceIf(c, arith::CmpFPredicate::OLT, x, c.splat(f32, low, lanes));
  return replaceIf(c, arith::CmpFPredicate::OGT, x, c.splat(f32, high, lanes));
}

std::optional<Requantize> Requantize::get(quant::UniformQuantizedType type,
                                          ActivationAttr activation) {
  Requantize r;
  r.scale = getQuantParams(type).scale;
  r.zeroPoint = type.getZeroPoint();
  r.isUnsigned = !type.isSigned();
  r.bits = type.getStorageTypeIntegralWidth();
  r.low = type.getStorageTypeMin();
  r.high = type.getStorageTypeMax();
  if (!activation)
    return r;
  if (std::optional<std::pair<int64_t, int64_t>> range = getClampRange(
          activation.getKind(), activation.alpha(), activation.beta(), type)) {
    r.low = std::max(r.low, range->first);
    r.high = std::min(r.high, range->second);
    return r;
  }
  std::optional<FloatActivation> function = FloatActivation::get(activation);
  if (!function)
    return std::nullopt;
  r.setActivation(*function);
  return r;
}

void Requantize::setActivation(const FloatActivation &function) {
  activation = function;
  activation.isRough =
      function.kind && bits == 8 &&
      reference::FloatFunctions::hasRough(*function.kind, scale);
}

std::string Requantize::key() const {
  std::string key = llvm::formatv(
      "q{0}{1}{2} {3}:{4}{5}", isUnsigned ? "u" : "s", bits == 8 ? "" : "16z",
      zeroPoint, low, high, mayOverflow ? " wide" : "");
  if (!isDirect())
    key += " " + activation.key() + " " + scaleKey();
  return key;
}

std::string Requantize::scaleKey() const {
  return llvm::utohexstr(llvm::bit_cast<uint32_t>(scale));
}

float Requantize::multiplier(float inputScale, float weightScale) const {
  return isDirect() ? requantizeMultiplier(inputScale, weightScale, scale)
                    : inputScale * weightScale;
}

Value Requantize::emit(CodeBuilder &c, const TargetLevel &level,
                       ValueRange sums, ValueRange multipliers) const {
  SmallVector<Value> scaled;
  for (auto [sum, multiplier] : llvm::zip_equal(sums, multipliers)) {
    Value real = arith::SIToFPOp::create(c.b, c.loc, multiplier.getType(), sum);
    scaled.push_back(arith::MulFOp::create(c.b, c.loc, real, multiplier));
  }
  return isDirect() ? emitScaled(c, level, scaled) : emitReal(c, level, scaled);
}

Value Requantize::emitReal(CodeBuilder &c, const TargetLevel &level,
                           ValueRange values, bool interleaved) const {
  SmallVector<Value> scaled(values);
  Requantize rest = divideByScale(c, level, scaled);
  return rest.emitScaled(c, level, scaled, interleaved);
}

Requantize Requantize::divideByScale(CodeBuilder &c, const TargetLevel &level,
                                     MutableArrayRef<Value> values) const {
  if (activation.isRough) {
    auto function = reference::RoughFunction::get(
        *activation.kind, {scale, low - zeroPoint, high - zeroPoint});
    for (Value &value : values)
      value = function->emit(c.b, c.loc, level, value);
    return *this;
  }
  ExactSteps exact(c.b);
  for (Value &value : values) {
    reference::LoopBuilder b(c.b, c.loc, level);
    value = divideExactly(b, activation.emit(c, value), scale,
                          /*isBounded=*/!mayOverflow);
  }
  Requantize bounded = *this;
  bounded.mayOverflow &= !multipliesExactly(level, scale);
  return bounded;
}

/// `value` between two bounds. NaN becomes the lower one: the first comparison
/// is false.
static Value clampToBounds(CodeBuilder &c, Value value, float low, float high) {
  int64_t lanes = cast<VectorType>(value.getType()).getDimSize(0);
  auto keepIf = [&](arith::CmpFPredicate p, float bound) {
    Value limit = c.splat(c.b.getF32Type(), bound, lanes);
    Value inside = arith::CmpFOp::create(c.b, c.loc, p, value, limit);
    value = arith::SelectOp::create(c.b, c.loc, inside, value, limit);
  };
  keepIf(arith::CmpFPredicate::OGT, low);
  keepIf(arith::CmpFPredicate::OLT, high);
  return value;
}

SmallVector<Value> Requantize::roundScaled(CodeBuilder &c,
                                           const TargetLevel &level,
                                           ValueRange values) const {
  SmallVector<Value> rounded;
  for (Value value : values) {
    // Integral bounds may be applied first.
    value = clampToBounds(c, value, low - zeroPoint, high - zeroPoint);
    rounded.push_back(
        arith::SIToFPOp::create(c.b, c.loc, value.getType(),
                                level.micro->roundToInt(c.b, c.loc, value)));
  }
  return rounded;
}

Value Requantize::emitScaled(CodeBuilder &c, const TargetLevel &level,
                             ValueRange values, bool interleaved) const {
  SmallVector<Value> rounded;
  for (Value value : values) {
    // Any bound beyond the result's range and within int32 gives the same.
    if (mayOverflow)
      value = clampToBounds(c, value, -1048576.f, 1048576.f);
    rounded.push_back(level.micro->roundToInt(c.b, c.loc, value));
  }
  if (bits == 16)
    return packToInt16(c, rounded, interleaved);
  Value bytes =
      level.micro->packToBytes(c.b, c.loc, rounded, zeroPoint, isUnsigned);
  int64_t count = cast<VectorType>(bytes.getType()).getDimSize(0);
  Type i8 = c.b.getI8Type();
  auto bound = [&](int64_t value) { return c.splat(i8, int8_t(value), count); };
  if (low > (isUnsigned ? 0 : -128))
    bytes =
        isUnsigned
            ? arith::MaxUIOp::create(c.b, c.loc, bytes, bound(low)).getResult()
            : arith::MaxSIOp::create(c.b, c.loc, bytes, bound(low)).getResult();
  if (high < (isUnsigned ? 255 : 127))
    bytes =
        isUnsigned
            ? arith::MinUIOp::create(c.b, c.loc, bytes, bound(high)).getResult()
            : arith::MinSIOp::create(c.b, c.loc, bytes, bound(high))
                  .getResult();
  return bytes;
}

Value Requantize::packToInt16(CodeBuilder &c, ArrayRef<Value> rounded,
                              bool interleaved) const {
  int64_t lanes = cast<VectorType>(rounded[0].getType()).getDimSize(0);
  Type i16 = c.b.getI16Type(), i32 = c.b.getI32Type();
  SmallVector<Value> results;
  for (Value integers : rounded) {
    // Clamped first: the sum with the zero point might leave 32 bits.
    Value value = arith::MaxSIOp::create(c.b, c.loc, integers,
                                         c.splat(i32, low - zeroPoint, lanes));
    value = arith::MinSIOp::create(c.b, c.loc, value,
                                   c.splat(i32, high - zeroPoint, lanes));
    if (zeroPoint != 0)
      value = c.add(value, c.splat(i32, zeroPoint, lanes));
    results.push_back(value);
  }
  if (interleaved)
    return packWords(c, results);
  Value words = c.splat(i16, 0, lanes * int64_t(rounded.size()));
  for (auto [i, result] : llvm::enumerate(results)) {
    Value narrow =
        arith::TruncIOp::create(c.b, c.loc, c.vectorType(i16, lanes), result);
    words = rounded.size() == 1 ? narrow
                                : vector::InsertStridedSliceOp::create(
                                      c.b, c.loc, narrow, words,
                                      ArrayRef<int64_t>{int64_t(i) * lanes},
                                      ArrayRef<int64_t>{1})
                                      .getResult();
  }
  return words;
}

std::optional<FloatActivation> FloatActivation::get(ActivationAttr activation) {
  if (!activation || activation.getKind() == UnaryKind::Identity)
    return FloatActivation();
  if (!isEpilogueActivation(activation.getKind()))
    return std::nullopt;
  return FloatActivation{activation.getKind(), activation.alpha(),
                         activation.beta()};
}

std::string FloatActivation::key() const {
  if (!kind)
    return "linear";
  // Hexadecimal floats: the key must tell all values apart.
  return llvm::formatv(
      "{0}{1} {2:x} {3:x}", isRough ? "rough " : "", stringifyUnaryKind(*kind),
      llvm::bit_cast<uint32_t>(alpha), llvm::bit_cast<uint32_t>(beta));
}

double FloatActivation::bound(double bound) const {
  constexpr double roundings = 1.001;
  if (!kind)
    return bound;
  switch (*kind) {
  case UnaryKind::Sigmoid:
  case UnaryKind::Tanh:
  case UnaryKind::HardSigmoid:
    return roundings;
  case UnaryKind::Clamp:
    return std::max(std::abs(double(alpha)), std::abs(double(beta)));
  case UnaryKind::LeakyRelu:
    return bound * std::max(1.0, std::abs(double(alpha)));
  default: // between 0 and the operand
    return bound * roundings;
  }
}

Value FloatActivation::emit(CodeBuilder &c, Value x) const {
  if (!kind)
    return x;
  int64_t lanes = cast<VectorType>(x.getType()).getDimSize(0);
  Type f32 = c.b.getF32Type();
  auto number = [&](float value) { return c.splat(f32, value, lanes); };
  auto mul = [&](Value u, Value v) -> Value {
    return arith::MulFOp::create(c.b, c.loc, u, v);
  };
  auto add = [&](Value u, Value v) -> Value {
    return arith::AddFOp::create(c.b, c.loc, u, v);
  };
  reference::FloatFunctions functions(c.b, c.loc, x.getType());
  switch (*kind) {
  case UnaryKind::Relu:
    return replaceIf(c, arith::CmpFPredicate::OLT, x, number(0));
  case UnaryKind::Clamp:
    return clampFloat(c, x, alpha, beta);
  case UnaryKind::LeakyRelu: {
    Value negative = arith::CmpFOp::create(
        c.b, c.loc, arith::CmpFPredicate::OLT, x, number(0));
    return arith::SelectOp::create(c.b, c.loc, negative, mul(number(alpha), x),
                                   x);
  }
  case UnaryKind::Sigmoid:
    return functions.gated(number(1), x);
  case UnaryKind::Tanh:
    return math::TanhOp::create(c.b, c.loc, x);
  case UnaryKind::HardSigmoid:
    return clampFloat(c, add(mul(number(alpha), x), number(beta)), 0, 1);
  case UnaryKind::HardSwish:
    return mul(
        x, clampFloat(c, add(mul(number(1.0f / 6.0f), x), number(0.5f)), 0, 1));
  case UnaryKind::Silu:
    return functions.gated(x, x);
  case UnaryKind::Gelu:
    return functions.gelu(x);
  case UnaryKind::GeluTanh: {
    Value cube = mul(mul(x, x), x);
    Value inner = mul(number(0.79788456080286535588f),
                      add(x, mul(number(0.044715f), cube)));
    return functions.gated(x, add(inner, inner));
  }
  default:
    llvm_unreachable("get() lets no other kind in");
  }
}

Value qcc::multiplyAdd(CodeBuilder &c, const TargetLevel &level, Value x,
                       Value y, Value z) {
  if (level.hasFMA)
    return math::FmaOp::create(c.b, c.loc, x, y, z);
  return arith::AddFOp::create(c.b, c.loc,
                               arith::MulFOp::create(c.b, c.loc, x, y), z);
}
