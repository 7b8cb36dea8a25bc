//===- RecurrentKernel.cpp - The loop of a recurrent layer ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecurrentKernel.h"

#include "../Conversion/QNNToKernels/LoopBuilder.h"
#include "ExactDivision.h"
#include "MatrixEpilogue.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using Pred = arith::CmpFPredicate;

//===----------------------------------------------------------------------===//
// RecurrentPlan
//===----------------------------------------------------------------------===//

RecurrentPlan::RecurrentPlan(RecurrenceOp op, const TargetLevel &level)
    : kind(op.getKind()),
      isInteger(isa<quant::QuantizedType>(
          cast<ShapedType>(op.getWeights().getType()).getElementType())),
      pairsVectors(cast<ShapedType>(op.getWeights().getType())
                       .getElementType()
                       .isBF16()),
      steps(op.getNumSteps()), sequences(op.getNumSequences()),
      hidden(op.getHiddenSize()), gates(op.getNumGates()),
      unitElements(isInteger ? 4 : 1),
      units(llvm::divideCeil(hidden, unitElements)), lanes(level.lanes()),
      gateVectors(llvm::divideCeil(hidden, lanes)), reverse(op.getReverse()),
      coupled(op.getCoupled()), linearBeforeReset(op.getLinearBeforeReset()),
      level(level) {
  if (op.getClip())
    clip = op.getClip()->convertToFloat();
  // Sequences of their own lengths run one by one.
  rows = 1;
  if (!op.getLengths())
    for (int64_t count : {4, 3, 2})
      if (sequences % count == 0) {
        rows = count;
        break;
      }
  if (resetsFirst()) {
    addSegment(0, 2);
    addSegment(2, 1);
  } else {
    addSegment(0, gates);
  }
}

void RecurrentPlan::addSegment(int64_t firstGate, int64_t gates) {
  unsigned sumsPerVector = isInteger ? level.micro->accumulatorsPerVector() : 1;
  // More sums than hide the latency of a product only make panels larger.
  int64_t registers = std::min(level.numVectorRegisters / 2, 8u);
  int64_t sums = registers / (rows * sumsPerVector);
  Segment segment{firstGate, gates, std::max<int64_t>(1, sums / gates),
                  0,         0,     0};
  // Only the last panel may hold padding.
  segment.fullPanels = hidden / lanes / segment.panelVectors;
  segment.tailVectors = gateVectors - segment.fullPanels * segment.panelVectors;
  if (!segments.empty())
    segment.firstWeight = segments.back().firstWeight +
                          segments.back().panelWeights(gateVectors, *this);
  segments.push_back(segment);
}

int64_t RecurrentPlan::stackBytes() const {
  int64_t perRow = 4 * paddedHidden() * 4 + paddedColumns() * 4 +
                   (isInteger ? rowBytes() : 0);
  return rows * perRow;
}

void RecurrentPlan::forEachWeight(
    llvm::function_ref<void(int64_t, int64_t)> f) const {
  for (const Segment &segment : segments)
    for (int64_t start = 0; start < gateVectors;) {
      int64_t width = std::min(segment.panelVectors, gateVectors - start);
      if (start >= segment.fullPanels * segment.panelVectors)
        width = segment.tailVectors;
      int64_t perGate = width * lanes, perUnit = segment.gates * perGate;
      for (int64_t unit = 0; unit < units; ++unit)
        for (int64_t at = 0; at < perUnit; ++at)
          for (int64_t e = 0; e < unitElements; ++e) {
            int64_t column = pairsVectors ? unpaired(at, perUnit) : at;
            int64_t j = start * lanes + column % perGate;
            int64_t k = unit * unitElements + e;
            bool isPadding = j >= hidden || k >= hidden;
            int64_t gate = segment.firstGate + column / perGate;
            f(isPadding ? -1 : gate * hidden + j, k);
          }
      start += width;
    }
}

/// The column of a unit that stands at `at` where the elements of two vectors
/// alternate; a last vector without a partner is as it is.
int64_t RecurrentPlan::unpaired(int64_t at, int64_t perUnit) const {
  int64_t pair = 2 * int64_t(lanes), first = at / pair * pair;
  if (first + pair > perUnit)
    return at;
  return first + at % 2 * lanes + at % pair / 2;
}

std::string RecurrentPlan::key() const {
  std::string key = llvm::formatv(
      "{0} {1}x{2}x{3} {4}{5}{6}{7}{8}{9}", stringifyRecurrenceKind(kind),
      steps, sequences, hidden, isInteger ? "i" : "f", reverse ? "r" : "",
      coupled ? "c" : "", linearBeforeReset ? "l" : "",
      hasWeightZeroPoints ? "z" : "",
      clip ? llvm::formatv(" {0:x}", llvm::bit_cast<uint32_t>(*clip)).str()
           : "");
  for (const FloatActivation &activation : activations)
    key += " " + activation.key();
  return key;
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

void RecurrentKernel::emit(Value begin, Value end) {
  Type f32 = c.b.getF32Type();
  state = c.stack(f32, p.rows * p.paddedHidden());
  if (!p.isInteger)
    before = c.stack(f32, p.rows * p.paddedHidden());
  products = c.stack(f32, p.rows * p.paddedColumns());
  if (p.kind == RecurrenceKind::Lstm)
    cell = c.stack(f32, p.rows * p.paddedHidden());
  if (p.resetsFirst())
    reset = c.stack(f32, p.rows * p.paddedHidden());
  if (p.isInteger) {
    int64_t size = p.rowBytes() * p.rows;
    bytes = c.stack(c.b.getI8Type(), size);
    words = memref::ViewOp::create(
        c.b, c.loc, MemRefType::get({size / 4}, c.b.getI32Type()), bytes,
        c.index(0), ValueRange());
  }
  c.loop(begin, end, 1, [&](Value t) { tile(c.mul(t, p.rows)); });
}

void RecurrentKernel::forLanes(
    llvm::function_ref<void(const Lane &)> emitLane) {
  int64_t whole = p.hidden / p.lanes;
  auto rows = [&](Value at, int64_t count) {
    for (int64_t row = 0; row < p.rows; ++row)
      emitLane({row, at, count});
  };
  c.loop(0, whole, 1, [&](Value v) { rows(c.mul(v, p.lanes), p.lanes); });
  if (p.hidden % p.lanes)
    rows(c.index(whole * p.lanes), p.hidden % p.lanes);
}

void RecurrentKernel::tile(Value firstSequence) {
  auto initialize = [&](Value buffer, Value from) {
    forLanes([&](const Lane &lane) {
      Value at = c.mul(c.add(firstSequence, lane.row), p.hidden);
      Value v =
          from ? loadFirst(c, f32Vector(), lane.count, from, c.add(at, lane.at))
               : number(0);
      store(v, buffer, lane);
    });
  };
  initialize(state, args.initialState);
  if (cell)
    initialize(cell, args.initialCell);
  Value count = c.index(p.steps);
  if (args.lengths) {
    Value length =
        memref::LoadOp::create(c.b, c.loc, args.lengths, firstSequence);
    length = arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), length);
    length = arith::MaxSIOp::create(c.b, c.loc, length, c.index(0));
    count = c.min(length, count);
  }
  c.loop(c.index(0), count, 1, [&](Value s) {
    Value t = p.reverse ? c.sub(c.sub(count, c.index(1)), s) : s;
    step(firstSequence, t);
  });
  if (args.lengths)
    clearBeyond(firstSequence, count);
  finish(firstSequence);
}

void RecurrentKernel::clearBeyond(Value sequence, Value count) {
  c.loop(count, c.index(p.steps), 1, [&](Value t) {
    Value at = c.mul(c.add(c.mul(t, p.sequences), sequence), p.hidden);
    forLanes([&](const Lane &lane) {
      storeFirst(c, number(0), lane.count, args.states, c.add(at, lane.at));
    });
  });
}

void RecurrentKernel::finish(Value firstSequence) {
  forLanes([&](const Lane &lane) {
    Value at = c.add(c.mul(c.add(firstSequence, lane.row), p.hidden), lane.at);
    storeFirst(c, load(state, lane), lane.count, args.lastState, at);
    if (args.lastCell)
      storeFirst(c, load(cell, lane), lane.count, args.lastCell, at);
  });
}

void RecurrentKernel::step(Value firstSequence, Value t) {
  Value row = c.add(c.mul(t, p.sequences), firstSequence);
  inputAt = c.mul(row, p.columns());
  stateAt = c.mul(row, p.hidden);
  backwards = c.compare(arith::CmpIPredicate::eq, c.rem(t, 2), 1);
  // The gates of a panel change the state while others still need the old one,
  // which is in `bytes` where it is quantized.
  Value old = state;
  if (!p.isInteger) {
    old = before;
    forLanes([&](const Lane &lane) { store(load(state, lane), before, lane); });
  }
  switch (p.kind) {
  case RecurrenceKind::Lstm:
    return runSegment(0, old, [&](const Lane &lane) { lstm(lane); });
  case RecurrenceKind::Plain:
    return runSegment(0, old, [&](const Lane &lane) { plain(lane); });
  case RecurrenceKind::Gru:
    break;
  }
  if (!p.resetsFirst())
    return runSegment(0, old, [&](const Lane &lane) {
      gruGates(lane);
      gruState(lane);
    });
  runSegment(0, old, [&](const Lane &lane) { gruGates(lane); });
  runSegment(1, reset, [&](const Lane &lane) { gruState(lane); });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Value RecurrentKernel::reduce(Value x,
                              llvm::function_ref<Value(Value, Value)> combine) {
  // Halves onto halves; all lanes hold the result in the end.
  for (int64_t half = p.lanes / 2; half > 0; half /= 2) {
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < p.lanes; ++i)
      mask.push_back(i ^ half);
    x = combine(x, c.shuffle(x, x, mask));
  }
  return x;
}

/// One row of `vector` as bytes, by the rule of qnn.dynamic_quantize.
void RecurrentKernel::quantize(Value vector, int64_t row) {
  auto smaller = [&](Value x, Value y) { return select(Pred::OLT, x, y); };
  auto larger = [&](Value x, Value y) { return select(Pred::OGT, x, y); };
  Value zero = number(0);
  Value from = c.index(row * p.paddedHidden());
  SmallVector<Value> range =
      c.loop(from, c.add(from, p.paddedHidden()), p.lanes, {zero, zero},
             [&](Value at, ValueRange r) -> SmallVector<Value> {
               Value v = c.load(vector, at, f32Vector());
               return {smaller(v, r[0]), larger(v, r[1])};
             });
  Value low = reduce(range[0], smaller), high = reduce(range[1], larger);
  Value width = subF(high, low);
  Value isZero = arith::CmpFOp::create(c.b, c.loc, Pred::OEQ, width, zero);
  Value scale = arith::SelectOp::create(
      c.b, c.loc, isZero, number(1.f / 255.f),
      arith::DivFOp::create(c.b, c.loc, width, number(255)));
  Value position = arith::DivFOp::create(c.b, c.loc, subF(zero, low), scale);
  position = smaller(larger(position, zero), number(255));
  Value zeroPoint = level.micro->roundToInt(c.b, c.loc, position);
  RuntimeQuantizer quantizer(c, level, scale, zeroPoint);
  // The level's dot product may want signed bytes: 128 less.
  Type i32 = c.b.getI32Type();
  Value stored = zeroPoint;
  if (!level.unsignedActivations)
    stored = c.sub(zeroPoint, c.splat(i32, 128, p.lanes));

  int64_t bytesAt = row * p.rowBytes();
  SmallVector<Value> sum = quantizer.emit(TypeRange(i32Vector()), [&] {
    return c.loop(c.index(0), c.index(p.paddedHidden()), p.lanes,
                  {c.splat(i32, 0, p.lanes)},
                  [&](Value at, ValueRange carried) -> SmallVector<Value> {
                    Value v = c.load(vector, c.add(at, from), f32Vector());
                    Value centered = quantizer.centered(v);
                    Value byte = arith::TruncIOp::create(
                        c.b, c.loc, c.vectorType(c.b.getI8Type(), p.lanes),
                        c.add(centered, stored));
                    c.store(byte, bytes, c.add(at, bytesAt));
                    return {c.add(carried[0], centered)};
                  });
  });
  stepScale[row] = scale;
  stepZeroPoint[row] = stored;
  if (args.zeroPoints)
    stepSum[row] =
        reduce(sum[0], [&](Value x, Value y) { return c.add(x, y); });
}

void RecurrentKernel::runSegment(
    unsigned number, Value vector,
    llvm::function_ref<void(const Lane &)> emitGates) {
  const RecurrentPlan::Segment &segment = p.segments[number];
  if (p.isInteger) {
    stepScale.assign(p.rows, {});
    stepZeroPoint.assign(p.rows, {});
    stepSum.assign(p.rows, {});
    for (int64_t row = 0; row < p.rows; ++row)
      quantize(vector, row);
  }
  int64_t size = segment.panelWeights(segment.panelVectors, p);
  auto panel = [&](Value i, int64_t vectors, int64_t lastCount) {
    Value weights = c.add(c.mul(i, size), segment.firstWeight);
    Value firstHidden = c.mul(i, segment.panelVectors * p.lanes);
    multiplyPanel(segment, weights, firstHidden, vectors, vector);
    for (int64_t v = 0; v < vectors; ++v)
      for (int64_t row = 0; row < p.rows; ++row)
        emitGates({row, c.add(firstHidden, v * p.lanes),
                   v + 1 == vectors ? lastCount : int64_t(p.lanes)});
  };
  // Every other step goes through the full panels backwards and finds those
  // that the last one ended with in the first-level cache.
  int64_t full = segment.fullPanels;
  c.loop(0, full, 1, [&](Value k) {
    Value i = arith::SelectOp::create(c.b, c.loc, backwards,
                                      c.sub(c.index(full - 1), k), k);
    panel(i, segment.panelVectors, p.lanes);
  });
  if (segment.tailVectors)
    panel(c.index(full), segment.tailVectors,
          p.hidden - (p.gateVectors - 1) * p.lanes);
}

/// The vectors of a unit of weights that are no integers, in float32.
SmallVector<SmallVector<Value>> RecurrentKernel::loadReals(Value at,
                                                           int64_t vectors) {
  Type element = cast<MemRefType>(args.weights.getType()).getElementType();
  reference::LoopBuilder b(c.b, c.loc, level);
  SmallVector<SmallVector<Value>> loaded;
  auto push = [&](Value bits) {
    loaded.push_back({c.bitcast(bits, f32Vector())});
  };
  for (int64_t v = 0; v < vectors; ++v) {
    Value from = c.add(at, v * p.lanes);
    if (p.pairsVectors && v + 1 < vectors) {
      Value both = c.bitcast(
          c.load(args.weights, from, c.vectorType(element, 2 * p.lanes)),
          i32Vector());
      auto number = [&](int32_t i) {
        return c.splat(c.b.getI32Type(), i, p.lanes);
      };
      push(arith::ShLIOp::create(c.b, c.loc, both, number(16)));
      push(arith::AndIOp::create(c.b, c.loc, both, number(-65536)));
      ++v;
      continue;
    }
    Value stored = c.load(args.weights, from, c.vectorType(element, p.lanes));
    loaded.push_back({b.extend(stored, c.b.getF32Type())});
  }
  return loaded;
}

/// The products of the panel's columns with all rows of `vector`.
void RecurrentKernel::multiplyPanel(const RecurrentPlan::Segment &segment,
                                    Value weights, Value firstHidden,
                                    int64_t vectors, Value vector) {
  int64_t all = segment.gates * vectors; // vectors of columns
  int64_t unitSize = all * p.lanes * p.unitElements;
  unsigned parts = p.isInteger ? level.micro->accumulatorsPerVector() : 1;
  VectorType sumType = p.isInteger ? i32Vector() : f32Vector();
  auto byteVector = c.vectorType(c.b.getI8Type(), level.vectorBytes);
  int64_t rowWords = p.isInteger ? p.rowBytes() / 4 : p.paddedHidden();
  Value source = p.isInteger ? words : vector;

  SmallVector<Value> initial(p.rows * all * parts,
                             c.splat(sumType.getElementType(), 0, p.lanes));
  SmallVector<Value> sums = c.loop(
      c.index(0), c.index(p.units), 1, initial,
      [&](Value unit, ValueRange carried) {
        SmallVector<Value> next(carried);
        SmallVector<SmallVector<Value>> loaded;
        Value at = c.add(weights, c.mul(unit, unitSize));
        if (!p.isInteger)
          loaded = loadReals(at, all);
        for (int64_t v = 0; p.isInteger && v < all; ++v) {
          Value from = c.add(at, v * p.lanes * p.unitElements);
          loaded.push_back(level.micro->prepareWeights(
              c.b, c.loc, c.load(args.weights, from, byteVector)));
        }
        for (int64_t row = 0; row < p.rows; ++row) {
          Value scalar = memref::LoadOp::create(c.b, c.loc, source,
                                                c.add(unit, row * rowWords));
          Value lanes =
              vector::BroadcastOp::create(c.b, c.loc, sumType, scalar);
          SmallVector<Value> prepared{lanes};
          if (p.isInteger)
            prepared = level.micro->prepareActivations(
                c.b, c.loc, c.bitcast(lanes, byteVector));
          for (int64_t v = 0; v < all; ++v) {
            MutableArrayRef<Value> sum = MutableArrayRef<Value>(next).slice(
                (row * all + v) * parts, parts);
            if (p.isInteger)
              level.micro->dot(c.b, c.loc, sum, prepared, loaded[v]);
            else
              sum[0] = multiplyAdd(c, level, lanes, loaded[v][0], sum[0]);
          }
        }
        return next;
      });
  for (int64_t row = 0; row < p.rows; ++row)
    for (int64_t v = 0; v < all; ++v) {
      int64_t gate = segment.firstGate + v / vectors;
      Value column =
          c.add(firstHidden, gate * p.paddedHidden() + v % vectors * p.lanes);
      ArrayRef<Value> own =
          ArrayRef<Value>(sums).slice((row * all + v) * parts, parts);
      if (p.isInteger)
        storeIntegerProduct(own, column, row);
      else
        c.store(own[0], products, c.add(column, row * p.paddedColumns()));
    }
}

/// Takes the zero points off a vector of sums of one row and scales it.
void RecurrentKernel::storeIntegerProduct(ArrayRef<Value> parts, Value column,
                                          int64_t row) {
  auto mul = [&](Value x, Value y) -> Value {
    return arith::MulIOp::create(c.b, c.loc, x, y);
  };
  Value sum = level.micro->finishAccumulators(c.b, c.loc, parts);
  sum = c.sub(sum,
              mul(stepZeroPoint[row], c.load(args.sums, column, i32Vector())));
  if (args.zeroPoints)
    sum = c.sub(
        sum, mul(stepSum[row], c.load(args.zeroPoints, column, i32Vector())));
  Value factor = mulF(stepScale[row], c.load(args.scales, column, f32Vector()));
  Value real = arith::SIToFPOp::create(c.b, c.loc, f32Vector(), sum);
  c.store(mulF(real, factor), products, c.add(column, row * p.paddedColumns()));
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

Value RecurrentKernel::inputOf(int64_t gate, const Lane &lane) {
  Value at = c.add(inputAt, lane.row * p.columns() + gate * p.hidden);
  return loadFirst(c, f32Vector(), lane.count, args.input, c.add(at, lane.at));
}

/// Part `part` of a constant with a value per hidden value.
Value RecurrentKernel::perHidden(Value buffer, int64_t part, const Lane &lane) {
  return loadFirst(c, f32Vector(), lane.count, buffer,
                   c.add(lane.at, part * p.hidden));
}

Value RecurrentKernel::activate(unsigned i, Value x, bool clips) {
  if (clips && p.clip)
    x = FloatActivation{UnaryKind::Clamp, -*p.clip, *p.clip}.emit(c, x);
  return p.activations[i].emit(c, x);
}

void RecurrentKernel::setState(const Lane &lane, Value h) {
  if (lane.count < p.lanes) {
    // Padding stays 0: it must not widen the range of a quantized state.
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < p.lanes; ++i)
      mask.push_back(i < lane.count ? i : p.lanes);
    h = c.shuffle(h, number(0), mask);
  }
  store(h, state, lane);
  storeFirst(c, h, lane.count, args.states,
             c.add(c.add(stateAt, lane.row * p.hidden), lane.at));
}

void RecurrentKernel::lstm(const Lane &lane) {
  Value old = load(cell, lane);
  auto withPeephole = [&](Value v, int64_t part, Value cellValue) {
    if (!args.peepholes)
      return v;
    return multiplyAdd(c, level, perHidden(args.peepholes, part, lane),
                       cellValue, v);
  };
  Value i = activate(0, withPeephole(gate(0, lane), 0, old));
  Value f = p.coupled ? subF(number(1), i)
                      : activate(0, withPeephole(gate(2, lane), 2, old));
  Value candidate = activate(1, gate(3, lane));
  Value next = multiplyAdd(c, level, f, old, mulF(i, candidate));
  Value o = activate(0, withPeephole(gate(1, lane), 1, next));
  store(next, cell, lane);
  setState(lane, mulF(o, activate(2, next, /*clips=*/false)));
}

/// z and r stay where their products stood; the reset state has its own place.
void RecurrentKernel::gruGates(const Lane &lane) {
  Value z = activate(0, gate(0, lane));
  Value r = activate(0, gate(1, lane));
  c.store(z, products, productAt(0, lane));
  if (!p.resetsFirst()) {
    c.store(r, products, productAt(1, lane));
    return;
  }
  // The state's padding is 0, and so is this.
  store(mulF(r, load(state, lane)), reset, lane);
}

void RecurrentKernel::gruState(const Lane &lane) {
  Value candidate;
  if (p.resetsFirst()) {
    candidate = gate(2, lane);
  } else {
    Value own = product(2, lane);
    if (args.bias)
      own = addF(own, perHidden(args.bias, 0, lane));
    candidate = multiplyAdd(c, level, product(1, lane), own, inputOf(2, lane));
  }
  candidate = activate(1, candidate);
  Value z = product(0, lane);
  Value fresh = mulF(subF(number(1), z), candidate);
  setState(lane, multiplyAdd(c, level, z, load(state, lane), fresh));
}

void RecurrentKernel::plain(const Lane &lane) {
  setState(lane, activate(0, gate(0, lane)));
}
