//===- ConvShape.cpp - What a convolution kernel is made for --------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConvShape.h"
#include "Interleave.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/QuantMath.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

std::optional<ConvShape> ConvShape::get(ConvOp op) {
  std::optional<ConvShape> shape = getVolume(op);
  return shape && !shape->isVolume() ? shape : std::nullopt;
}

template <typename Op> static std::optional<ConvShape> volumeOf(Op op) {
  int64_t rank = op.getSpatialRank();
  if (op.getLayout() != Layout::ChannelsLast)
    return std::nullopt;
  ArrayRef<int64_t> in = shapeOf(op.getInput()), out = shapeOf(op.getResult()),
                    filter = shapeOf(op.getFilter());
  bool image = rank >= 2, volume = rank == 3;
  ConvShape s;
  s.n = in[0];
  s.h = image ? in[rank - 1] : 1;
  s.w = in[rank];
  s.c = in[rank + 1];
  s.oh = image ? out[rank - 1] : 1;
  s.ow = out[rank];
  s.oc = out[rank + 1];
  s.kh = image ? filter[rank] : 1;
  s.kw = filter[rank + 1];
  s.sh = image ? op.getStrides()[rank - 2] : 1;
  s.sw = op.getStrides()[rank - 1];
  s.dh = image ? op.getDilations()[rank - 2] : 1;
  s.dw = op.getDilations()[rank - 1];
  s.padT = image ? op.getPads()[rank - 2] : 0;
  s.padL = op.getPads()[rank - 1];
  s.group = op.getGroup();
  if (volume) {
    s.d = in[1];
    s.od = out[1];
    s.kd = filter[2];
    s.sd = op.getStrides()[0];
    s.dd = op.getDilations()[0];
    s.padF = op.getPads()[0];
    s.splitPlanes();
  }
  return s;
}

std::optional<ConvShape> ConvShape::getVolume(ConvOp op) {
  return volumeOf(op);
}

std::optional<ConvShape> ConvShape::getVolume(ConvIntegerOp op) {
  return volumeOf(op);
}

void ConvShape::splitPlanes() {
  if (kd != 1 || sd != 1 || padF != 0 || od != d)
    return;
  n *= d;
  d = od = 1;
}

std::string ConvShape::key() const {
  std::string key = llvm::formatv(
      "{0}x{1}x{2}x{3}-{4}x{5}x{6} k{7}x{8} s{9}x{10} d{11}x{12} "
      "p{13},{14} g{15}",
      n, h, w, c, oh, ow, oc, kh, kw, sh, sw, dh, dw, padT, padL, group);
  if (isVolume())
    key += llvm::formatv(" planes {0}-{1} k{2} s{3} d{4} p{5}", d, od, kd, sd,
                         dd, padF);
  if (phases != 1)
    key += llvm::formatv(" phases {0}", phases);
  if (spread != 1)
    key += llvm::formatv(" spread {0}", spread);
  return key;
}

int64_t IntFilter::at(int64_t channel, int64_t index) const {
  int64_t q;
  if (bits == 16)
    q = isUnsigned ? int64_t(storage.as<uint16_t>()[index])
                   : storage.as<int16_t>()[index];
  else
    q = isUnsigned ? int64_t(storage.as<uint8_t>()[index])
                   : storage.as<int8_t>()[index];
  return q - zeroPoints[zeroPoints.size() == 1 ? 0 : channel];
}

std::optional<IntFilter> IntFilter::match(Value value, int64_t axis,
                                          unsigned bits) {
  auto type =
      dyn_cast<quant::QuantizedType>(tensorTypeOf(value).getElementType());
  if (!type || type.getStorageTypeIntegralWidth() > bits)
    return std::nullopt;
  std::optional<ChannelParams> params = ChannelParams::get(type);
  std::optional<ConstantBytes> bytes = ConstantBytes::get(value);
  if (!params || !bytes || (params->axis != -1 && params->axis != axis))
    return std::nullopt;
  IntFilter filter;
  filter.storage = *bytes;
  filter.isUnsigned = !type.isSigned();
  filter.bits = type.getStorageTypeIntegralWidth();
  if (filter.bits != 8 && filter.bits != 16)
    return std::nullopt;
  filter.zeroPoints.assign(params->zeroPoints.begin(),
                           params->zeroPoints.end());
  return filter;
}

ConvTerms ConvTerms::get(ConvOp op) {
  return {op.getInput(),    op.getFilter(),         op.getBias(),
          op.getResult(),   op.getActivationAttr(),
          /*filterAxis=*/0,
          /*taps=*/{}};
}

int64_t ConvTerms::filterElements() const {
  int64_t elements = 1;
  for (int64_t extent : shapeOf(filter).drop_front())
    elements *= extent;
  return elements;
}

int64_t ConvTerms::elementOf(int64_t channel, int64_t tap) const {
  if (taps)
    tap = (*taps)[tap];
  return tap < 0 ? -1 : channel * filterElements() + tap;
}

std::optional<IntConv> IntConv::match(const ConvTerms &terms,
                                      const TargetLevel &level, unsigned bits) {
  auto inType = getIntActivationType(terms.input);
  auto outType = getIntActivationType(terms.result);
  bool isFloat = tensorTypeOf(terms.result).getElementType().isF32();
  if (!inType || inType.getStorageTypeIntegralWidth() != bits ||
      (!outType && !isFloat) ||
      inType.isSigned() == (bits == 8 && level.unsignedActivations))
    return std::nullopt;
  std::optional<IntFilter> filter =
      IntFilter::match(terms.filter, terms.filterAxis, bits);
  if (!filter)
    return std::nullopt;
  IntConv conv;
  conv.terms = terms;
  conv.filter = *filter;
  conv.bits = bits;
  conv.inputZeroPoint = inType.getZeroPoint();
  conv.inputUnsigned = !inType.isSigned();

  int64_t channels = shapeOf(terms.filter)[0];
  std::optional<ConstantBytes> bias;
  if (terms.bias) {
    bias = ConstantBytes::get(terms.bias);
    if (!bias || bias->bytes().size() != size_t(channels) * sizeof(int32_t))
      return std::nullopt;
    if (tensorTypeOf(terms.bias).getElementType().isF32()) {
      llvm::append_range(conv.realBias, bias->as<float>());
      bias.reset();
    }
  }
  std::optional<ChannelParams> weights =
      ChannelParams::get(tensorTypeOf(terms.filter).getElementType());
  QuantParams in = getQuantParams(inType);
  // A bias that is added to the real value comes before clamps, too.
  bool isReal = isFloat || !conv.realBias.empty();
  std::optional<FloatActivation> activation =
      FloatActivation::get(terms.activation);
  if (!activation)
    return std::nullopt;
  if (outType) {
    conv.requantize =
        Requantize::get(outType, isReal ? ActivationAttr() : terms.activation);
    if (!conv.requantize)
      return std::nullopt;
    if (isReal)
      conv.requantize->setActivation(*activation);
  } else {
    conv.activation = *activation;
  }
  double bound = 0; // of |sum * multiplier|
  for (int64_t channel = 0; channel < channels; ++channel) {
    int64_t sum = 0, magnitude = 0;
    for (int64_t tap = 0; tap < terms.tapCount(); ++tap) {
      int64_t w = conv.weight(channel, tap);
      sum += w;
      magnitude += std::abs(w);
    }
    int64_t offset = bias ? bias->as<int32_t>()[channel] : 0;
    int64_t range = std::max(in.qmax - in.zeroPoint, in.zeroPoint - in.qmin);
    if (magnitude * range + std::abs(offset) > INT32_MAX)
      return std::nullopt; // the reference sums in 64 bits
    float multiplier =
        isReal ? in.scale * weights->scale(channel)
               : conv.requantize->multiplier(in.scale, weights->scale(channel));
    if (!std::isfinite(multiplier))
      return std::nullopt;
    bound = std::max(bound, (double(magnitude) * double(in.qmax - in.qmin) +
                             std::abs(double(offset))) *
                                double(multiplier));
    // Products wrap around as the sums do: only the total must fit in 32 bits.
    conv.bias.push_back(int32_t(uint32_t(offset - in.zeroPoint * sum)));
    conv.multipliers.push_back(multiplier);
  }
  double largestBias = 0;
  for (float value : conv.realBias)
    largestBias = std::isfinite(value)
                      ? std::max(largestBias, std::abs(double(value)))
                      : std::numeric_limits<double>::infinity();
  bound += largestBias;
  if (conv.requantize)
    isReal ? conv.requantize->setRealBound(bound)
           : conv.requantize->setBound(bound);
  return conv;
}

std::string IntConv::key() const {
  std::string key = realBias.empty() ? "" : "b ";
  if (!requantize)
    return key + "f " + activation.key();
  return key + requantize->key() +
         (realBias.empty() ? "" : " " + requantize->scaleKey());
}

SmallVector<Value> IntConv::emitResults(CodeBuilder &c,
                                        const TargetLevel &level,
                                        ValueRange sums,
                                        ValueRange parameters) const {
  ValueRange factors = parameters.take_front(sums.size());
  bool isDirect = requantize && realBias.empty();
  if (isDirect && requantize->permutes())
    return {requantize->emit(c, level, sums, factors)};
  SmallVector<Value> values;
  for (auto [i, sum] : llvm::enumerate(sums)) {
    Value real = arith::SIToFPOp::create(c.b, c.loc, factors[i].getType(), sum);
    real = arith::MulFOp::create(c.b, c.loc, real, factors[i]);
    if (!realBias.empty())
      real =
          arith::AddFOp::create(c.b, c.loc, real, parameters[sums.size() + i]);
    values.push_back(requantize ? real : activation.emit(c, real));
  }
  if (requantize && requantize->permutes())
    return {requantize->emitReal(c, level, values)};
  bool isWord = requantize && values.size() == 2;
  if (!isWord)
    values = sortLanes(c, values);
  if (!requantize)
    return values;
  return {isDirect && requantize->isDirect()
              ? requantize->emitScaled(c, level, values, isWord)
              : requantize->emitReal(c, level, values, isWord)};
}

std::optional<FloatConv> FloatConv::match(const ConvTerms &terms) {
  auto isF32 = [](Value v) { return tensorTypeOf(v).getElementType().isF32(); };
  if (!isF32(terms.input) || !isF32(terms.filter) || !isF32(terms.result))
    return std::nullopt;
  std::optional<ConstantBytes> filter = ConstantBytes::get(terms.filter);
  std::optional<FloatActivation> activation =
      FloatActivation::get(terms.activation);
  if (!filter || !activation)
    return std::nullopt;
  FloatConv conv;
  conv.terms = terms;
  conv.filterBytes = *filter;
  conv.filter = conv.filterBytes.as<float>();
  conv.activation = *activation;
  conv.result = terms.result;
  if (terms.bias) {
    conv.biasBytes = ConstantBytes::get(terms.bias);
    if (!conv.biasBytes || !isF32(terms.bias))
      return std::nullopt;
  }
  if (QuantizeOp quantize = findResultQuantize(terms.result.getDefiningOp())) {
    conv.quantize = quantize;
    conv.result = quantize.getResult();
    conv.requantize = quantizeResult(quantize, *activation);
  }
  return conv;
}
