//===- KernelCost.cpp - Cycles of a kernel, from its code -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loops are walked with the bounds that they have: integers are computed, data
// is not. Of loops with many iterations some stand for all. A block takes as
// long as the busiest of the processor's resources, the innermost loop no less
// than the chain of its sums.
//
//===----------------------------------------------------------------------===//

#include "qcc/Codegen/KernelCost.h"
#include "InstructionCount.h"

#include "qcc/Target/LevelCosts.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace qcc;

/// Iterations that stand for all of a loop that holds others.
static constexpr int64_t kSamples = 8;
/// Of a call: the runtime, and filling and draining the pipelines.
static constexpr double kCallCycles = 300;

namespace {
/// Walks one call of a kernel.
class CallWalk {
public:
  CallWalk(const TargetLevel &level) : counter(level) {}

  void set(Value value, int64_t known) { values[value] = known; }
  double cyclesOf(Block &block);

private:
  struct BlockCost {
    double cycles = 0;
    bool isFlat = true; ///< holds no other blocks
  };

  BlockCost costOf(Block &block);
  double cyclesOf(scf::ForOp loop);
  double cyclesOf(scf::IfOp op);
  std::optional<int64_t> valueOf(Value value);

  InstructionCounter counter;
  DenseMap<Value, std::optional<int64_t>> values;
  DenseMap<Block *, BlockCost> costs;
};
} // namespace

std::optional<int64_t> CallWalk::valueOf(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  return values.lookup(value);
}

CallWalk::BlockCost CallWalk::costOf(Block &block) {
  auto [entry, isNew] = costs.try_emplace(&block);
  if (!isNew)
    return entry->second;
  BlockCost cost;
  cost.cycles = counter.cycles(block);
  for (Operation &op : block)
    if (isa<scf::ForOp, scf::IfOp>(op))
      cost.isFlat = false;
  costs[&block] = cost;
  return cost;
}

double CallWalk::cyclesOf(Block &block) {
  BlockCost cost = costOf(block);
  double cycles = cost.cycles;
  if (cost.isFlat)
    return cycles;
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      cycles += cyclesOf(loop);
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      cycles += cyclesOf(branch);
    } else if (op.getNumResults() == 1 &&
               op.getResult(0).getType().isIntOrIndex()) {
      SmallVector<std::optional<int64_t>> operands;
      for (Value operand : op.getOperands())
        operands.push_back(valueOf(operand));
      values[op.getResult(0)] = evaluate(&op, operands);
    }
  }
  return cycles;
}

double CallWalk::cyclesOf(scf::ForOp loop) {
  auto begin = valueOf(loop.getLowerBound()),
       end = valueOf(loop.getUpperBound()), step = valueOf(loop.getStep());
  // What depends on data is entered once.
  bool isKnown = begin && end && step && *step > 0;
  int64_t trips = isKnown ? llvm::divideCeilSigned(*end - *begin, *step) : 1;
  if (trips <= 0)
    return 0;
  Block &body = *loop.getBody();
  if (costOf(body).isFlat)
    return double(trips) * costOf(body).cycles;
  int64_t samples = std::min(trips, kSamples);
  double cycles = 0;
  for (int64_t k = 0; k < samples; ++k) {
    int64_t trip = (2 * k + 1) * trips / (2 * samples);
    values[loop.getInductionVar()] =
        isKnown ? std::optional(*begin + trip * *step) : std::nullopt;
    cycles += cyclesOf(body);
  }
  return cycles * double(trips) / double(samples);
}

/// Where the condition depends on data, both branches are as likely.
double CallWalk::cyclesOf(scf::IfOp op) {
  std::optional<int64_t> condition = valueOf(op.getCondition());
  double taken[2] = {0, 0};
  for (bool isThen : {false, true}) {
    Region &region = isThen ? op.getThenRegion() : op.getElseRegion();
    if (!region.empty() && (!condition || isThen == (*condition != 0)))
      taken[isThen] = cyclesOf(region.front());
  }
  return condition ? taken[*condition != 0] : (taken[0] + taken[1]) / 2;
}

static double bytesOf(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return double(type.getNumElements()) *
         llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

static bool isConstant(Value buffer) {
  while (auto cast = buffer.getDefiningOp<memref::ReinterpretCastOp>())
    buffer = cast.getSource();
  return buffer.getDefiningOp<memref::GetGlobalOp>() != nullptr;
}

KernelCost::KernelCost(ModuleOp module, const TargetLevel &level)
    : module(module), level(level) {
  module.walk([&](memref::GlobalOp global) {
    auto type = global.getType();
    constantBytes += double(type.getNumElements()) *
                     llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  });
}

/// Every buffer is read or written once, the constants of a recurrent layer at
/// every step. Constants are all used between two uses of one, so that only
/// those of a small model are near; from one step to the next, those of the
/// kernel alone.
double KernelCost::memoryCycles(func::CallOp call) const {
  const LevelCosts &costs = *level.costs;
  double activations = 0, constants = 0;
  for (Value operand : call.getOperands().drop_back(2))
    (isConstant(operand) ? constants : activations) += bytesOf(operand);
  // A table that is looked up is not read whole.
  if (!call->hasAttr("qcc.macs"))
    constants = std::min(constants, activations);
  auto rate = [&](double bytes) {
    return bytes <= costs.nearSize ? costs.nearBytes : costs.farBytes;
  };
  auto kernel = ModuleOp(module).lookupSymbol<func::FuncOp>(call.getCallee());
  auto reads = kernel->getAttrOfType<IntegerAttr>("qcc.constant_reads");
  double again = reads ? double(std::max<int64_t>(reads.getInt() - 1, 0)) : 0;
  return activations / rate(activations) + constants / rate(constantBytes) +
         again * constants / rate(constants);
}

double KernelCost::cycles(func::CallOp call) const {
  auto kernel = ModuleOp(module).lookupSymbol<func::FuncOp>(call.getCallee());
  CallWalk walk(level);
  for (auto [argument, operand] :
       llvm::zip_equal(kernel.getArguments(), call.getOperands())) {
    APInt known;
    if (matchPattern(operand, m_ConstantInt(&known)))
      walk.set(argument, known.getSExtValue());
  }
  return kCallCycles +
         std::max(walk.cyclesOf(kernel.getBody().front()), memoryCycles(call));
}
