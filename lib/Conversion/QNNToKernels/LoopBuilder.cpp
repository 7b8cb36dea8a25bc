//===- LoopBuilder.cpp - Building blocks of the reference kernels ---------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "FloatFunctions.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

//===----------------------------------------------------------------------===//
// Element
//===----------------------------------------------------------------------===//

Element::Element(Type tensorOrElementType)
    : type(getElementTypeOrSelf(tensorOrElementType)) {
  storage = qnn::getStorageType(type);
  quantized = dyn_cast<quant::QuantizedType>(type);
  perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (auto integer = dyn_cast<IntegerType>(storage)) {
    isBool = integer.getWidth() == 1;
    isUnsigned = isBool || (quantized ? !quantized.isSigned()
                                      : integer.isUnsignedInteger());
    storage =
        IntegerType::get(type.getContext(), std::max(8u, integer.getWidth()));
  }
}

Type Element::real() const {
  if (storage.isF64())
    return storage;
  return Float32Type::get(type.getContext());
}

unsigned Element::numChannels() const {
  return perAxis ? perAxis.getScales().size() : 1;
}

QuantParams Element::params(unsigned channel) const {
  QuantParams p;
  p.qmin = quantized.getStorageTypeMin();
  p.qmax = quantized.getStorageTypeMax();
  if (perAxis) {
    p.scale = float(perAxis.getScales()[channel]);
    p.zeroPoint = perAxis.getZeroPoints()[channel];
  } else {
    auto perTensor = cast<quant::UniformQuantizedType>(type);
    p.scale = float(perTensor.getScale());
    p.zeroPoint = perTensor.getZeroPoint();
  }
  return p;
}

Type Element::wide() const {
  return IntegerType::get(type.getContext(), width() > 16 ? 64 : 32);
}

//===----------------------------------------------------------------------===//
// LoopBuilder
//===----------------------------------------------------------------------===//

LoopBuilder::LoopBuilder(OpBuilder &builder, Location loc,
                         const TargetLevel &level)
    : ImplicitLocOpBuilder(loc, builder), level(level),
      entry(builder.getInsertionBlock()) {}

Value LoopBuilder::constant(TypedAttr value) {
  Value &known = constants[value];
  if (known)
    return known;
  InsertionGuard guard(*this);
  if (lastConstant)
    setInsertionPointAfter(lastConstant);
  else
    setInsertionPointToStart(entry);
  known = arith::ConstantOp::create(*this, value);
  lastConstant = known.getDefiningOp();
  return known;
}

Value LoopBuilder::index(int64_t value) {
  return constant(getIndexAttr(value));
}
/// `value`, or a vector full of it where `type` is a vector.
static TypedAttr splat(Type type, TypedAttr value) {
  if (auto vector = dyn_cast<VectorType>(type))
    return DenseElementsAttr::get(vector, Attribute(value));
  return value;
}
Value LoopBuilder::integer(Type type, int64_t value) {
  if (type.isIndex())
    return index(value);
  Type element = getElementTypeOrSelf(type);
  APInt bits(element.getIntOrFloatBitWidth(), uint64_t(value),
             /*isSigned=*/true, /*implicitTrunc=*/true);
  return constant(splat(type, IntegerAttr::get(element, bits)));
}
Value LoopBuilder::real(Type type, double value) {
  return constant(
      splat(type, FloatAttr::get(getElementTypeOrSelf(type), value)));
}
Value LoopBuilder::number(Type type, double value) {
  return isa<FloatType>(getElementTypeOrSelf(type))
             ? real(type, value)
             : integer(type, int64_t(value));
}

static bool isReal(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

Value LoopBuilder::add(Value a, Value b) {
  if (isReal(a))
    return arith::AddFOp::create(*this, a, b);
  return arith::AddIOp::create(*this, a, b);
}
Value LoopBuilder::sub(Value a, Value b) {
  if (isReal(a))
    return arith::SubFOp::create(*this, a, b);
  return arith::SubIOp::create(*this, a, b);
}
Value LoopBuilder::mul(Value a, Value b) {
  if (isReal(a))
    return arith::MulFOp::create(*this, a, b);
  return arith::MulIOp::create(*this, a, b);
}
Value LoopBuilder::div(Value a, Value b, bool isUnsigned) {
  if (isReal(a))
    return arith::DivFOp::create(*this, a, b);
  if (isUnsigned || a.getType().isIndex())
    return arith::DivUIOp::create(*this, a, b);
  return arith::DivSIOp::create(*this, a, b);
}
Value LoopBuilder::multiplyAdd(Value a, Value b, Value c) {
  if (isReal(a) && level.hasFMA)
    return math::FmaOp::create(*this, a, b, c);
  return add(c, mul(a, b));
}
Value LoopBuilder::less(Value a, Value b, bool isUnsigned) {
  if (isReal(a))
    return arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT, a, b);
  return arith::CmpIOp::create(
      *this, isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt,
      a, b);
}
Value LoopBuilder::greater(Value a, Value b, bool isUnsigned) {
  if (isReal(a))
    return arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, a, b);
  return less(b, a, isUnsigned);
}
Value LoopBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(*this, condition, a, b);
}
Value LoopBuilder::smaller(Value a, Value b, bool isUnsigned) {
  if (isReal(a))
    return select(less(a, b), a, b);
  if (isUnsigned)
    return arith::MinUIOp::create(*this, a, b);
  return arith::MinSIOp::create(*this, a, b);
}
Value LoopBuilder::larger(Value a, Value b, bool isUnsigned) {
  if (isReal(a))
    return select(greater(a, b), a, b);
  if (isUnsigned)
    return arith::MaxUIOp::create(*this, a, b);
  return arith::MaxSIOp::create(*this, a, b);
}
Value LoopBuilder::addIndex(Value a, int64_t b) {
  return b == 0 ? a : add(a, index(b));
}
Value LoopBuilder::mulIndex(Value a, int64_t b) {
  if (b == 0)
    return index(0);
  return b == 1 ? a : mul(a, index(b));
}

void LoopBuilder::loop(Value from, Value to,
                       llvm::function_ref<void(Value)> body) {
  loop(from, to, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
    body(i);
    return {};
  });
}
void LoopBuilder::loop(int64_t from, int64_t to,
                       llvm::function_ref<void(Value)> body) {
  if (to == from + 1) // no loop where there is one iteration
    return body(index(from));
  loop(index(from), index(to), body);
}
void LoopBuilder::loop(Value from, Value to, int64_t step,
                       llvm::function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(*this, from, to, index(step));
  InsertionGuard guard(*this);
  setInsertionPoint(op.getBody()->getTerminator());
  body(op.getInductionVar());
}
SmallVector<Value> LoopBuilder::loop(
    Value from, Value to, ValueRange inits,
    llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(*this, from, to, index(1), inits);
  {
    InsertionGuard guard(*this);
    // Without results the op was built with its terminator.
    if (inits.empty())
      setInsertionPoint(op.getBody()->getTerminator());
    else
      setInsertionPointToEnd(op.getBody());
    SmallVector<Value> results =
        body(op.getInductionVar(), op.getRegionIterArgs());
    if (!inits.empty())
      scf::YieldOp::create(*this, results);
  }
  return SmallVector<Value>(op.getResults());
}
void LoopBuilder::ifThen(Value condition, llvm::function_ref<void()> body) {
  auto op = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  InsertionGuard guard(*this);
  setInsertionPoint(op.thenYield());
  body();
}

/// `scalar`, or a vector of it of the shape of `value`.
static Type like(Value value, Type scalar) {
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    return vector.clone(getElementTypeOrSelf(scalar));
  return scalar;
}

Value LoopBuilder::view(Value buffer, ArrayRef<int64_t> shape) {
  auto type = cast<MemRefType>(buffer.getType());
  auto viewType = MemRefType::get(shape, type.getElementType());
  if (viewType == type)
    return buffer;
  return memref::ReinterpretCastOp::create(*this, viewType, buffer,
                                           /*offset=*/0, shape,
                                           rowMajor(shape));
}
Value LoopBuilder::flat(Value buffer) {
  return view(buffer, cast<MemRefType>(buffer.getType()).getNumElements());
}
Value LoopBuilder::local(Type type, int64_t elements) {
  InsertionGuard guard(*this);
  setInsertionPointToStart(entry);
  return memref::AllocaOp::create(*this, MemRefType::get({elements}, type),
                                  getI64IntegerAttr(64));
}
Value LoopBuilder::broadcast(Value scalar, Value shapedLike) {
  Type type = like(shapedLike, scalar.getType());
  if (type == scalar.getType())
    return scalar;
  return vector::BroadcastOp::create(*this, type, scalar);
}
Value LoopBuilder::loadVector(Value memref, Value position, int64_t lanes) {
  auto type = VectorType::get(
      lanes, cast<MemRefType>(memref.getType()).getElementType());
  return vector::LoadOp::create(*this, type, memref, position);
}
Value LoopBuilder::load(Value memref, ValueRange indices) {
  return memref::LoadOp::create(*this, memref, indices);
}
void LoopBuilder::store(Value value, Value memref, ValueRange indices) {
  if (isa<VectorType>(value.getType()))
    vector::StoreOp::create(*this, value, memref, indices);
  else
    memref::StoreOp::create(*this, value, memref, indices);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value LoopBuilder::widen(Value raw, const Element &element, Type type) {
  type = like(raw, type);
  if (raw.getType() == type)
    return raw;
  if (element.isUnsigned)
    return arith::ExtUIOp::create(*this, type, raw);
  return arith::ExtSIOp::create(*this, type, raw);
}

Value LoopBuilder::centered(Value raw, const Element &element, Type type) {
  type = like(raw, type);
  Value q = widen(raw, element, type);
  int64_t zeroPoint = element.params().zeroPoint;
  return zeroPoint ? sub(q, integer(type, zeroPoint)) : q;
}

Value LoopBuilder::toReal(Value raw, const Element &element) {
  Type real = like(raw, element.real());
  if (element.isFloat())
    return raw.getType() == real ? raw : extend(raw, real);
  if (element.isQuantized()) {
    Value q = centered(raw, element, element.wide());
    Value value = arith::SIToFPOp::create(*this, real, q);
    float scale = element.params().scale;
    return scale == 1.f ? value : mul(value, this->real(real, scale));
  }
  if (element.isUnsigned)
    return arith::UIToFPOp::create(*this, real, raw);
  return arith::SIToFPOp::create(*this, real, raw);
}

Value LoopBuilder::dequantize(Value raw, const Element &element, Value scale,
                              Value zeroPoint) {
  Type wide = element.wide();
  if (zeroPoint.getType() != wide)
    zeroPoint = arith::ExtSIOp::create(*this, wide, zeroPoint);
  Value q = sub(widen(raw, element, wide), zeroPoint);
  return mul(arith::SIToFPOp::create(*this, scale.getType(), q), scale);
}

Value LoopBuilder::fromReal(Value value, const Element &element) {
  if (element.isQuantized()) {
    QuantParams params = element.params();
    if (params.scale != 1.f)
      value = div(value, real(value.getType(), params.scale));
    return roundToStorage(value, params, element.storage);
  }
  if (element.isFloat()) {
    Type storage = like(value, element.storage);
    if (value.getType() == storage)
      return value;
    if (getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth() <
        element.width())
      return extend(value, storage);
    return narrow(value, storage);
  }
  if (element.isBool)
    return arith::ExtUIOp::create(
        *this, element.storage,
        arith::CmpFOp::create(*this, arith::CmpFPredicate::UNE, value,
                              real(value.getType(), 0)));
  // Through a wider type, so that what fits no result type wraps as in NumPy
  // and is never undefined below 64 bits.
  Type i64 = getI64Type();
  if (element.width() == 64 && element.isUnsigned)
    return arith::FPToUIOp::create(*this, i64, value);
  Value wide = arith::FPToSIOp::create(
      *this, element.width() < 32 ? Type(getI32Type()) : i64, value);
  if (element.width() == wide.getType().getIntOrFloatBitWidth())
    return wide;
  return arith::TruncIOp::create(*this, element.storage, wide);
}

Value LoopBuilder::quantize(Value value, const Element &element, Value scale,
                            Value zeroPoint) {
  Type f32 = value.getType();
  QuantParams range = element.params();
  Type wide = element.wide();
  if (zeroPoint.getType() != wide)
    zeroPoint = arith::ExtSIOp::create(*this, wide, zeroPoint);
  Value lo = arith::SIToFPOp::create(*this, f32,
                                     sub(integer(wide, range.qmin), zeroPoint));
  Value hi = arith::SIToFPOp::create(*this, f32,
                                     sub(integer(wide, range.qmax), zeroPoint));
  Value q = math::RoundEvenOp::create(*this, div(value, scale));
  q = smaller(larger(q, lo), hi);
  Value result = add(arith::FPToSIOp::create(*this, wide, q), zeroPoint);
  if (element.width() > 16)
    result = smaller(result, integer(wide, range.qmax));
  return arith::TruncIOp::create(*this, element.storage, result);
}

Value LoopBuilder::roundToStorage(Value scaled, const QuantParams &params,
                                  Type storage) {
  Type real = scaled.getType();
  unsigned width = storage.getIntOrFloatBitWidth();
  Type wide = like(scaled, width > 16 ? getI64Type() : getI32Type());
  storage = like(scaled, storage);
  Value q = math::RoundEvenOp::create(*this, scaled);
  // NaN gives the lower bound: the comparison is false.
  q = larger(q, this->real(real, float(params.qmin - params.zeroPoint)));
  q = smaller(q, this->real(real, float(params.qmax - params.zeroPoint)));
  Value result = arith::FPToSIOp::create(*this, wide, q);
  if (params.zeroPoint)
    result = add(result, integer(wide, params.zeroPoint));
  if (width > 16) // the bounds are not exact in f32
    result = smaller(result, integer(wide, params.qmax));
  return arith::TruncIOp::create(*this, storage, result);
}

Value LoopBuilder::convert(Value raw, const Element &from, const Element &to) {
  if (to.isBool) {
    Value nonZero =
        from.isFloat()
            ? Value(arith::CmpFOp::create(*this, arith::CmpFPredicate::UNE, raw,
                                          real(from.storage, 0)))
            : Value(arith::CmpIOp::create(*this, arith::CmpIPredicate::ne, raw,
                                          integer(from.storage, 0)));
    return arith::ExtUIOp::create(*this, to.storage, nonZero);
  }
  if (from.isFloat() || to.isFloat()) {
    if (from.isInteger() && to.storage.isF64()) {
      if (from.isUnsigned)
        return arith::UIToFPOp::create(*this, to.storage, raw);
      return arith::SIToFPOp::create(*this, to.storage, raw);
    }
    return fromReal(toReal(raw, from), to);
  }
  if (from.width() == to.width())
    return raw;
  if (from.width() > to.width())
    return arith::TruncIOp::create(*this, to.storage, raw);
  return widen(raw, from, to.storage);
}

std::optional<QuantParams>
qcc::reference::foldActivation(qnn::ActivationAttr activation,
                               QuantParams params) {
  if (!activation || activation.getKind() == qnn::UnaryKind::Identity)
    return params;
  if (activation.getKind() == qnn::UnaryKind::Relu) {
    params.qmin = std::max(params.qmin, params.zeroPoint);
    return params;
  }
  if (activation.getKind() != qnn::UnaryKind::Clamp)
    return std::nullopt;
  int64_t lo = quantize(activation.alpha(), params);
  int64_t hi = quantize(activation.beta(), params);
  params.qmin = lo;
  params.qmax = std::max(hi, lo);
  if (hi < lo) // min(max(x, alpha), beta) is beta where alpha > beta
    params.qmin = params.qmax = hi;
  return params;
}

//===----------------------------------------------------------------------===//
// Shapes and keys
//===----------------------------------------------------------------------===//

SmallVector<int64_t> qcc::reference::rowMajor(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int i = int(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

int64_t qcc::reference::product(ArrayRef<int64_t> shape) {
  int64_t n = 1;
  for (int64_t dim : shape)
    n *= dim;
  return n;
}

ArrayRef<int64_t> qcc::reference::shapeOf(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

std::string qcc::reference::opKey(Operation *op) {
  // Attributes and types are unique in their context: their address says
  // whether two are equal. Keys never reach the output.
  std::string key = op->getName().getStringRef().str();
  llvm::raw_string_ostream os(key);
  os << op->getAttrDictionary().getAsOpaquePointer();
  for (Value operand : op->getOperands())
    os << ' ' << operand.getType().getAsOpaquePointer();
  for (Type type : op->getResultTypes())
    os << ' ' << type.getAsOpaquePointer();
  if (endsInRoughGelu(op))
    os << " rough";
  return key;
}

Value qcc::reference::constantOf(KernelEmitter &emitter, StringRef stem,
                                 ArrayRef<float> values) {
  return emitter.constant(stem,
                          MemRefType::get({int64_t(values.size())},
                                          Float32Type::get(emitter.context())),
                          bytesOf(values));
}
Value qcc::reference::constantOf(KernelEmitter &emitter, StringRef stem,
                                 ArrayRef<int32_t> values) {
  return emitter.constant(
      stem,
      MemRefType::get({int64_t(values.size())},
                      IntegerType::get(emitter.context(), 32)),
      bytesOf(values));
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Tiling::Tiling(ArrayRef<int64_t> shape, int64_t grain) : shape(shape) {
  if (shape.empty())
    this->shape.push_back(1);
  int64_t inner = 1;
  split = this->shape.size() - 1;
  while (split > 0 && inner * this->shape[split] < grain) {
    inner *= std::max<int64_t>(this->shape[split], 1);
    --split;
  }
  int64_t extent = this->shape[split];
  block = std::clamp<int64_t>(grain / inner, 1, std::max<int64_t>(extent, 1));
  if (split + 1 == this->shape.size() && block < extent)
    block = std::max<int64_t>(64, block / 64 * 64); // whole vectors
  blocks = (extent + block - 1) / block;
}

int64_t Tiling::tiles() const {
  if (product(shape) == 0)
    return 0;
  return product(ArrayRef(shape).take_front(split)) * blocks;
}

void qcc::reference::tiledLoops(LoopBuilder &b, const Tiling &tiling,
                                Value begin, Value end,
                                llvm::function_ref<void(ValueRange)> body) {
  b.loop(begin, end, [&](Value tile) {
    unsigned rank = tiling.shape.size();
    SmallVector<Value> ivs(rank, b.index(0));
    // The tile's number, decomposed.
    Value rest = tile;
    Value block = b.index(0);
    if (tiling.blocks > 1) {
      block = arith::RemUIOp::create(b, rest, b.index(tiling.blocks));
      rest = arith::DivUIOp::create(b, rest, b.index(tiling.blocks));
    }
    for (int d = int(tiling.split) - 1; d >= 0; --d) {
      int64_t extent = tiling.shape[d];
      if (d == 0) {
        ivs[d] = rest;
      } else if (extent > 1) {
        ivs[d] = arith::RemUIOp::create(b, rest, b.index(extent));
        rest = arith::DivUIOp::create(b, rest, b.index(extent));
      }
    }
    std::function<void(unsigned)> nest = [&](unsigned d) {
      if (d == rank)
        return body(ivs);
      auto inner = [&](Value i) {
        ivs[d] = i;
        nest(d + 1);
      };
      if (d > tiling.split || tiling.blocks == 1)
        return b.loop(0, tiling.shape[d], inner);
      Value from = b.mulIndex(block, tiling.block);
      Value to = b.addIndex(from, tiling.block);
      if (tiling.shape[d] % tiling.block)
        to = b.smaller(to, b.index(tiling.shape[d]));
      b.loop(from, to, inner);
    };
    nest(tiling.split);
  });
}
