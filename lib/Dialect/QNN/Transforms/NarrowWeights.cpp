//===- NarrowWeights.cpp - Float weights in 16 bits -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/NarrowWeights.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

namespace qcc::qnn {
#define GEN_PASS_DEF_NARROWWEIGHTS
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Weights beyond the first-level cache.
static constexpr int64_t manyBytes = 64 * 1024;
/// Recurrent weights that a second-level cache holds are read from it at every
/// step as fast as they are widened.
static constexpr int64_t manyRecurrentBytes = 2 * 1024 * 1024;

/// The bits of `x` as bf16, rounded to nearest, ties to even; |x| is finite.
static uint16_t toBrain(float x) {
  auto bits = llvm::bit_cast<uint32_t>(x);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// The bits of `x` as f16, rounded to nearest, ties to even; infinite where it
/// is too large.
static uint16_t toHalf(float x) {
  auto bits = llvm::bit_cast<uint32_t>(x);
  uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x477ff000)
    return uint16_t(sign | 0x7c00);
  if (magnitude <
      0x38800000) { // subnormal: adding 0.5 rounds at its last place
    float sum = llvm::bit_cast<float>(magnitude) + 0.5f;
    return uint16_t(sign | (llvm::bit_cast<uint32_t>(sum) - 0x3f000000));
  }
  uint32_t odd = magnitude >> 13 & 1;
  return uint16_t(sign | (magnitude - 0x38000000 + 0xfff + odd) >> 13);
}

static float fromHalf(uint16_t half) {
  uint32_t magnitude = uint32_t(half & 0x7fff) << 13;
  float value = magnitude < 0x00800000
                    ? llvm::bit_cast<float>(magnitude + 0x38800000) - 0x1p-14f
                    : llvm::bit_cast<float>(magnitude + 0x38000000);
  return half & 0x8000 ? -value : value;
}

static float fromBits(uint16_t bits, bool isHalf) {
  return isHalf ? fromHalf(bits) : llvm::bit_cast<float>(uint32_t(bits) << 16);
}

namespace {
/// Weights in 16 bits.
struct NarrowBits {
  std::vector<uint16_t> bits;
  bool isExact = true;
};
} // namespace

/// Nothing where a value is not finite in 16 bits.
static std::optional<uint16_t> convert(float value, bool isHalf) {
  if (!std::isfinite(value))
    return std::nullopt;
  uint16_t bits = isHalf ? toHalf(value) : toBrain(value);
  if ((bits & 0x7fff) == (isHalf ? 0x7c00 : 0x7f80))
    return std::nullopt;
  return bits;
}

static std::optional<NarrowBits> convert(ArrayRef<float> values,
                                         FloatType type) {
  bool isHalf = type.isF16();
  NarrowBits result;
  result.bits.reserve(values.size());
  for (float value : values) {
    std::optional<uint16_t> converted = convert(value, isHalf);
    if (!converted)
      return std::nullopt;
    result.isExact &= fromBits(*converted, isHalf) == value;
    result.bits.push_back(*converted);
  }
  return result;
}

static bool isF32(Value value) {
  return tensorTypeOf(value).getElementType().isF32();
}

bool qcc::qnn::hasNarrowForm(Operation *op) {
  auto conv = dyn_cast<ConvOp>(op);
  if (!isa<ConvOp, MatmulOp, RecurrenceOp>(op) || (conv && conv.isDepthwise()))
    return false;
  Value weights = op->getOperand(1);
  return weights.getDefiningOp<ConstantOp>() && isF32(weights) &&
         tensorTypeOf(weights).getRank() >= 2 && isF32(op->getOperand(0)) &&
         isF32(op->getResult(0));
}

double qcc::qnn::getNarrowingError(Operation *op, FloatType type) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  auto bytes =
      hasNarrowForm(op) ? ConstantBytes::get(op->getOperand(1)) : std::nullopt;
  if (!bytes)
    return infinity;
  double error = 0;
  for (float value : bytes->as<float>()) {
    std::optional<uint16_t> bits = convert(value, type.isF16());
    if (!bits)
      return infinity;
    double change = double(fromBits(*bits, type.isF16())) - double(value);
    error += change * change;
  }
  return error;
}

FloatType qcc::qnn::getNarrowType(Operation *op) {
  for (Value operand : op->getOperands()) {
    if (auto lookup = operand.getDefiningOp<GatherOp>(); isa<CastOp>(op))
      operand = lookup ? lookup.getInput() : operand;
    auto type = dyn_cast<FloatType>(tensorTypeOf(operand).getElementType());
    if (type && (type.isF16() || type.isBF16()) &&
        operand.getDefiningOp<ConstantOp>())
      return type;
  }
  return {};
}

WeightNarrower::Result WeightNarrower::narrow(OpOperand &operand,
                                              FloatType type) {
  auto constant = operand.get().getDefiningOp<ConstantOp>();
  auto [entry, isNew] =
      known.try_emplace({constant, type}, Narrowed{Result::OutOfRange, {}});
  Narrowed &narrowed = entry->second;
  if (isNew)
    if (auto bytes = ConstantBytes::get(constant.getValue()))
      if (auto converted = convert(bytes->as<float>(), type)) {
        bool isWanted = converted->isExact || !onlyExact;
        narrowed.result = isWanted ? Result::Done : Result::Inexact;
        OpBuilder b(constant);
        ArrayRef<char> data(
            reinterpret_cast<const char *>(converted->bits.data()),
            converted->bits.size() * sizeof(uint16_t));
        if (isWanted)
          narrowed.constant = createConstant(
              b, constant.getLoc(), tensorTypeOf(operand.get()).clone(type),
              data, "weights");
      }
  if (narrowed.constant)
    operand.set(narrowed.constant);
  return narrowed.result;
}

WeightNarrower::Result WeightNarrower::narrow(Operation *op, FloatType type) {
  return hasNarrowForm(op) ? narrow(op->getOpOperand(1), type) : Result::NoForm;
}

WeightNarrower::Result WeightNarrower::narrowTable(Operation *op,
                                                   FloatType type) {
  auto lookup = dyn_cast<GatherOp>(op);
  if (!lookup || !lookup.getInput().getDefiningOp<ConstantOp>() ||
      !isF32(lookup.getInput()))
    return Result::NoForm;
  int64_t elements = tensorTypeOf(lookup.getInput()).getNumElements();
  if (elements * 4 < manyBytes ||
      tensorTypeOf(lookup.getResult()).getNumElements() > elements / 2)
    return Result::NoForm;
  Result result = narrow(op->getOpOperand(0), type);
  if (result != Result::Done)
    return result;
  RankedTensorType wide = tensorTypeOf(lookup.getResult());
  lookup.getResult().setType(wide.clone(Type(type)));
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(op);
  Value cast = CastOp::create(b, op->getLoc(), wide, lookup.getResult());
  lookup.getResult().replaceAllUsesExcept(cast, cast.getDefiningOp());
  return result;
}

void WeightNarrower::eraseUnused() {
  llvm::SmallPtrSet<Operation *, 8> sources;
  for (auto &[key, narrowed] : known)
    sources.insert(key.first);
  for (Operation *source : sources)
    if (source->use_empty())
      source->erase();
  known.clear();
}

/// Whether reading the weights of `op` takes longer than multiplying.
static bool readsLong(Operation *op) {
  RankedTensorType weights = tensorTypeOf(op->getOperand(1));
  RankedTensorType result = tensorTypeOf(op->getResult(0));
  int64_t columns =
      isa<MatmulOp>(op) ? result.getShape().back() : weights.getDimSize(0);
  int64_t results = result.getNumElements();
  // A recurrent layer reads them at every step, for all sequences.
  if (auto recurrence = dyn_cast<RecurrenceOp>(op))
    return recurrence.getNumSequences() <= kFewRows &&
           weights.getNumElements() * 4 >= manyRecurrentBytes;
  return columns != 0 && results <= kFewRows * columns &&
         weights.getNumElements() * 4 >= manyBytes;
}

namespace {
struct NarrowWeights : qcc::qnn::impl::NarrowWeightsBase<NarrowWeights> {
  using Base::Base;

  void runOnOperation() override {
    if (!type.empty() && type != "f16" && type != "bf16") {
      getOperation()->emitError("qnn-narrow-weights: no type '") << type << "'";
      return signalPassFailure();
    }
    WeightNarrower narrower(/*onlyExact=*/type.empty());
    getOperation()->walk([&](Operation *op) {
      if (isa<GatherOp>(op) || hasNarrowForm(op))
        narrow(op, narrower);
    });
    narrower.eraseUnused();
  }

private:
  void narrow(Operation *op, WeightNarrower &narrower) {
    using Result = WeightNarrower::Result;
    FloatType half = Float16Type::get(op->getContext());
    FloatType brain = BFloat16Type::get(op->getContext());
    auto apply = [&](FloatType to) {
      return isa<GatherOp>(op) ? narrower.narrowTable(op, to)
                               : narrower.narrow(op, to);
    };
    if (!type.empty()) {
      if (apply(type == "f16" ? half : brain) == Result::OutOfRange)
        emitRemark(op->getLoc())
            << "weights that " << type << " cannot hold stay float32";
      return;
    }
    if (!isa<GatherOp>(op) && !readsLong(op))
      return;
    if (apply(half) != Result::Done)
      apply(brain);
  }
};
} // namespace
