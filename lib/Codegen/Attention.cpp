//===- Attention.cpp - Products around a softmax --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "FusedKernels.h"
#include "KeptRows.h"

#include "qcc/Codegen/AttentionPrecision.h"
#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// What the scores of a block should take, beside what else a near cache holds,
/// and what those of the fewest rows may.
static constexpr int64_t nearBytes = 32 * 1024, maxBytes = 256 * 1024;
/// Matrices that do not stay in a second-level cache from block to block are
/// read again by each; from this depth and width on, separate products, which
/// keep a panel of them over all rows, are faster.
static constexpr int64_t residentBytes = 1536 * 1024, shortRows = 128;
/// Blocks that there should be, for the threads to share.
static constexpr int64_t goodBlocks = 16;

/// The depth up to which 16 bits leave the noise of a product 65 dB below it,
/// and the most lanes of a level.
static constexpr int64_t maxInt16Depth = 1024, maxLanes = 16;

/// Rows that keys and values serve, and products of a row: below, rounding to
/// 16 bits took longer than it gained (docs/performance.md).
static constexpr int64_t minInt16Rows = 32, minInt16Products = 6144;

/// A reshape that leaves rows as they are.
static bool keepsRows(Operation *op) {
  auto reshape = dyn_cast<ReshapeOp>(op);
  if (!reshape)
    return false;
  ArrayRef<int64_t> from = shapeOf(reshape.getInput()),
                    to = shapeOf(reshape.getResult());
  return !from.empty() && !to.empty() && from.back() == to.back();
}

/// The op that `value` comes from through chains, which nothing else reads;
/// null for other values.
static Operation *originOf(Value value,
                           SmallVectorImpl<ElementwiseChain> &chains) {
  while (Operation *producer = value.getDefiningOp()) {
    Operation *origin = ElementwiseChain::producerOf(producer);
    ElementwiseChain chain(origin);
    if (!value.hasOneUse() || chain.result() != value)
      return nullptr;
    chains.insert(chains.begin(), chain);
    if (!keepsRows(origin))
      return origin;
    value = origin->getOperand(0);
  }
  return nullptr;
}

std::optional<Attention> Attention::match(Operation *op,
                                          const TargetLevel &level) {
  Attention attention;
  std::optional<Product> values = Product::match(op, level);
  if (!values || !isa<MatmulOp>(op) ||
      values->lhs.tensor != op->getOperand(0) ||
      op->getParentOfType<ModuleOp>()->hasAttr(kKeepTensorsAttr))
    return std::nullopt;
  Operation *softmax = originOf(values->lhs.tensor, attention.behind);
  if (!isa_and_present<SoftmaxOp>(softmax))
    return std::nullopt;
  std::optional<RowOp> row = RowOp::match(softmax);
  if (!row || row->before)
    return std::nullopt;
  Operation *first = originOf(row->input, attention.before);
  if (!isa_and_present<MatmulOp>(first))
    return std::nullopt;
  std::optional<Product> scores = Product::match(first, level);
  if (!scores || scores->requantize || match(first, level))
    return std::nullopt;
  attention.scores = *scores;
  attention.values = *values;
  // As many matrices on the left as on the right.
  attention.scores.splitBatches();
  attention.values.splitBatches();
  if (scores->columns != row->length || values->depth != row->length ||
      attention.scores.batches != attention.values.batches ||
      attention.scores.rows != attention.values.rows)
    return std::nullopt;
  if (attention.takesInt16(level))
    for (Product *product : {&attention.scores, &attention.values})
      product->takeInt16();
  attention.cut(level);
  if (attention.readsFromAfar())
    return std::nullopt;
  if (attention.blockRows() * attention.pitch() * 4 > maxBytes)
    return std::nullopt;
  return attention;
}

Operation *Attention::findProduct(Operation *producer,
                                  const TargetLevel &level) {
  while (isa<MatmulOp, SoftmaxOp>(producer) || keepsRows(producer)) {
    Value value = ElementwiseChain(producer).result();
    if (!value.hasOneUse())
      return nullptr;
    producer = *value.user_begin();
    if (isa<MatmulOp>(producer) && match(producer, level) &&
        producer->getOperand(0) == value)
      return producer;
    if (isa<MatmulOp>(producer))
      return nullptr;
  }
  return nullptr;
}

bool Attention::keepsExponentials() const {
  return !values.isInteger &&
         llvm::all_of(behind, [](const ElementwiseChain &chain) {
           return chain.empty();
         });
}

int64_t Attention::pitch() const {
  // Not a multiple of the distance at which addresses share a place in a cache.
  return std::max(scores.paddedColumns(), KeptRows::roomFor(scores.columns)) +
         KeptRows::width;
}

bool Attention::fitsInt16() const {
  // A matrix of the widest panels; what fits does so at every level.
  auto words = [](const Product &p) {
    return llvm::divideCeil(p.depth, 2) * llvm::alignTo(p.columns, maxLanes);
  };
  return !scores.isInteger && keepsExponentials() &&
         scores.depth <= maxInt16Depth && values.depth <= maxInt16Depth &&
         int64_t(words(scores) + words(values)) * 4 <= residentBytes;
}

/// Whether all that becomes of `value` is quantized at run time.
static bool isQuantizedAtRunTime(Value value) {
  llvm::SmallSetVector<Value, 8> values;
  values.insert(value);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].use_empty())
      return false;
    for (Operation *op : values[i].getUsers()) {
      if (isa<DynamicQuantizeOp>(op))
        continue;
      if (!isa<ReshapeOp, TransposeOp, UnaryOp, BinaryOp>(op))
        return false;
      values.insert(op->getResult(0));
    }
  }
  return true;
}

/// Whether tensors are added to scores or choose among them. Keys and values
/// that a mask leaves out would take steps from the others.
static bool mayMask(ArrayRef<ElementwiseChain> chains) {
  return llvm::any_of(chains, [](const ElementwiseChain &chain) {
    return llvm::any_of(chain.operands(), [](Value operand) {
      return tensorTypeOf(operand).getNumElements() != 1;
    });
  });
}

bool Attention::takesInt16(const TargetLevel &level) const {
  if (!level.hasInt16Dot || !fitsInt16())
    return false;
  if (auto wanted =
          values.op->getParentOfType<ModuleOp>()->getAttrOfType<StringAttr>(
              kAttentionAttr))
    return wanted.getValue() == "int16";
  return paysInInt16() && !mayMask(before) &&
         isQuantizedAtRunTime(values.op->getResult(0));
}

/// Where rounding costs less than products gain, at every level.
bool Attention::paysInInt16() const {
  int64_t rows = scores.rows * scores.batches / scores.rhsMatrices;
  return rows >= minInt16Rows &&
         scores.columns * (scores.depth + values.columns) >= minInt16Products;
}

bool qcc::isInt16Attention(Operation *op, const TargetLevel &level) {
  if (!isa<MatmulOp>(op))
    return false;
  std::optional<Attention> attention = Attention::match(op, level);
  if (!attention)
    if (Operation *product = Attention::findProduct(op, level))
      attention = Attention::match(product, level);
  return attention && attention->isInt16();
}

/// The op that computes `value`, seen through ops on single elements and those
/// that only move them.
static Operation *producerOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<ReshapeOp, TransposeOp, CastOp, UnaryOp, BinaryOp, SelectOp>(op))
      return op;
    // A mask, its fill or a factor is computed elsewhere, or smaller.
    auto found = llvm::find_if(op->getOperands(), [&](Value operand) {
      return operand.getDefiningOp() && !operand.getDefiningOp<ConstantOp>() &&
             tensorTypeOf(operand).getNumElements() ==
                 tensorTypeOf(value).getNumElements() &&
             !tensorTypeOf(operand).getElementType().isInteger(1);
    });
    if (found == op->operand_end())
      return nullptr;
    value = *found;
  }
  return nullptr;
}

void qcc::warnOfFloatAttention(ModuleOp module, const TargetLevel &level) {
  auto wanted = module->getAttrOfType<StringAttr>(kAttentionAttr);
  if (!wanted || wanted.getValue() != "int16")
    return;
  module.walk([&](MatmulOp op) {
    auto isFloat = [](Value value) {
      return isa<FloatType>(tensorTypeOf(value).getElementType());
    };
    if (!isFloat(op.getLhs()) || !isFloat(op.getRhs()) ||
        isInt16Attention(op, level))
      return;
    auto softmax = dyn_cast_or_null<SoftmaxOp>(producerOf(op.getLhs()));
    if (softmax && isa_and_nonnull<MatmulOp>(producerOf(softmax.getInput())))
      emitWarning(op.getLoc())
          << "-attention=int16: this attention stays float, since there is no "
             "kernel in 16 bits for it (docs/quantization.md)";
  });
}

void Attention::cut(const TargetLevel &level) {
  scores.cut(level);
  values.cut(level);
  // They have the same row tiles.
  if (bool(scores.tiled) != bool(values.tiled))
    for (Product *product : {&scores, &values})
      product->cut(level, /*mayTile=*/false);
  int64_t rows = std::min(scores.tileRows, values.tileRows);
  int64_t rowBytes = pitch() * 4;
  int64_t tiles = std::max<int64_t>(nearBytes / (rows * rowBytes), 1);
  int64_t wanted = llvm::divideCeil(goodBlocks, scores.batches);
  if (!scores.tiled)
    for (Product *product : {&scores, &values})
      product->cutRows(rows);
  tiles = std::min(tiles, scores.mostCopiedTiles());
  for (Product *product : {&scores, &values}) {
    int64_t blocks =
        std::max<int64_t>(llvm::divideCeil(product->rowTiles, tiles),
                          std::min<int64_t>(wanted, product->rowTiles));
    product->blockTiles = llvm::divideCeil(product->rowTiles, blocks);
    product->rowBlocks =
        llvm::divideCeil(product->rowTiles, product->blockTiles);
    product->panelsOuter = false;
  }
}

bool Attention::readsFromAfar() const {
  int64_t bytes = 0;
  for (const Product *product : {&scores, &values})
    bytes += product->matrixElements() * 4 / product->unitElements;
  return scores.rowBlocks > 1 && bytes > residentBytes &&
         scores.depth + values.columns > shortRows;
}

std::string Attention::key() const {
  std::string key = scores.key() + " then " + values.key();
  for (const ElementwiseChain &chain : before)
    key += " before " + chain.key();
  for (const ElementwiseChain &chain : behind)
    key += " behind " + chain.key();
  return key;
}
