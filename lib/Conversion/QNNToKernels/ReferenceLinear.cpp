//===- ReferenceLinear.cpp - Convolutions and matrix products -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

/// Products per tile.
static constexpr int64_t grain = 1 << 16;
/// Results that are summed at once, in the kernel's stack frame.
static constexpr int64_t maxBlock = 256;

/// Iterations per tile where each takes `work` products.
static int64_t grainFor(int64_t work) {
  return std::max<int64_t>(1, grain / std::max<int64_t>(1, work));
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

namespace {

struct ConvShape {
  Window window;
  int64_t batch, group, inPerGroup, outPerGroup;
  bool channelsLast;

  template <typename Op>
  ConvShape(Op op, bool transposed = false)
      : window(op, shapeOf(op.getFilter()).drop_front(2),
               op.getLayout() == qnn::Layout::ChannelsLast ? 1 : 2, transposed),
        batch(shapeOf(op.getInput())[0]), group(op.getGroup()),
        channelsLast(op.getLayout() == qnn::Layout::ChannelsLast) {
    ArrayRef<int64_t> w = shapeOf(op.getFilter());
    inPerGroup = transposed ? w[0] / group : w[1];
    outPerGroup = transposed ? w[1] : w[0] / group;
  }

  int64_t channels() const { return group * inPerGroup; }
  int64_t outChannels() const { return group * outPerGroup; }
  int64_t depth() const { return window.taps() * inPerGroup; }
  bool isDepthwise() const {
    return inPerGroup == 1 && outPerGroup == 1 && group > 1;
  }
};

/// What the bodies of both layouts see.
struct ConvBody {
  const ConvShape &s;
  const Window &window;
  LoopBuilder &b;
  Contraction::Code &code;
  Value sums; ///< one block of results in the stack frame

  void clearSums(Value count) {
    Value zero = b.number(code.sumType(), 0);
    b.loop(b.index(0), count, [&](Value j) { b.store(zero, sums, j); });
  }
  void accumulate(Value j, Value x, Value w) {
    b.store(b.multiplyAdd(x, w, b.load(sums, j)), sums, j);
  }

  void channelsLast(ValueRange ivs, int64_t block, bool scalesPerOutput);
  void channelsFirst(ValueRange ivs, int64_t block, Value ranges,
                     bool scalesPerOutput);
};
} // namespace

/// ivs: n, od, oh, ow, group, block of output channels of the group (of the
/// groups themselves when depthwise).
void ConvBody::channelsLast(ValueRange ivs, int64_t block,
                            bool scalesPerOutput) {
  bool depthwise = s.isDepthwise();
  int64_t extent = depthwise ? s.group : s.outPerGroup;
  Value from = b.mulIndex(ivs[5], block), count = b.index(block);
  if (extent % block)
    count = b.smaller(count, b.sub(b.index(extent), from));
  clearSums(count);
  // Where all groups share their scales, a depthwise one has a single scale.
  auto scaleOf = [&](Value channel, Value inGroup) {
    if (scalesPerOutput)
      return channel;
    return depthwise ? b.index(0) : inGroup;
  };
  Value firstChannel = depthwise ? from : b.mulIndex(ivs[4], s.inPerGroup);
  SmallVector<Value> out{ivs[1], ivs[2], ivs[3]};
  window.forTaps(b, 3, out, [&](ValueRange k, ValueRange in) {
    Value pixel =
        linearIndex(b, {ivs[0], in[0], in[1], in[2]},
                    {s.batch, window.in[0], window.in[1], window.in[2]});
    Value x = b.add(b.mulIndex(pixel, s.channels()), firstChannel);
    Value tap = linearIndex(b, k, window.kernel);
    if (depthwise) {
      Value w = b.add(b.mulIndex(tap, s.group), from);
      b.loop(b.index(0), count, [&](Value j) {
        accumulate(j, code.x(b.add(x, j), {}),
                   code.w(b.add(w, j), scaleOf(b.add(from, j), {})));
      });
      return;
    }
    Value w = b.add(b.mulIndex(ivs[4], window.taps()), tap);
    b.loop(0, s.inPerGroup, [&](Value c) {
      Value xValue = code.x(b.add(x, c), {});
      Value row = b.add(
          b.mulIndex(b.add(b.mulIndex(w, s.inPerGroup), c), s.outPerGroup),
          from);
      Value channel = from;
      if (scalesPerOutput)
        channel = b.add(b.mulIndex(ivs[4], s.outPerGroup), from);
      b.loop(b.index(0), count, [&](Value j) {
        accumulate(j, xValue, code.w(b.add(row, j), b.add(channel, j)));
      });
    });
  });
  Value firstOut =
      depthwise ? from : b.add(b.mulIndex(ivs[4], s.outPerGroup), from);
  Value pixel =
      linearIndex(b, ivs.take_front(4),
                  {s.batch, window.out[0], window.out[1], window.out[2]});
  Value y = b.add(b.mulIndex(pixel, s.outChannels()), firstOut);
  b.loop(b.index(0), count, [&](Value j) {
    Value channel = b.add(firstOut, j);
    code.store(b.load(sums, j), b.add(y, j), scaleOf(channel, b.add(from, j)),
               channel);
  });
}

/// ivs: n, group, output channel of the group, od, oh, block of the row.
void ConvBody::channelsFirst(ValueRange ivs, int64_t block, Value ranges,
                             bool scalesPerOutput) {
  Value from = b.mulIndex(ivs[5], block), to = b.addIndex(from, block);
  if (window.out[2] % block)
    to = b.smaller(to, b.index(window.out[2]));
  clearSums(b.sub(to, from));
  Value outChannel = b.add(b.mulIndex(ivs[1], s.outPerGroup), ivs[2]);
  Value channel = scalesPerOutput ? outChannel : ivs[2];
  SmallVector<Value> out{ivs[3], ivs[4]};
  window.forTaps(b, 2, out, [&](ValueRange k, ValueRange in) {
    window.forRowTaps(
        b, ranges, from, to, [&](Value kw, Value lo, Value hi, Value offset) {
          Value tap = linearIndex(
              b, {ivs[1], k[0], k[1], kw},
              {s.group, window.kernel[0], window.kernel[1], window.kernel[2]});
          b.loop(0, s.inPerGroup, [&](Value c) {
            Value w = b.add(b.mulIndex(tap, s.inPerGroup), c);
            w = code.w(b.add(b.mulIndex(w, s.outPerGroup), ivs[2]), channel);
            Value inChannel = b.add(b.mulIndex(ivs[1], s.inPerGroup), c);
            Value row = linearIndex(
                b, {ivs[0], inChannel, in[0], in[1]},
                {s.batch, s.channels(), window.in[0], window.in[1]});
            row = b.mulIndex(row, window.in[2]);
            b.loop(lo, hi, [&](Value i) {
              Value other = b.add(b.mulIndex(i, window.stride[2]), offset);
              Value xAt = window.transposed ? i : other;
              Value yAt = window.transposed ? other : i;
              accumulate(b.sub(yAt, from), code.x(b.add(row, xAt), {}), w);
            });
          });
        });
  });
  Value y =
      linearIndex(b, {ivs[0], outChannel, ivs[3], ivs[4]},
                  {s.batch, s.outChannels(), window.out[0], window.out[1]});
  y = b.mulIndex(y, window.out[2]);
  b.loop(from, to, [&](Value i) {
    code.store(b.load(sums, b.sub(i, from)), b.add(y, i), channel, outChannel);
  });
}

static LogicalResult emitConv(Operation *op, StringRef stem, const ConvShape &s,
                              const Contraction::Operands &operands,
                              KernelEmitter &emitter) {
  Contraction contraction(operands);
  if (!contraction.isSupported())
    return failure();

  // Weights as [group][taps][in][out]: output channels contiguous.
  const Window &window = s.window;
  int64_t taps = window.taps();
  SmallVector<int64_t> packedShape{s.group, taps, s.inPerGroup, s.outPerGroup};
  SmallVector<int64_t> strides;
  if (window.transposed)
    strides = {s.inPerGroup * s.outPerGroup * taps, 1, s.outPerGroup * taps,
               taps};
  else
    strides = {s.outPerGroup * s.inPerGroup * taps, 1, taps,
               s.inPerGroup * taps};
  bool groupsLast = s.channelsLast && s.isDepthwise();
  if (groupsLast) { // [taps][group]
    packedShape = {taps, s.group};
    strides = {1, taps};
  }
  Value w = packed(emitter, operands.w, packedShape, strides, op->getLoc());
  contraction.createBuffers(emitter, w);

  // Scales of a transposed convolution's filter may be those of one group.
  Element wElement(operands.w.getType());
  bool scalesPerOutput =
      !wElement.perAxis || int64_t(wElement.numChannels()) == s.outChannels();

  SmallVector<int64_t> box;
  int64_t extent = window.out[2];
  if (s.channelsLast)
    extent = groupsLast ? s.group : s.outPerGroup;
  int64_t block = std::min(extent, maxBlock);
  int64_t blocks = block ? (extent + block - 1) / block : 0;
  if (s.channelsLast)
    box = {s.batch,
           window.out[0],
           window.out[1],
           window.out[2],
           groupsLast ? 1 : s.group,
           blocks};
  else
    box = {s.batch,       s.group,       s.outPerGroup,
           window.out[0], window.out[1], blocks};
  Tiling tiling(box, grainFor(block * s.depth()));

  SmallVector<Value> args(contraction.buffers());
  unsigned numBuffers = args.size();
  if (!s.channelsLast)
    args.push_back(window.rowRanges(emitter));
  func::FuncOp kernel = emitter.kernel(
      stem, opKey(op), ValueRange(args).getTypes(), op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Contraction::Code code(contraction, b, args.take_front(numBuffers));
        ConvBody body{s, window, b, code, b.local(code.sumType(), block)};
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          if (s.channelsLast)
            body.channelsLast(ivs, block, scalesPerOutput);
          else
            body.channelsFirst(ivs, block, args.back(), scalesPerOutput);
        });
      });
  emitter.call(kernel, args, tiling.tiles(), op->getLoc());
  return success();
}

static LogicalResult emit(qnn::ConvOp op, KernelEmitter &emitter) {
  ConvShape s(op);
  Contraction::Operands operands;
  operands.x = op.getInput();
  operands.w = op.getFilter();
  operands.bias = op.getBias();
  operands.residual = op.getResidual();
  operands.result = op.getResult();
  operands.activation = op.getActivationAttr();
  operands.depth = s.depth();
  return emitConv(op, s.isDepthwise() ? "depthwise" : "conv", s, operands,
                  emitter);
}

static LogicalResult emit(qnn::ConvTransposeOp op, KernelEmitter &emitter) {
  ConvShape s(op, /*transposed=*/true);
  Contraction::Operands operands;
  operands.x = op.getInput();
  operands.w = op.getFilter();
  operands.bias = op.getBias();
  operands.result = op.getResult();
  operands.activation = op.getActivationAttr();
  operands.depth = s.depth();
  return emitConv(op, "conv_transpose", s, operands, emitter);
}

static LogicalResult emit(qnn::ConvIntegerOp op, KernelEmitter &emitter) {
  ConvShape s(op);
  Contraction::Operands operands;
  operands.x = op.getInput();
  operands.w = op.getFilter();
  operands.result = op.getResult();
  operands.xZeroPoint = op.getInputZeroPoint();
  operands.wZeroPoint = op.getFilterZeroPoint();
  operands.depth = s.depth();
  return emitConv(op, "conv_integer", s, operands, emitter);
}

//===----------------------------------------------------------------------===//
// Matrix product
//===----------------------------------------------------------------------===//

namespace {
struct MatmulShape {
  SmallVector<int64_t> batch; ///< of the result
  SmallVector<int64_t> lhsBatchStrides, rhsBatchStrides;
  int64_t m = 1, n = 1, k = 1;
  int64_t lhsRow, lhsColumn; ///< strides of m and k
  bool rhsIsTransposed;
  SmallVector<int64_t> rhsBatch;

  static MatmulShape get(Value lhs, Value rhs, bool transposeLhs,
                         bool transposeRhs);
};
} // namespace

MatmulShape MatmulShape::get(Value lhs, Value rhs, bool transposeLhs,
                             bool transposeRhs) {
  MatmulShape s;
  ArrayRef<int64_t> a = shapeOf(lhs), b = shapeOf(rhs);
  ArrayRef<int64_t> aBatch, bBatch;
  if (a.size() >= 2) {
    aBatch = a.drop_back(2);
    int64_t rows = a[a.size() - 2], columns = a.back();
    s.m = transposeLhs ? columns : rows;
    s.k = transposeLhs ? rows : columns;
  } else {
    s.k = a[0];
  }
  s.lhsRow = transposeLhs ? 1 : s.k;
  s.lhsColumn = transposeLhs ? s.m : 1;
  if (b.size() >= 2) {
    bBatch = b.drop_back(2);
    s.n = transposeRhs ? b[b.size() - 2] : b.back();
  }
  s.rhsIsTransposed = transposeRhs && b.size() >= 2;
  s.rhsBatch.assign(bBatch.begin(), bBatch.end());

  unsigned rank = std::max(aBatch.size(), bBatch.size());
  s.batch.assign(rank, 1);
  auto strides = [&](ArrayRef<int64_t> shape, int64_t inner) {
    SmallVector<int64_t> result(rank, 0), own = rowMajor(shape);
    unsigned missing = rank - shape.size();
    for (unsigned d = 0; d < shape.size(); ++d) {
      if (shape[d] == 1)
        continue;
      result[missing + d] = own[d] * inner;
      s.batch[missing + d] = shape[d];
    }
    return result;
  };
  s.lhsBatchStrides = strides(aBatch, s.m * s.k);
  s.rhsBatchStrides = strides(bBatch, s.k * s.n);
  return s;
}

/// The strides of the bias over [batch..., m, n]; the result lacks m or n
/// where an operand is a vector.
static SmallVector<int64_t> biasStrides(Value bias, const MatmulShape &s,
                                        bool hasRow, bool hasColumn) {
  SmallVector<int64_t> strides(s.batch.size() + 2, 0);
  if (!bias)
    return strides;
  ArrayRef<int64_t> shape = shapeOf(bias);
  SmallVector<int64_t> own = rowMajor(shape);
  SmallVector<unsigned> dims; // of [batch..., m, n] that the result has
  for (unsigned d = 0; d < s.batch.size(); ++d)
    dims.push_back(d);
  if (hasRow)
    dims.push_back(s.batch.size());
  if (hasColumn)
    dims.push_back(s.batch.size() + 1);
  unsigned missing = dims.size() - shape.size();
  for (unsigned d = 0; d < shape.size(); ++d)
    if (shape[d] != 1)
      strides[dims[missing + d]] = own[d];
  return strides;
}

static LogicalResult emitMatmul(Operation *op, StringRef stem,
                                const MatmulShape &s,
                                const Contraction::Operands &operands,
                                KernelEmitter &emitter) {
  Contraction contraction(operands);
  if (!contraction.isSupported())
    return failure();
  Element wElement(operands.w.getType());
  if (wElement.perAxis && int64_t(wElement.numChannels()) != s.n)
    return failure();

  // The right-hand side as [batch...][k][n].
  SmallVector<int64_t> shape(s.rhsBatch), strides;
  for (int64_t stride : rowMajor(s.rhsBatch))
    strides.push_back(stride * s.k * s.n);
  shape.append({s.k, s.n});
  strides.push_back(s.rhsIsTransposed ? 1 : s.n);
  strides.push_back(s.rhsIsTransposed ? s.k : 1);
  contraction.createBuffers(
      emitter, packed(emitter, operands.w, shape, strides, op->getLoc()));

  unsigned batchRank = s.batch.size();
  int64_t block = std::min(s.n, maxBlock);
  int64_t blocks = block ? (s.n + block - 1) / block : 0;
  SmallVector<int64_t> box(s.batch);
  box.append({s.m, blocks});
  Tiling tiling(box, grainFor(s.k * block));
  SmallVector<int64_t> bias =
      biasStrides(operands.bias, s, shapeOf(operands.x).size() >= 2,
                  shapeOf(operands.w).size() >= 2);

  func::FuncOp kernel = emitter.kernel(
      stem, opKey(op), contraction.bufferTypes(), op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Contraction::Code code(contraction, b, args);
        Value sums = b.local(code.sumType(), block);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          Value row = ivs[batchRank];
          Value from = b.mulIndex(ivs[batchRank + 1], block);
          Value count = b.index(block);
          if (s.n % block)
            count = b.smaller(count, b.sub(b.index(s.n), from));
          Value x = b.mulIndex(row, s.lhsRow), w = from, y = b.index(0),
                biasAt = b.mulIndex(row, bias[batchRank]);
          for (unsigned d = 0; d < batchRank; ++d) {
            x = b.add(x, b.mulIndex(ivs[d], s.lhsBatchStrides[d]));
            w = b.add(w, b.mulIndex(ivs[d], s.rhsBatchStrides[d]));
            y = b.add(b.mulIndex(y, s.batch[d]), ivs[d]);
            biasAt = b.add(biasAt, b.mulIndex(ivs[d], bias[d]));
          }
          y = b.add(b.mulIndex(b.add(b.mulIndex(y, s.m), row), s.n), from);

          Value zero = b.number(code.sumType(), 0);
          b.loop(b.index(0), count, [&](Value j) { b.store(zero, sums, j); });
          b.loop(0, s.k, [&](Value k) {
            Value xValue = code.x(b.add(x, b.mulIndex(k, s.lhsColumn)), row);
            Value wRow = b.add(w, b.mulIndex(k, s.n));
            b.loop(b.index(0), count, [&](Value j) {
              Value wValue = code.w(b.add(wRow, j), b.add(from, j));
              b.store(b.multiplyAdd(xValue, wValue, b.load(sums, j)), sums, j);
            });
          });
          b.loop(b.index(0), count, [&](Value j) {
            Value column = b.add(from, j);
            code.store(b.load(sums, j), b.add(y, j), column,
                       b.add(biasAt, b.mulIndex(column, bias[batchRank + 1])));
          });
        });
      });
  emitter.call(kernel, contraction.buffers(), tiling.tiles(), op->getLoc());
  return success();
}

static LogicalResult emit(qnn::MatmulOp op, KernelEmitter &emitter) {
  MatmulShape s = MatmulShape::get(op.getLhs(), op.getRhs(),
                                   op.getTransposeLhs(), op.getTransposeRhs());
  Contraction::Operands operands;
  operands.x = op.getLhs();
  operands.w = op.getRhs();
  operands.bias = op.getBias();
  operands.residual = op.getResidual();
  operands.result = op.getResult();
  operands.activation = op.getActivationAttr();
  operands.depth = s.k;
  return emitMatmul(op, "matmul", s, operands, emitter);
}

static LogicalResult emit(qnn::MatmulIntegerOp op, KernelEmitter &emitter) {
  MatmulShape s = MatmulShape::get(op.getLhs(), op.getRhs(), false, false);
  Contraction::Operands operands;
  operands.x = op.getLhs();
  operands.w = op.getRhs();
  operands.result = op.getResult();
  operands.xZeroPoint = op.getLhsZeroPoint();
  operands.wZeroPoint = op.getRhsZeroPoint();
  operands.depth = s.k;
  return emitMatmul(op, "matmul_integer", s, operands, emitter);
}

LogicalResult qcc::reference::emitLinear(Operation *op,
                                         KernelEmitter &emitter) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qnn::ConvOp, qnn::ConvTransposeOp, qnn::ConvIntegerOp,
            qnn::MatmulOp, qnn::MatmulIntegerOp>(
          [&](auto concrete) { return emit(concrete, emitter); })
      .Default([](Operation *) { return failure(); });
}
