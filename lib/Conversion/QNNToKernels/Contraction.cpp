//===- Contraction.cpp - Sums of products and what follows them -----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

Contraction::Contraction(const Operands &operands)
    : operands(operands), xElement(operands.x.getType()),
      wElement(operands.w.getType()), yElement(operands.result.getType()) {
  MLIRContext *context = operands.x.getContext();
  isInteger = !xElement.isFloat() && !wElement.isFloat() &&
              xElement.isQuantized() == wElement.isQuantized();
  isRaw = isInteger && !yElement.isFloat() && yElement.width() == 32;
  if (!isInteger) {
    sumType = xElement.isFloat() ? xElement.real() : wElement.real();
  } else {
    // Widened where the largest possible sum does not fit 32 bits.
    unsigned bits = xElement.width() + wElement.width();
    bool fits = bits <= 16 && operands.depth < (int64_t(1) << (31 - bits));
    sumType = IntegerType::get(context, fits ? 32 : 64);
  }
  if (yElement.isQuantized() && !yElement.perAxis && isInteger && !isRaw)
    folded = foldActivation(operands.activation, yElement.params());
}

bool Contraction::isSupported() const {
  if (xElement.perAxis || yElement.perAxis)
    return false;
  if (operands.residual && Element(operands.residual.getType()).perAxis)
    return false;
  if (isRaw && (operands.residual || operands.activation))
    return false;
  if (operands.bias) {
    Element bias(operands.bias.getType());
    if (isInteger ? bias.isFloat() && isRaw : bias.perAxis || bias.isInteger())
      return false;
  }
  if (isInteger && !xElement.isQuantized()) // zero points known at run time
    return isRaw;
  return !yElement.isInteger() || isRaw;
}

/// The number of elements of a zero point decides what it is indexed by.
static bool hasManyElements(Value tensor) {
  return product(shapeOf(tensor)) != 1;
}

void Contraction::createBuffers(KernelEmitter &emitter, Value packedW) {
  args = {emitter.buffer(operands.x), packedW, emitter.buffer(operands.result)};
  auto addArg = [&](Value buffer) {
    args.push_back(buffer);
    return args.size() - 1;
  };
  if (operands.bias)
    biasArg = addArg(emitter.buffer(operands.bias));
  if (operands.residual)
    residualArg = addArg(emitter.buffer(operands.residual));
  if (operands.xZeroPoint) {
    xZeroPointArg = addArg(emitter.buffer(operands.xZeroPoint));
    xZeroPointIsPerRow = hasManyElements(operands.xZeroPoint);
  }
  if (operands.wZeroPoint) {
    wZeroPointArg = addArg(emitter.buffer(operands.wZeroPoint));
    wZeroPointIsPerChannel = hasManyElements(operands.wZeroPoint);
  }
  if (!wElement.perAxis)
    return;

  SmallVector<float> factors;
  SmallVector<int32_t> zeroPoints;
  for (unsigned ch = 0, e = wElement.numChannels(); ch != e; ++ch) {
    QuantParams w = wElement.params(ch);
    zeroPoints.push_back(w.zeroPoint);
    if (!isInteger)
      factors.push_back(w.scale);
    else if (requantizesDirectly())
      factors.push_back(requantizeMultiplier(xElement.params().scale, w.scale,
                                             yElement.params().scale));
    else
      factors.push_back(xElement.params().scale * w.scale);
  }
  if (!isInteger)
    wScaleArg = addArg(constantOf(emitter, "scales", factors));
  else if (!isRaw)
    scaleArg = addArg(constantOf(emitter, "multipliers", factors));
  if (!isInteger || llvm::any_of(zeroPoints, [](int32_t z) { return z; })) {
    wZeroPointArg = addArg(constantOf(emitter, "zero_points", zeroPoints));
    wZeroPointIsPerChannel = true;
  }
}

Contraction::Code::Code(const Contraction &c, LoopBuilder &b, ValueRange args)
    : c(c), b(b) {
  for (Value arg : args)
    memory.push_back(b.flat(arg));
}

Value Contraction::Code::zeroPoint(unsigned arg, const Element &element,
                                   Value index) {
  Value raw = b.load(memory[arg], index ? index : b.index(0));
  return b.widen(raw, element, c.sumType);
}

Value Contraction::Code::x(Value position, Value row) {
  Value raw = b.load(memory[0], position);
  if (!c.isInteger)
    return b.toReal(raw, c.xElement);
  if (c.xElement.isQuantized())
    return b.centered(raw, c.xElement, c.sumType);
  Value q = b.widen(raw, c.xElement, c.sumType);
  if (!c.xZeroPointArg)
    return q;
  return b.sub(q, zeroPoint(c.xZeroPointArg,
                            Element(c.operands.xZeroPoint.getType()),
                            c.xZeroPointIsPerRow ? row : Value()));
}

Value Contraction::Code::w(Value position, Value channel) {
  Value raw = b.load(memory[1], position);
  if (!c.isInteger) {
    if (c.wScaleArg)
      return b.dequantize(raw, c.wElement, b.load(memory[c.wScaleArg], channel),
                          b.load(memory[c.wZeroPointArg], channel));
    return b.toReal(raw, c.wElement);
  }
  if (c.wElement.isQuantized() && !c.wElement.perAxis)
    return b.centered(raw, c.wElement, c.sumType);
  Value q = b.widen(raw, c.wElement, c.sumType);
  if (!c.wZeroPointArg)
    return q;
  Element element = c.operands.wZeroPoint
                        ? Element(c.operands.wZeroPoint.getType())
                        : Element(b.getI32Type());
  return b.sub(q, zeroPoint(c.wZeroPointArg, element,
                            c.wZeroPointIsPerChannel ? channel : Value()));
}

void Contraction::Code::store(Value sum, Value position, Value channel,
                              Value biasPosition) {
  Value y = memory[2];
  std::optional<Element> bias;
  Value biasValue;
  if (c.biasArg) {
    bias.emplace(c.operands.bias.getType());
    biasValue = b.load(memory[c.biasArg], biasPosition);
  }
  if (c.isInteger && bias && !bias->isFloat())
    sum = b.add(sum, b.widen(biasValue, *bias, c.sumType));
  if (c.isRaw) {
    if (sum.getType() != c.yElement.storage)
      sum = arith::TruncIOp::create(b, c.yElement.storage, sum);
    b.store(sum, y, position);
    return;
  }

  Type f32 = b.getF32Type();
  Value value = sum;
  if (c.isInteger) {
    float factor = 0;
    if (!c.wElement.perAxis) {
      float sx = c.xElement.params().scale, sw = c.wElement.params().scale;
      factor = c.requantizesDirectly()
                   ? requantizeMultiplier(sx, sw, c.yElement.params().scale)
                   : sx * sw;
    }
    Value scale =
        c.scaleArg ? b.load(memory[c.scaleArg], channel) : b.real(f32, factor);
    value = b.mul(arith::SIToFPOp::create(b, f32, sum), scale);
    if (c.requantizesDirectly()) {
      b.store(b.roundToStorage(value, *c.folded, c.yElement.storage), y,
              position);
      return;
    }
  }
  if (bias && (!c.isInteger || bias->isFloat()))
    value = b.add(value,
                  b.convert(b.toReal(biasValue, *bias), Element(bias->real()),
                            Element(value.getType())));
  if (c.residualArg) {
    Element residual(c.operands.residual.getType());
    Value r = b.toReal(b.load(memory[c.residualArg], position), residual);
    value = b.add(value, b.convert(r, Element(residual.real()),
                                   Element(value.getType())));
  }
  b.store(b.storedActivation(c.operands.activation, value, c.yElement), y,
          position);
}

Value qcc::reference::packed(KernelEmitter &emitter, Value tensor,
                             ArrayRef<int64_t> shape, ArrayRef<int64_t> strides,
                             Location loc) {
  MemRefType source = emitter.bufferType(tensor.getType());
  auto type = MemRefType::get(shape, source.getElementType());
  SmallVector<int64_t> natural = rowMajor(shape);
  bool isIdentity = true;
  for (unsigned d = 0; d < shape.size(); ++d)
    isIdentity &= shape[d] == 1 || strides[d] == natural[d];
  if (isIdentity)
    return emitter.reshape(emitter.buffer(tensor), type, loc);

  std::optional<qnn::ConstantBytes> data = qnn::ConstantBytes::get(tensor);
  if (!data) {
    Value result = emitter.scratch(type);
    Move move{SmallVector<int64_t>(shape), SmallVector<int64_t>(strides),
              natural};
    emitMove(emitter, loc, "pack", move, emitter.buffer(tensor), result);
    return result;
  }
  unsigned size = source.getElementTypeBitWidth() / 8;
  std::vector<char> bytes(product(shape) * size);
  char *to = bytes.data();
  SmallVector<int64_t> index(shape.size(), 0);
  int64_t from = 0;
  for (int64_t i = 0, n = product(shape); i < n; ++i) {
    std::memcpy(to, data->bytes().data() + from * size, size);
    to += size;
    for (int d = int(shape.size()) - 1; d >= 0; --d) {
      from += strides[d];
      if (++index[d] < shape[d])
        break;
      from -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return emitter.constant("weights", type, bytes);
}
