//===- BlockWeights.cpp - Weights quantized in blocks ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/BlockWeights.h"

#include "OpUtils.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

BlockWeights::BlockWeights(int64_t columns, int64_t depth, int64_t block,
                           int64_t bits)
    : columns(columns), depth(depth), block(block), bits(bits),
      packed(size_t(columns * blocks() * blockBytes())),
      scales(size_t(columns * blocks())) {}

std::optional<BlockWeights> BlockWeights::get(BlockMatmulOp op) {
  auto bytes = ConstantBytes::get(op.getWeights());
  auto scales = getConstantFloats(op.getScales());
  if (!bytes || !scales)
    return std::nullopt;
  BlockWeights result(op.getNumColumns(), op.getDepth(), op.getBlock(),
                      op.getBits());
  result.packed.assign(bytes->bytes().begin(), bytes->bytes().end());
  result.scales.assign(scales->begin(), scales->end());
  if (Value zeros = op.getZeroPoints()) {
    auto append = [&](auto values) {
      if (values)
        result.zeroPoints.assign(values->begin(), values->end());
      return values.has_value();
    };
    if (!(isa<FloatType>(elementType(zeros)) ? append(getConstantFloats(zeros))
                                             : append(getConstantInts(zeros))))
      return std::nullopt;
  }
  return result;
}

int64_t BlockWeights::get(int64_t column, int64_t k) const {
  int64_t bit = k % block * bits;
  auto byte = uint8_t(
      packed[blockOf(column, k) * size_t(blockBytes()) + size_t(bit / 8)]);
  return byte >> (bit % 8) & largest();
}

void BlockWeights::set(int64_t column, int64_t k, int64_t q) {
  int64_t bit = k % block * bits;
  char &byte =
      packed[blockOf(column, k) * size_t(blockBytes()) + size_t(bit / 8)];
  byte = char(uint8_t(byte) | q << (bit % 8));
}

template <typename T>
static Value constantOf(OpBuilder &builder, Location loc,
                        ArrayRef<int64_t> shape, Type element,
                        const std::vector<T> &values, StringRef name) {
  return createConstant(
      builder, loc, RankedTensorType::get(shape, element),
      ArrayRef<char>(reinterpret_cast<const char *>(values.data()),
                     values.size() * sizeof(T)),
      name);
}

Value qcc::qnn::createBlockMatmul(OpBuilder &builder, Location loc, Value input,
                                  const BlockWeights &w, bool int8Input) {
  Type byte = IntegerType::get(builder.getContext(), 8, IntegerType::Unsigned);
  Type f32 = builder.getF32Type();
  SmallVector<int64_t> shape{w.columns, w.blocks()};
  Value weights =
      constantOf(builder, loc, {w.columns, w.blocks(), w.blockBytes()}, byte,
                 w.packed, "weight");
  Value scales = constantOf(builder, loc, shape, f32, w.scales, "scale");
  Value zeros;
  if (llvm::any_of(w.zeroPoints, [&](float z) { return z != w.middle(); })) {
    bool areBytes = llvm::all_of(w.zeroPoints, [&](float z) {
      return z >= 0 && z <= w.largest() && z == float(uint8_t(z));
    });
    zeros = areBytes ? constantOf(builder, loc, shape, byte,
                                  std::vector<uint8_t>(w.zeroPoints.begin(),
                                                       w.zeroPoints.end()),
                                  "zero_point")
                     : constantOf(builder, loc, shape, f32, w.zeroPoints,
                                  "zero_point");
  }
  SmallVector<int64_t> resultShape(shapeOf(input));
  resultShape.back() = w.columns;
  return BlockMatmulOp::create(
      builder, loc, RankedTensorType::get(resultShape, f32), input, weights,
      scales, zeros, uint64_t(w.bits), uint64_t(w.block), int8Input);
}

Value qcc::qnn::createEpilogue(OpBuilder &builder, MatmulOp op, Value value) {
  // The activation is fused where something is added.
  ActivationAttr activation = op.getActivationAttr();
  SmallVector<Value> addends;
  for (Value addend : {op.getBias(), op.getResidual()})
    if (addend)
      addends.push_back(addend);
  for (auto [i, addend] : llvm::enumerate(addends))
    value = BinaryOp::create(
        builder, op.getLoc(), value.getType(), BinaryKind::Add, value, addend,
        i + 1 == addends.size() ? activation : ActivationAttr());
  if (addends.empty() && activation)
    value = UnaryOp::create(
        builder, op.getLoc(), value.getType(), activation.getKind(), value,
        activation.getAlpha().getValue(), activation.getBeta().getValue());
  return value;
}
