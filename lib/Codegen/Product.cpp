//===- Product.cpp - Matrix products of activations -----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Product.h"
#include "ElementwiseChain.h"
#include "Int16Factors.h"
#include "ResultQuantize.h"

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
/// Row tiles of a matrix unit that go over a panel, as in TileMatrixPlan.
static constexpr int64_t maxTiledBlock = 4;

/// The result of a transposition in the buffer of its operand.
static reference::Place placeOf(TransposeOp transpose) {
  reference::Place place = reference::Place::ofSource(transpose.getInput());
  place.transpose(transpose);
  return place;
}

std::optional<Product> Product::match(Operation *op, const TargetLevel &level) {
  Product product;
  if (!product.matchTypes(op, level))
    return std::nullopt;
  for (reference::Place *side : {&product.lhs, &product.rhs})
    if (auto transpose = side->tensor.getDefiningOp<TransposeOp>())
      if (isReadThrough(transpose, level))
        *side = placeOf(transpose);
  product.findResult(level);
  product.setShape(/*joinsRows=*/true);
  product.cut(level);
  return product;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool Product::matchTypes(Operation *candidate, const TargetLevel &level) {
  op = candidate;
  bool matches = false;
  if (auto matmul = dyn_cast<MatmulOp>(op))
    matches = matchMatmul(matmul, level);
  else if (auto matmul = dyn_cast<MatmulIntegerOp>(op))
    matches = matchInteger(matmul, level);
  unitElements = isInteger ? 4 : 1;
  return matches && (!copiesRows() || rowPitch() <= maxCopiedBytes);
}

/// Row-major operands, the first two of `op`.
bool Product::matchOperands() {
  for (auto [side, operand] :
       {std::pair(&lhs, op->getOperand(0)), std::pair(&rhs, op->getOperand(1))})
    *side = {operand, reference::rowMajor(shapeOf(operand))};
  ArrayRef<int64_t> l = shapeOf(lhs.tensor), r = shapeOf(rhs.tensor);
  if (l.size() < 2 || r.size() < 2 ||
      tensorTypeOf(op->getResult(0)).getNumElements() == 0 || l.back() == 0)
    return false;
  depth = l.back();
  return true;
}

bool Product::matchMatmul(MatmulOp matmul, const TargetLevel &level) {
  if (matmul.getTransposeLhs() || matmul.getBias() || matmul.getResidual() ||
      matmul.getRhs().getDefiningOp<ConstantOp>() || !matchOperands())
    return false;
  auto isF32 = [](Value v) { return tensorTypeOf(v).getElementType().isF32(); };
  std::optional<FloatActivation> function =
      FloatActivation::get(matmul.getActivationAttr());
  if (isF32(matmul.getLhs()) && isF32(matmul.getRhs()) &&
      isF32(matmul.getResult()) && function) {
    activation = *function;
    return true;
  }

  quant::UniformQuantizedType x = getActivationType(matmul.getLhs()),
                              w = getActivationType(matmul.getRhs()),
                              y = getActivationType(matmul.getResult());
  if (!x || !w || (!y && !isF32(matmul.getResult())) || depth >= (1 << 15))
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

bool Product::matchInteger(MatmulIntegerOp matmul, const TargetLevel &level) {
  if (!matchOperands() || depth >= (1 << 15))
    return false;
  isInteger = isSum = true;
  auto isUnsigned = [](Value v) {
    return cast<IntegerType>(tensorTypeOf(v).getElementType()).isUnsigned();
  };
  auto is8Bit = [](Value v) {
    return tensorTypeOf(v).getElementType().getIntOrFloatBitWidth() == 8;
  };
  if (!is8Bit(matmul.getLhs()) || !is8Bit(matmul.getRhs()))
    return false;
  lhsFlip = !isUnsigned(matmul.getLhs()) == level.unsignedActivations;
  rhsFlip = isUnsigned(matmul.getRhs());
  if (lhsFlip)
    lhsZero.constant = isUnsigned(matmul.getLhs()) ? -128 : 128;
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

//===----------------------------------------------------------------------===//
// Where they stand
//===----------------------------------------------------------------------===//

/// Whether the operand that `use` is can be read where `place` says: rows along
/// the depth or the columns are contiguous, units aligned.
bool Product::canRead(OpOperand &use, const reference::Place &place) const {
  unsigned number = use.getOperandNumber(), rank = place.strides.size();
  bool isContiguous = place.strides[rank - 1] == 1 ||
                      (number == 1 && place.strides[rank - 2] == 1);
  bool isAligned = depth % 4 != 0 || llvm::all_of(place.strides, [](int64_t s) {
                     return s == 1 || s % 4 == 0;
                   });
  return number < 2 && isContiguous &&
         (!isInteger || (isAligned && place.offset % 4 == 0));
}

bool Product::isReadThrough(TransposeOp op, const TargetLevel &level) {
  // What other kernels store transposed.
  auto concat = op.getInput().getDefiningOp<ConcatOp>();
  if (isTakenOver(op) || (concat && reference::isWrittenThrough(concat)))
    return false;
  reference::Place place = placeOf(op);
  return !op->use_empty() && llvm::all_of(op->getUses(), [&](OpOperand &use) {
    Product reader;
    return reader.matchTypes(use.getOwner(), level) &&
           reader.canRead(use, place);
  });
}

bool Product::isWrittenThrough(TransposeOp op, const TargetLevel &level) {
  Operation *producer = op.getInput().getDefiningOp();
  if (!producer)
    return false;
  std::optional<Product> product =
      match(ElementwiseChain::producerOf(producer), level);
  return product && product->result.tensor == op.getResult();
}

/// The result of the chain behind the product, or a transposition of it that
/// keeps its rows.
void Product::findResult(const TargetLevel &level) {
  Value value = ElementwiseChain(op).result();
  ArrayRef<int64_t> shape = shapeOf(value);
  result = {value, reference::rowMajor(shape)};
  if (!value.hasOneUse())
    return;
  auto transpose = dyn_cast<TransposeOp>(*value.user_begin());
  if (!transpose ||
      transpose.getPermutation().back() + 1 != int64_t(shape.size()) ||
      reference::isReadThrough(transpose.getResult()) ||
      isReadThrough(transpose, level))
    return;
  result = reference::Place::ofResult(transpose.getResult());
  result.transposeBack(transpose);
}

/// The dimensions of `place` in front of the matrices, among `batch`.
static Starts startsOf(ArrayRef<int64_t> batch, ArrayRef<int64_t> shape,
                       ArrayRef<int64_t> strides, int64_t offset) {
  SmallVector<int64_t> all(batch.size() - shape.size(), 0);
  for (auto [extent, stride] : llvm::zip_equal(shape, strides))
    all.push_back(extent == 1 ? 0 : stride);
  return Starts(batch, all, offset);
}

void Product::setShape(bool joinsRows) {
  ArrayRef<int64_t> l = shapeOf(op->getOperand(0)),
                    r = shapeOf(op->getOperand(1));
  ArrayRef<int64_t> lb = l.drop_back(2), rb = r.drop_back(2);
  ArrayRef<int64_t> lhsStrides = lhs.strides, rhsStrides = rhs.strides;
  rows = l[lb.size()];
  lhsPitch = lhsStrides[lb.size()];
  auto matmul = dyn_cast<MatmulOp>(op);
  bool isTurned = matmul && matmul.getTransposeRhs();
  int64_t depthStride = rhsStrides[rb.size() + isTurned],
          columnStride = rhsStrides[rb.size() + !isTurned];
  columns = r[rb.size() + !isTurned];
  rhsTransposed = isTurned ? depthStride == 1 : columnStride != 1;
  rhsPitch = rhsTransposed ? columnStride : depthStride;
  resultPitch = columns;

  // One right-hand side for all on the left: their rows are those of one.
  Starts allRows(l.drop_back(), lhsStrides.drop_back(), lhs.offset);
  // Dimensions of extent 1 may have come in front.
  Value behind = ElementwiseChain(op).result();
  ArrayRef<int64_t> shape = shapeOf(behind), strides = result.strides;
  bool isTransposed = result.tensor != behind;
  if (joinsRows && llvm::all_of(rb, [](int64_t d) { return d == 1; }) &&
      !isTransposed && allRows.shape.size() < 2) {
    for (int64_t d : lb)
      rows *= d;
    lhsPitch = allRows.strides.empty() ? depth : allRows.strides.front();
    lhsStarts = Starts({}, {}, lhs.offset);
    rhsNumbers = rhsStarts = Starts({}, {}, rhs.offset);
    return;
  }
  SmallVector<int64_t> batch(std::max(lb.size(), rb.size()), 1);
  for (ArrayRef<int64_t> side : {lb, rb})
    for (auto [d, extent] : llvm::enumerate(llvm::reverse(side)))
      batch[batch.size() - 1 - d] =
          std::max(batch[batch.size() - 1 - d], extent);
  batches = reference::product(batch);
  rhsMatrices = reference::product(rb);
  lhsStarts = startsOf(batch, lb, lhsStrides.drop_back(2), lhs.offset);
  rhsNumbers = startsOf(batch, rb, reference::rowMajor(rb), 0);
  rhsStarts = Starts(rb, rhsStrides.drop_back(2), rhs.offset);
  if (!isTransposed) {
    resultStarts = Starts({batches}, {rows * columns});
    return;
  }
  resultPitch = strides[strides.size() - 2];
  resultStarts =
      Starts(shape.drop_back(2), strides.drop_back(2), result.offset);
}

std::string Product::key() const {
  auto zero = [](const ZeroPoint &z) {
    return llvm::formatv("{0}{1}{2}", z.constant, z.tensor ? "+" : "",
                         z.isUnsigned ? "u" : "");
  };
  std::string key = llvm::formatv(
      "{0}x{1}x{2} {3}{4}{5}{6}{7} {8} {9} ", rows, depth, columns,
      isInteger ? "i"
      : isInt16 ? "w"
                : "f",
      isSum ? "s" : "", rhsTransposed ? "t" : "",
      lhsFlip     ? "l"
      : lhsSigned ? "s"
                  : "",
      rhsFlip ? "r" : "", zero(lhsZero), zero(rhsZero));
  for (const auto &[starts, pitch] :
       {std::pair(lhsStarts, lhsPitch), std::pair(rhsNumbers, int64_t(0)),
        std::pair(resultStarts, resultPitch)})
    key += llvm::formatv("{0}/{1},", starts.key(), pitch);
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
                       isInteger ? "i8"
                       : isInt16 ? "i16"
                                 : "f32",
                       rows, depth, columns, batches,
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

void Product::takeInt16() {
  assert(!isInteger && "factors are integers already");
  isInt16 = true;
}

void Product::cutRows(int64_t most) {
  rowTiles = llvm::divideCeil(rows, most);
  tileRows = llvm::divideCeil(rows, rowTiles);
  longTiles = rowTiles - (tileRows * rowTiles - rows);
}

int64_t Product::mostCopiedTiles() const {
  if (!copiesRows() && !isInt16)
    return rowTiles;
  int64_t bytes = isInt16 ? 2 * Int16Rows::pitchOf(depth) : rowPitch();
  return std::max<int64_t>(maxCopiedBytes / (tileRows * bytes), 1);
}

void Product::cut(const TargetLevel &level, bool mayTile) {
  TileChoice choice = TileTable(op).lookup(level.name, tileKey());
  units = llvm::divideCeil(depth, isInt16 ? 2 : unitElements);
  lanes = level.lanes();
  RegisterTile tile = isInteger ? level.int8Tile : level.floatTile;
  cutColumns(tile, choice.vectors);
  setTiled(mayTile && level.tiles && isInteger ? tilesThatPay() : std::nullopt);
  if (tiled) {
    tileRows = TileCut::tileRows;
    rowTiles = longTiles = tiled->rowTiles;
    return cutBlocks(choice.panelsOuter);
  }

  // Fewer vectors leave registers for more rows.
  int64_t most = int64_t(tile.rows) * tile.vectors / vectors;
  int64_t limit = level.activationLoadBytes > 4 ? 8 : maxRows;
  most = std::min(most, std::max<int64_t>(limit, tile.rows));
  if (choice.rows)
    most = *choice.rows;
  if (copiesRows())
    most = std::min(most, maxCopiedBytes / rowPitch());
  cutRows(most);
  cutBlocks(choice.panelsOuter);
}

/// Nothing where the rows that are copied do not fit or vectors are faster.
std::optional<TileCut> Product::tilesThatPay() const {
  TileCut cut(rows, units);
  if ((copiesRows() && TileCut::tileRows * rowPitch() > maxCopiedBytes) ||
      cut.cycles(paddedColumns(), std::min(cut.rowTiles, maxTiledBlock)) >=
          cut.vectorCycles(paddedColumns()))
    return std::nullopt;
  return cut;
}

/// Tiles take signed bytes on the left as they are.
void Product::setTiled(std::optional<TileCut> cut) {
  tiled = cut;
  if (tiled && lhsFlip) {
    lhsFlip = false;
    lhsSigned = true;
    lhsZero.constant -= 128;
  } else if (!tiled && lhsSigned) {
    lhsFlip = true;
    lhsSigned = false;
    lhsZero.constant += 128;
  }
}

void Product::cutColumns(RegisterTile tile, std::optional<unsigned> chosen) {
  int64_t total = llvm::divideCeil(columns, lanes);
  vectors = std::min<int64_t>(chosen.value_or(tile.vectors), total);
  // Equal panels where they are not much narrower.
  if (!chosen && vectors > 2 && total % vectors != 0 &&
      total % (vectors - 1) == 0)
    --vectors;
  fullPanels = total / vectors;
  tailVectors = total % vectors;
}

void Product::cutBlocks(std::optional<bool> chosen) {
  panelsOuter =
      chosen.value_or(matrixElements() * 4 / unitElements > residentBytes);
  int64_t others = batches * (panelsOuter ? panels() : 1);
  int64_t wanted = std::clamp<int64_t>(llvm::divideCeil(goodTiles, others), 1,
                                       llvm::divideCeil(rowTiles, 2));
  blockTiles = llvm::divideCeil(rowTiles, wanted);
  blockTiles = std::min(blockTiles, mostCopiedTiles());
  if (tiled)
    blockTiles = std::min(blockTiles, maxTiledBlock);
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
