//===- StreamKernels.cpp - 8-bit elementwise ops --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elementwise ops with 8-bit results, quantization and table lookups, on whole
// vectors of bytes. A tensor is rows of equal length; an operand that is the
// same for all rows (per channel) is prepared once per column.
//
//===----------------------------------------------------------------------===//

#include "ByteSum.h"
#include "ElementRows.h"
#include "ElementwiseChain.h"
#include "ExactDivision.h"
#include "KernelLists.h"
#include "MatrixEpilogue.h"
#include "Product.h"
#include "QuantizePixels.h"
#include "SpreadBytes.h"

#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"
#include "qcc/Support/QuantMath.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using reference::Element;
using reference::LoopBuilder;

//===----------------------------------------------------------------------===//
// Add, sub, mul
//===----------------------------------------------------------------------===//

/// How an operand is read: every element, the same row each time, one number.
enum class Walk { Full, Column, Scalar };

static std::optional<Walk> walkOf(Value operand, RankedTensorType result) {
  RankedTensorType type = tensorTypeOf(operand);
  int64_t elements = type.getNumElements();
  if (elements == result.getNumElements())
    return Walk::Full;
  if (elements == 1)
    return Walk::Scalar;
  if (elements == result.getShape().back() &&
      type.getShape().back() == elements)
    return Walk::Column;
  return std::nullopt;
}

/// As loadCentered(), of a whole vector, in the order of spread bytes.
static SmallVector<Value> loadSpread(LoopBuilder &b, CodeBuilder &c,
                                     const TargetLevel &level,
                                     const Element &element, Value buffer,
                                     Value at, int64_t period) {
  int64_t width = std::min<int64_t>(period, level.vectorBytes);
  Value bytes = c.load(buffer, at, c.vectorType(b.getI8Type(), width));
  if (width < level.vectorBytes) {
    SmallVector<int64_t> repeated;
    for (int64_t i = 0; i < level.vectorBytes; ++i)
      repeated.push_back(i % width);
    bytes = c.shuffle(bytes, bytes, repeated);
  }
  SmallVector<Value> values(4, c.splat(b.getI32Type(),
                                       double(-element.params().zeroPoint),
                                       level.lanes()));
  addSpread(c, level, bytes, values);
  for (Value &value : values)
    value = arith::SIToFPOp::create(
        b, c.vectorType(b.getF32Type(), level.lanes()), value);
  return values;
}

static LogicalResult emitBinary(BinaryOp op, KernelEmitter &emitter) {
  const TargetLevel &level = emitter.level();
  auto lhs = getActivationType(op.getLhs()),
       rhs = getActivationType(op.getRhs()),
       out = getActivationType(op.getResult());
  BinaryKind kind = op.getKind();
  if (!lhs || !rhs || !out ||
      (kind != BinaryKind::Add && kind != BinaryKind::Sub &&
       kind != BinaryKind::Mul))
    return failure();
  RankedTensorType type = op.getType();
  std::optional<Walk> walks[] = {walkOf(op.getLhs(), type),
                                 walkOf(op.getRhs(), type)};
  if (!walks[0] || !walks[1] || type.getNumElements() == 0)
    return failure();
  int64_t length = type.getNumElements(), period = length;
  if (walks[0] == Walk::Column || walks[1] == Walk::Column)
    length = period = type.getShape().back();
  // Several short rows are one.
  if (level.vectorBytes % length == 0 && length % level.lanes() == 0 &&
      type.getNumElements() % level.vectorBytes == 0)
    length = level.vectorBytes;
  if (length < level.vectorBytes) // the reference loops cross rows
    return failure();

  bool isMul = kind == BinaryKind::Mul;
  float factors[2] = {}, product = 0;
  std::optional<Requantize> requantize;
  if (isMul) {
    product = requantizeMultiplier(getQuantParams(lhs).scale,
                                   getQuantParams(rhs).scale,
                                   getQuantParams(out).scale);
    requantize = Requantize::get(out, op.getActivationAttr());
    if (!std::isfinite(product) || !requantize || !requantize->isDirect())
      return failure();
    requantize->setBound(65536.0 * product);
  } else {
    std::optional<ByteSum> sum = ByteSum::get(op);
    if (!sum)
      return failure();
    llvm::copy(sum->factors, factors);
    requantize = sum->requantize;
  }

  int64_t lanes = level.lanes();
  Rows rows(type.getNumElements() / length, length, level.vectorBytes);
  SmallVector<Value> args{emitter.buffer(op.getLhs()),
                          emitter.buffer(op.getRhs()),
                          emitter.buffer(op.getResult())};
  func::FuncOp kernel = emitter.kernel(
      stringifyBinaryKind(kind), reference::opKey(op),
      ValueRange(args).getTypes(), op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, level);
        CodeBuilder c(b, loc);
        Value buffers[] = {flatten(c, args[0]), flatten(c, args[1])};
        Value result = flatten(c, args[2]);
        Element elements[] = {Element(lhs), Element(rhs)};
        auto f32 = c.vectorType(b.getF32Type(), lanes);
        bool spreads = (walks[0] == Walk::Scalar || canSpread(level, lhs)) &&
                       (walks[1] == Walk::Scalar || canSpread(level, rhs));
        // Factors of a product (of integers, exact), scaled terms of a sum.
        auto load = [&](unsigned i, int64_t valid, Value at) {
          int64_t repeats = walks[i] == Walk::Column ? period : length;
          SmallVector<Value> values =
              spreads && valid == level.vectorBytes
                  ? loadSpread(b, c, level, elements[i], buffers[i], at,
                               repeats)
                  : loadCentered(b, c, level, elements[i], valid, buffers[i],
                                 at, repeats);
          if (!isMul)
            for (Value &value : values)
              value = b.mul(value, b.real(f32, factors[i]));
          return values;
        };
        auto loadScalar = [&](unsigned i) {
          Value byte = memref::LoadOp::create(b, buffers[i], c.index(0));
          Value q = vector::BroadcastOp::create(
              b, c.vectorType(b.getI32Type(), lanes),
              b.centered(byte, elements[i], b.getI32Type()));
          Value value = arith::SIToFPOp::create(b, f32, q);
          if (!isMul)
            value = b.mul(value, b.real(f32, factors[i]));
          return SmallVector<Value>(4, value);
        };
        rows.emit(c, begin, end,
                  [&](Value column, int64_t valid, Rows::ForRows forRows) {
                    SmallVector<Value> known[2];
                    for (unsigned i = 0; i < 2; ++i) {
                      if (walks[i] == Walk::Scalar)
                        known[i] = loadScalar(i);
                      if (walks[i] == Walk::Column)
                        known[i] = load(i, valid, column);
                    }
                    forRows([&](Value position) {
                      SmallVector<Value> x = known[0].empty()
                                                 ? load(0, valid, position)
                                                 : known[0];
                      SmallVector<Value> y = known[1].empty()
                                                 ? load(1, valid, position)
                                                 : known[1];
                      SmallVector<Value> scaled;
                      for (int64_t v = 0; v * lanes < valid; ++v) {
                        if (isMul)
                          scaled.push_back(
                              b.mul(b.mul(x[v], y[v]), b.real(f32, product)));
                        else
                          scaled.push_back(kind == BinaryKind::Add
                                               ? b.add(x[v], y[v])
                                               : b.sub(x[v], y[v]));
                      }
                      Value bytes = requantize->emitScaled(c, level, scaled);
                      bytes = spreads && valid == level.vectorBytes
                                  ? orderSpread(c, level, bytes)
                                  : inOrder(c, level, bytes, scaled.size());
                      storeFirst(c, bytes, valid, result, position);
                    });
                  });
      });
  emitter.call(kernel, args, rows.tiles(), op.getLoc());
  return success();
}

//===----------------------------------------------------------------------===//
// Lookup, quantization
//===----------------------------------------------------------------------===//

/// result = table[input], byte by byte.
static void emitLookup(Operation *op, ArrayRef<char> bytes,
                       KernelEmitter &emitter) {
  const TargetLevel &level = emitter.level();
  Value table = emitter.constant(
      "table", MemRefType::get({256}, IntegerType::get(op->getContext(), 8)),
      bytes);
  Rows rows(1, tensorTypeOf(op->getResult(0)).getNumElements(),
            level.vectorBytes);
  SmallVector<Value> args{emitter.buffer(op->getOperand(0)), table,
                          emitter.buffer(op->getResult(0))};
  func::FuncOp kernel = emitter.kernel(
      "lut", "", ValueRange(args).getTypes(), op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        CodeBuilder c(builder, loc);
        Value input = flatten(c, args[0]), result = flatten(c, args[2]);
        auto type = c.vectorType(builder.getI8Type(), level.vectorBytes);
        SmallVector<Value> parts =
            level.micro->loadTable(builder, loc, args[1]);
        rows.emit(
            c, begin, end, [&](Value, int64_t valid, Rows::ForRows forRows) {
              forRows([&](Value at) {
                Value indices = loadFirst(c, type, valid, input, at);
                Value found = level.micro->lookup(builder, loc, indices, parts);
                storeFirst(c, found, valid, result, at);
              });
            });
      });
  emitter.call(kernel, args, rows.tiles(), op->getLoc());
}

static LogicalResult emitLut(LutOp op, KernelEmitter &emitter) {
  std::optional<ConstantBytes> data = ConstantBytes::get(op.getTable());
  Element in(op.getInput().getType()), out(op.getType());
  if (!data || in.width() != 8 || out.width() != 8 ||
      data->bytes().size() != 256 || op.getType().getNumElements() == 0)
    return failure();
  emitLookup(op, data->bytes(), emitter);
  return success();
}

/// A function of a byte, as a table.
static LogicalResult emitRequantize(RequantizeOp op, KernelEmitter &emitter) {
  auto from = getActivationType(op.getInput()),
       to = getActivationType(op.getResult());
  if (!from || !to || op.getType().getNumElements() == 0)
    return failure();
  QuantParams in = getQuantParams(from), out = getQuantParams(to);
  SmallVector<char> table;
  for (int i = 0; i < 256; ++i) {
    int64_t q = from.isSigned() ? int64_t(int8_t(i)) : i;
    // Between equal scales only the zero point moves.
    table.push_back(
        in.scale == out.scale
            ? std::clamp(q - in.zeroPoint + out.zeroPoint, out.qmin, out.qmax)
            : quantize(dequantize(q, in), out));
  }
  emitLookup(op, table, emitter);
  return success();
}

static LogicalResult emitQuantize(QuantizeOp op, KernelEmitter &emitter) {
  if (succeeded(emitQuantizedPixels(op, emitter)))
    return success();
  const TargetLevel &level = emitter.level();
  auto type = getIntActivationType(op.getResult());
  int64_t elements = tensorTypeOf(op.getResult()).getNumElements();
  if (!type || !tensorTypeOf(op.getInput()).getElementType().isF32() ||
      elements == 0)
    return failure();
  Rows rows(1, elements, level.vectorBytes);
  SmallVector<Value> args{emitter.buffer(op.getInput()),
                          emitter.buffer(op.getResult())};
  func::FuncOp kernel = emitter.kernel(
      "quantize", reference::opKey(op), ValueRange(args).getTypes(),
      op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, level);
        CodeBuilder c(b, loc);
        Value input = flatten(c, args[0]), result = flatten(c, args[1]);
        auto f32 = c.vectorType(b.getF32Type(), level.lanes());
        rows.emit(c, begin, end,
                  [&](Value, int64_t valid, Rows::ForRows forRows) {
                    forRows([&](Value at) {
                      SmallVector<Value> values;
                      for (int64_t i = 0; i < valid; i += level.lanes())
                        values.push_back(loadFirst(
                            c, f32, std::min<int64_t>(valid - i, level.lanes()),
                            input, c.add(at, i)));
                      float scale = getQuantParams(type).scale;
                      for (Value &value : values)
                        value = divideExactly(b, value, scale);
                      storeQuantized(c, level, type, values, valid, result, at);
                    });
                  });
      });
  emitter.call(kernel, args, rows.tiles(), op.getLoc());
  return success();
}

static LogicalResult emitStream(Operation *op, KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](BinaryOp binary) { return emitBinary(binary, emitter); })
      .Case([&](LutOp lut) { return emitLut(lut, emitter); })
      .Case([&](RequantizeOp requantize) {
        return emitRequantize(requantize, emitter);
      })
      .Case(
          [&](QuantizeOp quantize) { return emitQuantize(quantize, emitter); })
      .Default([](Operation *) { return failure(); });
}

void qcc::populateStreamKernels(KernelGenerators &generators) {
  generators.push_back({"stream", emitStream});
}
