//===- Layers.cpp - The layers of a module and what they compute ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layers.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/TensorValues.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

static void collectNames(Location location, std::vector<std::string> &names) {
  if (auto named = dyn_cast<NameLoc>(location)) {
    std::string name = named.getName().str();
    if (!name.empty() && !llvm::is_contained(names, name))
      names.push_back(name);
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  }
}

std::vector<std::string> qcc::getNodes(Operation *op) {
  std::vector<std::string> names;
  collectNames(op->getLoc(), names);
  return names;
}

static bool isCast(Operation *op) {
  return isa<ConstantOp, QuantizeOp, DequantizeOp, RequantizeOp, StorageCastOp>(
      op);
}

/// Behind quantize and dequantize, where nothing else uses the value.
static Value behindCasts(Value value) {
  while (value.hasOneUse()) {
    Operation *user = *value.getUsers().begin();
    if (!isa<QuantizeOp, DequantizeOp, StorageCastOp>(user))
      break;
    value = user->getResult(0);
  }
  return value;
}

std::vector<Layer> qcc::getLayers(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  llvm::MapVector<StringRef, Layer> layers;
  std::vector<std::unique_ptr<std::string>> keys;
  for (Operation &op : main.getBody().front().without_terminator()) {
    if (isCast(&op) || op.getNumResults() != 1)
      continue;
    std::vector<std::string> names = getNodes(&op);
    if (names.empty())
      continue;
    keys.push_back(std::make_unique<std::string>(names.back()));
    // Of a node that became several ops, the last has its value.
    Operation *computes = &op;
    if (auto *before = layers.find(*keys.back());
        before != layers.end() &&
        (isa<ConvIntegerOp, MatmulIntegerOp>(before->second.op) ||
         isa<CastOp>(op)))
      computes = before->second.op;
    layers.erase(*keys.back());
    layers[*keys.back()] = {names.back(), llvm::join(names, ", "), computes,
                            behindCasts(op.getResult(0))};
  }
  std::vector<Layer> result;
  for (auto &entry : layers)
    result.push_back(std::move(entry.second));
  return result;
}

std::vector<float> qcc::toFloats(const HostTensor &tensor, Type elementType) {
  std::vector<double> numbers = toDoubles(tensor);
  std::vector<float> values(numbers.begin(), numbers.end());
  if (auto type = dyn_cast<quant::UniformQuantizedType>(elementType))
    for (float &value : values)
      value = (value - float(type.getZeroPoint())) * float(type.getScale());
  return values;
}

static void setResults(func::FuncOp main, ArrayRef<Value> results) {
  Builder builder(main.getContext());
  SmallVector<DictionaryAttr> attributes;
  for (size_t i = 0; i < results.size(); ++i)
    attributes.push_back(builder.getDictionaryAttr(builder.getNamedAttr(
        "qnn.name", builder.getStringAttr("layer_" + std::to_string(i)))));
  main.getBody().front().getTerminator()->setOperands(results);
  main.setFunctionType(
      builder.getFunctionType(main.getBody().front().getArgumentTypes(),
                              ValueRange(results).getTypes()));
  main.setAllResultAttrs(attributes);
}

/// The layers of `names` in this module, in that order.
static std::vector<Layer> select(ModuleOp module, ArrayRef<std::string> names) {
  llvm::StringMap<Layer> byName;
  for (Layer &layer : getLayers(module))
    byName[layer.name] = layer;
  std::vector<Layer> layers;
  for (const std::string &name : names)
    layers.push_back(byName.lookup(name));
  return layers;
}

OwningOpRef<ModuleOp> qcc::exposeLayers(ModuleOp module,
                                        ArrayRef<std::string> names) {
  OwningOpRef<ModuleOp> copy(module.clone());
  auto main = copy->lookupSymbol<func::FuncOp>("main");
  SmallVector<Value> results(
      main.getBody().front().getTerminator()->getOperands());
  for (const Layer &layer : select(*copy, names))
    results.push_back(layer.value);
  setResults(main, results);
  return copy;
}

OwningOpRef<ModuleOp> qcc::isolateLayers(ModuleOp module,
                                         ArrayRef<std::string> names) {
  OwningOpRef<ModuleOp> copy(module.clone());
  auto main = copy->lookupSymbol<func::FuncOp>("main");
  Block &block = main.getBody().front();
  Builder builder(main.getContext());
  std::vector<Layer> layers = select(*copy, names);
  SmallVector<Value> results;
  SmallVector<Attribute> attributes;
  for (BlockArgument argument : main.getArguments())
    attributes.push_back(main.getArgAttrDict(argument.getArgNumber()));
  OpBuilder casts(&block, block.begin());
  for (auto [index, layer] : llvm::enumerate(layers)) {
    auto type = cast<RankedTensorType>(layer.value.getType());
    Type element = type.getElementType();
    bool quantized = isa<quant::QuantizedType>(element);
    BlockArgument argument = block.addArgument(
        quantized ? type.clone(Type(builder.getF32Type())) : type,
        layer.op->getLoc());
    attributes.push_back(builder.getDictionaryAttr(builder.getNamedAttr(
        "qnn.name", builder.getStringAttr("given_" + std::to_string(index)))));
    Value given = argument;
    if (quantized)
      given = QuantizeOp::create(casts, layer.op->getLoc(), type, argument);
    layer.value.replaceAllUsesWith(given);
    results.push_back(layer.value);
  }
  setResults(main, results);
  SmallVector<DictionaryAttr> dictionaries;
  for (Attribute attribute : attributes)
    dictionaries.push_back(attribute ? cast<DictionaryAttr>(attribute)
                                     : builder.getDictionaryAttr({}));
  main.setAllArgAttrs(dictionaries);
  return copy;
}

void LayerError::add(ArrayRef<float> expected, ArrayRef<float> actual) {
  for (auto [a, b] : llvm::zip_equal(expected, actual)) {
    // NaN on both sides is agreement, on one an infinite error.
    if (std::isnan(a) && std::isnan(b))
      continue;
    float difference = a == b ? 0 : std::abs(a - b);
    if (!std::isfinite(difference))
      difference = 1e30f;
    signal += std::isfinite(a) ? double(a) * a : 0;
    noise += double(difference) * difference;
    largest = std::max(largest, difference);
  }
}

double LayerError::sqnr() const {
  if (noise == 0)
    return 200;
  if (signal == 0)
    return -200;
  return std::clamp(10 * std::log10(signal / noise), -200.0, 200.0);
}
