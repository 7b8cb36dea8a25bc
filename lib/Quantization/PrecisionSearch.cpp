//===- PrecisionSearch.cpp - Which layers go to 8 bits --------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/PrecisionSearch.h"

#include "qcc/Support/Progress.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <numeric>

using namespace qcc;

llvm::Expected<PrecisionSearch>
PrecisionSearch::create(Simulation &simulation, ComparedOutputs compared,
                        std::vector<Sample> samples) {
  PrecisionSearch search;
  search.simulation = &simulation;
  search.compared = std::move(compared);
  search.samples = std::move(samples);
  llvm::BitVector all(simulation.layers().size(), true);
  for (const Sample &sample : search.samples) {
    auto outputs = simulation.run(sample, all);
    if (!outputs)
      return outputs.takeError();
    search.references.push_back(std::move(*outputs));
  }
  return search;
}

llvm::Expected<OutputError>
PrecisionSearch::measure(const llvm::BitVector &keepFloat) const {
  OutputError mean;
  auto count = double(samples.size());
  for (auto [sample, reference] : llvm::zip_equal(samples, references)) {
    auto outputs = simulation->run(sample, keepFloat);
    if (!outputs)
      return outputs.takeError();
    OutputError error = compareOutputs(compared, reference, *outputs);
    mean.noise += error.noise / count;
    mean.angle += error.angle / count;
    mean.divergence += error.divergence / count;
    mean.disagreement += error.disagreement / count;
  }
  return mean;
}

llvm::Expected<std::vector<OutputError>>
PrecisionSearch::measureLayers(llvm::ArrayRef<unsigned> layers) const {
  std::vector<OutputError> errors;
  Progress progress("measuring layers", layers.size());
  for (unsigned layer : layers) {
    llvm::BitVector keepFloat(simulation->layers().size(), true);
    keepFloat.reset(layer);
    auto error = measure(keepFloat);
    if (!error)
      return error.takeError();
    errors.push_back(*error);
    progress.step();
  }
  return errors;
}

llvm::Expected<std::vector<NoisyLayer>>
qcc::findNoisyLayers(const PrecisionSearch &search,
                     const GuardOptions &options) {
  llvm::ArrayRef<Simulation::Layer> layers = search.getSimulation().layers();
  llvm::BitVector keepFloat(layers.size(), false);
  auto plain = search.measure(keepFloat);
  if (!plain)
    return plain.takeError();
  if (plain->noise <= options.acceptedNoise)
    return std::vector<NoisyLayer>();

  std::vector<unsigned> candidates(layers.size());
  std::iota(candidates.begin(), candidates.end(), 0);
  llvm::sort(candidates, [&](unsigned a, unsigned b) {
    return std::pair(-layers[a].estimatedNoise, a) <
           std::pair(-layers[b].estimatedNoise, b);
  });
  candidates.resize(std::min(candidates.size(), options.candidates));
  auto errors = search.measureLayers(candidates);
  if (!errors)
    return errors.takeError();
  std::vector<NoisyLayer> order, chosen;
  double products = 0, kept = 0;
  for (const Simulation::Layer &layer : layers)
    products += double(layer.products);
  for (auto [index, error] : llvm::zip_equal(candidates, *errors)) {
    order.push_back({index, error.noise});
  }
  llvm::sort(order, [](const NoisyLayer &a, const NoisyLayer &b) {
    return std::pair(-a.noise, a.index) < std::pair(-b.noise, b.index);
  });
  // The noises of layers add up, nearly. What is left is summed anew each time:
  // taking a spoiled output's noise off a sum would take all others with it.
  double skipped = 0;
  for (auto [i, layer] : llvm::enumerate(order)) {
    double noise = skipped;
    for (const NoisyLayer &left : llvm::drop_begin(order, i))
      noise += left.noise;
    if (noise <= options.acceptedNoise ||
        layer.noise < options.smallestShare * noise)
      break;
    double cost = double(layers[layer.index].products) / products;
    if (kept + cost > options.largestCost) {
      skipped += layer.noise;
      continue;
    }
    kept += cost;
    keepFloat.set(layer.index);
    chosen.push_back(layer);
  }
  auto guarded = search.measure(keepFloat);
  if (!guarded)
    return guarded.takeError();
  if (guarded->noise > options.leastGain * plain->noise)
    chosen.clear();
  return chosen;
}

llvm::BitVector qcc::chooseFloatLayers(llvm::ArrayRef<double> losses,
                                       llvm::ArrayRef<double> gains,
                                       double allowed) {
  // Losses in steps, rounded up so that their sum keeps the bound; but a layer
  // without loss takes none.
  constexpr size_t steps = 2000;
  auto inSteps = [&](double loss) -> size_t {
    if (loss <= 0)
      return 0;
    return allowed > 0 && loss <= allowed
               ? size_t(std::ceil(loss / allowed * steps - 1e-9))
               : steps + 1;
  };
  llvm::BitVector keepFloat(losses.size(), true);
  // Where all may go, rounding must not say otherwise.
  double wanted = 0;
  for (auto [loss, gain] : llvm::zip_equal(losses, gains))
    wanted += gain > 0 ? std::max(loss, 0.0) : 0;
  if (wanted <= allowed * (1 + 1e-9)) {
    for (auto [i, gain] : llvm::enumerate(gains))
      if (gain > 0)
        keepFloat.reset(unsigned(i));
    return keepFloat;
  }
  // best[i][s]: the most time that the first i layers gain with s steps.
  std::vector<std::vector<double>> best(losses.size() + 1,
                                        std::vector<double>(steps + 1, 0));
  for (size_t i = 0; i < losses.size(); ++i) {
    size_t loss = inSteps(losses[i]);
    for (size_t s = 0; s <= steps; ++s) {
      best[i + 1][s] = best[i][s];
      if (gains[i] > 0 && loss <= s)
        best[i + 1][s] = std::max(best[i + 1][s], best[i][s - loss] + gains[i]);
    }
  }
  for (size_t i = losses.size(), s = steps; i-- > 0;)
    if (best[i + 1][s] != best[i][s]) {
      keepFloat.reset(unsigned(i));
      s -= inSteps(losses[i]);
    }
  return keepFloat;
}

llvm::BitVector qcc::leaveSlowRegions(const llvm::BitVector &notInt8,
                                      llvm::ArrayRef<double> own,
                                      llvm::ArrayRef<double> others) {
  llvm::BitVector result = notInt8;
  unsigned layers = notInt8.size();
  for (unsigned begin = 0; begin < layers;) {
    if (notInt8.test(begin)) {
      ++begin;
      continue;
    }
    unsigned end = begin;
    while (end < layers && !notInt8.test(end))
      ++end;
    // The conversion in front counts for the layer before it.
    double inInt8 = 0, otherwise = 0;
    for (unsigned i = begin == 0 ? 0 : begin - 1; i < end; ++i) {
      inInt8 += own[i];
      otherwise += others[i];
    }
    if (inInt8 > otherwise)
      result.set(begin, end);
    begin = end;
  }
  return result;
}

int64_t qcc::countExtraBytes(llvm::ArrayRef<Simulation::Layer> layers,
                             llvm::ArrayRef<WeightForm> forms) {
  std::vector<unsigned> taken(layers.size()); // of a constant, as bits
  for (auto [layer, form] : llvm::zip_equal(layers, forms))
    taken[layer.sharedWith] |= 1u << unsigned(form);
  static constexpr int64_t size[] = {1, 2, 2, 2, 4};
  int64_t bytes = 0;
  for (auto [layer, bits] : llvm::zip_equal(layers, taken)) {
    if (bits == 0)
      continue;
    int64_t perWeight = -size[unsigned(WeightForm::Int8)];
    for (unsigned form = 0; form < std::size(size); ++form)
      perWeight += bits >> form & 1 ? size[form] : 0;
    bytes += perWeight * layer.weights;
  }
  return bytes;
}
