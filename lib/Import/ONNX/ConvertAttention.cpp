//===- ConvertAttention.cpp - Attention and rotary embeddings ------------===//
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
static Value sub(Node &node, Value x, Value y) {
  return node.binary(BinaryKind::Sub, x, y);
}
static Value mul(Node &node, Value x, Value y) {
  return node.binary(BinaryKind::Mul, x, y);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

Value AttentionBuilder::splitHeads(Value x, int64_t heads, StringRef what) {
  if (node.failed())
    return {};
  ArrayRef<int64_t> shape = Node::shapeOf(x);
  if (shape.size() == 4)
    return x;
  if (shape.size() != 3 || heads < 1 || shape[2] % heads != 0) {
    node.error() << what << " of shape " << shapeToString(shape)
                 << " cannot be split into " << heads << " heads";
    return {};
  }
  Value split = node.reshape(x, {shape[0], shape[1], heads, shape[2] / heads});
  return node.transpose(split, {0, 2, 1, 3});
}

bool AttentionBuilder::check() {
  if (node.failed())
    return false;
  ArrayRef<int64_t> q = Node::shapeOf(query), k = Node::shapeOf(key),
                    v = Node::shapeOf(value);
  batch = q[0], heads = q[1], length = q[2], keyHeads = k[1], keyLength = k[2];
  if (k[0] != batch || v[0] != batch || q[3] != k[3] || v[1] != keyHeads ||
      v[2] != keyLength || keyHeads == 0 || heads % keyHeads != 0) {
    node.error() << "queries, keys and values of shapes " << shapeToString(q)
                 << ", " << shapeToString(k) << " and " << shapeToString(v)
                 << " do not fit together";
    return false;
  }
  groups = heads / keyHeads;
  return true;
}

Value AttentionBuilder::zeroWhere(Value condition) {
  if (node.failed())
    return {};
  return node.select(condition, node.scalarLike(query, 0),
                     node.scalarLike(query, kMinusInfinity));
}

/// A query sees the keys before it and itself.
Value AttentionBuilder::causalBias() {
  Value columns = node.iota(keyLength, {1, keyLength});
  Value rows = add(node, node.iota(length, {length, 1}),
                   node.ints(pastLength, ArrayRef<int64_t>()));
  return zeroWhere(node.binary(BinaryKind::LessEqual, columns, rows));
}

Value AttentionBuilder::paddingBias() {
  Value columns = node.iota(keyLength, {1, 1, 1, keyLength});
  Value limits = node.reshape(
      node.cast(keyLengths, node.getBuilder().getI64Type()), {batch, 1, 1, 1});
  return zeroWhere(node.binary(BinaryKind::Less, columns, limits));
}

Value AttentionBuilder::scores() {
  Value scaled =
      scale == 1.f ? query : mul(node, query, node.scalarLike(query, scale));
  if (node.failed())
    return {};
  Value products = node.create<MatmulOp>(
      Node::elementTypeOf(query), groupRows(scaled), key, Value(), Value(),
      /*transpose_lhs=*/false, /*transpose_rhs=*/true, ActivationAttr());
  return ungroupRows(products);
}

Value AttentionBuilder::build() {
  if (!check())
    return {};
  Value x = scores();
  stages.push_back(x);
  if (softcap != 0.f && !node.failed()) {
    Value cap = node.scalarLike(x, softcap);
    x = mul(node,
            node.unary(UnaryKind::Tanh, node.binary(BinaryKind::Div, x, cap)),
            cap);
  }
  stages.push_back(x);
  if (bias)
    x = add(node, x, bias);
  if (isCausal)
    x = add(node, x, causalBias());
  if (keyLengths)
    x = add(node, x, paddingBias());
  stages.push_back(x);
  if (node.failed())
    return {};
  if (Node::shapeOf(x) != Node::shapeOf(stages[0])) {
    node.error() << "the mask does not broadcast to scores of shape "
                 << shapeToString(Node::shapeOf(stages[0]));
    return {};
  }
  x = node.create<SoftmaxOp>(Node::elementTypeOf(x), x, uint64_t(3), false);
  stages.push_back(x);
  if (node.failed())
    return {};
  Value y =
      node.create<MatmulOp>(Node::elementTypeOf(x), groupRows(x), value,
                            Value(), Value(), false, false, ActivationAttr());
  return ungroupRows(y);
}

Value qcc::import::mergeHeads(Node &node, Value x) {
  Value swapped = node.transpose(x, {0, 2, 1, 3});
  if (node.failed())
    return {};
  ArrayRef<int64_t> shape = Node::shapeOf(swapped);
  return node.reshape(swapped, {shape[0], shape[1], shape[2] * shape[3]});
}

/// A mask as numbers to add; one that is shorter than the keys hides the rest.
static Value maskBias(Node &node, Value mask, Type element, int64_t keyLength) {
  if (node.failed())
    return {};
  if (Node::elementTypeOf(mask).isInteger(1))
    mask = node.select(mask, node.splat({}, element, 0),
                       node.splat({}, element, kMinusInfinity));
  mask = node.cast(mask, element);
  if (node.failed())
    return {};
  SmallVector<int64_t> shape(Node::shapeOf(mask));
  if (shape.empty() || shape.back() >= keyLength || shape.back() == 1)
    return mask;
  SmallVector<int64_t> pads(2 * shape.size(), 0);
  pads.back() = keyLength - shape.back();
  return node.move<PadOp>(mask, pads, PadMode::Constant,
                          llvm::APFloat(kMinusInfinity));
}

void qcc::import::convertAttention(Node &node) {
  // Q, K, V, attn_mask, past_key, past_value, nonpad_kv_seqlen
  AttentionBuilder builder(node);
  Type element = node.elementType(0);
  bool isMerged = node.rank(0) == 3;
  int64_t heads = node.intAttr("q_num_heads", 0);
  int64_t keyHeads = node.intAttr("kv_num_heads", 0);
  builder.query = builder.splitHeads(node.in(0), heads, "Q");
  builder.key = builder.splitHeads(node.in(1), keyHeads, "K");
  builder.value = builder.splitHeads(node.in(2), keyHeads, "V");
  if (node.failed())
    return;
  if (node.has(4) && node.has(5)) {
    if (node.rank(4) != 4 || node.rank(5) != 4) {
      node.error() << "past keys and values must have four dimensions";
      return;
    }
    builder.pastLength = node.shape(4)[2];
    builder.key = node.concat({node.in(4), builder.key}, 2);
    builder.value = node.concat({node.in(5), builder.value}, 2);
  }
  node.setOutput(1, builder.key);
  node.setOutput(2, builder.value);
  if (node.failed())
    return;
  builder.scale = node.floatAttr(
      "scale", 1.f / std::sqrt(float(Node::shapeOf(builder.query)[3])));
  builder.softcap = node.floatAttr("softcap", 0.f);
  builder.isCausal = node.boolAttr("is_causal");
  builder.keyLengths = node.in(6);
  if (node.has(3))
    builder.bias =
        maskBias(node, node.in(3), element, Node::shapeOf(builder.key)[2]);
  Value y = builder.build();
  node.setOutput(0, isMerged ? mergeHeads(node, y) : y);
  if (!node.wantsOutput(3) || node.failed())
    return;
  int64_t mode = node.intAttr("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) {
    node.error() << "qk_matmul_output_mode is " << mode;
    return;
  }
  node.setOutput(3, builder.stages[size_t(mode)]);
}

//===----------------------------------------------------------------------===//
// Rotary embeddings
//===----------------------------------------------------------------------===//

/// Rotates pairs of the first 2 * n of the last dimension of `x`, n being that
/// of `cos` and `sin`, which broadcast.
static Value rotate(Node &node, Value x, Value cos, Value sin,
                    bool isInterleaved) {
  if (node.failed())
    return {};
  SmallVector<int64_t> shape(Node::shapeOf(x));
  int64_t half = Node::shapeOf(cos).back(), size = shape.back();
  if (2 * half > size) {
    node.error() << "rotates " << 2 * half << " of " << size << " values";
    return {};
  }
  auto part = [&](int64_t start, int64_t count, int64_t step) {
    SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1),
        sizes(shape);
    starts.back() = start, sizes.back() = count, steps.back() = step;
    return node.slice(x, starts, sizes, steps);
  };
  Value first = isInterleaved ? part(0, half, 2) : part(0, half, 1);
  Value second = isInterleaved ? part(1, half, 2) : part(half, half, 1);
  Value real = sub(node, mul(node, first, cos), mul(node, second, sin));
  Value imaginary = add(node, mul(node, first, sin), mul(node, second, cos));
  int64_t axis = shape.size() - 1;
  Value rotated;
  if (isInterleaved) {
    SmallVector<int64_t> split(shape), whole(shape);
    split.back() = half, whole.back() = 2 * half;
    split.push_back(1);
    rotated = node.reshape(
        node.concat({node.reshape(real, split), node.reshape(imaginary, split)},
                    axis + 1),
        whole);
  } else {
    rotated = node.concat({real, imaginary}, axis);
  }
  if (2 * half == size)
    return rotated;
  return node.concat({rotated, part(2 * half, size - 2 * half, 1)}, axis);
}

Value qcc::import::embedPositions(Node &node, Value x, Value cos, Value sin,
                                  int64_t heads, int64_t rotated,
                                  bool isInterleaved) {
  if (node.failed())
    return {};
  SmallVector<int64_t> shape(Node::shapeOf(x));
  bool isMerged = shape.size() == 3;
  if (Node::typeOf(cos).getRank() != 3 || (!isMerged && shape.size() != 4)) {
    node.error() << "an input of shape " << shapeToString(shape)
                 << " with angles of shape "
                 << shapeToString(Node::shapeOf(cos)) << " is not supported";
    return {};
  }
  if (rotated < 0 || rotated % 2 != 0) {
    node.error() << "rotates " << rotated
                 << " values of a head, expected an even number";
    return {};
  }
  if (isMerged) {
    if (heads == 0)
      heads = shape[2] / std::max<int64_t>(2 * Node::shapeOf(cos).back(), 1);
    if (heads < 1 || shape[2] % heads != 0) {
      node.error() << "an input of shape " << shapeToString(shape)
                   << " cannot be split into " << heads << " heads";
      return {};
    }
    x = node.reshape(x, {shape[0], shape[1], heads, shape[2] / heads});
  }
  auto angles = [&](Value table) {
    if (node.failed())
      return Value();
    SmallVector<int64_t> sizes(Node::shapeOf(table));
    if (rotated > 0 && rotated / 2 < sizes[2]) {
      sizes[2] = rotated / 2;
      table = node.slice(table, {0, 0, 0}, sizes, {1, 1, 1});
    }
    sizes.insert(sizes.begin() + (isMerged ? 2 : 1), 1);
    return node.reshape(table, sizes);
  };
  Value y = rotate(node, x, angles(cos), angles(sin), isInterleaved);
  return node.failed() ? Value() : node.reshape(y, shape);
}

void qcc::import::convertRotaryEmbedding(Node &node) {
  bool isMicrosoft = node.domain() == "com.microsoft";
  // X, cos_cache, sin_cache, position_ids; Microsoft's has them second.
  Value cos = node.in(isMicrosoft ? 2 : 1), sin = node.in(isMicrosoft ? 3 : 2);
  Value positions = node.in(isMicrosoft ? 1 : 3);
  if (isMicrosoft && node.floatAttr("scale", 1.f) != 1.f) {
    node.error() << "a scale other than 1 is not supported";
    return;
  }
  if (positions) {
    // One number is the position of the first; the others follow it.
    if (isMicrosoft && Node::typeOf(positions).getNumElements() == 1 &&
        Node::typeOf(positions).getRank() == 1) {
      int64_t length = node.rank(0) == 4 ? node.shape(0)[2] : node.shape(0)[1];
      Value wide = node.cast(positions, node.getBuilder().getI64Type());
      positions = add(node, node.iota(length, {1, length}), wide);
    }
    cos = node.failed() ? Value() : node.gather(cos, positions, 0);
    sin = node.failed() ? Value() : node.gather(sin, positions, 0);
  }
  node.setOutput(0, embedPositions(node, node.in(0), cos, sin,
                                   node.intAttr("num_heads", 0),
                                   node.intAttr("rotary_embedding_dim", 0),
                                   node.boolAttr("interleaved")));
}
