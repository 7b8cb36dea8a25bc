//===- ConvertBlocks.cpp - Weights quantized in blocks -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Converters.h"

#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

namespace {
/// The attributes of a MatMulNBits.
struct BlockFormat {
  int64_t depth, columns, block, bits;
  int64_t blocks() const { return llvm::divideCeil(depth, block); }
  int64_t blockBytes() const { return block * bits / 8; }
  int64_t middle() const { return int64_t(1) << (bits - 1); }
};
} // namespace

static std::optional<BlockFormat> readFormat(Node &node) {
  BlockFormat f;
  f.depth = node.requiredIntAttr("K");
  f.columns = node.requiredIntAttr("N");
  f.block = node.requiredIntAttr("block_size");
  f.bits = node.intAttr("bits", 4);
  int64_t level = node.intAttr("accuracy_level", 0);
  if (node.failed())
    return std::nullopt;
  if ((f.bits != 2 && f.bits != 4 && f.bits != 8) || f.block < 16 ||
      f.block > BlockMatmulOp::maxBlock || f.depth < 1 || f.columns < 1 ||
      !countElements({f.columns, f.depth})) {
    node.error() << "K = " << f.depth << ", N = " << f.columns
                 << ", block_size = " << f.block << " and bits = " << f.bits
                 << " are not supported";
    return std::nullopt;
  }
  if (level < 0 || level > 4) {
    node.error() << "accuracy_level = " << level << ", expected 0 to 4";
    return std::nullopt;
  }
  if (node.intAttr("weight_prepacked", 0) != 0) {
    node.error() << "weight_prepacked != 0, a layout of one GPU; export the "
                    "model with plain weights";
    return std::nullopt;
  }
  if (node.has(4)) {
    node.error() << "g_idx is not supported";
    return std::nullopt;
  }
  return f;
}

/// The zero points, one number to a block; empty where all are the middle.
static std::vector<float> readZeroPoints(Node &node, const BlockFormat &f) {
  std::vector<float> zeros;
  int64_t count = f.columns * f.blocks();
  auto wrongSize = [&] {
    node.error() << "the zero points must be constant, one to a block";
    return std::vector<float>();
  };
  if (!node.has(3))
    return zeros;
  if (isa<FloatType>(node.elementType(3))) {
    for (double zero : node.constantFloats(3, "zero points"))
      zeros.push_back(float(zero));
    if (!node.failed() && int64_t(zeros.size()) != count)
      return wrongSize();
  } else {
    // Packed like the weights; each column starts with a byte.
    auto packed = ConstantBytes::get(node.in(3));
    int64_t perByte = 8 / f.bits;
    int64_t columnBytes = llvm::divideCeil(f.blocks(), perByte);
    if (!packed || int64_t(packed->bytes().size()) != f.columns * columnBytes)
      return wrongSize();
    for (int64_t n = 0; n < f.columns; ++n)
      for (int64_t b = 0; b < f.blocks(); ++b) {
        auto byte = uint8_t(packed->bytes()[n * columnBytes + b / perByte]);
        zeros.push_back(byte >> (b % perByte * f.bits) & ((1 << f.bits) - 1));
      }
  }
  if (llvm::all_of(zeros, [&](float zero) { return zero == f.middle(); }))
    zeros.clear();
  return zeros;
}

template <typename T>
static Value constantOf(Node &node, ArrayRef<int64_t> shape, Type type,
                        ArrayRef<T> values) {
  return node.constant(
      shape, type,
      ArrayRef<char>(reinterpret_cast<const char *>(values.data()),
                     values.size() * sizeof(T)));
}

void qcc::import::convertMatMulNBits(Node &node) {
  // A, B, scales, zero_points, g_idx, bias
  std::optional<BlockFormat> f = readFormat(node);
  if (!f)
    return;
  Type f32 = node.getBuilder().getF32Type();
  Type byte = getElementType(node.getContext(), DType::U8);
  if (!isa<FloatType>(node.elementType(0)) || node.rank(0) == 0 ||
      node.shape(0).back() != f->depth) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << ", expected floats [..., K = " << f->depth << "]";
    return;
  }
  auto packed = ConstantBytes::get(node.in(1));
  SmallVector<double> scales = node.constantFloats(2, "scales");
  if (node.failed())
    return;
  if (!packed || node.dtype(1) != DType::U8 ||
      int64_t(packed->bytes().size()) !=
          f->columns * f->blocks() * f->blockBytes() ||
      int64_t(scales.size()) != f->columns * f->blocks()) {
    node.error() << "the weights must be constant, with " << f->columns << " x "
                 << f->blocks() << " blocks of " << f->blockBytes()
                 << " bytes and as many scales";
    return;
  }
  std::vector<float> zeros = readZeroPoints(node, *f);
  SmallVector<int64_t> shape{f->columns, f->blocks()};
  Value weights =
      node.reshape(node.in(1), {f->columns, f->blocks(), f->blockBytes()});
  Value scale = constantOf<float>(
      node, shape, f32, SmallVector<float>(scales.begin(), scales.end()));
  Value zero;
  bool areBytes = llvm::all_of(zeros, [&](float z) {
    return z >= 0 && z < float(1 << f->bits) && z == float(uint8_t(z));
  });
  if (!zeros.empty() && areBytes)
    zero = constantOf<uint8_t>(
        node, shape, byte, SmallVector<uint8_t>(zeros.begin(), zeros.end()));
  else if (!zeros.empty())
    zero = constantOf<float>(node, shape, f32, zeros);
  // The level says how exact products must be at least; only 4 allows integers.
  bool isInteger = node.intAttr("accuracy_level", 0) == 4;
  Value y = node.create<BlockMatmulOp>(f32, node.cast(node.in(0), f32), weights,
                                       scale, zero, uint64_t(f->bits),
                                       uint64_t(f->block), isInteger);
  if (node.has(5))
    y = node.binary(BinaryKind::Add, y, node.cast(node.in(5), f32));
  node.setOutput(0, node.cast(y, node.elementType(0)));
}
