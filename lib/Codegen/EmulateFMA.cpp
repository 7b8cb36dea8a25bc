//===- EmulateFMA.cpp - Fused multiply-add from other operations ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// f64 holds the product. The sum is rounded to odd: where f64 does not hold it,
// to that one of its two neighbours whose last bit is set. From there, with
// more than two bits to spare, rounding to f32 gives what rounding the sum
// would (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums").
//
//===----------------------------------------------------------------------===//

#include "EmulateFMA.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace {
struct Doubles {
  OpBuilder &b;
  Location loc;
  Type like;

  Type typeOf(Type element) const {
    if (auto vector = dyn_cast<VectorType>(like))
      return vector.clone(element);
    return element;
  }
  Value constant(TypedAttr c) const {
    if (auto vector = dyn_cast<VectorType>(typeOf(c.getType())))
      c = DenseElementsAttr::get(vector, Attribute(c));
    return arith::ConstantOp::create(b, loc, c);
  }
  Value widen(Value x) const {
    return arith::ExtFOp::create(b, loc, typeOf(b.getF64Type()), x);
  }
  Value add(Value x, Value y) const {
    return arith::AddFOp::create(b, loc, x, y);
  }
  Value sub(Value x, Value y) const {
    return arith::SubFOp::create(b, loc, x, y);
  }
  Value bits(Value x) const {
    return arith::BitcastOp::create(b, loc, typeOf(b.getI64Type()), x);
  }
  /// x + y - sum, where that is the nearest of x + y (Knuth).
  Value lost(Value x, Value y, Value sum) const {
    Value second = sub(sum, x);
    return add(sub(x, sub(sum, second)), sub(y, second));
  }
  Value roundToOdd(Value sum, Value lost) const {
    // False for NaN: an infinite sum has lost nothing.
    Value isInexact =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT,
                              math::AbsFOp::create(b, loc, lost).getResult(),
                              constant(b.getF64FloatAttr(0)));
    Type integers = typeOf(b.getI64Type());
    Value mask = arith::ExtSIOp::create(b, loc, integers, isInexact);
    Value signBit = constant(b.getI64IntegerAttr(63));
    // Towards zero, then the last bit stands for all that was cut off.
    Value signs = arith::XOrIOp::create(b, loc, bits(sum), bits(lost));
    Value isBeyond = arith::AndIOp::create(
        b, loc, arith::ShRUIOp::create(b, loc, signs, signBit), mask);
    Value cut = arith::SubIOp::create(b, loc, bits(sum), isBeyond);
    Value odd = arith::OrIOp::create(
        b, loc, cut, arith::ShRUIOp::create(b, loc, mask, signBit));
    return arith::BitcastOp::create(b, loc, sum.getType(), odd);
  }
};
} // namespace

Value qcc::emulateFMA(OpBuilder &b, Location loc, Value x, Value y, Value z) {
  Doubles d{b, loc, x.getType()};
  Value product = arith::MulFOp::create(b, loc, d.widen(x), d.widen(y));
  Value addend = d.widen(z), sum = d.add(product, addend);
  Value odd = d.roundToOdd(sum, d.lost(product, addend, sum));
  return arith::TruncFOp::create(b, loc, x.getType(), odd);
}
