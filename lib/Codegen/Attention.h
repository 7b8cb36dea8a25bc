//===- Attention.h - Products around a softmax ------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// softmax(f(q x k)) x v by blocks of rows: scores of some rows at a time stay
// on the stack, in a near cache. f and what is between the softmax and v are
// chains of elementwise ops: scale, mask, cap, quantization. Both products are
// in float or in 8 bits, as the ops have them, or of floats that are rounded to
// 16 bits (docs/quantization.md).
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_ATTENTION_H
#define QCC_LIB_CODEGEN_ATTENTION_H

#include "ElementwiseChain.h"
#include "Product.h"

namespace qcc {

struct Attention {
  /// Equal batches, rows and row tiles.
  Product scores, values;
  /// Behind the scores' product and behind the softmax, with reshapes that keep
  /// rows in front of all but the first.
  llvm::SmallVector<ElementwiseChain> before, behind;

  /// Of the second product; nothing for others.
  static std::optional<Attention> match(mlir::Operation *op,
                                        const TargetLevel &level);
  /// The second product of the attention that has `producer` in front of it;
  /// null where there is none.
  static mlir::Operation *findProduct(mlir::Operation *producer,
                                      const TargetLevel &level);

  /// The second product's left side, in 8 bits or float.
  bool hasBytes() const { return values.isInteger; }
  /// Exponentials are multiplied as they are: nothing is between the softmax
  /// and the product, whose results make up for it.
  bool keepsExponentials() const;
  bool isInt16() const { return values.isInt16; }
  /// Distance of rows of scores on the stack, and of their bytes.
  int64_t pitch() const;
  int64_t bytesPitch() const { return llvm::alignTo(scores.columns, 64); }
  int64_t blockRows() const { return scores.blockTiles * scores.tileRows; }
  std::string key() const;

private:
  void cut(const TargetLevel &level);
  /// Whether factors are rounded to 16 bits, which does not depend on the level
  /// but for whether it is fast at that.
  bool takesInt16(const TargetLevel &level) const;
  bool fitsInt16() const;
  bool paysInInt16() const;
  /// Whether blocks read the matrices from behind the second-level cache, for
  /// longer than they compute.
  bool readsFromAfar() const;
};

mlir::LogicalResult emitAttention(const Attention &attention,
                                  const ElementwiseChain &chain,
                                  KernelEmitter &emitter);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_ATTENTION_H
