//===- RowBlockKernels.cpp - Convolutions by blocks of rows ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What RowBlocks.h describes.
//
//===----------------------------------------------------------------------===//

#include "ConcatPart.h"
#include "KernelLists.h"
#include "MatrixWeights.h"
#include "Product.h"
#include "RowBlocks.h"
#include "TileMatrixPlan.h"

#include "qcc/Codegen/Kernels.h"
#include "qcc/Dialect/QNN/Transforms/QuantTypes.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

/// What a block should take, to stay in a second-level cache with the weights,
/// and the most stack that it may.
static constexpr int64_t goodStackBytes = 128 * 1024;
static constexpr int64_t maxStackBytes = 288 * 1024;
/// Less than this between the convolutions stays in a second-level cache by
/// itself.
static constexpr int64_t nearBytes = 2 * 1024 * 1024;
/// Weights beyond this are better read once for all rows.
static constexpr int64_t maxWeightBytes = 256 * 1024;
/// Blocks that leave each of several threads its own.
static constexpr int64_t goodBlocks = 8;

//===----------------------------------------------------------------------===//
// What is computed together
//===----------------------------------------------------------------------===//

static bool isPointwise(const ConvShape &s) {
  return s.kh == 1 && s.kw == 1 && s.sh == 1 && s.sw == 1 && s.padT == 0 &&
         s.padL == 0 && s.group == 1 && s.oh == s.h && s.ow == s.w;
}

/// The plan for `rows` rows of an image; nothing where they are not read in
/// place.
static std::optional<MatrixPlan> planRows(ConvOp op,
                                          const MatrixOperands &operands,
                                          int64_t rows,
                                          const TargetLevel &level) {
  ConvShape s = operands.shape;
  if (!isPointwise(s) || operands.halfType)
    return std::nullopt;
  auto planFor = [&](const ConvShape &shape) {
    return MatrixPlan(shape, operands.factors,
                      operands.epilogue.result == MatrixEpilogue::Result::Bytes,
                      /*sumsRows=*/!operands.zeroPoints.empty(), level,
                      TileTable(op));
  };
  // Matrix units may pay for an image where they do not for a row of it.
  if (TileMatrixPlan::get(planFor(s), operands))
    return std::nullopt;
  s.n = 1;
  s.h = s.oh = rows;
  MatrixPlan plan = planFor(s);
  if (plan.gather || plan.band || plan.packedBytes() > maxWeightBytes)
    return std::nullopt;
  return plan;
}

bool RowBlocks::matchDepthwise(ConvOp op, const TargetLevel &level) {
  depthwise = op;
  std::vector<DepthwisePart> parts = DepthwisePart::get(op);
  if (parts.empty() || parts.front().shape.isVolume())
    return false;
  if (std::optional<ColumnDepthwise> match =
          ColumnDepthwise::match(parts.front(), level)) {
    column.emplace(*match);
    shape = column->plan.shape;
    groupRows = column->plan.rows;
    return true;
  }
  std::optional<FloatConv> conv = FloatConv::match(parts.front().terms);
  std::optional<WidePlan> plan;
  if (conv)
    plan = WidePlan::get(parts.front(), level);
  if (!plan)
    return false;
  shape = plan->shape;
  groupRows = plan->outputRows;
  wide.emplace(Wide{*conv, *plan});
  return true;
}

static int64_t elementBytes(Value tensor) {
  return getStorageType(tensorTypeOf(tensor).getElementType())
             .getIntOrFloatBitWidth() /
         8;
}

/// The convolution that alone reads `tensor`, as its input; null if there is
/// none.
static ConvOp onlyReader(Value tensor) {
  if (!tensor.hasOneUse())
    return {};
  auto conv = dyn_cast<ConvOp>(*tensor.user_begin());
  return conv && conv.getInput() == tensor ? conv : ConvOp();
}

/// The convolution whose kernel computes `tensor`; null if there is none.
static ConvOp convInFrontOf(Value tensor) {
  Operation *producer = tensor.getDefiningOp();
  if (isa_and_nonnull<LutOp, QuantizeOp>(producer))
    producer = producer->getOperand(0).getDefiningOp();
  return dyn_cast_or_null<ConvOp>(producer);
}

bool RowBlocks::matchProjection(const TargetLevel &level) {
  ConvOp op = onlyReader(between());
  std::optional<MatrixOperands> operands;
  if (op)
    operands = MatrixOperands::match(op, level);
  if (!operands || !planRows(op, *operands, 1, level))
    return false;
  projection.emplace(op, *operands);
  return true;
}

bool RowBlocks::matchExpansion(const TargetLevel &level) {
  Value input = depthwise.getInput();
  ConvOp op;
  if (input.hasOneUse())
    op = convInFrontOf(input);
  std::optional<MatrixOperands> operands;
  if (op && !isProjection(op, level))
    operands = MatrixOperands::match(op, level);
  // A sum is marked too late, and may have other terms that come later; rows of
  // a residual are not where those of the result are kept.
  if (!operands || operands->result != input || operands->sum ||
      operands->residual)
    return false;
  std::optional<MatrixPlan> plan = planRows(op, *operands, 1, level);
  if (!plan)
    return false;
  expansion.emplace(op, *operands);
  expansion->plan.emplace(*plan);
  return true;
}

/// Whether the kernel of a depthwise convolution in front computes `op`.
bool RowBlocks::isProjection(ConvOp op, const TargetLevel &level) {
  RowBlocks blocks;
  ConvOp middle = convInFrontOf(op.getInput());
  return middle && blocks.matchDepthwise(middle, level) &&
         blocks.matchProjection(level) && blocks.cut(level);
}

int64_t RowBlocks::stackBytes(int64_t rows) const {
  int64_t bytes = 0;
  if (projection)
    bytes += rows * shape.ow * shape.c * elementBytes(between());
  if (expansion)
    bytes += ringOf(rows) * shape.w * shape.c *
             elementBytes(ConvOp(depthwise).getInput());
  return bytes;
}

bool RowBlocks::cut(const TargetLevel &level) {
  int64_t step = column ? column->plan.rows : 1;
  int64_t most =
      std::max(wide ? wide->plan.outputRows : step, shape.oh / goodBlocks);
  while (most > step && stackBytes(most) > goodStackBytes)
    --most;
  most = most / step * step;
  if (stackBytes(most) > maxStackBytes)
    return false;
  blockRows = most;
  for (int64_t rows = most; 2 * rows > most; rows -= step)
    if (shape.oh % rows == 0) {
      blockRows = rows;
      break;
    }
  if (wide)
    wide->plan.setRows(llvm::divideCeil(
        blockRows, llvm::divideCeil(blockRows, wide->plan.outputRows)));
  groupRows = column ? step : wide->plan.outputRows;
  ringRows = ringOf(blockRows);
  if (!projection)
    return true;
  auto plan = [&](int64_t rows) {
    return planRows(projection->op, projection->operands, rows, level);
  };
  std::optional<MatrixPlan> whole = plan(blockRows);
  if (!whole)
    return false;
  projection->plan.emplace(*whole);
  if (shape.oh % blockRows == 0)
    return true;
  std::optional<MatrixPlan> last = plan(shape.oh % blockRows);
  if (!last || last->vectors != whole->vectors)
    return false;
  rest.emplace(*last);
  return true;
}

static int64_t bytesOf(Value tensor) {
  return tensorTypeOf(tensor).getNumElements() * elementBytes(tensor);
}

std::optional<RowBlocks> RowBlocks::get(ConvOp middle,
                                        const TargetLevel &level) {
  if (!middle)
    return std::nullopt;
  auto module = middle->getParentOfType<ModuleOp>();
  int64_t least = nearBytes;
  if (auto bytes = module->getAttrOfType<IntegerAttr>(kRowBlockBytesAttr))
    least = bytes.getInt();
  // Kept are tensors by name, each whole.
  if (module->hasAttr(kKeepTensorsAttr) ||
      bytesOf(middle.getInput()) + bytesOf(middle.getResult()) < least)
    return std::nullopt;
  for (bool expands : {true, false}) {
    RowBlocks blocks;
    if (!blocks.matchDepthwise(middle, level))
      return std::nullopt;
    bool projects = blocks.matchProjection(level);
    if ((expands ? blocks.matchExpansion(level) : projects) &&
        blocks.cut(level))
      return blocks;
  }
  return std::nullopt;
}

std::optional<RowBlocks> RowBlocks::match(Operation *op,
                                          const TargetLevel &level) {
  auto conv = dyn_cast<ConvOp>(op);
  std::optional<ConvShape> s;
  if (conv)
    s = ConvShape::get(conv);
  if (!s)
    return std::nullopt;
  if (s->group != 1)
    return get(conv, level);
  if (!isPointwise(*s))
    return std::nullopt;
  // Of two that it could be in, the one in front.
  std::optional<RowBlocks> blocks = get(convInFrontOf(conv.getInput()), level);
  if (blocks && blocks->projection && blocks->projection->op == conv)
    return blocks;
  Value tensor = conv.getResult();
  while (tensor.hasOneUse() && isa<LutOp, QuantizeOp>(*tensor.user_begin()))
    tensor = tensor.user_begin()->getResult(0);
  std::optional<RowBlocks> behind = get(onlyReader(tensor), level);
  if (behind && behind->expansion && behind->expansion->op == conv)
    return behind;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

namespace {
class RowBlockKernel {
public:
  RowBlockKernel(CodeBuilder &c, const RowBlocks &blocks,
                 const TargetLevel &level, Value input,
                 ValueRange depthwiseConstants, Value result,
                 ValueRange projectionBuffers, ValueRange expansionBuffers);

  void emit(Value begin, Value end);

private:
  void expand(Value image, Value begin, Value end);
  void depthwise(Value image, Value first, Value last);
  void project(Value image, Value first);

  CodeBuilder &c;
  const RowBlocks &r;
  const ConvShape &s;
  std::optional<ColumnKernel> column;
  std::optional<WideKernel> wide;
  std::optional<MatrixKernel> expansion, projection, rest;
};
} // namespace

RowBlockKernel::RowBlockKernel(CodeBuilder &c, const RowBlocks &blocks,
                               const TargetLevel &level, Value input,
                               ValueRange depthwiseConstants, Value result,
                               ValueRange projectionBuffers,
                               ValueRange expansionBuffers)
    : c(c), r(blocks), s(blocks.shape) {
  Type element = r.column ? Type(c.b.getIntegerType(r.column->plan.bits))
                          : c.b.getF32Type();
  Type blockElement = element;
  if (r.wide && r.wide->conv.requantize)
    blockElement = c.b.getIntegerType(r.wide->conv.requantize->bits);
  if (r.column && !r.column->conv.requantize)
    blockElement = c.b.getF32Type();
  else if (r.column)
    blockElement = c.b.getIntegerType(r.column->conv.requantize->bits);
  // Vectors may be loaded beyond the end.
  constexpr int64_t beyond = 64;
  ImageRows rows{s.h, s.w * s.c};
  Value source = input;
  if (r.expansion) {
    source = c.stack(element, r.ringRows * s.w * s.c + beyond);
    rows.ring = r.ringRows;
  }
  Value block = result;
  if (r.projection)
    block = c.stack(blockElement, r.blockRows * s.ow * s.c + beyond);
  if (r.column)
    column.emplace(c, r.column->plan, level, r.column->conv, rows, source,
                   block, depthwiseConstants);
  else
    wide.emplace(c, r.wide->plan, level, r.wide->conv, rows,
                 ValueRange{source, depthwiseConstants[0], block});

  if (r.projection) {
    const MatrixOperands &last = r.projection->operands;
    MatrixArguments arguments =
        matrixArguments(last, block, result, projectionBuffers);
    projection.emplace(c.b, c.loc, *r.projection->plan, last, arguments);
    projection->allocate();
    if (r.rest) {
      rest.emplace(c.b, c.loc, *r.rest, last, arguments);
      rest->allocate();
    }
  }
  if (r.expansion) {
    const MatrixOperands &first = r.expansion->operands;
    expansion.emplace(c.b, c.loc, *r.expansion->plan, first,
                      matrixArguments(first, input, source, expansionBuffers));
    expansion->allocate();
  }
}

/// Rows [begin, end) of the image.
void RowBlockKernel::expand(Value image, Value begin, Value end) {
  c.loop(begin, end, 1, [&](Value row) {
    expansion->firstInputRow = c.mul(c.add(c.mul(image, s.h), row), s.w);
    expansion->firstResultRow = c.mul(c.rem(row, r.ringRows), s.w);
    expansion->run(c.index(0), c.index(r.expansion->plan->tiles()));
  });
}

/// The block of output rows [first, last).
void RowBlockKernel::depthwise(Value image, Value first, Value last) {
  c.loop(first, last, r.groupRows, [&](Value row) {
    Value resultRow =
        projection ? c.sub(row, first) : c.add(c.mul(image, s.oh), row);
    Value to = c.mul(resultRow, s.ow * s.c);
    if (column) {
      c.loop(0, r.column->plan.slices, 1, [&](Value slice) {
        column->tile(image, c.div(row, r.groupRows), slice, to);
      });
      return;
    }
    Value end = c.min(c.add(row, r.groupRows), last);
    c.loop(0, r.wide->plan.blocks, 1,
           [&](Value channels) { wide->tile(image, row, end, channels, to); });
  });
}

void RowBlockKernel::project(Value image, Value first) {
  Value row = c.mul(c.add(c.mul(image, s.oh), first), s.ow);
  auto run = [&](MatrixKernel &kernel, const MatrixPlan &plan) {
    kernel.firstResultRow = row;
    kernel.run(c.index(0), c.index(plan.tiles()));
  };
  auto whole = [&] { run(*projection, *r.projection->plan); };
  if (!r.rest)
    return whole();
  c.branch(c.compare(arith::CmpIPredicate::sle, first, s.oh - r.blockRows),
           whole, [&] { run(*rest, *r.rest); });
}

void RowBlockKernel::emit(Value begin, Value end) {
  SmallVector<Value> initial;
  if (expansion)
    initial.push_back(c.index(0)); // rows of the image that the ring had
  c.loop(begin, end, 1, initial, [&](Value tile, ValueRange carried) {
    SmallVector<Value> next;
    Value image = c.div(tile, r.blocks()), number = c.rem(tile, r.blocks());
    Value first = c.mul(number, r.blockRows);
    Value last = c.min(c.add(first, r.blockRows), c.index(s.oh));
    if (expansion) {
      Value low = c.sub(c.mul(first, s.sh), c.index(s.padT));
      Value high = c.min(c.add(c.mul(last, s.sh), r.window() - s.sh - s.padT),
                         c.index(s.h));
      auto atLeast = [&](Value x, Value y) -> Value {
        return arith::MaxSIOp::create(c.b, c.loc, x, y);
      };
      low = atLeast(low, c.index(0));
      Value isFirst = c.compare(arith::CmpIPredicate::eq, number, 0);
      low = arith::SelectOp::create(c.b, c.loc, isFirst, low,
                                    atLeast(low, carried[0]));
      expand(image, low, high);
      next.push_back(high);
    }
    depthwise(image, first, last);
    if (projection)
      project(image, first);
    return next;
  });
}

static LogicalResult emitRowBlocks(Operation *op, KernelEmitter &emitter) {
  const TargetLevel &level = emitter.level();
  std::optional<RowBlocks> blocks = RowBlocks::match(op, level);
  if (!blocks)
    return failure();
  // The kernel is emitted with the last op, when all operands are there.
  bool projects = blocks->projection.has_value();
  if (op != (projects ? blocks->projection->op : blocks->depthwise)) {
    if (LutOp table = findResultTable(op))
      takeOver(table);
    if (QuantizeOp quantize = findResultQuantize(op))
      takeOver(quantize);
    return success();
  }

  auto buffersOf = [&](const RowBlocks::Pointwise &p) {
    return matrixBuffers(p.operands, *p.plan,
                         sharedPacking(*p.plan).value_or(*p.plan), emitter);
  };
  SmallVector<Value> constants, ofExpansion, ofProjection;
  SmallVector<Location> locations;
  Value result;
  std::string key = llvm::formatv("{0} | ", blocks->blockRows);
  if (projects) {
    RowBlocks::Pointwise &last = *blocks->projection;
    RowBuffer rows = bufferOfRows(last.operands.result, emitter);
    last.operands.resultPitch = rows.pitch;
    result = rows.buffer;
    ofProjection = buffersOf(last);
    key += "projects " + matrixKey(last.operands, last.plan->shape) + " | ";
  } else {
    result = emitter.buffer(blocks->between());
  }
  Value input = blocks->depthwise.getInput();
  if (blocks->expansion) {
    RowBlocks::Pointwise &first = *blocks->expansion;
    input = first.operands.input;
    ofExpansion = buffersOf(first);
    locations.push_back(first.op.getLoc());
    key += "expands " + matrixKey(first.operands, first.plan->shape) + " | ";
  }
  if (blocks->column) {
    constants = blocks->column->constants(emitter);
    key += blocks->column->key();
  } else {
    const RowBlocks::Wide &wide = *blocks->wide;
    std::vector<float> weights = wide.plan.pack(wide.conv);
    constants.push_back(emitter.constant(
        "dw_weights",
        MemRefType::get({int64_t(weights.size())},
                        Float32Type::get(emitter.context())),
        ArrayRef<char>(reinterpret_cast<const char *>(weights.data()),
                       weights.size() * sizeof(float))));
    key += wide.plan.key() + " " + wide.conv.key();
    if (wide.conv.quantize)
      takeOver(wide.conv.quantize);
  }
  locations.push_back(blocks->depthwise.getLoc());
  if (projects) {
    locations.push_back(op->getLoc());
    if (BinaryOp sum = blocks->projection->operands.sum)
      locations.push_back(sum.getLoc());
  }
  Location loc = FusedLoc::get(op->getContext(), locations);

  SmallVector<Value> args = {emitter.buffer(input), result};
  llvm::append_range(args, constants);
  llvm::append_range(args, ofProjection);
  llvm::append_range(args, ofExpansion);
  func::FuncOp kernel = emitter.kernel(
      "conv_rows", key, ValueRange(args).getTypes(), loc,
      [&](OpBuilder &builder, Location loc, ValueRange values, Value begin,
          Value end) {
        CodeBuilder c(builder, loc);
        SmallVector<Value> flat = llvm::map_to_vector(
            values, [&](Value value) { return flatten(c, value); });
        ArrayRef<Value> rest = ArrayRef(flat).drop_front(2);
        auto take = [&](ArrayRef<Value> like) {
          ArrayRef<Value> taken = rest.take_front(like.size());
          rest = rest.drop_front(like.size());
          return taken;
        };
        ArrayRef<Value> dw = take(constants), pw = take(ofProjection),
                        ex = take(ofExpansion);
        RowBlockKernel(c, *blocks, level, flat[0], dw, flat[1], pw, ex)
            .emit(begin, end);
      });
  emitter.call(kernel, args, blocks->tiles(), loc);
  return success();
}

void qcc::populateRowBlockKernels(KernelGenerators &generators) {
  generators.push_back({"row-blocks", emitRowBlocks});
}
