//===- ByteTable.cpp - Functions of a byte behind a kernel ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteTable.h"
#include "ResultQuantize.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

LutOp qcc::findResultTable(Operation *op) {
  Value result = op->getResult(0);
  if (!result.hasOneUse() || !getActivationType(result))
    return {};
  auto lut = dyn_cast<LutOp>(*result.getUsers().begin());
  if (!lut || !getActivationType(lut.getResult()))
    return {};
  std::optional<ConstantBytes> table = ConstantBytes::get(lut.getTable());
  return table && table->bytes().size() == 256 ? lut : LutOp();
}

Value qcc::takeOverTable(LutOp lut, KernelEmitter &emitter) {
  takeOver(lut);
  return emitter.constant(
      "table", MemRefType::get({256}, IntegerType::get(lut.getContext(), 8)),
      ConstantBytes::get(lut.getTable())->bytes());
}

SmallVector<Value> qcc::lookUpBytes(CodeBuilder &c, const TargetLevel &level,
                                    Value table, ValueRange vectors) {
  SmallVector<Value> parts = level.micro->loadTable(c.b, c.loc, table);
  int64_t width = cast<VectorType>(vectors[0].getType()).getNumElements();
  int64_t whole = level.vectorBytes;
  SmallVector<Value> results;
  if (width == whole) {
    for (Value indices : vectors)
      results.push_back(level.micro->lookup(c.b, c.loc, indices, parts));
    return results;
  }
  // As many short vectors at a time as fill one.
  for (size_t first = 0; first < vectors.size(); first += whole / width) {
    ValueRange some = vectors.slice(
        first, std::min<size_t>(whole / width, vectors.size() - first));
    Value indices = c.splat(c.b.getI8Type(), 0, whole);
    for (auto [i, vector] : llvm::enumerate(some))
      indices = vector::InsertStridedSliceOp::create(
          c.b, c.loc, vector, indices, ArrayRef<int64_t>(i * width),
          ArrayRef<int64_t>(1));
    Value found = level.micro->lookup(c.b, c.loc, indices, parts);
    for (size_t i = 0; i < some.size(); ++i) {
      SmallVector<int64_t> mask;
      for (int64_t lane = 0; lane < width; ++lane)
        mask.push_back(i * width + lane);
      results.push_back(c.shuffle(found, found, mask));
    }
  }
  return results;
}
