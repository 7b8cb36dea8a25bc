//===- RangeSearch.cpp - Ranges by what they do to the outputs ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/RangeSearch.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/Range.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Quantization/OutputError.h"
#include "qcc/Support/Progress.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// What another range must lower the noise to, as part of it: less may be
/// chance.
static constexpr double kLeastGain = 0.99;

namespace {

/// A tensor with several ranges to choose from.
struct Choice {
  /// Those that differ; the first is that of the first table.
  SmallVector<const CalibrationEntry *> entries;
  size_t firstSwitch = 0; ///< of the second entry
  size_t chosen = 0;
};

class RangeSearch {
public:
  explicit RangeSearch(ArrayRef<CalibrationTable> candidates)
      : candidates(candidates) {}
  llvm::Error build(ModuleOp module, const ModelRunnerFactory &compile);
  llvm::Error run(ArrayRef<std::vector<HostTensor>> samples);
  CalibrationTable result() const;

private:
  Value addSwitch(func::FuncOp main, StringRef name);
  llvm::Error addChoice(StringRef id);
  llvm::Expected<std::vector<HostTensor>> runSample(ArrayRef<HostTensor> input,
                                                    bool isFloat);
  llvm::Expected<double> measure(ArrayRef<std::vector<HostTensor>> samples);

  ArrayRef<CalibrationTable> candidates;
  llvm::MapVector<StringRef, Choice> choices;
  size_t switches = 0;
  std::vector<std::vector<HostTensor>> references;
  ComparedOutputs compared;
  std::unique_ptr<ModelRunner> runner;
};

} // namespace

Value RangeSearch::addSwitch(func::FuncOp main, StringRef name) {
  Builder builder(main.getContext());
  auto type = RankedTensorType::get({}, builder.getI1Type());
  auto attrs = builder.getDictionaryAttr(
      builder.getNamedAttr("qnn.name", builder.getStringAttr(name)));
  unsigned index = main.getNumArguments();
  LogicalResult inserted =
      main.insertArgument(index, type, attrs, main.getLoc());
  assert(succeeded(inserted) && "any function takes another argument");
  (void)inserted;
  return main.getArgument(index);
}

llvm::Error RangeSearch::addChoice(StringRef id) {
  Choice choice;
  for (const CalibrationTable &table : candidates) {
    const CalibrationEntry *entry = table.find(id);
    if (!entry)
      return makeError("no range for '" + id + "'");
    QuantParams params = chooseParams(entry->min, entry->max);
    if (llvm::none_of(choice.entries, [&](const CalibrationEntry *known) {
          QuantParams other = chooseParams(known->min, known->max);
          return other.scale == params.scale &&
                 other.zeroPoint == params.zeroPoint;
        }))
      choice.entries.push_back(entry);
  }
  choice.firstSwitch = switches;
  switches += choice.entries.size() - 1;
  choices.insert({id, std::move(choice)});
  return llvm::Error::success();
}

llvm::Error RangeSearch::build(ModuleOp module,
                               const ModelRunnerFactory &compile) {
  compared = ComparedOutputs::get(module.lookupSymbol<func::FuncOp>("main"));
  OwningOpRef<ModuleOp> copy(module.clone());
  if (failed(insertObservers(*copy, {})))
    return makeError("the model cannot be observed");
  auto main = copy->lookupSymbol<func::FuncOp>("main");
  SmallVector<ObserveOp> observers;
  main.walk([&](ObserveOp op) { observers.push_back(op); });
  for (ObserveOp op : observers)
    // The tables hold the ids longer than the module does.
    if (const CalibrationEntry *entry = candidates.front().find(op.getId());
        entry && !choices.contains(entry->id))
      if (llvm::Error error = addChoice(entry->id))
        return error;
  Value isFloat = addSwitch(main, "float");
  SmallVector<Value> conditions;
  for (size_t i = 0; i < switches; ++i)
    conditions.push_back(addSwitch(main, "range " + std::to_string(i)));
  OpBuilder builder(main.getContext());
  for (ObserveOp op : observers) {
    auto found = choices.find(op.getId());
    if (found == choices.end())
      return makeError("no range for '" + op.getId() + "'");
    const Choice &choice = found->second;
    builder.setInsertionPoint(op);
    Value input = op.getInput(), value;
    for (auto [i, entry] : llvm::enumerate(choice.entries)) {
      Value rounded = quantizeAndDequantize(builder, input, *entry);
      value = i == 0 ? rounded
                     : SelectOp::create(builder, op.getLoc(), input.getType(),
                                        conditions[choice.firstSwitch + i - 1],
                                        rounded, value);
    }
    op.replaceAllUsesWith(SelectOp::create(builder, op.getLoc(),
                                           input.getType(), isFloat, input,
                                           value)
                              .getResult());
    op.erase();
  }
  auto compiled = compile(*copy);
  if (!compiled)
    return compiled.takeError();
  runner = std::move(*compiled);
  return llvm::Error::success();
}

llvm::Expected<std::vector<HostTensor>>
RangeSearch::runSample(ArrayRef<HostTensor> input, bool isFloat) {
  std::vector<HostTensor> all(input.begin(), input.end());
  auto add = [&](bool setting) {
    HostTensor tensor;
    tensor.dtype = DType::Bool;
    tensor.data = {char(setting)};
    all.push_back(std::move(tensor));
  };
  add(isFloat);
  for (const auto &[id, choice] : choices)
    for (size_t i = 1; i < choice.entries.size(); ++i)
      add(i == choice.chosen);
  return runner->run(all);
}

llvm::Expected<double>
RangeSearch::measure(ArrayRef<std::vector<HostTensor>> samples) {
  double noise = 0;
  for (auto [input, reference] : llvm::zip_equal(samples, references)) {
    auto outputs = runSample(input, /*isFloat=*/false);
    if (!outputs)
      return outputs.takeError();
    noise += compareOutputs(compared, reference, *outputs).noise /
             double(samples.size());
  }
  return noise;
}

llvm::Error RangeSearch::run(ArrayRef<std::vector<HostTensor>> samples) {
  for (const std::vector<HostTensor> &input : samples) {
    auto outputs = runSample(input, /*isFloat=*/true);
    if (!outputs)
      return outputs.takeError();
    references.push_back(std::move(*outputs));
  }
  auto least = measure(samples);
  if (!least)
    return least.takeError();
  Progress progress("choosing ranges", switches);
  for (auto &[id, choice] : choices) {
    size_t best = 0;
    for (size_t i = 1; i < choice.entries.size(); ++i) {
      choice.chosen = i;
      auto noise = measure(samples);
      if (!noise)
        return noise.takeError();
      if (*noise < kLeastGain * *least) {
        least = *noise;
        best = i;
      }
      progress.step();
    }
    choice.chosen = best;
  }
  return llvm::Error::success();
}

CalibrationTable RangeSearch::result() const {
  CalibrationTable table;
  table.samples = candidates.front().samples;
  for (const CalibrationEntry &entry : candidates.front().entries()) {
    auto found = choices.find(entry.id);
    table.add(found == choices.end()
                  ? entry
                  : *found->second.entries[found->second.chosen]);
  }
  return table;
}

llvm::Expected<CalibrationTable>
qcc::chooseRanges(ModuleOp module, ArrayRef<CalibrationTable> candidates,
                  ArrayRef<std::vector<HostTensor>> samples,
                  const ModelRunnerFactory &compile) {
  RangeSearch search(candidates);
  if (llvm::Error error = search.build(module, compile))
    return error;
  if (llvm::Error error = search.run(samples))
    return error;
  return search.result();
}
