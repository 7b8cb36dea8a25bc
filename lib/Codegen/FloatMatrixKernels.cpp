//===- FloatMatrixKernels.cpp - float32 convolution and matmul ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Convolution (as implicit GEMM) and matrix products with constant weights, on
// a register tile of rows x vectors of columns. Weights are packed as
//
//   [group][panel][k][vectors * lanes]
//
// A tile is a block of rows (output pixels) and a range of panels; unless the
// rows lie in memory as the product needs them, they are gathered into a block
// on the stack, once for all panels of the tile. Every element is one chain of
// multiply-adds in ascending k from zero; bias, residual and activation follow.
//
//===----------------------------------------------------------------------===//

#include "Im2col.h"
#include "KernelLists.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

namespace {

/// What a block of gathered rows may take of the stack.
constexpr int64_t goodBlockBytes = 32 * 1024, maxBlockBytes = 192 * 1024;
/// Weights up to this size stay in a second-level cache from block to block.
constexpr int64_t cachedWeightBytes = 1024 * 1024;
/// Tiles that keep a few threads evenly busy.
constexpr int64_t enoughTiles = 16;

/// A product of a matrix with constant weights, for each group.
struct Product {
  int64_t groups, m, k, n;      ///< n: columns per group
  std::optional<Im2col> gather; ///< nothing: rows of k contiguous elements
  std::function<float(int64_t g, int64_t k, int64_t n)> weight;
  std::function<float(int64_t g, int64_t n)> bias;
  Value lhs, residual, result;
  FloatActivation activation;
  std::string key;
};

/// How a product is cut.
struct Blocking {
  Blocking(const Product &p, const TargetLevel &level) : lanes(level.lanes()) {
    int64_t columns = llvm::divideCeil(p.n, lanes);
    panels = llvm::divideCeil(columns, int64_t(level.floatTile.vectors));
    vectors = llvm::divideCeil(columns, panels);
    // The registers that wider panels would have used go to more rows.
    int64_t budget = level.floatTile.rows * level.floatTile.vectors;
    rows = std::clamp<int64_t>(budget / vectors, 1, 12);
    rows = std::min(rows, p.m);
    // Full tiles where the count of rows allows it.
    rows = llvm::divideCeil(p.m, llvm::divideCeil(p.m, rows));
    panelColumns = vectors * lanes;

    int64_t rowBytes = p.k * 4;
    int64_t wanted = rows * 8;
    if (p.gather) {
      int64_t limit =
          p.k * p.n * 4 > cachedWeightBytes ? maxBlockBytes : goodBlockBytes;
      wanted = limit / rowBytes;
    }
    blockRows = std::max(rows, std::min(wanted, p.m) / rows * rows);
    blocks = llvm::divideCeil(p.m, blockRows);
    // Few blocks: the panels are shared out too.
    int64_t parts = llvm::divideCeil(enoughTiles, p.groups * blocks);
    panelsPerTile = llvm::divideCeil(panels, std::min(panels, parts));
    panelParts = llvm::divideCeil(panels, panelsPerTile);
    tiles = p.groups * blocks * panelParts;
  }
  bool fits(const Product &p) const {
    return !p.gather || blockRows * p.k * 4 <= maxBlockBytes;
  }

  int64_t lanes, panels, vectors, rows, panelColumns;
  int64_t blockRows, blocks, panelsPerTile, panelParts, tiles;
};

/// Emits the kernel of one product.
class Emitter {
public:
  Emitter(CodeBuilder &c, const TargetLevel &level, const Product &p,
          const Blocking &t, ValueRange args)
      : c(c), level(level), p(p), t(t), lhs(args[0]), weights(args[1]),
        bias(args[2]), result(args[3]),
        residual(p.residual ? args[4] : Value()) {
    if (p.gather)
      block = c.stack(c.b.getF32Type(), t.blockRows * p.k);
    spill = c.stack(c.b.getF32Type(), t.lanes);
  }

  void emitTile(Value tile);

private:
  void emitPanels(Value group, Value firstRow, Value lastRow, Value firstPanel,
                  Value lastPanel);
  void emitPanel(Value group, Value panel, Value firstRow, Value lastRow,
                 int64_t valid);
  void emitRegisterTile(Value group, Value panel, Value row, Value firstRow,
                        int64_t count, int64_t valid);

  CodeBuilder &c;
  const TargetLevel &level;
  const Product &p;
  const Blocking &t;
  Value lhs, weights, bias, result, residual, block, spill;
};

} // namespace

void Emitter::emitTile(Value tile) {
  Value part = c.rem(tile, t.panelParts), rest = c.div(tile, t.panelParts);
  Value group = c.div(rest, t.blocks);
  Value firstRow = c.mul(c.rem(rest, t.blocks), t.blockRows);
  Value lastRow = c.min(c.add(firstRow, t.blockRows), c.index(p.m));
  if (p.gather)
    c.loop(firstRow, lastRow, 1, [&](Value row) {
      p.gather->gatherRow(c, lhs, row, group, block,
                          c.mul(c.sub(row, firstRow), p.k));
    });
  Value firstPanel = c.mul(part, t.panelsPerTile);
  Value lastPanel =
      c.min(c.add(firstPanel, t.panelsPerTile), c.index(t.panels));
  emitPanels(group, firstRow, lastRow, firstPanel, lastPanel);
}

void Emitter::emitPanels(Value group, Value firstRow, Value lastRow,
                         Value firstPanel, Value lastPanel) {
  int64_t rest = p.n - (t.panels - 1) * t.panelColumns; // columns of the last
  if (rest == t.panelColumns)
    return c.loop(firstPanel, lastPanel, 1, [&](Value panel) {
      emitPanel(group, panel, firstRow, lastRow, t.panelColumns);
    });
  Value fullPanels = c.index(t.panels - 1);
  c.loop(firstPanel, c.min(lastPanel, fullPanels), 1, [&](Value panel) {
    emitPanel(group, panel, firstRow, lastRow, t.panelColumns);
  });
  Value isLast = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::eq,
                                       lastPanel, c.index(t.panels));
  c.branch(
      isLast, [&] { emitPanel(group, fullPanels, firstRow, lastRow, rest); },
      nullptr);
}

void Emitter::emitPanel(Value group, Value panel, Value firstRow, Value lastRow,
                        int64_t valid) {
  int64_t rest = p.m % t.rows;
  Value fullEnd = rest == 0 ? lastRow : c.min(lastRow, c.index(p.m - rest));
  c.loop(firstRow, fullEnd, t.rows, [&](Value row) {
    emitRegisterTile(group, panel, row, firstRow, t.rows, valid);
  });
  if (rest == 0)
    return;
  Value isLast = arith::CmpIOp::create(c.b, c.loc, arith::CmpIPredicate::eq,
                                       lastRow, c.index(p.m));
  c.branch(
      isLast,
      [&] {
        emitRegisterTile(group, panel, c.index(p.m - rest), firstRow, rest,
                         valid);
      },
      nullptr);
}

void Emitter::emitRegisterTile(Value group, Value panel, Value row,
                               Value firstRow, int64_t count, int64_t valid) {
  OpBuilder &b = c.b;
  Location loc = c.loc;
  Type f32 = b.getF32Type();
  auto vector = c.vectorType(f32, t.lanes);
  Value slot = c.add(c.mul(group, t.panels), panel);
  Value weightBase = c.mul(slot, p.k * t.panelColumns);
  Value source = p.gather ? block : lhs;
  Value rowBase = c.mul(p.gather ? c.sub(row, firstRow) : row, p.k);

  SmallVector<Value> zeros(count * t.vectors, c.splat(f32, 0, t.lanes));
  SmallVector<Value> sums = c.loop(
      c.index(0), c.index(p.k), 1, zeros, [&](Value k, ValueRange carried) {
        SmallVector<Value> next(carried);
        Value at = c.add(weightBase, c.mul(k, t.panelColumns));
        SmallVector<Value> w;
        for (int64_t v = 0; v < t.vectors; ++v)
          w.push_back(c.load(weights, c.add(at, v * t.lanes), vector));
        Value from = c.add(rowBase, k);
        for (int64_t r = 0; r < count; ++r) {
          Value scalar =
              memref::LoadOp::create(b, loc, source, c.add(from, r * p.k));
          Value x = vector::BroadcastOp::create(b, loc, vector, scalar);
          for (int64_t v = 0; v < t.vectors; ++v)
            next[r * t.vectors + v] =
                multiplyAdd(c, level, x, w[v], next[r * t.vectors + v]);
        }
        return next;
      });

  Value biasBase = c.mul(slot, t.panelColumns);
  Value column = c.add(c.mul(group, p.n), c.mul(panel, t.panelColumns));
  for (int64_t v = 0; v * t.lanes < valid; ++v) {
    Value offset = c.load(bias, c.add(biasBase, v * t.lanes), vector);
    int64_t here = std::min(t.lanes, valid - v * t.lanes);
    for (int64_t r = 0; r < count; ++r) {
      Value to = c.add(c.add(c.mul(c.add(row, r), p.groups * p.n), column),
                       v * t.lanes);
      Value sum =
          arith::AddFOp::create(b, loc, sums[r * t.vectors + v], offset);
      if (residual) {
        Value other;
        if (here == t.lanes) {
          other = c.load(residual, to, vector);
        } else {
          c.copyRun(residual, to, spill, c.index(0), here, level.vectorBytes);
          other = c.load(spill, c.index(0), vector);
        }
        sum = arith::AddFOp::create(b, loc, sum, other);
      }
      sum = p.activation.emit(c, sum);
      if (here == t.lanes) {
        c.store(sum, result, to);
      } else {
        c.store(sum, spill, c.index(0));
        c.copyRun(spill, c.index(0), result, to, here, level.vectorBytes);
      }
    }
  }
}

static LogicalResult emitProduct(const Product &p, Location loc,
                                 KernelEmitter &e) {
  Blocking t(p, e.level());
  if (!t.fits(p))
    return failure();
  std::vector<float> weights(p.groups * t.panels * p.k * t.panelColumns);
  std::vector<float> bias(p.groups * t.panels * t.panelColumns);
  for (int64_t g = 0; g < p.groups; ++g)
    for (int64_t panel = 0; panel < t.panels; ++panel) {
      int64_t slot = g * t.panels + panel, first = panel * t.panelColumns;
      for (int64_t j = 0; j < t.panelColumns && first + j < p.n; ++j) {
        bias[slot * t.panelColumns + j] = p.bias(g, first + j);
        for (int64_t k = 0; k < p.k; ++k)
          weights[(slot * p.k + k) * t.panelColumns + j] =
              p.weight(g, k, first + j);
      }
    }
  Type f32 = Float32Type::get(e.context());
  auto flat = [&](Value tensor) {
    Value buffer = e.buffer(tensor);
    int64_t count = cast<MemRefType>(buffer.getType()).getNumElements();
    return e.reshape(buffer, MemRefType::get({count}, f32), loc);
  };
  auto constant = [&](StringRef stem, const std::vector<float> &values) {
    return e.constant(
        stem, MemRefType::get({int64_t(values.size())}, f32),
        ArrayRef<char>(reinterpret_cast<const char *>(values.data()),
                       values.size() * sizeof(float)));
  };
  SmallVector<Value> args = {flat(p.lhs), constant("weights", weights),
                             constant("bias", bias), flat(p.result)};
  if (p.residual)
    args.push_back(flat(p.residual));
  auto body = [&](OpBuilder &b, Location loc, ValueRange args, Value begin,
                  Value end) {
    CodeBuilder c(b, loc);
    Emitter emitter(c, e.level(), p, t, args);
    c.loop(begin, end, 1, [&](Value tile) { emitter.emitTile(tile); });
  };
  func::FuncOp kernel = e.kernel(
      p.gather ? "conv_f32" : "matmul_f32",
      llvm::formatv("{0} {1}x{2}x{3}x{4} {5}{6}", p.key, p.groups, p.m, p.k,
                    p.n, p.activation.key(), p.residual ? " residual" : "")
          .str(),
      ValueRange(args).getTypes(), loc, body);
  e.call(kernel, args, t.tiles, loc);
  return success();
}

static LogicalResult emitConv(ConvOp op, KernelEmitter &e) {
  std::optional<ConvShape> shape = ConvShape::get(op);
  std::optional<FloatConv> conv = shape ? FloatConv::match(op) : std::nullopt;
  if (!conv)
    return failure();
  const ConvShape &s = *shape;
  Im2col gather{s, 0.0, e.level().vectorBytes};
  int64_t channels = gather.groupChannels(), taps = s.kh * s.kw,
          n = s.oc / s.group;
  Product p;
  p.groups = s.group;
  p.m = s.n * s.oh * s.ow;
  p.k = gather.columns();
  p.n = n;
  if (!gather.isDirect())
    p.gather = gather;
  p.weight = [&](int64_t g, int64_t k, int64_t j) {
    return conv
        ->filter[((g * n + j) * channels + k % channels) * taps + k / channels];
  };
  p.bias = [&](int64_t g, int64_t j) { return conv->biasOf(g * n + j); };
  p.lhs = op.getInput();
  p.residual = op.getResidual();
  p.result = op.getResult();
  p.activation = conv->activation;
  p.key = s.key();
  return emitProduct(p, op.getLoc(), e);
}

static LogicalResult emitMatmul(MatmulOp op, KernelEmitter &e) {
  auto isF32 = [](Value v) {
    return !v || tensorTypeOf(v).getElementType().isF32();
  };
  std::optional<ConstantBytes> weights = ConstantBytes::get(op.getRhs());
  std::optional<FloatActivation> activation =
      FloatActivation::get(op.getActivationAttr());
  ArrayRef<int64_t> lhs = shapeOf(op.getLhs()), rhs = shapeOf(op.getRhs());
  if (!weights || !activation || rhs.size() != 2 || op.getTransposeLhs() ||
      !isF32(op.getLhs()) || !isF32(op.getRhs()) || !isF32(op.getResult()) ||
      !isF32(op.getResidual()))
    return failure();
  bool transposed = op.getTransposeRhs();
  Product p;
  p.groups = 1;
  p.k = lhs.back();
  p.n = rhs[transposed ? 0 : 1];
  p.m = p.k == 0 ? 0 : tensorTypeOf(op.getLhs()).getNumElements() / p.k;
  if (p.m == 0 || p.n == 0)
    return failure();
  std::optional<ConstantBytes> bias;
  if (op.getBias()) {
    bias = ConstantBytes::get(op.getBias());
    if (!bias || !isF32(op.getBias()) ||
        tensorTypeOf(op.getBias()).getNumElements() != p.n ||
        shapeOf(op.getBias()).back() != p.n)
      return failure();
  }
  ArrayRef<float> w = weights->as<float>();
  p.weight = [&](int64_t, int64_t k, int64_t n) {
    return w[transposed ? n * p.k + k : k * p.n + n];
  };
  p.bias = [&](int64_t, int64_t n) {
    return bias ? bias->as<float>()[n] : 0.f;
  };
  p.lhs = op.getLhs();
  p.residual = op.getResidual();
  p.result = op.getResult();
  p.activation = *activation;
  return emitProduct(p, op.getLoc(), e);
}

static LogicalResult emitFloatMatrix(Operation *op, KernelEmitter &e) {
  if (auto conv = dyn_cast<ConvOp>(op))
    return emitConv(conv, e);
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return emitMatmul(matmul, e);
  return failure();
}

void qcc::populateFloatMatrixKernels(KernelGenerators &generators) {
  generators.push_back({"float-matrix", emitFloatMatrix});
}
