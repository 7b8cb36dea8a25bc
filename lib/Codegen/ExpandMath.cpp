//===- ExpandMath.cpp - Math functions to arithmetic ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// This file implements qcc-expand-math: after it, nothing in the module is
// lowered to a call of libm.
//
//===----------------------------------------------------------------------===//

#include "../Conversion/QNNToKernels/ExactSteps.h"
#include "EmulateFMA.h"
#include "MathApproximation.h"
#include "qcc/Codegen/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

namespace qcc {
#define GEN_PASS_DEF_EXPANDMATH
#include "qcc/Codegen/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;

/// Whether every target lowers `op` to instructions; math.fma comes later.
static bool isNative(Operation *op) {
  return isa<math::FmaOp, math::SqrtOp, math::AbsFOp, math::AbsIOp,
             math::CeilOp, math::FloorOp, math::TruncOp, math::RoundEvenOp,
             math::RoundOp, math::CopySignOp, math::CountLeadingZerosOp,
             math::CountTrailingZerosOp, math::CtPopOp, math::IsFiniteOp,
             math::IsInfOp, math::IsNaNOp, math::IsNormalOp>(op);
}

/// The value of `op` on f32 operands; null where there is no expansion.
static Value expand(OpBuilder &b, Operation *op, ValueRange x) {
  MathApproximation f(b, op->getLoc(), x[0].getType());
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp) {
        return op->hasAttr("qcc.bounded") ? f.boundedExp(x[0]) : f.exp(x[0]);
      })
      .Case([&](math::Exp2Op) { return f.exp2(x[0]); })
      .Case([&](math::ExpM1Op) { return f.expm1(x[0]); })
      .Case([&](math::LogOp) { return f.log(x[0]); })
      .Case([&](math::Log2Op) { return f.log2(x[0]); })
      .Case([&](math::Log10Op) { return f.log10(x[0]); })
      .Case([&](math::Log1pOp) { return f.log1p(x[0]); })
      .Case([&](math::TanhOp) { return f.tanh(x[0]); })
      .Case([&](math::SinhOp) { return f.sinh(x[0]); })
      .Case([&](math::CoshOp) { return f.cosh(x[0]); })
      .Case([&](math::ErfOp) { return f.erf(x[0]); })
      .Case([&](math::SinOp) { return f.sin(x[0]); })
      .Case([&](math::CosOp) { return f.cos(x[0]); })
      .Case([&](math::TanOp) { return f.tan(x[0]); })
      .Case([&](math::AsinOp) { return f.asin(x[0]); })
      .Case([&](math::AcosOp) { return f.acos(x[0]); })
      .Case([&](math::AtanOp) { return f.atan(x[0]); })
      .Case([&](math::RsqrtOp) { return f.rsqrt(x[0]); })
      .Case([&](math::PowFOp) { return f.pow(x[0], x[1]); })
      .Default([](Operation *) { return Value(); });
}

static Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

static LogicalResult expandMathOp(Operation *op) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  Type type = op->getOperand(0).getType();
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  bool narrow = element && element.getWidth() < 32;
  if (!element || !(element.isF32() || narrow) ||
      !llvm::all_equal(op->getOperandTypes()))
    return op->emitError("no expansion of this function for ")
           << type << "; use float32 in the model instead";
  SmallVector<Value> operands(op->getOperands());
  if (narrow)
    for (Value &v : operands)
      v = arith::ExtFOp::create(b, loc, withElement(type, b.getF32Type()), v);
  std::optional<ExactSteps> exact;
  if (op->hasAttr(kExactAttr))
    exact.emplace(b);
  Value y = expand(b, op, operands);
  if (!y)
    return op->emitError("no expansion of this function to arithmetic");
  if (narrow)
    y = arith::TruncFOp::create(b, loc, type, y);
  op->replaceAllUsesWith(ValueRange(y));
  op->erase();
  return success();
}

static LogicalResult expandFMA(math::FmaOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  if (!op->hasAttr(kExactAttr)) {
    Value product = arith::MulFOp::create(b, loc, op.getA(), op.getB());
    op.replaceAllUsesWith(
        arith::AddFOp::create(b, loc, product, op.getC()).getResult());
    op.erase();
    return success();
  }
  if (!getElementTypeOrSelf(op.getType()).isF32())
    return op.emitError("no expansion of the fused product for ")
           << op.getType() << "; use float32 in the model instead";
  op.replaceAllUsesWith(emulateFMA(b, loc, op.getA(), op.getB(), op.getC()));
  op.erase();
  return success();
}

/// x - trunc(x / y) * y, exactly. Each step subtracts q * s with s = y * 2^28k
/// and q < 2^29, a product that f64 holds.
static LogicalResult expandRem(arith::RemFOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Type type = op.getType(), f64 = b.getF64Type();
  if (!isa<FloatType>(type) || cast<FloatType>(type).getWidth() > 32)
    return op.emitError("no expansion of the remainder for ")
           << type << "; use float32 in the model instead";
  auto constant = [&](double c) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(c));
  };
  auto compare = [&](arith::CmpFPredicate p, Value x, Value y) -> Value {
    return arith::CmpFOp::create(b, loc, p, x, y);
  };
  auto select = [&](Value c, Value x, Value y) -> Value {
    return arith::SelectOp::create(b, loc, c, x, y);
  };
  using Pred = arith::CmpFPredicate;
  Value x = arith::ExtFOp::create(b, loc, f64, op.getLhs());
  Value y = arith::ExtFOp::create(b, loc, f64, op.getRhs());
  Value ax = math::AbsFOp::create(b, loc, x),
        ay = math::AbsFOp::create(b, loc, y);
  Value zero = constant(0),
        inf = constant(std::numeric_limits<double>::infinity());
  // Defined: x finite and y not 0 nor NaN. Otherwise the loops get harmless
  // numbers and the result is NaN.
  Value defined = arith::AndIOp::create(b, loc, compare(Pred::OLT, ax, inf),
                                        compare(Pred::OGT, ay, zero));
  Value yFinite = compare(Pred::OLT, ay, inf);
  Value regular = arith::AndIOp::create(b, loc, defined, yFinite);
  Value dividend = select(regular, ax, zero);
  Value divisor = select(regular, ay, constant(1));
  Value step = constant(268435456.0), inverse = constant(1.0 / 268435456.0);

  auto grow = scf::WhileOp::create(
      b, loc, TypeRange{f64}, ValueRange{divisor},
      [&](OpBuilder &nested, Location, ValueRange args) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToEnd(nested.getInsertionBlock());
        Value next = arith::MulFOp::create(b, loc, args[0], step);
        scf::ConditionOp::create(b, loc, compare(Pred::OLE, next, dividend),
                                 args);
      },
      [&](OpBuilder &nested, Location, ValueRange args) {
        Value next = arith::MulFOp::create(nested, loc, args[0], step);
        scf::YieldOp::create(nested, loc, next);
      });
  auto reduce = scf::WhileOp::create(
      b, loc, TypeRange{f64, f64}, ValueRange{dividend, grow.getResult(0)},
      [&](OpBuilder &nested, Location, ValueRange args) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToEnd(nested.getInsertionBlock());
        scf::ConditionOp::create(b, loc, compare(Pred::OGE, args[1], divisor),
                                 args);
      },
      [&](OpBuilder &nested, Location, ValueRange args) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToEnd(nested.getInsertionBlock());
        Value s = args[1];
        Value q = math::TruncOp::create(
            b, loc, arith::DivFOp::create(b, loc, args[0], s));
        Value r = arith::SubFOp::create(b, loc, args[0],
                                        arith::MulFOp::create(b, loc, q, s));
        // The quotient may have been rounded up.
        r = select(compare(Pred::OLT, r, zero),
                   arith::AddFOp::create(b, loc, r, s), r);
        Value next = arith::MulFOp::create(b, loc, s, inverse);
        scf::YieldOp::create(b, loc, ValueRange{r, next});
      });
  Value r = math::CopySignOp::create(b, loc, reduce.getResult(0), x);
  r = select(yFinite, r, x);
  r = select(defined, r, constant(std::numeric_limits<double>::quiet_NaN()));
  Value result = arith::TruncFOp::create(b, loc, type, r);
  op->replaceAllUsesWith(ValueRange(result));
  op->erase();
  return success();
}

namespace {
struct ExpandMath : qcc::impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    SmallVector<Operation *> functions;
    getOperation()->walk([&](Operation *op) {
      if (isa<arith::RemFOp>(op) ||
          (isa_and_nonnull<math::MathDialect>(op->getDialect()) &&
           !isNative(op)))
        functions.push_back(op);
    });
    // All offenders are named, then the pass fails.
    bool failedAny = false;
    for (Operation *op : functions) {
      auto rem = dyn_cast<arith::RemFOp>(op);
      failedAny |= failed(rem ? expandRem(rem) : expandMathOp(op));
    }
    if (!fma)
      getOperation()->walk(
          [&](math::FmaOp op) { failedAny |= failed(expandFMA(op)); });
    if (failedAny)
      signalPassFailure();
  }
};
} // namespace
