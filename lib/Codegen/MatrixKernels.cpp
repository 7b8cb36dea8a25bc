//===- MatrixKernels.cpp - Convolution and matrix product -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConcatPart.h"
#include "KernelLists.h"
#include "MatrixKernel.h"
#include "Product.h"
#include "TileMatrixKernel.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;

template <typename T>
static Value columnConstant(KernelEmitter &emitter, StringRef stem,
                            const MatrixPlan &plan, ArrayRef<T> perChannel,
                            Type element) {
  std::vector<T> values(plan.shape.group * plan.paddedColumns());
  plan.forEachColumn([&](int64_t channel, int64_t position) {
    values[position] = perChannel[channel];
  });
  return emitter.constant(stem,
                          MemRefType::get({int64_t(values.size())}, element),
                          {reinterpret_cast<const char *>(values.data()),
                           values.size() * sizeof(T)});
}

static LogicalResult emitMatrix(Operation *op, KernelEmitter &emitter) {
  const TargetLevel &level = emitter.level();
  std::optional<MatrixOperands> operands = MatrixOperands::match(op, level);
  if (!operands)
    return failure();
  MatrixPlan plan(operands->shape, operands->factors,
                  operands->epilogue.result == MatrixEpilogue::Result::Bytes,
                  /*sumsRows=*/!operands->zeroPoints.empty(), level,
                  TileTable(op), operands->weightUnitBytes());
  std::optional<TileMatrixPlan> tiles = TileMatrixPlan::get(plan, *operands);
  if (!tiles && (operands->factors == Factors::BF16 || !plan.fitsStack()))
    return failure();

  Builder b(op->getContext());
  const MatrixPlan packing =
      tiles ? tiles->matrix : sharedPacking(plan).value_or(plan);
  std::vector<char> packed =
      operands->factors == Factors::Int8
          ? packing.pack<int8_t>([&](int64_t channel, int64_t index) {
              return operands->packedWeight(channel, index);
            })
      : operands->factors == Factors::Int16
          ? packing.pack<int16_t>([&](int64_t channel, int64_t index) {
              return operands->packedWeight(channel, index);
            })
      : operands->halfType // of two in a unit, or of one
          ? packing.pack<uint16_t>([&](int64_t channel, int64_t index) {
              return operands->halfFilter[channel * operands->channelStride +
                                          index * operands->elementStride];
            })
          : packing.pack<float>([&](int64_t channel, int64_t index) {
              return operands->floatFilter[channel * operands->channelStride +
                                           index * operands->elementStride];
            });
  Type element = operands->factors == Factors::Int8    ? Type(b.getI8Type())
                 : operands->factors == Factors::Int16 ? b.getI16Type()
                 : operands->halfType                  ? operands->halfType
                                                       : Type(b.getF32Type());
  int64_t size = packed.size() / (element.getIntOrFloatBitWidth() / 8);

  // Optional arguments follow the first three in this order.
  RowBuffer result = bufferOfRows(operands->result, emitter);
  operands->resultPitch = result.pitch;
  SmallVector<Value> buffers = {
      emitter.buffer(operands->input),
      emitter.constant("weights", MemRefType::get({size}, element), packed),
      result.buffer};
  bool hasOffsets = operands->isInteger();
  bool hasScales = operands->epilogue.hasScales();
  if (hasOffsets)
    buffers.push_back(columnConstant<int32_t>(
        emitter, "offsets", plan, operands->offsets, b.getI32Type()));
  if (hasScales)
    buffers.push_back(columnConstant<float>(emitter, "scales", plan,
                                            operands->scales, b.getF32Type()));
  if (operands->epilogue.hasBias)
    buffers.push_back(columnConstant<float>(emitter, "biases", plan,
                                            operands->biases, b.getF32Type()));
  bool hasZeroPoints =
      !operands->zeroPoints.empty() && !operands->commonZeroPoint;
  if (hasZeroPoints)
    buffers.push_back(columnConstant<int32_t>(
        emitter, "zero_points", plan, operands->zeroPoints, b.getI32Type()));
  if (operands->residual)
    buffers.push_back(emitter.buffer(operands->residual));
  if (operands->table)
    buffers.push_back(takeOverTable(operands->table, emitter));
  if (operands->quantize)
    takeOver(operands->quantize);
  if (operands->factorCast)
    takeOver(operands->factorCast);
  if (operands->sum) {
    takeOver(operands->sum);
    buffers.push_back(emitter.buffer(operands->other));
  }

  std::string zeroPointKey = hasZeroPoints ? "z " : "";
  if (operands->commonZeroPoint)
    zeroPointKey = llvm::formatv("z{0} ", *operands->commonZeroPoint);
  std::string key = llvm::formatv(
      "{0} {1}{2}{3} {4} {5}", plan.shape.key(), operands->flip ? "flip " : "",
      zeroPointKey, operands->padding, operands->epilogue.key(), result.pitch);
  Location loc = op->getLoc();
  if (operands->sum)
    loc = FusedLoc::get(op->getContext(), {loc, operands->sum.getLoc()});
  std::string stem = isa<qnn::ConvOp>(op) ? "conv" : "matmul";
  if (tiles)
    stem += "_tiles";
  func::FuncOp kernel = emitter.kernel(
      stem, key, ValueRange(buffers).getTypes(), loc,
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        CodeBuilder c(builder, loc);
        SmallVector<Value> flat = llvm::map_to_vector(
            values, [&](Value value) { return flatten(c, value); });
        unsigned next = 3;
        MatrixArguments args{flat[0], flat[1], flat[2], {}, {},
                             {},      {},      {},      {}, {}};
        if (hasOffsets)
          args.offsets = flat[next++];
        if (hasScales)
          args.scales = flat[next++];
        if (operands->epilogue.hasBias)
          args.biases = flat[next++];
        if (hasZeroPoints)
          args.zeroPoints = flat[next++];
        if (operands->residual)
          args.residual = flat[next++];
        if (operands->table)
          args.table = flat[next++];
        if (operands->sum)
          args.other = flat[next++];
        if (tiles)
          TileMatrixKernel(builder, loc, *tiles, *operands, args)
              .emit(begin, end);
        else
          MatrixKernel(builder, loc, plan, *operands, args).emit(begin, end);
      });
  if (!tiles)
    noteTiles(kernel, plan.key(), plan.taken());
  emitter.call(kernel, buffers, tiles ? tiles->matrix.tiles() : plan.tiles(),
               loc);
  return success();
}

void qcc::populateMatrixKernels(KernelGenerators &generators) {
  generators.push_back({"matrix", emitMatrix});
}
