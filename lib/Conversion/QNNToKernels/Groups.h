//===- Groups.h - Elements that are reduced together ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reductions over some dimensions of a tensor, in an order that no target
// changes: where the last dimension is reduced, in 16 lanes (element i of a
// row goes to lane i mod 16) that a fixed tree combines, or in index order
// where it is short; otherwise in index order, side by side for up to a block
// of neighbouring results.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CONVERSION_QNNTOKERNELS_GROUPS_H
#define QCC_LIB_CONVERSION_QNNTOKERNELS_GROUPS_H

#include "LoopBuilder.h"

namespace qcc::reference {

class Groups {
public:
  using Value = mlir::Value;

  Groups(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> axes);

  /// Elements per group.
  int64_t size() const { return groupSize; }
  Tiling tiling(int64_t passes = 1) const;
  /// Elements of a buffer that holds one number per result of a tile, or the
  /// lanes of one.
  int64_t bufferSize() const { return contiguous ? lanes : block; }

  /// Code for one iteration of the tiling.
  class Code {
  public:
    Code(const Groups &groups, LoopBuilder &b, mlir::ValueRange ivs);

    /// Per-result number in a buffer, shaped like the elements at hand.
    using Param = llvm::function_ref<Value(Value buffer)>;
    /// buffer[result] = fold of step(acc, element, position) from `init`;
    /// `combine` joins the partial results of two lanes.
    void reduce(Value memory, Value buffer, Value init,
                llvm::function_ref<Value(Value acc, Value raw, Value position,
                                         Param param)>
                    step,
                llvm::function_ref<Value(Value, Value)> combine);
    /// Visits each element with its per-result numbers.
    void forEach(Value memory,
                 llvm::function_ref<void(Value raw, Value position,
                                         llvm::function_ref<Value(Value)>)>
                     body);
    /// Visits each result: its number in the buffers, its position.
    void forResults(llvm::function_ref<void(Value index, Value position)> body);

  private:
    void forRows(unsigned d, Value base,
                 llvm::function_ref<void(Value base)> body);
    const Groups &g;
    LoopBuilder &b;
    Value base;   ///< position of the group's (or block's) first element
    Value result; ///< position of its first result
    Value count;  ///< results in this block
  };

  static constexpr int64_t lanes = 16;
  /// Rows up to this length are unrolled, for LLVM to vectorize across rows.
  static constexpr int64_t maxShort = 8;

private:
  friend class Code;
  // Dimensions of extent > 1, neighbours of the same kind merged.
  llvm::SmallVector<int64_t> extents, strides;
  llvm::SmallVector<bool> reduced;
  bool contiguous = true; ///< the last dimension is reduced
  bool isShort() const { return contiguous && extents.back() <= maxShort; }
  int64_t groupSize = 1, block = 1;
};

} // namespace qcc::reference

#endif // QCC_LIB_CONVERSION_QNNTOKERNELS_GROUPS_H
