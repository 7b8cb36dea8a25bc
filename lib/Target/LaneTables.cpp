//===- LaneTables.cpp - Small tables that vectors look up -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Target/LaneTables.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qcc;

static bool hasFeature(const TargetLevel &level, StringRef feature) {
  SmallVector<StringRef> features;
  StringRef(level.features).split(features, ',');
  return llvm::is_contained(features, feature);
}

static Value call(OpBuilder &b, Location loc, StringRef name, Type result,
                  ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name),
                                       operands)
      .getResult(0);
}

/// By instructions that take bytes: those of entry i are 4 i to 4 i + 3.
static Value lookUpByBytes(OpBuilder &b, Location loc, ArrayRef<float> table,
                           Value indices, bool isArm) {
  auto type = cast<VectorType>(indices.getType());
  auto bytes = VectorType::get({16}, b.getI8Type());
  auto splat = [&](int32_t c) -> Value {
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, b.getI32IntegerAttr(c)));
  };
  auto half = [&](ArrayRef<float> entries) -> Value {
    Value floats = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type.clone(b.getF32Type()), entries));
    return vector::BitCastOp::create(b, loc, bytes, floats);
  };
  Value entry =
      arith::AndIOp::create(b, loc, indices, splat(kLaneTableSize - 1));
  Value first = arith::MulIOp::create(b, loc, entry, splat(0x04040404));
  Value all = arith::AddIOp::create(b, loc, first, splat(0x03020100));
  auto asBytes = [&](Value v) -> Value {
    return vector::BitCastOp::create(b, loc, bytes, v);
  };
  Value low = half(table.take_front(4)), high = half(table.drop_front(4));
  Value found;
  if (isArm) {
    found = call(b, loc, "llvm.aarch64.neon.tbl2.v16i8", bytes,
                 {low, high, asBytes(all)});
  } else {
    // pshufb takes four bits, and gives 0 where the highest is set: by this
    // sum, where the fifth is.
    auto lookUp = [&](Value half, Value at) {
      at = arith::AddIOp::create(b, loc, at, splat(0x70707070));
      return call(b, loc, "llvm.x86.ssse3.pshuf.b.128", bytes,
                  {half, asBytes(at)});
    };
    Value other = arith::XOrIOp::create(b, loc, all, splat(0x10101010));
    found = arith::OrIOp::create(b, loc, lookUp(low, all), lookUp(high, other));
  }
  return vector::BitCastOp::create(b, loc, type.clone(b.getF32Type()), found);
}

Value qcc::lookUpLanes(OpBuilder &b, Location loc, const TargetLevel &level,
                       ArrayRef<float> table, Value indices) {
  auto type = dyn_cast<VectorType>(indices.getType());
  if (!type)
    return {};
  int64_t lanes = type.getNumElements();
  bool isArm = hasFeature(level, "+neon");
  if (lanes == 4 && (isArm || hasFeature(level, "+ssse3")))
    return lookUpByBytes(b, loc, table, indices, isArm);
  bool isWide = lanes == 16 && hasFeature(level, "+avx512f");
  if (!isWide && !(lanes == 8 && hasFeature(level, "+avx2")))
    return {};
  SmallVector<float> entries;
  for (int64_t i = 0; i < lanes; ++i)
    entries.push_back(table[i % kLaneTableSize]);
  auto floats = type.clone(b.getF32Type());
  Value lookedUp = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(floats, ArrayRef<float>(entries)));
  return call(b, loc,
              isWide ? "llvm.x86.avx512.permvar.sf.512"
                     : "llvm.x86.avx2.permps",
              floats, {lookedUp, indices});
}
