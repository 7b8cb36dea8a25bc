//===- Calibrate.cpp - Measure the ranges of activations ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/QuantizationSites.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Support/Progress.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>
#include <map>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

static llvm::Expected<func::FuncOp> getMain(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !llvm::hasSingleElement(main.getBody()))
    return makeError("the module has no function 'main' of one block");
  return main;
}

llvm::Expected<std::vector<InputSpec>> qcc::getInputSpecs(ModuleOp module) {
  auto main = getMain(module);
  if (!main)
    return main.takeError();
  std::vector<InputSpec> inputs;
  for (auto [index, type] : llvm::enumerate(main->getArgumentTypes())) {
    InputSpec input;
    auto name = main->getArgAttrOfType<StringAttr>(unsigned(index), "qnn.name");
    input.name = name ? name.str() : "input_" + std::to_string(index);
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return makeError("input '" + input.name + "' has no static shape");
    input.dtype = getDType(tensor.getElementType());
    input.shape = tensor.getShape().vec();
    if (!byteCount(input.shape, input.dtype))
      return makeError("input '" + input.name +
                       "' has a type that no sample can have");
    inputs.push_back(std::move(input));
  }
  return inputs;
}

namespace {
/// Where the values of an observer come from.
struct Source {
  enum Kind { Argument, Result, Constant } kind;
  size_t index = 0; ///< of the argument or result
  Value constant;
};

/// One id of the table.
struct Statistics {
  Histogram histogram;
  /// The range that follows from the ops that give the values.
  std::optional<std::pair<double, double>> fixed;
  bool allFixed = true;
};

/// The model for one set of input shapes.
struct Instance {
  OwningOpRef<ModuleOp> module;
  llvm::MapVector<StringRef, SmallVector<Source>> sources; ///< by id
  std::vector<Source> layerInputs; ///< of the model's own shapes only
  size_t outputs = 0;
  std::unique_ptr<ModelRunner> runner;
};

class Calibrator {
public:
  Calibrator(const ModelRunnerFactory &compile, const ModuleForShapes &reshape,
             const SampleObserver &observer)
      : compile(compile), reshape(reshape), observer(observer) {}

  llvm::Error run(ModuleOp module, Dataset &dataset);
  CalibrationTable estimate(const RangeOptions &options) const;

private:
  llvm::Expected<Instance *> addInstance(OwningOpRef<ModuleOp> module,
                                         std::vector<std::vector<int64_t>> key);
  llvm::Expected<Instance *> findInstance(ArrayRef<HostTensor> sample);
  llvm::Error prepare(Instance &instance);
  void tellObserver(const Instance &instance, ArrayRef<HostTensor> inputs,
                    ArrayRef<HostTensor> results);
  Source makeSource(Value value, SmallVectorImpl<Value> &results);
  llvm::Error observe(llvm::StringRef id, Statistics &statistics,
                      ArrayRef<float> values, size_t sample);

  const ModelRunnerFactory &compile;
  const ModuleForShapes &reshape;
  const SampleObserver &observer;
  /// By the shapes of the inputs; the first one is the model's own.
  std::map<std::vector<std::vector<int64_t>>, Instance> instances;
  llvm::MapVector<StringRef, Statistics> ids;
  size_t samples = 0;
};
} // namespace

/// Whether the result of `op` holds nothing but values of its operands, all
/// observed under the same id: looking again would tell nothing new.
static bool repeatsOperands(Operation *op, StringRef id) {
  auto quantizable = dyn_cast_or_null<QuantizableOpInterface>(op);
  // Padding adds a value.
  if (!quantizable || isa<PadOp>(op) ||
      quantizable.getScaleConstraint() != ScaleConstraint::SameScale)
    return false;
  return llvm::all_of(quantizable.getActivationOperands(), [&](unsigned i) {
    auto observe = op->getOperand(i).getDefiningOp<ObserveOp>();
    return observe && observe.getId() == id;
  });
}

/// Where `value` is found after a run, adding to `results` (what @main
/// returns) if need be.
Source Calibrator::makeSource(Value value, SmallVectorImpl<Value> &results) {
  Source source;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    source.kind = Source::Argument;
    source.index = argument.getArgNumber();
  } else if (value.getDefiningOp<ConstantOp>()) {
    source.kind = Source::Constant;
    source.constant = value;
  } else {
    source.kind = Source::Result;
    auto known = llvm::find(results, value);
    source.index = size_t(known - results.begin());
    if (known == results.end())
      results.push_back(value);
  }
  return source;
}

llvm::Error Calibrator::prepare(Instance &instance) {
  ModuleOp module = *instance.module;
  auto main = getMain(module);
  if (!main)
    return main.takeError();
  SmallVector<ObserveOp> observers;
  main->walk([&](ObserveOp op) { observers.push_back(op); });
  Operation *terminator = main->getBody().front().getTerminator();

  struct Observed {
    StringRef id;
    Value value;
  };
  SmallVector<Observed> observed;
  bool isFirst = ids.empty();
  SmallVector<Value> layerInputs;
  if (isFirst && observer) {
    llvm::StringMap<unsigned> usedIds;
    QuantizationSites sites(*main, usedIds);
    for (const QuantizationSites::Layer &layer : sites.layers())
      layerInputs.push_back(layer.op->getOperand(0));
  }
  for (ObserveOp op : observers) {
    if (!isFirst && !ids.contains(op.getId()))
      continue;
    Statistics &statistics = ids[op.getId()];
    Operation *producer = op.getInput().getDefiningOp();
    std::optional<std::pair<double, double>> fixed;
    if (auto quantizable = dyn_cast_or_null<QuantizableOpInterface>(producer))
      if (quantizable.getScaleConstraint() == ScaleConstraint::Fixed)
        fixed = quantizable.getFixedResultRange();
    if (fixed && statistics.fixed)
      fixed = {std::min(fixed->first, statistics.fixed->first),
               std::max(fixed->second, statistics.fixed->second)};
    if (fixed)
      statistics.fixed = fixed;
    else if (!repeatsOperands(producer, op.getId()))
      statistics.allFixed = false;
    if (!repeatsOperands(producer, op.getId()))
      observed.push_back({op.getId(), op.getInput()});
  }
  // An observer may have observers behind it, so all are removed before the
  // values are looked at.
  for (Observed &entry : observed)
    while (auto inner = entry.value.getDefiningOp<ObserveOp>())
      entry.value = inner.getInput();
  for (Value &value : layerInputs)
    while (auto observe = value.getDefiningOp<ObserveOp>())
      value = observe.getInput();
  for (ObserveOp op : observers) {
    op.replaceAllUsesWith(op.getInput());
    op.erase();
  }
  SmallVector<Value> results(terminator->getOperands());
  size_t outputs = results.size();
  instance.outputs = outputs;
  for (const Observed &entry : observed)
    instance.sources[entry.id].push_back(makeSource(entry.value, results));
  for (Value value : layerInputs)
    instance.layerInputs.push_back(makeSource(value, results));

  terminator->setOperands(results);
  SmallVector<DictionaryAttr> resultAttrs;
  main->getAllResultAttrs(resultAttrs);
  Builder builder(module.getContext());
  for (size_t i = outputs; i < results.size(); ++i) {
    std::string name = "observed_" + std::to_string(i - outputs);
    resultAttrs.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr("qnn.name", builder.getStringAttr(name))));
  }
  main->setFunctionType(builder.getFunctionType(
      main->getArgumentTypes(), ValueRange(results).getTypes()));
  main->setAllResultAttrs(resultAttrs);
  return llvm::Error::success();
}

llvm::Error Calibrator::observe(StringRef id, Statistics &statistics,
                                ArrayRef<float> values, size_t sample) {
  if (statistics.histogram.add(values))
    return llvm::Error::success();
  return makeError("calibration: tensor '" + id +
                   "' holds NaN or infinite values for sample " +
                   llvm::Twine(sample) + "; check the samples and the model");
}

llvm::Expected<Instance *>
Calibrator::addInstance(OwningOpRef<ModuleOp> module,
                        std::vector<std::vector<int64_t>> key) {
  bool isFirst = instances.empty();
  Instance &instance = instances[std::move(key)];
  instance.module = std::move(module);
  if (llvm::Error error = prepare(instance))
    return error;
  auto runner = compile(*instance.module);
  if (!runner)
    return runner.takeError();
  instance.runner = std::move(*runner);
  if (!isFirst)
    return &instance;
  for (auto &[id, sources] : instance.sources)
    for (const Source &source : sources) {
      if (source.kind != Source::Constant)
        continue;
      auto bytes = ConstantBytes::get(source.constant);
      if (!bytes || !ids[id].histogram.add(bytes->as<float>()))
        return makeError("calibration: constant '" + id +
                         "' holds NaN or infinite values, or no data");
    }
  return &instance;
}

llvm::Expected<Instance *>
Calibrator::findInstance(ArrayRef<HostTensor> sample) {
  std::vector<std::vector<int64_t>> key;
  for (const HostTensor &tensor : sample)
    key.push_back(tensor.shape);
  auto known = instances.find(key);
  if (known != instances.end())
    return &known->second;
  auto module = reshape(sample);
  if (!module)
    return module.takeError();
  return addInstance(std::move(*module), std::move(key));
}

llvm::Error Calibrator::run(ModuleOp module, Dataset &dataset) {
  auto inputs = getInputSpecs(module);
  if (!inputs)
    return inputs.takeError();
  std::vector<std::vector<int64_t>> key;
  for (const InputSpec &input : *inputs)
    key.push_back(input.shape);
  auto first = addInstance(module.clone(), std::move(key));
  if (!first)
    return first.takeError();
  Instance &own = **first;
  samples = dataset.size();
  Progress progress("calibrating", samples);
  for (size_t sample = 0; sample < samples; ++sample) {
    auto inputs = dataset.next();
    if (!inputs)
      return inputs.takeError();
    auto instance = findInstance(*inputs);
    if (!instance)
      return instance.takeError();
    auto outputs = (*instance)->runner->run(*inputs);
    if (!outputs)
      return outputs.takeError();
    for (auto &[id, sources] : (*instance)->sources)
      for (const Source &source : sources) {
        if (source.kind == Source::Constant)
          continue;
        const HostTensor &tensor = source.kind == Source::Argument
                                       ? (*inputs)[source.index]
                                       : (*outputs)[source.index];
        if (llvm::Error error =
                observe(id, ids[id], tensor.as<float>(), sample))
          return error;
      }
    if (observer && *instance == &own)
      tellObserver(own, *inputs, *outputs);
    progress.step();
  }
  return llvm::Error::success();
}

void Calibrator::tellObserver(const Instance &instance,
                              ArrayRef<HostTensor> inputs,
                              ArrayRef<HostTensor> results) {
  std::vector<HostTensor> constants;
  constants.reserve(instance.layerInputs.size());
  std::vector<const HostTensor *> tensors;
  for (const Source &source : instance.layerInputs) {
    if (source.kind == Source::Constant) {
      HostTensor &tensor = constants.emplace_back();
      tensor.dtype = DType::F32;
      ArrayRef<char> bytes = ConstantBytes::get(source.constant)->bytes();
      tensor.data.assign(bytes.begin(), bytes.end());
      tensors.push_back(&tensor);
    } else {
      tensors.push_back(source.kind == Source::Argument
                            ? &inputs[source.index]
                            : &results[source.index]);
    }
  }
  observer(tensors, results.take_front(instance.outputs));
}

CalibrationTable Calibrator::estimate(const RangeOptions &options) const {
  CalibrationTable table;
  table.samples = samples;
  for (const auto &[id, statistics] : ids) {
    const Histogram &histogram = statistics.histogram;
    Range range = estimateRange(histogram, options);
    CalibrationEntry entry;
    entry.id = id.str();
    entry.method = name(range.method).str();
    entry.min = range.min;
    entry.max = range.max;
    if (statistics.fixed) {
      auto lo = float(statistics.fixed->first),
           hi = float(statistics.fixed->second);
      if (statistics.allFixed)
        entry.method = "fixed";
      entry.min = statistics.allFixed ? lo : std::min(lo, range.min);
      entry.max = statistics.allFixed ? hi : std::max(hi, range.max);
    }
    entry.observedMin = histogram.min();
    entry.observedMax = histogram.max();
    entry.count = histogram.count();
    std::vector<Histogram::Bin> bins = histogram.bins();
    double energy = 0;
    for (const Histogram::Bin &bin : bins) {
      double middle = (bin.low + bin.high) / 2;
      energy += double(bin.count) * middle * middle;
      if (bin.low == 0 && bin.high == 0)
        entry.zeros = double(bin.count) / double(entry.count);
    }
    for (double part : {0.0001, 0.01, 0.25, 0.5, 0.75, 0.99, 0.9999})
      entry.quantiles.push_back(float(histogram.quantile(part)));
    double noise = quantizationError(bins, chooseParams(entry.min, entry.max));
    if (energy > 0 && noise > 0)
      entry.sqnr = 10 * std::log10(energy / double(histogram.count()) / noise);
    table.add(std::move(entry));
  }
  return table;
}

llvm::Expected<std::vector<CalibrationTable>>
qcc::calibrate(ModuleOp module, Dataset &dataset,
               const ModelRunnerFactory &compile,
               ArrayRef<RangeOptions> options, const ModuleForShapes &reshape,
               const SampleObserver &observer) {
  Calibrator calibrator(compile, reshape, observer);
  if (llvm::Error error = calibrator.run(module, dataset))
    return error;
  std::vector<CalibrationTable> tables;
  for (const RangeOptions &ranges : options)
    tables.push_back(calibrator.estimate(ranges));
  return tables;
}

llvm::Expected<CalibrationTable>
qcc::calibrate(ModuleOp module, Dataset &dataset,
               const ModelRunnerFactory &compile, const RangeOptions &options,
               const ModuleForShapes &reshape, const SampleObserver &observer) {
  auto tables =
      calibrate(module, dataset, compile, ArrayRef(options), reshape, observer);
  if (!tables)
    return tables.takeError();
  return std::move(tables->front());
}
