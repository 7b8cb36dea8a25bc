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

static Value packedWeights(const MatrixOperands &operands,
                           const MatrixPlan &packing, KernelEmitter &emitter) {
  auto at = [&](int64_t channel, int64_t index) {
    return channel * operands.channelStride + index * operands.elementStride;
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
          ? packing.pack<uint16_t>([&](int64_t channel, int64_t index) {
              return operands.halfFilter[at(channel, index)];
            })
          : packing.pack<float>([&](int64_t channel, int64_t index) {
              return operands.floatFilter[at(channel, index)];
            });
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
  return llvm::formatv("{0} {1}{2}{3} {4} {5}", shape.key(),
                       operands.flip       ? "flip "
                       : operands.isSigned ? "signed "
                                           : "",
                       zeroPointKey, operands.padding, operands.epilogue.key(),
                       operands.resultPitch);
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
  if (tiles)
    operands->keepSign();

  const MatrixPlan packing =
      tiles ? tiles->matrix : sharedPacking(plan).value_or(plan);
  RowBuffer result = bufferOfRows(operands->result, emitter);
  operands->resultPitch = result.pitch;
  Value input = emitter.buffer(operands->input);
  SmallVector<Value> buffers = matrixBuffers(*operands, plan, packing, emitter);
  buffers.insert(buffers.begin(), {input, result.buffer});
  std::swap(buffers[1], buffers[2]); // the weights in front of the result

  Location loc = op->getLoc();
  if (operands->sum)
    loc = FusedLoc::get(op->getContext(), {loc, operands->sum.getLoc()});
  std::string stem = isa<qnn::ConvOp>(op) ? "conv" : "matmul";
  if (tiles)
    stem += "_tiles";
  func::FuncOp kernel = emitter.kernel(
      stem, matrixKey(*operands, plan.shape), ValueRange(buffers).getTypes(),
      loc,
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        CodeBuilder c(builder, loc);
        SmallVector<Value> flat = llvm::map_to_vector(
            values, [&](Value value) { return flatten(c, value); });
        std::swap(flat[1], flat[2]);
        MatrixArguments args = matrixArguments(
            *operands, flat[0], flat[1], ArrayRef<Value>(flat).drop_front(2));
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
