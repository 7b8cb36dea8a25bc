//===- RecurrentPlan.cpp - How a recurrent layer is cut -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecurrentKernel.h"

#include "../Runtime/program.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// From this much on, threads share a round: a meeting takes them some 0.4
/// microseconds.
static constexpr int64_t kSharedRoundBytes = 128 << 10;

RecurrentPlan::RecurrentPlan(RecurrenceOp op, const TargetLevel &level)
    : kind(op.getKind()),
      isInteger(isa<quant::QuantizedType>(
          cast<ShapedType>(op.getWeights().getType()).getElementType())),
      weightBytes(isInteger ? 1
                            : cast<ShapedType>(op.getWeights().getType())
                                      .getElementTypeBitWidth() /
                                  8),
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
  int64_t bytes = weights * weightBytes * (sequences / rows);
  if (bytes / int64_t(segments.size()) < kSharedRoundBytes || steps == 0 ||
      rounds() > QCC_MAX_ROUNDS)
    slices = 1;
}

void RecurrentPlan::addSegment(int64_t firstGate, int64_t gates) {
  // More sums than hide the latency of a product only make panels larger.
  int64_t registers = std::min(level.numVectorRegisters / 2, 8u);
  int64_t sums = registers / (rows * sumsPerVector());
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

int64_t RecurrentPlan::activationsPerValue() const {
  switch (kind) {
  case RecurrenceKind::Lstm:
    return coupled ? 4 : 5;
  case RecurrenceKind::Gru:
    return resetsFirst() ? 2 : 3;
  case RecurrenceKind::Plain:
    return 1;
  }
  llvm_unreachable("unknown kind");
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
