//===- ReferenceResize.cpp - Interpolation --------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexTables.h"
#include "LoopBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;
using qnn::CoordMode;
using qnn::NearestMode;
using qnn::ResizeMode;

static constexpr int64_t grain = 8192;

namespace {
/// The dimensions of an indexed op: runs of dimensions without a table count
/// as one.
struct IndexedBox {
  SmallVector<int64_t> in, out;
  SmallVector<int> table; ///< number of the dimension's table, or -1
};
} // namespace

static IndexedBox mergeDims(ArrayRef<int64_t> in, ArrayRef<int64_t> out,
                            llvm::function_ref<bool(unsigned)> hasTable) {
  IndexedBox box;
  int tables = 0;
  for (unsigned d = 0; d < in.size(); ++d) {
    bool isIndexed = hasTable(d);
    if (!isIndexed && in[d] == 1)
      continue;
    if (!isIndexed && !box.table.empty() && box.table.back() < 0) {
      box.in.back() *= in[d];
      box.out.back() *= out[d];
      continue;
    }
    box.in.push_back(in[d]);
    box.out.push_back(out[d]);
    box.table.push_back(isIndexed ? tables++ : -1);
  }
  return box;
}

static Value loadIndex(LoopBuilder &b, Value table, Value at) {
  return arith::IndexCastOp::create(b, b.getIndexType(), b.load(table, at));
}

void qcc::reference::emitIndexed(KernelEmitter &emitter, Operation *op,
                                 StringRef stem, const IndexTables &tables) {
  Value input = op->getOperand(0), result = op->getResult(0);
  IndexedBox box = mergeDims(shapeOf(input), shapeOf(result),
                             [&](unsigned d) { return bool(tables[d]); });
  SmallVector<Value> args{emitter.buffer(input), emitter.buffer(result)};
  for (const auto &table : tables)
    if (table)
      args.push_back(constantOf(emitter, "indices", ArrayRef<int32_t>(*table)));
  Tiling tiling(box.out, grain);
  SmallVector<int64_t> inStrides = rowMajor(box.in),
                       outStrides = rowMajor(box.out);
  func::FuncOp kernel =
      emitter.kernel(stem, opKey(op), ValueRange(args).getTypes(), op->getLoc(),
                     [&](OpBuilder &builder, Location loc, ValueRange args,
                         Value begin, Value end) {
                       LoopBuilder b(builder, loc, emitter.level());
                       Value from = b.flat(args[0]), to = b.flat(args[1]);
                       tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
                         Value source = b.index(0), target = b.index(0);
                         for (unsigned d = 0; d < box.out.size(); ++d) {
                           Value i = ivs[d];
                           target = b.add(target, b.mulIndex(i, outStrides[d]));
                           if (box.table[d] >= 0)
                             i = loadIndex(b, args[2 + box.table[d]], i);
                           source = b.add(source, b.mulIndex(i, inStrides[d]));
                         }
                         b.store(b.load(from, source), to, target);
                       });
                     });
  emitter.call(kernel, args, tiling.tiles(), op->getLoc());
}

//===----------------------------------------------------------------------===//
// Coordinates
//===----------------------------------------------------------------------===//

namespace {
/// One dimension of a resize, as ONNX defines it.
struct Axis {
  int64_t in, out;
  float scale;
  CoordMode mode;

  /// The input coordinate of output index `o`, in float32 like ONNX Runtime.
  float coordinate(int64_t o) const {
    float x = float(o);
    switch (mode) {
    case CoordMode::HalfPixel:
      return (x + 0.5f) / scale - 0.5f;
    case CoordMode::PytorchHalfPixel:
      return out > 1 ? (x + 0.5f) / scale - 0.5f : 0.f;
    case CoordMode::AlignCorners:
      return out > 1 ? x * float(in - 1) / float(out - 1) : 0.f;
    case CoordMode::Asymmetric:
      return x / scale;
    case CoordMode::TfHalfPixelForNN:
      return (x + 0.5f) / scale;
    case CoordMode::HalfPixelSymmetric: {
      float wide = scale * float(in);
      float adjustment = float(out) / wide;
      float center = float(in) / 2, offset = center * (1 - adjustment);
      return offset + (x + 0.5f) / scale - 0.5f;
    }
    }
    llvm_unreachable("unknown coordinate mode");
  }

  int32_t nearest(int64_t o, NearestMode rounding) const {
    float x = coordinate(o);
    float i = 0;
    switch (rounding) {
    case NearestMode::RoundPreferFloor:
      i = std::ceil(x - 0.5f);
      break;
    case NearestMode::RoundPreferCeil:
      i = std::floor(x + 0.5f);
      break;
    case NearestMode::Floor:
      i = std::floor(x);
      break;
    case NearestMode::Ceil:
      i = std::ceil(x);
      break;
    }
    return int32_t(std::clamp(i, 0.f, float(in - 1)));
  }

  /// Input indices and weights of output index `o`, appended.
  void linear(int64_t o, SmallVectorImpl<int32_t> &indices,
              SmallVectorImpl<float> &weights) const {
    float x = std::clamp(coordinate(o), 0.f, float(in - 1));
    int64_t low = int64_t(std::floor(x));
    int64_t high = std::min(low + 1, in - 1);
    float fraction = x - float(low);
    indices.append({int32_t(low), int32_t(high)});
    weights.append({1.f - fraction, fraction});
  }
  void cubic(int64_t o, float a, bool excludeOutside,
             SmallVectorImpl<int32_t> &indices,
             SmallVectorImpl<float> &weights) const {
    float x = coordinate(o);
    float low = std::floor(x), t = x - low;
    float w[4] = {((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a,
                  ((a + 2) * t - (a + 3)) * t * t + 1,
                  ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1,
                  ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a};
    float sum = 0;
    for (int k = 0; k < 4; ++k) {
      int64_t i = int64_t(low) - 1 + k;
      if (excludeOutside && (i < 0 || i >= in))
        w[k] = 0;
      sum += w[k];
      indices.push_back(int32_t(std::clamp<int64_t>(i, 0, in - 1)));
    }
    for (float weight : w)
      weights.push_back(excludeOutside && sum != 0 ? weight / sum : weight);
  }
};
} // namespace

/// Interpolation with `taps` neighbours per resized dimension: nested sums,
/// the innermost over the last resized dimension.
static LogicalResult emitInterpolation(qnn::ResizeOp op, ArrayRef<Axis> axes,
                                       ArrayRef<bool> isResized,
                                       KernelEmitter &emitter) {
  Element in(op.getInput().getType()), out(op.getType());
  if (in.perAxis || out.perAxis || in.isInteger() != out.isInteger())
    return failure();
  bool isCubic = op.getMode() == ResizeMode::Cubic;
  int64_t taps = isCubic ? 4 : 2;
  IndexedBox box = mergeDims(shapeOf(op.getInput()), shapeOf(op.getResult()),
                             [&](unsigned d) { return isResized[d]; });
  SmallVector<Value> args{emitter.buffer(op.getInput()),
                          emitter.buffer(op.getResult())};
  for (auto [axis, resized] : llvm::zip(axes, isResized)) {
    if (!resized)
      continue;
    SmallVector<int32_t> indices;
    SmallVector<float> weights;
    for (int64_t o = 0; o < axis.out; ++o) {
      if (isCubic)
        axis.cubic(o, op.getCubicCoeff().convertToFloat(),
                   op.getExcludeOutside(), indices, weights);
      else
        axis.linear(o, indices, weights);
    }
    args.push_back(constantOf(emitter, "indices", ArrayRef<int32_t>(indices)));
    args.push_back(constantOf(emitter, "weights", ArrayRef<float>(weights)));
  }

  Tiling tiling(box.out, grain / (taps * taps));
  SmallVector<int64_t> inStrides = rowMajor(box.in),
                       outStrides = rowMajor(box.out);
  func::FuncOp kernel = emitter.kernel(
      isCubic ? "resize_cubic" : "resize_linear", opKey(op),
      ValueRange(args).getTypes(), op.getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Type real = in.real();
        Value from = b.flat(args[0]), to = b.flat(args[1]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value target = b.index(0);
          for (unsigned d = 0; d < box.out.size(); ++d)
            target = b.add(target, b.mulIndex(ivs[d], outStrides[d]));
          std::function<Value(unsigned, Value)> nest =
              [&](unsigned d, Value source) -> Value {
            if (d == box.out.size())
              return b.toReal(b.load(from, source), in);
            if (box.table[d] < 0)
              return nest(d + 1,
                          b.add(source, b.mulIndex(ivs[d], inStrides[d])));
            Value table = args[2 + 2 * box.table[d]];
            Value weights = args[3 + 2 * box.table[d]];
            Value sum;
            for (int64_t k = 0; k < taps; ++k) {
              Value at = b.addIndex(b.mulIndex(ivs[d], taps), k);
              Value i = loadIndex(b, table, at);
              Value v = nest(d + 1, b.add(source, b.mulIndex(i, inStrides[d])));
              Value weight = b.convert(b.load(weights, at),
                                       Element(b.getF32Type()), Element(real));
              Value term = b.mul(v, weight);
              sum = sum ? b.add(sum, term) : term;
            }
            return sum;
          };
          b.store(b.fromReal(nest(0, b.index(0)), out), to, target);
        });
      });
  emitter.call(kernel, args, tiling.tiles(), op.getLoc());
  return success();
}

LogicalResult qcc::reference::emitResize(Operation *op,
                                         KernelEmitter &emitter) {
  auto resize = dyn_cast<qnn::ResizeOp>(op);
  if (!resize)
    return failure();
  ArrayRef<int64_t> in = shapeOf(resize.getInput()),
                    out = shapeOf(resize.getResult());
  SmallVector<Axis> axes;
  SmallVector<bool> isResized;
  for (unsigned d = 0; d < in.size(); ++d) {
    axes.push_back(
        {in[d], out[d], resize.getScales()[d], resize.getCoordMode()});
    isResized.push_back(in[d] != out[d] || axes.back().scale != 1.f);
    if (in[d] == 0 && out[d] != 0)
      return op->emitOpError("resizes a dimension without elements"), failure();
  }
  if (resize.getMode() != ResizeMode::Nearest)
    return emitInterpolation(resize, axes, isResized, emitter);
  if (getElementTypeOrSelf(resize.getInput().getType()) !=
      getElementTypeOrSelf(resize.getType()))
    return failure();
  IndexTables tables(in.size());
  for (unsigned d = 0; d < in.size(); ++d) {
    if (!isResized[d])
      continue;
    SmallVector<int32_t> &table = tables[d].emplace();
    for (int64_t o = 0; o < out[d]; ++o)
      table.push_back(axes[d].nearest(o, resize.getNearestMode()));
  }
  emitIndexed(emitter, op, "resize_nearest", tables);
  return success();
}
