//===- MatrixKernels.cpp - Convolution and matrix product -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConcatPart.h"
#include "KernelLists.h"
#include "MatrixBuffers.h"
#include "MatrixKernel.h"
#include "Product.h"
#include "TileMatrixKernel.h"

#include "../Conversion/QNNToKernels/OperationCount.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;

template <typename T>
static Value columnConstant(KernelEmitter &emitter, StringRef stem,
                            const MatrixPlan &plan, ArrayRef<T> perChannel,
                            Type element) {
  std::vector<T> values(plan.filters() * plan.paddedColumns());
  plan.forEachColumn([&](int64_t channel, int64_t position) {
    values[position] = perChannel[channel];
  });
  return emitter.constant(stem,
                          MemRefType::get({int64_t(values.size())}, element),
                          {reinterpret_cast<const char *>(values.data()),
                           values.size() * sizeof(T)});
}

static Value packedWeights(const MatrixOperands &operands,
                           const MatrixPlan &packing, KernelEmitter &emitter) {
  auto real = [&](auto values) {
    return [&operands, values](int64_t column, int64_t index) {
      int64_t at = operands.weightAt(column, index);
      return at < 0 ? decltype(values[0])(0) : values[at];
    };
  };
  std::vector<char> packed =
      operands.factors == Factors::Int8
          ? packing.pack<int8_t>([&](int64_t channel, int64_t index) {
              return operands.packedWeight(channel, index);
            })
      : operands.factors == Factors::Int16
          ? packing.pack<int16_t>([&](int64_t channel, int64_t index) {
              return operands.packedWeight(channel, index);
            })
      : operands.halfType // of two in a unit, or of one
          ? packing.pack<uint16_t>(real(ArrayRef(operands.halfFilter)))
          : packing.pack<float>(real(ArrayRef(operands.floatFilter)));
  Builder b(emitter.context());
  Type element = operands.factors == Factors::Int8    ? Type(b.getI8Type())
                 : operands.factors == Factors::Int16 ? b.getI16Type()
                 : operands.halfType                  ? Type(operands.halfType)
                                                      : Type(b.getF32Type());
  int64_t size = packed.size() / (element.getIntOrFloatBitWidth() / 8);
  return emitter.constant("weights", MemRefType::get({size}, element), packed);
}

static bool hasZeroPointArgument(const MatrixOperands &operands) {
  return !operands.zeroPoints.empty() && !operands.commonZeroPoint;
}

SmallVector<Value> qcc::matrixBuffers(const MatrixOperands &operands,
                                      const MatrixPlan &plan,
                                      const MatrixPlan &packing,
                                      KernelEmitter &emitter) {
  Builder b(emitter.context());
  SmallVector<Value> buffers = {packedWeights(operands, packing, emitter)};
  if (operands.isInteger())
    buffers.push_back(columnConstant<int32_t>(
        emitter, "offsets", plan, operands.offsets, b.getI32Type()));
  if (operands.epilogue.hasScales())
    buffers.push_back(columnConstant<float>(emitter, "scales", plan,
                                            operands.scales, b.getF32Type()));
  if (operands.epilogue.hasBias)
    buffers.push_back(columnConstant<float>(emitter, "biases", plan,
                                            operands.biases, b.getF32Type()));
  if (hasZeroPointArgument(operands))
    buffers.push_back(columnConstant<int32_t>(
        emitter, "zero_points", plan, operands.zeroPoints, b.getI32Type()));
  if (operands.residual)
    buffers.push_back(emitter.buffer(operands.residual));
  if (operands.table)
    buffers.push_back(takeOverTable(operands.table, emitter));
  if (operands.quantize)
    takeOver(operands.quantize);
  if (operands.factorCast)
    takeOver(operands.factorCast);
  if (operands.sum) {
    takeOver(operands.sum);
    buffers.push_back(emitter.buffer(operands.other));
  }
  return buffers;
}

MatrixArguments qcc::matrixArguments(const MatrixOperands &operands,
                                     Value input, Value result,
                                     ValueRange buffers) {
  unsigned next = 1;
  MatrixArguments args{input, buffers[0], result, {}, {}, {}, {}, {}, {}, {}};
  if (operands.isInteger())
    args.offsets = buffers[next++];
  if (operands.epilogue.hasScales())
    args.scales = buffers[next++];
  if (operands.epilogue.hasBias)
    args.biases = buffers[next++];
  if (hasZeroPointArgument(operands))
    args.zeroPoints = buffers[next++];
  if (operands.residual)
    args.residual = buffers[next++];
  if (operands.table)
    args.table = buffers[next++];
  if (operands.sum)
    args.other = buffers[next++];
  return args;
}

std::string qcc::matrixKey(const MatrixOperands &operands,
                           const ConvShape &shape) {
  std::string zeroPointKey = hasZeroPointArgument(operands) ? "z " : "";
  if (operands.commonZeroPoint)
    zeroPointKey = llvm::formatv("z{0} ", *operands.commonZeroPoint);
  std::string key =
      llvm::formatv("{0} {1}{2}{3} {4} {5}", shape.key(),
                    operands.flip       ? "flip "
                    : operands.isSigned ? "signed "
                                        : "",
                    zeroPointKey, operands.padding, operands.epilogue.key(),
                    operands.resultPitch);
  if (operands.part)
    key += " " + operands.part->key();
  return key;
}

namespace {
/// A kernel that computes an op, or a part of it.
struct MatrixCall {
  MatrixOperands operands;
  MatrixPlan plan;
  std::optional<TileMatrixPlan> tiles;

  static std::optional<MatrixCall> get(std::optional<MatrixOperands> operands,
                                       Operation *op, const TargetLevel &level);
  void emit(Operation *op, const RowBuffer &result, KernelEmitter &emitter);
};
} // namespace

/// Nothing where there are no operands or their kernel does not apply.
std::optional<MatrixCall>
MatrixCall::get(std::optional<MatrixOperands> operands, Operation *op,
                const TargetLevel &level) {
  if (!operands)
    return std::nullopt;
  MatrixPlan plan(operands->shape, operands->factors,
                  operands->epilogue.result == MatrixEpilogue::Result::Bytes,
                  /*sumsRows=*/!operands->zeroPoints.empty(), level,
                  TileTable(op), operands->weightUnitBytes());
  std::optional<TileMatrixPlan> tiles = TileMatrixPlan::get(plan, *operands);
  if (!tiles && (operands->factors == Factors::BF16 || !plan.fitsStack()))
    return std::nullopt;
  if (tiles)
    operands->keepSign();
  return MatrixCall{std::move(*operands), plan, tiles};
}

void MatrixCall::emit(Operation *op, const RowBuffer &result,
                      KernelEmitter &emitter) {
  const MatrixPlan packing =
      tiles ? tiles->matrix : sharedPacking(plan).value_or(plan);
  operands.resultPitch = result.pitch;
  Value input = emitter.buffer(operands.input);
  SmallVector<Value> buffers = matrixBuffers(operands, plan, packing, emitter);
  buffers.insert(buffers.begin(), {input, result.buffer});
  std::swap(buffers[1], buffers[2]); // the weights in front of the result

  Location loc = op->getLoc();
  if (operands.sum)
    loc = FusedLoc::get(op->getContext(), {loc, operands.sum.getLoc()});
  std::string stem = isa<qnn::MatmulOp>(op) ? "matmul"
                     : operands.part        ? "transposed_conv"
                                            : "conv";
  if (tiles)
    stem += "_tiles";
  func::FuncOp kernel = emitter.kernel(
      stem, matrixKey(operands, plan.shape), ValueRange(buffers).getTypes(),
      loc,
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        CodeBuilder c(builder, loc);
        SmallVector<Value> flat = llvm::map_to_vector(
            values, [&](Value value) { return flatten(c, value); });
        std::swap(flat[1], flat[2]);
        MatrixArguments args = matrixArguments(
            operands, flat[0], flat[1], ArrayRef<Value>(flat).drop_front(2));
        if (tiles)
          TileMatrixKernel(builder, loc, *tiles, operands, args)
              .emit(begin, end);
        else
          MatrixKernel(builder, loc, plan, operands, args).emit(begin, end);
      });
  if (!tiles)
    noteTiles(kernel, plan.key(), plan.taken());
  emitter.call(kernel, buffers, tiles ? tiles->matrix.tiles() : plan.tiles(),
               loc);
  if (operands.part)
    noteOperationCount(input.getParentBlock()->getTerminator()->getPrevNode(),
                       op, operands.part->products());
}

static LogicalResult emitMatrix(Operation *op, KernelEmitter &emitter) {
  std::optional<MatrixCall> call = MatrixCall::get(
      MatrixOperands::match(op, emitter.level()), op, emitter.level());
  if (!call)
    return failure();
  call->emit(op, bufferOfRows(call->operands.result, emitter), emitter);
  return success();
}

/// Whether kernels of the parts are better than the reference kernel. Each is
/// code of its own, and dilations that share no factor with their strides leave
/// few phases to join; phases that no tap reaches are products with zeros.
static bool isWorthwhile(ArrayRef<TransposedPart> parts) {
  constexpr size_t mostParts = 16;
  constexpr double mostProducts = 16; // for each that is useful; measured
  double padded = 0, useful = 0;
  for (const TransposedPart &part : parts) {
    ConvShape s = part.shape();
    padded += double(s.rows()) * double(s.taps()) * double(s.c / s.group) *
              double(s.oc * s.phases);
    useful += double(part.products());
  }
  return parts.size() <= mostParts && padded <= mostProducts * useful;
}

/// A transposed convolution: one kernel per part.
static LogicalResult emitTransposed(Operation *op, KernelEmitter &emitter) {
  const TargetLevel &level = emitter.level();
  auto conv = dyn_cast<qnn::ConvTransposeOp>(op);
  // Of one column each, products are for the reference kernel, which computes
  // neighbouring channels together.
  if (!conv || conv.getLayout() != qnn::Layout::ChannelsLast ||
      (conv.getGroup() > 1 && qnn::shapeOf(conv.getFilter())[1] == 1))
    return failure();
  std::vector<MatrixCall> calls;
  auto match = [&](bool joins) {
    calls.clear();
    std::vector<TransposedPart> parts = TransposedPart::get(conv, joins, level);
    if (!isWorthwhile(parts))
      return false;
    for (const TransposedPart &part : parts) {
      std::optional<MatrixCall> call =
          MatrixCall::get(MatrixOperands::match(conv, part, level), op, level);
      if (!call)
        return false;
      calls.push_back(std::move(*call));
    }
    return true;
  };
  if (!match(/*joins=*/true))
    return failure();
  Value tensor = calls.front().operands.result;
  if (isConcatPart(tensor, emitter) && !match(/*joins=*/false))
    return failure();
  RowBuffer result = bufferOfRows(tensor, emitter);
  for (MatrixCall &call : calls)
    call.emit(op, result, emitter);
  return success();
}

void qcc::populateMatrixKernels(KernelGenerators &generators) {
  generators.push_back({"matrix", emitMatrix});
  generators.push_back({"transposed", emitTransposed});
}
