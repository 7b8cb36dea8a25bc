//===- HalfPrecision.cpp - Between f16, bf16, f32 and f64 -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a level has no instruction for a conversion, LLVM calls a function of
// the compiler's runtime library, which an artefact does not have. Integer
// arithmetic does the same, and LLVM vectorizes it.
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

namespace {
/// Integer arithmetic on the bits of floats, of scalars and vectors alike.
struct Bits {
  LoopBuilder &b;

  Type shaped(Value like, Type scalar) const {
    if (auto vector = dyn_cast<VectorType>(like.getType()))
      return vector.clone(scalar);
    return scalar;
  }
  Value cast(Value v, Type scalar) const {
    return arith::BitcastOp::create(b, shaped(v, scalar), v);
  }
  Value constant(Value like, uint32_t bits) const {
    return b.integer(like.getType(), int32_t(bits));
  }
  Value extend(Value v) const {
    return arith::ExtUIOp::create(b, shaped(v, b.getI32Type()), v);
  }
  Value truncate(Value v) const {
    return arith::TruncIOp::create(b, shaped(v, b.getI16Type()), v);
  }
  Value bitAnd(Value v, uint32_t mask) const {
    return arith::AndIOp::create(b, v, constant(v, mask));
  }
  Value bitOr(Value x, Value y) const { return arith::OrIOp::create(b, x, y); }
  Value add(Value v, uint32_t bits) const {
    return b.add(v, constant(v, bits));
  }
  Value left(Value v, uint32_t n) const {
    return arith::ShLIOp::create(b, v, constant(v, n));
  }
  Value right(Value v, uint32_t n) const {
    return arith::ShRUIOp::create(b, v, constant(v, n));
  }
  Value isLess(Value v, uint32_t bound) const { // both below 2^31
    return b.less(v, constant(v, bound));
  }
  Value equals(Value v, uint32_t other) const {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, v,
                                 constant(v, other));
  }

  Value halfToFloat(Value half) const;
  Value floatToHalf(Value x) const;
  Value floatToBrain(Value x) const;
  Value doubleToOddFloat(Value x) const;
};
} // namespace

Value Bits::halfToFloat(Value half) const {
  Value h = extend(cast(half, b.getI16Type()));
  Value magnitude = left(bitAnd(h, 0x7fff), 13);
  Value exponent = bitAnd(magnitude, 0x7c00u << 13);
  Value normal = add(magnitude, (127u - 15u) << 23);
  Value special = add(normal, (128u - 16u) << 23); // infinity, NaN
  // A subnormal gets an exponent, whose value is then subtracted.
  Value small = cast(add(normal, 1u << 23), b.getF32Type());
  Value bias = cast(constant(h, 113u << 23), b.getF32Type());
  Value subnormal = cast(b.sub(small, bias), b.getI32Type());
  Value result = b.select(equals(exponent, 0x7c00u << 13), special, normal);
  result = b.select(equals(exponent, 0), subnormal, result);
  return cast(bitOr(result, left(bitAnd(h, 0x8000), 16)), b.getF32Type());
}

Value Bits::floatToHalf(Value x) const {
  Value bits = cast(x, b.getI32Type());
  Value magnitude = bitAnd(bits, 0x7fffffff);
  Value sign = right(bitAnd(bits, 0x80000000u), 16);
  Value odd = bitAnd(right(magnitude, 13), 1);
  Value normal =
      right(b.add(add(magnitude, ((15u - 127u) << 23) + 0xfff), odd), 13);
  // Adding 0.5 rounds at the last place of a subnormal.
  Value half = constant(bits, 126u << 23);
  Value sum =
      b.add(cast(magnitude, b.getF32Type()), cast(half, b.getF32Type()));
  Value subnormal = b.sub(cast(sum, b.getI32Type()), half);
  Value isNaN = b.less(constant(bits, 0x7f800000), magnitude);
  Value large = b.select(isNaN, constant(bits, 0x7e00), constant(bits, 0x7c00));
  Value result = b.select(isLess(magnitude, 0x38800000), subnormal, normal);
  result = b.select(isLess(magnitude, 0x47800000), result, large);
  return cast(truncate(bitOr(result, sign)), b.getF16Type());
}

Value Bits::floatToBrain(Value x) const {
  Value bits = cast(x, b.getI32Type());
  Value odd = bitAnd(right(bits, 16), 1);
  Value rounded = right(b.add(add(bits, 0x7fff), odd), 16);
  Value quiet =
      right(arith::OrIOp::create(b, bits, constant(bits, 0x400000)), 16);
  Value isNaN = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
  return cast(truncate(b.select(isNaN, quiet, rounded)), b.getBF16Type());
}

/// To f32, with the last bit set where digits were lost: rounding the result
/// to fewer bits is then the same as rounding `x`.
Value Bits::doubleToOddFloat(Value x) const {
  Value nearest = arith::TruncFOp::create(b, shaped(x, b.getF32Type()), x);
  Value back = arith::ExtFOp::create(b, x.getType(), nearest);
  Value bits = cast(nearest, b.getI32Type());
  Value exact = arith::CmpFOp::create(b, arith::CmpFPredicate::UEQ, back, x);
  // Toward zero first; the magnitude's order is that of its bits.
  Value positive = b.greater(x, b.real(x.getType(), 0));
  Value tooFar = b.select(positive, b.greater(back, x), b.less(back, x));
  Value inward = b.select(tooFar, add(bits, 0xffffffffu), bits);
  Value odd = arith::OrIOp::create(b, inward, constant(bits, 1));
  return cast(b.select(exact, bits, odd), b.getF32Type());
}

Value LoopBuilder::extend(Value value, Type type) {
  Type from = getElementTypeOrSelf(value.getType());
  Bits bits{*this};
  if (from.isF16() && !level.hasFMA) // x86 got both with the same processors
    value = bits.halfToFloat(value);
  Type target = bits.shaped(value, getElementTypeOrSelf(type));
  if (value.getType() == target)
    return value;
  return arith::ExtFOp::create(*this, target, value);
}

Value LoopBuilder::narrow(Value value, Type type) {
  Type from = getElementTypeOrSelf(value.getType());
  Type to = getElementTypeOrSelf(type);
  Bits bits{*this};
  if (from.isF64() && !to.isF32()) {
    value = bits.doubleToOddFloat(value);
    from = getF32Type();
  }
  if (from.isF32() && to.isBF16())
    return bits.floatToBrain(value);
  if (from.isF32() && to.isF16() && !level.hasFMA)
    return bits.floatToHalf(value);
  return arith::TruncFOp::create(*this, bits.shaped(value, to), value);
}
