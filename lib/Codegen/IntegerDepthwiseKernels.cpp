//===- IntegerDepthwiseKernels.cpp - Depthwise ConvInteger ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Depthwise convolutions of bytes whose zero point is known at run time, as
// dynamically quantized models have them, by columns (ColumnDepthwisePlan.h)
// with the elementwise ops behind them.
//
//===----------------------------------------------------------------------===//

#include "ColumnDepthwise.h"
#include "Interleave.h"
#include "KernelLists.h"
#include "Product.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::LoopBuilder;

/// Filters of volumes that have so many elements or fewer are for the reference
/// kernel, which copies no input.
static constexpr int64_t smallFilter = 4;

namespace {
struct IntegerDepthwise {
  DepthwisePart part;
  ColumnDepthwise kernel;
  bool flips; ///< the activations' sign is not what the dot product wants

  /// Nothing where there is no kernel of this kind.
  static std::optional<IntegerDepthwise> match(ConvIntegerOp op,
                                               const TargetLevel &level);
};
} // namespace

static bool isUnsigned(Value value) {
  return tensorTypeOf(value).getElementType().isUnsignedInteger();
}

std::optional<IntegerDepthwise>
IntegerDepthwise::match(ConvIntegerOp op, const TargetLevel &level) {
  std::optional<ConvShape> s = ConvShape::getVolume(op);
  std::optional<ConstantBytes> filter = ConstantBytes::get(op.getFilter());
  if (!s || !s->isDepthwise() || !filter || !packsInterleaved(level) ||
      tensorTypeOf(op.getInput()).getNumElements() == 0 ||
      tensorTypeOf(op.getResult()).getNumElements() == 0 ||
      (s->isVolume() && s->taps() <= smallFilter))
    return std::nullopt;
  IntConv conv;
  conv.terms = {op.getInput(),  op.getFilter(),   Value(),
                op.getResult(), ActivationAttr(), /*filterAxis=*/0,
                /*taps=*/{}};
  conv.filter.storage = *filter;
  conv.filter.isUnsigned = isUnsigned(op.getFilter());
  conv.filter.zeroPoints = {0};
  if (Value tensor = op.getFilterZeroPoint()) {
    std::optional<SmallVector<int64_t>> values = getConstantInts(tensor);
    if (!values || values->empty())
      return std::nullopt;
    conv.filter.zeroPoints = *values;
  }
  conv.bits = 8;
  conv.inputZeroPoint = 0;
  conv.inputUnsigned = level.unsignedActivations;
  for (int64_t channel = 0; channel < s->c; ++channel) {
    int64_t sum = 0;
    for (int64_t tap = 0; tap < s->taps(); ++tap) {
      int64_t weight = conv.weight(channel, tap);
      if (!llvm::isInt<8>(weight))
        return std::nullopt;
      sum += weight;
    }
    conv.bias.push_back(int32_t(-sum));
  }
  int64_t products = s->rows() * s->taps() * s->c;
  DepthwisePart part{*s, conv.terms, ResultRows(*s), products};
  ColumnDepthwisePlan plan(part, level, /*bits=*/8);
  if (!plan.fits())
    return std::nullopt;
  return IntegerDepthwise{
      part, ColumnDepthwise{conv, plan, LutOp(), op.getResult()},
      isUnsigned(op.getInput()) != level.unsignedActivations};
}

/// The zero point as the dot product wants it: a byte. `buffer`: null where it
/// is 0.
static Value zeroPointOf(LoopBuilder &b, Value buffer, bool flips) {
  Type i8 = b.getI8Type();
  Value byte = buffer ? b.load(buffer, b.index(0)) : b.integer(i8, 0);
  return flips ? arith::XOrIOp::create(b, byte, b.integer(i8, -128)).getResult()
               : byte;
}

static LogicalResult emitIntegerDepthwise(Operation *op, KernelEmitter &e) {
  auto producer = dyn_cast<ConvIntegerOp>(ElementwiseChain::producerOf(op));
  if (!producer)
    return failure();
  const TargetLevel &level = e.level();
  std::optional<IntegerDepthwise> match =
      IntegerDepthwise::match(producer, level);
  if (!match)
    return failure();
  ElementwiseChain chain(producer);
  if (chain.last() != op)
    return success();

  const ColumnDepthwisePlan &plan = match->kernel.plan;
  Value zeroPoint = producer.getInputZeroPoint();
  SmallVector<Value> args{e.buffer(producer.getInput()),
                          e.buffer(chain.result())};
  llvm::append_range(args, match->kernel.constants(e));
  const size_t constants = args.size() - 2;
  if (zeroPoint)
    args.push_back(e.buffer(zeroPoint));
  for (Value operand : chain.operands())
    args.push_back(e.buffer(operand));
  std::string key = llvm::formatv("{0} sums{1}{2} {3}", plan.key(),
                                  match->flips ? " flipped" : "",
                                  zeroPoint ? " less" : "", chain.key());
  Value ranges = RangeRecorder::bufferFor(chain.result(), plan.tiles(), e);
  if (ranges) {
    args.push_back(ranges);
    key += " ranges";
  }
  Location loc = op->getLoc();
  func::FuncOp kernel = e.kernel(
      "depthwise_integer", key, ValueRange(args).getTypes(), loc,
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, level);
        CodeBuilder c(b, loc);
        std::optional<RangeRecorder> recorder;
        if (ranges) {
          recorder.emplace(b, level.lanes(), args.back());
          args = args.drop_back();
        }
        SmallVector<Value> flat;
        for (Value arg : args)
          flat.push_back(flatten(c, arg));
        ArrayRef<Value> left = flat;
        Value input = left[0], result = left[1];
        left = left.drop_front(2);
        ArrayRef<Value> packed = left.take_front(constants);
        left = left.drop_front(constants);
        Value zero;
        if (zeroPoint) {
          zero = left.front();
          left = left.drop_front();
        }
        ChainEmitter emitter(b, level, chain, left,
                             recorder ? &*recorder : nullptr);
        RuntimeSums sums;
        sums.padding = zeroPointOf(b, zero, match->flips);
        sums.zeroPoint =
            level.unsignedActivations
                ? arith::ExtUIOp::create(b, b.getI32Type(), sums.padding)
                      .getResult()
                : arith::ExtSIOp::create(b, b.getI32Type(), sums.padding);
        sums.flips = match->flips;
        sums.chain = &emitter;
        sums.recorder = recorder ? &*recorder : nullptr;
        ImageRows rows{plan.shape.h, plan.shape.w * plan.shape.c};
        ColumnKernel kernel(c, plan, level, match->kernel.conv, rows, input,
                            result, packed);
        kernel.setSums(sums);
        kernel.emit(begin, end);
      });
  e.call(kernel, args, plan.tiles(), loc);
  match->part.noteProducts(args[0]);
  return success();
}

void qcc::populateIntegerDepthwiseKernels(KernelGenerators &generators) {
  generators.push_back({"integer-depthwise", emitIntegerDepthwise});
}
