//===- InputStatistics.cpp - What layers see of samples -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/InputStatistics.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "mlir/IR/Threading.h"

#include <numeric>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// Rows of a layer that its moments are estimated from: several for each
/// unknown, and enough for small layers, too.
static int64_t wantedRows(const LayerRows &rows) {
  return std::clamp<int64_t>(4 * rows.depth(), 1024, 8192);
}

std::vector<float> qcc::readColumns(Operation *op, const LayerRows &rows) {
  unsigned operand = *cast<QuantizableOpInterface>(op).getWeightOperand();
  auto bytes = ConstantBytes::get(op->getOperand(operand));
  ArrayRef<float> weights = bytes->as<float>();
  std::vector<float> columns;
  columns.reserve(weights.size());
  for (int64_t column = 0; column < rows.columns(); ++column)
    for (int64_t i = 0; i < rows.depth(); ++i)
      columns.push_back(weights[size_t(rows.weightIndex(column, i))]);
  return columns;
}

InputStatistics::InputStatistics(func::FuncOp main, size_t sampleCount,
                                 const InputStatisticsOptions &options)
    : options(options), expected(std::min(sampleCount, options.samples)) {
  llvm::StringMap<unsigned> usedIds;
  QuantizationSites sites(main, usedIds);
  for (const QuantizationSites::Layer &layer : sites.layers()) {
    Layer entry;
    entry.op = layer.op;
    entry.rows = LayerRows::get(layer.op);
    entry.hasBias =
        cast<QuantizableOpInterface>(entry.op).getBiasOperand().has_value();
    all.push_back(std::move(entry));
  }
  if (!options.moments)
    return;
  // Cheap ones first.
  auto cost = [](const Layer &layer) {
    auto depth = double(layer.rows->depth());
    return double(layer.rows->groups()) * depth * depth *
           (double(wantedRows(*layer.rows)) / 2 + depth / 6);
  };
  std::vector<std::pair<double, size_t>> order;
  for (auto [i, layer] : llvm::enumerate(all))
    if (layer.rows)
      order.push_back({cost(layer), i});
  llvm::sort(order);
  double spent = 0;
  for (auto [products, index] : order) {
    spent += products;
    if (spent > options.mostProducts)
      break;
    Layer *layer = &all[index];
    layer->hasMoments = true;
    auto depth = size_t(layer->rows->depth()),
         groups = size_t(layer->rows->groups());
    layer->shift.assign(groups * depth, 0);
    layer->sums.assign(groups * depth, 0);
    layer->products.assign(groups * depth * depth, 0);
  }
}

/// Adds the products of `count` rows to the upper triangle of `products`.
static void addProducts(const float *rows, size_t count, size_t depth,
                        float *products) {
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const float *a = rows + r * depth, *b = a + depth, *c = b + depth,
                *d = c + depth;
    for (size_t i = 0; i < depth; ++i) {
      float ai = a[i], bi = b[i], ci = c[i], di = d[i];
      float *line = products + i * depth;
      for (size_t j = i; j < depth; ++j)
        line[j] += ai * a[j] + bi * b[j] + ci * c[j] + di * d[j];
    }
  }
  for (; r < count; ++r) {
    const float *a = rows + r * depth;
    for (size_t i = 0; i < depth; ++i)
      for (size_t j = i; j < depth; ++j)
        products[i * depth + j] += a[i] * a[j];
  }
}

void InputStatistics::addMoments(Layer &layer, ArrayRef<float> input) {
  const LayerRows &rows = *layer.rows;
  auto depth = size_t(rows.depth());
  int64_t positions = rows.positions();
  int64_t wanted = wantedRows(rows);
  int64_t count = std::min<int64_t>(
      positions, (wanted + int64_t(expected) - 1) / int64_t(expected));
  std::vector<float> block(size_t(count) * depth);
  for (int64_t group = 0; group < rows.groups(); ++group) {
    // Positions that fall on no grid, other ones in each sample.
    uint64_t state = (seen + 1) * 0x9E3779B97F4A7C15u;
    for (int64_t r = 0; r < count; ++r) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      int64_t position =
          count == positions ? r : int64_t((state >> 33) % uint64_t(positions));
      rows.gather(
          input, position, group,
          MutableArrayRef<float>(block).slice(size_t(r) * depth, depth));
    }
    float *shift = &layer.shift[size_t(group) * depth];
    double *sums = &layer.sums[size_t(group) * depth];
    if (seen == 0)
      for (size_t i = 0; i < depth; ++i) {
        double sum = 0;
        for (int64_t r = 0; r < count; ++r)
          sum += block[size_t(r) * depth + i];
        shift[i] = float(sum / double(count));
      }
    for (int64_t r = 0; r < count; ++r)
      for (size_t i = 0; i < depth; ++i) {
        float &value = block[size_t(r) * depth + i];
        value -= shift[i];
        sums[i] += value;
      }
    addProducts(block.data(), size_t(count), depth,
                &layer.products[size_t(group) * depth * depth]);
  }
  layer.count += size_t(count);
}

void InputStatistics::addMeans(Layer &layer, ArrayRef<float> input) {
  const LayerRows &rows = *layer.rows;
  std::vector<double> means = rows.means(input);
  std::vector<float> columns = readColumns(layer.op, rows);
  std::vector<float> results;
  for (int64_t column = 0; column < rows.columns(); ++column) {
    int64_t group = column / rows.columnsPerGroup();
    double sum = 0;
    for (int64_t i = 0; i < rows.depth(); ++i)
      sum += means[size_t(group * rows.depth() + i)] *
             columns[size_t(column * rows.depth() + i)];
    results.push_back(float(sum));
  }
  layer.sampleMeans.push_back(std::move(results));
  layer.meanRows.resize(means.size());
  for (auto [sum, mean] : llvm::zip_equal(layer.meanRows, means))
    sum += mean;
}

void InputStatistics::add(ArrayRef<const HostTensor *> inputs) {
  if (seen >= options.samples || all.empty())
    return;
  parallelFor(all.front().op->getContext(), 0, all.size(), [&](size_t i) {
    if (!all[i].rows)
      return;
    if (all[i].hasMoments)
      addMoments(all[i], inputs[i]->as<float>());
    if (options.means)
      addMeans(all[i], inputs[i]->as<float>());
  });
  ++seen;
}

Moments InputStatistics::moments(const Layer &layer, int64_t group,
                                 bool centered) {
  auto n = size_t(layer.rows->depth());
  Moments result;
  result.size = n;
  result.values.resize(n * n);
  const float *products = &layer.products[size_t(group) * n * n];
  const float *shift = &layer.shift[size_t(group) * n];
  const double *sums = &layer.sums[size_t(group) * n];
  auto count = double(std::max<size_t>(layer.count, 1));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = i; j < n; ++j) {
      double mean = sums[i] / count * (sums[j] / count);
      double value = products[i * n + j] / count - mean;
      if (!centered)
        value += (sums[i] / count + shift[i]) * (sums[j] / count + shift[j]);
      result.values[i * n + j] = result.values[j * n + i] = float(value);
    }
  return result;
}
