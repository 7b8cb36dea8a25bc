//===- Product.cpp - Matrix products of activations -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Product.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/QuantMath.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// A packed matrix beyond this size is read once, panel by panel.
static constexpr int64_t residentBytes = 128 * 1024;
/// Tiles that a kernel should have, for the threads to share.
static constexpr int64_t goodTiles = 16;
/// The most stack for copied rows.
static constexpr int64_t maxCopiedBytes = 64 * 1024;
/// More rows than this gain nothing, as in MatrixPlan.
static constexpr int64_t maxRows = 12;

std::optional<Product> Product::match(Operation *op, const TargetLevel &level) {
  Product product;
  product.op = op;
  if (!product.matchMatmul(op, level) && !product.matchInteger(op, level))
    return std::nullopt;
  product.cut(level);
  if (product.copiesRows() &&
      product.tileRows * product.rowPitch() > maxCopiedBytes)
    return std::nullopt;
  return product;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool Product::matchShape(bool transposed) {
  ArrayRef<int64_t> l = shapeOf(lhs), r = shapeOf(rhs);
  if (l.size() < 2 || r.size() < 2 ||
      tensorTypeOf(result).getNumElements() == 0 || l.back() == 0)
    return false;
  rhsTransposed = transposed;
  rows = l[l.size() - 2];
  depth = l.back();
  columns = r[r.size() - (transposed ? 2 : 1)];
  ArrayRef<int64_t> lb = l.drop_back(2), rb = r.drop_back(2);
  // One right-hand side for all on the left: their rows are those of one.
  if (llvm::all_of(rb, [](int64_t d) { return d == 1; })) {
    for (int64_t d : lb)
      rows *= d;
    lb = rb = {};
  }
  size_t rank = std::max(lb.size(), rb.size());
  batch.assign(rank, 1);
  auto strides = [&](ArrayRef<int64_t> shape) {
    SmallVector<int64_t> result(rank, 0);
    int64_t stride = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      size_t d = rank - shape.size() + i;
      if (shape[i] == 1)
        continue;
      result[d] = stride;
      stride *= shape[i];
      batch[d] = shape[i];
    }
    return std::pair(result, stride);
  };
  lhsStrides = strides(lb).first;
  std::tie(rhsStrides, rhsMatrices) = strides(rb);
  for (int64_t d : batch)
    batches *= d;
  return true;
}

bool Product::matchMatmul(Operation *candidate, const TargetLevel &level) {
  auto matmul = dyn_cast<MatmulOp>(candidate);
  if (!matmul || matmul.getTransposeLhs() || matmul.getBias() ||
      matmul.getResidual() || matmul.getRhs().getDefiningOp<ConstantOp>())
    return false;
  lhs = matmul.getLhs();
  rhs = matmul.getRhs();
  result = matmul.getResult();
  if (!matchShape(matmul.getTransposeRhs()))
    return false;
  auto isF32 = [](Value v) { return tensorTypeOf(v).getElementType().isF32(); };
  std::optional<FloatActivation> function =
      FloatActivation::get(matmul.getActivationAttr());
  if (isF32(lhs) && isF32(rhs) && isF32(result) && function) {
    activation = *function;
    return true;
  }

  quant::UniformQuantizedType x = getActivationType(lhs),
                              w = getActivationType(rhs),
                              y = getActivationType(result);
  if (!x || !w || (!y && !isF32(result)) || depth >= (1 << 15))
    return false; // the reference sums longer rows in 64 bits
  isInteger = true;
  QuantParams xParams = getQuantParams(x), wParams = getQuantParams(w);
  auto magnitude = [](const QuantParams &p) {
    return double(std::max(p.qmax - p.zeroPoint, p.zeroPoint - p.qmin));
  };
  double bound = magnitude(xParams) * magnitude(wParams) * double(depth);
  if (y) {
    requantize = Requantize::get(y, matmul.getActivationAttr());
    if (!requantize)
      return false;
    scale = requantize->multiplier(xParams.scale, wParams.scale);
    requantize->setBound(bound * double(scale));
  } else {
    if (!function)
      return false;
    activation = *function;
    scale = xParams.scale * wParams.scale;
  }
  lhsFlip = x.isSigned() == level.unsignedActivations;
  rhsFlip = !w.isSigned();
  lhsZero.constant = x.getZeroPoint();
  if (lhsFlip)
    lhsZero.constant += x.isSigned() ? 128 : -128;
  rhsZero.constant = w.getZeroPoint() - (rhsFlip ? 128 : 0);
  return std::isfinite(scale);
}

bool Product::matchInteger(Operation *candidate, const TargetLevel &level) {
  auto matmul = dyn_cast<MatmulIntegerOp>(candidate);
  if (!matmul)
    return false;
  lhs = matmul.getLhs();
  rhs = matmul.getRhs();
  result = matmul.getResult();
  if (!matchShape(/*transposed=*/false) || depth >= (1 << 15))
    return false;
  isInteger = isSum = true;
  auto isUnsigned = [](Value v) {
    return cast<IntegerType>(tensorTypeOf(v).getElementType()).isUnsigned();
  };
  auto is8Bit = [](Value v) {
    return tensorTypeOf(v).getElementType().getIntOrFloatBitWidth() == 8;
  };
  if (!is8Bit(lhs) || !is8Bit(rhs))
    return false;
  lhsFlip = !isUnsigned(lhs) == level.unsignedActivations;
  rhsFlip = isUnsigned(rhs);
  if (lhsFlip)
    lhsZero.constant = isUnsigned(lhs) ? -128 : 128;
  if (rhsFlip)
    rhsZero.constant = -128;
  auto addTensor = [&](Value tensor, ZeroPoint &zero) {
    if (!tensor)
      return true;
    if (!is8Bit(tensor))
      return false;
    if (std::optional<SmallVector<int64_t>> values = getConstantInts(tensor)) {
      if (!llvm::all_equal(*values) || values->empty())
        return false;
      zero.constant += values->front();
      return true;
    }
    zero.tensor = tensor;
    zero.isUnsigned = isUnsigned(tensor);
    return tensorTypeOf(tensor).getNumElements() == 1;
  };
  return addTensor(matmul.getLhsZeroPoint(), lhsZero) &&
         addTensor(matmul.getRhsZeroPoint(), rhsZero);
}

std::string Product::key() const {
  auto zero = [](const ZeroPoint &z) {
    return llvm::formatv("{0}{1}{2}", z.constant, z.tensor ? "+" : "",
                         z.isUnsigned ? "u" : "");
  };
  std::string key = llvm::formatv(
      "{0}x{1}x{2} {3}{4}{5}{6}{7} {8} {9} ", rows, depth, columns,
      isInteger ? "i" : "f", isSum ? "s" : "", rhsTransposed ? "t" : "",
      lhsFlip ? "l" : "", rhsFlip ? "r" : "", zero(lhsZero), zero(rhsZero));
  for (auto [d, l, r] : llvm::zip_equal(batch, lhsStrides, rhsStrides))
    key += llvm::formatv("{0}:{1}:{2},", d, l, r);
  key += llvm::formatv("{0} {1:x}", activation.key(),
                       llvm::bit_cast<uint32_t>(scale));
  if (requantize)
    key += requantize->key();
  return key;
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

std::string Product::tileKey() const {
  return llvm::formatv("product {0} {1}x{2}x{3} of {4}{5}",
                       isInteger ? "i8" : "f32", rows, depth, columns, batches,
                       rhsTransposed ? " transposed" : "");
}

TileChoice Product::taken() const {
  TileChoice choice;
  choice.rows = unsigned(tileRows);
  choice.vectors = vectors;
  if (panels() > 1)
    choice.panelsOuter = panelsOuter;
  return choice;
}

void Product::cut(const TargetLevel &level) {
  TileChoice choice = TileTable(op).lookup(level.name, tileKey());
  unitElements = isInteger ? 4 : 1;
  units = llvm::divideCeil(depth, unitElements);
  lanes = level.lanes();
  RegisterTile tile = isInteger ? level.int8Tile : level.floatTile;
  int64_t total = llvm::divideCeil(columns, lanes);
  vectors = std::min<int64_t>(choice.vectors.value_or(tile.vectors), total);
  // Equal panels where they are not much narrower.
  if (!choice.vectors && vectors > 2 && total % vectors != 0 &&
      total % (vectors - 1) == 0)
    --vectors;
  fullPanels = total / vectors;
  tailVectors = total % vectors;

  // Fewer vectors leave registers for more rows.
  int64_t most = int64_t(tile.rows) * tile.vectors / vectors;
  int64_t limit = level.activationLoadBytes > 4 ? 8 : maxRows;
  most = std::min(most, std::max<int64_t>(limit, tile.rows));
  if (choice.rows)
    most = *choice.rows;
  rowTiles = llvm::divideCeil(rows, most);
  tileRows = llvm::divideCeil(rows, rowTiles);
  longTiles = rowTiles - (tileRows * rowTiles - rows);

  panelsOuter = choice.panelsOuter.value_or(
      matrixElements() * 4 / unitElements > residentBytes);
  int64_t others = batches * (panelsOuter ? panels() : 1);
  int64_t wanted = std::clamp<int64_t>(llvm::divideCeil(goodTiles, others), 1,
                                       llvm::divideCeil(rowTiles, 2));
  blockTiles = llvm::divideCeil(rowTiles, wanted);
  if (copiesRows())
    blockTiles = std::clamp<int64_t>(maxCopiedBytes / (tileRows * rowPitch()),
                                     1, blockTiles);
  rowBlocks = llvm::divideCeil(rowTiles, blockTiles);
}

void Product::forPanel(CodeBuilder &c, Value panel,
                       llvm::function_ref<void(unsigned, int64_t)> emit) const {
  int64_t last = columns - (panels() - 1) * panelColumns();
  auto choose = [&](int64_t full, unsigned lastVectors) {
    c.branch(
        c.compare(arith::CmpIPredicate::ult, panel, full),
        [&] { emit(vectors, panelColumns()); },
        [&] { emit(lastVectors, last); });
  };
  if (tailVectors)
    return choose(fullPanels, tailVectors);
  if (panels() == 1 || last == panelColumns())
    return emit(vectors, last);
  choose(panels() - 1, vectors);
}
