//===- RowKernels.cpp - Normalization and softmax of rows -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One pass over memory: a row is read once, from 8-bit values where the op
// dequantizes them, stays on the stack while its statistics are taken, and
// leaves through the chain of elementwise ops behind the op.
//
//===----------------------------------------------------------------------===//

#include "FusedKernels.h"
#include "KeptRows.h"
#include "MatrixEpilogue.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::Element;
using reference::LoopBuilder;

static constexpr int64_t width = KeptRows::width;
/// Vectors that are stored together.
static constexpr int64_t unrolled = 4;
/// Elements per tile.
static constexpr int64_t grain = 4096;
/// The longest row that is kept on the stack.
static constexpr int64_t maxRow = 16 * 1024;

std::optional<RowOp> RowOp::match(Operation *op) {
  bool matches = false;
  if (auto normalize = dyn_cast_if_present<NormalizeOp>(op)) {
    int64_t rank = shapeOf(normalize.getInput()).size();
    matches = normalize.getAxes() == ArrayRef<int64_t>{rank - 1};
  } else if (auto softmax = dyn_cast_if_present<SoftmaxOp>(op)) {
    int64_t rank = shapeOf(softmax.getInput()).size();
    matches = int64_t(softmax.getAxis()) == rank - 1 && !softmax.getLog();
  }
  if (!matches)
    return std::nullopt;
  Value input = op->getOperand(0);
  RowOp row{op, input, shapeOf(input).back(), 0, std::nullopt};
  if (!tensorTypeOf(input).getElementType().isF32() ||
      !tensorTypeOf(op->getResult(0)).getElementType().isF32() ||
      row.length < width || row.length > maxRow)
    return std::nullopt;
  row.rows = tensorTypeOf(input).getNumElements() / row.length;
  if (row.rows == 0)
    return std::nullopt;
  // Behind what is dequantized for this op alone.
  if (Operation *producer = input.getDefiningOp()) {
    Operation *first = ElementwiseChain::producerOf(producer);
    if (isDequantization(first)) {
      ElementwiseChain before(first);
      if (before.result() == input && input.hasOneUse()) {
        row.before = before;
        row.input = first->getOperand(0);
      }
    }
  }
  return row;
}

bool RowOp::isDequantization(Operation *op) {
  auto dequantize = dyn_cast_if_present<DequantizeOp>(op);
  return dequantize && getActivationType(dequantize.getInput()) &&
         tensorTypeOf(dequantize.getResult()).getElementType().isF32();
}

bool RowOp::takes(Operation *dequantization) {
  ElementwiseChain chain(dequantization);
  if (!chain.result().hasOneUse())
    return false;
  std::optional<RowOp> row = match(*chain.result().user_begin());
  return row && row->before && row->before->last() == chain.last();
}

namespace {
class RowKernel {
public:
  RowKernel(LoopBuilder &b, const RowOp &row, const ElementwiseChain &chain,
            const TargetLevel &level)
      : b(b), c(b, b.getLoc()), row(row), chain(chain), level(level) {}

  /// `ranges`: of the results of each tile, or null.
  void emit(ValueRange args, Value ranges, Value begin, Value end);

private:
  VectorType type() { return c.vectorType(b.getF32Type(), width); }

  void emitRows(ArrayRef<Value> starts);
  void loadRows(ArrayRef<Value> starts);
  SmallVector<Value> normalization();
  void storeRows(ArrayRef<Value> starts, ValueRange factors);

  LoopBuilder &b;
  CodeBuilder c;
  const RowOp &row;
  const ElementwiseChain &chain;
  const TargetLevel &level;
  Value input, result;
  std::optional<KeptRows> rows;
  SmallVector<Value> beforeOperands, operands;
  std::optional<RangeRecorder> recorder;
};
} // namespace

/// Brings the rows to the stack as real numbers.
void RowKernel::loadRows(ArrayRef<Value> starts) {
  auto vectorAt = [&](Value start, Value column, int64_t count) {
    Value position = c.add(start, column);
    if (!row.before)
      return loadFirst(c, type(), count, input, position);
    Value bytes = loadFirst(c, c.vectorType(b.getI8Type(), width), count, input,
                            position);
    Value value = b.toReal(bytes, Element(row.input.getType()));
    return ChainEmitter(b, level, *row.before, beforeOperands)
        .apply(value, count, position, column);
  };
  rows->forVectors([&](Value column, int64_t count) {
    for (auto [r, start] : llvm::enumerate(starts))
      rows->store(vectorAt(start, column, count), r, column);
  });
}

/// Leaves the centered rows; returns what they are to be multiplied by.
SmallVector<Value> RowKernel::normalization() {
  auto op = cast<NormalizeOp>(row.op);
  auto add = [&](Value x, Value y) { return b.add(x, y); };
  Value count = b.real(type(), double(row.length));
  if (!op.getRms()) {
    SmallVector<Value> means = rows->reduce(
        0, [&](size_t, Value acc, Value v) { return b.add(acc, v); }, 0, add);
    for (Value &mean : means)
      mean = b.div(mean, count);
    rows->forVectors([&](Value column, int64_t) {
      for (auto [r, mean] : llvm::enumerate(means))
        rows->store(b.sub(rows->load(r, column), mean), r, column);
    });
  }
  SmallVector<Value> factors = rows->reduce(
      0, [&](size_t, Value acc, Value v) { return b.add(acc, b.mul(v, v)); }, 0,
      add);
  for (Value &factor : factors) {
    Value variance = b.add(b.div(factor, count),
                           b.real(type(), op.getEpsilon().convertToFloat()));
    factor = b.div(b.real(type(), 1), math::SqrtOp::create(b, variance));
  }
  return factors;
}

void RowKernel::storeRows(ArrayRef<Value> starts, ValueRange factors) {
  ChainEmitter emitter(b, level, chain, operands,
                       recorder ? &*recorder : nullptr);
  auto vectorsAt = [&](Value column, int64_t count) {
    for (auto [r, start] : llvm::enumerate(starts)) {
      SmallVector<Value> values;
      for (int64_t at = 0; at < count; at += width)
        values.push_back(b.mul(rows->load(r, c.add(column, at)), factors[r]));
      emitter.store(values, count, result, c.add(start, column), column);
    }
  };
  int64_t step = unrolled * width, stepped = row.length / step * step;
  c.loop(0, stepped, step, [&](Value column) { vectorsAt(column, step); });
  if (stepped < row.length)
    vectorsAt(c.index(stepped), row.length - stepped);
}

void RowKernel::emitRows(ArrayRef<Value> starts) {
  SmallVector<Value> slots;
  for (size_t r = 0; r < starts.size(); ++r)
    slots.push_back(c.index(int64_t(r) * KeptRows::roomFor(row.length)));
  rows->begin(slots);
  loadRows(starts);
  storeRows(starts, isa<SoftmaxOp>(row.op) ? rows->softmax(rows->maxima())
                                           : normalization());
}

void RowKernel::emit(ValueRange args, Value ranges, Value begin, Value end) {
  SmallVector<Value> flat;
  for (Value arg : args)
    flat.push_back(flatten(c, arg));
  input = flat[0];
  result = flat[1];
  size_t others = row.before ? row.before->operands().size() : 0;
  beforeOperands.assign(flat.begin() + 2, flat.begin() + 2 + others);
  operands.assign(flat.begin() + 2 + others, flat.end());
  int64_t together = row.rowsTogether();
  rows.emplace(
      b, c.stack(b.getF32Type(), together * KeptRows::roomFor(row.length)),
      row.length);
  if (ranges)
    recorder.emplace(b, width, ranges);
  Value perTile = c.index(row.rowsPerTile());
  c.loop(begin, end, 1, [&](Value tile) {
    if (recorder)
      recorder->beginTile();
    Value first = b.mul(tile, perTile);
    Value last = c.min(c.add(first, perTile), c.index(row.rows));
    Value whole = first;
    if (together > 1) {
      whole = c.sub(last, c.rem(c.sub(last, first), together));
      c.loop(first, whole, together, [&](Value number) {
        SmallVector<Value> positions;
        for (int64_t r = 0; r < together; ++r)
          positions.push_back(c.mul(c.add(number, r), row.length));
        emitRows(positions);
      });
    }
    c.loop(whole, last, 1,
           [&](Value number) { emitRows({c.mul(number, row.length)}); });
    if (recorder)
      recorder->endTile(tile);
  });
}

int64_t RowOp::rowsTogether() const {
  return std::clamp<int64_t>(maxRow / length, 1, std::min<int64_t>(4, rows));
}

int64_t RowOp::rowsPerTile() const {
  return std::max<int64_t>(rowsTogether(), grain / length);
}

LogicalResult qcc::emitRows(const RowOp &row, const ElementwiseChain &chain,
                            KernelEmitter &emitter) {
  Location loc = chain.last()->getLoc();
  SmallVector<Value> args{emitter.buffer(row.input),
                          emitter.buffer(chain.result())};
  std::string key = reference::opKey(row.op) + chain.key();
  if (row.before) {
    key +=
        " before " + reference::opKey(row.before->first()) + row.before->key();
    for (Value operand : row.before->operands())
      args.push_back(emitter.buffer(operand));
  }
  for (Value operand : chain.operands())
    args.push_back(emitter.buffer(operand));
  int64_t tiles = llvm::divideCeil(row.rows, row.rowsPerTile());
  Value ranges = RangeRecorder::bufferFor(chain.result(), tiles, emitter);
  if (ranges) {
    args.push_back(ranges);
    key += " ranges";
  }
  func::FuncOp kernel =
      emitter.kernel(isa<SoftmaxOp>(row.op) ? "softmax" : "normalize", key,
                     ValueRange(args).getTypes(), loc,
                     [&](OpBuilder &builder, Location loc, ValueRange values,
                         Value begin, Value end) {
                       LoopBuilder b(builder, loc, emitter.level());
                       RowKernel(b, row, chain, emitter.level())
                           .emit(ranges ? values.drop_back() : values,
                                 ranges ? values.back() : Value(), begin, end);
                     });
  emitter.call(kernel, args, tiles, loc);
  return success();
}
