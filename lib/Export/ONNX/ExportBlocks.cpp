//===- ExportBlocks.cpp - Weights in blocks to ONNX -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphBuilder.h"

#include "qcc/Dialect/QNN/IR/BlockWeights.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::onnx_export;
using namespace qcc::qnn;

static ArrayRef<char> bytesOf(ArrayRef<float> values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(float)};
}

/// Dequantized in blocks along the first dimension. ONNX has no integers of 2
/// bits before opset 25, so they take 4.
std::optional<std::string> onnx_export::exportBlockWeights(GraphBuilder &graph,
                                                           BlockMatmulOp op) {
  auto weights = BlockWeights::get(op);
  if (!weights)
    return std::nullopt;
  const BlockWeights &w = *weights;
  bool hasZeros = !w.zeroPoints.empty();
  for (float zero : w.zeroPoints)
    if (zero < 0 || zero > float(w.largest()) || zero != float(uint8_t(zero)))
      return std::nullopt; // ONNX has integers there
  // Without zero points the integers are signed and 0 stands for 0.
  DType dtype = w.bits == 8 ? (hasZeros ? DType::U8 : DType::I8)
                            : (hasZeros ? DType::U4 : DType::I4);
  int64_t offset = hasZeros ? 0 : w.middle();
  std::vector<char> integers, zeros;
  std::vector<float> scales;
  for (int64_t k = 0; k < w.depth; ++k)
    for (int64_t column = 0; column < w.columns; ++column)
      integers.push_back(char(w.get(column, k) - offset));
  for (int64_t block = 0; block < w.blocks(); ++block)
    for (int64_t column = 0; column < w.columns; ++column) {
      size_t number = w.blockOf(column, block * w.block);
      scales.push_back(w.scales[number]);
      if (hasZeros)
        zeros.push_back(char(w.zeroPoints[number]));
    }
  SmallVector<int64_t> shape{w.blocks(), w.columns};
  SmallVector<std::string> operands{
      graph.initializer("weight", dtype, {w.depth, w.columns}, integers),
      graph.initializer("scale", DType::F32, shape, bytesOf(scales))};
  if (hasZeros)
    operands.push_back(graph.initializer("zero_point", dtype, shape, zeros));
  return graph.node("DequantizeLinear", operands,
                    {{"axis", int64_t(0)}, {"block_size", w.block}});
}
