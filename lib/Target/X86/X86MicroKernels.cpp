//===- X86MicroKernels.cpp - x86-64 instructions --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "X86MicroKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qcc;

namespace {

/// What all levels share; vectors have `bytes` bytes.
class X86MicroKernels : public MicroKernels {
public:
  explicit X86MicroKernels(unsigned bytes) : bytes(bytes) {}

  Value finishAccumulators(OpBuilder &, Location,
                           ValueRange accumulators) override {
    return accumulators[0];
  }

  Value dotWords(OpBuilder &b, Location loc, Value accumulator,
                 Value activations, Value weights) override {
    StringRef name =
        bytes == 16 ? "llvm.x86.sse2.pmadd.wd" : "llvm.x86.avx2.pmadd.wd";
    Value sums =
        call(b, loc, name, vectorOf(b.getI32Type()), {activations, weights});
    return arith::AddIOp::create(b, loc, accumulator, sums);
  }

  Value roundToInt(OpBuilder &b, Location loc, Value f32) override {
    // One cvtps2dq in the current rounding mode, which run() sets.
    return LLVM::LrintOp::create(b, loc, vectorOf(b.getI32Type()), f32);
  }

  Value packToBytes(OpBuilder &b, Location loc, ValueRange i32,
                    int64_t zeroPoint, bool isUnsigned) override;

  SmallVector<int64_t> packOrder(unsigned vectors) const override {
    // The packs work within 128-bit blocks: block j holds block j of each
    // vector in turn.
    SmallVector<int64_t> order;
    for (unsigned block = 0; block < bytes / 16; ++block)
      for (unsigned v = 0; v < vectors; ++v)
        for (unsigned lane = 0; lane < 4; ++lane)
          order.push_back(v * (bytes / 4) + block * 4 + lane);
    return order;
  }

  SmallVector<Value> loadTable(OpBuilder &b, Location loc,
                               Value table) override;
  Value lookup(OpBuilder &b, Location loc, Value indices,
               ValueRange table) override;

protected:
  VectorType vectorOf(Type element) const {
    return VectorType::get({bytes * 8 / element.getIntOrFloatBitWidth()},
                           element);
  }
  Value call(OpBuilder &b, Location loc, StringRef name, Type result,
             ValueRange operands) const {
    return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name),
                                         operands)
        .getResult(0);
  }
  Value splat(OpBuilder &b, Location loc, VectorType type, int64_t c) const {
    return arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(type,
                               b.getIntegerAttr(type.getElementType(), c)));
  }
  Value cast(OpBuilder &b, Location loc, Type element, Value v) const {
    return vector::BitCastOp::create(b, loc, vectorOf(element), v);
  }

  unsigned bytes;
};

Value X86MicroKernels::packToBytes(OpBuilder &b, Location loc, ValueRange i32,
                                   int64_t zeroPoint, bool isUnsigned) {
  auto i16 = vectorOf(b.getI16Type()), i8 = vectorOf(b.getI8Type());
  StringRef toWords = bytes == 16   ? "llvm.x86.sse2.packssdw.128"
                      : bytes == 32 ? "llvm.x86.avx2.packssdw"
                                    : "llvm.x86.avx512.packssdw.512";
  StringRef toUnsigned = bytes == 16   ? "llvm.x86.sse2.packuswb.128"
                         : bytes == 32 ? "llvm.x86.avx2.packuswb"
                                       : "llvm.x86.avx512.packuswb.512";
  StringRef toSigned = bytes == 16   ? "llvm.x86.sse2.packsswb.128"
                       : bytes == 32 ? "llvm.x86.avx2.packsswb"
                                     : "llvm.x86.avx512.packsswb.512";
  unsigned n = i32.size();
  auto words = [&](unsigned v) -> Value {
    Value packed =
        call(b, loc, toWords, i16, {i32[v], i32[std::min(v + 1, n - 1)]});
    if (zeroPoint == 0)
      return packed;
    return LLVM::SAddSat::create(b, loc, packed, splat(b, loc, i16, zeroPoint));
  };
  Value low = words(0), high = n > 2 ? words(2) : low;
  Value all = call(b, loc, isUnsigned ? toUnsigned : toSigned, i8, {low, high});
  if (n == 4)
    return all;
  // Of the four dwords in each 128-bit block, the first n are wanted.
  Value dwords = cast(b, loc, b.getI32Type(), all);
  SmallVector<int64_t> wanted;
  for (unsigned block = 0; block < bytes / 16; ++block)
    for (unsigned v = 0; v < n; ++v)
      wanted.push_back(block * 4 + v);
  Value some = vector::ShuffleOp::create(b, loc, dwords, dwords, wanted);
  return vector::BitCastOp::create(
      b, loc, VectorType::get({n * bytes / 4}, b.getI8Type()), some);
}

// pshufb takes an entry of 16, or 0 where the highest bit of the index is set.
// The index is lowered by 16 from part to part and all results are combined by
// exclusive or. An index below 128 meets entries in the parts up to its own;
// one from 128 on in its own and the seven before it, after it wrapped around.
// From part 9 on the subtraction saturates, so that none comes back. Each part
// holds what turns the result of the parts before it into its entries.
SmallVector<Value> X86MicroKernels::loadTable(OpBuilder &b, Location loc,
                                              Value table) {
  auto i8 = b.getI8Type();
  SmallVector<int64_t> repeated;
  for (unsigned i = 0; i < bytes; ++i)
    repeated.push_back(i % 16);
  SmallVector<Value> entries, parts;
  for (unsigned p = 0; p < 16; ++p) {
    Value at = arith::ConstantIndexOp::create(b, loc, 16 * p);
    Value part =
        vector::LoadOp::create(b, loc, VectorType::get({16}, i8), table, at);
    if (bytes != 16)
      part = vector::ShuffleOp::create(b, loc, part, part, repeated);
    entries.push_back(part);
    if (p > 0)
      part = arith::XOrIOp::create(b, loc, part, entries[p - 1]);
    if (p >= 8)
      part = arith::XOrIOp::create(b, loc, part, parts[p - 8]);
    parts.push_back(part);
  }
  return parts;
}

Value X86MicroKernels::lookup(OpBuilder &b, Location loc, Value indices,
                              ValueRange table) {
  auto i8 = vectorOf(b.getI8Type());
  StringRef shuffle =
      bytes == 16 ? "llvm.x86.ssse3.pshuf.b.128" : "llvm.x86.avx2.pshuf.b";
  Value sixteen = splat(b, loc, i8, 16);
  Value found = call(b, loc, shuffle, i8, {table[0], indices});
  for (unsigned p = 1; p < 16; ++p) {
    indices = p < 9
                  ? arith::SubIOp::create(b, loc, indices, sixteen).getResult()
                  : LLVM::SSubSat::create(b, loc, indices, sixteen).getResult();
    found = arith::XOrIOp::create(
        b, loc, found, call(b, loc, shuffle, i8, {table[p], indices}));
  }
  return found;
}

/// Levels without a byte dot product: bytes are widened to 16 bits, even and
/// odd ones apart, and multiplied by pmaddwd; a pair of products of u8 and s8
/// fits 32 bits.
class MultiplyAddKernels : public X86MicroKernels {
public:
  using X86MicroKernels::X86MicroKernels;

  SmallVector<Value> prepareWeights(OpBuilder &b, Location loc,
                                    Value weights) override {
    auto i16 = vectorOf(b.getI16Type());
    Value pairs = cast(b, loc, b.getI16Type(), weights);
    Value eight = splat(b, loc, i16, 8);
    Value shifted = arith::ShLIOp::create(b, loc, pairs, eight);
    return {arith::ShRSIOp::create(b, loc, shifted, eight),
            arith::ShRSIOp::create(b, loc, pairs, eight)};
  }

  SmallVector<Value> prepareActivations(OpBuilder &b, Location loc,
                                        Value activations) override {
    auto i16 = vectorOf(b.getI16Type());
    Value pairs = cast(b, loc, b.getI16Type(), activations);
    return {arith::AndIOp::create(b, loc, pairs, splat(b, loc, i16, 255)),
            arith::ShRUIOp::create(b, loc, pairs, splat(b, loc, i16, 8))};
  }

  void dot(OpBuilder &b, Location loc, MutableArrayRef<Value> accumulators,
           ValueRange activations, ValueRange weights) override {
    StringRef name =
        bytes == 16 ? "llvm.x86.sse2.pmadd.wd" : "llvm.x86.avx2.pmadd.wd";
    for (unsigned half = 0; half < 2; ++half) {
      Value sums = call(b, loc, name, vectorOf(b.getI32Type()),
                        {activations[half], weights[half]});
      accumulators[0] = arith::AddIOp::create(b, loc, accumulators[0], sums);
    }
  }
};

/// Levels with vpdpbusd.
class VNNIKernels : public X86MicroKernels {
public:
  VNNIKernels(unsigned bytes, bool hasTableLookup)
      : X86MicroKernels(bytes), hasTableLookup(hasTableLookup) {}

  SmallVector<Value> prepareWeights(OpBuilder &, Location,
                                    Value weights) override {
    return {weights};
  }
  SmallVector<Value> prepareActivations(OpBuilder &, Location,
                                        Value activations) override {
    return {activations};
  }

  void dot(OpBuilder &b, Location loc, MutableArrayRef<Value> accumulators,
           ValueRange activations, ValueRange weights) override {
    // The 256-bit intrinsic is encoded as AVX-VNNI where there is no AVX512.
    StringRef name = bytes == 64 ? "llvm.x86.avx512.vpdpbusd.512"
                                 : "llvm.x86.avx512.vpdpbusd.256";
    accumulators[0] = call(b, loc, name, vectorOf(b.getI32Type()),
                           {accumulators[0], activations[0], weights[0]});
  }

  Value dotWords(OpBuilder &b, Location loc, Value accumulator,
                 Value activations, Value weights) override {
    StringRef name = bytes == 64 ? "llvm.x86.avx512.vpdpwssd.512"
                                 : "llvm.x86.avx512.vpdpwssd.256";
    return call(b, loc, name, vectorOf(b.getI32Type()),
                {accumulator, activations, weights});
  }

  SmallVector<Value> loadTable(OpBuilder &b, Location loc,
                               Value table) override {
    if (!hasTableLookup)
      return X86MicroKernels::loadTable(b, loc, table);
    SmallVector<Value> parts;
    for (unsigned i = 0; i < 4; ++i) {
      Value at = arith::ConstantIndexOp::create(b, loc, 64 * i);
      parts.push_back(
          vector::LoadOp::create(b, loc, vectorOf(b.getI8Type()), table, at));
    }
    return parts;
  }

  Value lookup(OpBuilder &b, Location loc, Value indices,
               ValueRange table) override {
    if (!hasTableLookup)
      return X86MicroKernels::lookup(b, loc, indices, table);
    StringRef name = "llvm.x86.avx512.vpermi2var.qi.512";
    auto i8 = vectorOf(b.getI8Type());
    Value low = call(b, loc, name, i8, {table[0], indices, table[1]});
    Value high = call(b, loc, name, i8, {table[2], indices, table[3]});
    Value upper = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                        indices, splat(b, loc, i8, 0));
    return arith::SelectOp::create(b, loc, upper, high, low);
  }

private:
  bool hasTableLookup;
};

} // namespace

std::shared_ptr<MicroKernels>
qcc::createMultiplyAddKernels(unsigned vectorBytes) {
  return std::make_shared<MultiplyAddKernels>(vectorBytes);
}

std::shared_ptr<MicroKernels> qcc::createVNNIKernels(unsigned vectorBytes,
                                                     bool hasTableLookup) {
  return std::make_shared<VNNIKernels>(vectorBytes, hasTableLookup);
}
