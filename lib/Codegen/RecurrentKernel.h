//===- RecurrentKernel.h - The loop of a recurrent layer -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each step is a product of the state with the weights, whose packed form stays
// in a second-level cache from step to step, and the gates in vectors of hidden
// values. Both go panel by panel: a panel holds some vectors of hidden values
// of all gates. A gate is a long chain of dependent instructions, so those of a
// panel are mixed with the products of the next one, which wait for weights.
//
// Round 0 sets the first states, and each product is a round of its own: one in
// each step, or two where the second needs all of the first. Where a round is
// long enough, its panels are cut into slices, the tiles of that round, so that
// each thread keeps its own weights in its own cache. Otherwise a tile is some
// sequences and runs through all rounds.
//
// Along the hidden values, both operands are cut into units of four bytes: four
// 8-bit values or one float. A gate's columns are padded to whole vectors. The
// gates that one product computes are a segment.
//
//   packed[segment][panel][unit][gate][hidden value of the panel][4 bytes]
//
// Floats may be stored in 16 bits; they are widened when they are loaded. Those
// of bf16 alternate between two vectors: one shift and one mask then widen
// both.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_RECURRENTKERNEL_H
#define QCC_LIB_CODEGEN_RECURRENTKERNEL_H

#include "CodeBuilder.h"
#include "Requantize.h"

#include "llvm/Support/MathExtras.h"

namespace qcc {

struct RecurrentPlan {
  RecurrentPlan(qnn::RecurrenceOp op, const TargetLevel &level);

  qnn::RecurrenceKind kind;
  bool isInteger;
  int64_t weightBytes; ///< per element
  bool pairsVectors;   ///< of bf16: the elements of two vectors alternate
  int64_t steps, sequences, hidden, gates;
  int64_t unitElements; ///< 4 or 1
  int64_t units;        ///< of the hidden values
  unsigned lanes;
  int64_t gateVectors; ///< per gate
  int64_t rows;        ///< sequences that a product takes at once
  int64_t slices;      ///< of a round, for the threads; 1: not shared

  bool reverse, coupled, linearBeforeReset;
  bool hasWeightZeroPoints = false;
  std::optional<float> clip;
  llvm::SmallVector<FloatActivation, 3> activations;

  int64_t columns() const { return gates * hidden; }
  int64_t paddedHidden() const { return gateVectors * lanes; }
  int64_t paddedColumns() const { return gates * paddedHidden(); }
  /// Bytes from one row's quantized vector to the next.
  int64_t rowBytes() const { return llvm::alignTo(paddedHidden(), 64); }
  int64_t paddedStates() const { return sequences * paddedHidden(); }
  /// Whether the reset gate works on the state before the product with it.
  bool resetsFirst() const {
    return kind == qnn::RecurrenceKind::Gru && !linearBeforeReset;
  }
  /// Gates that are computed by one product, and how they are cut: into
  /// `fullPanels` of `panelVectors` vectors of each gate, and one of the rest.
  struct Segment {
    int64_t firstGate, gates, panelVectors, fullPanels, tailVectors;
    int64_t firstWeight; ///< element where the packed weights start
    int64_t panels() const { return fullPanels + (tailVectors ? 1 : 0); }
    int64_t panelWeights(int64_t vectors, const RecurrentPlan &p) const {
      return gates * vectors * p.lanes * p.units * p.unitElements;
    }
  };
  llvm::SmallVector<Segment, 2> segments;
  int64_t rounds() const { return 1 + steps * int64_t(segments.size()); }
  bool sharesRounds() const { return slices > 1; }
  /// Hidden values in the last vector of each gate.
  int64_t lastCount() const { return hidden - (gateVectors - 1) * lanes; }
  unsigned sumsPerVector() const {
    return isInteger ? level.micro->accumulatorsPerVector() : 1;
  }
  /// Whether the products of a panel are computed along with the gates of the
  /// one before. The sums of both must stay in registers, of which there are 32
  /// with vectors of this size; several rows wait for weights less.
  bool interleaves() const { return level.vectorBytes == 64 && rows == 1; }
  /// Functions that the gates of a hidden value apply after one product.
  int64_t activationsPerValue() const;
  /// Bytes of the stack that a kernel needs.
  int64_t stackBytes() const;
  /// Calls f(column, hidden value) for every element of the packed weights in
  /// order; the column is -1 for padding.
  void forEachWeight(llvm::function_ref<void(int64_t, int64_t)> f) const;
  /// The column's position among the padded ones.
  int64_t paddedColumn(int64_t column) const {
    return column / hidden * paddedHidden() + column % hidden;
  }
  std::string key() const;

  const TargetLevel &level;

private:
  int64_t unpaired(int64_t at, int64_t perUnit) const;
  void addSegment(int64_t firstGate, int64_t gates);
  void chooseSlices();
};

/// The arguments of a recurrence kernel, flat; null where absent.
struct RecurrentArguments {
  mlir::Value input, weights, states, lastState;
  /// Integers only, per padded column: sums of the weights, their scales and
  /// zero points.
  mlir::Value sums, scales, zeroPoints;
  mlir::Value bias, initialState, initialCell, peepholes, lengths, lastCell;
  /// Padded hidden values of all sequences: the states before and after a step
  /// by turns; where the reset gate works first, the update gate and the state
  /// that was reset.
  mlir::Value state, update, reset;
};

/// Emits the kernel that RecurrentPlan describes.
class RecurrentKernel {
public:
  RecurrentKernel(mlir::OpBuilder &b, mlir::Location loc,
                  const RecurrentPlan &plan, const RecurrentArguments &args)
      : c(b, loc), p(plan), level(plan.level), args(args) {}

  void emit(mlir::Value begin, mlir::Value end);

private:
  using Value = mlir::Value;
  using Segment = RecurrentPlan::Segment;

  /// Some hidden values of one sequence.
  struct Lane {
    int64_t row;        ///< of those that a product takes
    Value at;           ///< the first hidden value
    int64_t count;      ///< the others of the vector are padding
    int64_t vector = 0; ///< of the panel
  };
  /// Slices of a round.
  struct Range {
    Value begin, end;
  };
  /// The full panels of some slices, and whether they end with the other one.
  struct Panels {
    Value begin, end, hasTail;
  };
  /// Those of a panel's columns with all rows of a vector.
  struct Products {
    Value weights, vector, vectorAt; ///< the buffer, and elements to start at
    int64_t vectors = 0;             ///< of columns
    int64_t unit = 0;                ///< those before are in the sums
    llvm::SmallVector<Value> sums;
  };

  void round(Value number, const Range &slices);
  void initialize();
  void step(Value s, Value phase, const Range &slices);
  /// The gates of a segment, and the states that follow from them.
  void emitGates(unsigned segment, const Lane &lane);
  void quantize(Value vector, Value vectorAt, int64_t row);
  /// Panels of a segment: the products of `vector`, then the gates.
  void runSegment(unsigned number, Value vector, Value vectorAt,
                  const Range &slices);
  Panels panelsOf(const Segment &segment, const Range &slices);
  /// Zeros instead of the states of a step.
  void clear(const Segment &segment, const Range &slices);
  void multiply(Products &products, int64_t end);
  void finish(const Segment &segment, Value first, int64_t vectors);
  llvm::SmallVector<llvm::SmallVector<Value>> loadReals(Value at,
                                                        int64_t vectors);
  Value integerProduct(llvm::ArrayRef<Value> parts, Value column, int64_t row);
  void lstm(const Lane &lane);
  void gru(const Lane &lane);
  void gruGates(const Lane &lane);
  void gruState(const Lane &lane, Value update, Value candidate);
  void plain(const Lane &lane);

  void forLanes(llvm::function_ref<void(const Lane &)> emitLane);
  mlir::VectorType f32Vector() {
    return c.vectorType(c.b.getF32Type(), p.lanes);
  }
  mlir::VectorType i32Vector() {
    return c.vectorType(c.b.getI32Type(), p.lanes);
  }
  Value number(float value) {
    return c.splat(c.b.getF32Type(), value, p.lanes);
  }
  Value addF(Value x, Value y) {
    return mlir::arith::AddFOp::create(c.b, c.loc, x, y);
  }
  Value subF(Value x, Value y) {
    return mlir::arith::SubFOp::create(c.b, c.loc, x, y);
  }
  Value mulF(Value x, Value y) {
    return mlir::arith::MulFOp::create(c.b, c.loc, x, y);
  }
  Value select(mlir::arith::CmpFPredicate p, Value x, Value y) {
    Value condition = mlir::arith::CmpFOp::create(c.b, c.loc, p, x, y);
    return mlir::arith::SelectOp::create(c.b, c.loc, condition, x, y);
  }
  /// The value of one lane, from all in `x` by pairs.
  Value reduce(Value x, llvm::function_ref<Value(Value, Value)> combine);
  /// Of padded hidden values; `first` is where those of row 0 begin.
  Value paddedAt(Value first, const Lane &lane) {
    return c.add(c.add(lane.at, first), lane.row * p.paddedHidden());
  }
  Value load(Value buffer, Value first, const Lane &lane) {
    return c.load(buffer, paddedAt(first, lane), f32Vector());
  }
  void store(Value value, Value buffer, Value first, const Lane &lane) {
    c.store(value, buffer, paddedAt(first, lane));
  }
  /// Of hidden values without padding.
  Value hiddenAt(const Lane &lane) {
    return c.add(c.mul(c.add(firstSequence, lane.row), p.hidden), lane.at);
  }
  Value oldState(const Lane &lane) { return load(args.state, oldAt, lane); }
  /// What the weights of a gate add; once for each.
  Value product(int64_t gate, const Lane &lane);
  Value inputOf(int64_t gate, const Lane &lane);
  Value perHidden(Value buffer, int64_t part, const Lane &lane);
  /// What a gate adds up to.
  Value gate(int64_t gate, const Lane &lane) {
    return addF(inputOf(gate, lane), product(gate, lane));
  }
  Value activate(unsigned i, Value x, bool clips = true);
  void setState(const Lane &lane, Value h);

  CodeBuilder c;
  const RecurrentPlan &p;
  const TargetLevel &level;
  RecurrentArguments args;
  Value bytes, words; ///< on the stack: the rows of a quantized vector
  llvm::SmallVector<Value> stepScale, stepZeroPoint, stepSum; ///< per row
  Value firstSequence;                                        ///< of the rows
  // Of the first row in this step: its part of the input and of all states,
  // of the padded ones before and after the step, of other padded values.
  Value inputAt, statesAt, oldAt, newAt, paddedRowsAt;
  Value backwards; ///< whether this step goes through the panels so
  // Of the panel whose gates are computed.
  llvm::SmallVector<Value> sums;
  int64_t panelVectors = 0, panelGate = 0;
  Products *interleaved = nullptr; ///< of the next panel
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_RECURRENTKERNEL_H
