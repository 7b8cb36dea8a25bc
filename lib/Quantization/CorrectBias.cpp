//===- CorrectBias.cpp - Biases that make up for rounding -----------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/CorrectBias.h"

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Quantization/OutputError.h"
#include "qcc/Quantization/WeightRounding.h"
#include "qcc/Support/Progress.h"
#include "qcc/Support/ResultToExpected.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// So many samples are worth what the rounding of the weights alone lets
/// expect.
static constexpr double kPriorSamples = 4;

namespace {

/// A layer whose bias is corrected.
struct CorrectedLayer {
  const InputStatistics::Layer *statistics;
  std::vector<double> bias;  ///< of the float model
  std::vector<double> prior; ///< from the rounding of the weights
  std::vector<double> sum;   ///< of differences from the float model
  HostTensor correction;     ///< as the module takes it

  void choosePrior(ArrayRef<float> roundedWeight);
  void update(double samples);
};

class BiasCorrector {
public:
  BiasCorrector(const InputStatistics &statistics,
                const CalibrationTable &table)
      : statistics(statistics), table(table) {}

  llvm::Error build(ModuleOp module, const llvm::StringSet<> &keepFloat,
                    const ModelRunnerFactory &compile);
  llvm::Expected<OutputNoise> run(const ReferenceSamples &samples);
  void attach() const;

private:
  void correct(OpBuilder &builder, Operation *op, const LayerRows &rows,
               SmallVectorImpl<Value> &means);
  llvm::Expected<std::vector<HostTensor>> runSample(ArrayRef<HostTensor> input);
  void clear();
  /// Of the samples from `first` on.
  llvm::Expected<double> measureNoise(const ReferenceSamples &samples,
                                      size_t first);

  const InputStatistics &statistics;
  const CalibrationTable &table;
  std::vector<CorrectedLayer> layers;
  unsigned outputs = 0; ///< of the model; means of layers stand behind them
  ComparedOutputs compared;
  std::unique_ptr<ModelRunner> runner;
};

} // namespace

static MutableOperandRange biasOf(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op))
    return conv.getBiasMutable();
  return cast<MatmulOp>(op).getBiasMutable();
}

/// Gives the op a bias of zeros where it has none.
static void addBias(Operation *op, const LayerRows &rows) {
  if (!biasOf(op).empty())
    return;
  OpBuilder builder(op);
  std::vector<float> zeros(size_t(rows.columns()), 0.f);
  biasOf(op).assign(createConstant(builder, op->getLoc(), {rows.columns()},
                                   ArrayRef<float>(zeros)));
}

/// Takes off what an earlier correction has attached.
static void removeCorrection(const InputStatistics::Layer &layer) {
  if (layer.op->removeAttr(kBiasCorrectionAttr) && !layer.hasBias)
    biasOf(layer.op).clear();
}

void qcc::attachBiasCorrection(Operation *op, const LayerRows &rows,
                               ArrayRef<float> values) {
  addBias(op, rows);
  op->setAttr(kBiasCorrectionAttr,
              Builder(op->getContext()).getDenseF32ArrayAttr(values));
}

/// The bias of each column; nothing where it has another form.
static std::optional<std::vector<double>> readBias(Operation *op,
                                                   const LayerRows &rows) {
  Value bias =
      op->getOperand(*cast<QuantizableOpInterface>(op).getBiasOperand());
  auto values = getConstantFloats(bias);
  if (!values || rankOf(bias) != 1 || int64_t(values->size()) != rows.columns())
    return std::nullopt;
  return std::vector<double>(values->begin(), values->end());
}

/// Takes activation and residual off a layer, and puts behind it the mean of
/// each column (among `means`), a correction that is given at run time, and
/// what was taken off.
void BiasCorrector::correct(OpBuilder &builder, Operation *op,
                            const LayerRows &rows,
                            SmallVectorImpl<Value> &means) {
  auto main = op->getParentOfType<func::FuncOp>();
  auto activation = op->getAttrOfType<ActivationAttr>("activation");
  op->removeAttr("activation");
  Value residual;
  auto take = [&](MutableOperandRange operand) {
    if (!operand.empty())
      residual = operand[0].get();
    operand.clear();
  };
  if (auto conv = dyn_cast<ConvOp>(op))
    take(conv.getResidualMutable());
  else
    take(cast<MatmulOp>(op).getResidualMutable());

  Value result = op->getResult(0);
  RankedTensorType type = tensorTypeOf(result);
  int64_t dim = rows.resultChannelDim();
  SmallVector<int64_t> axes, shape(size_t(type.getRank() - dim), 1);
  shape[0] = rows.columns();
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (i != dim)
      axes.push_back(i);
  std::string name = "correction " + std::to_string(means.size());
  unsigned index = main.getNumArguments();
  auto attrs = builder.getDictionaryAttr(
      builder.getNamedAttr("qnn.name", builder.getStringAttr(name)));
  LogicalResult inserted = main.insertArgument(
      index, type.clone(ArrayRef<int64_t>(shape)), attrs, main.getLoc());
  assert(succeeded(inserted) && "any function takes another argument");
  (void)inserted;

  builder.setInsertionPointAfter(op);
  Location loc = op->getLoc();
  Operation *mean = ReduceOp::create(
      builder, loc, type.clone(ArrayRef<int64_t>({rows.columns()})),
      ReduceKind::Mean, result, axes, /*keepdims=*/false);
  means.push_back(mean->getResult(0));
  Value value = BinaryOp::create(builder, loc, type, BinaryKind::Add, result,
                                 main.getArgument(index), ActivationAttr());
  Operation *first = value.getDefiningOp();
  if (residual)
    value = BinaryOp::create(builder, loc, type, BinaryKind::Add, value,
                             residual, ActivationAttr());
  if (activation)
    value = UnaryOp::create(
        builder, loc, type,
        UnaryKindAttr::get(builder.getContext(), activation.getKind()), value,
        activation.getAlpha(), activation.getBeta());
  result.replaceUsesWithIf(value, [&](OpOperand &use) {
    return use.getOwner() != mean && use.getOwner() != first;
  });
}

/// Rounding the weights shifts the mean of the result by the rounding times the
/// mean input.
void CorrectedLayer::choosePrior(ArrayRef<float> roundedWeight) {
  const LayerRows &rows = *statistics->rows;
  std::vector<float> weights = readColumns(statistics->op, rows);
  auto samples = double(statistics->sampleMeans.size());
  sum.assign(bias.size(), 0);
  for (int64_t column = 0; column < rows.columns(); ++column) {
    int64_t first = column / rows.columnsPerGroup() * rows.depth();
    double shift = 0;
    for (int64_t i = 0; i < rows.depth(); ++i)
      shift += (double(roundedWeight[size_t(rows.weightIndex(column, i))]) -
                weights[size_t(column * rows.depth() + i)]) *
               statistics->meanRows[size_t(first + i)] / samples;
    prior.push_back(-shift);
  }
}

static SmallVector<Operation *> getLayers(func::FuncOp main) {
  llvm::StringMap<unsigned> usedIds;
  QuantizationSites sites(main, usedIds);
  SmallVector<Operation *> ops;
  for (const QuantizationSites::Layer &layer : sites.layers())
    ops.push_back(layer.op);
  return ops;
}

llvm::Error BiasCorrector::build(ModuleOp module,
                                 const llvm::StringSet<> &keepFloat,
                                 const ModelRunnerFactory &compile) {
  for (const InputStatistics::Layer &layer : statistics.layers())
    removeCorrection(layer);
  compared = ComparedOutputs::get(module.lookupSymbol<func::FuncOp>("main"));
  OwningOpRef<ModuleOp> copy(module.clone());
  auto main = copy->lookupSymbol<func::FuncOp>("main");
  SmallVector<Operation *> ops = getLayers(main);
  OtherPrecisions others;
  others.keepFloat = keepFloat;
  if (failed(insertObservers(*copy, others)) ||
      failed(applyCalibration(*copy, table)))
    return makeError("the biases cannot be corrected");
  OpBuilder builder(main.getContext());
  SmallVector<Value> means;
  for (auto [layer, op] : llvm::zip_equal(statistics.layers(), ops)) {
    if (!layer.rows || op->hasAttr(kKeepFloatAttr) ||
        !op->getOperand(0).getDefiningOp<DequantizeOp>())
      continue;
    auto weight = readRoundedWeight(op);
    if (!weight)
      continue;
    addBias(op, *layer.rows);
    auto bias = readBias(op, *layer.rows);
    unsigned operand = *cast<QuantizableOpInterface>(op).getWeightOperand();
    builder.setInsertionPoint(op);
    op->setOperand(operand, createConstant(builder, op->getLoc(),
                                           shapeOf(op->getOperand(operand)),
                                           ArrayRef<float>(*weight)));
    if (!bias)
      continue;
    CorrectedLayer corrected;
    corrected.statistics = &layer;
    corrected.bias = std::move(*bias);
    corrected.choosePrior(*weight);
    correct(builder, op, *layer.rows, means);
    auto type = tensorTypeOf(main.getArgument(main.getNumArguments() - 1));
    corrected.correction.dtype = DType::F32;
    corrected.correction.shape = type.getShape().vec();
    layers.push_back(std::move(corrected));
  }
  copy->walk([](Operation *op) {
    for (StringRef name :
         {kRoundedWeightsAttr, kWeightScalesAttr, kKeepFloatAttr})
      op->removeAttr(name);
  });
  Operation *terminator = main.getBody().front().getTerminator();
  outputs = terminator->getNumOperands();
  SmallVector<Value> results(terminator->getOperands());
  for (Value mean : means) {
    auto attrs = builder.getDictionaryAttr(builder.getNamedAttr(
        "qnn.name",
        builder.getStringAttr("mean " + std::to_string(results.size()))));
    if (failed(
            main.insertResult(unsigned(results.size()), mean.getType(), attrs)))
      return makeError("the biases cannot be corrected");
    results.push_back(mean);
  }
  terminator->setOperands(results);
  auto compiled = compile(*copy);
  if (!compiled)
    return compiled.takeError();
  runner = std::move(*compiled);
  return llvm::Error::success();
}

void CorrectedLayer::update(double samples) {
  std::vector<float> values;
  for (auto [known, difference] : llvm::zip_equal(prior, sum))
    values.push_back(float((kPriorSamples * known + difference) /
                           (kPriorSamples + samples)));
  const char *bytes = reinterpret_cast<const char *>(values.data());
  correction.data.assign(bytes, bytes + values.size() * sizeof(float));
}

llvm::Expected<std::vector<HostTensor>>
BiasCorrector::runSample(ArrayRef<HostTensor> input) {
  std::vector<HostTensor> all(input.begin(), input.end());
  for (const CorrectedLayer &layer : layers)
    all.push_back(layer.correction);
  return runner->run(all);
}

void BiasCorrector::clear() {
  for (CorrectedLayer &layer : layers)
    layer.correction.data.assign(layer.bias.size() * sizeof(float), 0);
}

llvm::Expected<double>
BiasCorrector::measureNoise(const ReferenceSamples &samples, size_t first) {
  double noise = 0;
  for (size_t i = first; i < samples.outputs.size(); ++i) {
    auto results = runSample(samples.inputs[i]);
    if (!results)
      return results.takeError();
    results->resize(outputs);
    noise += compareOutputs(compared, samples.outputs[i], *results).noise;
  }
  return noise / double(samples.outputs.size() - first);
}

llvm::Expected<OutputNoise>
BiasCorrector::run(const ReferenceSamples &samples) {
  // Samples are measured with what those before them gave, so that corrections
  // that fit only their own samples show; the first ones have seen too few.
  size_t first = samples.outputs.size() / 2;
  OutputNoise noise;
  clear();
  auto uncorrected = measureNoise(samples, first);
  if (!uncorrected)
    return uncorrected.takeError();
  noise.uncorrected = noise.corrected = *uncorrected;
  // One sample says nothing about others.
  if (statistics.samples() < kFewestCorrectedSamples ||
      samples.outputs.size() < 2)
    return noise;
  noise.corrected = 0;
  size_t count = std::min(samples.inputs.size(), statistics.samples());
  Progress progress("correcting biases", count);
  for (CorrectedLayer &layer : layers)
    layer.update(0);
  for (size_t sample = 0; sample < count; ++sample) {
    auto results = runSample(samples.inputs[sample]);
    if (!results)
      return results.takeError();
    for (auto [i, layer] : llvm::enumerate(layers)) {
      auto means = (*results)[outputs + i].as<float>();
      const std::vector<float> &expected =
          layer.statistics->sampleMeans[sample];
      for (size_t c = 0; c < layer.sum.size(); ++c)
        layer.sum[c] += double(expected[c]) + layer.bias[c] - means[c];
      layer.update(double(sample + 1));
    }
    if (sample >= first && sample < samples.outputs.size()) {
      results->resize(outputs);
      noise.corrected +=
          compareOutputs(compared, samples.outputs[sample], *results).noise /
          double(samples.outputs.size() - first);
    }
    progress.step();
  }
  return noise;
}

void BiasCorrector::attach() const {
  for (const CorrectedLayer &layer : layers) {
    auto values = layer.correction.as<float>();
    attachBiasCorrection(layer.statistics->op, *layer.statistics->rows,
                         {values.data(), values.size()});
  }
}

llvm::Expected<OutputNoise> qcc::correctBiases(
    ModuleOp module, const InputStatistics &statistics,
    const CalibrationTable &table, const llvm::StringSet<> &keepFloat,
    const ReferenceSamples &samples, const ModelRunnerFactory &compile) {
  BiasCorrector corrector(statistics, table);
  if (llvm::Error error = corrector.build(module, keepFloat, compile))
    return error;
  auto noise = corrector.run(samples);
  if (noise && noise->corrected < noise->uncorrected)
    corrector.attach();
  return noise;
}
