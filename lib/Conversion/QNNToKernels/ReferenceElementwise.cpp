//===- ReferenceElementwise.cpp - unary, binary, select, lut --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatFunctions.h"
#include "LoopBuilder.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qnn::BinaryKind;
using qnn::UnaryKind;

static bool isComparison(BinaryKind kind) {
  return kind == BinaryKind::Equal || kind == BinaryKind::Less ||
         kind == BinaryKind::LessEqual || kind == BinaryKind::Greater ||
         kind == BinaryKind::GreaterEqual;
}

/// An i1 as it is stored: one byte, 0 or 1.
static Value boolByte(LoopBuilder &b, Value condition) {
  return arith::ExtUIOp::create(b, b.getI8Type(), condition);
}

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

/// On plain integers and bools; null where the kind has no such form.
static Value integerUnary(LoopBuilder &b, qnn::UnaryOp op, const Element &e,
                          Value x) {
  auto c = [&](int64_t value) { return b.integer(e.storage, value); };
  switch (op.getKind()) {
  case UnaryKind::Identity:
    return x;
  case UnaryKind::Not:
    if (e.isBool)
      return arith::XOrIOp::create(b, x, c(1));
    return arith::XOrIOp::create(b, x, c(-1));
  case UnaryKind::Relu:
    return e.isUnsigned ? x : b.larger(x, c(0));
  case UnaryKind::Neg:
    return b.sub(c(0), x);
  case UnaryKind::Abs:
    return e.isUnsigned ? x : Value(math::AbsIOp::create(b, x));
  case UnaryKind::Sign: {
    Value negative =
        e.isUnsigned ? c(0) : b.select(b.less(x, c(0)), c(-1), c(0));
    return b.select(b.greater(x, c(0), e.isUnsigned), c(1), negative);
  }
  default:
    return {};
  }
}

static Value roughGelu(LoopBuilder &b, Value x) {
  return FloatFunctions(b, b.getLoc(), x.getType()).roughGelu(x);
}

static LogicalResult emit(qnn::UnaryOp op, KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  UnaryKind kind = op.getKind();
  double alpha = op.getAlpha().convertToFloat();
  double beta = op.getBeta().convertToFloat();
  std::string stem = qnn::stringifyUnaryKind(kind).str();
  MapEmitter map(emitter, op.getLoc(), op.getType().getShape());

  bool isIntegerForm = in.isInteger() && out.isInteger() && in.type == out.type;
  if (isIntegerForm && (kind == UnaryKind::Identity || kind == UnaryKind::Not ||
                        kind == UnaryKind::Relu || kind == UnaryKind::Neg ||
                        kind == UnaryKind::Abs || kind == UnaryKind::Sign)) {
    map.input(op.getInput());
    map.output(emitter.buffer(op.getResult()),
               rowMajor(op.getType().getShape()));
    map.emit(stem, opKey(op), [&](LoopBuilder &b, ValueRange raws) {
      return SmallVector<Value>{integerUnary(b, op, in, raws[0])};
    });
    return success();
  }

  MapEmitter::Real x = map.realInput(op.getInput());
  MapEmitter::Real y = map.realOutput(op.getResult());
  map.emit(stem, opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    Value value = x.load(b, raws);
    value = endsInRoughGelu(op) ? roughGelu(b, value)
                                : b.unary(kind, alpha, beta, value);
    if (out.isFloat() && out.real() != value.getType())
      value = b.convert(value, Element(value.getType()), Element(out.real()));
    return SmallVector<Value>{y.store(b, value, raws)};
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Binary
//===----------------------------------------------------------------------===//

static Value compare(LoopBuilder &b, BinaryKind kind, Value x, Value y,
                     bool isUnsigned) {
  if (isa<FloatType>(x.getType())) {
    auto predicate = kind == BinaryKind::Equal       ? arith::CmpFPredicate::OEQ
                     : kind == BinaryKind::Less      ? arith::CmpFPredicate::OLT
                     : kind == BinaryKind::LessEqual ? arith::CmpFPredicate::OLE
                     : kind == BinaryKind::Greater ? arith::CmpFPredicate::OGT
                                                   : arith::CmpFPredicate::OGE;
    return arith::CmpFOp::create(b, predicate, x, y);
  }
  using P = arith::CmpIPredicate;
  auto predicate =
      kind == BinaryKind::Equal       ? P::eq
      : kind == BinaryKind::Less      ? (isUnsigned ? P::ult : P::slt)
      : kind == BinaryKind::LessEqual ? (isUnsigned ? P::ule : P::sle)
      : kind == BinaryKind::Greater   ? (isUnsigned ? P::ugt : P::sgt)
                                      : (isUnsigned ? P::uge : P::sge);
  return arith::CmpIOp::create(b, predicate, x, y);
}

static Value realBinary(LoopBuilder &b, BinaryKind kind, Value x, Value y) {
  Type type = x.getType();
  Value zero = b.real(type, 0);
  auto isNaN = [&](Value v) {
    return arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, v, v);
  };
  switch (kind) {
  case BinaryKind::Add:
    return b.add(x, y);
  case BinaryKind::Sub:
    return b.sub(x, y);
  case BinaryKind::Mul:
    return b.mul(x, y);
  case BinaryKind::Div:
    return b.div(x, y);
  case BinaryKind::Pow:
    return math::PowFOp::create(b, x, y);
  case BinaryKind::Min: // NaN if either is
    return b.select(isNaN(x), x, b.smaller(x, y));
  case BinaryKind::Max:
    return b.select(isNaN(x), x, b.larger(x, y));
  case BinaryKind::FMod:
    return arith::RemFOp::create(b, x, y);
  case BinaryKind::Mod: {
    Value rem = arith::RemFOp::create(b, x, y);
    Value opposite =
        arith::XOrIOp::create(b, b.less(rem, zero), b.less(y, zero));
    Value nonZero =
        arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, rem, zero);
    return b.select(arith::AndIOp::create(b, opposite, nonZero), b.add(rem, y),
                    rem);
  }
  case BinaryKind::PRelu:
    return b.select(b.less(x, zero), b.mul(x, y), x);
  default:
    return {};
  }
}

/// x / y and x % y on integers must be defined for every input: a zero divisor
/// gives 0, the most negative number over -1 wraps.
static Value safeDivisor(LoopBuilder &b, Value x, Value y, bool isUnsigned,
                         Value &bad) {
  Type type = x.getType();
  Value isZero =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, y, b.integer(type, 0));
  bad = isZero;
  if (!isUnsigned) {
    Value isMinusOne = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, y,
                                             b.integer(type, -1));
    bad = arith::OrIOp::create(b, isZero, isMinusOne);
  }
  return b.select(bad, b.integer(type, 1), y);
}

static Value integerPow(LoopBuilder &b, Value x, Value y, bool isUnsigned) {
  // By squaring; a negative exponent gives 1/x truncated: 1, -1 or 0.
  Type type = x.getType();
  unsigned bits = type.getIntOrFloatBitWidth();
  Value one = b.integer(type, 1), zero = b.integer(type, 0);
  SmallVector<Value> state =
      b.loop(b.index(0), b.index(bits), ValueRange{one, x, y},
             [&](Value, ValueRange s) -> SmallVector<Value> {
               Value odd = arith::CmpIOp::create(
                   b, arith::CmpIPredicate::ne,
                   arith::AndIOp::create(b, s[2], one), zero);
               return {b.select(odd, b.mul(s[0], s[1]), s[0]),
                       b.mul(s[1], s[1]), arith::ShRUIOp::create(b, s[2], one)};
             });
  if (isUnsigned)
    return state[0];
  Value isOne = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, one);
  Value isMinusOne = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x,
                                           b.integer(type, -1));
  Value unit = arith::OrIOp::create(b, isOne, isMinusOne);
  Value vanishes = arith::AndIOp::create(
      b, b.less(y, zero),
      arith::XOrIOp::create(b, unit, b.integer(b.getI1Type(), 1)));
  return b.select(vanishes, zero, state[0]);
}

static Value integerBinary(LoopBuilder &b, BinaryKind kind, Value x, Value y,
                           bool isUnsigned) {
  Type type = x.getType();
  Value zero = b.integer(type, 0);
  switch (kind) {
  case BinaryKind::Add:
    return b.add(x, y);
  case BinaryKind::Sub:
    return b.sub(x, y);
  case BinaryKind::Mul:
    return b.mul(x, y);
  case BinaryKind::Div: {
    Value bad;
    Value quotient =
        b.div(x, safeDivisor(b, x, y, isUnsigned, bad), isUnsigned);
    Value instead = zero;
    if (!isUnsigned)
      instead = b.select(b.less(y, zero), b.sub(zero, x), zero);
    return b.select(bad, instead, quotient);
  }
  case BinaryKind::Mod:
  case BinaryKind::FMod: {
    Value bad;
    Value divisor = safeDivisor(b, x, y, isUnsigned, bad);
    Value rem = isUnsigned ? Value(arith::RemUIOp::create(b, x, divisor))
                           : Value(arith::RemSIOp::create(b, x, divisor));
    if (kind == BinaryKind::Mod && !isUnsigned) {
      Value opposite = b.less(arith::XOrIOp::create(b, rem, y), zero);
      Value nonZero =
          arith::CmpIOp::create(b, arith::CmpIPredicate::ne, rem, zero);
      rem = b.select(arith::AndIOp::create(b, opposite, nonZero), b.add(rem, y),
                     rem);
    }
    return b.select(bad, zero, rem);
  }
  case BinaryKind::Pow:
    return integerPow(b, x, y, isUnsigned);
  case BinaryKind::Min:
    return b.smaller(x, y, isUnsigned);
  case BinaryKind::Max:
    return b.larger(x, y, isUnsigned);
  case BinaryKind::PRelu:
    return isUnsigned ? x : b.select(b.less(x, zero), b.mul(x, y), x);
  case BinaryKind::And:
    return arith::AndIOp::create(b, x, y);
  case BinaryKind::Or:
    return arith::OrIOp::create(b, x, y);
  case BinaryKind::Xor:
    return arith::XOrIOp::create(b, x, y);
  case BinaryKind::ShiftLeft:
  case BinaryKind::ShiftRight: {
    Value width = b.integer(type, type.getIntOrFloatBitWidth());
    Value fits = b.less(y, width, /*isUnsigned=*/true);
    Value count = b.select(fits, y, zero);
    Value shifted = kind == BinaryKind::ShiftLeft
                        ? Value(arith::ShLIOp::create(b, x, count))
                        : Value(arith::ShRUIOp::create(b, x, count));
    return b.select(fits, shifted, zero);
  }
  default:
    return {};
  }
}

/// add, sub and mul on per-tensor quantized types, with folded factors.
static bool emitQuantized(qnn::BinaryOp op, KernelEmitter &emitter) {
  Element lhs(op.getLhs().getType()), rhs(op.getRhs().getType()),
      out(op.getType());
  for (const Element *e : {&lhs, &rhs, &out})
    if (!e->isQuantized() || e->perAxis || e->width() > 16)
      return false;
  BinaryKind kind = op.getKind();
  if (kind != BinaryKind::Add && kind != BinaryKind::Sub &&
      kind != BinaryKind::Mul)
    return false;
  std::optional<QuantParams> range =
      foldActivation(op.getActivationAttr(), out.params());
  if (!range)
    return false;

  float sl = lhs.params().scale, sr = rhs.params().scale,
        so = out.params().scale;
  MapEmitter map(emitter, op.getLoc(), op.getType().getShape());
  map.input(op.getLhs());
  map.input(op.getRhs());
  map.output(emitter.buffer(op.getResult()), rowMajor(op.getType().getShape()));
  map.emit(qnn::stringifyBinaryKind(kind), opKey(op),
           [&](LoopBuilder &b, ValueRange raws) {
             Type f32 = b.getF32Type();
             // 16-bit products need 64 bits.
             bool isWide = lhs.width() + rhs.width() > 24;
             Type wide = isWide && kind == BinaryKind::Mul ? b.getI64Type()
                                                           : b.getI32Type();
             Value x = b.centered(raws[0], lhs, wide);
             Value y = b.centered(raws[1], rhs, wide);
             Value scaled;
             if (kind == BinaryKind::Mul) {
               Value p = arith::SIToFPOp::create(b, f32, b.mul(x, y));
               scaled = b.mul(p, b.real(f32, requantizeMultiplier(sl, sr, so)));
             } else {
               Value fx = b.mul(arith::SIToFPOp::create(b, f32, x),
                                b.real(f32, sl / so));
               Value fy = b.mul(arith::SIToFPOp::create(b, f32, y),
                                b.real(f32, sr / so));
               scaled = kind == BinaryKind::Add ? b.add(fx, fy) : b.sub(fx, fy);
             }
             return SmallVector<Value>{
                 b.roundToStorage(scaled, *range, out.storage)};
           });
  return true;
}

static LogicalResult emit(qnn::BinaryOp op, KernelEmitter &emitter) {
  if (emitQuantized(op, emitter))
    return success();
  Element lhs(op.getLhs().getType()), rhs(op.getRhs().getType()),
      out(op.getType());
  BinaryKind kind = op.getKind();
  std::string stem = qnn::stringifyBinaryKind(kind).str();
  MapEmitter map(emitter, op.getLoc(), op.getType().getShape());

  if (lhs.isInteger() && rhs.isInteger()) {
    if (lhs.storage != rhs.storage || op.getActivationAttr() ||
        !out.isInteger())
      return failure();
    map.input(op.getLhs());
    map.input(op.getRhs());
    map.output(emitter.buffer(op.getResult()),
               rowMajor(op.getType().getShape()));
    map.emit(stem, opKey(op), [&](LoopBuilder &b, ValueRange raws) {
      Value y =
          isComparison(kind)
              ? boolByte(b, compare(b, kind, raws[0], raws[1], lhs.isUnsigned))
              : integerBinary(b, kind, raws[0], raws[1], lhs.isUnsigned);
      return SmallVector<Value>{y};
    });
    return success();
  }

  if (kind == BinaryKind::And || kind == BinaryKind::Or ||
      kind == BinaryKind::Xor || kind == BinaryKind::ShiftLeft ||
      kind == BinaryKind::ShiftRight || lhs.real() != rhs.real())
    return failure();
  MapEmitter::Real x = map.realInput(op.getLhs());
  MapEmitter::Real y = map.realInput(op.getRhs());
  MapEmitter::Real z = map.realOutput(op.getResult());
  map.emit(stem, opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    Value a = x.load(b, raws), c = y.load(b, raws);
    if (isComparison(kind))
      return SmallVector<Value>{boolByte(b, compare(b, kind, a, c, false))};
    Value value = realBinary(b, kind, a, c);
    value = endsInRoughGelu(op) ? roughGelu(b, value)
                                : b.activate(op.getActivationAttr(), value);
    return SmallVector<Value>{z.store(b, value, raws)};
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Select, lut
//===----------------------------------------------------------------------===//

static LogicalResult emit(qnn::SelectOp op, KernelEmitter &emitter) {
  MapEmitter map(emitter, op.getLoc(), op.getType().getShape());
  unsigned condition = map.input(op.getCondition());
  auto choose = [&](LoopBuilder &b, ValueRange raws, Value x, Value y) {
    Value isTrue =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ne, raws[condition],
                              b.integer(b.getI8Type(), 0));
    return b.select(isTrue, x, y);
  };
  Type type = op.getType().getElementType();
  bool sameTypes = getElementTypeOrSelf(op.getOnTrue().getType()) == type &&
                   getElementTypeOrSelf(op.getOnFalse().getType()) == type;
  if (sameTypes) {
    unsigned x = map.input(op.getOnTrue()), y = map.input(op.getOnFalse());
    map.output(emitter.buffer(op.getResult()),
               rowMajor(op.getType().getShape()));
    map.emit("select", opKey(op), [&](LoopBuilder &b, ValueRange raws) {
      return SmallVector<Value>{choose(b, raws, raws[x], raws[y])};
    });
    return success();
  }
  MapEmitter::Real x = map.realInput(op.getOnTrue());
  MapEmitter::Real y = map.realInput(op.getOnFalse());
  MapEmitter::Real z = map.realOutput(op.getResult());
  if (x.element.real() != y.element.real())
    return failure();
  map.emit("select", opKey(op), [&](LoopBuilder &b, ValueRange raws) {
    Value value = choose(b, raws, x.load(b, raws), y.load(b, raws));
    return SmallVector<Value>{z.store(b, value, raws)};
  });
  return success();
}

static LogicalResult emit(qnn::LutOp op, KernelEmitter &emitter) {
  std::optional<qnn::ConstantBytes> data =
      qnn::ConstantBytes::get(op.getTable());
  Element in(op.getInput().getType()), out(op.getType());
  if (!data || in.width() != 8 ||
      data->bytes().size() != 256 * size_t(out.width() / 8))
    return failure();
  Value table = emitter.constant("table", MemRefType::get({256}, out.storage),
                                 data->bytes());
  ArrayRef<int64_t> shape = op.getType().getShape();
  int64_t elements = product(shape);
  Value x = emitter.buffer(op.getInput()), y = emitter.buffer(op.getResult());
  Tiling tiling({elements}, 8192);
  func::FuncOp kernel = emitter.kernel(
      "lut", "", TypeRange{x.getType(), table.getType(), y.getType()},
      op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]), to = b.flat(args[2]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value entry = arith::IndexCastUIOp::create(b, b.getIndexType(),
                                                     b.load(from, ivs));
          b.store(b.load(args[1], entry), to, ivs);
        });
      });
  emitter.call(kernel, {x, table, y}, tiling.tiles(), op.getLoc());
  return success();
}

LogicalResult qcc::reference::emitElementwise(Operation *op,
                                              KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qnn::UnaryOp, qnn::BinaryOp, qnn::SelectOp, qnn::LutOp>(
          [&](auto concrete) { return emit(concrete, emitter); })
      .Default([](Operation *) { return failure(); });
}
