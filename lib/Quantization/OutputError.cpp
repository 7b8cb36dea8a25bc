//===- OutputError.cpp - How far outputs are from the float model's -------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/OutputError.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>

using namespace qcc;

/// The scores of one position as probabilities.
static std::vector<double> getProbabilities(llvm::ArrayRef<float> scores) {
  std::vector<double> result(scores.begin(), scores.end());
  double sum = 0;
  for (double score : result)
    sum += score;
  bool isProbability = std::abs(sum - 1) < 1e-3 &&
                       llvm::all_of(result, [](double p) { return p >= 0; });
  if (!isProbability) {
    double largest = *llvm::max_element(result);
    sum = 0;
    for (double &score : result)
      sum += score = std::exp(score - largest);
  }
  for (double &p : result)
    p /= sum;
  return result;
}

static llvm::ArrayRef<float> getPosition(const HostTensor &scores,
                                         size_t position) {
  size_t classes = scores.shape.empty() ? 1 : size_t(scores.shape.back());
  return llvm::ArrayRef<float>(scores.as<float>())
      .slice(position * classes, classes);
}

static size_t countPositions(const HostTensor &scores) {
  size_t classes = scores.shape.empty() ? 1 : size_t(scores.shape.back());
  return scores.dtype == DType::F32 && classes != 0
             ? scores.as<float>().size() / classes
             : 0;
}

static bool isAmongLargest(llvm::ArrayRef<float> scores, size_t label,
                           unsigned classes) {
  if (label >= scores.size())
    return false;
  size_t larger = 0;
  for (auto [i, score] : llvm::enumerate(scores))
    larger += score > scores[label] || (score == scores[label] && i < label);
  return larger < classes;
}

bool qcc::isAmongLargest(llvm::ArrayRef<HostTensor> outputs, int64_t label,
                         unsigned classes) {
  return countPositions(outputs.front()) != 0 && label >= 0 &&
         ::isAmongLargest(getPosition(outputs.front(), 0), size_t(label),
                          classes);
}

OutputError qcc::compareOutputs(llvm::ArrayRef<HostTensor> reference,
                                llvm::ArrayRef<HostTensor> outputs,
                                unsigned classes) {
  OutputError error;
  unsigned counted = 0;
  for (auto [wanted, found] : llvm::zip_equal(reference, outputs)) {
    if (wanted.dtype != DType::F32)
      continue;
    double difference = 0, energy = 0, own = 0, product = 0;
    for (auto [x, y] : llvm::zip_equal(wanted.as<float>(), found.as<float>())) {
      difference += (double(x) - y) * (double(x) - y);
      energy += double(x) * x;
      own += double(y) * y;
      product += double(x) * y;
    }
    ++counted;
    if (difference == 0)
      continue;
    error.noise += energy > 0 ? difference / energy : 1;
    error.angle +=
        energy > 0 && own > 0 ? 1 - product / std::sqrt(energy * own) : 1;
  }
  if (counted != 0) {
    error.noise /= counted;
    error.angle /= counted;
  }
  size_t positions = countPositions(reference.front());
  for (size_t i = 0; i < positions; ++i) {
    llvm::ArrayRef<float> wanted = getPosition(reference.front(), i),
                          found = getPosition(outputs.front(), i);
    size_t chosen = size_t(llvm::max_element(wanted) - wanted.begin());
    error.disagreement += !::isAmongLargest(found, chosen, classes);
    std::vector<double> p = getProbabilities(wanted),
                        q = getProbabilities(found);
    for (auto [a, b] : llvm::zip_equal(p, q))
      if (a > 0)
        error.divergence += a * std::log(a / std::max(b, 1e-12));
  }
  if (positions != 0) {
    error.disagreement /= double(positions);
    error.divergence = std::max(error.divergence / double(positions), 0.0);
  }
  return error;
}

double qcc::toDecibels(double noise) {
  return noise > 0 ? std::min(-10 * std::log10(noise), 200.0) : 200;
}
