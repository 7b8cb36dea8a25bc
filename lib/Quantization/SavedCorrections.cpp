//===- SavedCorrections.cpp - Rounding and biases in a table --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/SavedCorrections.h"

#include "WeightScales.h"

#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Quantization/CorrectBias.h"
#include "qcc/Quantization/WeightRounding.h"
#include "qcc/Support/ResultToExpected.h"

#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Differences in a character, and the number of such that have one.
static constexpr int kPerGroup = 3, kGroupValues = 27,
                     kZeros = kGroupValues / 2;
/// Stands for zeros up to the last weight, at the end of a text.
static constexpr char kOnlyZeros = '-';

std::string qcc::encodeRounding(ArrayRef<int> differences) {
  size_t groups = llvm::divideCeil(differences.size(), kPerGroup);
  while (!differences.empty() && differences.back() == 0)
    differences = differences.drop_back();
  bool isShort = llvm::divideCeil(differences.size(), kPerGroup) < groups;
  std::string text;
  for (; !differences.empty();
       differences = differences.drop_front(
           std::min<size_t>(kPerGroup, differences.size()))) {
    std::array<int, kPerGroup> group{};
    llvm::copy(differences.take_front(kPerGroup), group.begin());
    if (llvm::any_of(group, [](int value) { return std::abs(value) > 1; })) {
      text += '(' + std::to_string(group[0]);
      for (int value : ArrayRef<int>(group).drop_front())
        text += ',' + std::to_string(value);
      text += ')';
      continue;
    }
    int value = 0;
    for (int difference : group)
      value = 3 * value + difference + 1;
    text += value == kZeros ? '.' : char('a' + value - (value > kZeros));
  }
  if (isShort)
    text += kOnlyZeros;
  return text;
}

/// Takes a group off the front of `text`.
static llvm::Error takeGroup(StringRef &text, std::vector<int> &differences) {
  char first = text.front();
  text = text.drop_front();
  if (first == '(') {
    auto [list, rest] = text.split(')');
    SmallVector<StringRef> numbers;
    list.split(numbers, ',');
    if (numbers.size() != kPerGroup || list.size() == text.size())
      return makeError("three numbers and ')' must follow '('");
    text = rest;
    for (StringRef number : numbers)
      if (number.trim().getAsInteger(10, differences.emplace_back()))
        return makeError("'" + number + "' is no number");
    return llvm::Error::success();
  }
  if (first != '.' && (first < 'a' || first > 'z'))
    return makeError("'" + Twine(first) + "' is neither '.', '(' nor a letter");
  int value = first == '.' ? kZeros : first - 'a';
  value += first != '.' && value >= kZeros;
  for (int unit = kGroupValues / 3; unit > 0; unit /= 3)
    differences.push_back(value / unit % 3 - 1);
  return llvm::Error::success();
}

llvm::Expected<std::vector<int>> qcc::decodeRounding(StringRef text,
                                                     size_t count) {
  std::vector<int> differences;
  bool endsInZeros = text.consume_back(StringRef(&kOnlyZeros, 1));
  while (!text.empty())
    if (llvm::Error error = takeGroup(text, differences))
      return std::move(error);
  // The last group may reach beyond the last weight.
  if (differences.size() >= count + kPerGroup)
    return makeError("it is for more than the " + Twine(count) + " weights");
  if (!endsInZeros && differences.size() < count)
    return makeError("it ends behind " + Twine(differences.size()) +
                     " of the " + Twine(count) +
                     " weights, without the '-' that stands for zeros; take "
                     "the layer out of the table to round it to nearest, or "
                     "remove the table to calibrate anew");
  differences.resize(count);
  return differences;
}

namespace {
/// A layer's float weights, and the integers nearest to them.
struct NearestWeights {
  LayerRows rows;
  SmallVector<float> scales;
  std::vector<int8_t> integers; ///< one column after the other
  uint64_t fingerprint;
};
} // namespace

template <typename T> static uint64_t hashOf(ArrayRef<T> values) {
  return llvm::xxh3_64bits({reinterpret_cast<const uint8_t *>(values.data()),
                            values.size() * sizeof(T)});
}

static NearestWeights roundToNearest(const LayerRows &rows,
                                     ArrayRef<float> columns,
                                     ArrayRef<float> scales) {
  RoundingGrid grid;
  grid.scales = scales;
  uint64_t parts[] = {hashOf(columns), hashOf(scales), uint64_t(rows.depth())};
  return {rows, SmallVector<float>(scales),
          roundNearest(columns, size_t(rows.depth()), grid),
          hashOf(ArrayRef(parts))};
}

template <typename Callback>
static void forEachLayer(ModuleOp module, Callback callback) {
  llvm::StringMap<unsigned> usedIds;
  QuantizationSites sites(module.lookupSymbol<func::FuncOp>("main"), usedIds);
  for (const QuantizationSites::Layer &layer : sites.layers())
    if (auto rows = LayerRows::get(layer.op))
      callback(layer.name, layer.op, *rows);
}

std::vector<ChannelEntry>
qcc::saveChannels(ModuleOp module, StringRef algorithm,
                  const StatisticsByValue &statistics) {
  std::vector<ChannelEntry> entries;
  llvm::DenseSet<Value> seen;
  forEachLayer(
      module, [&](StringRef name, Operation *op, const LayerRows &rows) {
        auto it = statistics.find(op->getOperand(0));
        if (it != statistics.end() && seen.insert(it->first).second)
          entries.push_back({algorithm.str(), name.str(), it->second.maxima,
                             it->second.means, it->second.deviations});
      });
  return entries;
}

llvm::Expected<StatisticsByValue>
qcc::readChannels(ModuleOp module, StringRef algorithm,
                  ArrayRef<ChannelEntry> entries) {
  llvm::StringMap<Operation *> layers;
  forEachLayer(module, [&](StringRef name, Operation *op,
                           const LayerRows &rows) { layers[name] = op; });
  StatisticsByValue statistics;
  for (const ChannelEntry &entry : entries) {
    if (entry.algorithm != algorithm)
      continue;
    Operation *op = layers.lookup(entry.layer);
    auto rows = op ? WeightRows::get(op) : std::nullopt;
    if (!rows || rows->channels != int64_t(entry.maxima.size()))
      return makeError("the model has no layer '" + entry.layer + "' with " +
                       Twine(entry.maxima.size()) + " input channels");
    statistics[rows->input()] = {entry.maxima, entry.means, entry.deviations};
  }
  return statistics;
}

void qcc::saveCorrections(ModuleOp module, CalibrationTable &table) {
  forEachLayer(module, [&](StringRef name, Operation *op,
                           const LayerRows &rows) {
    auto integers = op->getAttrOfType<DenseI8ArrayAttr>(kRoundedWeightsAttr);
    auto scales = op->getAttrOfType<DenseF32ArrayAttr>(kWeightScalesAttr);
    if (!integers || !scales)
      return;
    NearestWeights nearest =
        roundToNearest(rows, readColumns(op, rows), scales);
    LayerCorrection layer;
    layer.name = name.str();
    layer.fingerprint = nearest.fingerprint;
    if (auto bias = op->getAttrOfType<DenseF32ArrayAttr>(kBiasCorrectionAttr))
      layer.biasCorrection = bias.asArrayRef().vec();
    int64_t depth = rows.depth();
    bool differs = false;
    for (int64_t column = 0; column < rows.columns(); ++column) {
      std::vector<int> differences;
      for (int64_t i = 0; i < depth; ++i)
        differences.push_back(integers[rows.weightIndex(column, i)] -
                              nearest.integers[size_t(column * depth + i)]);
      layer.rounding.push_back(encodeRounding(differences));
      differs |= llvm::any_of(differences, [](int d) { return d != 0; });
    }
    if (!differs)
      layer.rounding.clear();
    table.layers.push_back(std::move(layer));
  });
}

/// The integers of a layer, row-major, as its entry says.
static llvm::Expected<std::vector<int8_t>>
readRounding(const NearestWeights &nearest, ArrayRef<std::string> rounding) {
  const LayerRows &rows = nearest.rows;
  if (!rounding.empty() && int64_t(rounding.size()) != rows.columns())
    return makeError("'rounding' is for " + Twine(rounding.size()) +
                     " channels, the layer has " + Twine(rows.columns()));
  std::vector<int8_t> integers(nearest.integers.size());
  for (int64_t column = 0; column < rows.columns(); ++column) {
    StringRef text = rounding.empty() ? StringRef(&kOnlyZeros, 1)
                                      : StringRef(rounding[size_t(column)]);
    auto differences = decodeRounding(text, size_t(rows.depth()));
    if (!differences)
      return makeError("'rounding' of channel " + Twine(column) + ": " +
                       llvm::toString(differences.takeError()));
    for (auto [i, difference] : llvm::enumerate(*differences)) {
      int64_t value = int64_t(difference) +
                      nearest.integers[size_t(column * rows.depth()) + i];
      if (value < -127 || value > 127)
        return makeError("'rounding' of channel " + Twine(column) +
                         " makes a weight " + Twine(value) + ", beyond 8 bits");
      integers[size_t(rows.weightIndex(column, int64_t(i)))] = int8_t(value);
    }
  }
  return integers;
}

static llvm::Error apply(const LayerCorrection &layer, Operation *op,
                         const NearestWeights &nearest, bool correctsBias) {
  auto integers = readRounding(nearest, layer.rounding);
  if (!integers)
    return integers.takeError();
  Builder builder(op->getContext());
  op->setAttr(kRoundedWeightsAttr, builder.getDenseI8ArrayAttr(*integers));
  op->setAttr(kWeightScalesAttr, builder.getDenseF32ArrayAttr(nearest.scales));
  if (layer.biasCorrection.empty())
    return llvm::Error::success();
  if (int64_t(layer.biasCorrection.size()) != nearest.rows.columns())
    return makeError("'bias_correction' has " +
                     Twine(layer.biasCorrection.size()) +
                     " values, the layer has " + Twine(nearest.rows.columns()) +
                     " channels");
  if (correctsBias)
    attachBiasCorrection(op, nearest.rows, layer.biasCorrection);
  return llvm::Error::success();
}

llvm::Expected<std::vector<std::string>>
qcc::applyCorrections(ModuleOp module, const CalibrationTable &table,
                      StringRef clip, const llvm::StringSet<> &keepFloat) {
  llvm::StringMap<const LayerCorrection *> entries;
  for (const LayerCorrection &layer : table.layers)
    entries[layer.name] = &layer;
  llvm::Error error = llvm::Error::success();
  forEachLayer(module, [&](StringRef name, Operation *op,
                           const LayerRows &rows) {
    const LayerCorrection *entry = entries.lookup(name);
    if (!entry || error)
      return;
    std::vector<float> columns = readColumns(op, rows);
    auto scales = chooseColumnScales(columns, rows, *parseWeightClip(clip));
    if (!scales)
      return;
    NearestWeights nearest = roundToNearest(rows, columns, *scales);
    if (nearest.fingerprint != entry->fingerprint)
      return;
    entries.erase(name);
    if (llvm::Error e = apply(*entry, op, nearest, !keepFloat.contains(name)))
      error =
          makeError("layer '" + name + "': " + llvm::toString(std::move(e)));
  });
  if (error)
    return std::move(error);
  std::vector<std::string> others;
  for (const LayerCorrection &layer : table.layers)
    if (entries.contains(layer.name))
      others.push_back(layer.name);
  return others;
}
