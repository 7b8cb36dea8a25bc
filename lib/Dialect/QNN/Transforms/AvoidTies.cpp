//===- AvoidTies.cpp - Scales at which no addition is near a tie ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runtimes add two quantized tensors by several formulas in float32, which
// differ by some 1e-5 of a step. Of the 65,536 pairs of integers a few lie as
// near to a tie. The search here looks at those alone: the others round the
// same way whatever formula is taken.
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "PatternUtils.h"

#include "llvm/ADT/bit.h"

namespace qcc::qnn {
#define GEN_PASS_DEF_AVOIDTIES
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using quant::UniformQuantizedType;

/// Scales are changed by so many units in the last place.
static constexpr int kMostUlps = 16;
/// More than what any formula is off by, of a step, for each step that sums go
/// up to in units of 256: some roundings to float32 of values of that size.
static constexpr double kFormulaError = 4e-5;
/// So many of the best scales are tried with all formulas.
static constexpr size_t kMostTried = 200;

// Rounded to float32 whatever the compiler makes of it: the double operation is
// exact, or precise enough that rounding twice changes nothing.
static float product(float a, float b) { return float(double(a) * double(b)); }
static float sum(float a, float b) { return float(double(a) + double(b)); }
static float quotient(float a, float b) { return float(double(a) / double(b)); }

namespace {
/// quantize(a + b), operands quantized per tensor to 8 bits.
struct Addition {
  float scales[2], resultScale;
  float zeros[2], resultZero;
  double low, high; ///< of the result less its zero point

  double exact(float a, float b) const {
    return (double(a - zeros[0]) * double(scales[0]) +
            double(b - zeros[1]) * double(scales[1])) /
           double(resultScale);
  }
  /// Of a result before its zero point is added.
  double round(double value) const {
    return std::clamp(std::nearbyint(value), low, high);
  }
  /// As qcc computes it.
  double sumOfRatios(float a, float b) const {
    float first = product(a - zeros[0], quotient(scales[0], resultScale));
    float second = product(b - zeros[1], quotient(scales[1], resultScale));
    return round(double(sum(first, second)));
  }
  /// Dequantized, added, quantized.
  double sumOfReals(float a, float b) const {
    float first = product(a - zeros[0], scales[0]);
    float second = product(b - zeros[1], scales[1]);
    return round(double(quotient(sum(first, second), resultScale)));
  }
  /// All zero points in one number; operand `last` is added last.
  double sumWithOffset(float a, float b, unsigned last, bool fused) const {
    float ratios[] = {quotient(scales[0], resultScale),
                      quotient(scales[1], resultScale)};
    float offset = sum(resultZero, -sum(product(ratios[0], zeros[0]),
                                        product(ratios[1], zeros[1])));
    auto multiplyAdd = [&](float x, float y, float z) {
      return fused ? std::fma(x, y, z) : sum(product(x, y), z);
    };
    float numbers[] = {a, b};
    unsigned first = 1 - last;
    float value = multiplyAdd(numbers[first], ratios[first], offset);
    value = multiplyAdd(numbers[last], ratios[last], value);
    return std::clamp(std::nearbyint(double(value)) - double(resultZero), low,
                      high);
  }
  /// Whether all of them give `integer`.
  bool agrees(float a, float b, double integer) const {
    for (unsigned last : {0u, 1u})
      for (bool fused : {false, true})
        if (sumWithOffset(a, b, last, fused) != integer)
          return false;
    return sumOfRatios(a, b) == integer && sumOfReals(a, b) == integer;
  }
};

/// A pair of integers whose sum may be near a tie, and what it rounds to.
struct Pair {
  float a, b;
  double integer;
};

/// Two scales, and how near to a tie they let a sum come.
struct Candidate {
  float scales[2];
  double margin;
};
} // namespace

static float addUlps(float value, int ulps) {
  return llvm::bit_cast<float>(
      uint32_t(int64_t(llvm::bit_cast<uint32_t>(value)) + ulps));
}

static double distanceToTie(double value) {
  return std::abs(value - std::floor(value) - 0.5);
}

static std::vector<Pair> findPairs(const Addition &add,
                                   ArrayRef<UniformQuantizedType> operands) {
  double reach = kFormulaError;
  for (unsigned i : {0u, 1u})
    reach += (kFormulaError + kMostUlps * 0x1p-23 * 256) *
             double(add.scales[i]) / double(add.resultScale);
  std::vector<Pair> pairs;
  for (int64_t a = operands[0].getStorageTypeMin();
       a <= operands[0].getStorageTypeMax(); ++a)
    for (int64_t b = operands[1].getStorageTypeMin();
         b <= operands[1].getStorageTypeMax(); ++b) {
      double value = add.exact(float(a), float(b));
      if (value > add.low && value < add.high && distanceToTie(value) < reach)
        pairs.push_back(
            {float(a), float(b), add.sumOfRatios(float(a), float(b))});
    }
  return pairs;
}

static bool agree(const Addition &add, ArrayRef<Pair> pairs) {
  return llvm::all_of(pairs, [&](const Pair &pair) {
    return add.agrees(pair.a, pair.b, pair.integer);
  });
}

/// Scales at which every formula gives the integers of the given ones.
static std::optional<Candidate> findScales(const Addition &given,
                                           ArrayRef<Pair> pairs) {
  std::vector<Candidate> candidates;
  for (int first = -kMostUlps; first <= kMostUlps; ++first)
    for (int second = -kMostUlps; second <= kMostUlps; ++second) {
      Addition add = given;
      add.scales[0] = addUlps(given.scales[0], first);
      add.scales[1] = addUlps(given.scales[1], second);
      double margin = 1;
      for (const Pair &pair : pairs) {
        double value = add.exact(pair.a, pair.b);
        margin = add.round(value) == pair.integer
                     ? std::min(margin, distanceToTie(value))
                     : -1;
        if (margin < 0)
          break;
      }
      if (margin >= 0)
        candidates.push_back({{add.scales[0], add.scales[1]}, margin});
    }
  llvm::sort(candidates, [](const Candidate &a, const Candidate &b) {
    return std::tuple(-a.margin, a.scales[0], a.scales[1]) <
           std::tuple(-b.margin, b.scales[0], b.scales[1]);
  });
  for (const Candidate &candidate :
       ArrayRef(candidates).take_front(kMostTried)) {
    Addition add = given;
    llvm::copy(candidate.scales, add.scales);
    if (agree(add, pairs))
      return candidate;
  }
  return std::nullopt;
}

/// The sum that `quantize` rounds, maybe clamped before; the clamp's range
/// narrows `low` and `high`.
static BinaryOp getSum(QuantizeOp quantize, UniformQuantizedType type,
                       int64_t &low, int64_t &high) {
  Operation *op = quantize.getInput().getDefiningOp();
  ActivationAttr activation = op ? getActivation(op) : ActivationAttr();
  if (auto unary = dyn_cast_or_null<UnaryOp>(op)) {
    activation = ActivationAttr::get(op->getContext(), unary.getKind(),
                                     unary.getAlpha().convertToFloat(),
                                     unary.getBeta().convertToFloat());
    op = unary.getInput().getDefiningOp();
    if (!op || getActivation(op))
      return {};
  }
  auto add = dyn_cast_or_null<BinaryOp>(op);
  if (!add || add.getKind() != BinaryKind::Add)
    return {};
  if (!activation)
    return add;
  auto range = getClampRange(activation.getKind(), activation.alpha(),
                             activation.beta(), type);
  if (!range)
    return {};
  std::tie(low, high) = *range;
  return add;
}

namespace {
struct AvoidTies : qcc::qnn::impl::AvoidTiesBase<AvoidTies> {
  void runOnOperation() override {
    SmallVector<QuantizeOp> quantizes;
    getOperation()->walk([&](QuantizeOp op) { quantizes.push_back(op); });
    for (QuantizeOp op : quantizes)
      rescale(op);
  }

  void rescale(QuantizeOp op) {
    UniformQuantizedType result = getActivationType(op.getResult());
    if (!result)
      return;
    int64_t low = result.getStorageTypeMin(), high = result.getStorageTypeMax();
    BinaryOp add = getSum(op, result, low, high);
    if (!add)
      return;
    SmallVector<UniformQuantizedType> types;
    for (Value operand : add->getOperands()) {
      auto dequantize = operand.getDefiningOp<DequantizeOp>();
      auto type = dequantize ? getActivationType(dequantize.getInput())
                             : UniformQuantizedType();
      if (!type || dequantize.getInput().getDefiningOp<ConstantOp>())
        return;
      types.push_back(type);
    }
    Addition addition{
        {float(types[0].getScale()), float(types[1].getScale())},
        float(result.getScale()),
        {float(types[0].getZeroPoint()), float(types[1].getZeroPoint())},
        float(result.getZeroPoint()),
        double(low - result.getZeroPoint()),
        double(high - result.getZeroPoint())};
    std::vector<Pair> pairs = findPairs(addition, types);
    if (agree(addition, pairs))
      return;
    // What else reads the sum would get another one.
    bool isShared =
        llvm::any_of(op.getInput().getUsers(), [&](Operation *user) {
          auto other = dyn_cast<QuantizeOp>(user);
          return !other ||
                 other.getResult().getType() != op.getResult().getType();
        });
    if (isShared || (op.getInput() != add.getResult() && !add->hasOneUse())) {
      ++numMissed;
      return;
    }
    auto found = findScales(addition, pairs);
    if (!found) {
      ++numMissed;
      return;
    }
    for (auto [operand, type, scale] :
         llvm::zip(add->getOpOperands(), types, found->scales))
      if (scale != float(type.getScale()))
        setScale(operand, type, scale);
    ++numRescaled;
  }

  /// A dequantize of its own, which takes the integers for those of `scale`.
  void setScale(OpOperand &operand, UniformQuantizedType type, float scale) {
    auto dequantize = operand.get().getDefiningOp<DequantizeOp>();
    OpBuilder builder(operand.getOwner());
    Location loc = dequantize.getLoc();
    RankedTensorType shape = tensorTypeOf(operand.get());
    Value integers = StorageCastOp::create(
        builder, loc, shape.clone(getStorageType(type)), dequantize.getInput());
    Type other = UniformQuantizedType::get(
        type.getFlags(), type.getStorageType(), type.getExpressedType(),
        double(scale), type.getZeroPoint(), type.getStorageTypeMin(),
        type.getStorageTypeMax());
    Value quantized =
        StorageCastOp::create(builder, loc, shape.clone(other), integers);
    operand.set(DequantizeOp::create(builder, loc, shape, quantized));
  }
};
} // namespace
