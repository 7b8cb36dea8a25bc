//===- EvaluateArithmetic.cpp - Values of ops that compute ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EvaluateDetail.h"
#include "qcc/Dialect/QNN/IR/Evaluate.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

using Bytes = std::vector<char>;

//===----------------------------------------------------------------------===//
// Numbers in and out of storage
//===----------------------------------------------------------------------===//

namespace {
/// The elements of a plain tensor: doubles, or integers of at most 64 bits
/// (u64 as its bit pattern).
struct Numbers {
  bool real = false, isUnsigned = false;
  std::vector<double> reals;
  std::vector<int64_t> ints;
};
} // namespace

template <typename T> static void append(Numbers &to, const Constant &from) {
  for (T value : from.data.as<T>())
    if constexpr (std::is_floating_point_v<T>)
      to.reals.push_back(value);
    else
      to.ints.push_back(int64_t(value));
}

static std::optional<Numbers> decode(const Constant &constant) {
  Type type = constant.type.getElementType();
  if (isQuantized(type))
    return std::nullopt;
  Numbers result;
  result.real = isa<FloatType>(type);
  result.isUnsigned = type.isUnsignedInteger() || type.isInteger(1);
  switch (getDType(type)) {
  case DType::F32:
    append<float>(result, constant);
    return result;
  case DType::F64:
    append<double>(result, constant);
    return result;
  case DType::F16:
  case DType::BF16:
    for (uint16_t bits : constant.data.as<uint16_t>())
      result.reals.push_back(
          APFloat(cast<FloatType>(type).getFloatSemantics(), APInt(16, bits))
              .convertToDouble());
    return result;
  case DType::Bool:
  case DType::U8:
    append<uint8_t>(result, constant);
    return result;
  case DType::I8:
    append<int8_t>(result, constant);
    return result;
  case DType::U16:
    append<uint16_t>(result, constant);
    return result;
  case DType::I16:
    append<int16_t>(result, constant);
    return result;
  case DType::U32:
    append<uint32_t>(result, constant);
    return result;
  case DType::I32:
    append<int32_t>(result, constant);
    return result;
  case DType::U64:
    append<uint64_t>(result, constant);
    return result;
  case DType::I64:
    append<int64_t>(result, constant);
    return result;
  default:
    return std::nullopt;
  }
}

/// Collects the elements of a result in storage form. Integers wrap.
namespace {
class Encoder {
public:
  explicit Encoder(Type type)
      : type(type), real(dyn_cast<FloatType>(type)), width(elementWidth(type)) {
  }

  void add(double value) { add(APFloat(value)); }
  void add(APFloat value) {
    bool loses;
    value.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &loses);
    raw(value.bitcastToAPInt().getZExtValue());
  }
  void add(int64_t value) {
    raw(type.isInteger(1) ? uint64_t(value != 0) : uint64_t(value));
  }
  /// `value` as it is after storing it: rounded to the float type.
  double rounded(double value) const {
    if (type.isF32())
      return float(value);
    APFloat number(value);
    bool loses;
    number.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &loses);
    return number.convertToDouble();
  }
  Bytes take() { return std::move(bytes); }

private:
  void raw(uint64_t bits) {
    const char *from = reinterpret_cast<const char *>(&bits);
    bytes.insert(bytes.end(), from, from + width);
  }
  Type type;
  FloatType real;
  size_t width;
  Bytes bytes;
};
} // namespace

//===----------------------------------------------------------------------===//
// Functions of numbers
//===----------------------------------------------------------------------===//

static double elu(double x, double alpha) {
  return x < 0 ? alpha * std::expm1(x) : x;
}
static double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double qcc::qnn::evaluateUnary(UnaryKind kind, double x, double alpha,
                               double beta) {
  constexpr double kSqrt2OverPi = 0.7978845608028653559;
  switch (kind) {
  case UnaryKind::Identity:
    return x;
  case UnaryKind::Relu:
    return x < 0 ? 0 : x;
  case UnaryKind::Clamp:
    return x < alpha ? alpha : x > beta ? beta : x;
  case UnaryKind::LeakyRelu:
    return x < 0 ? alpha * x : x;
  case UnaryKind::Sigmoid:
    return sigmoid(x);
  case UnaryKind::Tanh:
    return std::tanh(x);
  case UnaryKind::HardSigmoid:
    return std::clamp(alpha * x + beta, 0.0, 1.0);
  case UnaryKind::HardSwish:
    return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
  case UnaryKind::Silu:
    return x * sigmoid(x);
  case UnaryKind::Gelu:
    return 0.5 * x * (1 + std::erf(x * llvm::numbers::sqrt2 / 2));
  case UnaryKind::GeluTanh:
    return 0.5 * x * (1 + std::tanh(kSqrt2OverPi * (x + 0.044715 * x * x * x)));
  case UnaryKind::Elu:
    return elu(x, alpha);
  case UnaryKind::Selu:
    return beta * elu(x, alpha);
  case UnaryKind::Celu:
    return x < 0 ? alpha * std::expm1(x / alpha) : x;
  case UnaryKind::ThresholdedRelu:
    return x > alpha ? x : 0;
  case UnaryKind::Softplus:
    return softplus(x);
  case UnaryKind::Softsign:
    return x / (1 + std::abs(x));
  case UnaryKind::Mish:
    return x * std::tanh(softplus(x));
  case UnaryKind::Exp:
    return std::exp(x);
  case UnaryKind::Log:
    return std::log(x);
  case UnaryKind::Sqrt:
    return std::sqrt(x);
  case UnaryKind::Reciprocal:
    return 1 / x;
  case UnaryKind::Neg:
    return -x;
  case UnaryKind::Abs:
    return std::abs(x);
  case UnaryKind::Floor:
    return std::floor(x);
  case UnaryKind::Ceil:
    return std::ceil(x);
  case UnaryKind::Round:
    return std::nearbyint(x);
  case UnaryKind::Sign:
    return x > 0 ? 1 : x < 0 ? -1 : x;
  case UnaryKind::Erf:
    return std::erf(x);
  case UnaryKind::Sin:
    return std::sin(x);
  case UnaryKind::Cos:
    return std::cos(x);
  case UnaryKind::Tan:
    return std::tan(x);
  case UnaryKind::Asin:
    return std::asin(x);
  case UnaryKind::Acos:
    return std::acos(x);
  case UnaryKind::Atan:
    return std::atan(x);
  case UnaryKind::Not:
    return x == 0;
  case UnaryKind::IsNaN:
    return std::isnan(x);
  case UnaryKind::Shrink:
    return x < -alpha ? x + beta : x > alpha ? x - beta : 0;
  case UnaryKind::Affine:
    return alpha * x + beta;
  case UnaryKind::ScaledTanh:
    return alpha * std::tanh(beta * x);
  }
  llvm_unreachable("all kinds are handled");
}

/// Integer kinds; nothing where the kind has no integer meaning.
static std::optional<int64_t> integerUnary(UnaryOp op, int64_t x,
                                           bool isUnsigned) {
  switch (op.getKind()) {
  case UnaryKind::Identity:
    return x;
  case UnaryKind::Not:
    return x == 0;
  case UnaryKind::Relu:
    return isUnsigned ? x : std::max<int64_t>(x, 0);
  case UnaryKind::Neg:
    return int64_t(-uint64_t(x));
  case UnaryKind::Abs:
    return isUnsigned || x >= 0 ? x : int64_t(-uint64_t(x));
  case UnaryKind::Sign:
    return x == 0 ? 0 : isUnsigned || x > 0 ? 1 : -1;
  default:
    return std::nullopt;
  }
}

static double realBinary(BinaryKind kind, double a, double b) {
  switch (kind) {
  case BinaryKind::Add:
    return a + b;
  case BinaryKind::Sub:
    return a - b;
  case BinaryKind::Mul:
    return a * b;
  case BinaryKind::Div:
    return a / b;
  case BinaryKind::Pow:
    return std::pow(a, b);
  case BinaryKind::Min:
    return std::isnan(a) || a < b ? a : b;
  case BinaryKind::Max:
    return std::isnan(a) || a > b ? a : b;
  case BinaryKind::Mod: {
    double r = std::fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
  case BinaryKind::FMod:
    return std::fmod(a, b);
  case BinaryKind::PRelu:
    return a < 0 ? a * b : a;
  case BinaryKind::Equal:
    return a == b;
  case BinaryKind::Less:
    return a < b;
  case BinaryKind::LessEqual:
    return a <= b;
  case BinaryKind::Greater:
    return a > b;
  case BinaryKind::GreaterEqual:
    return a >= b;
  case BinaryKind::And:
  case BinaryKind::Or:
  case BinaryKind::Xor:
  case BinaryKind::ShiftLeft:
  case BinaryKind::ShiftRight:
    break;
  }
  llvm_unreachable("the verifier rejects bitwise ops on floats");
}

/// Division and remainder of integers; nothing for a divisor of 0.
static std::optional<int64_t> divide(BinaryKind kind, int64_t a, int64_t b,
                                     bool isUnsigned) {
  if (b == 0)
    return std::nullopt;
  if (isUnsigned)
    return int64_t(kind == BinaryKind::Div ? uint64_t(a) / uint64_t(b)
                                           : uint64_t(a) % uint64_t(b));
  if (b == -1) // the quotient of the smallest integer overflows
    return kind == BinaryKind::Div ? int64_t(-uint64_t(a)) : 0;
  if (kind == BinaryKind::Div)
    return a / b;
  int64_t r = a % b;
  return kind == BinaryKind::Mod && r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static std::optional<int64_t> power(int64_t base, int64_t exponent,
                                    bool isUnsigned) {
  if (!isUnsigned && exponent < 0)
    return std::nullopt;
  uint64_t result = 1, factor = uint64_t(base);
  for (uint64_t e = uint64_t(exponent); e != 0; e >>= 1, factor *= factor)
    if (e & 1)
      result *= factor;
  return int64_t(result);
}

static std::optional<int64_t> integerBinary(BinaryKind kind, int64_t a,
                                            int64_t b, bool isUnsigned) {
  bool less = isUnsigned ? uint64_t(a) < uint64_t(b) : a < b;
  switch (kind) {
  case BinaryKind::Add:
    return int64_t(uint64_t(a) + uint64_t(b));
  case BinaryKind::Sub:
    return int64_t(uint64_t(a) - uint64_t(b));
  case BinaryKind::Mul:
    return int64_t(uint64_t(a) * uint64_t(b));
  case BinaryKind::Div:
  case BinaryKind::Mod:
  case BinaryKind::FMod:
    return divide(kind, a, b, isUnsigned);
  case BinaryKind::Pow:
    return power(a, b, isUnsigned);
  case BinaryKind::Min:
    return less ? a : b;
  case BinaryKind::Max:
    return less ? b : a;
  case BinaryKind::PRelu:
    return !isUnsigned && a < 0 ? int64_t(uint64_t(a) * uint64_t(b)) : a;
  case BinaryKind::And:
    return a & b;
  case BinaryKind::Or:
    return a | b;
  case BinaryKind::Xor:
    return a ^ b;
  case BinaryKind::ShiftLeft: // of unsigned integers only
    return uint64_t(b) < 64 ? int64_t(uint64_t(a) << b) : 0;
  case BinaryKind::ShiftRight:
    return uint64_t(b) < 64 ? int64_t(uint64_t(a) >> b) : 0;
  case BinaryKind::Equal:
    return a == b;
  case BinaryKind::Less:
    return less;
  case BinaryKind::LessEqual:
    return less || a == b;
  case BinaryKind::Greater:
    return !less && a != b;
  case BinaryKind::GreaterEqual:
    return !less;
  }
  llvm_unreachable("all kinds are handled");
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

static std::optional<Bytes> unary(UnaryOp op, const Numbers &input) {
  Encoder out(elementType(op.getResult()));
  if (!input.real) {
    for (int64_t x : input.ints) {
      auto y = integerUnary(op, x, input.isUnsigned);
      if (!y)
        return std::nullopt;
      out.add(*y);
    }
    return out.take();
  }
  double alpha = op.getAlpha().convertToDouble();
  double beta = op.getBeta().convertToDouble();
  for (double x : input.reals) {
    double y = evaluateUnary(op.getKind(), x, alpha, beta);
    if (isa<FloatType>(elementType(op.getResult())))
      out.add(y);
    else
      out.add(int64_t(y));
  }
  return out.take();
}

static std::optional<Bytes> binary(BinaryOp op, ArrayRef<Constant> operands,
                                   const Numbers &lhs, const Numbers &rhs) {
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  Type outType = elementType(op.getResult());
  Encoder out(outType);
  bool defined = true;
  auto activation = op.getActivation();
  forEachIndex<2>(
      shape,
      {broadcastStrides(operands[0].shape(), shape),
       broadcastStrides(operands[1].shape(), shape)},
      [&](std::array<int64_t, 2> at) {
        if (!lhs.real) {
          auto y = integerBinary(op.getKind(), lhs.ints[at[0]], rhs.ints[at[1]],
                                 lhs.isUnsigned);
          defined &= y.has_value();
          out.add(y.value_or(0));
          return;
        }
        double y = realBinary(op.getKind(), lhs.reals[at[0]], rhs.reals[at[1]]);
        if (!isa<FloatType>(outType))
          return out.add(int64_t(y));
        if (activation)
          y = evaluateUnary(activation->getKind(), out.rounded(y),
                            activation->alpha(), activation->beta());
        out.add(y);
      });
  if (!defined)
    return std::nullopt;
  return out.take();
}

static std::optional<Bytes> cast(CastOp op, const Numbers &input) {
  Type to = elementType(op.getResult());
  Encoder out(to);
  if (auto real = dyn_cast<FloatType>(to)) {
    for (double x : input.reals)
      out.add(x);
    for (int64_t x : input.ints) {
      // Directly: by way of double, large integers would be rounded twice.
      APFloat number(real.getFloatSemantics());
      number.convertFromAPInt(APInt(64, uint64_t(x)), !input.isUnsigned,
                              APFloat::rmNearestTiesToEven);
      out.add(number);
    }
    return out.take();
  }
  for (int64_t x : input.ints)
    out.add(x);
  auto integer = dyn_cast<IntegerType>(to);
  if (!integer)
    return std::nullopt;
  bool isBool = to.isInteger(1);
  double low =
      to.isUnsignedInteger() ? 0 : -std::ldexp(1, integer.getWidth() - 1);
  double high = std::ldexp(1, to.isUnsignedInteger() ? integer.getWidth()
                                                     : integer.getWidth() - 1);
  for (double x : input.reals) {
    double whole = std::trunc(x);
    if (isBool)
      out.add(int64_t(x != 0));
    else if (!(whole >= low && whole < high))
      return std::nullopt; // not defined: leave it to the machine
    else
      out.add(whole < 0 ? int64_t(whole) : int64_t(uint64_t(whole)));
  }
  return out.take();
}

static std::optional<Bytes> reduce(ReduceOp op, const Constant &operand,
                                   const Numbers &input) {
  // Kept dimensions first, then the reduced ones.
  Shape dense = denseStrides(operand.shape()), outer, inner;
  Shape outerStrides, innerStrides;
  for (auto [d, extent] : llvm::enumerate(operand.shape())) {
    bool reduced = llvm::is_contained(op.getAxes(), int64_t(d));
    (reduced ? inner : outer).push_back(extent);
    (reduced ? innerStrides : outerStrides).push_back(dense[d]);
  }
  int64_t count = ShapedType::getNumElements(inner);
  ReduceKind kind = op.getKind();
  bool extremum = kind == ReduceKind::Max || kind == ReduceKind::Min;
  bool sum = kind == ReduceKind::Sum || kind == ReduceKind::Prod;
  if ((count == 0 && !sum) || (!input.real && !sum && !extremum) ||
      !(sum || extremum || kind == ReduceKind::Mean))
    return std::nullopt;

  BinaryKind combine = kind == ReduceKind::Max    ? BinaryKind::Max
                       : kind == ReduceKind::Min  ? BinaryKind::Min
                       : kind == ReduceKind::Prod ? BinaryKind::Mul
                                                  : BinaryKind::Add;
  Encoder out(elementType(op.getResult()));
  forEachIndex<1>(outer, {outerStrides}, [&](std::array<int64_t, 1> at) {
    bool first = true;
    double real = kind == ReduceKind::Prod;
    int64_t integer = kind == ReduceKind::Prod;
    forEachIndex<1>(inner, {innerStrides}, [&](std::array<int64_t, 1> in) {
      int64_t i = at[0] + in[0];
      if (input.real)
        real = first && extremum ? input.reals[i]
                                 : realBinary(combine, real, input.reals[i]);
      else
        integer = first && extremum
                      ? input.ints[i]
                      : *integerBinary(combine, integer, input.ints[i],
                                       input.isUnsigned);
      first = false;
    });
    if (!input.real)
      out.add(integer);
    else
      out.add(kind == ReduceKind::Mean ? real / double(count) : real);
  });
  return out.take();
}

std::optional<Bytes>
qcc::qnn::detail::evaluateArithmetic(Operation *op,
                                     ArrayRef<Constant> operands) {
  if (!isa<UnaryOp, BinaryOp, CastOp, ReduceOp>(op) ||
      isQuantized(elementType(op->getResult(0))))
    return std::nullopt;
  SmallVector<Numbers, 2> numbers;
  for (const Constant &operand : operands) {
    auto decoded = decode(operand);
    if (!decoded)
      return std::nullopt;
    numbers.push_back(std::move(*decoded));
  }
  using Result = std::optional<Bytes>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](UnaryOp o) { return unary(o, numbers[0]); })
      .Case([&](BinaryOp o) {
        return binary(o, operands, numbers[0], numbers[1]);
      })
      .Case([&](CastOp o) { return cast(o, numbers[0]); })
      .Case([&](ReduceOp o) { return reduce(o, operands[0], numbers[0]); })
      .Default([](Operation *) { return std::nullopt; });
}
