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

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using Pred = arith::CmpFPredicate;

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
    clear(p.segments.back(), slices);
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

RecurrentKernel::Panels RecurrentKernel::panelsOf(const Segment &segment,
                                                  const Range &slices) {
  auto panelOf = [&](Value slice) {
    return segment.panels() == p.slices
               ? slice
               : c.div(c.mul(slice, segment.panels()), p.slices);
  };
  auto is = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(c.b, c.loc, predicate, x, y);
  };
  Value full = c.index(segment.fullPanels);
  Panels panels;
  panels.begin = panelOf(slices.begin);
  Value end = panelOf(slices.end);
  panels.end = c.min(end, full);
  panels.hasTail = arith::AndIOp::create(
      c.b, c.loc, is(arith::CmpIPredicate::sle, panels.begin, full),
      is(arith::CmpIPredicate::sgt, end, full));
  return panels;
}

void RecurrentKernel::clear(const Segment &segment, const Range &slices) {
  Panels panels = panelsOf(segment, slices);
  auto panel = [&](Value i, int64_t vectors, int64_t lastCount) {
    Value at = c.add(statesAt, c.mul(i, segment.panelVectors * p.lanes));
    for (int64_t v = 0; v < vectors; ++v)
      storeFirst(c, number(0), v + 1 == vectors ? lastCount : int64_t(p.lanes),
                 args.states, c.add(at, v * p.lanes));
  };
  c.loop(panels.begin, panels.end, 1,
         [&](Value i) { panel(i, segment.panelVectors, p.lanes); });
  if (segment.tailVectors)
    c.branch(
        panels.hasTail,
        [&] {
          panel(c.index(segment.fullPanels), segment.tailVectors,
                p.lastCount());
        },
        nullptr);
}

void RecurrentKernel::runSegment(unsigned number, Value vector, Value vectorAt,
                                 const Range &slices) {
  const Segment &segment = p.segments[number];
  if (p.isInteger) {
    stepScale.assign(p.rows, {});
    stepZeroPoint.assign(p.rows, {});
    stepSum.assign(p.rows, {});
    for (int64_t row = 0; row < p.rows; ++row)
      quantize(vector, vectorAt, row);
  }
  auto products = [&](Value panel, int64_t vectors) {
    Products result;
    result.weights =
        c.add(c.mul(panel, segment.panelWeights(segment.panelVectors, p)),
              segment.firstWeight);
    result.vector = vector;
    result.vectorAt = vectorAt;
    result.vectors = segment.gates * vectors;
    Type type = p.isInteger ? Type(c.b.getI32Type()) : Type(c.b.getF32Type());
    result.sums.assign(p.rows * result.vectors * p.sumsPerVector(),
                       c.splat(type, 0, p.lanes));
    return result;
  };
  auto gates = [&](Value panel, int64_t vectors, int64_t lastCount) {
    panelVectors = vectors;
    panelGate = segment.firstGate;
    Value first = c.mul(panel, segment.panelVectors * p.lanes);
    finish(segment, first, vectors);
    for (int64_t v = 0; v < vectors; ++v)
      for (int64_t row = 0; row < p.rows; ++row)
        emitGates(number, {row, c.add(first, v * p.lanes),
                           v + 1 == vectors ? lastCount : int64_t(p.lanes), v});
  };
  auto whole = [&](Value panel, int64_t vectors, int64_t lastCount) {
    Products own = products(panel, vectors);
    multiply(own, p.units);
    sums = own.sums;
    gates(panel, vectors, lastCount);
  };

  // Every other step goes through the full panels backwards and finds those
  // that the last one ended with in the first-level cache.
  Panels panels = panelsOf(segment, slices);
  Value last = c.sub(c.add(panels.begin, panels.end), c.index(1));
  auto panelAt = [&](Value k) -> Value {
    return arith::SelectOp::create(c.b, c.loc, backwards, c.sub(last, k), k);
  };
  int64_t vectors = segment.panelVectors;
  auto pipeline = [&] {
    Products first = products(panelAt(panels.begin), vectors);
    multiply(first, p.units);
    sums = c.loop(c.add(panels.begin, 1), panels.end, 1, first.sums,
                  [&](Value k, ValueRange carried) {
                    sums.assign(carried.begin(), carried.end());
                    Products next = products(panelAt(k), vectors);
                    interleaved = &next;
                    gates(panelAt(c.sub(k, c.index(1))), vectors, p.lanes);
                    interleaved = nullptr;
                    multiply(next, p.units);
                    return next.sums;
                  });
    gates(panelAt(c.sub(panels.end, c.index(1))), vectors, p.lanes);
  };
  if (!p.interleaves())
    c.loop(panels.begin, panels.end, 1,
           [&](Value k) { whole(panelAt(k), vectors, p.lanes); });
  else if (segment.fullPanels)
    c.branch(arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::slt,
                                   panels.begin, panels.end),
             pipeline, nullptr);
  if (segment.tailVectors)
    c.branch(
        panels.hasTail,
        [&] {
          whole(c.index(segment.fullPanels), segment.tailVectors,
                p.lastCount());
        },
        nullptr);
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

/// Goes on with `products` up to unit `end`.
void RecurrentKernel::multiply(Products &products, int64_t end) {
  if (products.unit >= end)
    return;
  int64_t all = products.vectors;
  int64_t unitSize = all * p.lanes * p.unitElements;
  unsigned parts = p.sumsPerVector();
  VectorType sumType = p.isInteger ? i32Vector() : f32Vector();
  auto byteVector = c.vectorType(c.b.getI8Type(), level.vectorBytes);
  int64_t rowWords = p.isInteger ? p.rowBytes() / 4 : p.paddedHidden();
  Value source = p.isInteger ? words : products.vector;
  Value sourceAt = p.isInteger ? c.index(0) : products.vectorAt;

  auto addUnit = [&](Value unit, ValueRange carried) {
    SmallVector<Value> next(carried);
    SmallVector<SmallVector<Value>> loaded;
    Value at = c.add(products.weights, c.mul(unit, unitSize));
    if (!p.isInteger)
      loaded = loadReals(at, all);
    for (int64_t v = 0; p.isInteger && v < all; ++v) {
      Value from = c.add(at, v * p.lanes * p.unitElements);
      loaded.push_back(level.micro->prepareWeights(
          c.b, c.loc, c.load(args.weights, from, byteVector)));
    }
    for (int64_t row = 0; row < p.rows; ++row) {
      Value scalar = memref::LoadOp::create(
          c.b, c.loc, source, c.add(c.add(sourceAt, unit), row * rowWords));
      Value lanes = vector::BroadcastOp::create(c.b, c.loc, sumType, scalar);
      SmallVector<Value> prepared{lanes};
      if (p.isInteger)
        prepared = level.micro->prepareActivations(
            c.b, c.loc, c.bitcast(lanes, byteVector));
      for (int64_t v = 0; v < all; ++v) {
        MutableArrayRef<Value> sum =
            MutableArrayRef<Value>(next).slice((row * all + v) * parts, parts);
        if (p.isInteger)
          level.micro->dot(c.b, c.loc, sum, prepared, loaded[v]);
        else
          sum[0] = multiplyAdd(c, level, lanes, loaded[v][0], sum[0]);
      }
    }
    return next;
  };
  products.sums =
      c.loop(c.index(products.unit), c.index(end), 1, products.sums, addUnit);
  products.unit = end;
  if (!interleaved)
    return;
  // One block of all gates and products would be sorted again.
  auto unroll = LLVM::LoopUnrollAttr::get(c.b.getContext(),
                                          /*disable=*/c.b.getBoolAttr(true), {},
                                          {}, {}, {}, {}, {});
  products.sums.front().getDefiningOp()->setAttr(
      "loop_annotation",
      LLVM::LoopAnnotationAttr::get(c.b.getContext(), {}, {}, {}, unroll, {},
                                    {}, {}, {}, {}, {}, {}, {}, {}, {}, {}));
}

Value RecurrentKernel::product(int64_t gate, const Lane &lane) {
  int64_t gates = sums.size() / (p.rows * panelVectors);
  int64_t at = (lane.row * gates + gate - panelGate) * panelVectors;
  return sums[at + lane.vector];
}

/// The real values of a panel's products, which begin with hidden value
/// `first`.
void RecurrentKernel::finish(const Segment &segment, Value first,
                             int64_t vectors) {
  if (!p.isInteger)
    return;
  unsigned parts = p.sumsPerVector();
  SmallVector<Value> real;
  for (int64_t row = 0; row < p.rows; ++row)
    for (int64_t v = 0; v < segment.gates * vectors; ++v) {
      int64_t gate = segment.firstGate + v / vectors;
      Value column =
          c.add(first, gate * p.paddedHidden() + v % vectors * p.lanes);
      real.push_back(integerProduct(
          ArrayRef<Value>(sums).slice(real.size() * parts, parts), column,
          row));
    }
  sums = real;
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
  x = p.activations[i].emit(c, x);
  if (!interleaved)
    return x;
  // An empty instruction with this operand: otherwise all of the chain moves to
  // the first use of its result, behind the products.
  x = LLVM::InlineAsmOp::create(
          c.b, c.loc, x.getType(), x, /*asm_string=*/"",
          /*constraints=*/"=v,0", /*has_side_effects=*/true,
          /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
          LLVM::AsmDialectAttr::get(c.b.getContext(), LLVM::AsmDialect::AD_ATT),
          /*operand_attrs=*/ArrayAttr())
          .getResult(0);
  int64_t gates = panelVectors * p.rows * p.activationsPerValue();
  multiply(*interleaved,
           std::min<int64_t>(p.units, interleaved->unit +
                                          llvm::divideCeil(p.units, gates)));
  return x;
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
