//===- Budgets.h - What -precision=auto must keep ---------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_DRIVER_BUDGETS_H
#define QCC_LIB_DRIVER_BUDGETS_H

#include "Variants.h"

#include "qcc/Quantization/Budget.h"

namespace qcc {

/// The budgets of a command line; 0 is no limit.
struct Budgets {
  std::optional<DropBudget> drop;
  double seconds = 0, bytes = 0, ram = 0;

  /// Fails for values that are none, and where there is no budget.
  static llvm::Expected<Budgets> parse(const CompileOptions &options);

  bool hasLimits() const { return seconds != 0 || bytes != 0 || ram != 0; }
  bool measuresSizes() const { return bytes != 0 || ram != 0; }

  /// What a variant exceeds, with what it has; empty if nothing.
  std::vector<std::string> exceeded(const Variant &variant) const;
  /// The limits that the variant would keep, as flags.
  std::string nearest(const Variant &variant) const;
  std::string describe() const;
};

/// Whether the options give a budget, of whatever value.
bool hasBudget(const CompileOptions &options);

/// Fails where a budget would be passed over: only a search keeps one, and that
/// chooses between layers in static quantization. `ownScales`: the model came
/// with scales of its activations, which static quantization keeps.
llvm::Error checkBudget(const CompileOptions &options, QuantizeMode mode,
                        bool ownScales);

} // namespace qcc

#endif // QCC_LIB_DRIVER_BUDGETS_H
