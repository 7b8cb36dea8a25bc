//===- PlanArena.cpp - One block of memory for all intermediates ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every buffer has a lifetime, from the first to the last call that uses it,
// and a size; two buffers whose lifetimes meet must not share bytes. They are
// placed one by one, each at the lowest offset of the smallest gap that it
// fits: the largest first, or in the order of their first use where that takes
// less.
//
//===----------------------------------------------------------------------===//

#include "qcc/Codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/Support/CheckedArithmetic.h"

namespace qcc {
#define GEN_PASS_DEF_PLANARENA
#include "qcc/Codegen/Passes.h.inc"
} // namespace qcc

using namespace mlir;

namespace {

/// Of every buffer; vector loads may also overrun one by as many bytes.
constexpr int64_t alignment = 64;

struct Buffer {
  memref::AllocOp alloc;
  int64_t size = 0;             ///< with what may be overrun
  int64_t first = 0, last = -1; ///< numbers of the first and last use
  int64_t offset = 0;

  bool meets(const Buffer &other) const {
    return first <= other.last && other.first <= last;
  }
};

struct PlanArena : qcc::impl::PlanArenaBase<PlanArena> {
  using PlanArenaBase::PlanArenaBase;

  void runOnOperation() override;
  LogicalResult collect(func::FuncOp main);
  void place();
  void place(ArrayRef<Buffer *> order);
  void rewrite(func::FuncOp main);

  SmallVector<Buffer> buffers;
  int64_t arenaBytes = 0;
};

} // namespace

/// Bytes of a buffer in the arena; nothing if they do not fit 63 bits.
static std::optional<int64_t> arenaSize(MemRefType type) {
  int64_t bytes = std::max(1u, type.getElementTypeBitWidth() / 8);
  for (int64_t dim : type.getShape()) {
    std::optional<int64_t> product = llvm::checkedMul(bytes, dim);
    if (!product)
      return std::nullopt;
    bytes = *product;
  }
  if (bytes > (int64_t(1) << 56))
    return std::nullopt;
  return (bytes + alignment - 1) / alignment * alignment + alignment;
}

/// Extends the lifetime of `buffer` over the uses of `value`, a view of it.
static LogicalResult addUses(Value value, Buffer &buffer,
                             const DenseMap<Operation *, int64_t> &numbers) {
  for (Operation *user : value.getUsers()) {
    if (isa<ViewLikeOpInterface, UnrealizedConversionCastOp>(user)) {
      for (Value view : user->getResults())
        if (failed(addUses(view, buffer, numbers)))
          return failure();
      continue;
    }
    auto number = numbers.find(user);
    if (number == numbers.end())
      return user->emitOpError("uses a buffer of @main, but is no call");
    buffer.first = buffer.last < 0 ? number->second
                                   : std::min(buffer.first, number->second);
    buffer.last = std::max(buffer.last, number->second);
  }
  return success();
}

LogicalResult PlanArena::collect(func::FuncOp main) {
  DenseMap<Operation *, int64_t> numbers;
  for (Operation &op : main.front())
    if (isa<func::CallOp>(op))
      numbers[&op] = numbers.size();
  for (Operation &op : main.front()) {
    auto alloc = dyn_cast<memref::AllocOp>(op);
    if (!alloc)
      continue;
    Buffer buffer;
    buffer.alloc = alloc;
    std::optional<int64_t> size;
    if (alloc.getType().hasStaticShape() &&
        alloc.getType().getLayout().isIdentity())
      size = arenaSize(alloc.getType());
    if (!size)
      return alloc.emitOpError("has no size that an arena can hold");
    buffer.size = *size;
    if (failed(addUses(alloc, buffer, numbers)))
      return failure();
    if (keepTensors && buffer.last >= 0) {
      buffer.first = 0;
      buffer.last = numbers.size();
    }
    buffers.push_back(buffer);
  }
  return success();
}

void PlanArena::place() {
  SmallVector<Buffer *> order;
  for (Buffer &buffer : buffers)
    if (buffer.last >= 0)
      order.push_back(&buffer);
  // Ties: in order of `buffers`.
  llvm::sort(order, [](const Buffer *a, const Buffer *b) {
    return std::make_tuple(a->first, -a->size, a) <
           std::make_tuple(b->first, -b->size, b);
  });
  place(order);
  int64_t bytesByUse = arenaBytes;
  SmallVector<int64_t> offsets =
      llvm::map_to_vector(order, [](Buffer *buffer) { return buffer->offset; });

  SmallVector<Buffer *> bySize(order);
  llvm::sort(bySize, [](const Buffer *a, const Buffer *b) {
    return std::make_tuple(-a->size, a->first, a) <
           std::make_tuple(-b->size, b->first, b);
  });
  place(bySize);
  if (arenaBytes <= bytesByUse)
    return;
  arenaBytes = bytesByUse;
  for (auto [buffer, offset] : llvm::zip_equal(order, offsets))
    buffer->offset = offset;
}

void PlanArena::place(ArrayRef<Buffer *> order) {
  arenaBytes = 0;
  SmallVector<Buffer *> placed; // by ascending offset
  for (Buffer *buffer : order) {
    int64_t end = 0, best = -1, bestGap = 0;
    for (Buffer *other : placed) {
      if (!buffer->meets(*other))
        continue;
      int64_t gap = other->offset - end;
      if (gap >= buffer->size && (best < 0 || gap < bestGap)) {
        best = end;
        bestGap = gap;
      }
      end = std::max(end, other->offset + other->size);
    }
    buffer->offset = best < 0 ? end : best;
    arenaBytes = std::max(arenaBytes, buffer->offset + buffer->size);
    auto position =
        llvm::upper_bound(placed, buffer, [](const Buffer *a, const Buffer *b) {
          return a->offset < b->offset;
        });
    placed.insert(position, buffer);
  }
}

void PlanArena::rewrite(func::FuncOp main) {
  OpBuilder builder(main.getContext());
  auto arenaType = MemRefType::get({arenaBytes}, builder.getI8Type());
  unsigned number = main.getNumArguments();
  (void)main.insertArgument(number, arenaType, DictionaryAttr(), main.getLoc());
  Value arena = main.getArgument(number);
  for (Buffer &buffer : buffers) {
    if (buffer.last < 0) {
      if (buffer.alloc->use_empty())
        buffer.alloc.erase();
      continue;
    }
    builder.setInsertionPoint(buffer.alloc);
    Location loc = buffer.alloc.getLoc();
    Value offset = arith::ConstantIndexOp::create(builder, loc, buffer.offset);
    auto view = memref::ViewOp::create(builder, loc, buffer.alloc.getType(),
                                       arena, offset, ValueRange());
    for (StringRef name : {"qcc.tensor", "qcc.type"})
      if (Attribute attr = buffer.alloc->getAttr(name))
        view->setAttr(name, attr);
    buffer.alloc.replaceAllUsesWith(view.getResult());
    buffer.alloc.erase();
  }
}

void PlanArena::runOnOperation() {
  ModuleOp module = getOperation();
  auto main = module.lookupSymbol<func::FuncOp>("main");
  buffers.clear();
  arenaBytes = 0;
  if (!main || !main.getBody().hasOneBlock()) {
    module.emitError("has no @main whose buffers could be planned");
    return signalPassFailure();
  }
  if (failed(collect(main)))
    return signalPassFailure();
  place();
  rewrite(main);
  module->setAttr("qcc.arena_bytes",
                  Builder(module.getContext()).getI64IntegerAttr(arenaBytes));
}
