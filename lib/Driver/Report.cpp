//===- Report.cpp - What was decided, why, what it costs ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "qcc/Codegen/AttentionPrecision.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"
#include "qcc/Dialect/QNN/Transforms/NarrowWeights.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Driver/Version.h"
#include "qcc/Support/OutputFile.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSet.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

static bool isQuantized(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<quant::QuantizedType>(type.getElementType());
}

static bool hasConstantWeight(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  if (!quantizable || !quantizable.getWeightOperand())
    return false;
  Value weight = op->getOperand(*quantizable.getWeightOperand());
  return matchPattern(weight, m_Constant());
}

/// Whether an op with constant weights can be reached, up or down.
static bool reachesWeights(Operation *op, bool down,
                           DenseSet<Operation *> &seen) {
  if (!op || !seen.insert(op).second)
    return false;
  if (seen.size() > 1 && hasConstantWeight(op))
    return true;
  if (down)
    return llvm::any_of(op->getUsers(), [&](Operation *user) {
      return reachesWeights(user, down, seen);
    });
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return reachesWeights(operand.getDefiningOp(), down, seen);
  });
}

static bool reachesWeights(Operation *op, bool down) {
  DenseSet<Operation *> seen;
  return reachesWeights(op, down, seen);
}

/// Of a product with weights in blocks.
static std::string describeBlocks(BlockMatmulOp op) {
  return "weights of " + std::to_string(op.getBits()) + " bits in blocks of " +
         std::to_string(op.getBlock()) +
         (op.getInt8Input() ? "; activations are quantized while the model runs"
                            : "; activations stay float");
}

/// Whether an op works on tensors of 16 bits.
static bool isInt16(Operation *op) {
  auto isWide = [](Value value) {
    auto type = dyn_cast<quant::QuantizedType>(
        cast<RankedTensorType>(value.getType()).getElementType());
    return type && type.getStorageTypeIntegralWidth() == 16;
  };
  return op->getNumOperands() != 0 && isWide(op->getOperand(0));
}

static std::string reasonForInt8(Operation *op) {
  if (auto blocks = dyn_cast<BlockMatmulOp>(op))
    return describeBlocks(blocks);
  if (isa<ConvIntegerOp, MatmulIntegerOp>(op))
    return "activations are quantized while the model runs";
  if (isa<LutOp>(op))
    return "a function of one 8-bit tensor: a table of 256 results";
  if (hasConstantWeight(op)) {
    std::string products = "constant weights: 8-bit products";
    if (isQuantized(op->getResult(0)))
      return products;
    return products + (reachesWeights(op, /*down=*/true)
                           ? "; the result stays float because what reads it "
                             "is computed in float"
                           : "; the result stays float because no layer with "
                             "weights uses it");
  }
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  if (quantizable &&
      quantizable.getScaleConstraint() == ScaleConstraint::SameScale)
    return "moves 8-bit values as they are";
  return "stands between 8-bit layers";
}

/// Where all weights were to be stored in 16 bits.
static std::string reasonForWide(Operation *op) {
  auto isWeight = [](Value value) {
    return value.getDefiningOp<ConstantOp>() &&
           cast<RankedTensorType>(value.getType()).getRank() >= 2;
  };
  if (llvm::none_of(op->getOperands(), isWeight))
    return "it has no weights";
  return hasNarrowForm(op) ? "16 bits cannot hold its weights"
                           : "its kernels read weights of float32 only";
}

/// Of an operator that calibration never puts in 8 bits.
static std::string reasonForNoForm(Operation *op) {
  auto isInteger = [](Value value) {
    return getElementTypeOrSelf(value.getType()).isInteger();
  };
  if (llvm::all_of(op->getOperands(), isInteger))
    return "it works on integers or truth values, which need no quantization";
  if (auto unary = dyn_cast<UnaryOp>(op))
    return (stringifyUnaryKind(unary.getKind()) +
            " of 256 steps would lose too much of its result; quantize it in "
            "the model (QuantizeLinear around it) for a table of 256 results")
        .str();
  if (auto binary = dyn_cast<BinaryOp>(op))
    return (stringifyBinaryKind(binary.getKind()) +
            " has no 8-bit kernel; layers around it convert at its edges")
        .str();
  return (op->getName().stripDialect() +
          " has no 8-bit kernel; layers around it convert at its edges")
      .str();
}

static std::string reasonForFloat(Operation *op, StringRef mode,
                                  bool explicitModel) {
  if (mode == "fp16" || mode == "bf16")
    return reasonForWide(op);
  if (auto blocks = dyn_cast<BlockMatmulOp>(op))
    return describeBlocks(blocks);
  if (explicitModel && op->getNumOperands() != 0)
    if (auto cast = op->getOperand(0).getDefiningOp<DequantizeOp>();
        cast && isInt16(cast) && hasConstantWeight(op))
      return "it has no 16-bit kernel, or its sums may leave 32 bits";
  if (explicitModel)
    return "the model has no quantization around it";
  if (mode == "none")
    return "quantization was not asked for";
  if (mode == "weight-only")
    return "only large matrix products with constant weights get blocks";
  if (mode == "dynamic")
    return "without calibration data only large matrix products go to 8 bits";
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  if (!quantizable || !quantizable.isQuantizable())
    return reasonForNoForm(op);
  if (quantizable.getWeightOperand() && !hasConstantWeight(op))
    return "its weights are computed while the model runs";
  if (!hasConstantWeight(op) && !reachesWeights(op, /*down=*/true))
    return "no layer with weights follows: 8 bits would cost accuracy and gain "
           "nothing";
  if (!hasConstantWeight(op) && !reachesWeights(op, /*down=*/false))
    return "stands before the first layer with weights";
  if (isa<UnaryOp, BinaryOp>(op))
    return "computed on floats of the layer in front, in one kernel with other "
           "elementwise operators, without rounding in between; quantize it in "
           "the model (QuantizeLinear around it) if 8 bits are exact enough";
  if (isa<SliceOp>(op))
    return "a part of a float tensor has a range of its own; what is cut is "
           "moved in 8 bits where the model quantizes it in front of the cut";
  return "its neighbours are float";
}

static int64_t constantBytes(Operation *op) {
  int64_t bytes = 0;
  for (Value operand : op->getOperands()) {
    while (auto cast = operand.getDefiningOp<DequantizeOp>())
      operand = cast.getInput();
    // A table whose rows are widened behind the lookup.
    if (auto lookup = operand.getDefiningOp<GatherOp>(); isa<CastOp>(op))
      operand = lookup ? lookup.getInput() : operand;
    if (auto data = ConstantBytes::get(operand))
      bytes += int64_t(data->bytes().size());
  }
  return bytes;
}

/// Of weights that are stored in 16 bits.
static std::string reasonForNarrow(Operation *op, bool isBrain,
                                   StringRef target) {
  std::string widened = "weights are stored in 16 bits and widened as they are "
                        "read";
  if (!isBrain || !isa<ConvOp, MatmulOp>(op))
    return widened;
  auto resolved = resolveTarget(target);
  if (!resolved) { // reported elsewhere
    llvm::consumeError(resolved.takeError());
    return widened;
  }
  llvm::ArrayRef<TargetLevel> levels = resolved->backend->levels();
  bool others = false;
  std::string multiplies;
  for (unsigned index : resolved->levels)
    if (levels[index].tiles)
      multiplies = levels[index].name;
    else
      others = true;
  if (multiplies.empty())
    return widened;
  return "weights are stored in 16 bits; " + multiplies +
         " multiplies them by activations rounded to bf16 where tiles of them "
         "pay, and widens them elsewhere" +
         (others ? ", as other levels do" : "");
}

/// The best of a target's levels; null where there is no such target.
static const TargetLevel *bestLevel(StringRef name) {
  auto target = resolveTarget(name);
  if (!target) { // reported where code is emitted
    llvm::consumeError(target.takeError());
    return nullptr;
  }
  return &target->backend->levels()[target->levels.back()];
}

ModelReport qcc::describeModel(ModuleOp legalized, bool explicitModel,
                               StringRef mode, StringRef target,
                               PrecisionPlan plan) {
  ModelReport report;
  report.target = target.str();
  report.plan = std::move(plan);
  llvm::StringMap<StringRef> reasons;
  for (const LayerPrecision &layer : report.plan.layers)
    reasons[layer.name] = layer.reason;
  report.module = OwningOpRef<ModuleOp>(legalized.clone());
  llvm::StringSet<> kept;
  if (auto names = legalized->getAttrOfType<ArrayAttr>(keepFloatAttr))
    for (Attribute name : names)
      kept.insert(cast<StringAttr>(name).getValue());
  DenseMap<Operation *, size_t> indexOf;
  const TargetLevel *level = bestLevel(target);
  for (Layer &layer : getLayers(*report.module)) {
    LayerReport entry;
    Operation *op = layer.op;
    bool int8 =
        isa<ConvIntegerOp, MatmulIntegerOp>(op) ||
        (isa<BlockMatmulOp>(op) && cast<BlockMatmulOp>(op).getInt8Input()) ||
        llvm::any_of(op->getOperands(), isQuantized) ||
        isQuantized(op->getResult(0));
    bool int16 = isInt16(op);
    bool isAttention = !int8 && !int16 && level && isInt16Attention(op, *level);
    FloatType narrow = getNarrowType(op);
    entry.precision = int16 || isAttention ? "int16"
                      : int8               ? "int8"
                      : narrow             ? narrow.isF16() ? "fp16" : "bf16"
                                           : "float";
    if (isAttention)
      entry.reason = "attention: its factors are rounded to 16 bits while the "
                     "model runs; -attention=float keeps them float";
    else if (int16 && !kept.contains(layer.name))
      entry.reason = hasConstantWeight(op)
                         ? "the model quantizes its input to 16 bits"
                         : "moves 16-bit values as they are";
    else if (int8 && !int16)
      entry.reason = reasonForInt8(op);
    else if (kept.contains(layer.name))
      entry.reason = reasons.lookup(layer.name).empty()
                         ? "the table or plan of precisions says so"
                         : reasons.lookup(layer.name).str();
    else if (narrow)
      entry.reason = reasonForNarrow(op, narrow.isBF16(), target);
    else
      entry.reason = reasonForFloat(op, mode, explicitModel);
    entry.weightBytes = constantBytes(op);
    // Producers, also behind casts and ops without a name.
    SmallVector<Value> pending(op->getOperands());
    DenseSet<Value> seen;
    while (!pending.empty()) {
      Value value = pending.pop_back_val();
      Operation *producer = value.getDefiningOp();
      if (!producer || !seen.insert(value).second)
        continue;
      auto found = indexOf.find(producer);
      if (found == indexOf.end())
        llvm::append_range(pending, producer->getOperands());
      else if (!llvm::is_contained(entry.inputs, found->second))
        entry.inputs.push_back(found->second);
    }
    llvm::sort(entry.inputs);
    indexOf[op] = report.layers.size();
    entry.layer = std::move(layer);
    report.layers.push_back(std::move(entry));
  }
  return report;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

static constexpr size_t histogramBins = 48;

static void addToHistogram(LayerHistogram &histogram, ArrayRef<float> expected,
                           ArrayRef<float> actual) {
  bool first = histogram.expected.empty();
  if (first) { // the range of the first sample; what lies outside is clamped
    histogram.min = INFINITY;
    histogram.max = -INFINITY;
    for (ArrayRef<float> values : {expected, actual})
      for (float value : values)
        if (std::isfinite(value)) {
          histogram.min = std::min(histogram.min, value);
          histogram.max = std::max(histogram.max, value);
        }
    if (!(histogram.min <= histogram.max))
      histogram.min = histogram.max = 0;
    histogram.expected.resize(histogramBins);
    histogram.actual.resize(histogramBins);
  }
  double width = double(histogram.max) - histogram.min;
  auto count = [&](ArrayRef<float> values, std::vector<uint64_t> &bins) {
    for (float value : values) {
      double place = width > 0 ? (value - histogram.min) / width : 0;
      if (!std::isnan(place))
        ++bins[size_t(
            std::clamp(place * histogramBins, 0.0, double(histogramBins - 1)))];
    }
  };
  count(expected, histogram.expected);
  count(actual, histogram.actual);
}

static Type elementTypeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

static size_t top(ArrayRef<float> values) {
  return size_t(llvm::max_element(values) - values.begin());
}

llvm::Error qcc::measureErrors(ModelReport &report, ModuleOp expected,
                               ArrayRef<std::vector<HostTensor>> samples,
                               const ModelRunnerFactory &run) {
  // Layers that both forms have, with one shape.
  llvm::StringMap<Layer> others;
  for (Layer &layer : getLayers(expected))
    others[layer.name] = layer;
  std::vector<std::string> names;
  std::vector<LayerReport *> entries;
  for (LayerReport &entry : report.layers) {
    auto other = others.find(entry.layer.name);
    if (other == others.end() ||
        cast<RankedTensorType>(other->second.value.getType()).getShape() !=
            cast<RankedTensorType>(entry.layer.value.getType()).getShape())
      continue;
    names.push_back(entry.layer.name);
    entries.push_back(&entry);
  }
  OwningOpRef<ModuleOp> modules[2] = {exposeLayers(expected, names),
                                      exposeLayers(*report.module, names)};
  std::unique_ptr<ModelRunner> runners[2];
  for (size_t i : {0, 1}) {
    auto runner = run(*modules[i]);
    if (!runner)
      return runner.takeError();
    runners[i] = std::move(*runner);
  }
  auto main = report.module->lookupSymbol<func::FuncOp>("main");
  size_t outputs = main.getNumResults();
  for (size_t i = 0; i < outputs; ++i) {
    OutputReport output;
    auto name = main.getResultAttrOfType<StringAttr>(unsigned(i), "qnn.name");
    output.name = name ? name.str() : "output_" + std::to_string(i);
    auto shape = cast<RankedTensorType>(main.getResultTypes()[i]).getShape();
    output.isClassifier = shape.size() == 2 && shape[0] == 1 && shape[1] > 1;
    report.outputs.push_back(std::move(output));
  }
  for (const std::vector<HostTensor> &sample : samples) {
    std::vector<HostTensor> results[2];
    for (size_t i : {0, 1}) {
      auto result = runners[i]->run(sample);
      if (!result)
        return result.takeError();
      results[i] = std::move(*result);
    }
    auto values = [&](size_t form, size_t i) {
      auto function = modules[form]->lookupSymbol<func::FuncOp>("main");
      Operation *terminator = function.getBody().front().getTerminator();
      return toFloats(results[form][i],
                      elementTypeOf(terminator->getOperand(unsigned(i))));
    };
    for (size_t i = 0; i < outputs + names.size(); ++i) {
      std::vector<float> a = values(0, i), b = values(1, i);
      if (a.size() != b.size() || a.empty())
        continue;
      if (i < outputs) {
        OutputReport &output = report.outputs[i];
        output.error.add(a, b);
        ++output.samples;
        output.sameTop += top(a) == top(b);
        continue;
      }
      LayerReport &entry = *entries[i - outputs];
      if (!entry.error)
        entry.error.emplace();
      entry.error->add(a, b);
      addToHistogram(entry.histogram, a, b);
    }
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static llvm::json::Object toJSON(const LayerReport &entry) {
  auto type = cast<RankedTensorType>(entry.layer.value.getType());
  llvm::json::Object object{
      {"name", entry.layer.name},
      {"nodes", entry.layer.nodes},
      {"op", entry.layer.op->getName().stripDialect().str()},
      {"shape", llvm::json::Array(type.getShape())},
      {"precision", entry.precision},
      {"reason", entry.reason},
      {"weight_bytes", entry.weightBytes},
      {"inputs", llvm::json::Array(entry.inputs)}};
  if (auto quantized =
          dyn_cast<quant::UniformQuantizedType>(type.getElementType())) {
    double scale = quantized.getScale();
    int64_t zero = quantized.getZeroPoint();
    object["scale"] = scale;
    object["zero_point"] = zero;
    object["range"] =
        llvm::json::Array{double(quantized.getStorageTypeMin() - zero) * scale,
                          double(quantized.getStorageTypeMax() - zero) * scale};
  }
  if (entry.error) {
    object["sqnr_db"] = entry.error->sqnr();
    object["max_error"] = double(entry.error->largest);
    object["histogram"] = llvm::json::Object{
        {"min", double(entry.histogram.min)},
        {"max", double(entry.histogram.max)},
        {"float", llvm::json::Array(entry.histogram.expected)},
        {"compiled", llvm::json::Array(entry.histogram.actual)}};
  }
  if (entry.milliseconds)
    object["ms"] = *entry.milliseconds;
  return object;
}

static llvm::json::Object toJSON(const PrecisionPlan &plan) {
  llvm::json::Array points;
  for (const SearchPoint &point : plan.points) {
    llvm::json::Object object{{"int8_layers", int64_t(point.int8Layers)},
                              {"int16_layers", int64_t(point.int16Layers)},
                              {"fp16_layers", int64_t(point.fp16Layers)},
                              {"bf16_layers", int64_t(point.bf16Layers)},
                              {"ms", point.milliseconds},
                              {"verdict", point.verdict}};
    if (point.bytes != 0) {
      object["bytes"] = int64_t(point.bytes);
      object["ram"] = int64_t(point.ram);
    }
    if (point.hasLoss) {
      object["loss"] = point.loss;
      object["upper"] = point.upper;
    }
    points.push_back(std::move(object));
  }
  return llvm::json::Object{{"budget", plan.budget},
                            {"times", plan.times},
                            {"loss", plan.lossName},
                            {"points", std::move(points)}};
}

static llvm::json::Array toJSON(const Interval &interval) {
  return llvm::json::Array{interval.mean, interval.lower, interval.upper};
}

static llvm::json::Object toJSON(const AccuracyReport &accuracy) {
  llvm::json::Object object{{"samples", int64_t(accuracy.samples)}};
  if (accuracy.hasScores) {
    object["agreement"] = toJSON(accuracy.agreement);
    object["kl"] = toJSON(accuracy.divergence);
  }
  if (accuracy.hasSignals)
    object["noise"] = toJSON(accuracy.noise);
  if (accuracy.isLabelled) {
    object["float_top1"] = accuracy.expectedTop1;
    object["compiled_top1"] = accuracy.actualTop1;
    object["top1_drop"] = toJSON(accuracy.top1Drop);
  }
  return object;
}

static llvm::json::Value toJSON(const ModelReport &report) {
  llvm::json::Array layers, outputs;
  for (const LayerReport &entry : report.layers)
    layers.push_back(toJSON(entry));
  for (const OutputReport &output : report.outputs) {
    llvm::json::Object object{{"name", output.name},
                              {"samples", int64_t(output.samples)}};
    // Without elements there is nothing to compare.
    if (output.samples != 0) {
      object["sqnr_db"] = output.error.sqnr();
      object["max_error"] = double(output.error.largest);
    }
    if (output.isClassifier)
      object["same_top1"] = int64_t(output.sameTop);
    outputs.push_back(std::move(object));
  }
  llvm::json::Object object{{"version", 1},
                            {"compiler", versionString()},
                            {"model", report.model},
                            {"target", report.target},
                            {"arena_bytes", int64_t(report.sizes.arenaBytes)},
                            {"flash_bytes", int64_t(report.sizes.flashBytes)},
                            {"layers", std::move(layers)},
                            {"outputs", std::move(outputs)}};
  if (!report.times.empty())
    object["times"] = report.times;
  if (!report.plan.points.empty())
    object["search"] = toJSON(report.plan);
  if (report.accuracy)
    object["accuracy"] = toJSON(*report.accuracy);
  return object;
}

static const unsigned char page[] = {
#include "report.html.inc"
};

llvm::Error qcc::writeReport(const ModelReport &report,
                             const std::string &path) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (llvm::StringRef(path).ends_with_insensitive(".json")) {
    stream << llvm::formatv("{0:2}\n", toJSON(report));
  } else {
    std::string data = llvm::formatv("{0}", toJSON(report)).str();
    // Inside a script nothing may end it.
    for (size_t at = 0; (at = data.find("</", at)) != std::string::npos;)
      data.replace(at, 2, "<\\/");
    StringRef whole(reinterpret_cast<const char *>(page), sizeof page);
    auto [head, tail] = whole.split("/*REPORT*/");
    stream << head << data << tail;
  }
  return toError(writeFile(path, text.data(), text.size()));
}
