//===- ReferenceTopK.cpp - The k largest or smallest elements -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A heap of the k best elements so far, the worst at its root, is kept where
// the result will stand; then it is sorted in place. Each row takes
// O(extent log k) steps in the worst case, and for most inputs one comparison
// for all but a few elements.
//
//===----------------------------------------------------------------------===//

#include "ReferenceIndexing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

namespace {

/// An element as it is stored, and its index.
struct Item {
  Value raw, index;
};

/// A row of the results as a heap.
class Heap {
public:
  Heap(LoopBuilder &b, const Element &element, bool smallest, Value values,
       Value indices, Value first, int64_t stride, int64_t k)
      : b(b), element(element), smallest(smallest), values(values),
        indices(indices), first(first), stride(stride), k(k) {}

  Item load(Value p) {
    Value at = position(p);
    return {b.load(values, at), b.load(indices, at)};
  }
  void store(Item item, Value p) {
    Value at = position(p);
    b.store(item.raw, values, at);
    b.store(item.index, indices, at);
  }
  /// Whether `x` comes before `y`, whatever their indices are.
  Value isBetter(Value x, Value y) {
    return smallest ? less(x, y) : less(y, x);
  }
  /// Puts `item` into the subtree below `p`, whose root is free, of a heap of
  /// `size` items.
  void sink(Item item, Value p, Value size);

private:
  Value position(Value p) { return b.add(first, b.mulIndex(p, stride)); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
  /// NaN is larger than every number.
  Value less(Value x, Value y);
  Value isWorse(Item x, Item y);

  LoopBuilder &b;
  const Element &element;
  bool smallest;
  Value values, indices, first;
  int64_t stride, k;
};

} // namespace

Value Heap::less(Value x, Value y) {
  if (!element.isFloat())
    return b.less(x, y, element.isUnsigned);
  x = b.toReal(x, element);
  y = b.toReal(y, element);
  Value isNumber = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, x, x);
  Value isNaN = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, y, y);
  return either(b.less(x, y), both(isNumber, isNaN));
}

Value Heap::isWorse(Item x, Item y) {
  Value noBetter = arith::XOrIOp::create(b, isBetter(x.raw, y.raw),
                                         b.integer(b.getI1Type(), 1));
  return either(isBetter(y.raw, x.raw),
                both(noBetter, b.greater(x.index, y.index)));
}

void Heap::sink(Item item, Value p, Value size) {
  Value last = b.sub(size, b.index(1));
  SmallVector<Value> place =
      b.loop(b.index(0), b.index(llvm::Log2_64(k)), p,
             [&](Value, ValueRange at) -> SmallVector<Value> {
               Value left = b.addIndex(b.mulIndex(at[0], 2), 1);
               Value right = b.addIndex(left, 1);
               Value leftChild = b.smaller(left, last);
               Value rightChild = b.smaller(right, last);
               Item l = load(leftChild), r = load(rightChild);
               // The worse one; of a single child, the left one.
               Value isRight = both(b.less(right, size), isWorse(r, l));
               Value child = b.select(isRight, rightChild, leftChild);
               Item worse{b.select(isRight, r.raw, l.raw),
                          b.select(isRight, r.index, l.index)};
               Value rises = both(b.less(left, size), isWorse(worse, item));
               b.ifThen(rises, [&] { store(worse, at[0]); });
               return {b.select(rises, child, at[0])};
             });
  store(item, place[0]);
}

LogicalResult qcc::reference::emitTopK(Operation *op, KernelEmitter &emitter) {
  auto topK = dyn_cast<qnn::TopKOp>(op);
  if (!topK)
    return failure();
  Element element(topK.getInput().getType());
  Type indexType = Element(topK.getIndices().getType()).storage;
  ArrayRef<int64_t> shape = shapeOf(topK.getInput());
  int64_t axis = topK.getAxis(), extent = shape[axis], k = topK.getK();
  int64_t inner = product(shape.drop_front(axis + 1));
  SmallVector<int64_t> box{product(shape.take_front(axis)), inner};
  if (k == 0 || product(box) == 0)
    return success();
  Value x = emitter.buffer(topK.getInput()),
        values = emitter.buffer(topK.getValues()),
        indices = emitter.buffer(topK.getIndices());
  Tiling tiling(box, std::max<int64_t>(1, 4096 / extent));
  func::FuncOp kernel = emitter.kernel(
      "top_k", opKey(op), ValueRange{x, values, indices}.getTypes(),
      op->getLoc(),
      [&](OpBuilder &builder, Location loc, ValueRange args, Value begin,
          Value end) {
        LoopBuilder b(builder, loc, emitter.level());
        Value from = b.flat(args[0]);
        tiledLoops(b, tiling, begin, end, [&](ValueRange ivs) {
          auto start = [&](int64_t length) {
            return b.add(b.mulIndex(ivs[0], length * inner), ivs[1]);
          };
          Value first = start(extent);
          auto item = [&](Value i) {
            return Item{b.load(from, b.add(first, b.mulIndex(i, inner))),
                        arith::IndexCastOp::create(b, indexType, i)};
          };
          Heap heap(b, element, topK.getSmallest(), b.flat(args[1]),
                    b.flat(args[2]), start(k), inner, k);
          Value size = b.index(k);
          b.loop(0, k, [&](Value i) { heap.store(item(i), i); });
          b.loop(b.index(0), b.index(k / 2), [&](Value i) {
            Value p = b.sub(b.index(k / 2 - 1), i);
            heap.sink(heap.load(p), p, size);
          });
          // On a tie the one found first stays.
          b.loop(b.index(k), b.index(extent), [&](Value i) {
            Item next = item(i);
            Value root = heap.load(b.index(0)).raw;
            b.ifThen(heap.isBetter(next.raw, root),
                     [&] { heap.sink(next, b.index(0), size); });
          });
          // The worst one, again and again, to the end.
          b.loop(b.index(0), b.index(k - 1), [&](Value i) {
            Value last = b.sub(b.index(k - 1), i);
            Item moved = heap.load(last);
            heap.store(heap.load(b.index(0)), last);
            heap.sink(moved, b.index(0), last);
          });
        });
      });
  emitter.call(kernel, {x, values, indices}, tiling.tiles(), op->getLoc());
  return success();
}
