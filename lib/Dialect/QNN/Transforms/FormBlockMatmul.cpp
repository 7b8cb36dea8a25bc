//===- FormBlockMatmul.cpp - Blocks that are dequantized for a product ----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatternUtils.h"
#include "qcc/Dialect/QNN/IR/BlockWeights.h"
#include "qcc/Dialect/QNN/IR/Evaluate.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"

#include <functional>

namespace qcc::qnn {
#define GEN_PASS_DEF_FORMBLOCKMATMUL
#include "qcc/Dialect/QNN/Transforms/Passes.h.inc"
} // namespace qcc::qnn

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Smaller blocks have nearly as many scales as weights.
static constexpr int64_t minBlock = 8;

/// The bytes of a constant, or of what a few ops make of constants (casts of
/// scales, blocks that are filled up); nothing for values known at run time.
static std::optional<ConstantBytes> evaluateBytes(Value value) {
  std::function<ElementsAttr(Value)> elementsOf =
      [&](Value value) -> ElementsAttr {
    if (auto constant = value.getDefiningOp<ConstantOp>())
      return constant.getValue();
    Operation *op = value.getDefiningOp();
    if (!isa_and_nonnull<CastOp, ConcatOp, ReshapeOp, TransposeOp>(op))
      return {};
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands())
      operands.push_back(elementsOf(operand));
    if (llvm::is_contained(operands, Attribute()))
      return {};
    if (isa<ReshapeOp>(op))
      return reshapeElements(cast<ElementsAttr>(operands[0]),
                             shapeOf(op->getResult(0)));
    return evaluate(op, operands, tensorTypeOf(value).getNumElements());
  };
  ElementsAttr elements = elementsOf(value);
  return elements ? ConstantBytes::get(elements) : std::nullopt;
}

namespace {
/// A matrix that is dequantized in blocks along one dimension:
/// slice(reshape(dynamic_dequantize(integers))), maybe transposed.
struct BlockedMatrix {
  /// `isTransposed`: the depth is the last dimension of `value`.
  static std::optional<BlockedMatrix> match(Value value, bool isTransposed);

  std::optional<ConstantBytes> integers, scales;
  std::optional<ConstantBytes> zeroPoints; ///< one, or like scales
  int64_t depth, columns, block;
  bool isSigned;
  /// Strides of the depth and the columns in the (padded) integers, and of
  /// blocks and columns in the scales.
  int64_t depthStride, columnStride, blockStride, scaleStride;
  /// The fewest bits that hold the weights and zero points (of signed ones
  /// with the middle of the range added).
  std::optional<int64_t> bits() const;
  int64_t number(const ConstantBytes &bytes, size_t i) const {
    return isSigned ? int64_t(bytes.as<int8_t>()[i])
                    : int64_t(bytes.as<uint8_t>()[i]);
  }
  int64_t zeroPoint(size_t i) const {
    if (!zeroPoints)
      return 0;
    return number(*zeroPoints, zeroPoints->bytes().size() == 1 ? 0 : i);
  }
};
} // namespace

std::optional<BlockedMatrix> BlockedMatrix::match(Value value,
                                                  bool isTransposed) {
  if (auto transpose = value.getDefiningOp<TransposeOp>()) {
    if (transpose.getPermutation() != ArrayRef<int64_t>{1, 0})
      return std::nullopt;
    value = transpose.getInput();
    isTransposed = !isTransposed;
  }
  if (rankOf(value) != 2 || !elementTypeOf(value).isF32())
    return std::nullopt;
  BlockedMatrix m;
  int64_t axis = isTransposed ? 1 : 0;
  m.depth = shapeOf(value)[axis];
  m.columns = shapeOf(value)[1 - axis];
  // The last block may be cut off.
  if (auto slice = value.getDefiningOp<SliceOp>()) {
    value = slice.getInput();
    if (llvm::any_of(slice.getStarts(), [](int64_t i) { return i != 0; }) ||
        llvm::any_of(slice.getSteps(), [](int64_t i) { return i != 1; }) ||
        shapeOf(value)[1 - axis] != m.columns)
      return std::nullopt;
  }
  auto reshape = value.getDefiningOp<ReshapeOp>();
  auto dequantize =
      reshape ? reshape.getInput().getDefiningOp<DynamicDequantizeOp>()
              : DynamicDequantizeOp();
  if (!dequantize || rankOf(dequantize.getResult()) != 3)
    return std::nullopt;
  ArrayRef<int64_t> shape = shapeOf(dequantize.getInput());
  ArrayRef<int64_t> scaleShape = shapeOf(dequantize.getScale());
  // [blocks, block, columns] or [columns, blocks, block]
  m.block = shape[axis + 1];
  int64_t blocks = shape[axis];
  SmallVector<int64_t> expected(shape);
  expected[axis + 1] = 1;
  if (shape != shapeOf(dequantize.getResult()) ||
      scaleShape != ArrayRef<int64_t>(expected) ||
      blocks != int64_t(llvm::divideCeil(m.depth, m.block)) ||
      m.block < minBlock || m.block > BlockMatmulOp::maxBlock)
    return std::nullopt;
  m.depthStride = isTransposed ? 1 : m.columns;
  m.columnStride = isTransposed ? blocks * m.block : 1;
  m.blockStride = isTransposed ? 1 : m.columns;
  m.scaleStride = isTransposed ? blocks : 1;

  auto stored = dyn_cast<IntegerType>(elementTypeOf(dequantize.getInput()));
  if (!stored || stored.getWidth() != 8)
    return std::nullopt;
  m.isSigned = !stored.isUnsigned();
  m.integers = evaluateBytes(dequantize.getInput());
  m.scales = evaluateBytes(dequantize.getScale());
  if (!m.integers || !m.scales || !elementTypeOf(dequantize.getScale()).isF32())
    return std::nullopt;
  if (Value zeros = dequantize.getZeroPoint()) {
    m.zeroPoints = evaluateBytes(zeros);
    if (!m.zeroPoints || (tensorTypeOf(zeros).getNumElements() != 1 &&
                          shapeOf(zeros) != scaleShape))
      return std::nullopt;
  }
  return m;
}

std::optional<int64_t> BlockedMatrix::bits() const {
  auto within = [&](const std::optional<ConstantBytes> &bytes, int64_t low,
                    int64_t high) {
    for (size_t i = 0, e = bytes ? bytes->bytes().size() : 0; i < e; ++i)
      if (number(*bytes, i) < low || number(*bytes, i) > high)
        return false;
    return true;
  };
  for (int64_t bits : {2, 4, 8}) {
    int64_t low = isSigned ? -(1 << (bits - 1)) : 0;
    int64_t high = low + (1 << bits) - 1;
    if (block * bits % 8 == 0 && within(integers, low, high) &&
        within(zeroPoints, low, high))
      return bits;
  }
  return std::nullopt;
}

namespace {
struct FormFromDequantize : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getTransposeLhs() || !elementTypeOf(op.getLhs()).isF32() ||
        !elementTypeOf(op.getResult()).isF32() || rankOf(op.getLhs()) < 1)
      return failure();
    auto matrix = BlockedMatrix::match(op.getRhs(), op.getTransposeRhs());
    if (!matrix)
      return failure();
    std::optional<int64_t> bits = matrix->bits();
    if (!bits)
      return failure();
    BlockWeights weights(matrix->columns, matrix->depth, matrix->block, *bits);
    int64_t offset = matrix->isSigned ? weights.middle() : 0;
    weights.zeroPoints.resize(weights.scales.size());
    for (int64_t column = 0; column < weights.columns; ++column) {
      for (int64_t block = 0; block < weights.blocks(); ++block) {
        size_t from =
            size_t(column * matrix->scaleStride + block * matrix->blockStride);
        size_t to = size_t(column * weights.blocks() + block);
        weights.scales[to] = matrix->scales->as<float>()[from];
        weights.zeroPoints[to] = float(offset + matrix->zeroPoint(from));
      }
      for (int64_t k = 0; k < weights.depth; ++k)
        weights.set(column, k,
                    offset +
                        matrix->number(*matrix->integers,
                                       size_t(column * matrix->columnStride +
                                              k * matrix->depthStride)));
    }
    Value product = createBlockMatmul(rewriter, op.getLoc(), op.getLhs(),
                                      weights, /*int8Input=*/false);
    rewriter.replaceOp(op, createEpilogue(rewriter, op, product));
    return success();
  }
};

struct FormBlockMatmul : qcc::qnn::impl::FormBlockMatmulBase<FormBlockMatmul> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FormFromDequantize>(&getContext());
    if (failed(applyToFixpoint(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
