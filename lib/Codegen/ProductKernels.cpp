//===- ProductKernels.cpp - Kernels of products of activations ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementwiseChain.h"
#include "FusedKernels.h"
#include "MatrixEpilogue.h"
#include "PanelPrefetch.h"
#include "Product.h"

using namespace mlir;
using namespace qcc;
using reference::LoopBuilder;

namespace {
/// Emits the kernel that multiplies, see Product.
class ProductKernel {
public:
  ProductKernel(LoopBuilder &b, const Product &p, const TargetLevel &level,
                const ElementwiseChain &chain)
      : b(b), c(b, b.getLoc()), p(p), level(level), chain(chain) {}

  /// `ranges`: of the results of each tile, or null.
  void emit(ValueRange args, Value ranges, Value begin, Value end);

private:
  /// The rows that a register tile works on.
  struct Rows {
    int64_t count;
    Value first; ///< of the result's matrix
    Value at;    ///< unit where the first one starts
    Value tile;  ///< number of the register tile in its column of them
    Value slot;  ///< of its sum
  };

  unsigned sumsPerVector() const {
    return p.isInteger ? level.micro->accumulatorsPerVector() : 1;
  }
  VectorType bytesType() {
    return c.vectorType(b.getI8Type(), level.vectorBytes);
  }
  VectorType unitsType() {
    return c.vectorType(
        p.isInteger ? Type(b.getI32Type()) : Type(b.getF32Type()), p.lanes);
  }
  Value matrixOf(Value number, ArrayRef<int64_t> strides);
  Value firstRowOf(Value rowTile);
  Value zeroPoint(const ZeroPoint &zero, Value buffer);
  Value broadcast(Value scalar) {
    return vector::BroadcastOp::create(
        b, c.vectorType(scalar.getType(), p.lanes), scalar);
  }
  void accumulate(SmallVectorImpl<Value> &sums, ArrayRef<Value> activations,
                  unsigned vectors, Value weightsAt);
  /// Whether the panels are read one after the other from memory far away.
  bool streamsWeights() const {
    return p.panelsOuter && p.panels() > 1 &&
           p.rhs.getDefiningOp<qnn::ConstantOp>();
  }
  SmallVector<Value> sums(const Rows &rows, unsigned vectors, Value weights,
                          ArrayRef<Value> initial);
  void registerTile(const Rows &rows, Value rhsMatrix, Value panel,
                    unsigned vectors, int64_t valid, Value resultMatrix);
  void store(ValueRange sums, int64_t valid, Value position, Value column);

  LoopBuilder &b;
  CodeBuilder c;
  const Product &p;
  const TargetLevel &level;
  const ElementwiseChain &chain;
  Value lhs, units, packed, columnSums, result, lhsZero, rhsZero;
  Value copied, rowSums;
  /// The sums of a register tile while a long function of them is computed:
  /// unrolled over all of them it would take every register.
  Value held;
  SmallVector<Value> operands;
  std::optional<RangeRecorder> recorder;
};
} // namespace

Value ProductKernel::matrixOf(Value number, ArrayRef<int64_t> strides) {
  Value sum = c.index(0);
  int64_t inner = 1;
  SmallVector<int64_t> inners;
  for (int64_t d : llvm::reverse(p.batch)) {
    inners.push_back(inner);
    inner *= d;
  }
  std::reverse(inners.begin(), inners.end());
  if (ArrayRef<int64_t>(inners) == strides)
    return number;
  for (auto [d, extent] : llvm::enumerate(p.batch))
    if (strides[d])
      sum = c.add(sum,
                  c.mul(c.rem(c.div(number, inners[d]), extent), strides[d]));
  return sum;
}

Value ProductKernel::firstRowOf(Value rowTile) {
  if (p.longTiles == p.rowTiles)
    return c.mul(rowTile, p.tileRows);
  return c.add(c.mul(rowTile, p.tileRows - 1),
               c.min(rowTile, c.index(p.longTiles)));
}

Value ProductKernel::zeroPoint(const ZeroPoint &zero, Value buffer) {
  Value value = b.integer(b.getI32Type(), zero.constant);
  if (!zero.tensor)
    return value;
  Value byte = memref::LoadOp::create(b, buffer, c.index(0));
  Value wide =
      zero.isUnsigned
          ? arith::ExtUIOp::create(b, b.getI32Type(), byte).getResult()
          : arith::ExtSIOp::create(b, b.getI32Type(), byte).getResult();
  return b.add(wide, value);
}

void ProductKernel::emit(ValueRange args, Value ranges, Value begin,
                         Value end) {
  SmallVector<Value> flat;
  for (Value arg : args)
    flat.push_back(flatten(c, arg));
  unsigned next = 0;
  lhs = flat[next++];
  packed = flat[next++];
  result = flat[next++];
  if (p.hasColumnSums())
    columnSums = flat[next++];
  if (p.isInteger) {
    lhsZero = zeroPoint(p.lhsZero, p.lhsZero.tensor ? flat[next++] : Value());
    rhsZero = zeroPoint(p.rhsZero, p.rhsZero.tensor ? flat[next++] : Value());
  }
  operands.assign(flat.begin() + next, flat.end());

  int64_t blockRows = p.blockTiles * p.tileRows;
  if (p.copiesRows())
    copied = c.stack(b.getI8Type(), blockRows * p.rowPitch());
  if (p.hasRowSums())
    rowSums = c.stack(b.getI32Type(), blockRows);
  if (chain.isCostly() || isCostly(p.activation.kind))
    held = c.stack(unitsType().getElementType(), p.tileRows * p.panelColumns());
  Value source = copied ? copied : lhs;
  units = p.isInteger ? wordsOf(c, source) : source;

  if (ranges)
    recorder.emplace(b, p.lanes, ranges);

  c.loop(begin, end, 1, [&](Value tile) {
    if (recorder)
      recorder->beginTile();
    Value outer = c.div(tile, p.rowBlocks);
    Value panelOfTile = c.rem(outer, p.panels());
    Value matrix = p.panelsOuter ? c.div(outer, p.panels()) : outer;
    Value firstTile = c.mul(c.rem(tile, p.rowBlocks), p.blockTiles);
    Value lastTile = c.min(c.add(firstTile, p.blockTiles), c.index(p.rowTiles));
    Value firstRow = firstRowOf(firstTile), lastRow = firstRowOf(lastTile);
    Value lhsAt = c.mul(matrixOf(matrix, p.lhsStrides), p.rows * p.depth);
    Value rhsMatrix = matrixOf(matrix, p.rhsStrides);
    auto rowAt = [&](Value row) { return c.add(lhsAt, c.mul(row, p.depth)); };
    if (copied)
      c.loop(firstRow, lastRow, 1, [&](Value row) {
        c.copyRun(lhs, rowAt(row), copied,
                  c.mul(c.sub(row, firstRow), p.rowPitch()), p.depth,
                  level.vectorBytes);
      });
    if (rowSums)
      c.loop(firstRow, lastRow, 1, [&](Value row) {
        sumBytes(c, level, lhs, rowAt(row), p.depth, p.lhsFlip, rowSums,
                 c.sub(row, firstRow));
      });

    auto emitPanel = [&](Value panel) {
      p.forPanel(c, panel, [&](unsigned vectors, int64_t valid) {
        auto emitRows = [&](Value rowTile, int64_t count) {
          Value row = firstRowOf(rowTile), slot = c.sub(row, firstRow);
          Value at = copied ? c.mul(slot, p.rowPitch()) : rowAt(row);
          registerTile({count, row, c.div(at, p.unitElements), rowTile, slot},
                       rhsMatrix, panel, vectors, valid, c.mul(matrix, p.rows));
        };
        c.loop(firstTile, lastTile, 1, [&](Value rowTile) {
          if (p.longTiles == p.rowTiles)
            return emitRows(rowTile, p.tileRows);
          c.branch(
              c.compare(arith::CmpIPredicate::ult, rowTile, p.longTiles),
              [&] { emitRows(rowTile, p.tileRows); },
              [&] { emitRows(rowTile, p.tileRows - 1); });
        });
      });
    };
    if (p.panelsOuter)
      emitPanel(panelOfTile);
    else
      c.loop(0, p.panels(), 1, emitPanel);
    if (recorder)
      recorder->endTile(tile);
  });
}

void ProductKernel::registerTile(const Rows &rows, Value rhsMatrix, Value panel,
                                 unsigned vectors, int64_t valid,
                                 Value resultMatrix) {
  Value column = c.mul(panel, p.panelColumns());
  Type sumElement = unitsType().getElementType();
  Value zero = c.splat(sumElement, 0, p.lanes);
  // Each sum lacks -zx * (sum of the column - depth * zw).
  SmallVector<Value> offsets(vectors, zero);
  if (columnSums) {
    Value at = c.add(c.mul(rhsMatrix, p.paddedColumns()), column);
    Value excess =
        broadcast(b.mul(rhsZero, b.integer(b.getI32Type(), p.depth)));
    Value factor = broadcast(lhsZero);
    for (unsigned v = 0; v < vectors; ++v) {
      Value sum =
          c.load(columnSums, c.add(at, int64_t(v) * p.lanes), unitsType());
      offsets[v] = b.mul(b.sub(excess, sum), factor);
    }
  }
  bool offsetsFirst = sumsPerVector() == 1;
  SmallVector<Value> initial;
  for (int64_t row = 0; row < rows.count; ++row)
    for (unsigned v = 0; v < vectors; ++v)
      for (unsigned i = 0; i < sumsPerVector(); ++i)
        initial.push_back(offsetsFirst ? offsets[v] : zero);
  Value weights = c.add(c.mul(rhsMatrix, p.matrixElements()),
                        c.mul(column, p.units * p.unitElements));
  SmallVector<Value> all = sums(rows, vectors, weights, initial);

  Value first =
      c.add(c.mul(c.add(resultMatrix, rows.first), p.columns), column);
  for (int64_t row = 0; row < rows.count; ++row) {
    Value rowOffset;
    if (rowSums) {
      Value sum = memref::LoadOp::create(b, rowSums, c.add(rows.slot, row));
      rowOffset = broadcast(b.mul(sum, rhsZero));
    }
    SmallVector<Value> finished;
    for (unsigned v = 0; v < vectors; ++v) {
      ArrayRef<Value> parts = ArrayRef<Value>(all).slice(
          (row * vectors + v) * sumsPerVector(), sumsPerVector());
      Value sum = parts[0];
      if (p.isInteger)
        sum = level.micro->finishAccumulators(b, b.getLoc(), parts);
      if (!offsetsFirst && columnSums)
        sum = b.add(sum, offsets[v]);
      finished.push_back(rowOffset ? b.sub(sum, rowOffset) : sum);
    }
    if (!held) {
      store(finished, valid, c.add(first, row * p.columns), column);
      continue;
    }
    for (unsigned v = 0; v < vectors; ++v)
      c.store(finished[v], held, c.index((row * vectors + v) * p.lanes));
  }
  if (held)
    c.loop(0, rows.count, 1, [&](Value row) {
      SmallVector<Value> finished;
      for (unsigned v = 0; v < vectors; ++v)
        finished.push_back(c.load(
            held, c.add(c.mul(row, vectors * p.lanes), int64_t(v) * p.lanes),
            unitsType()));
      store(finished, valid, c.add(first, c.mul(row, p.columns)), column);
    });
}

void ProductKernel::store(ValueRange sums, int64_t valid, Value position,
                          Value column) {
  Type f32 = b.getF32Type();
  if (p.requantize) {
    SmallVector<Value> multipliers(sums.size(), c.splat(f32, p.scale, p.lanes));
    Value bytes = p.requantize->emit(c, level, sums, multipliers);
    return storeFirst(c, inOrder(c, level, bytes, sums.size()), valid, result,
                      position);
  }
  SmallVector<Value> values(sums);
  if (!p.isSum)
    for (Value &value : values) {
      if (p.isInteger)
        value =
            b.mul(arith::SIToFPOp::create(b, c.vectorType(f32, p.lanes), value),
                  c.splat(f32, p.scale, p.lanes));
      value = p.activation.emit(c, value);
    }
  ChainEmitter(b, level, chain, operands, recorder ? &*recorder : nullptr)
      .store(values, valid, result, position, column);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

SmallVector<Value> ProductKernel::sums(const Rows &rows, unsigned vectors,
                                       Value weights, ArrayRef<Value> initial) {
  int64_t step = level.activationLoadBytes / 4;
  int64_t whole = p.units / step * step;
  int64_t width = int64_t(vectors) * p.lanes * p.unitElements;
  int64_t pitch = p.rowPitch() / p.unitElements;
  auto flipped = [&](Value word) {
    if (!p.lhsFlip)
      return word;
    Value mask = b.integer(word.getType(), int32_t(0x80808080u));
    return arith::XOrIOp::create(b, word, mask).getResult();
  };
  auto single = [&](Value unit, SmallVectorImpl<Value> &sums) {
    SmallVector<Value> activations;
    for (int64_t row = 0; row < rows.count; ++row)
      activations.push_back(broadcast(flipped(memref::LoadOp::create(
          b, units, c.add(c.add(rows.at, unit), row * pitch)))));
    accumulate(sums, activations, vectors, c.add(weights, c.mul(unit, width)));
  };
  // Several units of a row at once, where the dot product takes any of them.
  auto block = [&](Value unit, SmallVectorImpl<Value> &sums) {
    if (step == 1)
      return single(unit, sums);
    auto type = c.vectorType(unitsType().getElementType(), step);
    SmallVector<Value> loaded;
    for (int64_t row = 0; row < rows.count; ++row)
      loaded.push_back(flipped(
          c.load(units, c.add(c.add(rows.at, unit), row * pitch), type)));
    for (int64_t i = 0; i < step; ++i) {
      SmallVector<Value> activations;
      for (Value v : loaded)
        activations.push_back(
            c.shuffle(v, v, SmallVector<int64_t>(p.lanes, i)));
      accumulate(sums, activations, vectors,
                 c.add(weights, c.mul(c.add(unit, i), width)));
    }
  };
  SmallVector<Value> result(initial);
  PanelPrefetch prefetch;
  if (streamsWeights())
    prefetch = PanelPrefetch(int64_t(vectors) * p.units * level.vectorBytes,
                             p.rowTiles, whole / step);
  int64_t stride = step * prefetch.together(), steps = whole / stride;
  Value nextPanel =
      c.add(weights, int64_t(vectors) * p.lanes * p.units * p.unitElements);
  if (steps > 0)
    result = c.loop(c.index(0), c.index(steps * stride), stride, result,
                    [&](Value unit, ValueRange carried) {
                      SmallVector<Value> next(carried);
                      for (int64_t i = 0; i < stride; i += step)
                        block(c.add(unit, i), next);
                      prefetch.emit(c, packed, nextPanel, rows.tile,
                                    c.div(unit, stride));
                      return next;
                    });
  for (int64_t unit = steps * stride; unit < whole; unit += step)
    block(c.index(unit), result);
  for (int64_t unit = whole; unit < p.units; ++unit)
    single(c.index(unit), result);
  return result;
}

void ProductKernel::accumulate(SmallVectorImpl<Value> &sums,
                               ArrayRef<Value> activations, unsigned vectors,
                               Value weightsAt) {
  unsigned perVector = sumsPerVector();
  SmallVector<SmallVector<Value>> weights;
  for (unsigned v = 0; v < vectors; ++v) {
    Value at = c.add(weightsAt, int64_t(v) * p.lanes * p.unitElements);
    if (p.isInteger)
      weights.push_back(level.micro->prepareWeights(
          b, b.getLoc(), c.load(packed, at, bytesType())));
    else
      weights.push_back({c.load(packed, at, unitsType())});
  }
  for (auto [row, activation] : llvm::enumerate(activations)) {
    SmallVector<Value> prepared{activation};
    if (p.isInteger)
      prepared = level.micro->prepareActivations(
          b, b.getLoc(), c.bitcast(activation, bytesType()));
    for (unsigned v = 0; v < vectors; ++v) {
      MutableArrayRef<Value> parts = MutableArrayRef<Value>(sums).slice(
          (row * vectors + v) * perVector, perVector);
      if (p.isInteger)
        level.micro->dot(b, b.getLoc(), parts, prepared, weights[v]);
      else
        parts[0] = multiplyAdd(c, level, prepared[0], weights[v][0], parts[0]);
    }
  }
}

void qcc::sumBytes(CodeBuilder &c, const TargetLevel &level, Value bytes,
                   Value at, int64_t depth, bool flip, Value rowSums,
                   Value slot) {
  Type i8 = c.b.getI8Type();
  int64_t step = level.vectorBytes, whole = depth / step * step;
  auto type = c.vectorType(i8, step);
  SmallVector<Value> ones =
      level.micro->prepareWeights(c.b, c.loc, c.splat(i8, 1, step));
  auto addChunk = [&](Value offset, int64_t count, ValueRange carried) {
    Value chunk = loadFirst(c, type, count, bytes, c.add(at, offset));
    if (flip) {
      SmallVector<int8_t> mask(step, 0);
      std::fill_n(mask.begin(), count, int8_t(-128));
      chunk = arith::XOrIOp::create(
          c.b, c.loc, chunk,
          arith::ConstantOp::create(
              c.b, c.loc,
              DenseElementsAttr::get(type, ArrayRef<int8_t>(mask))));
    }
    SmallVector<Value> sums(carried);
    level.micro->dot(c.b, c.loc, sums,
                     level.micro->prepareActivations(c.b, c.loc, chunk), ones);
    return sums;
  };
  SmallVector<Value> sums(level.micro->accumulatorsPerVector(),
                          c.splat(c.b.getI32Type(), 0, level.lanes()));
  if (whole > 0)
    sums = c.loop(c.index(0), c.index(whole), step, sums,
                  [&](Value offset, ValueRange carried) {
                    return addChunk(offset, step, carried);
                  });
  if (whole < depth)
    sums = addChunk(c.index(whole), depth - whole, sums);
  Value total = vector::ReductionOp::create(
      c.b, c.loc, vector::CombiningKind::ADD,
      level.micro->finishAccumulators(c.b, c.loc, sums));
  memref::StoreOp::create(c.b, c.loc, total, rowSums, slot);
}

LogicalResult qcc::emitProduct(const Product &p, const ElementwiseChain &chain,
                               KernelEmitter &emitter) {
  Location loc = chain.last()->getLoc();
  PackedRhs rhs = packRhs(p, emitter);
  SmallVector<Value> args{emitter.buffer(p.lhs), rhs.elements,
                          emitter.buffer(chain.result())};
  if (rhs.columnSums)
    args.push_back(rhs.columnSums);
  for (const ZeroPoint *zero : {&p.lhsZero, &p.rhsZero})
    if (zero->tensor)
      args.push_back(emitter.buffer(zero->tensor));
  for (Value operand : chain.operands())
    args.push_back(emitter.buffer(operand));
  std::string key = p.key() + chain.key();
  Value ranges = RangeRecorder::bufferFor(chain.result(), p.tiles(), emitter);
  if (ranges) {
    args.push_back(ranges);
    key += " ranges";
  }
  func::FuncOp kernel =
      emitter.kernel(p.isSum ? "matmul_integer" : "matmul", key,
                     ValueRange(args).getTypes(), loc,
                     [&](OpBuilder &builder, Location loc, ValueRange values,
                         Value begin, Value end) {
                       LoopBuilder b(builder, loc, emitter.level());
                       ProductKernel(b, p, emitter.level(), chain)
                           .emit(ranges ? values.drop_back() : values,
                                 ranges ? values.back() : Value(), begin, end);
                     });
  noteTiles(kernel, p.tileKey(), p.taken());
  emitter.call(kernel, args, p.tiles(), loc);
  return success();
}
