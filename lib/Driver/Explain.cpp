//===- Explain.cpp - qcc explain and qcc bisect ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/Explain.h"
#include "Forms.h"
#include "Report.h"
#include "Samples.h"
#include "TargetRunner.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Support/Plural.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

#include <cstring>

using namespace mlir;
using namespace qcc;

static InFlightDiagnostic error(MLIRContext &context) {
  return emitError(UnknownLoc::get(&context));
}

LogicalResult qcc::explain(MLIRContext &context, const CompileOptions &options,
                           StringRef filter, llvm::raw_ostream &os) {
  OwningOpRef<ModuleOp> imported = importModel(context, options);
  if (!imported)
    return failure();
  bool keepsOwn = keepsOwnQuantization(*imported, options);
  PrecisionPlan plan;
  OwningOpRef<ModuleOp> compiled =
      makeForm(*imported, Form::Compiled, options, &plan);
  if (!compiled)
    return failure();
  ModelReport report =
      describeModel(*compiled, keepsOwn, quantizeModeName(options),
                    options.target, std::move(plan));
  size_t shown = 0;
  for (const LayerReport &entry : report.layers) {
    if (!StringRef(entry.layer.nodes).contains(filter))
      continue;
    ++shown;
    os << llvm::formatv("{0,-5}  {1} ({2}): {3}\n", entry.precision,
                        entry.layer.nodes,
                        entry.layer.op->getName().stripDialect(), entry.reason);
  }
  if (shown == 0)
    return error(context) << "no layer of " << options.input << " has '"
                          << filter << "' in its name";
  return success();
}

//===----------------------------------------------------------------------===//
// Bisection
//===----------------------------------------------------------------------===//

namespace {
/// One of the two sides.
struct Side {
  OwningOpRef<ModuleOp> module;
  ModelRunnerFactory run;
};

struct LayerDrift {
  std::string name, nodes;
  LayerError own;   ///< computed from the right values before it
  LayerError total; ///< with the errors of all layers before it
};
} // namespace

/// The side's module and how it is run; `storage` keeps its options alive.
static FailureOr<Side> makeSide(MLIRContext &context, CompileOptions &options,
                                StringRef form, StringRef runner) {
  auto kind = llvm::StringSwitch<std::optional<Form>>(form)
                  .Case("float", Form::Float)
                  .Case("qdq", Form::QDQ)
                  .Cases({"compiled", "reference"}, Form::Compiled)
                  .Default(std::nullopt);
  bool isTarget = !kind;
  if (isTarget) {
    auto target = resolveTarget(form);
    if (!target) {
      llvm::consumeError(target.takeError());
      return error(context) << "'" << form
                            << "' is no form of a model; there are float, qdq, "
                               "compiled, reference, and the names of targets "
                               "(-target=help)";
    }
    kind = Form::Compiled;
  }
  OwningOpRef<ModuleOp> imported = importModel(context, options);
  if (!imported)
    return failure();
  Side side;
  side.module = makeForm(*imported, *kind, options);
  if (!side.module)
    return failure();
  options.reference = form == "reference";
  side.run = createHostRunnerFactory(options);
  if (!isTarget)
    return side;
  options.target = form.str();
  auto run = createTargetRunnerFactory(options, runner);
  if (!run)
    return error(context) << llvm::toString(run.takeError());
  side.run = std::move(*run);
  return side;
}

/// The layers that both have, in the order of the second.
static std::vector<LayerDrift> matchLayers(ModuleOp expected, ModuleOp actual) {
  llvm::StringMap<Layer> others;
  for (Layer &layer : getLayers(expected))
    others[layer.name] = layer;
  std::vector<LayerDrift> matched;
  for (Layer &layer : getLayers(actual)) {
    auto other = others.find(layer.name);
    if (other == others.end())
      continue;
    auto a = cast<RankedTensorType>(other->second.value.getType());
    auto b = cast<RankedTensorType>(layer.value.getType());
    if (a.getShape() == b.getShape())
      matched.push_back({layer.name, layer.nodes, {}, {}});
  }
  return matched;
}

static Type elementTypeOf(Operation *terminator, size_t i) {
  return cast<RankedTensorType>(terminator->getOperand(unsigned(i)).getType())
      .getElementType();
}

static Operation *terminatorOf(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main")
      .getBody()
      .front()
      .getTerminator();
}

static HostTensor makeTensor(RankedTensorType type, ArrayRef<float> values) {
  HostTensor tensor{"", DType::F32, type.getShape().vec(), {}};
  tensor.data.resize(values.size() * sizeof(float));
  std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

static llvm::Error measureDrift(std::vector<LayerDrift> &layers,
                                const Side &expected, const Side &actual,
                                ArrayRef<std::vector<HostTensor>> samples) {
  std::vector<std::string> names;
  for (const LayerDrift &layer : layers)
    names.push_back(layer.name);
  OwningOpRef<ModuleOp> exposed[2] = {exposeLayers(*expected.module, names),
                                      exposeLayers(*actual.module, names)};
  OwningOpRef<ModuleOp> isolated = isolateLayers(*actual.module, names);
  auto right = expected.run(*exposed[0]);
  if (!right)
    return right.takeError();
  auto whole = actual.run(*exposed[1]);
  if (!whole)
    return whole.takeError();
  auto single = actual.run(*isolated);
  if (!single)
    return single.takeError();
  auto function = isolated->lookupSymbol<func::FuncOp>("main");
  for (const std::vector<HostTensor> &sample : samples) {
    auto a = (*right)->run(sample);
    if (!a)
      return a.takeError();
    auto b = (*whole)->run(sample);
    if (!b)
      return b.takeError();
    std::vector<HostTensor> inputs = sample;
    size_t outputs[2] = {a->size() - names.size(), b->size() - names.size()};
    std::vector<std::vector<float>> values;
    for (size_t i = 0; i < names.size(); ++i) {
      Operation *terminator = terminatorOf(*exposed[0]);
      values.push_back(toFloats((*a)[outputs[0] + i],
                                elementTypeOf(terminator, outputs[0] + i)));
      auto type = cast<RankedTensorType>(
          function.getArgumentTypes()[sample.size() + i]);
      // Integers are given as they are, real values as floats.
      inputs.push_back(type.getElementType().isF32()
                           ? makeTensor(type, values.back())
                           : (*a)[outputs[0] + i]);
    }
    auto c = (*single)->run(inputs);
    if (!c)
      return c.takeError();
    for (auto [i, layer] : llvm::enumerate(layers)) {
      layer.total.add(
          values[i],
          toFloats((*b)[outputs[1] + i],
                   elementTypeOf(terminatorOf(*exposed[1]), outputs[1] + i)));
      layer.own.add(
          values[i],
          toFloats((*c)[i], elementTypeOf(terminatorOf(*isolated), i)));
    }
  }
  return llvm::Error::success();
}

/// Below this ratio of signal to a layer's own noise the layer is wrong: 10 dB
/// worse than layers usually are here, and worse than rounding ever is.
static double threshold(ArrayRef<LayerDrift> layers) {
  std::vector<double> sorted;
  for (const LayerDrift &layer : layers)
    sorted.push_back(layer.own.sqnr());
  llvm::sort(sorted);
  return std::min(sorted[sorted.size() / 2] - 10, 50.0);
}

LogicalResult qcc::bisect(MLIRContext &context, const BisectOptions &options,
                          llvm::raw_ostream &os) {
  CompileOptions own[2] = {options.expected, options.actual};
  FailureOr<Side> expected =
      makeSide(context, own[0], options.expectedForm, options.runner);
  if (failed(expected))
    return failure();
  FailureOr<Side> actual =
      makeSide(context, own[1], options.actualForm, options.runner);
  if (failed(actual))
    return failure();

  CompileOptions source = options.expected;
  if (!options.inputs.empty()) {
    source.calibrationPath = options.inputs;
    source.openCalibration = nullptr;
  }
  if (!hasSamples(source))
    return error(context) << "bisect needs samples: give -inputs= or -calib=";
  auto specs = getInputSpecs(*expected->module);
  if (!specs)
    return error(context) << llvm::toString(specs.takeError());
  auto samples = readSamples(source, *specs, 4);
  if (!samples)
    return error(context) << llvm::toString(samples.takeError());
  std::vector<LayerDrift> layers =
      matchLayers(*expected->module, *actual->module);
  if (layers.empty())
    return error(context) << "the two models have no layers of the same names "
                             "and shapes";
  if (llvm::Error problem = measureDrift(layers, *expected, *actual, *samples))
    return error(context) << llvm::toString(std::move(problem));

  double limit = threshold(layers);
  const LayerDrift *first = nullptr;
  os << " own dB  total dB  layer\n";
  for (const LayerDrift &layer : layers) {
    bool wrong = layer.own.sqnr() < limit;
    if (wrong && !first)
      first = &layer;
    os << llvm::format("%7.1f  %8.1f  ", layer.own.sqnr(), layer.total.sqnr())
       << layer.nodes << (wrong ? "  <--" : "") << "\n";
  }
  if (!first)
    os << "no layer differs by more than the others do ("
       << countOf(layers.size(), "layer") << ", "
       << countOf(samples->size(), "sample") << ")\n";
  else
    os << "first wrong layer: " << first->name
       << llvm::format(" (its own noise is %.1f dB below its signal; above "
                       "%.1f dB would be usual)\n",
                       first->own.sqnr(), limit);
  return success();
}
