//===- OutputError.cpp - How far outputs are from the float model's -------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/OutputError.h"

#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"
#include "qcc/Dialect/QNN/Transforms/NarrowWeights.h"
#include "qcc/Support/TensorValues.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

//===----------------------------------------------------------------------===//
// Which outputs
//===----------------------------------------------------------------------===//

namespace {
/// Whether quantization can change values.
class ChangedValues {
public:
  explicit ChangedValues(func::FuncOp main) : sites(main, usedIds) {
    for (QuantizableOpInterface op : sites.ops())
      sources.insert(op);
    for (const QuantizationSites::RecurrentLayer &layer :
         sites.recurrentLayers())
      sources.insert(layer.op);
    main.walk([&](Operation *op) {
      // What is quantized already.
      if (isa<QuantizeOp, DequantizeOp, StorageCastOp, DynamicQuantizeOp,
              DynamicDequantizeOp, MatmulIntegerOp, ConvIntegerOp,
              BlockMatmulOp>(op))
        sources.insert(op);
      // What computes float32 with weights that were rounded to 16 bits.
      if (op->getNumResults() == 1 &&
          getElementTypeOrSelf(op->getResult(0)).isF32() && getNarrowType(op))
        sources.insert(op);
      // What reads a value that others store in 8 or 16 bits may read those.
      if (!op->hasTrait<OpTrait::IsTerminator>() &&
          llvm::any_of(op->getOperands(), [&](Value operand) {
            return operand.getDefiningOp() && sites.ids().contains(operand);
          }))
        sources.insert(op);
    });
  }

  bool contains(Value value) const {
    llvm::SmallVector<Operation *> worklist = {value.getDefiningOp()};
    llvm::DenseSet<Operation *> seen;
    while (!worklist.empty()) {
      Operation *op = worklist.pop_back_val();
      if (!op || !seen.insert(op).second)
        continue;
      if (sources.contains(op))
        return true;
      for (Value operand : op->getOperands())
        worklist.push_back(operand.getDefiningOp());
    }
    return false;
  }

private:
  llvm::StringMap<unsigned> usedIds;
  QuantizationSites sites;
  QuantizationSites::OpSet sources;
};
} // namespace

static Operation *terminatorOf(func::FuncOp main) {
  return main.getBody().front().getTerminator();
}

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Why an output is no signal, behind its name; empty where it is one.
static std::string explainOutput(Value output, const ChangedValues &changed) {
  RankedTensorType type = typeOf(output);
  DType dtype = getDType(type.getElementType());
  std::string text = std::string(" is ") + name(dtype);
  if (!isFloat(dtype))
    return text;
  if (llvm::is_contained(type.getShape(), 0))
    return text + " without elements";
  if (!changed.contains(output))
    return text + " that no quantized layer computes";
  return "";
}

ComparedOutputs ComparedOutputs::get(ArrayRef<func::FuncOp> forms) {
  func::FuncOp main = forms.front();
  llvm::BitVector isSignal(terminatorOf(main)->getNumOperands());
  for (func::FuncOp form : forms) {
    ChangedValues changed(form);
    for (OpOperand &output : terminatorOf(form)->getOpOperands())
      if (explainOutput(output.get(), changed).empty())
        isSignal.set(output.getOperandNumber());
  }
  ComparedOutputs result;
  llvm::append_range(result.signals, isSignal.set_bits());
  if (result.signals.empty())
    return result;
  unsigned first = result.signals.front();
  ArrayRef<int64_t> shape =
      typeOf(terminatorOf(main)->getOperand(first)).getShape();
  if (!shape.empty() && shape.back() > 1)
    result.scores = first;
  return result;
}

std::string qcc::describeOutputs(func::FuncOp main) {
  ChangedValues changed(main);
  SmallVector<std::string> texts;
  for (OpOperand &output : terminatorOf(main)->getOpOperands()) {
    unsigned index = output.getOperandNumber();
    auto attr = main.getResultAttrOfType<StringAttr>(index, "qnn.name");
    std::string text = explainOutput(output.get(), changed);
    RankedTensorType type = typeOf(output.get());
    if (text.empty())
      text = std::string(" is ") + name(getDType(type.getElementType())) + " " +
             shapeString(type.getShape().vec());
    texts.push_back("'" +
                    (attr ? attr.str() : "output_" + std::to_string(index)) +
                    "'" + text);
  }
  return llvm::join(texts, ", ");
}

//===----------------------------------------------------------------------===//
// Distances
//===----------------------------------------------------------------------===//

/// What a probability counts as, at least, so that divergences are finite.
static constexpr double kLeastProbability = 1e-12;

static bool hasNaN(ArrayRef<double> scores) {
  return llvm::any_of(scores, [](double s) { return std::isnan(s); });
}

/// How far rounding to `dtype` moves a sum of probabilities from 1, at most:
/// the relative error of each, and in f16 that of those near 0 besides.
static double sumTolerance(DType dtype, size_t count) {
  constexpr double kBrain = 4e-3, kOthers = 1e-3, kLeastHalf = 0x1p-24;
  if (dtype == DType::BF16)
    return kBrain;
  return dtype == DType::F16 ? kOthers + double(count) * kLeastHalf / 2
                             : kOthers;
}

/// Whether `scores` are probabilities at all positions of `count` classes, but
/// those with NaN.
static bool areProbabilities(ArrayRef<double> scores, size_t count,
                             DType dtype) {
  for (size_t i = 0; i < scores.size(); i += count) {
    ArrayRef<double> position = scores.slice(i, count);
    if (hasNaN(position))
      continue;
    double sum = 0;
    for (double score : position)
      sum += score;
    // Not an infinite sum, either.
    if (!(std::abs(sum - 1) < sumTolerance(dtype, count)) ||
        llvm::any_of(position, [](double p) { return p < 0; }))
      return false;
  }
  return true;
}

/// The scores of one position as probabilities, by a softmax where they are
/// none. What quantization makes of probabilities is clamped to 0 and above,
/// and favours no class where nothing is left. Nothing where there are none, as
/// with NaN, an infinite score or none that is finite.
static std::optional<std::vector<double>>
getProbabilities(ArrayRef<double> scores, bool areProbabilities) {
  if (hasNaN(scores))
    return std::nullopt;
  double largest = *llvm::max_element(scores);
  if (!std::isfinite(largest))
    return std::nullopt;
  std::vector<double> result = scores.vec();
  double sum = 0;
  for (double &score : result)
    sum += score =
        areProbabilities ? std::max(score, 0.0) : std::exp(score - largest);
  for (double &p : result)
    p = sum > 0 ? p / sum : 1 / double(result.size());
  return result;
}

static bool isAmongLargest(ArrayRef<double> scores, size_t label,
                           unsigned classes) {
  if (label >= scores.size() || hasNaN(scores))
    return false;
  size_t larger = 0;
  for (auto [i, score] : llvm::enumerate(scores))
    larger += score > scores[label] || (score == scores[label] && i < label);
  return larger < classes;
}

/// The extent of the last dimension; 0 where a tensor holds no scores.
static size_t countClasses(const HostTensor &scores) {
  return isFloat(scores.dtype) && !scores.shape.empty() && !scores.data.empty()
             ? size_t(scores.shape.back())
             : 0;
}

bool qcc::isAmongLargest(const HostTensor &scores, int64_t label,
                         unsigned classes) {
  size_t count = countClasses(scores);
  if (count == 0 || label < 0)
    return false;
  std::vector<double> values = toDoubles(scores);
  return ::isAmongLargest(ArrayRef(values).take_front(count), size_t(label),
                          classes);
}

/// The power of two, or one near it, that scales the largest finite value to
/// about 1, so that squares neither overflow nor vanish; 0 where all are 0.
/// Being a power of two it changes no digit.
static double findScale(ArrayRef<double> values) {
  constexpr int kMostExponent = 1000;
  double largest = 0;
  for (double x : values)
    if (std::isfinite(x))
      largest = std::max(largest, std::abs(x));
  if (largest == 0)
    return 0;
  return std::ldexp(
      1, -std::clamp(std::ilogb(largest), -kMostExponent, kMostExponent));
}

/// Adds noise and angle of one signal.
static void addSignal(ArrayRef<double> wanted, ArrayRef<double> found,
                      OutputError &error) {
  double ownScale = findScale(found), scale = findScale(wanted);
  if (scale == 0)
    scale = ownScale;
  double difference = 0, energy = 0, own = 0, product = 0;
  for (auto [x, y] : llvm::zip_equal(wanted, found)) {
    bool isFinite = std::isfinite(x) && std::isfinite(y);
    if (!isFinite && (x == y || (std::isnan(x) && std::isnan(y))))
      continue;
    if (!isFinite) {
      error.noise += kSpoiled;
      error.angle += kSpoiled;
      return;
    }
    double distance = x * scale - y * scale;
    difference += distance * distance;
    energy += x * scale * (x * scale);
    own += y * ownScale * (y * ownScale);
    product += x * scale * (y * ownScale);
  }
  if (difference == 0)
    return;
  error.noise += energy > 0 ? std::min(difference / energy, kSpoiled) : 1;
  error.angle +=
      energy > 0 && own > 0 ? 1 - product / std::sqrt(energy * own) : 1;
}

/// Sets divergence and disagreement.
static void compareScores(ArrayRef<double> wanted, ArrayRef<double> found,
                          size_t count, DType dtype, unsigned classes,
                          OutputError &error) {
  size_t decided = 0, distributed = 0;
  bool isDistribution = areProbabilities(wanted, count, dtype);
  for (size_t i = 0; i < wanted.size(); i += count) {
    ArrayRef<double> expected = wanted.slice(i, count),
                     actual = found.slice(i, count);
    if (hasNaN(expected))
      continue;
    ++decided;
    size_t chosen = size_t(llvm::max_element(expected) - expected.begin());
    error.disagreement += !::isAmongLargest(actual, chosen, classes);
    auto p = getProbabilities(expected, isDistribution),
         q = getProbabilities(actual, isDistribution);
    if (!p)
      continue;
    ++distributed;
    if (!q) {
      error.divergence -= std::log(kLeastProbability);
      continue;
    }
    for (auto [a, b] : llvm::zip_equal(*p, *q))
      if (a > 0)
        error.divergence += a * std::log(a / std::max(b, kLeastProbability));
  }
  if (decided != 0)
    error.disagreement /= double(decided);
  if (distributed != 0)
    error.divergence = std::max(error.divergence / double(distributed), 0.0);
}

OutputError qcc::compareOutputs(const ComparedOutputs &compared,
                                ArrayRef<HostTensor> reference,
                                ArrayRef<HostTensor> outputs,
                                unsigned classes) {
  OutputError error;
  for (unsigned i : compared.signals) {
    std::vector<double> wanted = toDoubles(reference[i]),
                        found = toDoubles(outputs[i]);
    addSignal(wanted, found, error);
    if (i == compared.scores)
      compareScores(wanted, found, countClasses(reference[i]),
                    reference[i].dtype, classes, error);
  }
  if (!compared.signals.empty()) {
    error.noise /= double(compared.signals.size());
    error.angle /= double(compared.signals.size());
  }
  return error;
}

void qcc::countNonFinite(const ComparedOutputs &compared,
                         ArrayRef<HostTensor> outputs,
                         NonFiniteOutputs &counts) {
  for (unsigned i : compared.signals) {
    std::vector<double> values = toDoubles(outputs[i]);
    counts.values += values.size();
    counts.nonFinite += size_t(
        llvm::count_if(values, [](double x) { return !std::isfinite(x); }));
    if (i != compared.scores)
      continue;
    size_t count = countClasses(outputs[i]);
    bool isDistribution = areProbabilities(values, count, outputs[i].dtype);
    for (size_t at = 0; at < values.size(); at += count) {
      ArrayRef<double> scores = ArrayRef(values).slice(at, count);
      ++counts.positions;
      counts.undecided += hasNaN(scores);
      counts.undistributed += !getProbabilities(scores, isDistribution);
    }
  }
}

double qcc::toDecibels(double noise) {
  return noise > 0 ? std::clamp(-10 * std::log10(noise), -200.0, 200.0) : 200;
}
