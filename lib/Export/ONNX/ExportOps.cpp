//===- ExportOps.cpp - Operators of the qnn dialect to ONNX ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphBuilder.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::onnx_export;
using namespace qcc::qnn;

using Name = std::optional<std::string>;
using Ints = SmallVector<int64_t>;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The optional operand's name, empty if it is absent.
static std::string nameIf(GraphBuilder &graph, Value value) {
  return value ? graph.name(value) : std::string();
}

/// What stands behind the sums of an op: residual, then activation.
static Name finish(GraphBuilder &graph, std::string value, Value residual,
                   std::optional<ActivationAttr> activation) {
  if (residual)
    value = graph.node("Add", {value, graph.name(residual)});
  if (!activation)
    return value;
  return exportUnary(graph, activation->getKind(), activation->alpha(),
                     activation->beta(), value);
}

template <typename Op>
static SmallVector<NodeAttr> windowAttributes(Op op, ArrayRef<int64_t> kernel) {
  return {{"kernel_shape", Ints(kernel)},
          {"strides", Ints(op.getStrides())},
          {"dilations", Ints(op.getDilations())},
          {"pads", Ints(op.getPads())}};
}

static Name exportConv(GraphBuilder &graph, ConvOp op) {
  if (op.getLayout() != Layout::ChannelsFirst)
    return std::nullopt;
  auto attributes =
      windowAttributes(op, typeOf(op.getFilter()).getShape().drop_front(2));
  attributes.push_back({"group", int64_t(op.getGroup())});
  std::string value =
      graph.node("Conv",
                 {graph.name(op.getInput()), graph.name(op.getFilter()),
                  nameIf(graph, op.getBias())},
                 attributes);
  return finish(graph, value, op.getResidual(), op.getActivation());
}

static Name exportConvTranspose(GraphBuilder &graph, ConvTransposeOp op) {
  if (op.getLayout() != Layout::ChannelsFirst)
    return std::nullopt;
  auto attributes =
      windowAttributes(op, typeOf(op.getFilter()).getShape().drop_front(2));
  attributes.push_back({"group", int64_t(op.getGroup())});
  attributes.push_back({"output_padding", Ints(op.getOutputPadding())});
  std::string value =
      graph.node("ConvTranspose",
                 {graph.name(op.getInput()), graph.name(op.getFilter()),
                  nameIf(graph, op.getBias())},
                 attributes);
  return finish(graph, value, nullptr, op.getActivation());
}

/// `value` with its last two dimensions swapped.
static std::string transposed(GraphBuilder &graph, Value value) {
  int64_t rank = typeOf(value).getRank();
  Ints permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(permutation[size_t(rank) - 1], permutation[size_t(rank) - 2]);
  return graph.node("Transpose", {graph.name(value)}, {{"perm", permutation}});
}

static Name exportMatmul(GraphBuilder &graph, MatmulOp op) {
  std::string lhs = op.getTransposeLhs() ? transposed(graph, op.getLhs())
                                         : graph.name(op.getLhs());
  std::string rhs = op.getTransposeRhs() ? transposed(graph, op.getRhs())
                                         : graph.name(op.getRhs());
  std::string value = graph.node("MatMul", {lhs, rhs});
  if (op.getBias())
    value = graph.node("Add", {value, graph.name(op.getBias())});
  return finish(graph, value, op.getResidual(), op.getActivation());
}

static Name exportConvInteger(GraphBuilder &graph, ConvIntegerOp op) {
  if (op.getLayout() != Layout::ChannelsFirst)
    return std::nullopt;
  auto attributes =
      windowAttributes(op, typeOf(op.getFilter()).getShape().drop_front(2));
  attributes.push_back({"group", int64_t(op.getGroup())});
  return graph.node("ConvInteger",
                    {graph.name(op.getInput()), graph.name(op.getFilter()),
                     nameIf(graph, op.getInputZeroPoint()),
                     nameIf(graph, op.getFilterZeroPoint())},
                    attributes);
}

static Name exportBinary(GraphBuilder &graph, BinaryOp op) {
  const char *type = nullptr;
  SmallVector<NodeAttr> attributes;
  Type element = typeOf(op.getLhs()).getElementType();
  bool integers = element.isInteger(), isBool = element.isInteger(1);
  switch (op.getKind()) {
  case BinaryKind::Add:
    type = "Add";
    break;
  case BinaryKind::Sub:
    type = "Sub";
    break;
  case BinaryKind::Mul:
    type = "Mul";
    break;
  case BinaryKind::Div:
    type = "Div";
    break;
  case BinaryKind::Pow:
    type = "Pow";
    break;
  case BinaryKind::Min:
    type = "Min";
    break;
  case BinaryKind::Max:
    type = "Max";
    break;
  case BinaryKind::Mod: // of floats ONNX has only the other one
    type = integers ? "Mod" : nullptr;
    break;
  case BinaryKind::FMod:
    type = "Mod";
    attributes.push_back({"fmod", int64_t(1)});
    break;
  case BinaryKind::PRelu:
    type = "PRelu";
    break;
  case BinaryKind::And:
    type = isBool ? "And" : "BitwiseAnd";
    break;
  case BinaryKind::Or:
    type = isBool ? "Or" : "BitwiseOr";
    break;
  case BinaryKind::Xor:
    type = isBool ? "Xor" : "BitwiseXor";
    break;
  case BinaryKind::ShiftLeft:
  case BinaryKind::ShiftRight:
    type = "BitShift";
    attributes.push_back({"direction", op.getKind() == BinaryKind::ShiftLeft
                                           ? "LEFT"
                                           : "RIGHT"});
    break;
  case BinaryKind::Equal:
    type = "Equal";
    break;
  case BinaryKind::Less:
    type = "Less";
    break;
  case BinaryKind::LessEqual:
    type = "LessOrEqual";
    break;
  case BinaryKind::Greater:
    type = "Greater";
    break;
  case BinaryKind::GreaterEqual:
    type = "GreaterOrEqual";
    break;
  }
  if (!type)
    return std::nullopt;
  std::string value = graph.node(
      type, {graph.name(op.getLhs()), graph.name(op.getRhs())}, attributes);
  return finish(graph, value, nullptr, op.getActivation());
}

static Name exportMaxPool(GraphBuilder &graph, MaxPoolOp op) {
  if (op.getLayout() != Layout::ChannelsFirst)
    return std::nullopt;
  auto attributes = windowAttributes(op, op.getKernel());
  attributes.push_back({"ceil_mode", int64_t(op.getCeilMode())});
  return graph.node("MaxPool", {graph.name(op.getInput())}, attributes);
}

static Name exportAvgPool(GraphBuilder &graph, AvgPoolOp op) {
  // Dilated windows came with opset 19.
  bool dilated = llvm::any_of(op.getDilations(), [](auto d) { return d != 1; });
  if (op.getLayout() != Layout::ChannelsFirst || dilated)
    return std::nullopt;
  return graph.node("AveragePool", {graph.name(op.getInput())},
                    {{"kernel_shape", Ints(op.getKernel())},
                     {"strides", Ints(op.getStrides())},
                     {"pads", Ints(op.getPads())},
                     {"ceil_mode", int64_t(op.getCeilMode())},
                     {"count_include_pad", int64_t(op.getCountIncludePad())}});
}

static std::string reduce(GraphBuilder &graph, const char *type,
                          const std::string &input, ArrayRef<int64_t> axes,
                          bool keepdims) {
  NodeAttr keep{"keepdims", int64_t(keepdims)};
  // Axes became an operand in opset 13 (sum) and 18 (the others).
  if (graph.opset() >= 18 || StringRef(type) == "ReduceSum")
    return graph.node(type, {input, graph.ints("axes", axes)}, {keep});
  return graph.node(type, {input}, {{"axes", Ints(axes)}, keep});
}

static Name exportReduce(GraphBuilder &graph, ReduceOp op) {
  static const char *const types[] = {
      "ReduceSum",       "ReduceMean",     "ReduceMax", "ReduceMin",
      "ReduceProd",      "ReduceL1",       "ReduceL2",  "ReduceLogSum",
      "ReduceLogSumExp", "ReduceSumSquare"};
  std::string input = graph.name(op.getInput());
  if (op.getAxes().empty()) // which ONNX takes for all of them
    return graph.node("Identity", {input});
  // Runtimes that have an integer kernel have it for this. They pool floats,
  // and up to three dimensions.
  RankedTensorType type = typeOf(op.getInput());
  int64_t rank = type.getRank();
  if (op.getKind() == ReduceKind::Mean && type.getElementType().isF32() &&
      rank > 2 && rank <= 5 && op.getKeepdims() &&
      llvm::equal(op.getAxes(), llvm::seq<int64_t>(2, rank)))
    return graph.node("GlobalAveragePool", {input});
  return reduce(graph, types[size_t(op.getKind())], input, op.getAxes(),
                op.getKeepdims());
}

/// (x - mean) / sqrt(variance + epsilon)
static Name exportNormalize(GraphBuilder &graph, NormalizeOp op) {
  std::string value = graph.name(op.getInput());
  if (!op.getRms())
    value = graph.node(
        "Sub", {value, reduce(graph, "ReduceMean", value, op.getAxes(), true)});
  std::string square = graph.node("Mul", {value, value});
  std::string variance =
      reduce(graph, "ReduceMean", square, op.getAxes(), true);
  std::string shifted = graph.node(
      "Add", {variance, graph.scalar(op.getEpsilon().convertToFloat())});
  return graph.node("Div", {value, graph.node("Sqrt", {shifted})});
}

static Name exportSlice(GraphBuilder &graph, SliceOp op) {
  Ints ends, axes;
  for (auto [start, size, step] :
       llvm::zip(op.getStarts(), op.getSizes(), op.getSteps())) {
    int64_t end = start + size * step;
    // Below 0 ONNX counts from the end.
    ends.push_back(end < 0 ? std::numeric_limits<int64_t>::min() : end);
    axes.push_back(int64_t(axes.size()));
  }
  return graph.node(
      "Slice", {graph.name(op.getInput()), graph.ints("starts", op.getStarts()),
                graph.ints("ends", ends), graph.ints("axes", axes),
                graph.ints("steps", op.getSteps())});
}

static Name exportPad(GraphBuilder &graph, PadOp op) {
  static const char *const modes[] = {"constant", "reflect", "edge", "wrap"};
  if (!typeOf(op.getInput()).getElementType().isF32())
    return std::nullopt;
  bool constant = op.getMode() == PadMode::Constant;
  return graph.node(
      "Pad",
      {graph.name(op.getInput()), graph.ints("pads", op.getPads()),
       constant ? graph.scalar(float(op.getValue().convertToDouble()))
                : std::string()},
      {{"mode", std::string(modes[size_t(op.getMode())])}});
}

static Name exportResize(GraphBuilder &graph, ResizeOp op) {
  static const char *const modes[] = {"nearest", "linear", "cubic"};
  if (op.getCoordMode() == CoordMode::HalfPixelSymmetric && graph.opset() < 19)
    return std::nullopt;
  SmallVector<NodeAttr> attributes = {
      {"mode", std::string(modes[size_t(op.getMode())])},
      {"coordinate_transformation_mode",
       stringifyCoordMode(op.getCoordMode()).str()},
      {"nearest_mode", stringifyNearestMode(op.getNearestMode()).str()},
      {"cubic_coeff_a", op.getCubicCoeff().convertToFloat()},
      {"exclude_outside", int64_t(op.getExcludeOutside())}};
  std::string input = graph.name(op.getInput());
  // The factors map coordinates; the extents follow from them, or they from the
  // extents.
  bool fromScales = true;
  for (auto [in, out, scale] : llvm::zip(typeOf(op.getInput()).getShape(),
                                         op.getSizes(), op.getScales()))
    fromScales &= int64_t(std::floor(double(in) * double(scale))) == out;
  if (fromScales)
    return graph.node("Resize",
                      {input, "", graph.floats("scales", op.getScales())},
                      attributes);
  return graph.node("Resize",
                    {input, "", "", graph.ints("sizes", op.getSizes())},
                    attributes);
}

/// ONNX has indices of i64, `result` maybe fewer bits.
static std::string asType(GraphBuilder &graph, Value result,
                          std::string indices) {
  Type element = typeOf(result).getElementType();
  if (element.isInteger(64))
    return indices;
  return graph.node("Cast", {indices}, {{"to", int64_t(getDType(element))}});
}

static Name exportSmall(GraphBuilder &graph, Operation *op) {
  return llvm::TypeSwitch<Operation *, Name>(op)
      .Case([&](UnaryOp unary) {
        return exportUnary(
            graph, unary.getKind(), unary.getAlpha().convertToFloat(),
            unary.getBeta().convertToFloat(), graph.name(unary.getInput()));
      })
      .Case([&](SelectOp select) {
        return graph.node("Where", {graph.name(select.getCondition()),
                                    graph.name(select.getOnTrue()),
                                    graph.name(select.getOnFalse())});
      })
      .Case([&](MatmulIntegerOp product) {
        return graph.node("MatMulInteger",
                          {graph.name(product.getLhs()),
                           graph.name(product.getRhs()),
                           nameIf(graph, product.getLhsZeroPoint()),
                           nameIf(graph, product.getRhsZeroPoint())});
      })
      .Case([&](ArgReduceOp arg) {
        return asType(
            graph, arg.getResult(),
            graph.node(arg.getMinimum() ? "ArgMin" : "ArgMax",
                       {graph.name(arg.getInput())},
                       {{"axis", int64_t(arg.getAxis())},
                        {"keepdims", int64_t(arg.getKeepdims())},
                        {"select_last_index", int64_t(arg.getSelectLast())}}));
      })
      .Case<ScatterElementsOp, ScatterNDOp>([&](auto scatter) {
        SmallVector<NodeAttr> attributes;
        if (auto elements = dyn_cast<ScatterElementsOp>(op))
          attributes.push_back({"axis", int64_t(elements.getAxis())});
        if (scatter.getReduction() != ScatterReduction::None)
          attributes.push_back(
              {"reduction",
               stringifyScatterReduction(scatter.getReduction()).str()});
        return graph.node(
            isa<ScatterNDOp>(op) ? "ScatterND" : "ScatterElements",
            {graph.name(scatter.getInput()), graph.name(scatter.getIndices()),
             graph.name(scatter.getUpdates())},
            attributes);
      })
      .Case([&](GridSampleOp sample) {
        std::string grid = graph.name(sample.getGrid());
        if (sample.getInPixels()) {
          SmallVector<float> scales, offsets;
          for (int64_t extent : llvm::reverse(
                   sample.getInput().getType().getShape().drop_front(2))) {
            scales.push_back(float(2.0 / double(extent)));
            offsets.push_back(float(1.0 / double(extent) - 1));
          }
          grid = graph.node("Mul", {grid, graph.floats("scale", scales)});
          grid = graph.node("Add", {grid, graph.floats("offset", offsets)});
        }
        return graph.node(
            "GridSample", {graph.name(sample.getInput()), grid},
            {{"mode", stringifyResizeMode(sample.getMode()).str()},
             {"padding_mode", stringifySampleBorder(sample.getBorder()).str()},
             {"align_corners", int64_t(sample.getAlignCorners())}});
      })
      .Case([&](RoiAlignOp align) {
        return graph.node(
            "RoiAlign",
            {graph.name(align.getInput()), graph.name(align.getRois()),
             graph.name(align.getBatchIndices())},
            {{"coordinate_transformation_mode",
              align.getHalfPixel() ? "half_pixel" : "output_half_pixel"},
             {"mode", align.getMaximum() ? "max" : "avg"},
             {"output_height", int64_t(align.getOutputHeight())},
             {"output_width", int64_t(align.getOutputWidth())},
             {"sampling_ratio", int64_t(align.getSamplingRatio())},
             {"spatial_scale", align.getSpatialScale().convertToFloat()}});
      })
      .Case([&](SoftmaxOp softmax) {
        return graph.node(softmax.getLog() ? "LogSoftmax" : "Softmax",
                          {graph.name(softmax.getInput())},
                          {{"axis", int64_t(softmax.getAxis())}});
      })
      .Case([&](BatchNormOp norm) -> Name {
        if (norm.getAxis() != 1)
          return std::nullopt;
        return graph.node(
            "BatchNormalization",
            {graph.name(norm.getInput()), graph.name(norm.getScale()),
             graph.name(norm.getShift()), graph.name(norm.getMean()),
             graph.name(norm.getVariance())},
            {{"epsilon", norm.getEpsilon().convertToFloat()}});
      })
      .Case([&](LrnOp lrn) -> Name {
        if (lrn.getAxis() != 1)
          return std::nullopt;
        return graph.node("LRN", {graph.name(lrn.getInput())},
                          {{"size", int64_t(lrn.getSize())},
                           {"alpha", lrn.getAlpha().convertToFloat()},
                           {"beta", lrn.getBeta().convertToFloat()},
                           {"bias", lrn.getBias().convertToFloat()}});
      })
      .Case([&](ReshapeOp reshape) {
        return graph.node("Reshape",
                          {graph.name(reshape.getInput()),
                           graph.ints("shape", typeOf(reshape).getShape())});
      })
      .Case([&](TransposeOp transpose) {
        return graph.node("Transpose", {graph.name(transpose.getInput())},
                          {{"perm", Ints(transpose.getPermutation())}});
      })
      .Case([&](ConcatOp concat) {
        SmallVector<std::string> inputs;
        for (Value input : concat.getInputs())
          inputs.push_back(graph.name(input));
        return graph.node("Concat", inputs,
                          {{"axis", int64_t(concat.getAxis())}});
      })
      .Case([&](ExpandOp expand) {
        return graph.node("Expand", {graph.name(expand.getInput()),
                                     graph.ints("shape", expand.getShape())});
      })
      .Case([&](GatherOp gather) {
        return graph.node(
            "Gather",
            {graph.name(gather.getInput()), graph.name(gather.getIndices())},
            {{"axis", int64_t(gather.getAxis())}});
      })
      .Default([](Operation *) { return std::nullopt; });
}

/// Whether all tensors are plain, or the op only moves elements of one type.
static bool hasPlainForm(Operation *op) {
  auto isQuantized = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && isa<quant::QuantizedType>(type.getElementType());
  };
  bool quantized = llvm::any_of(op->getOperands(), isQuantized) ||
                   llvm::any_of(op->getResults(), isQuantized);
  return !quantized ||
         isa<ReshapeOp, TransposeOp, ConcatOp, SliceOp, ExpandOp, GatherOp>(op);
}

static bool exportTopK(GraphBuilder &graph, TopKOp op) {
  std::vector<std::string> names = graph.nodes(
      "TopK", {graph.name(op.getInput()), graph.ints("k", int64_t(op.getK()))},
      2,
      {{"axis", int64_t(op.getAxis())},
       {"largest", int64_t(!op.getSmallest())}});
  graph.nameLastNode();
  graph.define(op.getValues(), names[0]);
  graph.define(op.getIndices(), asType(graph, op.getIndices(), names[1]));
  return true;
}

bool onnx_export::exportOp(GraphBuilder &graph, Operation *op) {
  if (exportCast(graph, op))
    return true;
  if (auto topK = dyn_cast<TopKOp>(op))
    return exportTopK(graph, topK);
  if (auto recurrence = dyn_cast<RecurrenceOp>(op))
    return exportRecurrence(graph, recurrence);
  if (!hasPlainForm(op) || op->getNumResults() != 1)
    return false;
  Name name =
      llvm::TypeSwitch<Operation *, Name>(op)
          .Case([&](ConvOp conv) { return exportConv(graph, conv); })
          .Case([&](ConvTransposeOp conv) {
            return exportConvTranspose(graph, conv);
          })
          .Case([&](ConvIntegerOp conv) {
            return exportConvInteger(graph, conv);
          })
          .Case([&](MatmulOp product) { return exportMatmul(graph, product); })
          .Case([&](BlockMatmulOp product) -> Name {
            auto weights = exportBlockWeights(graph, product);
            if (!weights)
              return std::nullopt;
            return graph.node("MatMul",
                              {graph.name(product.getInput()), *weights});
          })
          .Case([&](BinaryOp binary) { return exportBinary(graph, binary); })
          .Case([&](MaxPoolOp pool) { return exportMaxPool(graph, pool); })
          .Case([&](AvgPoolOp pool) { return exportAvgPool(graph, pool); })
          .Case([&](ReduceOp reduce) { return exportReduce(graph, reduce); })
          .Case([&](NormalizeOp norm) { return exportNormalize(graph, norm); })
          .Case([&](SliceOp slice) { return exportSlice(graph, slice); })
          .Case([&](PadOp pad) { return exportPad(graph, pad); })
          .Case([&](ResizeOp resize) { return exportResize(graph, resize); })
          .Default([&](Operation *other) { return exportSmall(graph, other); });
  if (!name)
    return false;
  graph.define(op->getResult(0), *name);
  // Importing the file again gives the op the name that it has here.
  graph.nameLastNode();
  return true;
}
