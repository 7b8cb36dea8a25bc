//===- QuantizationSites.h - What of a model goes to 8 bits -----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_CALIBRATION_QUANTIZATIONSITES_H
#define QCC_CALIBRATION_QUANTIZATIONSITES_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace qcc {

/// The ops of a float function that can go to 8 bits, the values that then need
/// a range, and the names of both in tables and files. The function must not
/// change while this exists.
class QuantizationSites {
public:
  /// An op with a constant weight: where low precision pays, and what a user
  /// decides about.
  struct Layer {
    qnn::QuantizableOpInterface op;
    std::string name; ///< of its node; unique in the function
  };
  /// A recurrent layer, whose weights alone go to 8 bits: it needs no ranges.
  struct RecurrentLayer {
    qnn::RecurrenceOp op;
    std::string name;
  };
  using OpSet = llvm::DenseSet<mlir::Operation *>;

  /// `usedIds` holds ids that are taken, and gets those of this function.
  QuantizationSites(mlir::func::FuncOp function,
                    llvm::StringMap<unsigned> &usedIds);

  llvm::ArrayRef<Layer> layers() const { return allLayers; }
  llvm::ArrayRef<RecurrentLayer> recurrentLayers() const {
    return allRecurrent;
  }
  /// The ops that compute in 8 bits where the named layers stay float: the
  /// other layers, and what lies between two of them or moves data in front of
  /// one.
  OpSet select(const llvm::StringSet<> &keepFloat) const;
  /// select({}), in program order.
  llvm::ArrayRef<qnn::QuantizableOpInterface> ops() const { return allOps; }
  /// Activations of ops(), each with the id of its range; values that one range
  /// must serve have the same.
  const llvm::MapVector<mlir::Value, std::string> &ids() const {
    return idOfValue;
  }

  /// Whether one of the ops takes `value` as an activation.
  static bool isUsedBy(mlir::Value value, const OpSet &ops);

  /// Whether of `ops` only elementwise ones on its shape compute and read
  /// `value`. Most become one kernel that never stores it: rounding it would
  /// cost accuracy and gain nothing.
  static bool isInsideChain(mlir::Value value, const OpSet &ops);

private:
  void nameValues(mlir::func::FuncOp function,
                  llvm::StringMap<unsigned> &usedIds);

  llvm::SmallVector<qnn::QuantizableOpInterface> candidates, allOps;
  llvm::SmallVector<Layer> allLayers;
  llvm::SmallVector<RecurrentLayer> allRecurrent;
  llvm::DenseMap<mlir::Operation *, std::string> layerNames;
  llvm::MapVector<mlir::Value, std::string> idOfValue;
};

/// Whether a layer can compute in 16 bits and gains by it: there is a kernel,
/// and 32-bit sums leave its weights more than 8 bits (see
/// qnn-quantize-weights).
bool hasInt16Form(mlir::Operation *layer);

/// On an op that stays float although its input is quantized, and on recurrent
/// layers whose weights do.
constexpr llvm::StringLiteral kKeepFloatAttr = "qnn.keep_float";

} // namespace qcc

#endif // QCC_CALIBRATION_QUANTIZATIONSITES_H
