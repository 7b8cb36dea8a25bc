//===- ReferenceRecurrence.cpp - Reference kernels of recurrent layers ----===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile is one sequence. Weights are read as [hidden][gate * hidden], so that
// the inner loop of the product runs over contiguous columns.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qnn::RecurrenceKind;

namespace {

/// The code of one recurrence kernel.
class Recurrence {
public:
  Recurrence(qnn::RecurrenceOp op, KernelEmitter &emitter);
  LogicalResult emit();

private:
  /// Numbers of the kernel's arguments; 0 where absent.
  struct Arguments {
    unsigned bias = 0, initialState = 0, initialCell = 0, peepholes = 0,
             lengths = 0, scales = 0, zeroPoints = 0, lastCell = 0;
  };
  static constexpr unsigned xArg = 0, weightsArg = 1, statesArg = 2,
                            lastStateArg = 3, productsArg = 4, vectorsArg = 5,
                            sumsArg = 6;

  unsigned add(Value buffer) {
    buffers.push_back(buffer);
    return buffers.size() - 1;
  }
  void sequence(LoopBuilder &b, Value n);
  void step(LoopBuilder &b, Value n, Value t);
  void multiply(LoopBuilder &b, Value vector, int64_t from, int64_t to);
  void quantizeVector(LoopBuilder &b, Value vector, Value &scale);
  void lstm(LoopBuilder &b, Value j);
  void gruGates(LoopBuilder &b, Value j);
  void gruState(LoopBuilder &b, Value j);
  void plain(LoopBuilder &b, Value j);

  Value load(LoopBuilder &b, unsigned arg, Value at, const Element &e) {
    return b.toReal(b.load(memory[arg], at), e);
  }
  /// What gate `gate` of hidden value j adds up to: x + product.
  Value gate(LoopBuilder &b, int64_t gate, Value j) {
    Value column = b.addIndex(j, gate * hidden);
    return b.add(load(b, xArg, b.add(xAt, column), element),
                 b.load(memory[productsArg], b.add(productsAt, column)));
  }
  Value product(LoopBuilder &b, int64_t gate, Value j) {
    return b.load(memory[productsArg],
                  b.add(productsAt, b.addIndex(j, gate * hidden)));
  }
  Value activate(LoopBuilder &b, unsigned i, Value v, bool clips = true) {
    if (clips && op.getClip()) {
      double bound = op.getClip()->convertToFloat();
      v = b.unary(qnn::UnaryKind::Clamp, -bound, bound, v);
    }
    return b.activate(op.getActivation(i), v);
  }
  Value state(LoopBuilder &b, Value j) {
    return b.load(memory[vectorsArg], b.add(stateAt, j));
  }
  void setState(LoopBuilder &b, Value j, Value h) {
    b.store(h, memory[vectorsArg], b.add(stateAt, j));
    b.store(b.fromReal(h, element), memory[statesArg], b.add(yAt, j));
  }

  qnn::RecurrenceOp op;
  KernelEmitter &emitter;
  Element element, weight;
  int64_t steps, sequences, hidden, columns;
  Type real, sumType;
  SmallVector<Value> buffers, memory;
  Arguments args;
  // Where the sequence's parts start: in the products, in the sums (behind
  // which the quantized vector stands), and of the vectors state, cell and
  // reset state.
  Value productsAt, sumsAt, stateAt, cellAt, resetAt;
  Value xAt, yAt; ///< of the step
};

} // namespace

Recurrence::Recurrence(qnn::RecurrenceOp op, KernelEmitter &emitter)
    : op(op), emitter(emitter), element(op.getInput().getType()),
      weight(op.getWeights().getType()), steps(op.getNumSteps()),
      sequences(op.getNumSequences()), hidden(op.getHiddenSize()),
      columns(op.getNumGates() * hidden), real(element.real()) {
  // Widened where the largest possible sum does not fit 32 bits.
  bool fits = hidden < std::numeric_limits<int32_t>::max() / (255 * 255);
  sumType = IntegerType::get(op.getContext(), fits ? 32 : 64);
}

LogicalResult Recurrence::emit() {
  if (weight.isInteger())
    return failure();
  bool isInteger = weight.isQuantized();
  add(emitter.buffer(op.getInput()));
  add(packed(emitter, op.getWeights(), {hidden, columns}, {1, hidden},
             op.getLoc()));
  add(emitter.buffer(op.getStates()));
  add(emitter.buffer(op.getLastState()));
  add(emitter.scratch(MemRefType::get({sequences, columns}, real)));
  add(emitter.scratch(MemRefType::get({sequences, 3 * hidden}, real)));
  add(emitter.scratch(MemRefType::get({sequences, columns + hidden}, sumType)));
  auto optional = [&](Value tensor) {
    return tensor ? add(emitter.buffer(tensor)) : 0;
  };
  args.bias = optional(op.getBias());
  args.initialState = optional(op.getInitialState());
  args.initialCell = optional(op.getInitialCell());
  args.peepholes = optional(op.getPeepholes());
  args.lengths = optional(op.getLengths());
  args.lastCell = optional(op.getLastCell());
  if (isInteger) {
    SmallVector<float> scales;
    SmallVector<int32_t> zeroPoints;
    for (int64_t j = 0; j < columns; ++j) {
      QuantParams params = weight.params(weight.perAxis ? j : 0);
      scales.push_back(params.scale);
      zeroPoints.push_back(params.zeroPoint);
    }
    args.scales = add(constantOf(emitter, "scales", ArrayRef<float>(scales)));
    args.zeroPoints =
        add(constantOf(emitter, "zero_points", ArrayRef<int32_t>(zeroPoints)));
  }
  func::FuncOp kernel = emitter.kernel(
      "recurrence", opKey(op), ValueRange(buffers).getTypes(), op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        memory.clear();
        for (Value value : values)
          memory.push_back(b.flat(value));
        b.loop(begin, end, [&](Value n) { sequence(b, n); });
      });
  emitter.call(kernel, buffers, sequences, op.getLoc());
  return success();
}

void Recurrence::sequence(LoopBuilder &b, Value n) {
  productsAt = b.mulIndex(n, columns);
  sumsAt = b.mulIndex(n, columns + hidden);
  stateAt = b.mulIndex(n, 3 * hidden);
  cellAt = b.addIndex(stateAt, hidden);
  resetAt = b.addIndex(cellAt, hidden);
  Value row = b.mulIndex(n, hidden);
  auto initialize = [&](Value at, unsigned arg) {
    b.loop(0, hidden, [&](Value j) {
      Value v = arg ? load(b, arg, b.add(row, j), element) : b.real(real, 0);
      b.store(v, memory[vectorsArg], b.add(at, j));
    });
  };
  initialize(stateAt, args.initialState);
  initialize(cellAt, args.initialCell);

  Value count = b.index(steps);
  if (args.lengths) {
    Value length = arith::IndexCastOp::create(b, b.getIndexType(),
                                              b.load(memory[args.lengths], n));
    count = b.smaller(b.larger(length, b.index(0)), count);
  }
  b.loop(b.index(0), count, [&](Value s) {
    Value t = op.getReverse() ? b.sub(b.addIndex(count, -1), s) : s;
    step(b, n, t);
  });
  if (args.lengths)
    b.loop(count, b.index(steps), [&](Value t) {
      Value at = b.mulIndex(b.add(b.mulIndex(t, sequences), n), hidden);
      b.loop(0, hidden, [&](Value j) {
        b.store(b.real(element.storage, 0), memory[statesArg], b.add(at, j));
      });
    });
  auto finish = [&](unsigned arg, Value at) {
    b.loop(0, hidden, [&](Value j) {
      Value v = b.load(memory[vectorsArg], b.add(at, j));
      b.store(b.fromReal(v, element), memory[arg], b.add(row, j));
    });
  };
  finish(lastStateArg, stateAt);
  if (args.lastCell)
    finish(args.lastCell, cellAt);
}

void Recurrence::step(LoopBuilder &b, Value n, Value t) {
  Value row = b.add(b.mulIndex(t, sequences), n);
  xAt = b.mulIndex(row, columns);
  yAt = b.mulIndex(row, hidden);
  auto forAll = [&](void (Recurrence::*emitOne)(LoopBuilder &, Value)) {
    b.loop(0, hidden, [&](Value j) { (this->*emitOne)(b, j); });
  };
  bool splits =
      op.getKind() == RecurrenceKind::Gru && !op.getLinearBeforeReset();
  multiply(b, stateAt, 0, splits ? 2 * hidden : columns);
  switch (op.getKind()) {
  case RecurrenceKind::Lstm:
    return forAll(&Recurrence::lstm);
  case RecurrenceKind::Plain:
    return forAll(&Recurrence::plain);
  case RecurrenceKind::Gru:
    forAll(&Recurrence::gruGates);
    if (splits)
      multiply(b, resetAt, 2 * hidden, columns);
    return forAll(&Recurrence::gruState);
  }
}

/// The vector's quantized values less their zero point, behind the sums.
void Recurrence::quantizeVector(LoopBuilder &b, Value vector, Value &scale) {
  Type f32 = b.getF32Type();
  Value zero = b.real(f32, 0);
  SmallVector<Value> range =
      b.loop(b.index(0), b.index(hidden), ValueRange{zero, zero},
             [&](Value k, ValueRange r) -> SmallVector<Value> {
               Value v = b.load(memory[vectorsArg], b.add(vector, k));
               return {b.smaller(v, r[0]), b.larger(v, r[1])};
             });
  Value width = b.sub(range[1], range[0]);
  Value isZero =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, width, zero);
  scale = b.select(isZero, b.real(f32, 1.f / 255.f),
                   b.div(width, b.real(f32, 255)));
  QuantParams params;
  params.qmin = 0;
  params.qmax = 255;
  Value zeroPoint = arith::UIToFPOp::create(
      b, f32,
      b.roundToStorage(b.div(b.sub(zero, range[0]), scale), params,
                       b.getI8Type()));
  Value lo = b.sub(zero, zeroPoint), hi = b.sub(b.real(f32, 255), zeroPoint);
  b.loop(0, hidden, [&](Value k) {
    Value v = b.load(memory[vectorsArg], b.add(vector, k));
    Value q = math::RoundEvenOp::create(b, b.div(v, scale));
    q = b.smaller(b.larger(q, lo), hi);
    b.store(arith::FPToSIOp::create(b, sumType, q), memory[sumsArg],
            b.add(b.addIndex(sumsAt, columns), k));
  });
}

/// products[from, to) = vector . weights.
void Recurrence::multiply(LoopBuilder &b, Value vector, int64_t from,
                          int64_t to) {
  bool isInteger = weight.isQuantized();
  Value scale;
  if (isInteger)
    quantizeVector(b, vector, scale);
  Type type = isInteger ? sumType : real;
  Value sums = isInteger ? memory[sumsArg] : memory[productsArg];
  Value at = isInteger ? sumsAt : productsAt;
  b.loop(from, to,
         [&](Value j) { b.store(b.number(type, 0), sums, b.add(at, j)); });
  b.loop(0, hidden, [&](Value k) {
    Value v = isInteger ? b.load(sums, b.add(b.addIndex(sumsAt, columns), k))
                        : b.load(memory[vectorsArg], b.add(vector, k));
    Value row = b.mulIndex(k, columns);
    b.loop(from, to, [&](Value j) {
      Value raw = b.load(memory[weightsArg], b.add(row, j));
      Value w;
      if (isInteger) {
        Value zeroPoint = b.load(memory[args.zeroPoints], j);
        if (zeroPoint.getType() != sumType)
          zeroPoint = arith::ExtSIOp::create(b, sumType, zeroPoint);
        w = b.sub(b.widen(raw, weight, sumType), zeroPoint);
      } else {
        w = b.toReal(raw, weight);
      }
      Value to = b.add(at, j);
      b.store(b.multiplyAdd(v, w, b.load(sums, to)), sums, to);
    });
  });
  if (!isInteger)
    return;
  b.loop(from, to, [&](Value j) {
    Value sum =
        arith::SIToFPOp::create(b, real, b.load(sums, b.add(sumsAt, j)));
    Value factor = b.mul(scale, b.load(memory[args.scales], j));
    b.store(b.mul(sum, factor), memory[productsArg], b.add(productsAt, j));
  });
}

void Recurrence::lstm(LoopBuilder &b, Value j) {
  Value cellPosition = b.add(cellAt, j);
  Value cell = b.load(memory[vectorsArg], cellPosition);
  // `peephole`: the number of its part, in the order i, o, f.
  auto withPeephole = [&](Value v, int64_t peephole, Value cell) {
    if (!args.peepholes)
      return v;
    Value p =
        load(b, args.peepholes, b.addIndex(j, peephole * hidden), element);
    return b.multiplyAdd(p, cell, v);
  };
  Value i = activate(b, 0, withPeephole(gate(b, 0, j), 0, cell));
  Value f = op.getCoupled()
                ? b.sub(b.real(real, 1), i)
                : activate(b, 0, withPeephole(gate(b, 2, j), 2, cell));
  Value candidate = activate(b, 1, gate(b, 3, j));
  Value next = b.multiplyAdd(f, cell, b.mul(i, candidate));
  Value o = activate(b, 0, withPeephole(gate(b, 1, j), 1, next));
  b.store(next, memory[vectorsArg], cellPosition);
  setState(b, j, b.mul(o, activate(b, 2, next, /*clips=*/false)));
}

/// z stays where its product stood, r or the reset state where r's stood.
void Recurrence::gruGates(LoopBuilder &b, Value j) {
  Value z = activate(b, 0, gate(b, 0, j));
  Value r = activate(b, 0, gate(b, 1, j));
  b.store(z, memory[productsArg], b.add(productsAt, j));
  if (op.getLinearBeforeReset())
    b.store(r, memory[productsArg], b.add(productsAt, b.addIndex(j, hidden)));
  else
    b.store(b.mul(r, state(b, j)), memory[vectorsArg], b.add(resetAt, j));
}

void Recurrence::gruState(LoopBuilder &b, Value j) {
  Value candidate;
  if (op.getLinearBeforeReset()) {
    Value p = product(b, 2, j);
    if (args.bias)
      p = b.add(p, load(b, args.bias, j, element));
    Value x = load(b, xArg, b.add(xAt, b.addIndex(j, 2 * hidden)), element);
    candidate = b.multiplyAdd(product(b, 1, j), p, x);
  } else {
    candidate = gate(b, 2, j);
  }
  candidate = activate(b, 1, candidate);
  Value z = product(b, 0, j);
  Value fresh = b.mul(b.sub(b.real(real, 1), z), candidate);
  setState(b, j, b.multiplyAdd(z, state(b, j), fresh));
}

void Recurrence::plain(LoopBuilder &b, Value j) {
  setState(b, j, activate(b, 0, gate(b, 0, j)));
}

LogicalResult qcc::reference::emitRecurrence(Operation *op,
                                             KernelEmitter &emitter) {
  auto recurrence = dyn_cast<qnn::RecurrenceOp>(op);
  return recurrence ? Recurrence(recurrence, emitter).emit() : failure();
}
