//===- MatrixOperands.cpp - Ops that are matrix products ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixOperands.h"
#include "ByteSum.h"
#include "FactorCast.h"
#include "ResultQuantize.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/QuantMath.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

std::optional<MatrixOperands> MatrixOperands::match(Operation *op,
                                                    const TargetLevel &level) {
  MatrixOperands operands;
  bool matches = false;
  if (auto conv = dyn_cast<ConvOp>(op))
    matches = operands.matchConv(conv, level);
  else if (auto matmul = dyn_cast<MatmulOp>(op))
    matches = operands.matchMatmul(matmul, level);
  if (!matches)
    return std::nullopt;
  operands.takeFollowers(op);
  return operands;
}

std::optional<MatrixOperands> MatrixOperands::match(ConvTransposeOp op,
                                                    const TransposedPart &part,
                                                    const TargetLevel &level) {
  MatrixOperands operands;
  operands.part = part;
  operands.shape = part.shape();
  operands.input = op.getInput();
  operands.result = op.getResult();
  if (!operands.matchArithmetic(op.getFilter(), 1, op.getBias(),
                                op.getActivationAttr(), level))
    return std::nullopt;
  operands.takeFollowers(op);
  return operands;
}

/// Ops behind `op` that the kernel computes, too.
void MatrixOperands::takeFollowers(Operation *op) {
  resultPitch = resultChannels();
  if (LutOp table = findResultTable(op)) {
    this->table = table;
    result = table.getResult();
    epilogue.hasTable = true;
  }
  if (QuantizeOp quantize = findResultQuantize(op); quantize && !isInteger()) {
    this->quantize = quantize;
    result = quantize.getResult();
    epilogue.requantize = quantizeResult(quantize, epilogue.activation);
    epilogue.result = epilogue.requantize->bits == 8
                          ? MatrixEpilogue::Result::Bytes
                          : MatrixEpilogue::Result::Words;
  }
  if (CastOp cast = findFactorCast(op);
      cast && epilogue.result == MatrixEpilogue::Result::Float) {
    factorCast = cast;
    result = cast.getResult();
  }
  if (isInteger() && epilogue.result == MatrixEpilogue::Result::Bytes)
    if (BinaryOp sum = findResultSum(op, result))
      takeSum(sum);
}

void MatrixOperands::takeSum(BinaryOp op) {
  ByteSum byteSum = *ByteSum::get(op);
  unsigned own = operandOf(op, result);
  other = skipStorageCasts(op->getOperand(1 - own));
  auto termOf = [&](unsigned operand) {
    quant::UniformQuantizedType type =
        getActivationType(op->getOperand(operand));
    MatrixEpilogue::Residual r;
    r.isFloat = false;
    r.isUnsigned = !type.isSigned();
    r.zeroPoint = type.getZeroPoint();
    r.scale = byteSum.factors[operand];
    return r;
  };
  epilogue.sum = {termOf(own), termOf(1 - own), byteSum.requantize};
  sum = op;
  result = op.getResult();
}

void MatrixOperands::keepSign() {
  if (!flip)
    return;
  flip = false;
  isSigned = true;
  // Flipped activations and their zero point are 128 larger.
  int64_t depth = shape.taps() * (shape.c / shape.group);
  for (auto [column, offset] : llvm::enumerate(offsets)) {
    int64_t sum = 0;
    for (int64_t i = 0; i < depth; ++i)
      sum += intWeight(int64_t(column), i);
    offset = int32_t(uint32_t(offset + 128 * sum));
  }
}

int64_t MatrixOperands::weightAt(int64_t column, int64_t index) const {
  if (part)
    return part->weightAt(column, index);
  if (joinedGroups > 1) {
    int64_t groups = shape.group * joinedGroups;
    int64_t depth = shape.taps() * (shape.c / groups);
    index -= column / (shape.oc / groups) % joinedGroups * depth;
    if (index < 0 || index >= depth)
      return -1;
  }
  return column * channelStride + index * elementStride;
}

/// How many groups to compute as one: small ones leave most of a vector empty,
/// and many are gathered one by one. Compares estimates of cycles per row.
static int64_t groupsToJoin(const ConvShape &s, int64_t elementBytes,
                            const TargetLevel &level) {
  int64_t inChannels = s.c / s.group, outChannels = s.oc / s.group;
  auto cycles = [&](int64_t joined) {
    int64_t bytes = joined * inChannels * elementBytes;
    double vectors = llvm::divideCeil(joined * outChannels, level.lanes());
    double products = double(llvm::divideCeil(s.taps() * bytes, 4)) / 2;
    double results = 3;
    bool isBand = joined == s.group && s.dw == 1 && !s.isVolume();
    double copies =
        double(s.taps() * llvm::divideCeil(bytes, level.vectorBytes)) *
        (isBand ? 0.5 : 2);
    return double(s.group / joined) *
           (vectors * (products + results) + copies + 4);
  };
  int64_t best = 1;
  for (int64_t joined = 2; joined <= s.group; ++joined)
    if (s.group % joined == 0 && cycles(joined) < cycles(best))
      best = joined;
  return best;
}

bool MatrixOperands::matchConv(ConvOp op, const TargetLevel &level) {
  std::optional<ConvShape> conv = ConvShape::getVolume(op);
  if (!conv)
    return false;
  shape = *conv;
  // The reference kernel computes neighbouring channels together.
  if (shape.isVolume() && shape.c == shape.group && shape.oc == shape.group)
    return false;
  input = op.getInput();
  result = op.getResult();
  residual = op.getResidual();
  channelStride = shape.taps() * (shape.c / shape.group);
  if (shape.group > 1 && shape.c > 0 && shape.oc > 0) {
    unsigned bits = getStorageType(tensorTypeOf(input).getElementType())
                        .getIntOrFloatBitWidth();
    joinedGroups = groupsToJoin(shape, llvm::divideCeil(bits, 8), level);
    shape.group /= joinedGroups;
  }
  return matchArithmetic(op.getFilter(), 0, op.getBias(),
                         op.getActivationAttr(), level);
}

bool MatrixOperands::matchMatmul(MatmulOp op, const TargetLevel &level) {
  ArrayRef<int64_t> lhs = shapeOf(op.getLhs()), rhs = shapeOf(op.getRhs());
  if (op.getTransposeLhs() || rhs.size() < 2)
    return false;
  // One matrix on the right for all on the left.
  if (llvm::any_of(rhs.drop_back(2), [](int64_t d) { return d != 1; }) ||
      rhs.size() > std::max<size_t>(lhs.size(), 2))
    return false;
  bool transposed = op.getTransposeRhs();
  int64_t depth = lhs.back(), columns = rhs[rhs.size() - (transposed ? 2 : 1)];
  int64_t rows = 1;
  for (int64_t d : lhs.drop_back())
    rows *= d;
  shape = {/*n=*/1,    /*h=*/1,  /*w=*/rows, /*c=*/depth, /*oh=*/1,
           rows,       columns,  /*kh=*/1,   /*kw=*/1,    /*sh=*/1,
           /*sw=*/1,   /*dh=*/1, /*dw=*/1,   /*padT=*/0,  /*padL=*/0,
           /*group=*/1};
  input = op.getLhs();
  result = op.getResult();
  residual = op.getResidual();
  channelStride = transposed ? depth : 1;
  elementStride = transposed ? 1 : columns;
  // A bias that is more than one number per column is not fused here.
  if (Value bias = op.getBias()) {
    ArrayRef<int64_t> dims = shapeOf(bias);
    if (dims.empty() || dims.back() != columns ||
        tensorTypeOf(bias).getNumElements() != columns)
      return false;
  }
  return matchArithmetic(op.getRhs(), rhs.size() - (transposed ? 2 : 1),
                         op.getBias(), op.getActivationAttr(), level);
}

bool MatrixOperands::matchArithmetic(Value weights, int64_t axis, Value bias,
                                     ActivationAttr activation,
                                     const TargetLevel &level) {
  if (tensorTypeOf(result).getNumElements() == 0 || shape.c == 0)
    return false;
  Type element = tensorTypeOf(input).getElementType();
  if (element.isF32() || element.isBF16()) {
    if (element.isBF16())
      factors = Factors::BF16;
    return matchFloat(weights, axis, bias, activation) && matchResidual();
  }
  return getIntActivationType(input) &&
         matchInteger(weights, axis, bias, activation, level) &&
         matchResidual();
}

bool MatrixOperands::matchResidual() {
  if (!residual)
    return true;
  if (epilogue.result == MatrixEpilogue::Result::Sum)
    return false;
  MatrixEpilogue::Residual r;
  if (auto type = getIntActivationType(residual)) {
    r.isFloat = false;
    r.bits = type.getStorageTypeIntegralWidth();
    r.isUnsigned = !type.isSigned();
    r.zeroPoint = type.getZeroPoint();
    r.scale = getQuantParams(type).scale;
  } else if (!tensorTypeOf(residual).getElementType().isF32()) {
    return false;
  }
  epilogue.residual = r;
  return true;
}

bool MatrixOperands::matchFloat(Value weights, int64_t axis, Value bias,
                                ActivationAttr act) {
  std::optional<ConstantBytes> bytes = ConstantBytes::get(weights);
  std::optional<FloatActivation> activation = FloatActivation::get(act);
  if (!bytes || !activation || !tensorTypeOf(result).getElementType().isF32())
    return false;
  epilogue.activation = *activation;
  if (tensorTypeOf(weights).getElementType().isF32()) {
    ArrayRef<float> values = bytes->as<float>();
    floatFilter.assign(values.begin(), values.end());
  } else if (auto half =
                 dyn_cast<FloatType>(tensorTypeOf(weights).getElementType());
             half && half.getWidth() == 16) {
    ArrayRef<uint16_t> values = bytes->as<uint16_t>();
    halfFilter.assign(values.begin(), values.end());
    halfType = half;
  } else {
    // Weights alone are quantized: the products are those of their real values.
    std::optional<IntFilter> filter = IntFilter::match(weights, axis);
    std::optional<ChannelParams> params =
        ChannelParams::get(tensorTypeOf(weights).getElementType());
    if (!filter || !params)
      return false;
    int64_t depth = shape.taps() * (shape.c / shape.group);
    floatFilter.resize(bytes->bytes().size());
    for (int64_t column = 0; column < columns(); ++column)
      for (int64_t i = 0; i < depth; ++i)
        if (int64_t at = weightAt(column, i); at >= 0)
          floatFilter[at] = float(filter->at(parameterOf(column), at)) *
                            params->scale(parameterOf(column));
  }
  if (bias) {
    std::optional<SmallVector<double>> values = getConstantFloats(bias);
    if (!values || !tensorTypeOf(bias).getElementType().isF32())
      return false;
    for (int64_t column = 0; column < columns(); ++column)
      biases.push_back(float((*values)[channelOf(column)]));
    epilogue.hasBias = true;
  }
  return factors == Factors::Float32 || (halfType && halfType.isBF16());
}

bool MatrixOperands::matchInteger(Value weights, int64_t axis, Value bias,
                                  ActivationAttr act,
                                  const TargetLevel &level) {
  epilogue.isInteger = true;
  quant::UniformQuantizedType inType = getIntActivationType(input);
  unsigned bits = inType.getStorageTypeIntegralWidth();
  bool isWord = bits == 16;
  factors = isWord ? Factors::Int16 : Factors::Int8;
  std::optional<IntFilter> filter = IntFilter::match(weights, axis, bits);
  // qnn-assign-storage leaves 16 bits unsigned nowhere.
  if (!filter || (isWord && !inType.isSigned()))
    return false;
  intFilter = *filter;
  flip = !isWord && inType.isSigned() == level.unsignedActivations;
  padding = isWord ? inType.getZeroPoint() : int8_t(inType.getZeroPoint());
  // The zero point of the activations as the dot product sees them.
  int64_t inZero = inType.getZeroPoint();
  if (flip)
    inZero += inType.isSigned() ? 128 : -128;

  // The result.
  Type resultType = tensorTypeOf(result).getElementType();
  quant::UniformQuantizedType outType = getIntActivationType(result);
  if (outType)
    epilogue.result = outType.getStorageTypeIntegralWidth() == 8
                          ? MatrixEpilogue::Result::Bytes
                          : MatrixEpilogue::Result::Words;
  else if (resultType.isF32())
    epilogue.result = MatrixEpilogue::Result::Float;
  else if (getStorageType(resultType).isInteger(32) && !act)
    epilogue.result = MatrixEpilogue::Result::Sum;
  else
    return false;

  std::optional<ConstantBytes> biasBytes;
  if (bias && tensorTypeOf(bias).getElementType().isF32()) {
    // Added to the real values.
    std::optional<SmallVector<double>> values = getConstantFloats(bias);
    if (!values || epilogue.result == MatrixEpilogue::Result::Sum)
      return false;
    for (int64_t column = 0; column < columns(); ++column)
      biases.push_back(float((*values)[channelOf(column)]));
    epilogue.hasBias = true;
  } else if (bias) {
    biasBytes = ConstantBytes::get(bias);
    if (!biasBytes ||
        !getStorageType(tensorTypeOf(bias).getElementType()).isInteger(32))
      return false;
  }

  QuantParams in = getQuantParams(inType);
  std::optional<ChannelParams> params =
      ChannelParams::get(tensorTypeOf(weights).getElementType());
  if (!params)
    return false;
  // A residual and a float bias are added to the real value, so clamps too are
  // applied to that.
  bool isReal = residual || epilogue.hasBias;
  if (outType) {
    epilogue.requantize =
        Requantize::get(outType, isReal ? ActivationAttr() : act);
    if (!epilogue.requantize)
      return false;
  }
  std::optional<FloatActivation> activation = FloatActivation::get(act);
  if (!activation)
    return false;
  if (!outType)
    epilogue.activation = *activation;
  else if (isReal)
    epilogue.requantize->setActivation(*activation);
  double range = std::max(std::abs(double(in.qmin - in.zeroPoint)),
                          std::abs(double(in.qmax - in.zeroPoint)));
  double bound = 0; // of the magnitude of what is rounded
  bool fits = true; // real weights in as many signed bits
  int64_t largestWeight = isWord ? INT16_MAX : INT8_MAX;
  int64_t depth = shape.taps() * (shape.c / shape.group);
  for (int64_t column = 0; column < columns(); ++column) {
    int64_t sum = 0, magnitude = 0, parameter = parameterOf(column);
    for (int64_t i = 0; i < depth; ++i) {
      int64_t w = intWeight(column, i);
      fits &= w >= -largestWeight - 1 && w <= largestWeight;
      sum += w;
      magnitude += std::abs(w);
    }
    int64_t offset =
        biasBytes ? biasBytes->as<int32_t>()[channelOf(column)] : 0;
    double largest = double(magnitude) * range + std::abs(double(offset));
    if (largest >= 2147483648.0)
      return false; // the reference sums in 64 bits
    // The real value is wanted where more than a rounding follows.
    float scale = outType && !isReal ? epilogue.requantize->multiplier(
                                           in.scale, params->scale(parameter))
                                     : in.scale * params->scale(parameter);
    if (!std::isfinite(scale))
      return false;
    bound = std::max(bound, largest * double(scale));
    // Sums wrap around on the way; only the totals fit in 32 bits.
    offsets.push_back(int32_t(uint32_t(offset - inZero * sum)));
    scales.push_back(scale);
  }
  if (!fits && isWord)
    return false;
  if (!fits)
    for (int64_t column = 0; column < columns(); ++column)
      zeroPoints.push_back(params->zeroPoint(parameterOf(column)) -
                           (intFilter.isUnsigned ? 128 : 0));
  if (!fits && llvm::all_equal(zeroPoints))
    commonZeroPoint = zeroPoints.front();

  if (outType && !isReal)
    epilogue.requantize->setBound(bound);
  quant::UniformQuantizedType residualType =
      residual ? getIntActivationType(residual) : quant::UniformQuantizedType();
  // A float residual may be anything, so nothing bounds the result.
  if (outType && isReal && (!residual || residualType)) {
    double largestBias = 0;
    for (float value : biases)
      largestBias = std::isfinite(value)
                        ? std::max(largestBias, std::abs(double(value)))
                        : std::numeric_limits<double>::infinity();
    bound += largestBias;
    if (residualType) {
      QuantParams r = getQuantParams(residualType);
      double steps = std::max(r.qmax - r.zeroPoint, r.zeroPoint - r.qmin);
      bound += steps * double(r.scale);
    }
    epilogue.requantize->setRealBound(bound);
  }
  return true;
}
