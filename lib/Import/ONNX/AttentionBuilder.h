//===- AttentionBuilder.h - Attention of elementary operators --*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the attention operators of ONNX and com.microsoft have in common.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_ATTENTIONBUILDER_H
#define QCC_LIB_IMPORT_ONNX_ATTENTIONBUILDER_H

#include "Node.h"

#include <limits>

namespace qcc::import {

inline constexpr double kMinusInfinity =
    -std::numeric_limits<double>::infinity();

/// Scaled dot products of [batch, heads, length, size] tensors.
class AttentionBuilder {
public:
  explicit AttentionBuilder(Node &node) : node(node) {}

  Value query, key, value;
  float scale = 1, softcap = 0;
  /// Of the shape of the scores, or one that broadcasts to it; null: none.
  Value bias;
  bool isCausal = false;
  int64_t pastLength = 0;
  Value keyLengths; ///< per sequence of the batch; null: all are full

  /// [batch, heads, length, size] of `x`, which may be [batch, length, heads *
  /// size].
  Value splitHeads(Value x, int64_t heads, llvm::StringRef what);
  bool check();
  Value build();
  /// 0 where `condition`, else minus infinity; of the type of `query`.
  Value zeroWhere(Value condition);
  /// The stages of the scores: products, capped, biased, softmax.
  llvm::SmallVector<Value, 4> stages;

private:
  Value scores();
  Value causalBias();
  Value paddingBias();
  /// [batch, heads, length, n] with the rows of all heads of one key together.
  Value groupRows(Value x) {
    return groups == 1 || node.failed()
               ? x
               : node.reshape(x, {batch, keyHeads, groups * length,
                                  Node::shapeOf(x).back()});
  }
  Value ungroupRows(Value x) {
    return groups == 1 || node.failed()
               ? x
               : node.reshape(x,
                              {batch, heads, length, Node::shapeOf(x).back()});
  }

  Node &node;
  int64_t batch = 0, heads = 0, length = 0, keyHeads = 0, keyLength = 0,
          groups = 1;
};

/// [batch, heads, length, size] -> [batch, length, heads * size]
Value mergeHeads(Node &node, Value x);

/// The rotation of X, which is [batch, heads, length, size] or [batch, length,
/// heads * size]; `cos` and `sin` are [batch, length, size / 2].
Value embedPositions(Node &node, Value x, Value cos, Value sin, int64_t heads,
                     int64_t rotated, bool isInterleaved);

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_ATTENTIONBUILDER_H
