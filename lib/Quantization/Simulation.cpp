//===- Simulation.cpp - Quantization with a switch per layer --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/Simulation.h"

#include "WeightScales.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/NarrowWeights.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/IR/IRMapping.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {

/// Gives the ops of a copy of the model their quantized twins.
class TwinBuilder {
public:
  /// `main` is a copy of `function`, which `sites` are of.
  TwinBuilder(func::FuncOp function, func::FuncOp main,
              const QuantizationSites &sites, const CalibrationTable &table,
              IRMapping &copies)
      : function(function), main(main), sites(sites), table(table),
        copies(copies), builder(main.getContext()) {}

  llvm::Error run();
  std::vector<llvm::PointerUnion<Operation *, Value>> switches;

private:
  llvm::Error quantizeValue(Value original, Value copy);
  void addTwin(QuantizableOpInterface original);
  void addTwin(RecurrenceOp original);
  Value addSwitch(llvm::PointerUnion<Operation *, Value> decides);
  Value select(Location loc, Value condition, Value onTrue, Value onFalse);

  func::FuncOp function, main;
  const QuantizationSites &sites;
  const CalibrationTable &table;
  IRMapping &copies;
  OpBuilder builder;
  /// By value of the model: its copy as 8 bits resolve it.
  DenseMap<Value, Value> rounded;
  /// The switches of ops with twins.
  DenseMap<Operation *, Value> conditions;
};

} // namespace

Value TwinBuilder::addSwitch(llvm::PointerUnion<Operation *, Value> decides) {
  auto type = RankedTensorType::get({}, builder.getI1Type());
  std::string name = "switch " + std::to_string(switches.size());
  auto attrs = builder.getDictionaryAttr(
      builder.getNamedAttr("qnn.name", builder.getStringAttr(name)));
  unsigned index = main.getNumArguments();
  LogicalResult inserted =
      main.insertArgument(index, type, attrs, main.getLoc());
  assert(succeeded(inserted) && "any function takes another argument");
  (void)inserted;
  switches.push_back(decides);
  return main.getArgument(index);
}

Value TwinBuilder::select(Location loc, Value condition, Value onTrue,
                          Value onFalse) {
  return SelectOp::create(builder, loc, onFalse.getType(), condition, onTrue,
                          onFalse);
}

/// Quantizes and dequantizes `copy`. Uses so far stay on it.
llvm::Error TwinBuilder::quantizeValue(Value original, Value copy) {
  const std::string &id = sites.ids().find(original)->second;
  const CalibrationEntry *entry = table.find(id);
  if (!entry)
    return makeError("the calibration table has no entry '" + id +
                     "'; calibrate the model again, or add one");
  builder.setInsertionPointAfterValue(copy);
  rounded[original] = quantizeAndDequantize(builder, copy, *entry);
  return llvm::Error::success();
}

/// original -> select(switch, twin on rounded operands, op).
void TwinBuilder::addTwin(QuantizableOpInterface original) {
  Operation *copy = copies.lookup(original.getOperation());
  builder.setInsertionPointAfter(copy);
  Operation *twin = builder.clone(*copy);
  for (unsigned i : original.getActivationOperands())
    twin->setOperand(i, rounded.lookup(original->getOperand(i)));
  Value condition = addSwitch(original.getOperation());
  conditions[original] = condition;
  Value chosen =
      select(copy->getLoc(), condition, twin->getResult(0), copy->getResult(0));
  copy->getResult(0).replaceAllUsesExcept(chosen, chosen.getDefiningOp());
  copies.map(original->getResult(0), chosen);
}

/// The twin's weights go to 8 bits, the other's do not.
void TwinBuilder::addTwin(RecurrenceOp original) {
  Operation *copy = copies.lookup(original.getOperation());
  builder.setInsertionPointAfter(copy);
  Operation *twin = builder.clone(*copy);
  copy->setAttr(kKeepFloatAttr, builder.getUnitAttr());
  Value condition = addSwitch(original.getOperation());
  for (auto [result, own, other] : llvm::zip_equal(
           original->getResults(), copy->getResults(), twin->getResults())) {
    Value chosen = select(copy->getLoc(), condition, other, own);
    own.replaceAllUsesExcept(chosen, chosen.getDefiningOp());
    copies.map(result, chosen);
  }
}

llvm::Error TwinBuilder::run() {
  QuantizationSites::OpSet selected;
  for (QuantizableOpInterface op : sites.ops())
    selected.insert(op);
  QuantizationSites::OpSet recurrent;
  for (QuantizationSites::RecurrentLayer layer : sites.recurrentLayers())
    recurrent.insert(layer.op);
  Block &block = main.getBody().front();
  auto finish = [&](Value original) -> llvm::Error {
    if (!sites.ids().contains(original))
      return llvm::Error::success();
    Value copy = copies.lookup(original);
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : copy.getUses())
      uses.push_back(&use);
    if (llvm::Error error = quantizeValue(original, copy))
      return error;
    if (!selected.contains(original.getDefiningOp()))
      return llvm::Error::success();
    if (QuantizationSites::isInsideChain(original, selected)) {
      rounded[original] =
          select(copy.getLoc(), conditions.lookup(original.getDefiningOp()),
                 copy, rounded[original]);
      return llvm::Error::success();
    }
    // Float users of a value that is stored in 8 bits see what they hold.
    Value condition = addSwitch(original);
    Value stored = select(copy.getLoc(), condition, rounded[original], copy);
    for (OpOperand *use : uses)
      use->set(stored);
    return llvm::Error::success();
  };
  // Twins of the users read `rounded`, so values come before their users.
  unsigned arguments = block.getNumArguments();
  Block &originals = function.getBody().front();
  for (unsigned i = 0; i < arguments; ++i)
    if (llvm::Error error = finish(originals.getArgument(i)))
      return error;
  for (Operation &op : originals) {
    if (selected.contains(&op))
      addTwin(cast<QuantizableOpInterface>(op));
    if (recurrent.contains(&op))
      addTwin(cast<RecurrenceOp>(op));
    for (Value result : op.getResults())
      if (llvm::Error error = finish(result))
        return error;
  }
  return llvm::Error::success();
}

/// Multiplications of a layer: each element of the result sums one channel of
/// the weight.
static int64_t countProducts(QuantizableOpInterface op) {
  auto weight =
      cast<RankedTensorType>(op->getOperand(*op.getWeightOperand()).getType());
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  int64_t axis = op.getWeightChannelAxis();
  int64_t channels = axis < 0 ? 1 : weight.getDimSize(axis);
  return result.getNumElements() * (weight.getNumElements() / channels);
}

static double estimateNoise(QuantizableOpInterface op,
                            const QuantizationSites &sites,
                            const CalibrationTable &table) {
  auto findScale = [&](Value value) -> double {
    auto id = sites.ids().find(value);
    const CalibrationEntry *entry =
        id == sites.ids().end() ? nullptr : table.find(id->second);
    return entry ? chooseParams(entry->min, entry->max).scale : 0;
  };
  Value weight = op->getOperand(*op.getWeightOperand());
  auto bytes = ConstantBytes::get(weight);
  double result = findScale(op->getResult(0));
  if (!bytes || result == 0)
    return 0;
  WeightChannels channels(cast<RankedTensorType>(weight.getType()).getShape(),
                          op.getWeightChannelAxis());
  std::vector<double> energy(channels.count, 0);
  for (auto [i, value] : llvm::enumerate(bytes->as<float>()))
    energy[channels.of(i)] += double(value) * value;
  auto quartile = energy.begin() + energy.size() * 3 / 4;
  std::nth_element(energy.begin(), quartile, energy.end());
  return findScale(op->getOperand(0)) * std::sqrt(*quartile) / result;
}

llvm::Expected<std::unique_ptr<Simulation>>
Simulation::create(ModuleOp module, const CalibrationTable &table,
                   const ModelRunnerFactory &compile) {
  std::unique_ptr<Simulation> simulation(new Simulation);
  simulation->model = OwningOpRef<ModuleOp>(module.clone());
  if (llvm::Error error = simulation->build(table, compile))
    return error;
  return simulation;
}

namespace {
/// The 16-bit floats that can hold the weights of an operation.
struct NarrowForms {
  explicit NarrowForms(Operation *op) {
    MLIRContext *context = op->getContext();
    double brain = getNarrowingError(op, BFloat16Type::get(context));
    hasBf16 = std::isfinite(brain);
    prefersFp16 =
        hasBf16 && getNarrowingError(op, Float16Type::get(context)) <= brain;
  }
  bool hasBf16, prefersFp16;
};
} // namespace

llvm::Error Simulation::build(const CalibrationTable &table,
                              const ModelRunnerFactory &compile) {
  auto main = model->lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !llvm::hasSingleElement(main.getBody()))
    return makeError("the module has no function 'main' of one block");
  llvm::StringMap<unsigned> usedIds;
  sites = std::make_unique<QuantizationSites>(main, usedIds);
  DenseMap<Value, unsigned> firstOf;
  auto findFirst = [&](Value weight) {
    return firstOf.try_emplace(weight, allLayers.size()).first->second;
  };
  for (QuantizationSites::Layer layer : sites->layers()) {
    Value weight = layer.op->getOperand(*layer.op.getWeightOperand());
    NarrowForms narrow(layer.op);
    allLayers.push_back(
        {layer.name, hasInt16Form(layer.op), narrow.hasBf16, narrow.prefersFp16,
         countProducts(layer.op),
         cast<RankedTensorType>(weight.getType()).getNumElements(),
         findFirst(weight),
         cast<RankedTensorType>(layer.op->getResult(0).getType())
             .getNumElements(),
         estimateNoise(layer.op, *sites, table)});
  }
  for (QuantizationSites::RecurrentLayer layer : sites->recurrentLayers()) {
    auto weights = cast<RankedTensorType>(layer.op.getWeights().getType());
    auto states = cast<RankedTensorType>(layer.op.getStates().getType());
    // Each step multiplies the state by all weights.
    int64_t steps = states.getNumElements() / weights.getDimSize(1);
    NarrowForms narrow(layer.op);
    allLayers.push_back(
        {layer.name, /*hasInt16Form=*/false, narrow.hasBf16, narrow.prefersFp16,
         steps * weights.getNumElements(), weights.getNumElements(),
         findFirst(layer.op.getWeights()), states.getNumElements(), 0});
  }
  IRMapping copies;
  OwningOpRef<ModuleOp> twins(
      cast<ModuleOp>(model->getOperation()->clone(copies)));
  TwinBuilder builder(main, twins->lookupSymbol<func::FuncOp>("main"), *sites,
                      table, copies);
  if (llvm::Error error = builder.run())
    return error;
  switches = std::move(builder.switches);
  auto compiled = compile(*twins);
  if (!compiled)
    return compiled.takeError();
  runner = std::move(*compiled);
  return llvm::Error::success();
}

std::vector<bool>
Simulation::switchesFor(const llvm::BitVector &keepFloat) const {
  llvm::StringSet<> names;
  for (unsigned i : keepFloat.set_bits())
    names.insert(allLayers[i].name);
  QuantizationSites::OpSet selected = sites->select(names);
  for (QuantizationSites::RecurrentLayer layer : sites->recurrentLayers())
    if (!names.contains(layer.name))
      selected.insert(layer.op);
  std::vector<bool> settings;
  for (auto decides : switches) {
    if (auto *op = dyn_cast<Operation *>(decides)) {
      settings.push_back(selected.contains(op));
      continue;
    }
    Value value = cast<Value>(decides);
    settings.push_back(selected.contains(value.getDefiningOp()) &&
                       QuantizationSites::isUsedBy(value, selected));
  }
  return settings;
}

llvm::Expected<std::vector<HostTensor>>
Simulation::run(ArrayRef<HostTensor> inputs, const llvm::BitVector &keepFloat) {
  std::vector<HostTensor> all(inputs.begin(), inputs.end());
  for (bool setting : switchesFor(keepFloat)) {
    HostTensor tensor;
    tensor.dtype = DType::Bool;
    tensor.data = {char(setting)};
    all.push_back(std::move(tensor));
  }
  return runner->run(all);
}
