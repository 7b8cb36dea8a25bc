//===- SavedCorrections.h - Rounding and biases in a table ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The weights of a channel are saved as their differences from the integers
// nearest to them, three in a character: '.' stands for three zeros, a letter
// for three of -1, 0 and 1, "(2,0,-1)" for three among which is a larger one.
// Zeros at the end of a channel are left out.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_QUANTIZATION_SAVEDCORRECTIONS_H
#define QCC_QUANTIZATION_SAVEDCORRECTIONS_H

#include "qcc/Calibration/CalibrationTable.h"
#include "qcc/Quantization/ChannelStatistics.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringSet.h"

namespace qcc {

std::string encodeRounding(llvm::ArrayRef<int> differences);
/// `count` differences; errors say what is wrong with `text`.
llvm::Expected<std::vector<int>> decodeRounding(llvm::StringRef text,
                                                size_t count);

/// What `algorithm` has measured, as entries of a table, and back. Values that
/// are the input of no layer of @main are left out; an entry that does not fit
/// the layer that it names is an error.
std::vector<ChannelEntry> saveChannels(mlir::ModuleOp module,
                                       llvm::StringRef algorithm,
                                       const StatisticsByValue &statistics);
llvm::Expected<StatisticsByValue>
readChannels(mlir::ModuleOp module, llvm::StringRef algorithm,
             llvm::ArrayRef<ChannelEntry> entries);

/// Puts into the table what roundWeights and correctBiases have attached to the
/// layers of @main.
void saveCorrections(mlir::ModuleOp module, CalibrationTable &table);

/// Attaches what the table holds to the layers of @main, as roundWeights and
/// correctBiases do; `clip` is that of the former, `keepFloat` names the layers
/// that stay float. Returns the names of layers of the table that have other
/// weights, or are not there: nothing is attached to them.
llvm::Expected<std::vector<std::string>>
applyCorrections(mlir::ModuleOp module, const CalibrationTable &table,
                 llvm::StringRef clip, const llvm::StringSet<> &keepFloat);

} // namespace qcc

#endif // QCC_QUANTIZATION_SAVEDCORRECTIONS_H
