//===- RecurrentKernel.cpp - The loop of a recurrent layer ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecurrentKernel.h"

#include "ExactDivision.h"
#include "MatrixEpilogue.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using Pred = arith::CmpFPredicate;

/// From this much on, threads share a round: a meeting takes them about half a
/// microsecond.
static constexpr int64_t kSharedRoundBytes = 128 << 10;

//===----------------------------------------------------------------------===//
// RecurrentPlan
//===----------------------------------------------------------------------===//

RecurrentPlan::RecurrentPlan(RecurrenceOp op, const TargetLevel &level)
    : kind(op.getKind()),
      isInteger(isa<quant::QuantizedType>(
          cast<ShapedType>(op.getWeights().getType()).getElementType())),
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
  chooseSlices();
}

void RecurrentPlan::chooseSlices() {
  slices = 1;
  int64_t weights = 0;
  for (const Segment &segment : segments) {
    slices = std::max(slices, segment.panels());
    weights += segment.panelWeights(gateVectors, *this);
  }
  // What the threads together read of the weights between two meetings.
  int64_t bytes = weights * (isInteger ? 1 : 4) * (sequences / rows);
  if (bytes / int64_t(segments.size()) < kSharedRoundBytes || steps == 0)
    slices = 1;
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
  return isInteger ? rows * rowBytes() : 0;
}

void RecurrentPlan::forEachWeight(
    llvm::function_ref<void(int64_t, int64_t)> f) const {
  for (const Segment &segment : segments)
    for (int64_t start = 0; start < gateVectors;) {
      int64_t width = std::min(segment.panelVectors, gateVectors - start);
      if (start >= segment.fullPanels * segment.panelVectors)
        width = segment.tailVectors;
      for (int64_t unit = 0; unit < units; ++unit)
        for (int64_t gate = 0; gate < segment.gates; ++gate)
          for (int64_t i = 0; i < width * lanes; ++i)
            for (int64_t e = 0; e < unitElements; ++e) {
              int64_t j = start * lanes + i, k = unit * unitElements + e;
              bool isPadding = j >= hidden || k >= hidden;
              f(isPadding ? -1 : (segment.firstGate + gate) * hidden + j, k);
            }
      start += width;
    }
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
// Rounds
//===----------------------------------------------------------------------===//

void RecurrentKernel::emit(Value begin, Value end) {
  if (p.isInteger) {
    int64_t size = p.rowBytes() * p.rows;
    bytes = c.stack(c.b.getI8Type(), size);
    words = memref::ViewOp::create(
        c.b, c.loc, MemRefType::get({size / 4}, c.b.getI32Type()), bytes,
        c.index(0), ValueRange());
  }
  Value zero = c.index(0), slices = c.index(p.slices);
  if (!p.sharesRounds()) {
    c.loop(begin, end, 1, [&](Value tile) {
      firstSequence = c.mul(tile, p.rows);
      c.loop(zero, c.index(p.rounds()), 1,
             [&](Value number) { round(number, {zero, slices}); });
    });
    return;
  }
  Value endRound = c.div(c.add(end, p.slices - 1), p.slices);
  c.loop(c.div(begin, p.slices), endRound, 1, [&](Value number) {
    Value first = c.mul(number, p.slices);
    Range range = {
        arith::MaxSIOp::create(c.b, c.loc, c.sub(begin, first), zero),
        c.min(c.sub(end, first), slices)};
    c.loop(zero, c.index(p.sequences), p.rows, [&](Value sequence) {
      firstSequence = sequence;
      round(number, range);
    });
  });
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

void RecurrentKernel::round(Value number, const Range &slices) {
  paddedRowsAt = c.mul(firstSequence, p.paddedHidden());
  int64_t phases = p.segments.size();
  Value index = c.sub(number, c.index(1));
  c.branch(
      c.compare(arith::CmpIPredicate::eq, number, 0),
      [&] {
        c.branch(
            c.compare(arith::CmpIPredicate::eq, slices.begin, 0),
            [&] { initialize(); }, nullptr);
      },
      [&] {
        step(c.div(index, phases), phases == 1 ? Value() : c.rem(index, phases),
             slices);
      });
}

/// The first states are the last ones, too, where no step follows.
void RecurrentKernel::initialize() {
  forLanes([&](const Lane &lane) {
    Value at = hiddenAt(lane);
    auto first = [&](Value from) {
      return from ? loadFirst(c, f32Vector(), lane.count, from, at) : number(0);
    };
    Value state = first(args.initialState);
    store(state, args.state, paddedRowsAt, lane);
    storeFirst(c, state, lane.count, args.lastState, at);
    if (args.lastCell)
      storeFirst(c, first(args.initialCell), lane.count, args.lastCell, at);
  });
}

void RecurrentKernel::step(Value s, Value phase, const Range &slices) {
  auto isPhase = [&](int64_t n) {
    return c.compare(arith::CmpIPredicate::eq, phase, n);
  };
  Value t = s, count = c.index(p.steps);
  Value isOdd = c.rem(s, 2);
  backwards = c.compare(arith::CmpIPredicate::eq, isOdd, 1);
  if (args.lengths) {
    Value length =
        memref::LoadOp::create(c.b, c.loc, args.lengths, firstSequence);
    length = arith::IndexCastOp::create(c.b, c.loc, c.b.getIndexType(), length);
    length = arith::MaxSIOp::create(c.b, c.loc, length, c.index(0));
    count = c.min(length, count);
  }
  auto setPlaces = [&](Value time) {
    Value row = c.add(c.mul(time, p.sequences), firstSequence);
    inputAt = c.mul(row, p.columns());
    statesAt = c.mul(row, p.hidden);
  };
  auto run = [&] {
    if (p.reverse)
      t = c.sub(c.sub(count, c.index(1)), s);
    setPlaces(t);
    Value isEven = c.sub(c.index(1), isOdd);
    oldAt = c.add(paddedRowsAt, c.mul(isOdd, p.paddedStates()));
    newAt = c.add(paddedRowsAt, c.mul(isEven, p.paddedStates()));
    if (p.segments.size() == 1)
      return runSegment(0, args.state, oldAt, slices);
    c.branch(
        isPhase(0), [&] { runSegment(0, args.state, oldAt, slices); },
        [&] { runSegment(1, args.reset, paddedRowsAt, slices); });
  };
  if (!args.lengths)
    return run();
  // Beyond a sequence's end, the results are 0.
  Value isWithin =
      arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::slt, s, count);
  c.branch(isWithin, run, [&] {
    setPlaces(s);
    forPanels(
        p.segments.back(), slices,
        [&](Value panel, int64_t vectors, int64_t lastCount) {
          Value at = c.mul(panel, p.segments.back().panelVectors * p.lanes);
          for (int64_t v = 0; v < vectors; ++v)
            storeFirst(c, number(0),
                       v + 1 == vectors ? lastCount : int64_t(p.lanes),
                       args.states, c.add(c.add(statesAt, at), v * p.lanes));
        });
  });
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
void RecurrentKernel::quantize(Value vector, Value vectorAt, int64_t row) {
  auto smaller = [&](Value x, Value y) { return select(Pred::OLT, x, y); };
  auto larger = [&](Value x, Value y) { return select(Pred::OGT, x, y); };
  Value zero = number(0);
  Value from = c.add(vectorAt, row * p.paddedHidden());
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

void RecurrentKernel::forPanels(
    const RecurrentPlan::Segment &segment, const Range &slices,
    llvm::function_ref<void(Value, int64_t, int64_t)> emitPanel) {
  auto panelOf = [&](Value slice) {
    return segment.panels() == p.slices
               ? slice
               : c.div(c.mul(slice, segment.panels()), p.slices);
  };
  Value begin = panelOf(slices.begin), end = panelOf(slices.end);
  // Every other step goes through the full panels backwards and finds those
  // that the last one ended with in the first-level cache.
  int64_t full = segment.fullPanels;
  if (full) {
    Value endFull = c.min(end, c.index(full));
    Value last = c.sub(c.add(begin, endFull), c.index(1));
    c.loop(begin, endFull, 1, [&](Value k) {
      Value i =
          arith::SelectOp::create(c.b, c.loc, backwards, c.sub(last, k), k);
      emitPanel(i, segment.panelVectors, p.lanes);
    });
  }
  if (!segment.tailVectors)
    return;
  Value isTail = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::sgt,
                                       end, c.index(full));
  Value isNew = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::sle,
                                      begin, c.index(full));
  c.branch(
      arith::AndIOp::create(c.b, c.loc, isTail, isNew),
      [&] {
        emitPanel(c.index(full), segment.tailVectors,
                  p.hidden - (p.gateVectors - 1) * p.lanes);
      },
      nullptr);
}

void RecurrentKernel::runSegment(unsigned number, Value vector, Value vectorAt,
                                 const Range &slices) {
  const RecurrentPlan::Segment &segment = p.segments[number];
  if (p.isInteger) {
    stepScale.assign(p.rows, {});
    stepZeroPoint.assign(p.rows, {});
    stepSum.assign(p.rows, {});
    for (int64_t row = 0; row < p.rows; ++row)
      quantize(vector, vectorAt, row);
  }
  int64_t size = segment.panelWeights(segment.panelVectors, p);
  forPanels(segment, slices, [&](Value i, int64_t vectors, int64_t lastCount) {
    Value weights = c.add(c.mul(i, size), segment.firstWeight);
    Value first = c.mul(i, segment.panelVectors * p.lanes);
    multiplyPanel(segment, weights, vectors, vector, vectorAt);
    for (int64_t v = 0; v < vectors; ++v)
      for (int64_t row = 0; row < p.rows; ++row)
        emitGates(number, {row, c.add(first, v * p.lanes),
                           v + 1 == vectors ? lastCount : int64_t(p.lanes), v});
  });
}

/// The products of the panel's columns with all rows of `vector`.
void RecurrentKernel::multiplyPanel(const RecurrentPlan::Segment &segment,
                                    Value weights, int64_t vectors,
                                    Value vector, Value vectorAt) {
  int64_t all = segment.gates * vectors; // vectors of columns
  int64_t unitSize = all * p.lanes * p.unitElements;
  unsigned parts = p.isInteger ? level.micro->accumulatorsPerVector() : 1;
  VectorType sumType = p.isInteger ? i32Vector() : f32Vector();
  auto byteVector = c.vectorType(c.b.getI8Type(), level.vectorBytes);
  int64_t rowWords = p.isInteger ? p.rowBytes() / 4 : p.paddedHidden();
  Value source = p.isInteger ? words : vector;
  Value sourceAt = p.isInteger ? c.index(0) : vectorAt;

  SmallVector<Value> initial(p.rows * all * parts,
                             c.splat(sumType.getElementType(), 0, p.lanes));
  panelVectors = vectors;
  panelGate = segment.firstGate;
  sums = c.loop(
      c.index(0), c.index(p.units), 1, initial,
      [&](Value unit, ValueRange carried) {
        SmallVector<Value> next(carried);
        SmallVector<SmallVector<Value>> loaded;
        Value at = c.add(weights, c.mul(unit, unitSize));
        for (int64_t v = 0; v < all; ++v) {
          Value from = c.add(at, v * p.lanes * p.unitElements);
          if (p.isInteger)
            loaded.push_back(level.micro->prepareWeights(
                c.b, c.loc, c.load(args.weights, from, byteVector)));
          else
            loaded.push_back({c.load(args.weights, from, f32Vector())});
        }
        for (int64_t row = 0; row < p.rows; ++row) {
          Value scalar = memref::LoadOp::create(
              c.b, c.loc, source, c.add(c.add(sourceAt, unit), row * rowWords));
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
}

Value RecurrentKernel::product(int64_t gate, const Lane &lane) {
  unsigned parts = p.isInteger ? level.micro->accumulatorsPerVector() : 1;
  int64_t gates = sums.size() / (p.rows * panelVectors * parts);
  int64_t at = (lane.row * gates + gate - panelGate) * panelVectors;
  ArrayRef<Value> own =
      ArrayRef<Value>(sums).slice((at + lane.vector) * parts, parts);
  return p.isInteger
             ? integerProduct(own, c.add(lane.at, gate * p.paddedHidden()),
                              lane.row)
             : own[0];
}

/// Takes the zero points off a vector of sums of one row and scales it.
Value RecurrentKernel::integerProduct(ArrayRef<Value> parts, Value column,
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
  return mulF(real, factor);
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
  store(h, args.state, newAt, lane);
  storeFirst(c, h, lane.count, args.states,
             c.add(c.add(statesAt, lane.row * p.hidden), lane.at));
  storeFirst(c, h, lane.count, args.lastState, hiddenAt(lane));
}

void RecurrentKernel::emitGates(unsigned segment, const Lane &lane) {
  switch (p.kind) {
  case RecurrenceKind::Lstm:
    return lstm(lane);
  case RecurrenceKind::Plain:
    return setState(lane, activate(0, gate(0, lane)));
  case RecurrenceKind::Gru:
    break;
  }
  if (!p.resetsFirst())
    return gru(lane);
  if (segment == 0)
    return gruGates(lane);
  gruState(lane, load(args.update, paddedRowsAt, lane), gate(2, lane));
}

void RecurrentKernel::lstm(const Lane &lane) {
  Value old =
      loadFirst(c, f32Vector(), lane.count, args.lastCell, hiddenAt(lane));
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
  storeFirst(c, next, lane.count, args.lastCell, hiddenAt(lane));
  setState(lane, mulF(o, activate(2, next, /*clips=*/false)));
}

void RecurrentKernel::gru(const Lane &lane) {
  Value z = activate(0, gate(0, lane));
  Value r = activate(0, gate(1, lane));
  Value own = product(2, lane);
  if (args.bias)
    own = addF(own, perHidden(args.bias, 0, lane));
  gruState(lane, z, multiplyAdd(c, level, r, own, inputOf(2, lane)));
}

void RecurrentKernel::gruGates(const Lane &lane) {
  Value z = activate(0, gate(0, lane));
  Value r = activate(0, gate(1, lane));
  store(z, args.update, paddedRowsAt, lane);
  // The state's padding is 0, and so is this.
  store(mulF(r, oldState(lane)), args.reset, paddedRowsAt, lane);
}

void RecurrentKernel::gruState(const Lane &lane, Value update,
                               Value candidate) {
  Value fresh = mulF(subF(number(1), update), activate(1, candidate));
  setState(lane, multiplyAdd(c, level, update, oldState(lane), fresh));
}
