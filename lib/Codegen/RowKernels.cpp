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
// Sums have the 16 lanes and the tree of the reference kernels (Groups.h) on
// every level.
//
//===----------------------------------------------------------------------===//

#include "../Conversion/QNNToKernels/FloatFunctions.h"
#include "FusedKernels.h"
#include "MatrixEpilogue.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::Element;
using reference::LoopBuilder;

/// Lanes of every reduction.
static constexpr int64_t width = 16;
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
/// Some rows are worked on side by side: what must wait for a sum over one row
/// leaves room for the others.
class RowKernel {
public:
  RowKernel(LoopBuilder &b, const RowOp &row, const ElementwiseChain &chain,
            const TargetLevel &level)
      : b(b), c(b, b.getLoc()), row(row), chain(chain), level(level) {}

  /// `ranges`: of the results of each tile, or null.
  void emit(ValueRange args, Value ranges, Value begin, Value end);

private:
  using Step = llvm::function_ref<Value(size_t row, Value acc, Value element)>;

  VectorType type() { return c.vectorType(b.getF32Type(), width); }
  int64_t whole() const { return row.length / width * width; }
  int64_t tail() const { return row.length - whole(); }
  int64_t pitch() const { return whole() + (tail() != 0 ? width : 0); }
  Value keptAt(size_t number, Value column) {
    return c.add(column, int64_t(number) * pitch());
  }
  Value loadKept(size_t number, Value column) {
    return c.load(kept, keptAt(number, column), type());
  }

  void rows(SmallVector<Value> starts);
  /// For each row, acc = step(row, acc, elements) over its vectors, with
  /// `neutral` behind its end; then the lanes as one number, in all lanes.
  SmallVector<Value> reduce(double init, Step step, double neutral,
                            llvm::function_ref<Value(Value, Value)> join);
  /// Replaces the elements of all rows.
  void update(llvm::function_ref<Value(size_t row, Value element)> f);
  Value onlyValid(Value value, double neutral);

  void loadRows();
  SmallVector<Value> normalization();
  SmallVector<Value> softmax();
  void storeRows(ValueRange factors);

  LoopBuilder &b;
  CodeBuilder c;
  const RowOp &row;
  const ElementwiseChain &chain;
  const TargetLevel &level;
  Value input, result, kept;
  SmallVector<Value> beforeOperands, operands;
  SmallVector<Value> starts; ///< positions of the rows
  std::optional<RangeRecorder> recorder;
};
} // namespace

Value RowKernel::onlyValid(Value value, double neutral) {
  SmallVector<bool> mask(width, false);
  std::fill_n(mask.begin(), tail(), true);
  auto maskType = c.vectorType(b.getI1Type(), width);
  Value isValid = arith::ConstantOp::create(
      b, DenseElementsAttr::get(maskType, ArrayRef<bool>(mask)));
  return b.select(isValid, value, b.real(type(), neutral));
}

SmallVector<Value>
RowKernel::reduce(double init, Step step, double neutral,
                  llvm::function_ref<Value(Value, Value)> join) {
  SmallVector<Value> accs(starts.size(), b.real(type(), init));
  accs = c.loop(c.index(0), c.index(whole()), width, accs,
                [&](Value column, ValueRange carried) {
                  SmallVector<Value> next;
                  for (auto [r, acc] : llvm::enumerate(carried))
                    next.push_back(step(r, acc, loadKept(r, column)));
                  return next;
                });
  if (tail() != 0)
    for (auto [r, acc] : llvm::enumerate(accs))
      acc = step(r, acc, onlyValid(loadKept(r, c.index(whole())), neutral));
  for (int64_t half = width / 2; half >= 1; half /= 2)
    for (Value &acc : accs) {
      SmallVector<int64_t> low, high;
      for (int64_t i = 0; i < half; ++i) {
        low.push_back(i);
        high.push_back(half + i);
      }
      acc = join(c.shuffle(acc, acc, low), c.shuffle(acc, acc, high));
    }
  for (Value &acc : accs) {
    Value number = vector::ExtractOp::create(b, acc, ArrayRef<int64_t>{0});
    acc = vector::BroadcastOp::create(b, type(), number);
  }
  return accs;
}

void RowKernel::update(llvm::function_ref<Value(size_t, Value)> f) {
  auto vectors = [&](Value column) {
    for (size_t r = 0; r < starts.size(); ++r)
      c.store(f(r, loadKept(r, column)), kept, keptAt(r, column));
  };
  c.loop(0, whole(), width, vectors);
  if (tail() != 0)
    vectors(c.index(whole()));
}

/// Brings the rows to the stack as real numbers.
void RowKernel::loadRows() {
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
  auto vectors = [&](Value column, int64_t count) {
    for (auto [r, start] : llvm::enumerate(starts))
      c.store(vectorAt(start, column, count), kept, keptAt(r, column));
  };
  c.loop(0, whole(), width, [&](Value column) { vectors(column, width); });
  if (tail() != 0)
    vectors(c.index(whole()), tail());
}

/// Leaves the centered rows; returns what they are to be multiplied by.
SmallVector<Value> RowKernel::normalization() {
  auto op = cast<NormalizeOp>(row.op);
  auto add = [&](Value x, Value y) { return b.add(x, y); };
  Value count = b.real(type(), double(row.length));
  if (!op.getRms()) {
    SmallVector<Value> means = reduce(
        0, [&](size_t, Value acc, Value v) { return b.add(acc, v); }, 0, add);
    for (Value &mean : means)
      mean = b.div(mean, count);
    update([&](size_t r, Value v) { return b.sub(v, means[r]); });
  }
  SmallVector<Value> factors = reduce(
      0, [&](size_t, Value acc, Value v) { return b.add(acc, b.mul(v, v)); }, 0,
      add);
  for (Value &factor : factors) {
    Value variance = b.add(b.div(factor, count),
                           b.real(type(), op.getEpsilon().convertToFloat()));
    factor = b.div(b.real(type(), 1), math::SqrtOp::create(b, variance));
  }
  return factors;
}

/// Leaves the exponentials; returns what they are to be multiplied by.
SmallVector<Value> RowKernel::softmax() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  SmallVector<Value> largest = reduce(
      -infinity, [&](size_t, Value acc, Value v) { return b.larger(v, acc); },
      -infinity, [&](Value x, Value y) { return b.larger(x, y); });
  reference::FloatFunctions functions(b, b.getLoc(), type());
  update([&](size_t r, Value v) {
    return functions.expOfNegative(b.sub(v, largest[r]));
  });
  SmallVector<Value> sums = reduce(
      0, [&](size_t, Value acc, Value v) { return b.add(acc, v); }, 0,
      [&](Value x, Value y) { return b.add(x, y); });
  for (Value &sum : sums)
    sum = b.div(b.real(type(), 1), sum);
  return sums;
}

void RowKernel::storeRows(ValueRange factors) {
  ChainEmitter emitter(b, level, chain, operands,
                       recorder ? &*recorder : nullptr);
  auto vectorsAt = [&](Value column, int64_t count) {
    for (auto [r, start] : llvm::enumerate(starts)) {
      SmallVector<Value> values;
      for (int64_t at = 0; at < count; at += width)
        values.push_back(b.mul(loadKept(r, c.add(column, at)), factors[r]));
      emitter.store(values, count, result, c.add(start, column), column);
    }
  };
  int64_t step = unrolled * width, stepped = row.length / step * step;
  c.loop(0, stepped, step, [&](Value column) { vectorsAt(column, step); });
  if (stepped < row.length)
    vectorsAt(c.index(stepped), row.length - stepped);
}

void RowKernel::rows(SmallVector<Value> positions) {
  starts = std::move(positions);
  loadRows();
  storeRows(isa<SoftmaxOp>(row.op) ? softmax() : normalization());
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
  kept = c.stack(b.getF32Type(), together * pitch());
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
        rows(std::move(positions));
      });
    }
    c.loop(whole, last, 1,
           [&](Value number) { rows({c.mul(number, row.length)}); });
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
