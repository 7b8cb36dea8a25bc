//===- RecurrentKernels.cpp - Generator of recurrence kernels -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelLists.h"
#include "RecurrentKernel.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// The most stack that a kernel may take.
static constexpr int64_t kMaxStackBytes = 96 * 1024;

template <typename T>
static Value constant(KernelEmitter &emitter, StringRef stem, Type element,
                      ArrayRef<T> values) {
  return emitter.constant(stem,
                          MemRefType::get({int64_t(values.size())}, element),
                          {reinterpret_cast<const char *>(values.data()),
                           values.size() * sizeof(T)});
}

namespace {
/// 8-bit weights with signed storage, and what is known of their columns.
struct IntegerWeights {
  std::vector<int8_t> packed;
  std::vector<int32_t> sums, zeroPoints; ///< per padded column
  std::vector<float> scales;
};
} // namespace

static std::optional<IntegerWeights> packIntegers(RecurrenceOp op,
                                                  RecurrentPlan &plan) {
  auto type = cast<quant::QuantizedType>(
      tensorTypeOf(op.getWeights()).getElementType());
  std::optional<ChannelParams> params = ChannelParams::get(type);
  std::optional<ConstantBytes> bytes = ConstantBytes::get(op.getWeights());
  if (!params || !bytes)
    return std::nullopt;
  // Unsigned weights are stored with 128 less.
  int shift = type.isSigned() ? 0 : 128;
  auto stored = [&](int64_t column, int64_t k) {
    int64_t at = column * plan.hidden + k;
    return type.isSigned() ? int(bytes->as<int8_t>()[at])
                           : int(bytes->as<uint8_t>()[at]) - shift;
  };
  IntegerWeights weights;
  weights.sums.assign(plan.paddedColumns(), 0);
  weights.zeroPoints.assign(plan.paddedColumns(), 0);
  weights.scales.assign(plan.paddedColumns(), 0);
  for (int64_t column = 0; column < plan.columns(); ++column) {
    size_t channel = params->scales.size() == 1 ? 0 : column;
    int64_t to = plan.paddedColumn(column);
    weights.scales[to] = params->scales[channel];
    weights.zeroPoints[to] = params->zeroPoints[channel] - shift;
    plan.hasWeightZeroPoints |= weights.zeroPoints[to] != 0;
    for (int64_t k = 0; k < plan.hidden; ++k)
      weights.sums[to] += stored(column, k);
  }
  plan.forEachWeight([&](int64_t column, int64_t k) {
    weights.packed.push_back(column < 0 ? 0 : stored(column, k));
  });
  return weights;
}

/// Weights of T, a float or the bits of a narrower one.
template <typename T>
static std::vector<T> packReals(ArrayRef<T> values, const RecurrentPlan &plan) {
  std::vector<T> packed;
  plan.forEachWeight([&](int64_t column, int64_t k) {
    packed.push_back(column < 0 ? 0 : values[column * plan.hidden + k]);
  });
  return packed;
}

/// The constant of packed weights that are no integers; null where they are
/// not known.
static Value realWeights(RecurrenceOp op, const RecurrentPlan &plan,
                         KernelEmitter &emitter) {
  std::optional<ConstantBytes> bytes = ConstantBytes::get(op.getWeights());
  if (!bytes)
    return {};
  Type element = tensorTypeOf(op.getWeights()).getElementType();
  if (element.isF32())
    return constant<float>(emitter, "weights", element,
                           packReals(bytes->as<float>(), plan));
  return constant<uint16_t>(emitter, "weights", element,
                            packReals(bytes->as<uint16_t>(), plan));
}

static LogicalResult emitRecurrence(Operation *operation,
                                    KernelEmitter &emitter) {
  auto op = dyn_cast<RecurrenceOp>(operation);
  if (!op || !tensorTypeOf(op.getInput()).getElementType().isF32() ||
      op.getHiddenSize() == 0)
    return failure();
  RecurrentPlan plan(op, emitter.level());
  for (Attribute attribute : op.getActivations()) {
    auto activation = FloatActivation::get(cast<ActivationAttr>(attribute));
    if (!activation)
      return failure();
    plan.activations.push_back(*activation);
  }
  if (plan.stackBytes() > kMaxStackBytes ||
      plan.hidden > std::numeric_limits<int32_t>::max() / (255 * 255))
    return failure();

  Builder b(op.getContext());
  SmallVector<Value> buffers = {emitter.buffer(op.getInput())};
  if (plan.isInteger) {
    std::optional<IntegerWeights> weights = packIntegers(op, plan);
    if (!weights)
      return failure();
    buffers.push_back(
        constant<int8_t>(emitter, "weights", b.getI8Type(), weights->packed));
    buffers.push_back(
        constant<int32_t>(emitter, "sums", b.getI32Type(), weights->sums));
    buffers.push_back(
        constant<float>(emitter, "scales", b.getF32Type(), weights->scales));
    if (plan.hasWeightZeroPoints)
      buffers.push_back(constant<int32_t>(emitter, "zero_points",
                                          b.getI32Type(), weights->zeroPoints));
  } else {
    Value weights = realWeights(op, plan, emitter);
    if (!weights)
      return failure();
    buffers.push_back(weights);
  }
  buffers.push_back(emitter.buffer(op.getStates()));
  buffers.push_back(emitter.buffer(op.getLastState()));
  std::string key = plan.key() + " ";
  for (Value optional :
       {op.getBias(), op.getInitialState(), op.getInitialCell(),
        op.getPeepholes(), op.getLengths(), op.getLastCell()}) {
    key += optional ? '1' : '0';
    if (optional)
      buffers.push_back(emitter.buffer(optional));
  }

  auto scratch = [&](int64_t copies) {
    buffers.push_back(emitter.scratch(
        MemRefType::get({copies * plan.paddedStates()}, b.getF32Type())));
  };
  scratch(2);
  if (plan.resetsFirst()) {
    scratch(1);
    scratch(1);
  }

  func::FuncOp kernel = emitter.kernel(
      "recurrence", key, ValueRange(buffers).getTypes(), op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        unsigned next = 0;
        auto flat = [&]() -> Value {
          Value value = values[next++];
          auto type = cast<MemRefType>(value.getType());
          int64_t count = type.getNumElements();
          return memref::ReinterpretCastOp::create(
              builder, loc, MemRefType::get({count}, type.getElementType()),
              value, /*offset=*/0, ArrayRef<int64_t>{count},
              ArrayRef<int64_t>{1});
        };
        auto flatIf = [&](Value tensor) { return tensor ? flat() : Value(); };
        RecurrentArguments args;
        args.input = flat();
        args.weights = flat();
        if (plan.isInteger) {
          args.sums = flat();
          args.scales = flat();
          if (plan.hasWeightZeroPoints)
            args.zeroPoints = flat();
        }
        args.states = flat();
        args.lastState = flat();
        args.bias = flatIf(op.getBias());
        args.initialState = flatIf(op.getInitialState());
        args.initialCell = flatIf(op.getInitialCell());
        args.peepholes = flatIf(op.getPeepholes());
        args.lengths = flatIf(op.getLengths());
        args.lastCell = flatIf(op.getLastCell());
        args.state = flat();
        if (plan.resetsFirst()) {
          args.update = flat();
          args.reset = flat();
        }
        RecurrentKernel(builder, loc, plan, args).emit(begin, end);
      });
  // For the model of costs: at each step, by each group of sequences.
  kernel->setAttr(
      "qcc.constant_reads",
      b.getI64IntegerAttr(op.getNumSteps() * (plan.sequences / plan.rows)));
  if (plan.sharesRounds())
    emitter.call(kernel, buffers, plan.slices, op.getLoc(), plan.rounds());
  else
    emitter.call(kernel, buffers, plan.sequences / plan.rows, op.getLoc());
  return success();
}

void qcc::populateRecurrentKernels(KernelGenerators &generators) {
  generators.push_back({"recurrent", emitRecurrence});
}
