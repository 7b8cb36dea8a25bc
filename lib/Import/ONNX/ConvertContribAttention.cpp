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
/// for each key (greater than 0: seen), in rows or not, or the number of keys
/// of each sequence, which their first ones may follow, or ends of the packed
/// queries and keys, which ONNX Runtime ignores.
static Value maskBias(Node &node, unsigned mask, Type element, int64_t batch,
                      int64_t length, int64_t keys) {
  Value x = node.in(mask);
  SmallVector<int64_t> shape(node.shape(mask));
  Value seen;
  if (shape.size() == 1 && (shape[0] == batch || shape[0] == 2 * batch ||
                            shape[0] == 3 * batch + 2)) {
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
      seen = node.binary(BinaryKind::Greater, x, node.scalarLike(x, 0));
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

/// Sets what `builder` adds to the scores, as ONNX Runtime joins it: operand
/// `bias`, and the mask but for later keys, which causal attention gives the
/// lowest finite number instead, so that where all scores are as low the
/// softmax is uniform over all keys. The last query sees all of them.
static void addBiases(Node &node, AttentionBuilder &builder, unsigned mask,
                      unsigned bias) {
  if (node.failed())
    return;
  int64_t batch = Node::shapeOf(builder.query)[0];
  int64_t length = Node::shapeOf(builder.query)[2];
  int64_t keys = Node::shapeOf(builder.key)[2];
  bool isCausal = node.boolAttr("unidirectional");
  builder.bias = node.in(bias);
  // Without a mask each query sees at least itself.
  if (isCausal && !node.has(mask) && !node.has(bias) &&
      keys == builder.pastLength + length) {
    builder.isCausal = true;
    return;
  }
  Type element = Node::elementTypeOf(builder.query);
  Value hidden;
  if (node.has(mask))
    hidden = maskBias(node, mask, element, batch, length, keys);
  if (isCausal && length > 0) {
    SmallVector<int64_t> last;
    for (int64_t row = 0; row < length - 1; ++row)
      last.push_back(builder.pastLength + row);
    last.push_back(keys - 1);
    Value seen =
        node.binary(BinaryKind::LessEqual, node.iota(keys, {1, 1, 1, keys}),
                    node.ints(last, {1, 1, length, 1}));
    if (node.failed())
      return;
    auto lowest = llvm::APFloat::getLargest(
        cast<FloatType>(element).getFloatSemantics(), /*Negative=*/true);
    hidden = node.select(seen, hidden ? hidden : node.splat({}, element, 0),
                         node.splat({}, element, lowest.convertToDouble()));
  }
  if (hidden)
    builder.bias = builder.bias ? add(node, builder.bias, hidden) : hidden;
}

/// Attention of [batch, length, queries + keys + values] with a mask, past keys
/// and values [2, batch, heads, length, size], and a bias of the scores.
static void attend(Node &node, Value packed, unsigned mask, unsigned past,
                   unsigned bias) {
  if (node.failed())
    return;
  int64_t heads = node.requiredIntAttr("num_heads");
  int64_t columns = Node::shapeOf(packed)[2];
  SmallVector<int64_t> widths = node.intsAttr("qkv_hidden_sizes");
  if (widths.empty() && columns % 3 == 0)
    widths.assign(3, columns / 3);
  auto fits = [&](int64_t width) { return width >= 1 && width <= columns; };
  if (widths.size() != 3 || !llvm::all_of(widths, fits) ||
      widths[0] + widths[1] + widths[2] != columns) {
    node.error() << "the weights have " << columns
                 << " columns, which are not those of queries, keys and values";
    return;
  }
  if (node.boolAttr("do_rotary")) {
    node.error() << "do_rotary=1 is not supported";
    return;
  }
  if (node.boolAttr("past_present_share_buffer")) {
    node.error() << "a buffer that past and present share "
                    "(past_present_share_buffer=1) is not supported";
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
  addBiases(node, builder, mask, bias);
  node.setOutput(0, mergeHeads(node, builder.build()));
}

/// Checks the input, the weights and operand 2, the bias.
static bool checkProjection(Node &node) {
  if (node.rank(0) != 3 || node.rank(1) != 2) {
    node.error() << "the input has shape " << shapeToString(node.shape(0))
                 << " and the weights " << shapeToString(node.shape(1))
                 << ", expected [batch, length, width] and a matrix";
    return false;
  }
  int64_t columns = node.shape(1)[1];
  if (node.has(2) && node.shape(2) != ArrayRef<int64_t>{columns}) {
    node.error() << "the bias has shape " << shapeToString(node.shape(2))
                 << ", expected one number for each of " << columns
                 << " columns of the weights";
    return false;
  }
  return true;
}

void qcc::import::convertMicrosoftAttention(Node &node) {
  // input, weights, bias, mask_index, past, attention_bias,
  // past_sequence_length
  if (!checkProjection(node))
    return;
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
// MultiHeadAttention
//===----------------------------------------------------------------------===//

void qcc::import::convertMultiHeadAttention(Node &node) {
  // query, key, value, bias, key_padding_mask, attention_bias, past_key,
  // past_value
  if (!node.has(1) || !node.has(2)) {
    node.error() << "packed queries, keys and values are not supported";
    return;
  }
  int64_t heads = node.requiredIntAttr("num_heads");
  AttentionBuilder builder(node);
  SmallVector<Value, 3> parts{node.in(0), node.in(1), node.in(2)};
  if (node.has(3)) {
    int64_t at = 0;
    for (Value &part : parts) {
      if (node.failed() || Node::typeOf(part).getRank() != 3) {
        node.error() << "a bias needs inputs of three dimensions";
        return;
      }
      int64_t width = Node::shapeOf(part).back();
      part = add(node, part, node.slice(node.in(3), at, width, int64_t(1)));
      at += width;
    }
  }
  builder.query = builder.splitHeads(parts[0], heads, "query");
  builder.key = builder.splitHeads(parts[1], heads, "key");
  builder.value = builder.splitHeads(parts[2], heads, "value");
  if (node.has(6) != node.has(7) ||
      (node.has(6) && (node.rank(6) != 4 || node.rank(7) != 4))) {
    node.error() << "needs past_key and past_value together, both of shape "
                    "[batch, heads, length, size]";
    return;
  }
  if (node.has(6) && !node.failed()) {
    builder.pastLength = node.shape(6)[2];
    builder.key = node.concat({node.in(6), builder.key}, 2);
    builder.value = node.concat({node.in(7), builder.value}, 2);
  }
  node.setOutput(1, builder.key);
  node.setOutput(2, builder.value);
  if (node.failed())
    return;
  builder.scale = readScale(node, builder.query);
  addBiases(node, builder, /*mask=*/4, /*bias=*/5);
  node.setOutput(0, mergeHeads(node, builder.build()));
}

//===----------------------------------------------------------------------===//
// GroupQueryAttention
//===----------------------------------------------------------------------===//

/// More keys than any model has: their positions are a table in the artefact.
static constexpr int64_t kMaxKeys = int64_t(1) << 20;

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
  bool splitOperands();
  Value positions();
  Value rotate(Value x, int64_t heads);
  Value present(unsigned past, Value added);
  Value seenKeys(int64_t window);
  Value bias();

  Node &node;
  AttentionBuilder builder;
  Value parts[3]; ///< query, key, value: [batch, length, heads * size]
  int64_t heads = 0, keyHeads = 0, batch = 0, length = 0, pastLength = 0,
          totalLength = 0, presentLength = 0;
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
  int64_t width = node.shape(0)[2];
  bool fits = heads <= width && keyHeads <= width;
  int64_t size = fits ? width / (heads + 2 * keyHeads) : 0;
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
  totalLength = total[0];
  presentLength = std::max(pastLength, totalLength);
  if (presentLength > kMaxKeys) {
    node.error() << "past and total_sequence_length have room for "
                 << presentLength << " keys, at most 2^20 are supported";
    return false;
  }
  if (totalLength == length) {
    begins = node.splat({batch, 1}, node.getBuilder().getI64Type(), 0);
    return true;
  }
  Value last = node.reshape(
      node.cast(node.in(5), node.getBuilder().getI64Type()), {batch, 1});
  begins = add(node, last, node.ints(1 - length, ArrayRef<int64_t>()));
  return !node.failed();
}

/// The heads of the operands, [batch, heads, length, size], and a past of the
/// same size.
bool CachedAttention::splitOperands() {
  builder.query = builder.splitHeads(parts[0], heads, "query");
  builder.key = builder.splitHeads(parts[1], keyHeads, "key");
  builder.value = builder.splitHeads(parts[2], keyHeads, "value");
  if (node.failed())
    return false;
  int64_t size = Node::shapeOf(builder.query)[3];
  SmallVector<int64_t> added{batch, keyHeads, length, size};
  for (auto [i, x] : {std::pair(1u, builder.key), std::pair(2u, builder.value)})
    if (Node::shapeOf(x) != ArrayRef<int64_t>(added)) {
      node.error() << (i == 1 ? "key" : "value") << " has shape "
                   << shapeToString(Node::shapeOf(parts[i])) << ", expected "
                   << shapeToString({batch, length, keyHeads * size});
      return false;
    }
  SmallVector<int64_t> past{batch, keyHeads, pastLength, size};
  for (unsigned i : {3u, 4u})
    if (node.has(i) && node.shape(i) != ArrayRef<int64_t>(past)) {
      node.error() << (i == 3 ? "past_key" : "past_value") << " has shape "
                   << shapeToString(node.shape(i)) << ", expected "
                   << shapeToString(past);
      return false;
    }
  return true;
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
  if (node.failed())
    return {};
  if (batch == 1)
    return node.gather(all, node.reshape(source, presentLength), 2);
  // Rows of all heads of all sequences, one behind the other.
  SmallVector<int64_t> shape(Node::shapeOf(all));
  Value first = node.iota(batch * keyHeads, {batch, keyHeads, 1}, shape[2]);
  Value rowOf =
      add(node, node.reshape(source, {batch, 1, presentLength}), first);
  return node.gather(node.reshape(all, {batch * keyHeads * shape[2], shape[3]}),
                     rowOf, 0);
}

/// A query sees the keys up to its own position, at most a window of them
/// (below 0: all).
Value CachedAttention::seenKeys(int64_t window) {
  Value columns = node.iota(presentLength, {1, 1, 1, presentLength});
  Value rows = node.reshape(positions(), {batch, 1, length, 1});
  Value seen = node.binary(BinaryKind::LessEqual, columns, rows);
  if (window >= 0 && window < presentLength) {
    Value first = add(node, rows, node.ints(-window, ArrayRef<int64_t>()));
    seen = node.binary(BinaryKind::And, seen,
                       node.binary(BinaryKind::Less, first, columns));
  }
  return seen;
}

/// attention_bias, [1 or batch, 1 or heads, length, total], for all keys of the
/// present; no query sees those behind the total.
Value CachedAttention::bias() {
  ArrayRef<int64_t> shape = node.shape(10);
  auto isOneOr = [](int64_t extent, int64_t n) {
    return extent == 1 || extent == n;
  };
  if (shape.size() != 4 || !isOneOr(shape[0], batch) ||
      !isOneOr(shape[1], heads) || shape[2] != length ||
      shape[3] != totalLength) {
    node.error() << "attention_bias has shape " << shapeToString(shape)
                 << ", expected "
                 << shapeToString({batch, heads, length, totalLength})
                 << ", of which the first two may be 1";
    return {};
  }
  if (presentLength == totalLength)
    return node.in(10);
  SmallVector<int64_t> pads(8, 0);
  pads[7] = presentLength - totalLength;
  return node.move<PadOp>(node.in(10), pads, PadMode::Constant,
                          llvm::APFloat(0.0));
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
  if (!splitOperands())
    return;
  builder.key = present(3, builder.key);
  builder.value = present(4, builder.value);
  node.setOutput(1, builder.key);
  node.setOutput(2, builder.value);
  int64_t window = node.intAttr("local_window_size", -1);
  // The attention to no key at all is 0.
  if (window == 0 && !node.failed())
    return node.setOutput(0,
                          node.splat({batch, length, node.shapeOf(parts[0])[2]},
                                     node.elementType(0), 0));
  builder.scale = readScale(node, builder.query);
  builder.softcap = node.floatAttr("softcap", 0.f);
  builder.bias = builder.zeroWhere(seenKeys(window));
  if (node.has(10))
    builder.bias = add(node, builder.bias, bias());
  node.setOutput(0, mergeHeads(node, builder.build()));
}

void qcc::import::convertGroupQueryAttention(Node &node) {
  CachedAttention(node).convert();
}
