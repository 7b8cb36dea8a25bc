//===- RecurrentKernel.h - The loop of a recurrent layer -------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel runs through all steps of some sequences. Each step is a product
// of the state with the weights, whose packed form stays in a second-level
// cache from step to step, and the gates in vectors of hidden values. Both go
// panel by panel: a panel holds some vectors of hidden values of all gates.
// Panels are small, so that the processor reads the weights of the next one
// while gates are still being computed.
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
  bool pairsVectors; ///< of bf16: the elements of two vectors alternate
  int64_t steps, sequences, hidden, gates;
  int64_t unitElements; ///< 4 or 1
  int64_t units;        ///< of the hidden values
  unsigned lanes;
  int64_t gateVectors; ///< per gate
  int64_t rows;        ///< sequences per tile

  bool reverse, coupled, linearBeforeReset;
  bool hasWeightZeroPoints = false;
  std::optional<float> clip;
  llvm::SmallVector<FloatActivation, 3> activations;

  int64_t columns() const { return gates * hidden; }
  int64_t paddedHidden() const { return gateVectors * lanes; }
  int64_t paddedColumns() const { return gates * paddedHidden(); }
  /// Bytes from one row's quantized vector to the next.
  int64_t rowBytes() const { return llvm::alignTo(paddedHidden(), 64); }
  /// Whether the reset gate works on the state before the product with it.
  bool resetsFirst() const {
    return kind == qnn::RecurrenceKind::Gru && !linearBeforeReset;
  }
  /// Gates that are computed by one product, and how they are cut: into
  /// `fullPanels` of `panelVectors` vectors of each gate, and one of the rest.
  struct Segment {
    int64_t firstGate, gates, panelVectors, fullPanels, tailVectors;
    int64_t firstWeight; ///< element where the packed weights start
    int64_t panelWeights(int64_t vectors, const RecurrentPlan &p) const {
      return gates * vectors * p.lanes * p.units * p.unitElements;
    }
  };
  llvm::SmallVector<Segment, 2> segments;
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
};

/// The arguments of a recurrence kernel, flat; null where absent.
struct RecurrentArguments {
  mlir::Value input, weights, states, lastState;
  /// Integers only, per padded column: sums of the weights, their scales and
  /// zero points.
  mlir::Value sums, scales, zeroPoints;
  mlir::Value bias, initialState, initialCell, peepholes, lengths, lastCell;
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

  /// Some hidden values of one sequence.
  struct Lane {
    int64_t row;   ///< of the tile
    Value at;      ///< the first hidden value
    int64_t count; ///< the others of the vector are padding
  };

  void tile(Value firstSequence);
  void step(Value firstSequence, Value t);
  void finish(Value firstSequence);
  void clearBeyond(Value firstSequence, Value count);
  void quantize(Value vector, int64_t row);
  /// All panels of a segment: the products of `vector`, then the gates.
  void runSegment(unsigned number, Value vector,
                  llvm::function_ref<void(const Lane &)> emitGates);
  void multiplyPanel(const RecurrentPlan::Segment &segment, Value weights,
                     Value firstHidden, int64_t vectors, Value vector);
  llvm::SmallVector<llvm::SmallVector<Value>> loadReals(Value at,
                                                        int64_t vectors);
  void storeIntegerProduct(llvm::ArrayRef<Value> parts, Value column,
                           int64_t row);
  void lstm(const Lane &lane);
  void gruGates(const Lane &lane);
  void gruState(const Lane &lane);
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
  Value load(Value buffer, const Lane &lane) {
    return c.load(buffer, c.add(lane.at, lane.row * p.paddedHidden()),
                  f32Vector());
  }
  void store(Value value, Value buffer, const Lane &lane) {
    c.store(value, buffer, c.add(lane.at, lane.row * p.paddedHidden()));
  }
  Value productAt(int64_t gate, const Lane &lane) {
    return c.add(lane.at,
                 lane.row * p.paddedColumns() + gate * p.paddedHidden());
  }
  Value product(int64_t gate, const Lane &lane) {
    return c.load(products, productAt(gate, lane), f32Vector());
  }
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
  // On the stack, per row: hidden values (padded) or columns (padded).
  Value state, before, cell, reset, products, bytes, words;
  llvm::SmallVector<Value> stepScale, stepZeroPoint, stepSum; ///< per row
  Value inputAt, stateAt; ///< of the first row in this step
  Value backwards;        ///< whether this step goes through the panels so
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_RECURRENTKERNEL_H
