//===- QuantParams.h - Scales and zero points of a node --------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_IMPORT_ONNX_QUANTPARAMS_H
#define QCC_LIB_IMPORT_ONNX_QUANTPARAMS_H

#include "Node.h"

namespace qcc::import {

/// Constant scales and zero points: one each, or one per index of an axis.
struct Params {
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int64_t> zeroPoints; ///< as many as scales
  DType storage = DType::Undefined;      ///< ONNX type of the integers
  bool isPerAxis() const { return scales.size() > 1; }
};

/// Reads the scale in operand `scale` and the zero point in operand
/// `zeroPoint` (absent: 0) of integers of type `storage`; nothing after an
/// error. Both must be constant; scales positive and finite.
std::optional<Params> readParams(Node &node, unsigned scale, unsigned zeroPoint,
                                 DType storage);

/// The quantized element type; `axis` is that of per-axis parameters.
Type quantizedType(Node &node, const Params &params, int64_t axis = 0);

/// Plain storage integers as a tensor of `type`; null after an error. An
/// earlier cast of the same parameters (maybe to a narrower range) is undone,
/// a constant gets the type itself.
Value fromStorage(Node &node, Value storage, Type type);

/// Operand `x` with the parameters in operands `scale` and `zeroPoint`.
Value quantizedOperand(Node &node, unsigned x, unsigned scale,
                       unsigned zeroPoint, int64_t axis = 0);

/// The per-tensor result type of the parameters in operands `scale` and
/// `zeroPoint`; its storage is the zero point's type, or `defaultStorage`.
Type quantizedResultType(Node &node, unsigned scale, unsigned zeroPoint,
                         DType defaultStorage);

/// The int32 bias of a contraction in operand `bias` with scale sx * sw, the
/// weight's scales along `axis` of the bias; null if absent or after an error.
Value quantizedBias(Node &node, unsigned bias, Type input, Type weight);

} // namespace qcc::import

#endif // QCC_LIB_IMPORT_ONNX_QUANTPARAMS_H
