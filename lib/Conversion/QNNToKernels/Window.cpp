//===- Window.cpp - Sliding windows of convolutions and pools -------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::reference;

bool Window::needsCheck(unsigned d) const {
  return transposed || pad[d] > 0 ||
         (out[d] - 1) * stride[d] + (kernel[d] - 1) * dilation[d] - pad[d] >=
             in[d];
}

static Value both(LoopBuilder &b, Value x, Value y) {
  return x ? Value(arith::AndIOp::create(b, x, y)) : y;
}

Value Window::coordinate(LoopBuilder &b, unsigned d, Value o, Value k,
                         Value &valid) const {
  Value i;
  if (!transposed) {
    i = b.addIndex(b.add(b.mulIndex(o, stride[d]), b.mulIndex(k, dilation[d])),
                   -pad[d]);
  } else {
    // Below zero the position is huge as an unsigned number, also divided.
    i = b.sub(b.addIndex(o, pad[d]), b.mulIndex(k, dilation[d]));
    if (stride[d] != 1) {
      Value position = i;
      i = arith::DivUIOp::create(b, position, b.index(stride[d]));
      valid = both(b, valid,
                   arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                         b.mulIndex(i, stride[d]), position));
    }
  }
  if (needsCheck(d))
    valid = both(b, valid, b.less(i, b.index(in[d]), /*isUnsigned=*/true));
  return i;
}

void Window::forTaps(
    LoopBuilder &b, unsigned dims, ArrayRef<Value> out,
    llvm::function_ref<void(ValueRange, ValueRange)> body) const {
  SmallVector<Value> k, in;
  std::function<void(unsigned)> nest = [&](unsigned d) {
    if (d == dims)
      return body(k, in);
    b.loop(0, kernel[d], [&](Value tap) {
      Value valid;
      in.push_back(coordinate(b, d, out[d], tap, valid));
      k.push_back(tap);
      if (valid)
        b.ifThen(valid, [&] { nest(d + 1); });
      else
        nest(d + 1);
      in.pop_back();
      k.pop_back();
    });
  };
  nest(0);
}

Value Window::rowRanges(KernelEmitter &emitter) const {
  int64_t from = transposed ? in[2] : out[2], to = transposed ? out[2] : in[2];
  SmallVector<int32_t> ranges;
  for (int64_t k = 0; k < kernel[2]; ++k) {
    int64_t offset = k * dilation[2] - pad[2], s = stride[2];
    int64_t lo = offset >= 0 ? 0 : (-offset + s - 1) / s;
    int64_t hi = to - 1 - offset < 0 ? 0 : (to - 1 - offset) / s + 1;
    hi = std::min(hi, from);
    ranges.push_back(std::min(lo, hi));
    ranges.push_back(hi);
  }
  return constantOf(emitter, "ranges", ArrayRef<int32_t>(ranges));
}

void Window::forRowTaps(
    LoopBuilder &b, Value ranges, Value from, Value to,
    llvm::function_ref<void(Value, Value, Value, Value)> body) const {
  b.loop(0, kernel[2], [&](Value k) {
    Value two = b.mulIndex(k, 2);
    auto bound = [&](Value at) -> Value {
      return arith::IndexCastOp::create(b, b.getIndexType(),
                                        b.load(ranges, at));
    };
    Value lo = bound(two), hi = bound(b.addIndex(two, 1));
    Value offset = b.addIndex(b.mulIndex(k, dilation[2]), -pad[2]);
    Value first = from, last = to;
    if (transposed) { // the positions whose output lies in the block
      auto position = [&](Value out) {
        Value reached = b.larger(b.sub(out, offset), b.index(0));
        return b.div(b.addIndex(reached, stride[2] - 1), b.index(stride[2]));
      };
      first = position(from);
      last = position(to);
    }
    body(k, b.larger(lo, first), b.smaller(hi, last), offset);
  });
}

Value qcc::reference::linearIndex(LoopBuilder &b, ValueRange indices,
                                  ArrayRef<int64_t> extents) {
  Value sum;
  for (auto [index, extent] : llvm::zip_equal(indices, extents))
    sum = sum ? b.add(b.mulIndex(sum, extent), index) : index;
  return sum;
}
