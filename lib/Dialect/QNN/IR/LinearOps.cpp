//===- LinearOps.cpp - Convolutions and matrix products -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

//===----------------------------------------------------------------------===//
// Shared by the convolutions
//===----------------------------------------------------------------------===//

namespace {
/// Where the dimensions of an image tensor are.
struct ImageDims {
  ImageDims(ArrayRef<int64_t> shape, Layout layout) {
    spatialRank = int64_t(shape.size()) - 2;
    channelDim = layout == Layout::ChannelsLast ? spatialRank + 1 : 1;
    firstSpatial = layout == Layout::ChannelsLast ? 1 : 2;
  }
  int64_t spatialRank, channelDim, firstSpatial;
};
} // namespace

/// Checks what conv, conv_integer and conv_transpose have in common.
static LogicalResult
checkConv(const InferenceError &error, ArrayRef<int64_t> input,
          ArrayRef<int64_t> filter, ArrayRef<int64_t> strides,
          ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads, int64_t group,
          Layout layout) {
  ImageDims dims(input, layout);
  if (dims.spatialRank < 1)
    return error("needs an input of rank 3 to 5, has ", formatShape(input));
  if (filter.size() != input.size())
    return error("needs a filter of rank ", input.size(), ", has ",
                 formatShape(filter));
  if (failed(checkWindow(error, dims.spatialRank, filter.drop_front(2), strides,
                         dilations, pads)))
    return failure();
  if (!allWithin(input, 0, kMaxExtent) || !allWithin(filter, 1, kMaxExtent))
    return error("needs extents below 2^31 and a filter that is not empty");
  if (group < 1 || group > kMaxExtent)
    return error("needs group >= 1, has ", group);
  if (input[dims.channelDim] % group != 0)
    return error("has ", input[dims.channelDim],
                 " input channels, not divisible by group ", group);
  return success();
}

static LogicalResult
inferConv(const InferenceError &error, ArrayRef<int64_t> input,
          ArrayRef<int64_t> filter, ArrayRef<int64_t> strides,
          ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads, int64_t group,
          Layout layout, Shape &result) {
  if (failed(checkConv(error, input, filter, strides, dilations, pads, group,
                       layout)))
    return failure();
  ImageDims dims(input, layout);
  int64_t channels = input[dims.channelDim];
  if (filter[1] * group != channels)
    return error("has ", channels, " input channels, but the filter takes ",
                 filter[1], " in each of ", group, " groups");
  if (filter[0] % group != 0)
    return error("has ", filter[0], " output channels, not divisible by group ",
                 group);
  result.assign(input.begin(), input.end());
  result[dims.channelDim] = filter[0];
  for (int64_t i = 0; i < dims.spatialRank; ++i) {
    int64_t padded =
        input[dims.firstSpatial + i] + pads[i] + pads[i + dims.spatialRank];
    int64_t window = (filter[2 + i] - 1) * dilations[i] + 1;
    if (window > padded)
      return error("has a window of ", window, " in a padded extent of ",
                   padded);
    result[dims.firstSpatial + i] = (padded - window) / strides[i] + 1;
  }
  return success();
}

/// bias [channels] and residual of the result's shape.
static LogicalResult checkBias(const InferenceError &error, Value bias,
                               int64_t channels) {
  if (bias && shapeOf(bias) != ArrayRef<int64_t>{channels})
    return error("needs a bias of ", channels, " elements, has ",
                 formatShape(shapeOf(bias)));
  return success();
}

static LogicalResult checkResidual(const InferenceError &error, Value residual,
                                   ArrayRef<int64_t> result) {
  if (residual && shapeOf(residual) != result)
    return error("needs a residual of the result's shape ", formatShape(result),
                 ", has ", formatShape(shapeOf(residual)));
  return success();
}

//===----------------------------------------------------------------------===//
// ConvOp
//===----------------------------------------------------------------------===//

QNN_INFER(ConvOp) {
  InferenceError error(loc, getOperationName());
  Shape result;
  if (failed(inferConv(error, shapeOf(adaptor.getInput()),
                       shapeOf(adaptor.getFilter()), adaptor.getStrides(),
                       adaptor.getDilations(), adaptor.getPads(),
                       adaptor.getGroup(), adaptor.getLayout(), result)) ||
      failed(checkBias(error, adaptor.getBias(),
                       shapeOf(adaptor.getFilter())[0])) ||
      failed(checkResidual(error, adaptor.getResidual(), result)))
    return failure();
  return addResult(error, results, result);
}

LogicalResult ConvOp::verify() {
  return verifyContraction(*this, getInput(), getFilter(), getBias(),
                           getResidual(), /*weightAxis=*/0,
                           getActivation().has_value());
}

bool ConvOp::isDepthwise() {
  return getGroup() > 1 &&
         int64_t(getGroup()) == shapeOf(getInput())[getChannelDim()];
}

SmallVector<unsigned> ConvOp::getActivationOperands() {
  if (getResidual())
    return {0, getBias() ? 3u : 2u};
  return {0};
}
std::optional<unsigned> ConvOp::getWeightOperand() { return 1; }
int64_t ConvOp::getWeightChannelAxis() { return 0; }
std::optional<unsigned> ConvOp::getBiasOperand() {
  return getBias() ? std::optional<unsigned>(2) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// ConvTransposeOp
//===----------------------------------------------------------------------===//

QNN_INFER(ConvTransposeOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> filter = shapeOf(adaptor.getFilter());
  int64_t group = adaptor.getGroup();
  if (failed(checkConv(error, input, filter, adaptor.getStrides(),
                       adaptor.getDilations(), adaptor.getPads(), group,
                       adaptor.getLayout())))
    return failure();
  ImageDims dims(input, adaptor.getLayout());
  ArrayRef<int64_t> outputPadding = adaptor.getOutputPadding();
  if (int64_t(outputPadding.size()) != dims.spatialRank ||
      !allWithin(outputPadding, 0, kMaxExtent))
    return error("needs ", dims.spatialRank, " output paddings in [0, 2^31)");
  if (filter[0] != input[dims.channelDim])
    return error("has ", input[dims.channelDim],
                 " input channels, but the filter takes ", filter[0]);
  if (filter[1] > kMaxExtent / group)
    return error("has too many output channels");
  Shape result(input);
  result[dims.channelDim] = filter[1] * group;
  ArrayRef<int64_t> pads = adaptor.getPads();
  for (int64_t i = 0; i < dims.spatialRank; ++i) {
    int64_t in = input[dims.firstSpatial + i];
    int64_t extent = adaptor.getStrides()[i] * (in - 1) + outputPadding[i] +
                     (filter[2 + i] - 1) * adaptor.getDilations()[i] + 1 -
                     pads[i] - pads[i + dims.spatialRank];
    if (in < 1 || extent < 1)
      return error("gives a spatial extent of ", extent);
    result[dims.firstSpatial + i] = extent;
  }
  if (failed(checkBias(error, adaptor.getBias(), result[dims.channelDim])))
    return failure();
  return addResult(error, results, result);
}

LogicalResult ConvTransposeOp::verify() {
  // A scale for each output channel of a group, or where there is one, for each
  // group.
  auto perAxis =
      dyn_cast<quant::UniformQuantizedPerAxisType>(elementType(getFilter()));
  bool isAlongGroups = getWeightChannelAxis() == 0 && perAxis &&
                       perAxis.getQuantizedDimension() == 0;
  return verifyContraction(*this, getInput(), getFilter(), getBias(),
                           /*residual=*/{},
                           /*weightAxis=*/isAlongGroups ? 0 : 1,
                           getActivation().has_value());
}

SmallVector<unsigned> ConvTransposeOp::getActivationOperands() { return {0}; }
std::optional<unsigned> ConvTransposeOp::getWeightOperand() { return 1; }
int64_t ConvTransposeOp::getWeightChannelAxis() {
  if (getGroup() == 1)
    return 1;
  // With groups, one column of the filter serves several output channels,
  // unless each channel is a group.
  ArrayRef<int64_t> filter = shapeOf(getFilter());
  return filter[0] == int64_t(getGroup()) && filter[1] == 1 ? 0 : -1;
}
std::optional<unsigned> ConvTransposeOp::getBiasOperand() {
  return getBias() ? std::optional<unsigned>(2) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// MatmulOp
//===----------------------------------------------------------------------===//

/// The shape of a matrix product, as NumPy has it.
static LogicalResult inferMatmul(const InferenceError &error,
                                 ArrayRef<int64_t> lhsShape,
                                 ArrayRef<int64_t> rhsShape, bool transposeLhs,
                                 bool transposeRhs, Shape &result) {
  Shape lhs(lhsShape), rhs(rhsShape);
  if (lhs.empty() || rhs.empty())
    return error("needs operands of rank 1 or more");
  if ((transposeLhs && lhs.size() < 2) || (transposeRhs && rhs.size() < 2))
    return error("can only transpose an operand of rank 2 or more");
  if (transposeLhs)
    std::swap(lhs[lhs.size() - 2], lhs[lhs.size() - 1]);
  if (transposeRhs)
    std::swap(rhs[rhs.size() - 2], rhs[rhs.size() - 1]);
  bool vectorLhs = lhs.size() == 1, vectorRhs = rhs.size() == 1;
  if (vectorLhs)
    lhs.insert(lhs.begin(), 1);
  if (vectorRhs)
    rhs.push_back(1);
  if (lhs.back() != rhs[rhs.size() - 2])
    return error("has ", lhs.back(), " columns on the left, but ",
                 rhs[rhs.size() - 2], " rows on the right");
  auto batch = broadcast(ArrayRef<int64_t>(lhs).drop_back(2),
                         ArrayRef<int64_t>(rhs).drop_back(2));
  if (!batch)
    return error("batch dimensions do not broadcast: ", formatShape(lhsShape),
                 " and ", formatShape(rhsShape));
  result = *batch;
  if (!vectorLhs)
    result.push_back(lhs[lhs.size() - 2]);
  if (!vectorRhs)
    result.push_back(rhs.back());
  return success();
}

QNN_INFER(MatmulOp) {
  InferenceError error(loc, getOperationName());
  Shape result;
  if (failed(inferMatmul(error, shapeOf(adaptor.getLhs()),
                         shapeOf(adaptor.getRhs()), adaptor.getTransposeLhs(),
                         adaptor.getTransposeRhs(), result)))
    return failure();
  if (Value bias = adaptor.getBias()) {
    auto shape = broadcast(result, shapeOf(bias));
    if (!shape || *shape != result)
      return error("needs a bias that broadcasts to ", formatShape(result),
                   ", has ", formatShape(shapeOf(bias)));
  }
  if (failed(checkResidual(error, adaptor.getResidual(), result)))
    return failure();
  return addResult(error, results, result);
}

/// The dimension of the right operand that selects the result's column.
static int64_t columnDim(MatmulOp op) {
  int64_t rank = int64_t(shapeOf(op.getRhs()).size());
  if (rank < 2)
    return -1;
  return op.getTransposeRhs() ? rank - 2 : rank - 1;
}

LogicalResult MatmulOp::verify() {
  return verifyContraction(*this, getLhs(), getRhs(), getBias(), getResidual(),
                           columnDim(*this), getActivation().has_value());
}

/// Whether a value is a constant, maybe seen through ops that keep its values.
static bool isWeight(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<ConstantOp>(op))
      return true;
    if (!isa<QuantizeOp, DequantizeOp, RequantizeOp, StorageCastOp, ReshapeOp,
             TransposeOp>(op))
      return false;
    value = op->getOperand(0);
  }
  return false;
}

/// What reshaping, cutting, clamping or a root was applied to.
static Value stripSpectrum(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    auto unary = dyn_cast<UnaryOp>(op);
    bool isRoot = unary && (unary.getKind() == UnaryKind::Sqrt ||
                            unary.getKind() == UnaryKind::Clamp ||
                            unary.getKind() == UnaryKind::Relu);
    if (!isRoot && !isa<ReshapeOp, TransposeOp, SliceOp, CastOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

static bool isSquare(Value value) {
  auto binary = stripSpectrum(value).getDefiningOp<BinaryOp>();
  if (!binary)
    return false;
  if (binary.getKind() == BinaryKind::Mul)
    return binary.getLhs() == binary.getRhs();
  if (binary.getKind() != BinaryKind::Pow)
    return false;
  auto exponent = getConstantFloats(binary.getRhs());
  return exponent && exponent->size() == 1 && exponent->front() == 2;
}

/// Whether `value` is the power or magnitude of complex numbers: a sum of two
/// squares, or its root.
static bool isSpectrum(Value value) {
  value = stripSpectrum(value);
  auto binary = value.getDefiningOp<BinaryOp>();
  while (binary && binary.getKind() == BinaryKind::Add) {
    if (isSquare(binary.getLhs()) && isSquare(binary.getRhs()))
      return true;
    // A small number keeps roots and logarithms from zero.
    if (!binary.getRhs().getDefiningOp<ConstantOp>())
      return false;
    value = stripSpectrum(binary.getLhs());
    binary = value.getDefiningOp<BinaryOp>();
  }
  auto reduce = value.getDefiningOp<ReduceOp>();
  if (!reduce || shapeOf(reduce.getInput()).empty())
    return false;
  int64_t inputs = tensorType(reduce.getInput()).getNumElements();
  if (inputs != 2 * tensorType(reduce.getResult()).getNumElements())
    return false;
  return reduce.getKind() == ReduceKind::SumSquare ||
         reduce.getKind() == ReduceKind::L2 ||
         (reduce.getKind() == ReduceKind::Sum && isSquare(reduce.getInput()));
}

bool MatmulOp::isQuantizable() {
  return !getKeepFloat() && !isSpectrum(getLhs());
}

SmallVector<unsigned> MatmulOp::getActivationOperands() {
  SmallVector<unsigned> operands = {0};
  if (!getWeightOperand())
    operands.push_back(1);
  if (getResidual())
    operands.push_back(getBias() ? 3 : 2);
  return operands;
}
std::optional<unsigned> MatmulOp::getWeightOperand() {
  return isWeight(getRhs()) ? std::optional<unsigned>(1) : std::nullopt;
}
int64_t MatmulOp::getWeightChannelAxis() { return columnDim(*this); }
std::optional<unsigned> MatmulOp::getBiasOperand() {
  return getBias() ? std::optional<unsigned>(2) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// ConvIntegerOp, MatmulIntegerOp
//===----------------------------------------------------------------------===//

/// Operands of 8 bits, zero points of their operand's type, int32 out.
static LogicalResult verifyInteger(Operation *op, Value lhs, Value rhs,
                                   Value lhsZeroPoint, Value rhsZeroPoint) {
  for (auto [data, zeroPoint] :
       {std::pair(lhs, lhsZeroPoint), std::pair(rhs, rhsZeroPoint)}) {
    if (!elementType(data).isInteger(8))
      return op->emitOpError("needs 8-bit integers, has ") << elementType(data);
    if (zeroPoint && elementType(zeroPoint) != elementType(data))
      return op->emitOpError("needs a zero point of its operand's type ")
             << elementType(data) << ", has " << elementType(zeroPoint);
  }
  if (!elementType(op->getResult(0)).isSignlessInteger(32))
    return op->emitOpError("gives i32, not ") << elementType(op->getResult(0));
  return success();
}

static LogicalResult checkZeroPoint(const InferenceError &error, Value value,
                                    int64_t count, StringRef what) {
  if (!value)
    return success();
  RankedTensorType type = tensorType(value);
  if (type.getNumElements() == 1)
    return success();
  if (count >= 0 && type.getShape() == ArrayRef<int64_t>{count})
    return success();
  return error("has a zero point of the ", what, " of shape ",
               formatShape(type.getShape()), ", neither a scalar nor one per ",
               what, " channel");
}

QNN_INFER(ConvIntegerOp) {
  InferenceError error(loc, getOperationName());
  Shape result;
  if (failed(inferConv(error, shapeOf(adaptor.getInput()),
                       shapeOf(adaptor.getFilter()), adaptor.getStrides(),
                       adaptor.getDilations(), adaptor.getPads(),
                       adaptor.getGroup(), adaptor.getLayout(), result)) ||
      failed(checkZeroPoint(error, adaptor.getInputZeroPoint(), -1, "input")) ||
      failed(checkZeroPoint(error, adaptor.getFilterZeroPoint(),
                            shapeOf(adaptor.getFilter())[0], "filter")))
    return failure();
  return addResult(error, results, result);
}

LogicalResult ConvIntegerOp::verify() {
  return verifyInteger(*this, getInput(), getFilter(), getInputZeroPoint(),
                       getFilterZeroPoint());
}

QNN_INFER(MatmulIntegerOp) {
  InferenceError error(loc, getOperationName());
  Shape result;
  ArrayRef<int64_t> lhs = shapeOf(adaptor.getLhs());
  ArrayRef<int64_t> rhs = shapeOf(adaptor.getRhs());
  if (failed(inferMatmul(error, lhs, rhs, false, false, result)))
    return failure();
  int64_t rows = lhs.size() < 2 ? -1 : lhs[lhs.size() - 2];
  int64_t columns = rhs.size() < 2 ? -1 : rhs.back();
  if (failed(checkZeroPoint(error, adaptor.getLhsZeroPoint(), rows, "left")) ||
      failed(
          checkZeroPoint(error, adaptor.getRhsZeroPoint(), columns, "right")))
    return failure();
  return addResult(error, results, result);
}

LogicalResult MatmulIntegerOp::verify() {
  return verifyInteger(*this, getLhs(), getRhs(), getLhsZeroPoint(),
                       getRhsZeroPoint());
}
