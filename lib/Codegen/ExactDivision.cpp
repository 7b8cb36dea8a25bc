//===- ExactDivision.cpp - Quotients by multiplications -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExactDivision.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qcc;
using reference::LoopBuilder;
using Pred = arith::CmpFPredicate;

/// Divisors between these are exact by multiplications.
static constexpr float smallestOrdinary = 0x1p-60f, largestOrdinary = 0x1p60f;

bool qcc::multipliesExactly(const TargetLevel &level, float divisor) {
  return level.hasFMA && divisor > smallestOrdinary &&
         divisor < largestOrdinary && divisor != 1.f;
}

Value qcc::divideExactly(LoopBuilder &b, Value x, float divisor,
                         bool isBounded) {
  Type type = x.getType();
  if (divisor == 1.f)
    return x;
  if (!multipliesExactly(b.level, divisor))
    return b.div(x, b.real(type, divisor));
  if (!isBounded) {
    Value bound = b.real(type, 0x1p20f * divisor);
    Value least = b.real(type, -0x1p20f * divisor);
    x = b.smaller(b.larger(x, least), bound); // NaN: the least
  }
  Value reciprocal = b.real(type, 1.f / divisor);
  Value quotient = b.mul(x, reciprocal);
  Value remainder = b.multiplyAdd(arith::NegFOp::create(b, quotient),
                                  b.real(type, divisor), x);
  return b.multiplyAdd(remainder, reciprocal, quotient);
}

RuntimeQuantizer::RuntimeQuantizer(CodeBuilder &c, const TargetLevel &level,
                                   Value scale, Value zeroPoint)
    : c(c), level(level), scale(scale) {
  auto number = [&](float value) {
    return c.splat(c.b.getF32Type(), value, level.lanes());
  };
  Value offset =
      arith::SIToFPOp::create(c.b, c.loc, scale.getType(), zeroPoint);
  least = arith::NegFOp::create(c.b, c.loc, offset);
  most = arith::SubFOp::create(c.b, c.loc, number(255), offset);
  reciprocal = arith::DivFOp::create(c.b, c.loc, number(1), scale);
}

SmallVector<Value>
RuntimeQuantizer::emit(TypeRange types,
                       llvm::function_ref<SmallVector<Value>()> body) {
  if (!level.hasFMA)
    return body();
  Value number =
      vector::ExtractOp::create(c.b, c.loc, scale, ArrayRef<int64_t>{0});
  auto compare = [&](Pred p, float value) -> Value {
    return arith::CmpFOp::create(
        c.b, c.loc, p, number,
        arith::ConstantOp::create(c.b, c.loc, c.b.getF32FloatAttr(value)));
  };
  Value isOrdinary =
      arith::AndIOp::create(c.b, c.loc, compare(Pred::OGT, smallestOrdinary),
                            compare(Pred::OLT, largestOrdinary));
  auto op = scf::IfOp::create(c.b, c.loc, types, isOrdinary,
                              /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(c.b);
  for (bool division : {false, true}) {
    Block *block = division ? op.elseBlock() : op.thenBlock();
    c.b.setInsertionPointToStart(block);
    divides = division;
    SmallVector<Value> results = body();
    if (!types.empty())
      scf::YieldOp::create(c.b, c.loc, results);
  }
  return SmallVector<Value>(op.getResults());
}

void RuntimeQuantizer::emit(llvm::function_ref<void()> body) {
  emit(TypeRange(), [&] {
    body();
    return SmallVector<Value>();
  });
}

Value RuntimeQuantizer::centered(Value x) {
  auto choose = [&](Pred p, Value value, Value limit) -> Value {
    Value keeps = arith::CmpFOp::create(c.b, c.loc, p, value, limit);
    return arith::SelectOp::create(c.b, c.loc, keeps, value, limit);
  };
  Value quotient;
  if (divides) {
    quotient = arith::DivFOp::create(c.b, c.loc, x, scale);
  } else {
    // The quotient of what the scale was chosen for is at most 255; infinity
    // would have made the scale another one.
    Value near = arith::MulFOp::create(c.b, c.loc, x, reciprocal);
    Value rest = math::FmaOp::create(
        c.b, c.loc, arith::NegFOp::create(c.b, c.loc, near), scale, x);
    quotient = math::FmaOp::create(c.b, c.loc, rest, reciprocal, near);
  }
  // NaN: the least.
  quotient = choose(Pred::OGT, quotient, least);
  quotient = choose(Pred::OLT, quotient, most);
  return level.micro->roundToInt(c.b, c.loc, quotient);
}
