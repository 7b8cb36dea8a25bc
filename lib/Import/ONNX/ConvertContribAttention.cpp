//===- ConvertContribAttention.cpp - Attention of com.microsoft ----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionBuilder.h"
#include "Converters.h"

#include <cmath>

using namespace mlir;
using namespace qcc;
using namespace qcc::import;
using namespace qcc::qnn;

static Value add(Node &node, Value x, Value y) {
  return node.binary(BinaryKind::Add, x, y);
}
static Value mul(Node &node, Value x, Value y) {
  return node.binary(BinaryKind::Mul, x, y);
}

/// `count` indices of `axis` from `start` on.
static Value part(Node &node, Value x, int64_t axis, int64_t start,
                  int64_t count) {
  if (node.failed())
    return {};
  SmallVector<int64_t> sizes(Node::shapeOf(x));
  SmallVector<int64_t> starts(sizes.size(), 0), steps(sizes.size(), 1);
  starts[size_t(axis)] = start, sizes[size_t(axis)] = count;
  return node.slice(x, starts, sizes, steps);
}

/// 1 / sqrt(size of a head) where "scale" is 0 or absent.
static float readScale(Node &node, Value query) {
  float scale = node.floatAttr("scale", 0.f);
  return scale != 0.f || node.failed()
             ? scale
             : 1.f / std::sqrt(float(Node::shapeOf(query).back()));
}

//===----------------------------------------------------------------------===//
// Attention and QAttention
//===----------------------------------------------------------------------===//

/// What a mask adds to scores: [batch, 1, 1 or length, keys]. It has a number
/// for each key (0: not seen), in rows or not, or the number of keys of each
/// sequence, which their first ones may follow.
static Value maskBias(Node &node, unsigned mask, Type element, int64_t batch,
                      int64_t length, int64_t keys) {
  Value x = node.in(mask);
  SmallVector<int64_t> shape(node.shape(mask));
  Value seen;
  if (shape.size() == 1 && (shape[0] == batch || shape[0] == 2 * batch)) {
    Value columns =
        node.cast(node.iota(keys, {1, 1, 1, keys}), node.elementType(mask));
    Value ends = node.reshape(part(node, x, 0, 0, batch), {batch, 1, 1, 1});
    seen = node.binary(BinaryKind::Less, columns, ends);
    if (shape[0] == 2 * batch) {
      Value starts =
          node.reshape(part(node, x, 0, batch, batch), {batch, 1, 1, 1});
      seen = node.binary(BinaryKind::And, seen,
                         node.binary(BinaryKind::LessEqual, starts, columns));
    }
  } else if (shape == ArrayRef<int64_t>{batch, keys} ||
             shape == ArrayRef<int64_t>{batch, length, keys}) {
    x = node.reshape(x, {batch, 1, shape.size() == 2 ? 1 : length, keys});
    if (!node.failed())
      seen = node.unary(UnaryKind::Not, node.binary(BinaryKind::Equal, x,
                                                    node.scalarLike(x, 0)));
  } else {
    node.error() << "a mask of shape " << shapeToString(shape) << " for "
                 << batch << " sequences and " << keys
                 << " keys is not supported";
  }
  if (node.failed())
    return {};
  float filter = node.floatAttr("mask_filter_value", -10000.f);
  return node.select(seen, node.splat({}, element, 0),
                     node.splat({}, element, filter));
}

/// Attention of [batch, length, queries + keys + values] with a mask, past keys
/// and values [2, batch, heads, length, size], and a bias of the scores.
static void attend(Node &node, Value packed, unsigned mask, unsigned past,
                   unsigned bias) {
  if (node.failed())
    return;
  int64_t heads = node.requiredIntAttr("num_heads");
  ArrayRef<int64_t> shape = Node::shapeOf(packed);
  int64_t batch = shape[0], length = shape[1];
  SmallVector<int64_t> widths = node.intsAttr("qkv_hidden_sizes");
  if (widths.empty() && shape[2] % 3 == 0)
    widths.assign(3, shape[2] / 3);
  if (widths.size() != 3 || widths[0] + widths[1] + widths[2] != shape[2] ||
      llvm::any_of(widths, [](int64_t width) { return width < 1; })) {
    node.error() << "the weights have " << shape[2]
                 << " columns, which are not those of queries, keys and values";
    return;
  }
  if (node.boolAttr("do_rotary")) {
    node.error() << "do_rotary=1 is not supported";
    return;
  }
  AttentionBuilder builder(node);
  auto heading = [&](int64_t start, int64_t width, StringRef what) {
    return builder.splitHeads(part(node, packed, 2, start, width), heads, what);
  };
  builder.query = heading(0, widths[0], "query");
  builder.key = heading(widths[0], widths[1], "key");
  builder.value = heading(widths[0] + widths[1], widths[2], "value");
  if (node.has(past)) {
    if (node.rank(past) != 5 || node.shape(past)[0] != 2) {
      node.error() << "past keys and values have shape "
                   << shapeToString(node.shape(past))
                   << ", expected [2, batch, heads, length, size]";
      return;
    }
    SmallVector<int64_t> whole(node.shape(past).drop_front());
    builder.pastLength = whole[2];
    auto before = [&](int64_t i) {
      return node.reshape(part(node, node.in(past), 0, i, 1), whole);
    };
    builder.key = node.concat({before(0), builder.key}, 2);
    builder.value = node.concat({before(1), builder.value}, 2);
  }
  if (node.failed())
    return;
  if (node.wantsOutput(1)) {
    auto half = [&](Value x) {
      SmallVector<int64_t> whole(Node::shapeOf(x));
      whole.insert(whole.begin(), 1);
      return node.reshape(x, whole);
    };
    if (Node::shapeOf(builder.key) != Node::shapeOf(builder.value)) {
      node.error() << "keys and values of different sizes have no common "
                      "present";
      return;
    }
    node.setOutput(1, node.concat({half(builder.key), half(builder.value)}, 0));
  }
  builder.scale = readScale(node, builder.query);
  builder.isCausal = node.boolAttr("unidirectional");
  builder.bias = node.in(bias);
  if (node.has(mask)) {
    Value hidden = maskBias(node, mask, Node::elementTypeOf(builder.query),
                            batch, length, builder.pastLength + length);
    builder.bias = builder.bias ? add(node, builder.bias, hidden) : hidden;
  }
  node.setOutput(0, mergeHeads(node, builder.build()));
}

static bool checkProjection(Node &node) {
  if (node.rank(0) == 3 && node.rank(1) == 2)
    return true;
  node.error() << "the input has shape " << shapeToString(node.shape(0))
               << " and the weights " << shapeToString(node.shape(1))
               << ", expected [batch, length, width] and a matrix";
  return false;
}

void qcc::import::convertMicrosoftAttention(Node &node) {
  // input, weights, bias, mask_index, past, attention_bias,
  // past_sequence_length
  if (!checkProjection(node))
    return;
  if (node.has(6)) {
    node.error() << "a buffer that past and present share "
                    "(past_sequence_length) is not supported";
    return;
  }
  Value packed = node.create<MatmulOp>(node.elementType(0), node.in(0),
                                       node.in(1), node.in(2), Value(), false,
                                       false, ActivationAttr());
  attend(node, packed, 3, 4, 5);
}

void qcc::import::convertQAttention(Node &node) {
  // input, weight, bias, input_scale, weight_scale, mask_index,
  // input_zero_point, weight_zero_point, past
  if (!checkProjection(node))
    return;
  Type f32 = node.getBuilder().getF32Type();
  auto scaleOf = [&](unsigned i) {
    return countElements(node.shape(i)) == 1 ? node.reshape(node.in(i), {})
                                             : node.in(i);
  };
  Value sum =
      node.create<MatmulIntegerOp>(node.getBuilder().getI32Type(), node.in(0),
                                   node.in(1), node.in(6), node.in(7));
  Value scale = mul(node, scaleOf(3), scaleOf(4));
  Value packed =
      node.failed() ? Value() : mul(node, node.cast(sum, f32), scale);
  attend(node, add(node, packed, node.in(2)), 5, 8, /*bias=*/9);
}

//===----------------------------------------------------------------------===//
// GroupQueryAttention
//===----------------------------------------------------------------------===//

namespace {
/// Keys and values of a sequence lie at its first positions: as many of the
/// past as the sequence has, then the new ones.
class CachedAttention {
public:
  explicit CachedAttention(Node &node) : node(node), builder(node) {}
  void convert();

private:
  bool readOperands();
  bool readLengths();
  Value positions();
  Value rotate(Value x, int64_t heads);
  Value present(unsigned past, Value added);
  Value seenKeys();

  Node &node;
  AttentionBuilder builder;
  Value parts[3]; ///< query, key, value: [batch, length, heads * size]
  int64_t heads = 0, keyHeads = 0, batch = 0, length = 0, pastLength = 0,
          presentLength = 0;
  Value begins; ///< of the new keys, int64 [batch, 1]
};
} // namespace

bool CachedAttention::readOperands() {
  // query, key, value, past_key, past_value, seqlens_k, total_sequence_length,
  // cos_cache, sin_cache, position_ids, attention_bias
  heads = node.requiredIntAttr("num_heads");
  keyHeads = node.requiredIntAttr("kv_num_heads");
  if (node.failed())
    return false;
  if (node.rank(0) != 3 || heads < 1 || keyHeads < 1 ||
      node.has(1) != node.has(2)) {
    node.error() << "needs queries [batch, length, width], and keys and values "
                    "or neither";
    return false;
  }
  if (node.boolAttr("smooth_softmax") || node.intAttr("qk_output", 0) != 0) {
    node.error() << "smooth_softmax and qk_output are not supported";
    return false;
  }
  batch = node.shape(0)[0], length = node.shape(0)[1];
  if (node.has(1)) {
    for (unsigned i = 0; i < 3; ++i)
      parts[i] = node.in(i);
    return true;
  }
  int64_t width = node.shape(0)[2], size = width / (heads + 2 * keyHeads);
  if (size < 1 || size * (heads + 2 * keyHeads) != width) {
    node.error() << "packed queries, keys and values of width " << width
                 << " cannot be split into " << heads << " and 2 x " << keyHeads
                 << " heads";
    return false;
  }
  int64_t at = 0;
  const int64_t widths[] = {heads * size, keyHeads * size, keyHeads * size};
  for (auto [i, count] : llvm::enumerate(widths)) {
    parts[i] = part(node, node.in(0), 2, at, count);
    at += count;
  }
  return true;
}

bool CachedAttention::readLengths() {
  if (node.has(3) != node.has(4) ||
      (node.has(3) && (node.rank(3) != 4 || node.rank(4) != 4))) {
    node.error() << "past keys and values must both be given, with four "
                    "dimensions";
    return false;
  }
  pastLength = node.has(3) ? node.shape(3)[2] : 0;
  SmallVector<int64_t> total = node.constantInts(6, "total_sequence_length");
  if (node.failed())
    return false;
  if (total.size() != 1 || total[0] < length ||
      countElements(node.shape(5)) != batch) {
    node.error() << "total_sequence_length must be a number of at least "
                 << length << ", and seqlens_k " << batch << " numbers";
    return false;
  }
  presentLength = std::max(pastLength, total[0]);
  if (total[0] == length) {
    begins = node.splat({batch, 1}, node.getBuilder().getI64Type(), 0);
    return true;
  }
  Value last = node.reshape(
      node.cast(node.in(5), node.getBuilder().getI64Type()), {batch, 1});
  begins = add(node, last, node.ints(1 - length, ArrayRef<int64_t>()));
  return !node.failed();
}

/// Of the new keys and queries: [batch, length].
Value CachedAttention::positions() {
  return add(node, begins, node.iota(length, {1, length}));
}

Value CachedAttention::rotate(Value x, int64_t count) {
  Value at = node.has(9) ? node.in(9) : positions();
  Value cos = node.gather(node.in(7), at, 0);
  Value sin = node.gather(node.in(8), at, 0);
  return embedPositions(node, x, cos, sin, count, /*rotated=*/0,
                        node.boolAttr("rotary_interleaved"));
}

/// [batch, heads, presentLength, size]: behind the past of each sequence its
/// new keys, then zeros.
Value CachedAttention::present(unsigned past, Value added) {
  if (node.failed() || (pastLength == 0 && presentLength == length))
    return added;
  SmallVector<int64_t> row(Node::shapeOf(added));
  row[2] = 1;
  SmallVector<Value> rows{added,
                          node.splat(row, Node::elementTypeOf(added), 0)};
  if (pastLength > 0)
    rows.insert(rows.begin(), node.in(past));
  Value all = node.concat(rows, 2);
  // Position t is the past's t, the new (t - begin), or zero.
  Value at = node.iota(presentLength, {1, presentLength});
  Value moved = add(node, node.binary(BinaryKind::Sub, at, begins),
                    node.ints(pastLength, ArrayRef<int64_t>()));
  moved = node.binary(BinaryKind::Min, moved,
                      node.ints(pastLength + length, ArrayRef<int64_t>()));
  Value isPast = node.binary(BinaryKind::Less, at, begins);
  if (node.failed())
    return {};
  Value source =
      node.select(isPast, node.expand(at, Node::shapeOf(moved)), moved);
  SmallVector<Value> sequences;
  for (int64_t i = 0; i < batch && !node.failed(); ++i) {
    Value indices = node.reshape(part(node, source, 0, i, 1), presentLength);
    sequences.push_back(node.gather(part(node, all, 0, i, 1), indices, 2));
  }
  return node.concat(sequences, 0);
}

/// A query sees the keys up to its own position, at most a window of them.
Value CachedAttention::seenKeys() {
  Value columns = node.iota(presentLength, {1, 1, 1, presentLength});
  Value rows = node.reshape(positions(), {batch, 1, length, 1});
  Value seen = node.binary(BinaryKind::LessEqual, columns, rows);
  int64_t window = node.intAttr("local_window_size", -1);
  if (window > 0) {
    Value first = add(node, rows, node.ints(-window, ArrayRef<int64_t>()));
    seen = node.binary(BinaryKind::And, seen,
                       node.binary(BinaryKind::Less, first, columns));
  }
  return seen;
}

void CachedAttention::convert() {
  if (!readOperands() || !readLengths())
    return;
  if (node.boolAttr("do_rotary")) {
    if (!node.has(7) || !node.has(8)) {
      node.error() << "do_rotary=1 needs cos_cache and sin_cache";
      return;
    }
    parts[0] = rotate(parts[0], heads);
    parts[1] = rotate(parts[1], keyHeads);
  }
  builder.query = builder.splitHeads(parts[0], heads, "query");
  builder.key = present(3, builder.splitHeads(parts[1], keyHeads, "key"));
  builder.value = present(4, builder.splitHeads(parts[2], keyHeads, "value"));
  node.setOutput(1, builder.key);
  node.setOutput(2, builder.value);
  builder.scale = readScale(node, builder.query);
  builder.softcap = node.floatAttr("softcap", 0.f);
  builder.bias = builder.zeroWhere(seenKeys());
  if (node.has(10))
    builder.bias = add(node, builder.bias, node.in(10));
  node.setOutput(0, mergeHeads(node, builder.build()));
}

void qcc::import::convertGroupQueryAttention(Node &node) {
  CachedAttention(node).convert();
}
