//===- RecurrenceFunction.h - Recurrent layers in ONNX files ---*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ONNX has no recurrent operator whose states are quantized at each step. The
// exporter writes a qnn.recurrence with 8-bit weights as the call of a function
// of the file, which the importer knows by its domain and name. Its attributes
// are those of ONNX's LSTM, GRU and RNN for one direction (without layout), and
// "operands", which names what is given, in order; its results have the shapes
// of those of the op. docs/export.md describes it for users.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_IR_RECURRENCEFUNCTION_H
#define QCC_DIALECT_QNN_IR_RECURRENCEFUNCTION_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

namespace qcc::qnn {

/// The domain of functions that qcc writes and knows again, version 1. A name
/// may end in "_" and a number: functions of one operator with other bodies.
inline constexpr char kFunctionDomain[] = "qcc";

/// The function's name.
inline llvm::StringRef getFunctionName(RecurrenceKind kind) {
  switch (kind) {
  case RecurrenceKind::Lstm:
    return "QuantizedLSTM";
  case RecurrenceKind::Gru:
    return "QuantizedGRU";
  case RecurrenceKind::Plain:
    return "QuantizedRNN";
  }
  llvm_unreachable("not a kind of recurrent layer");
}

namespace recurrence_function {
inline constexpr char kOperandsAttr[] = "operands";
// Operands. All but the first three may be missing.
inline constexpr char kInput[] = "X";           ///< steps x sequences x columns
inline constexpr char kWeights[] = "R";         ///< hidden x columns, 8 bits
inline constexpr char kScale[] = "R_scale";     ///< one, or one per column
inline constexpr char kZero[] = "R_zero_point"; ///< as many as scales
inline constexpr char kBias[] = "B";            ///< hidden
inline constexpr char kState[] = "initial_h";   ///< sequences x hidden
inline constexpr char kCell[] = "initial_c";    ///< sequences x hidden
inline constexpr char kPeepholes[] = "P";       ///< 3 * hidden
inline constexpr char kLengths[] = "sequence_lens"; ///< sequences, int32
} // namespace recurrence_function

} // namespace qcc::qnn

#endif // QCC_DIALECT_QNN_IR_RECURRENCEFUNCTION_H
