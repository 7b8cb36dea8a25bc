//===- WinogradKernels.cpp - 3x3 convolutions by Winograd's method --------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Float convolutions of 3x3 and stride 1, two by two results at a time, with 16
// products per channel where the sum over the window takes 36:
//
//   results = A^T [ sum over channels of (G filter G^T) * (B^T patch B) ] A
//
//         1 0 -1  0          1   0   0
//   B^T = 0 1  1  0     G = 1/2  1/2 1/2     A^T = 1 1  1  0
//         0 -1 1  0         1/2 -1/2 1/2           0 1 -1 -1
//         0 1  0 -1          0   0   1
//
// The filters are transformed here, in float64. The kernel transforms patches
// of 4x4 pixels (a block of them: its rows), multiplies them position by
// position with the filters, which is a matrix product with 16 groups, and
// transforms the sums back. The transforms only add, and sums over the channels
// are a ninth as long as those over the window: results are nearer to the exact
// ones.
//
// Filters that do not fit a second-level cache are read panel by panel. Patches
// that do are then transformed once, by a kernel of their own, not per panel.
//
//===----------------------------------------------------------------------===//

#include "KernelLists.h"
#include "MatrixKernel.h"
#include "Product.h"

#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;

/// Positions of a patch, and its lines and columns.
static constexpr int64_t positions = 16, extent = 4;
/// Fewer channels than this are transformed for more time than multiplied.
static constexpr int64_t leastChannels = 16, leastColumns = 4;
/// Fewer patches than this do not pay for filters 16/9 times as large.
static constexpr int64_t leastPatches = 36;
/// All filters of a panel should stay in a second-level cache.
static constexpr int64_t residentBytes = 1024 * 1024;
/// All transformed patches that stay there beside such a panel.
static constexpr int64_t patchesBytes = 1792 * 1024;
/// Patches that one tile of their own kernel transforms.
static constexpr int64_t patchesPerTile = 8;
/// What transformed patches and sums should take on the stack.
static constexpr int64_t scratchBytes = 256 * 1024;
static constexpr int64_t mostBlockTiles = 8, leastBlocks = 8;
/// The most of both: of QCC_STACK_BYTES, with room for what is spilled.
static constexpr int64_t stackBytes = 432 * 1024;

namespace {
/// How the convolution is cut.
struct WinogradPlan {
  ConvShape conv;
  int64_t across, down; ///< patches per image
  MatrixPlan matrix;    ///< rows are patches, groups are positions
  bool transformsFirst; ///< all patches, by a kernel of its own

  WinogradPlan(const MatrixOperands &operands, const TargetLevel &level);
  /// Whether the method is for such convolutions of floats.
  static bool applies(const ConvShape &shape);

  int64_t rows() const { return matrix.blockTiles * matrix.tileRows; }
  /// From one position of a patch to the next, and from one patch to the next.
  int64_t positionPitch() const {
    return llvm::alignTo(conv.c, int64_t(matrix.lanes));
  }
  /// No power of two: rows that are one apart would share lines of the cache.
  int64_t patchPitch() const {
    return positions * positionPitch() + matrix.lanes;
  }
  int64_t sumsPitch() const { return positions * matrix.panelColumns(); }
  int64_t rowBytes() const {
    return ((transformsFirst ? 0 : patchPitch()) + sumsPitch()) * 4;
  }
  int64_t tiles() const {
    return matrix.rowBlocks * (matrix.rowsOuter ? 1 : matrix.panels());
  }
  /// A copy of a patch that the image's border clips.
  int64_t clippedBytes() const {
    return transformsFirst ? 0 : positions * conv.c * 4;
  }
  bool fitsStack() const {
    return rows() * rowBytes() + clippedBytes() <= stackBytes;
  }

private:
  void cutRows();
};

class WinogradKernel : MatrixKernel {
public:
  WinogradKernel(OpBuilder &b, Location loc, const WinogradPlan &plan,
                 const MatrixOperands &operands, const MatrixArguments &args)
      : MatrixKernel(b, loc, plan.matrix, operands, args), w(plan) {}

  void emit(Value begin, Value end);
  /// The kernel that transforms all patches, from args.input to args.result.
  void emitPatches(Value begin, Value end);

private:
  /// Where a patch lies.
  struct PatchIndex {
    Value image, down, across;
  };
  PatchIndex indexOf(Value row);
  void transformPatch(Value row, Value to);
  void copyClipped(const PatchIndex &patch, Value line, Value column);
  void transform(Value source, Value from, int64_t linePitch, Value to);
  void multiply(Value firstTile, Value lastTile, Value panel, unsigned vectors);
  /// Where a transformed patch starts; `firstRow`: of the block.
  Value patchAt(Value row, Value firstRow) {
    return c.mul(w.transformsFirst ? row : c.sub(row, firstRow),
                 w.patchPitch());
  }
  void finish(Value row, Value from, Value panel, unsigned vectors);

  VectorType floats() { return c.vectorType(c.b.getF32Type(), p.lanes); }
  Value plus(Value x, Value y) {
    return arith::AddFOp::create(c.b, c.loc, x, y);
  }
  Value minus(Value x, Value y) {
    return arith::SubFOp::create(c.b, c.loc, x, y);
  }

  const WinogradPlan &w;
  Value patches,
      sumsOf;    ///< [row][position][channel] and [row][position][column]
  Value clipped; ///< a patch that reaches over the edge of the image
};
} // namespace

//===----------------------------------------------------------------------===//
// The plan
//===----------------------------------------------------------------------===//

/// The products: a 1x1 convolution of a row of patches with 16 groups.
static ConvShape productShape(const ConvShape &conv, int64_t patches) {
  return {/*n=*/1,
          /*h=*/1,
          /*w=*/patches,
          /*c=*/positions * conv.c,
          /*oh=*/1,
          /*ow=*/patches,
          /*oc=*/positions * conv.oc,
          /*kh=*/1,
          /*kw=*/1,
          /*sh=*/1,
          /*sw=*/1,
          /*dh=*/1,
          /*dw=*/1,
          /*padT=*/0,
          /*padL=*/0,
          /*group=*/positions};
}

static int64_t patchesOf(const ConvShape &s) {
  return s.n * llvm::divideCeil(s.oh, 2) * llvm::divideCeil(s.ow, 2);
}

bool WinogradPlan::applies(const ConvShape &s) {
  return s.kh == 3 && s.kw == 3 && s.sh == 1 && s.sw == 1 && s.dh == 1 &&
         s.dw == 1 && s.group == 1 && s.c >= leastChannels &&
         s.oc >= leastColumns && patchesOf(s) >= leastPatches;
}

WinogradPlan::WinogradPlan(const MatrixOperands &operands,
                           const TargetLevel &level)
    : conv(operands.shape), across(llvm::divideCeil(conv.ow, 2)),
      down(llvm::divideCeil(conv.oh, 2)),
      matrix(productShape(conv, patchesOf(conv)), Factors::Float32,
             operands.epilogue.result == MatrixEpilogue::Result::Bytes,
             /*sumsRows=*/false, level) {
  // The same on all levels, which may share the packed filters.
  if (positions * conv.c * conv.oc * 4 > residentBytes)
    matrix.makeTall();
  // A panel is used for all positions before the next one.
  matrix.rowsOuter =
      matrix.panels() == 1 || matrix.packedBytes() <= residentBytes;
  transformsFirst =
      !matrix.rowsOuter && matrix.rows * patchPitch() * 4 <= patchesBytes;
  cutRows();
  // Some blocks for every thread, unless panels are that already.
  int64_t most = matrix.rowsOuter
                     ? llvm::divideCeil(matrix.rowTiles, leastBlocks)
                     : matrix.rowTiles;
  matrix.blockTiles =
      std::clamp<int64_t>(scratchBytes / (matrix.tileRows * rowBytes()), 1,
                          std::min(mostBlockTiles, most));
  matrix.rowBlocks = llvm::divideCeil(matrix.rowTiles, matrix.blockTiles);
  matrix.blockTiles = llvm::divideCeil(matrix.rowTiles, matrix.rowBlocks);
  matrix.rowBlocks = llvm::divideCeil(matrix.rowTiles, matrix.blockTiles);
}

/// Fewer rows per tile where many channels would not leave one on the stack.
void WinogradPlan::cutRows() {
  int64_t most = (stackBytes - clippedBytes()) / rowBytes();
  if (matrix.tileRows <= most || most < 1)
    return;
  matrix.rowTiles = llvm::divideCeil(matrix.rows, most);
  matrix.tileRows = llvm::divideCeil(matrix.rows, matrix.rowTiles);
  matrix.longTiles =
      matrix.rowTiles - (matrix.tileRows * matrix.rowTiles - matrix.rows);
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void WinogradKernel::emitPatches(Value begin, Value end) {
  patches = args.result;
  clipped = c.stack(c.b.getF32Type(), positions * w.conv.c);
  c.loop(c.mul(begin, patchesPerTile),
         c.min(c.mul(end, patchesPerTile), c.index(p.rows)), 1,
         [&](Value row) { transformPatch(row, patchAt(row, c.index(0))); });
}

void WinogradKernel::emit(Value begin, Value end) {
  Type f32 = c.b.getF32Type();
  patches = args.input;
  if (!w.transformsFirst) {
    patches = c.stack(f32, w.rows() * w.patchPitch());
    clipped = c.stack(f32, positions * w.conv.c);
  }
  sumsOf = c.stack(f32, w.rows() * w.sumsPitch());

  c.loop(begin, end, 1, [&](Value tile) {
    Value firstTile = c.mul(c.rem(tile, p.rowBlocks), p.blockTiles);
    Value lastTile = c.add(firstTile, p.blockTiles);
    if (p.rowTiles % p.blockTiles != 0)
      lastTile = c.min(lastTile, c.index(p.rowTiles));
    Value firstRow = firstRowOf(firstTile), lastRow = firstRowOf(lastTile);
    if (!w.transformsFirst)
      c.loop(firstRow, lastRow, 1,
             [&](Value row) { transformPatch(row, patchAt(row, firstRow)); });
    auto emitPanel = [&](Value panel, unsigned vectors) {
      multiply(firstTile, lastTile, panel, vectors);
      c.loop(firstRow, lastRow, 1, [&](Value row) {
        finish(row, c.mul(c.sub(row, firstRow), w.sumsPitch()), panel, vectors);
      });
    };
    if (p.rowsOuter) {
      c.loop(0, p.fullPanels, 1, [&](Value i) { emitPanel(i, p.vectors); });
      if (p.tailVectors)
        emitPanel(c.index(p.fullPanels), p.tailVectors);
      return;
    }
    Value panel = c.div(tile, p.rowBlocks);
    if (!p.tailVectors)
      return emitPanel(panel, p.vectors);
    c.branch(
        c.compare(arith::CmpIPredicate::ult, panel, p.fullPanels),
        [&] { emitPanel(panel, p.vectors); },
        [&] { emitPanel(panel, p.tailVectors); });
  });
}

WinogradKernel::PatchIndex WinogradKernel::indexOf(Value row) {
  Value line = c.div(row, w.across);
  return {c.div(line, w.down), c.rem(line, w.down), c.rem(row, w.across)};
}

void WinogradKernel::transformPatch(Value row, Value to) {
  const ConvShape &s = w.conv;
  PatchIndex patch = indexOf(row);
  // Coordinates of the patch; below zero they are huge as unsigned numbers.
  Value line = c.sub(c.mul(patch.down, 2), c.index(s.padT));
  Value column = c.sub(c.mul(patch.across, 2), c.index(s.padL));
  auto fromClipped = [&] {
    copyClipped(patch, line, column);
    transform(clipped, c.index(0), extent * s.c, to);
  };
  if (s.h < extent || s.w < extent) // no patch lies inside
    return fromClipped();
  Value inside = arith::AndIOp::create(
      c.b, c.loc, c.compare(arith::CmpIPredicate::ult, line, s.h - extent + 1),
      c.compare(arith::CmpIPredicate::ult, column, s.w - extent + 1));
  c.branch(
      inside,
      [&] {
        Value at = c.add(c.mul(patch.image, s.h), line);
        at = c.mul(c.add(c.mul(at, s.w), column), s.c);
        transform(args.input, at, s.w * s.c, to);
      },
      fromClipped);
}

void WinogradKernel::copyClipped(const PatchIndex &patch, Value line,
                                 Value column) {
  const ConvShape &s = w.conv;
  c.loop(0, extent, 1, [&](Value i) {
    Value y = c.add(line, i);
    Value insideDown = c.compare(arith::CmpIPredicate::ult, y, s.h);
    c.loop(0, extent, 1, [&](Value j) {
      Value x = c.add(column, j);
      Value inside = arith::AndIOp::create(
          c.b, c.loc, insideDown, c.compare(arith::CmpIPredicate::ult, x, s.w));
      Value to = c.mul(c.add(c.mul(i, extent), j), s.c);
      c.branch(
          inside,
          [&] {
            Value at = c.add(c.mul(patch.image, s.h), y);
            at = c.mul(c.add(c.mul(at, s.w), x), s.c);
            c.copyRun(args.input, at, clipped, to, s.c, level.vectorBytes);
          },
          [&] { c.fillRun(clipped, to, s.c, 0, level.vectorBytes); });
    });
  });
}

/// patches[to...] = B^T patch B, for every channel.
void WinogradKernel::transform(Value source, Value from, int64_t linePitch,
                               Value to) {
  int64_t channels = w.conv.c;
  auto transformed = [&](ArrayRef<Value> d) {
    return SmallVector<Value, 4>{minus(d[0], d[2]), plus(d[1], d[2]),
                                 minus(d[2], d[1]), minus(d[1], d[3])};
  };
  auto chunk = [&](Value channel, int64_t count) {
    SmallVector<SmallVector<Value, 4>> columns;
    for (int64_t j = 0; j < extent; ++j) {
      SmallVector<Value> pixels;
      for (int64_t i = 0; i < extent; ++i)
        pixels.push_back(loadFirst(
            c, floats(), count, source,
            c.add(c.add(from, channel), i * linePitch + j * channels)));
      columns.push_back(transformed(pixels));
    }
    for (int64_t i = 0; i < extent; ++i) {
      SmallVector<Value, 4> line = transformed(
          {columns[0][i], columns[1][i], columns[2][i], columns[3][i]});
      for (int64_t j = 0; j < extent; ++j)
        c.store(
            line[j], patches,
            c.add(c.add(to, channel), (i * extent + j) * w.positionPitch()));
    }
  };
  int64_t whole = channels / p.lanes * p.lanes;
  c.loop(0, whole, p.lanes, [&](Value channel) { chunk(channel, p.lanes); });
  if (whole < channels)
    chunk(c.index(whole), channels - whole);
}

/// sumsOf = patches times the filters of a panel, position by position.
void WinogradKernel::multiply(Value firstTile, Value lastTile, Value panel,
                              unsigned vectors) {
  Value firstRow = firstRowOf(firstTile);
  c.loop(0, positions, 1, [&](Value position) {
    c.loop(firstTile, lastTile, 1, [&](Value tile) {
      Value firstOfTile = firstRowOf(tile);
      Value first = c.sub(firstOfTile, firstRow);
      auto emitTile = [&](int64_t count) {
        Rows rows{first, count, tile, patches, {}, {}};
        Value start = c.add(patchAt(firstOfTile, firstRow),
                            c.mul(position, w.positionPitch()));
        for (int64_t row = 0; row < count; ++row)
          rows.starts.push_back(c.add(start, row * w.patchPitch()));
        SmallVector<Value> initial(count * vectors,
                                   c.splat(c.b.getF32Type(), 0, p.lanes));
        MatrixWeights weights(c, p, position, panel, vectors);
        SmallVector<Value> all = sums(rows, vectors, weights, initial);
        Value to = c.add(c.mul(first, w.sumsPitch()),
                         c.mul(position, p.panelColumns()));
        for (int64_t row = 0; row < count; ++row)
          for (unsigned v = 0; v < vectors; ++v)
            c.store(all[row * vectors + v], sumsOf,
                    c.add(to, row * w.sumsPitch() + v * int64_t(p.lanes)));
      };
      if (p.longTiles == p.rowTiles)
        return emitTile(p.tileRows);
      c.branch(
          c.compare(arith::CmpIPredicate::ult, tile, p.longTiles),
          [&] { emitTile(p.tileRows); }, [&] { emitTile(p.tileRows - 1); });
    });
  });
}

/// The results of one patch: A^T sums A and what follows the convolution.
void WinogradKernel::finish(Value row, Value from, Value panel,
                            unsigned vectors) {
  const ConvShape &s = w.conv;
  auto transformed = [&](ArrayRef<Value> m) {
    return SmallVector<Value, 2>{plus(plus(m[0], m[1]), m[2]),
                                 minus(minus(m[1], m[2]), m[3])};
  };
  SmallVector<Value> results[2][2]; // by line and column, one per vector
  for (unsigned v = 0; v < vectors; ++v) {
    SmallVector<SmallVector<Value, 2>> columns;
    for (int64_t j = 0; j < extent; ++j) {
      SmallVector<Value> sums;
      for (int64_t i = 0; i < extent; ++i)
        sums.push_back(c.load(sumsOf,
                              c.add(from, (i * extent + j) * p.panelColumns() +
                                              v * int64_t(p.lanes)),
                              floats()));
      columns.push_back(transformed(sums));
    }
    for (int64_t i = 0; i < 2; ++i) {
      SmallVector<Value, 2> line = transformed(
          {columns[0][i], columns[1][i], columns[2][i], columns[3][i]});
      results[i][0].push_back(line[0]);
      results[i][1].push_back(line[1]);
    }
  }

  SmallVector<int64_t> order;
  if (p.permuted)
    order = level.micro->packOrder(vectors);
  MatrixEpilogueEmitter epilogue(c, level, m.epilogue, order);
  epilogue.table = args.table;
  Value column = c.mul(panel, p.panelColumns());
  if (args.biases)
    for (unsigned v = 0; v < vectors; ++v)
      epilogue.biases.push_back(
          c.load(args.biases, c.add(column, v * int64_t(p.lanes)), floats()));

  PatchIndex patch = indexOf(row);
  Value line = c.mul(patch.down, 2), at = c.mul(patch.across, 2);
  at = c.add(c.mul(c.add(c.mul(patch.image, s.oh), line), s.ow), at);
  at = c.add(c.mul(at, s.oc), column);
  // The last patches may reach over the edge of the result.
  auto emitLine = [&](int64_t i, int64_t count) {
    Value start = c.add(at, i * s.ow * s.oc);
    auto emitPixels = [&](int64_t pixels) {
      epilogue.emit(ArrayRef(results[i], pixels), count, args.residual,
                    {start, s.oc}, args.result, {start, s.oc});
    };
    if (s.ow % 2 == 0)
      return emitPixels(2);
    c.branch(
        c.compare(arith::CmpIPredicate::ult, patch.across, w.across - 1),
        [&] { emitPixels(2); }, [&] { emitPixels(1); });
  };
  auto emitLines = [&](int64_t count) {
    emitLine(0, count);
    if (s.oh % 2 == 0)
      return emitLine(1, count);
    c.branch(
        c.compare(arith::CmpIPredicate::ult, patch.down, w.down - 1),
        [&] { emitLine(1, count); }, nullptr);
  };
  forColumnsOf(panel, vectors, emitLines);
}

//===----------------------------------------------------------------------===//
// The generator
//===----------------------------------------------------------------------===//

/// G filter G^T of every filter: [position][output channel][channel].
static std::vector<float> transformFilters(const MatrixOperands &operands) {
  const ConvShape &s = operands.shape;
  assert(operands.joinedGroups == 1 && "every weight is there");
  std::vector<float> result(positions * s.oc * s.c);
  auto transformed = [](const double *g, int64_t pitch, double *to) {
    double outer = g[0] + g[2 * pitch], inner = g[pitch];
    to[0] = g[0];
    to[1] = (outer + inner) / 2;
    to[2] = (outer - inner) / 2;
    to[3] = g[2 * pitch];
  };
  for (int64_t channel = 0; channel < s.oc; ++channel)
    for (int64_t k = 0; k < s.c; ++k) {
      double filter[9], columns[3][extent], lines[extent][extent];
      for (int64_t tap = 0; tap < 9; ++tap)
        filter[tap] =
            operands.floatFilter[operands.weightAt(channel, k * 9 + tap)];
      for (int64_t j = 0; j < 3; ++j)
        transformed(filter + j, 3, columns[j]);
      for (int64_t i = 0; i < extent; ++i) {
        transformed(&columns[0][i], extent, lines[i]);
        for (int64_t j = 0; j < extent; ++j)
          result[((i * extent + j) * s.oc + channel) * s.c + k] =
              float(lines[i][j]);
      }
    }
  return result;
}

/// The arguments as flat buffers.
static SmallVector<Value> flattenAll(OpBuilder &b, Location loc,
                                     ValueRange values) {
  CodeBuilder c(b, loc);
  return llvm::map_to_vector(values,
                             [&](Value value) { return flatten(c, value); });
}

/// Emits the kernel that transforms all patches; returns the buffer of them.
static Value emitPatches(Operation *op, KernelEmitter &emitter,
                         const WinogradPlan &plan,
                         const MatrixOperands &operands) {
  Type f32 = Builder(op->getContext()).getF32Type();
  Value buffers[] = {emitter.buffer(operands.input),
                     emitter.scratch(MemRefType::get(
                         {plan.matrix.rows * plan.patchPitch()}, f32))};
  func::FuncOp kernel = emitter.kernel(
      "winograd_patches", plan.conv.key(), ValueRange(buffers).getTypes(),
      op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        SmallVector<Value> flat = flattenAll(builder, loc, values);
        MatrixArguments args{flat[0], {}, flat[1], {}, {}, {}, {}, {}, {}, {}};
        WinogradKernel(builder, loc, plan, operands, args)
            .emitPatches(begin, end);
      });
  emitter.call(kernel, buffers,
               llvm::divideCeil(plan.matrix.rows, patchesPerTile),
               op->getLoc());
  return buffers[1];
}

static LogicalResult emitWinograd(Operation *op, KernelEmitter &emitter) {
  const TargetLevel &level = emitter.level();
  auto conv = dyn_cast<qnn::ConvOp>(op);
  if (!conv || !qnn::tensorTypeOf(conv.getInput()).getElementType().isF32())
    return failure();
  std::optional<ConvShape> shape = ConvShape::get(conv);
  if (!shape || !WinogradPlan::applies(*shape))
    return failure();
  std::optional<MatrixOperands> operands = MatrixOperands::match(op, level);
  if (!operands || operands->halfType)
    return failure();
  WinogradPlan plan(*operands, level);
  if (!plan.fitsStack())
    return failure();

  const ConvShape &s = plan.conv;
  std::vector<float> filters = transformFilters(*operands);
  std::vector<char> packed =
      sharedPacking(plan.matrix)
          .value_or(plan.matrix)
          .pack<float>([&](int64_t channel, int64_t index) {
            return filters[channel * s.c + index];
          });
  Type f32 = Builder(op->getContext()).getF32Type();
  auto floats = [&](StringRef stem, ArrayRef<char> bytes) {
    return emitter.constant(
        stem, MemRefType::get({int64_t(bytes.size() / 4)}, f32), bytes);
  };
  // Optional arguments follow the first three in this order.
  Value input = plan.transformsFirst ? emitPatches(op, emitter, plan, *operands)
                                     : emitter.buffer(operands->input);
  SmallVector<Value> buffers = {input, floats("weights", packed),
                                emitter.buffer(operands->result)};
  if (operands->epilogue.hasBias) {
    std::vector<float> biases(plan.matrix.paddedColumns());
    plan.matrix.forEachColumn([&](int64_t channel, int64_t position) {
      if (channel < s.oc) // of the first group: all have the same columns
        biases[position] = operands->biases[channel];
    });
    buffers.push_back(
        floats("biases", {reinterpret_cast<const char *>(biases.data()),
                          biases.size() * sizeof(float)}));
  }
  if (operands->residual)
    buffers.push_back(emitter.buffer(operands->residual));
  if (operands->table)
    buffers.push_back(takeOverTable(operands->table, emitter));
  if (operands->quantize)
    takeOver(operands->quantize);
  if (operands->factorCast)
    takeOver(operands->factorCast);

  std::string key = llvm::formatv("{0} {1}", s.key(), operands->epilogue.key());
  func::FuncOp kernel = emitter.kernel(
      "conv_winograd", key, ValueRange(buffers).getTypes(), op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        SmallVector<Value> flat = flattenAll(builder, loc, values);
        unsigned next = 3;
        MatrixArguments args{flat[0], flat[1], flat[2], {}, {},
                             {},      {},      {},      {}, {}};
        if (operands->epilogue.hasBias)
          args.biases = flat[next++];
        if (operands->residual)
          args.residual = flat[next++];
        if (operands->table)
          args.table = flat[next++];
        WinogradKernel(builder, loc, plan, *operands, args).emit(begin, end);
      });
  emitter.call(kernel, buffers, plan.tiles(), op->getLoc());
  return success();
}

void qcc::populateWinogradKernels(KernelGenerators &generators) {
  generators.push_back({"winograd", emitWinograd});
}
