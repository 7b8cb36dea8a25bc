//===- NarrowWeights.cpp - Float weights in 16 bits -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

namespace qcc::qnn {
#define GEN_PASS_DEF_NARROWWEIGHTS
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Weights that are read for so few rows at most take longer to read than to
/// multiply with, unless they fit in a first-level cache.
static constexpr int64_t fewRows = 4, manyBytes = 64 * 1024;

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

namespace {
/// Weights in 16 bits.
struct Narrow {
  Type type;
  std::vector<uint16_t> bits;
  bool isExact = true;
};

struct NarrowWeights : qcc::qnn::impl::NarrowWeightsBase<NarrowWeights> {
  using Base::Base;

  void runOnOperation() override {
    if (!type.empty() && type != "f16" && type != "bf16") {
      getOperation()->emitError("qnn-narrow-weights: no type '") << type << "'";
      return signalPassFailure();
    }
    getOperation()->walk([&](Operation *op) {
      if (isa<ConvOp, MatmulOp>(op))
        narrow(op);
    });
    for (auto [constant, narrowed] : done)
      if (constant->use_empty())
        constant->erase();
    done.clear();
  }

private:
  void narrow(Operation *op);
  std::optional<Narrow> convert(ArrayRef<float> values, Type to);

  /// What became of a constant; null where it stays.
  llvm::DenseMap<Operation *, Value> done;
};
} // namespace

std::optional<Narrow> NarrowWeights::convert(ArrayRef<float> values, Type to) {
  Narrow result{to, {}, true};
  result.bits.reserve(values.size());
  for (float value : values) {
    if (!std::isfinite(value))
      return std::nullopt;
    uint16_t bits = to.isF16() ? toHalf(value) : toBrain(value);
    float back = to.isF16() ? fromHalf(bits)
                            : llvm::bit_cast<float>(uint32_t(bits) << 16);
    if (!std::isfinite(back) ||
        (bits & 0x7fff) == (to.isF16() ? 0x7c00 : 0x7f80))
      return std::nullopt;
    result.isExact &= back == value;
    result.bits.push_back(bits);
  }
  return result;
}

void NarrowWeights::narrow(Operation *op) {
  auto isF32 = [](Value v) { return tensorTypeOf(v).getElementType().isF32(); };
  OpOperand &operand = op->getOpOperand(1);
  auto constant = operand.get().getDefiningOp<ConstantOp>();
  if (!constant || !llvm::all_of(op->getOperands(), isF32) ||
      !isF32(op->getResult(0)))
    return;
  RankedTensorType weights = tensorTypeOf(operand.get());
  if (auto conv = dyn_cast<ConvOp>(op); conv && conv.isDepthwise())
    return;
  if (weights.getRank() < 2)
    return;
  if (type.empty()) {
    int64_t columns = isa<ConvOp>(op)
                          ? weights.getDimSize(0)
                          : tensorTypeOf(op->getResult(0)).getShape().back();
    int64_t results = tensorTypeOf(op->getResult(0)).getNumElements();
    if (columns == 0 || results > fewRows * columns ||
        weights.getNumElements() * 4 < manyBytes)
      return;
  }

  auto [entry, isNew] = done.try_emplace(constant, Value());
  if (isNew) {
    std::optional<ConstantBytes> bytes =
        ConstantBytes::get(constant.getValue());
    if (!bytes)
      return;
    MLIRContext *context = op->getContext();
    Type half = Float16Type::get(context), brain = BFloat16Type::get(context);
    std::optional<Narrow> result;
    if (type != "bf16")
      result = convert(bytes->as<float>(), half);
    if (type == "bf16" || (type.empty() && (!result || !result->isExact)))
      result = convert(bytes->as<float>(), brain);
    if (!result && !type.empty())
      emitRemark(op->getLoc())
          << "weights that " << type << " cannot hold stay float32";
    if (!result || (type.empty() && !result->isExact))
      return;
    OpBuilder b(constant);
    entry->second = createConstant(
        b, constant.getLoc(), weights.clone(result->type),
        ArrayRef<char>(reinterpret_cast<const char *>(result->bits.data()),
                       result->bits.size() * 2),
        "weights");
  }
  if (entry->second)
    operand.set(entry->second);
}
