//===- ElementwiseChain.cpp - Functions behind a kernel's result ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementwiseChain.h"
#include "../Conversion/QNNToKernels/FloatFunctions.h"
#include "ExactDivision.h"
#include "FactorCast.h"
#include "MatrixEpilogue.h"
#include "ResultQuantize.h"
#include "Starts.h"

#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::Element;
using reference::LoopBuilder;

//===----------------------------------------------------------------------===//
// Which ops
//===----------------------------------------------------------------------===//

/// Rows that some vector is longer than are not walked one by one.
static constexpr int64_t shortestRow = 16;

/// How an operand of a binary op is walked beside rows of the result: its rows
/// may be the same for some of them.
enum class Walk { Scalar, Column, Rows, Full };

static std::optional<Walk> walkOf(Value operand, Value result) {
  ArrayRef<int64_t> shape = tensorTypeOf(operand).getShape();
  ArrayRef<int64_t> whole = tensorTypeOf(result).getShape();
  int64_t elements = tensorTypeOf(operand).getNumElements();
  if (elements == 1)
    return Walk::Scalar;
  if (elements == tensorTypeOf(result).getNumElements())
    return Walk::Full;
  if (!whole.empty() && elements == whole.back() && shape.back() == elements)
    return Walk::Column;
  if (whole.empty() || shape.empty() || shape.back() != whole.back() ||
      whole.back() < shortestRow)
    return std::nullopt;
  return Walk::Rows;
}

/// Where the row of an operand begins that goes with each row of the result.
static Starts rowsOf(Value operand, Value result) {
  ArrayRef<int64_t> shape = shapeOf(operand), whole = shapeOf(result);
  SmallVector<int64_t> strides(whole.size(), 0);
  for (auto [d, stride] : llvm::enumerate(reference::rowMajor(shape)))
    if (shape[d] != 1)
      strides[whole.size() - shape.size() + d] = stride;
  return Starts(whole.drop_back(), ArrayRef(strides).drop_back());
}

static bool isF32(Value value) {
  return tensorTypeOf(value).getElementType().isF32();
}

/// Whether `value` can be the chained operand of `op`.
static bool isLink(Value value, Operation *op) {
  Operation *producer = value.getDefiningOp();
  return producer && !isa<ConstantOp>(producer) && value.hasOneUse() &&
         cast<OpResult>(value).getResultNumber() == 0 && !isTakenOver(op) &&
         !isTakenOver(producer) && producer->getBlock() == op->getBlock() &&
         tensorTypeOf(value).getNumElements() ==
             tensorTypeOf(op->getResult(0)).getNumElements();
}

static bool isArithmetic(BinaryOp op) {
  if (!isF32(op.getResult()) || !isF32(op.getLhs()) || !isF32(op.getRhs()))
    return false;
  switch (op.getKind()) {
  case BinaryKind::Add:
  case BinaryKind::Sub:
  case BinaryKind::Mul:
  case BinaryKind::Div:
    return true;
  default:
    return false;
  }
}

/// Whether functions of `value` alone lead to an op on rows.
static bool endsInRows(Value value) {
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (isa<NormalizeOp, SoftmaxOp>(user))
      return true;
    if (!isa<UnaryOp, BinaryOp>(user))
      return false;
    value = user->getResult(0);
  }
  return false;
}

static bool isCastFromInt(CastOp cast) {
  Type from = tensorTypeOf(cast.getInput()).getElementType();
  return from.isInteger(32) && !from.isUnsignedInteger() &&
         isF32(cast.getResult());
}

/// The operand that a chain passes through `op`; null where `op` is no link.
static Value chainedOperand(Operation *op) {
  if (auto unary = dyn_cast<UnaryOp>(op))
    return isF32(unary.getInput()) && isF32(unary.getResult()) &&
                   isLink(unary.getInput(), op)
               ? unary.getInput()
               : Value();
  if (auto cast = dyn_cast<CastOp>(op))
    return (isCastFromInt(cast) ||
            (isFactorCast(cast) &&
             !op->getParentOfType<ModuleOp>()->hasAttr(kKeepTensorsAttr))) &&
                   isLink(cast.getInput(), op)
               ? cast.getInput()
               : Value();
  if (auto quantize = dyn_cast<QuantizeOp>(op))
    return isF32(quantize.getInput()) &&
                   getIntActivationType(quantize.getResult()) &&
                   isLink(quantize.getInput(), op)
               ? quantize.getInput()
               : Value();
  // Rounding to 8 bits on the way. A kernel of rows reads the bytes itself.
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return isF32(dequantize.getResult()) &&
                   dequantize.getInput().getDefiningOp<QuantizeOp>() &&
                   !endsInRows(dequantize.getResult()) &&
                   !op->getParentOfType<ModuleOp>()->hasAttr(
                       kKeepTensorsAttr) &&
                   getIntActivationType(dequantize.getInput()) &&
                   isLink(dequantize.getInput(), op)
               ? dequantize.getInput()
               : Value();
  auto binary = dyn_cast<BinaryOp>(op);
  if (!binary || !isArithmetic(binary))
    return {};
  // Of two candidates the later one: its producer's kernel then finds the other
  // operand computed.
  Value best;
  for (auto [value, other] : {std::pair(binary.getLhs(), binary.getRhs()),
                              std::pair(binary.getRhs(), binary.getLhs())})
    if (isLink(value, op) && walkOf(other, binary.getResult()) &&
        (!best || best.getDefiningOp()->isBeforeInBlock(value.getDefiningOp())))
      best = value;
  return best;
}

void ElementwiseChain::append(Operation *op, Value chained) {
  ops.push_back(op);
  if (auto binary = dyn_cast<BinaryOp>(op))
    others.push_back(binary.getLhs() == chained ? binary.getRhs()
                                                : binary.getLhs());
}

/// The operand through which an op that no chain reaches can begin one; null
/// where it cannot.
static Value firstOperand(Operation *op) {
  if (auto unary = dyn_cast<UnaryOp>(op))
    return isF32(unary.getInput()) && isF32(unary.getResult())
               ? unary.getInput()
               : Value();
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return isF32(dequantize.getResult()) &&
                   getIntActivationType(dequantize.getInput())
               ? dequantize.getInput()
               : Value();
  if (auto quantize = dyn_cast<QuantizeOp>(op))
    return isF32(quantize.getInput()) &&
                   getIntActivationType(quantize.getResult()) &&
                   !isTakenOver(op)
               ? quantize.getInput()
               : Value();
  if (auto cast = dyn_cast<CastOp>(op))
    return isCastFromInt(cast) || (isFactorCast(cast) && !isTakenOver(op))
               ? cast.getInput()
               : Value();
  auto binary = dyn_cast<BinaryOp>(op);
  if (!binary || !isArithmetic(binary))
    return {};
  for (auto [value, other] : {std::pair(binary.getLhs(), binary.getRhs()),
                              std::pair(binary.getRhs(), binary.getLhs())})
    if (walkOf(value, binary.getResult()) == Walk::Full &&
        walkOf(other, binary.getResult()))
      return value;
  return {};
}

std::optional<ElementwiseChain>
ElementwiseChain::fromMemory(Operation *producer) {
  ElementwiseChain behind(producer);
  if (Value first = firstOperand(producer)) {
    ElementwiseChain chain = behind;
    chain.ops.clear();
    chain.others.clear();
    chain.start = first;
    chain.append(producer, first);
    chain.ops.append(behind.ops);
    chain.others.append(behind.others);
    behind = chain;
  }
  // One op has a kernel elsewhere, but for this one.
  bool isRounding = behind.ops.size() == 1 && isa<CastOp>(behind.ops.front()) &&
                    isFactorCast(cast<CastOp>(behind.ops.front()));
  if ((behind.ops.size() < 2 && !isRounding) ||
      tensorTypeOf(behind.start).getNumElements() !=
          tensorTypeOf(behind.result()).getNumElements())
    return std::nullopt;
  return behind;
}

ElementwiseChain::ElementwiseChain(Operation *producer)
    : producer(producer), start(producer->getResult(0)) {
  Value value = start;
  while (value.hasOneUse()) {
    Operation *user = *value.user_begin();
    if (chainedOperand(user) != value)
      break;
    append(user, value);
    value = user->getResult(0);
  }
}

bool qcc::isCostly(std::optional<UnaryKind> kind) {
  if (!kind)
    return false;
  switch (*kind) {
  case UnaryKind::Identity:
  case UnaryKind::Relu:
  case UnaryKind::Clamp:
  case UnaryKind::LeakyRelu:
  case UnaryKind::HardSigmoid:
  case UnaryKind::HardSwish:
  case UnaryKind::Neg:
  case UnaryKind::Abs:
    return false;
  default:
    return true;
  }
}

bool ElementwiseChain::isCostly() const {
  return llvm::any_of(ops, [](Operation *op) {
    if (auto unary = dyn_cast<UnaryOp>(op))
      return qcc::isCostly(unary.getKind());
    auto binary = dyn_cast<BinaryOp>(op);
    return binary && binary.getActivationAttr() &&
           qcc::isCostly(binary.getActivationAttr().getKind());
  });
}

bool ElementwiseChain::contains(Operation *op) const {
  return llvm::is_contained(ops, op);
}

bool ElementwiseChain::hasColumns() const {
  return llvm::any_of(others, [&](Value operand) {
    std::optional<Walk> walk = walkOf(operand, result());
    return walk == Walk::Column || walk == Walk::Rows;
  });
}

Operation *ElementwiseChain::producerOf(Operation *op) {
  while (Value value = chainedOperand(op))
    op = value.getDefiningOp();
  return op;
}

/// 1 / c for a constant number whose quotients are products, bit for bit.
static std::optional<float> exactReciprocal(Value divisor) {
  std::optional<SmallVector<double>> values = getConstantFloats(divisor);
  if (!values || values->size() != 1)
    return std::nullopt;
  int exponent;
  double fraction = std::frexp(values->front(), &exponent);
  if (std::abs(fraction) != 0.5 || std::abs(exponent) > 100)
    return std::nullopt;
  return float(1 / values->front());
}

std::string ElementwiseChain::key() const {
  std::string key;
  Value value = start;
  for (Operation *op : ops) {
    key += reference::opKey(op);
    if (auto binary = dyn_cast<BinaryOp>(op)) {
      key += binary.getLhs() == value ? " l" : " r";
      if (std::optional<float> factor = exactReciprocal(binary.getRhs()))
        key += llvm::formatv(" {0:x}", llvm::bit_cast<uint32_t>(*factor));
    }
    key += ';';
    value = op->getResult(0);
  }
  return key;
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

Value ChainEmitter::loadOperand(unsigned number, VectorType type, int64_t count,
                                Value position, Value column) {
  Value buffer = operands[number];
  switch (*walkOf(chain.operands()[number], chain.result())) {
  case Walk::Scalar: {
    Value scalar = memref::LoadOp::create(b, buffer, c.index(0));
    return vector::BroadcastOp::create(b, type, scalar);
  }
  case Walk::Column:
    return loadFirst(c, type, count, buffer, column);
  case Walk::Rows: {
    Value row = c.div(c.sub(position, column), shapeOf(chain.result()).back());
    Value start = rowsOf(chain.operands()[number], chain.result()).of(c, row);
    return loadFirst(c, type, count, buffer, c.add(start, column));
  }
  case Walk::Full:
    return loadFirst(c, type, count, buffer, position);
  }
  llvm_unreachable("unknown walk");
}

Value ChainEmitter::apply(Operation *op, Value value, unsigned &nextOperand,
                          int64_t count, Value position, Value column) {
  auto type = c.vectorType(b.getF32Type(),
                           cast<VectorType>(value.getType()).getDimSize(0));
  auto gelu = [&](Value x) {
    return reference::FloatFunctions(b, b.getLoc(), type).roughGelu(x);
  };
  bool rough = reference::endsInRoughGelu(op);
  if (auto unary = dyn_cast<UnaryOp>(op))
    return rough ? gelu(value)
                 : b.unary(unary.getKind(), unary.getAlpha().convertToFloat(),
                           unary.getBeta().convertToFloat(), value);
  if (auto cast = dyn_cast<CastOp>(op)) {
    if (isFactorCast(cast))
      return value;
    return arith::SIToFPOp::create(b, type, value);
  }
  if (auto quantize = dyn_cast<QuantizeOp>(op)) {
    return divideExactly(
        b, value,
        getQuantParams(getIntActivationType(quantize.getResult())).scale);
  }
  if (auto dequantize = dyn_cast<DequantizeOp>(op)) {
    QuantParams params =
        getQuantParams(getIntActivationType(dequantize.getInput()));
    // Behind a quantization: what it left to be rounded.
    if (dequantize.getInput() != chain.source()) {
      value = b.smaller(
          b.larger(value, b.real(type, float(params.qmin - params.zeroPoint))),
          b.real(type, float(params.qmax - params.zeroPoint)));
      // As an integer has it, zero is positive.
      value = b.add(math::RoundEvenOp::create(b, value), b.real(type, 0));
    }
    return b.mul(value, b.real(type, params.scale));
  }
  auto binary = cast<BinaryOp>(op);
  Value operand = chain.operands()[nextOperand];
  auto activate = [&](Value result) {
    return rough ? gelu(result)
                 : b.activate(binary.getActivationAttr(), result);
  };
  bool isLhs = binary.getRhs() == operand;
  if (isLhs && binary.getKind() == BinaryKind::Div)
    if (std::optional<float> factor = exactReciprocal(operand)) {
      ++nextOperand;
      return activate(b.mul(value, b.real(type, *factor)));
    }
  Value other = loadOperand(nextOperand, type, count, position, column);
  ++nextOperand;
  Value x = isLhs ? value : other, y = isLhs ? other : value;
  Value result;
  switch (binary.getKind()) {
  case BinaryKind::Add:
    result = b.add(x, y);
    break;
  case BinaryKind::Sub:
    result = b.sub(x, y);
    break;
  case BinaryKind::Mul:
    result = b.mul(x, y);
    break;
  default:
    result = b.div(x, y);
    break;
  }
  return activate(result);
}

Value ChainEmitter::apply(Value value, int64_t count, Value position,
                          Value column) {
  unsigned nextOperand = 0;
  for (Operation *op : chain.ops)
    value = apply(op, value, nextOperand, count, position, column);
  return value;
}

void ChainEmitter::store(ValueRange values, int64_t count, Value result,
                         Value to, Value position, Value column) {
  int64_t lanes = cast<VectorType>(values[0].getType()).getDimSize(0);
  SmallVector<Value> done;
  for (int64_t at = 0; at < count; at += lanes)
    done.push_back(apply(values[at / lanes], std::min(count - at, lanes),
                         c.add(position, at), c.add(column, at)));
  if (auto type = getIntActivationType(chain.result()))
    return storeQuantized(c, level, type, done, count, result, to);
  if (auto cast = dyn_cast<CastOp>(chain.last()); cast && isFactorCast(cast))
    for (Value &value : done)
      value = roundToFactor(c, level, value);
  if (recorder)
    recorder->add(done, count);
  for (auto [v, value] : llvm::enumerate(done)) {
    int64_t at = int64_t(v) * lanes;
    storeFirst(c, value, std::min(count - at, lanes), result, c.add(to, at));
  }
}

Value qcc::inOrder(CodeBuilder &c, const TargetLevel &level, Value bytes,
                   unsigned vectors) {
  SmallVector<int64_t> order = level.micro->packOrder(vectors);
  SmallVector<int64_t> inverse(order.size());
  bool isIdentity = true;
  for (auto [position, element] : llvm::enumerate(order)) {
    inverse[element] = position;
    isIdentity &= element == int64_t(position);
  }
  return isIdentity ? bytes : c.shuffle(bytes, bytes, inverse);
}

/// Vectors of the level's width.
static SmallVector<Value> split(CodeBuilder &c, ValueRange wide,
                                int64_t lanes) {
  SmallVector<Value> vectors;
  for (Value value : wide)
    for (int64_t at = 0; at < cast<VectorType>(value.getType()).getDimSize(0);
         at += lanes)
      vectors.push_back(vector::ExtractStridedSliceOp::create(
          c.b, c.loc, value, ArrayRef<int64_t>{at}, ArrayRef<int64_t>{lanes},
          ArrayRef<int64_t>{1}));
  return vectors;
}

void qcc::storeQuantized(CodeBuilder &c, const TargetLevel &level,
                         quant::UniformQuantizedType type, ValueRange scaled,
                         int64_t count, Value buffer, Value at) {
  Requantize requantize = *Requantize::get(type, ActivationAttr());
  int64_t lanes = level.lanes();
  SmallVector<Value> vectors = split(c, scaled, lanes);
  for (int64_t first = 0; first * lanes < count; first += 4) {
    int64_t n = std::min<int64_t>(4, vectors.size() - first);
    Value bytes =
        requantize.emitScaled(c, level, ValueRange(vectors).slice(first, n));
    if (requantize.permutes())
      bytes = inOrder(c, level, bytes, n);
    storeFirst(c, bytes, std::min(count - first * lanes, n * lanes), buffer,
               c.add(at, first * lanes));
  }
}
