//===- AArch64MicroKernels.cpp - NEON instructions ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AArch64MicroKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qcc;

namespace {

/// What both levels share. Activations are signed.
class AArch64MicroKernels : public MicroKernels {
public:
  SmallVector<Value> prepareWeights(OpBuilder &, Location,
                                    Value weights) override {
    return {weights};
  }
  SmallVector<Value> prepareActivations(OpBuilder &, Location,
                                        Value activations) override {
    return {activations};
  }

  Value dotWords(OpBuilder &b, Location loc, Value accumulator,
                 Value activations, Value weights) override {
    // smlal on the first and on the second k of each column.
    auto i32x4 = vectorOf(4, b.getI32Type());
    for (int64_t k = 0; k < 2; ++k) {
      auto every = [&](Value v) -> Value {
        Value half = vector::ShuffleOp::create(
            b, loc, v, v, ArrayRef<int64_t>{k, k + 2, k + 4, k + 6});
        return arith::ExtSIOp::create(b, loc, i32x4, half);
      };
      Value products =
          arith::MulIOp::create(b, loc, every(activations), every(weights));
      accumulator = arith::AddIOp::create(b, loc, accumulator, products);
    }
    return accumulator;
  }

  Value roundToInt(OpBuilder &b, Location loc, Value f32) override {
    return call(b, loc, "llvm.aarch64.neon.fcvtns.v4i32.v4f32",
                vectorOf(4, b.getI32Type()), f32);
  }

  Value packToBytes(OpBuilder &b, Location loc, ValueRange i32,
                    int64_t zeroPoint, bool isUnsigned) override;

  SmallVector<int64_t> packOrder(unsigned vectors) const override {
    SmallVector<int64_t> order(4 * vectors);
    for (auto [i, position] : llvm::enumerate(order))
      position = i;
    return order;
  }

  SmallVector<Value> loadTable(OpBuilder &b, Location loc,
                               Value table) override {
    SmallVector<Value> parts;
    for (unsigned i = 0; i < 16; ++i) {
      Value at = arith::ConstantIndexOp::create(b, loc, 16 * i);
      parts.push_back(vector::LoadOp::create(
          b, loc, vectorOf(16, b.getI8Type()), table, at));
    }
    return parts;
  }

  Value lookup(OpBuilder &b, Location loc, Value indices,
               ValueRange table) override {
    // tbl gives 0, tbx keeps its first operand, where an index is beyond the
    // 64 entries of the part.
    auto i8 = vectorOf(16, b.getI8Type());
    Value found;
    for (unsigned part = 0; part < 4; ++part) {
      Value index = indices;
      if (part > 0)
        index = arith::SubIOp::create(
            b, loc, indices,
            arith::ConstantOp::create(
                b, loc,
                DenseElementsAttr::get(i8, b.getI8IntegerAttr(64 * part))));
      SmallVector<Value> operands(table.slice(4 * part, 4));
      if (found)
        operands.insert(operands.begin(), found);
      operands.push_back(index);
      found = call(b, loc,
                   part == 0 ? "llvm.aarch64.neon.tbl4.v16i8"
                             : "llvm.aarch64.neon.tbx4.v16i8",
                   i8, operands);
    }
    return found;
  }

protected:
  static VectorType vectorOf(int64_t lanes, Type element) {
    return VectorType::get({lanes}, element);
  }
  static Value call(OpBuilder &b, Location loc, StringRef name, Type result,
                    ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name),
                                         operands)
        .getResult(0);
  }
  /// Elements [first, first + count) of v.
  static Value part(OpBuilder &b, Location loc, Value v, int64_t first,
                    int64_t count) {
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < count; ++i)
      mask.push_back(first + i);
    return vector::ShuffleOp::create(b, loc, v, v, mask);
  }
  static Value concat(OpBuilder &b, Location loc, Value x, Value y) {
    int64_t count = cast<VectorType>(x.getType()).getNumElements() * 2;
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < count; ++i)
      mask.push_back(i);
    return vector::ShuffleOp::create(b, loc, x, y, mask);
  }
};

Value AArch64MicroKernels::packToBytes(OpBuilder &b, Location loc,
                                       ValueRange i32, int64_t zeroPoint,
                                       bool isUnsigned) {
  auto i16x8 = vectorOf(8, b.getI16Type());
  Value zero = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(i16x8, b.getI16IntegerAttr(zeroPoint)));
  SmallVector<Value> halves; // 8 bytes each
  for (unsigned v = 0; v < i32.size(); v += 2) {
    Value pair[2];
    for (unsigned i = 0; i < 2; ++i)
      pair[i] = call(b, loc, "llvm.aarch64.neon.sqxtn.v4i16",
                     vectorOf(4, b.getI16Type()),
                     i32[std::min<size_t>(v + i, i32.size() - 1)]);
    Value words = concat(b, loc, pair[0], pair[1]);
    if (zeroPoint != 0)
      words = LLVM::SAddSat::create(b, loc, words, zero);
    halves.push_back(call(b, loc,
                          isUnsigned ? "llvm.aarch64.neon.sqxtun.v8i8"
                                     : "llvm.aarch64.neon.sqxtn.v8i8",
                          vectorOf(8, b.getI8Type()), words));
  }
  Value all = halves[0];
  if (halves.size() == 2)
    all = concat(b, loc, halves[0], halves[1]);
  if (i32.size() % 2 != 0)
    all = part(b, loc, all, 0, 4 * i32.size());
  return all;
}

/// ARMv8.0: 8-bit products widen to 16 bits and are added pairwise to 32, so
/// that a column's four products end in two lanes: two accumulators hold the
/// columns of one vector.
class NeonKernels : public AArch64MicroKernels {
public:
  unsigned accumulatorsPerVector() const override { return 2; }

  void dot(OpBuilder &b, Location loc, MutableArrayRef<Value> accumulators,
           ValueRange activations, ValueRange weights) override {
    auto i16x8 = vectorOf(8, b.getI16Type());
    auto i32x4 = vectorOf(4, b.getI32Type());
    for (unsigned half = 0; half < 2; ++half) {
      Value products = call(b, loc, "llvm.aarch64.neon.smull.v8i16", i16x8,
                            {part(b, loc, activations[0], 8 * half, 8),
                             part(b, loc, weights[0], 8 * half, 8)});
      Value sums =
          call(b, loc, "llvm.aarch64.neon.saddlp.v4i32.v8i16", i32x4, products);
      accumulators[half] =
          arith::AddIOp::create(b, loc, accumulators[half], sums);
    }
  }

  Value finishAccumulators(OpBuilder &b, Location loc,
                           ValueRange accumulators) override {
    return call(b, loc, "llvm.aarch64.neon.addp.v4i32",
                vectorOf(4, b.getI32Type()), accumulators);
  }
};

/// ARMv8.2 dot product.
class DotProdKernels : public AArch64MicroKernels {
public:
  void dot(OpBuilder &b, Location loc, MutableArrayRef<Value> accumulators,
           ValueRange activations, ValueRange weights) override {
    // Weights first: a splat of one dword of the activations then becomes the
    // by-element form of sdot.
    accumulators[0] = call(b, loc, "llvm.aarch64.neon.sdot.v4i32.v16i8",
                           vectorOf(4, b.getI32Type()),
                           {accumulators[0], weights[0], activations[0]});
  }

  Value finishAccumulators(OpBuilder &, Location,
                           ValueRange accumulators) override {
    return accumulators[0];
  }
};

} // namespace

std::shared_ptr<MicroKernels> qcc::createNeonKernels() {
  return std::make_shared<NeonKernels>();
}

std::shared_ptr<MicroKernels> qcc::createDotProdKernels() {
  return std::make_shared<DotProdKernels>();
}
