//===- ConvertMath.cpp - Elementwise operators ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

void qcc::import::convertUnary(Node &node) {
  auto kind = llvm::StringSwitch<UnaryKind>(node.opType())
                  .Case("Abs", UnaryKind::Abs)
                  .Case("Acos", UnaryKind::Acos)
                  .Case("Asin", UnaryKind::Asin)
                  .Case("Atan", UnaryKind::Atan)
                  .Case("Ceil", UnaryKind::Ceil)
                  .Case("Cos", UnaryKind::Cos)
                  .Case("Erf", UnaryKind::Erf)
                  .Case("Exp", UnaryKind::Exp)
                  .Case("Floor", UnaryKind::Floor)
                  .Case("HardSwish", UnaryKind::HardSwish)
                  .Case("IsNaN", UnaryKind::IsNaN)
                  .Case("Log", UnaryKind::Log)
                  .Case("Mish", UnaryKind::Mish)
                  .Case("Neg", UnaryKind::Neg)
                  .Case("Not", UnaryKind::Not)
                  .Case("Reciprocal", UnaryKind::Reciprocal)
                  .Case("Relu", UnaryKind::Relu)
                  .Case("Round", UnaryKind::Round)
                  .Case("Sigmoid", UnaryKind::Sigmoid)
                  .Case("Sign", UnaryKind::Sign)
                  .Case("Sin", UnaryKind::Sin)
                  .Case("Softplus", UnaryKind::Softplus)
                  .Case("Softsign", UnaryKind::Softsign)
                  .Case("Sqrt", UnaryKind::Sqrt)
                  .Case("Tan", UnaryKind::Tan)
                  .Case("Tanh", UnaryKind::Tanh)
                  .Default(UnaryKind::Identity);
  Value x = node.in(0);
  if (kind == UnaryKind::Relu && isa<IntegerType>(node.elementType(0)))
    return node.setOutput(
        0, node.binary(BinaryKind::Max, x, node.scalarLike(x, 0)));
  node.setOutput(0, node.unary(kind, x));
}

void qcc::import::convertParametricUnary(Node &node) {
  Value x = node.in(0);
  StringRef op = node.opType();
  Value y;
  if (op == "LeakyRelu")
    y = node.unary(UnaryKind::LeakyRelu, x, node.floatAttr("alpha", 0.01f));
  else if (op == "Elu")
    y = node.unary(UnaryKind::Elu, x, node.floatAttr("alpha", 1.f));
  else if (op == "Celu")
    y = node.unary(UnaryKind::Celu, x, node.floatAttr("alpha", 1.f));
  else if (op == "Selu")
    y = node.unary(UnaryKind::Selu, x,
                   node.floatAttr("alpha", 1.67326319217681884765625f),
                   node.floatAttr("gamma", 1.05070102214813232421875f));
  else if (op == "HardSigmoid")
    y = node.unary(UnaryKind::HardSigmoid, x, node.floatAttr("alpha", 0.2f),
                   node.floatAttr("beta", 0.5f));
  else if (op == "ThresholdedRelu")
    y = node.unary(UnaryKind::ThresholdedRelu, x, node.floatAttr("alpha", 1.f));
  else
    y = node.unary(UnaryKind::Shrink, x, node.floatAttr("lambd", 0.5f),
                   node.floatAttr("bias", 0.f));
  node.setOutput(0, y);
}

/// Hyperbolic functions and their inverses by exp and log, those that are 0 at
/// 0 otherwise around it, where exponentials cancel and the argument of the
/// logarithm is rounded to 1.
void qcc::import::convertHyperbolic(Node &node) {
  StringRef op = node.opType();
  Value x = node.in(0);
  Value one = node.scalarLike(x, 1), half = node.scalarLike(x, 0.5);
  auto add = [&](Value a, Value b) {
    return node.binary(BinaryKind::Add, a, b);
  };
  auto sub = [&](Value a, Value b) {
    return node.binary(BinaryKind::Sub, a, b);
  };
  auto mul = [&](Value a, Value b) {
    return node.binary(BinaryKind::Mul, a, b);
  };
  auto div = [&](Value a, Value b) {
    return node.binary(BinaryKind::Div, a, b);
  };
  // log(1 + y) for y > -1/2: the quotient makes up for the rounding of the sum.
  auto log1p = [&](Value y) {
    Value sum = add(one, y), rounded = sub(sum, one);
    Value value = mul(node.unary(UnaryKind::Log, sum), div(y, rounded));
    Value isLost =
        node.binary(BinaryKind::Equal, rounded, node.scalarLike(x, 0));
    return node.select(isLost, y, value);
  };
  // log(y + sqrt(y^2 +- 1)) for y >= 1, whose square may overflow.
  auto logOfSum = [&](Value y, BinaryKind sign) {
    Value inverse = div(one, y);
    Value root = node.unary(UnaryKind::Sqrt,
                            node.binary(sign, one, mul(inverse, inverse)));
    return add(node.unary(UnaryKind::Log, y),
               node.unary(UnaryKind::Log, add(one, root)));
  };
  auto absolute = [&] { return node.unary(UnaryKind::Abs, x); };
  auto whereSmall = [&](double limit, Value small, Value other) {
    Value isSmall =
        node.binary(BinaryKind::Less, absolute(), node.scalarLike(x, limit));
    return node.select(isSmall, small, other);
  };
  Value y;
  if (op == "Sinh" || op == "Cosh") {
    // By the root of the exponential, which overflows before its half does.
    Value positive = mul(x, half);
    auto halfExp = [&](Value exponent) {
      Value root = node.unary(UnaryKind::Exp, exponent);
      return mul(mul(root, half), root);
    };
    Value up = halfExp(positive);
    Value down = halfExp(node.unary(UnaryKind::Neg, positive));
    y = op == "Sinh" ? sub(up, down) : add(up, down);
    if (op == "Sinh") { // 2 t / (1 - t^2), t = tanh(x / 2)
      Value t = node.unary(UnaryKind::Tanh, positive);
      y = whereSmall(1, div(add(t, t), sub(one, mul(t, t))), y);
    }
  } else if (op == "Atanh") {
    Value ratio = div(add(one, x), sub(one, x));
    y = mul(node.unary(UnaryKind::Log, ratio), half);
    y = whereSmall(0.5, mul(log1p(div(add(x, x), sub(one, x))), half), y);
  } else if (op == "Acosh") {
    // Of 1 + t. The roots of the factors are no numbers for t < 0.
    Value t = sub(x, one);
    Value root =
        mul(node.unary(UnaryKind::Sqrt, t),
            node.unary(UnaryKind::Sqrt, add(t, node.scalarLike(x, 2))));
    y = whereSmall(2, log1p(add(t, root)), logOfSum(x, BinaryKind::Sub));
  } else {
    // Odd: by the absolute value, since x + sqrt(x^2 + 1) cancels below zero.
    Value size = absolute(), square = mul(x, x);
    Value root = node.unary(UnaryKind::Sqrt, add(square, one));
    y = whereSmall(1, log1p(add(size, div(square, add(one, root)))),
                   logOfSum(size, BinaryKind::Add));
    y = mul(node.unary(UnaryKind::Sign, x), y);
  }
  node.setOutput(0, y);
}

void qcc::import::convertIsInf(Node &node) {
  bool negative = node.boolAttr("detect_negative", true);
  bool positive = node.boolAttr("detect_positive", true);
  double infinity = std::numeric_limits<double>::infinity();
  if (!negative && !positive)
    return node.setOutput(
        0, node.splat(node.shape(0), node.getBuilder().getI1Type(), 0));
  Value x = node.in(0);
  if (negative && positive)
    x = node.unary(UnaryKind::Abs, x);
  Value bound = node.scalarLike(node.in(0), positive ? infinity : -infinity);
  node.setOutput(0, node.binary(BinaryKind::Equal, x, bound));
}

/// Clip on the integers of a quantize is a quantize to a narrower range: the
/// form in which 2 to 7 bits are written.
static Value narrowQuantize(Node &node, Value x, std::optional<int64_t> lo,
                            std::optional<int64_t> hi) {
  auto quantize = Node::withoutStorageCast(x).getDefiningOp<QuantizeOp>();
  if (!quantize)
    return {};
  auto type = dyn_cast<quant::UniformQuantizedType>(
      Node::elementTypeOf(quantize.getResult()));
  if (!type)
    return {};
  int64_t qmin =
      std::max(lo.value_or(type.getStorageTypeMin()), type.getStorageTypeMin());
  int64_t qmax =
      std::min(hi.value_or(type.getStorageTypeMax()), type.getStorageTypeMax());
  if (qmin >= qmax || type.getZeroPoint() < qmin || type.getZeroPoint() > qmax)
    return {};
  auto narrow = quant::UniformQuantizedType::get(
      type.getFlags(), type.getStorageType(), type.getExpressedType(),
      type.getScale(), type.getZeroPoint(), qmin, qmax);
  return node.toStorage(node.create<QuantizeOp>(narrow, quantize.getInput()));
}

void qcc::import::convertClip(Node &node) {
  Value x = node.in(0);
  Type type = node.elementType(0);
  bool fromInputs = node.opset() >= 11;
  if (!fromInputs && node.numInputs() > 1) {
    node.error() << "has bounds as operands, which opset " << node.opset()
                 << " does not allow";
    return;
  }

  if (isa<FloatType>(type)) {
    auto constantBound = [&](unsigned i) -> std::optional<double> {
      auto values = node.has(i) ? getConstantFloats(node.in(i)) : std::nullopt;
      return values && values->size() == 1 ? std::optional(values->front())
                                           : std::nullopt;
    };
    // Beyond float32 a clamp's attributes cannot hold the bounds.
    bool isConstant = !type.isF64();
    double lo = -std::numeric_limits<double>::infinity(), hi = -lo;
    if (fromInputs) {
      for (unsigned i : {1, 2})
        isConstant &= !node.has(i) || constantBound(i).has_value();
      lo = constantBound(1).value_or(lo);
      hi = constantBound(2).value_or(hi);
    } else {
      lo = node.floatAttr("min", float(lo));
      hi = node.floatAttr("max", float(hi));
    }
    if (std::isnan(lo) || std::isnan(hi)) {
      node.error() << "a bound is not a number";
      return;
    }
    if (isConstant) {
      lo = std::min(lo, hi); // crossed bounds give the upper one
      if (lo == 0 && std::isinf(hi) && hi > 0)
        return node.setOutput(0, node.unary(UnaryKind::Relu, x));
      return node.setOutput(
          0, node.unary(UnaryKind::Clamp, x, float(lo), float(hi)));
    }
    if (!fromInputs) {
      x = node.binary(BinaryKind::Max, x, node.scalarLike(x, lo));
      x = node.binary(BinaryKind::Min, x, node.scalarLike(x, hi));
      return node.setOutput(0, x);
    }
  } else {
    auto constantBound = [&](unsigned i) -> std::optional<int64_t> {
      auto values = node.has(i) ? getConstantInts(node.in(i)) : std::nullopt;
      return values && values->size() == 1 ? std::optional(values->front())
                                           : std::nullopt;
    };
    if ((!node.has(1) || constantBound(1)) &&
        (!node.has(2) || constantBound(2)))
      if (Value y = narrowQuantize(node, x, constantBound(1), constantBound(2)))
        return node.setOutput(0, y, node.dtype(0));
  }

  for (unsigned i : {1, 2}) {
    if (!node.has(i))
      continue;
    if (countElements(node.shape(i)) != 1) {
      node.error() << "the bounds must be scalars";
      return;
    }
    Value bound = node.reshape(node.in(i), {});
    x = node.binary(i == 1 ? BinaryKind::Max : BinaryKind::Min, x, bound);
  }
  node.setOutput(0, x, node.dtype(0));
}

/// Before opset 7 broadcasting had to be asked for: dimensions of the second
/// operand match those of the first from `axis` on.
static Value legacyBroadcast(Node &node) {
  Value rhs = node.in(1);
  if (node.opset() >= 7 || !node.boolAttr("broadcast") || !node.hasAttr("axis"))
    return rhs;
  int64_t rank = node.rank(0), rhsRank = node.rank(1);
  int64_t axis = node.normalizeAxis(node.intAttr("axis", 0), rank);
  if (axis + rhsRank > rank) {
    node.error() << "operand of rank " << rhsRank << " does not fit at axis "
                 << axis << " of one of rank " << rank;
    return {};
  }
  SmallVector<int64_t> shape(node.shape(1));
  shape.append(size_t(rank - axis - rhsRank), 1);
  return node.reshape(rhs, shape);
}

void qcc::import::convertBinary(Node &node) {
  auto kind = llvm::StringSwitch<BinaryKind>(node.opType())
                  .Case("Add", BinaryKind::Add)
                  .Cases({"And", "BitwiseAnd"}, BinaryKind::And)
                  .Case("Div", BinaryKind::Div)
                  .Case("Equal", BinaryKind::Equal)
                  .Case("Greater", BinaryKind::Greater)
                  .Case("GreaterOrEqual", BinaryKind::GreaterEqual)
                  .Case("Less", BinaryKind::Less)
                  .Case("LessOrEqual", BinaryKind::LessEqual)
                  .Case("Mul", BinaryKind::Mul)
                  .Cases({"Or", "BitwiseOr"}, BinaryKind::Or)
                  .Case("Sub", BinaryKind::Sub)
                  .Default(BinaryKind::Xor);
  Value rhs = legacyBroadcast(node);
  node.setOutput(0, node.binary(kind, node.in(0), rhs));
}

void qcc::import::convertBitwiseNot(Node &node) {
  Value x = node.in(0);
  node.setOutput(0, node.binary(BinaryKind::Xor, x, node.scalarLike(x, -1)));
}

void qcc::import::convertBitShift(Node &node) {
  StringRef direction = node.stringAttr("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") {
    node.error() << "direction=\"" << direction
                 << "\" is neither \"LEFT\" nor \"RIGHT\"";
    return;
  }
  node.setOutput(0, node.binary(direction == "LEFT" ? BinaryKind::ShiftLeft
                                                    : BinaryKind::ShiftRight,
                                node.in(0), node.in(1)));
}

void qcc::import::convertMod(Node &node) {
  bool fmod = node.boolAttr("fmod");
  if (!fmod && isa<FloatType>(node.elementType(0))) {
    node.error() << "floats need fmod=1";
    return;
  }
  node.setOutput(0, node.binary(fmod ? BinaryKind::FMod : BinaryKind::Mod,
                                node.in(0), node.in(1)));
}

void qcc::import::convertPow(Node &node) {
  Value base = node.in(0), exponent = legacyBroadcast(node);
  Type type = node.elementType(0);
  if (node.failed())
    return;
  // An integer to a fractional power is computed as a float.
  if (isa<IntegerType>(type) && isa<FloatType>(Node::elementTypeOf(exponent))) {
    Value power =
        node.binary(BinaryKind::Pow,
                    node.cast(base, Node::elementTypeOf(exponent)), exponent);
    return node.setOutput(0, node.cast(power, type));
  }
  node.setOutput(0,
                 node.binary(BinaryKind::Pow, base, node.cast(exponent, type)));
}

void qcc::import::convertPRelu(Node &node) {
  Value slope = node.in(1);
  // Before opset 7 (and in some later models) a vector is one per channel.
  bool perChannel = node.opset() < 7 && node.rank(1) == 1 && node.rank(0) > 2;
  if (perChannel) {
    SmallVector<int64_t> shape(size_t(node.rank(0) - 1), 1);
    shape[0] = node.shape(1)[0];
    slope = node.reshape(slope, shape);
  }
  node.setOutput(0, node.binary(BinaryKind::PRelu, node.in(0), slope));
}

void qcc::import::convertVariadic(Node &node) {
  StringRef op = node.opType();
  BinaryKind kind = op == "Max"   ? BinaryKind::Max
                    : op == "Min" ? BinaryKind::Min
                                  : BinaryKind::Add;
  Value result = node.in(0);
  for (unsigned i = 1, e = node.numInputs(); i < e; ++i) {
    if (!node.has(i)) {
      node.error() << "operand " << i << " is missing";
      return;
    }
    result = node.binary(kind, result, node.in(i));
  }
  if (op == "Mean" && node.numInputs() > 1)
    result = node.binary(BinaryKind::Div, result,
                         node.scalarLike(node.in(0), node.numInputs()));
  node.setOutput(0, result);
}

void qcc::import::convertWhere(Node &node) {
  if (!node.elementType(0).isInteger(1)) {
    node.error() << "the condition must be bool";
    return;
  }
  if (node.elementType(1) != node.elementType(2)) {
    node.error() << "operands of different types " << node.elementType(1)
                 << " and " << node.elementType(2);
    return;
  }
  node.setOutput(0, node.select(node.in(0), node.in(1), node.in(2)));
}

void qcc::import::convertCast(Node &node) {
  int64_t code = node.requiredIntAttr("to");
  if (node.failed())
    return;
  DType dtype = dtypeOfCode(int32_t(
      std::clamp<int64_t>(code, -1, std::numeric_limits<int32_t>::max())));
  Type type = getElementType(node.getContext(), dtype);
  if (!type || dtype == DType::I4 || dtype == DType::U4) {
    node.error() << "conversion to element type "
                 << codeName(int32_t(std::clamp<int64_t>(code, -1, 1000)))
                 << " (" << code << ") is not supported";
    return;
  }
  node.setOutput(0, node.cast(node.in(0), type));
}

void qcc::import::convertCastLike(Node &node) {
  node.setOutput(0, node.cast(node.in(0), node.elementType(1)), node.dtype(1));
}

void qcc::import::convertGelu(Node &node) {
  StringRef approximate = node.stringAttr("approximate", "none");
  if (approximate != "none" && approximate != "tanh") {
    node.error() << "approximate=\"" << approximate << "\" is unknown";
    return;
  }
  node.setOutput(0, node.unary(approximate == "tanh" ? UnaryKind::GeluTanh
                                                     : UnaryKind::Gelu,
                               node.in(0)));
}

void qcc::import::convertSwish(Node &node) {
  float alpha = node.floatAttr("alpha", 1.f);
  Value x = node.in(0);
  if (alpha == 1.f)
    return node.setOutput(0, node.unary(UnaryKind::Silu, x));
  Value scaled = node.binary(BinaryKind::Mul, x, node.scalarLike(x, alpha));
  node.setOutput(0, node.binary(BinaryKind::Mul, x,
                                node.unary(UnaryKind::Sigmoid, scaled)));
}

void qcc::import::convertIdentity(Node &node) {
  node.setOutput(0, node.in(0), node.dtype(0));
}

void qcc::import::convertDropout(Node &node) {
  if (auto training = node.has(2) ? getConstantInts(node.in(2)) : std::nullopt;
      node.has(2) && (!training || llvm::any_of(*training, [](int64_t v) {
        return v != 0;
      }))) {
    node.error() << "training mode is not supported; export the model for "
                    "inference";
    return;
  }
  node.setOutput(0, node.in(0), node.dtype(0));
  if (!node.wantsOutput(1))
    return;
  // Before opset 10 the mask had the type of the data.
  Type maskType =
      node.opset() < 10 ? node.elementType(0) : node.getBuilder().getI1Type();
  node.setOutput(1, node.splat(node.shape(0), maskType, 1));
}
