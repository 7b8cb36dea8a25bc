//===- InstructionCount.cpp - Cycles of straight-line code ----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionCount.h"

#include "qcc/Target/LevelCosts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;

/// Most integer arithmetic of kernels computes addresses, which LLVM folds into
/// loads and stores, or moves out of loops.
static constexpr double kScalarShare = 0.25;
/// Of a loop: counting, comparing, jumping.
static constexpr double kLoopInstructions = 2;

namespace {
enum Kind {
  Product,
  Dot,
  Conversion,
  Shuffle,
  OtherVector,
  Load,
  Store,
  Scalar,
  Division,
  TileDot,
  TileLoad,
  TileStore,
  NumKinds
};

/// Instructions of each kind.
struct Work {
  double counts[NumKinds] = {};
};
} // namespace

static bool isVector(Type type) { return isa<VectorType>(type); }

/// Registers that a value takes.
static double registersOf(Type type, const TargetLevel &level) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || !vector.getElementType().isIntOrFloat())
    return 1;
  int64_t bits = vector.getNumElements() * vector.getElementTypeBitWidth();
  // Masks take one.
  return double(
      std::max<int64_t>(1, llvm::divideCeil(bits, 8 * level.vectorBytes)));
}

static double registersOf(Operation *op, const TargetLevel &level) {
  double most = 1;
  for (Type type : op->getResultTypes())
    most = std::max(most, registersOf(type, level));
  for (Type type : op->getOperandTypes())
    if (isVector(type))
      most = std::max(most, registersOf(type, level));
  return most;
}

/// Whether a scalar comes from memory or is constant: loads broadcast by
/// themselves.
static bool isBroadcastByLoad(Value scalar) {
  Operation *op = scalar.getDefiningOp();
  while (
      isa_and_nonnull<vector::ExtractOp, vector::BitCastOp, arith::BitcastOp>(
          op))
    op = op->getOperand(0).getDefiningOp();
  if (auto load = dyn_cast_or_null<vector::LoadOp>(op))
    return load.getVectorType().getNumElements() *
               load.getVectorType().getElementTypeBitWidth() <=
           64;
  return isa_and_nonnull<memref::LoadOp, arith::ConstantOp>(op);
}

/// Whether users of a shuffle read its operand instead: its first elements,
/// and where instructions take parts also its second half or one lane.
static bool isPart(vector::ShuffleOp op, const LevelCosts &costs) {
  ArrayRef<int64_t> mask = op.getMask();
  if (costs.takesParts && llvm::all_equal(mask))
    return true;
  for (size_t i = 1; i < mask.size(); ++i)
    if (mask[i] != mask[0] + int64_t(i))
      return false;
  return mask[0] == 0 || (costs.takesParts && mask[0] == int64_t(mask.size()) &&
                          op.getV1VectorType().getNumElements() == 2 * mask[0]);
}

/// Whether an addition is part of the instruction that adds pairs.
static bool isPairwise(arith::AddIOp op, const LevelCosts &costs) {
  return costs.takesParts && llvm::any_of(op->getOperands(), [](Value operand) {
           auto call = operand.getDefiningOp<LLVM::CallIntrinsicOp>();
           return call && call.getIntrin().contains("addlp");
         });
}

static void countIntrinsic(LLVM::CallIntrinsicOp op, const TargetLevel &level,
                           Work &work) {
  StringRef name = op.getIntrin();
  auto has = [&](std::initializer_list<StringRef> parts) {
    return llvm::any_of(parts,
                        [&](StringRef part) { return name.contains(part); });
  };
  double registers = registersOf(op, level);
  if (has({"tdpb"}))
    work.counts[TileDot] += 1;
  else if (has({"tileload"}))
    work.counts[TileLoad] += 1;
  else if (has({"tilestore"}))
    work.counts[TileStore] += 1;
  else if (has({"tile"}))
    work.counts[Scalar] += 1;
  else if (has({"dot", "vpdp", "pmadd", "mull", "mlal", "mmla"}))
    work.counts[Dot] += registers;
  else if (has({"cvt"}))
    work.counts[Conversion] += registers;
  else if (has({"pack", "perm", "pshuf", "xtn", "tbl", "zip", "trn"}))
    work.counts[Shuffle] += registers;
  else
    work.counts[OtherVector] += registers;
}

static void count(Operation *op, const TargetLevel &level, Work &work) {
  double registers = registersOf(op, level);
  auto add = [&](Kind kind, double number) { work.counts[kind] += number; };
  bool onVectors = llvm::any_of(op->getResultTypes(), isVector) ||
                   llvm::any_of(op->getOperandTypes(), isVector);
  llvm::TypeSwitch<Operation *>(op)
      .Case<arith::ConstantOp, scf::ForOp, scf::IfOp, scf::YieldOp,
            vector::BitCastOp, vector::ShapeCastOp, memref::ReinterpretCastOp,
            memref::AllocaOp, arith::BitcastOp, arith::IndexCastOp,
            LLVM::PtrToIntOp, LLVM::IntToPtrOp,
            LLVM::InlineAsmOp>( // of recurrent kernels, empty
          [](Operation *) {})
      .Case<vector::LoadOp, memref::LoadOp, memref::PrefetchOp, LLVM::LoadOp>(
          [&](Operation *) { add(Load, registers); })
      .Case<vector::MaskedLoadOp>([&](Operation *) {
        add(Load, registers);
        add(OtherVector, registers);
      })
      .Case<vector::StoreOp, memref::StoreOp, vector::MaskedStoreOp,
            LLVM::StoreOp>([&](Operation *) { add(Store, registers); })
      .Case<vector::GatherOp>([&](vector::GatherOp gather) {
        add(Load, double(gather.getVectorType().getNumElements()));
      })
      .Case<vector::BroadcastOp>([&](vector::BroadcastOp broadcast) {
        if (!isBroadcastByLoad(broadcast.getSource()))
          add(Shuffle, registers);
      })
      .Case<vector::ExtractOp>([&](vector::ExtractOp extract) {
        if (extract.getSourceVectorType().getNumElements() > 1)
          add(Shuffle, 1);
      })
      .Case<vector::ShuffleOp>([&](vector::ShuffleOp shuffle) {
        if (!isPart(shuffle, *level.costs))
          add(Shuffle, registers);
      })
      .Case([&](arith::AddIOp sum) {
        if (!onVectors || !isPairwise(sum, *level.costs))
          add(onVectors ? OtherVector : Scalar, registers);
      })
      .Case<vector::InsertOp, vector::ExtractStridedSliceOp,
            vector::InsertStridedSliceOp>([&](Operation *) { add(Shuffle, 1); })
      .Case<vector::ReductionOp>([&](Operation *) {
        double steps = llvm::Log2_32(level.lanes());
        add(Shuffle, steps);
        add(OtherVector, steps);
      })
      .Case<arith::ExtUIOp, arith::ExtSIOp, arith::TruncIOp>(
          [&](Operation *) { add(onVectors ? Shuffle : Scalar, registers); })
      .Case<arith::SIToFPOp, arith::UIToFPOp, arith::FPToSIOp, arith::FPToUIOp,
            arith::ExtFOp, arith::TruncFOp, LLVM::LrintOp, LLVM::RintOp,
            LLVM::RoundEvenOp, math::RoundEvenOp>(
          [&](Operation *) { add(Conversion, registers); })
      .Case<arith::DivFOp, math::SqrtOp>(
          [&](Operation *) { add(Division, registers); })
      .Case<arith::MulFOp, arith::AddFOp, arith::SubFOp, math::FmaOp,
            vector::FMAOp>([&](Operation *) { add(Product, registers); })
      .Case([&](LLVM::CallIntrinsicOp call) {
        countIntrinsic(call, level, work);
      })
      .Default([&](Operation *) {
        add(!onVectors               ? Scalar
            : isa<arith::MulIOp>(op) ? Dot
                                     : OtherVector,
            registers);
      });
}

/// Whether `value` is `variable` plus what does not depend on it: -1 where it
/// depends on it otherwise, else 1 or 0. `known` has what was found before.
static int stepOf(Value value, Value variable, Block &body,
                  DenseMap<Value, int> &known) {
  if (value == variable)
    return 1;
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != &body)
    return value.getParentBlock() == &body ? -1 : 0;
  if (auto it = known.find(value); it != known.end())
    return it->second;
  int sum = 0;
  for (Value operand : op->getOperands()) {
    int step = stepOf(operand, variable, body, known);
    if (step < 0 ||
        (step > 0 &&
         !isa<arith::AddIOp, arith::SubIOp, arith::IndexCastOp>(op))) {
      sum = -1;
      break;
    }
    sum += step;
  }
  return known[value] = sum > 1 ? -1 : sum;
}

/// Whether LLVM makes vectors of a loop that has none: its accesses are to
/// neighbours, or the same, from one iteration to the next.
static bool isVectorizable(scf::ForOp loop) {
  Block &body = *loop.getBody();
  if (loop.getNumRegionIterArgs() != 0)
    return false;
  DenseMap<Value, int> steps;
  for (Operation &op : body) {
    if (op.getNumRegions() != 0 || isa<LLVM::LLVMDialect>(op.getDialect()) ||
        llvm::any_of(op.getResultTypes(), isVector))
      return false;
    SmallVector<Value> indices;
    if (auto load = dyn_cast<memref::LoadOp>(op))
      indices = load.getIndices();
    else if (auto store = dyn_cast<memref::StoreOp>(op))
      indices = store.getIndices();
    for (auto [i, index] : llvm::enumerate(indices)) {
      int step = stepOf(index, loop.getInductionVar(), body, steps);
      if (step < 0 || (step > 0 && i + 1 != indices.size()))
        return false;
    }
  }
  return true;
}

/// The longest chain from one iteration's values to the next one's.
static double chainOf(scf::ForOp loop, const TargetLevel &level) {
  DenseMap<Value, double> lengths;
  for (Value carried : loop.getRegionIterArgs())
    lengths[carried] = 0;
  for (Operation &op : *loop.getBody()) {
    double length = -1;
    for (Value operand : op.getOperands())
      if (auto it = lengths.find(operand); it != lengths.end())
        length = std::max(length, it->second);
    if (length < 0)
      continue;
    Work work;
    count(&op, level, work);
    bool isSum = work.counts[Product] + work.counts[Dot] > 0;
    bool isFree = llvm::all_of(work.counts, [](double n) { return n == 0; });
    length += isSum ? level.costs->latency : isFree ? 0 : 1;
    for (Value result : op.getResults())
      lengths[result] = length;
  }
  double longest = 0;
  for (Value yielded : loop.getBody()->getTerminator()->getOperands())
    longest = std::max(longest, lengths.lookup(yielded));
  return longest;
}

double InstructionCounter::cycles(Block &block) const {
  auto loop = dyn_cast<scf::ForOp>(block.getParentOp());
  Work work;
  DenseSet<Value> invariant;
  for (Operation &op : block) {
    // What does not change within a loop is computed in front of it.
    bool isInvariant = loop && isPure(&op) && op.getNumRegions() == 0 &&
                       op.getNumResults() != 0 &&
                       llvm::all_of(op.getOperands(), [&](Value operand) {
                         return operand.getParentBlock() != &block ||
                                invariant.contains(operand);
                       });
    if (isInvariant)
      invariant.insert(op.getResults().begin(), op.getResults().end());
    else
      count(&op, level, work);
  }
  if (loop)
    work.counts[Scalar] += kLoopInstructions;

  const LevelCosts &costs = *level.costs;
  auto sum = [&](std::initializer_list<Kind> kinds) {
    double total = 0;
    for (Kind kind : kinds)
      total += work.counts[kind];
    return total;
  };
  double vectors = sum({Product, Dot, Conversion, Shuffle, OtherVector});
  double cycles = std::max(
      {(vectors + sum({Load, Store}) + kScalarShare * work.counts[Scalar]) /
           costs.issue,
       vectors / costs.vectors, work.counts[Product] / costs.products,
       work.counts[Dot] / costs.dots,
       work.counts[Conversion] / costs.conversions,
       work.counts[Shuffle] / costs.shuffles, work.counts[Load] / costs.loads,
       work.counts[Store] / costs.stores,
       work.counts[Division] * costs.divisionCycles,
       work.counts[TileDot] * costs.tileDot,
       work.counts[TileLoad] * costs.tileLoad,
       work.counts[TileStore] * costs.tileStore});
  if (!loop)
    return cycles;
  if (isVectorizable(loop))
    cycles /= level.lanes();
  return std::max(cycles, chainOf(loop, level));
}

std::optional<int64_t>
qcc::evaluate(Operation *op, ArrayRef<std::optional<int64_t>> operands) {
  if (operands.empty() ||
      llvm::any_of(operands, [](auto operand) { return !operand; }))
    return std::nullopt;
  int64_t a = *operands[0], b = operands.size() > 1 ? *operands[1] : 0;
  using Result = std::optional<int64_t>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](arith::AddIOp) { return a + b; })
      .Case([&](arith::SubIOp) { return a - b; })
      .Case([&](arith::MulIOp) { return a * b; })
      .Case<arith::DivUIOp, arith::DivSIOp>(
          [&](auto) { return b == 0 ? Result() : Result(a / b); })
      .Case<arith::RemUIOp, arith::RemSIOp>(
          [&](auto) { return b == 0 ? Result() : Result(a % b); })
      .Case<arith::MinUIOp, arith::MinSIOp>(
          [&](auto) { return std::min(a, b); })
      .Case<arith::MaxUIOp, arith::MaxSIOp>(
          [&](auto) { return std::max(a, b); })
      .Case([&](arith::AndIOp) { return a & b; })
      .Case([&](arith::OrIOp) { return a | b; })
      .Case([&](arith::SelectOp) { return a != 0 ? b : *operands[2]; })
      .Case<arith::IndexCastOp, arith::ExtUIOp, arith::ExtSIOp>(
          [&](auto) { return a; })
      .Case([&](arith::CmpIOp compare) -> Result {
        auto x = uint64_t(a), y = uint64_t(b);
        switch (compare.getPredicate()) {
        case arith::CmpIPredicate::eq:
          return a == b;
        case arith::CmpIPredicate::ne:
          return a != b;
        case arith::CmpIPredicate::slt:
          return a < b;
        case arith::CmpIPredicate::sle:
          return a <= b;
        case arith::CmpIPredicate::sgt:
          return a > b;
        case arith::CmpIPredicate::sge:
          return a >= b;
        case arith::CmpIPredicate::ult:
          return x < y;
        case arith::CmpIPredicate::ule:
          return x <= y;
        case arith::CmpIPredicate::ugt:
          return x > y;
        case arith::CmpIPredicate::uge:
          return x >= y;
        }
        return std::nullopt;
      })
      .Default([](Operation *) { return Result(); });
}
