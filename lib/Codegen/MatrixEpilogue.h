//===- MatrixEpilogue.h - From sums to results ------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_MATRIXEPILOGUE_H
#define QCC_LIB_CODEGEN_MATRIXEPILOGUE_H

#include "ByteTable.h"
#include "Requantize.h"

namespace qcc {

/// What happens to a sum of products before it is stored.
struct MatrixEpilogue {
  enum class Result {
    Bytes, ///< 8-bit quantized
    Words, ///< 16-bit quantized
    Float,
    Sum ///< the 32-bit sum itself
  };
  /// A tensor of the shape of the result that is added to the real value.
  struct Residual {
    bool isFloat = true;
    bool isUnsigned = false;
    unsigned bits = 8; ///< of integers: 8 or 16
    int64_t zeroPoint = 0;
    float scale = 1;
  };

  /// An 8-bit addition behind 8-bit results (see ByteSum.h). Either scale is
  /// the factor of the term.
  struct Sum {
    Residual term; ///< the results
    Residual other;
    Requantize requantize;
  };

  Result result = Result::Float;
  bool isInteger = false; ///< sums are i32, else f32
  bool hasBias = false;   ///< floats: one per column, added to the sum
  std::optional<Residual> residual;
  FloatActivation activation;           ///< of a Float
  std::optional<Requantize> requantize; ///< to Bytes or Words
  bool hasTable = false;  ///< Bytes: they are indices of a table of results
  std::optional<Sum> sum; ///< of Bytes, from a table or not

  bool hasScales() const { return isInteger && result != Result::Sum; }
  std::string key() const;
};

/// Emits epilogues for vectors of columns.
class MatrixEpilogueEmitter {
public:
  /// `order`: packOrder of the vectors where their columns are permuted.
  MatrixEpilogueEmitter(CodeBuilder &c, const TargetLevel &level,
                        const MatrixEpilogue &epilogue,
                        llvm::ArrayRef<int64_t> order)
      : c(c), level(level), e(epilogue), order(order) {}

  /// Parameters of the columns, one vector each per vector of columns.
  llvm::SmallVector<mlir::Value> scales, biases;
  mlir::Value table; ///< memref of 256 bytes
  mlir::Value other; ///< what MatrixEpilogue::Sum adds

  /// Rows in a buffer.
  struct Place {
    mlir::Value at; ///< element where the first one begins
    int64_t pitch;  ///< elements from one to the next
    /// Where each begins, if they have no such pitch.
    llvm::SmallVector<mlir::Value> rows = {};
  };
  /// Turns the sums of each row into its first `count` results. `from`: of the
  /// residual and the other term.
  void emit(llvm::ArrayRef<llvm::SmallVector<mlir::Value>> rows, int64_t count,
            mlir::Value residual, const Place &from, mlir::Value result,
            const Place &to);

private:
  using Values = llvm::SmallVector<mlir::Value>;

  /// What is stored for the sums of one row: one vector of bytes, or one vector
  /// per vector of sums. With an addition behind it: the results less their
  /// zero point, or a vector of bytes that are indices of the table.
  Values resultsOf(mlir::ValueRange sums, int64_t count, mlir::Value residual,
                   mlir::Value at);
  /// The real values of a tensor, or of a vector of its bytes, for each vector
  /// of sums.
  Values loadResidual(const MatrixEpilogue::Residual &r, mlir::Value residual,
                      mlir::Value at, int64_t count, unsigned vectors);
  Values spread(const MatrixEpilogue::Residual &r, mlir::Value whole,
                unsigned vectors);
  /// Adds the other term; the results as bytes.
  mlir::Value addOther(Values terms, int64_t count, mlir::Value at);
  CodeBuilder &c;
  const TargetLevel &level;
  const MatrixEpilogue &e;
  llvm::ArrayRef<int64_t> order;
};

/// Stores the first `count` elements of a vector and nothing else.
void storeFirst(CodeBuilder &c, mlir::Value vector, int64_t count,
                mlir::Value buffer, mlir::Value at);
/// The same for several vectors of one type that stand one behind the other.
void storeRun(CodeBuilder &c, mlir::ValueRange vectors, int64_t count,
              mlir::Value buffer, mlir::Value at);
/// Loads `count` elements and reads nothing else; zeros follow them.
mlir::Value loadFirst(CodeBuilder &c, mlir::VectorType type, int64_t count,
                      mlir::Value buffer, mlir::Value at);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_MATRIXEPILOGUE_H
