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
class RowKernel {
public:
  RowKernel(LoopBuilder &b, const RowOp &row, const ElementwiseChain &chain,
            const TargetLevel &level)
      : b(b), c(b, b.getLoc()), row(row), chain(chain), level(level) {}

  void emit(ValueRange args, Value begin, Value end);

private:
  VectorType type() { return c.vectorType(b.getF32Type(), width); }
  int64_t whole() const { return row.length / width * width; }
  int64_t tail() const { return row.length - whole(); }

  /// acc = step(acc, elements, column) over the vectors of the row, with
  /// `neutral` behind its end.
  Value fold(double init, llvm::function_ref<Value(Value, Value, Value)> step,
             double neutral);
  Value onlyValid(Value value, double neutral);
  /// The lanes of `acc` as one number, in all lanes.
  Value combine(Value acc, llvm::function_ref<Value(Value, Value)> join);

  void loadRow();
  Value normalization();
  Value softmax();
  void storeRow(Value factor);

  LoopBuilder &b;
  CodeBuilder c;
  const RowOp &row;
  const ElementwiseChain &chain;
  const TargetLevel &level;
  Value input, result, kept;
  SmallVector<Value> beforeOperands, operands;
  Value start; ///< position of the row
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

Value RowKernel::fold(double init,
                      llvm::function_ref<Value(Value, Value, Value)> step,
                      double neutral) {
  Value acc = b.real(type(), init);
  acc =
      c.loop(c.index(0), c.index(whole()), width, ValueRange(acc),
             [&](Value column, ValueRange carried) -> SmallVector<Value> {
               return {step(carried[0], c.load(kept, column, type()), column)};
             })[0];
  if (tail() == 0)
    return acc;
  Value column = c.index(whole());
  Value last = onlyValid(c.load(kept, column, type()), neutral);
  return step(acc, last, column);
}

Value RowKernel::combine(Value acc,
                         llvm::function_ref<Value(Value, Value)> join) {
  for (int64_t half = width / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < half; ++i) {
      low.push_back(i);
      high.push_back(half + i);
    }
    acc = join(c.shuffle(acc, acc, low), c.shuffle(acc, acc, high));
  }
  Value number = vector::ExtractOp::create(b, acc, ArrayRef<int64_t>{0});
  return vector::BroadcastOp::create(b, type(), number);
}

/// Brings the row to the stack as real numbers.
void RowKernel::loadRow() {
  auto vectorAt = [&](Value column, int64_t count) {
    Value position = c.add(start, column);
    if (!row.before)
      return loadFirst(c, type(), count, input, position);
    Value bytes = loadFirst(c, c.vectorType(b.getI8Type(), width), count, input,
                            position);
    Value value = b.toReal(bytes, Element(row.input.getType()));
    return ChainEmitter(b, level, *row.before, beforeOperands)
        .apply(value, count, position, column);
  };
  c.loop(0, whole(), width,
         [&](Value column) { c.store(vectorAt(column, width), kept, column); });
  if (tail() != 0)
    c.store(vectorAt(c.index(whole()), tail()), kept, c.index(whole()));
}

/// Leaves the centered row; returns what it is to be multiplied by.
Value RowKernel::normalization() {
  auto op = cast<NormalizeOp>(row.op);
  auto sumOf = [&](Value acc) {
    return combine(acc, [&](Value x, Value y) { return b.add(x, y); });
  };
  Value count = b.real(type(), double(row.length));
  if (!op.getRms()) {
    Value sum =
        fold(0, [&](Value acc, Value v, Value) { return b.add(acc, v); }, 0);
    Value mean = b.div(sumOf(sum), count);
    auto center = [&](Value column) {
      c.store(b.sub(c.load(kept, column, type()), mean), kept, column);
    };
    c.loop(0, whole(), width, center);
    if (tail() != 0)
      center(c.index(whole()));
  }
  Value squares = fold(
      0, [&](Value acc, Value v, Value) { return b.add(acc, b.mul(v, v)); }, 0);
  Value variance = b.div(sumOf(squares), count);
  variance = b.add(variance, b.real(type(), op.getEpsilon().convertToFloat()));
  return b.div(b.real(type(), 1), math::SqrtOp::create(b, variance));
}

/// Leaves the exponentials; returns what they are to be multiplied by.
Value RowKernel::softmax() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Value largest = fold(
      -infinity, [&](Value acc, Value v, Value) { return b.larger(v, acc); },
      -infinity);
  largest = combine(largest, [&](Value x, Value y) { return b.larger(x, y); });
  Value sum = b.real(type(), 0);
  auto exponential = [&](Value column) -> Value {
    Value e =
        math::ExpOp::create(b, b.sub(c.load(kept, column, type()), largest));
    c.store(e, kept, column);
    return e;
  };
  sum = c.loop(c.index(0), c.index(whole()), width, ValueRange(sum),
               [&](Value column, ValueRange carried) -> SmallVector<Value> {
                 return {b.add(carried[0], exponential(column))};
               })[0];
  if (tail() != 0)
    sum = b.add(sum, onlyValid(exponential(c.index(whole())), 0));
  sum = combine(sum, [&](Value x, Value y) { return b.add(x, y); });
  return b.div(b.real(type(), 1), sum);
}

void RowKernel::storeRow(Value factor) {
  ChainEmitter emitter(b, level, chain, operands);
  auto vectorsAt = [&](Value column, int64_t count) {
    SmallVector<Value> values;
    for (int64_t at = 0; at < count; at += width)
      values.push_back(b.mul(c.load(kept, c.add(column, at), type()), factor));
    emitter.store(values, count, result, c.add(start, column), column);
  };
  int64_t step = unrolled * width, stepped = row.length / step * step;
  c.loop(0, stepped, step, [&](Value column) { vectorsAt(column, step); });
  if (stepped < row.length)
    vectorsAt(c.index(stepped), row.length - stepped);
}

void RowKernel::emit(ValueRange args, Value begin, Value end) {
  SmallVector<Value> flat;
  for (Value arg : args)
    flat.push_back(flatten(c, arg));
  input = flat[0];
  result = flat[1];
  size_t others = row.before ? row.before->operands().size() : 0;
  beforeOperands.assign(flat.begin() + 2, flat.begin() + 2 + others);
  operands.assign(flat.begin() + 2 + others, flat.end());
  // Whole vectors are read and written.
  kept = c.stack(b.getF32Type(), whole() + (tail() != 0 ? width : 0));
  Value perTile = c.index(row.rowsPerTile());
  c.loop(begin, end, 1, [&](Value tile) {
    Value first = b.mul(tile, perTile);
    Value last = c.min(c.add(first, perTile), c.index(row.rows));
    c.loop(first, last, 1, [&](Value number) {
      start = c.mul(number, row.length);
      loadRow();
      storeRow(isa<SoftmaxOp>(row.op) ? softmax() : normalization());
    });
  });
}

int64_t RowOp::rowsPerTile() const {
  return std::max<int64_t>(1, grain / length);
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
  func::FuncOp kernel = emitter.kernel(
      isa<SoftmaxOp>(row.op) ? "softmax" : "normalize", key,
      ValueRange(args).getTypes(), loc,
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        RowKernel(b, row, chain, emitter.level()).emit(values, begin, end);
      });
  int64_t tiles = (row.rows + row.rowsPerTile() - 1) / row.rowsPerTile();
  emitter.call(kernel, args, tiles, loc);
  return success();
}
