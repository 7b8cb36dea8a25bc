//===- CodeGen.h - LLVM modules to objects -------------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EMIT_CODEGEN_H
#define QCC_LIB_EMIT_CODEGEN_H

#include "qcc/Emit/Emit.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <array>
#include <shared_mutex>

namespace qcc::emit {

/// How LLVM shall treat a module.
enum class Effort {
  Full,     ///< vectorizers, O2
  Reference ///< O1, no vectorizers
};

/// Compiles for one triple; usable from several threads.
class CodeGenerator {
public:
  static llvm::Expected<CodeGenerator> create(const TargetBackend &backend);

  /// Gives the module its triple and data layout.
  llvm::Error prepare(llvm::Module &module) const;
  void optimize(llvm::Module &module, Effort effort) const;
  llvm::SmallVector<char, 0> generate(llvm::Module &module,
                                      llvm::CodeGenFileType type) const;

  /// Attributes of a function that may use what `level` has.
  void setLevel(llvm::Function &function, const TargetLevel &level) const;
  /// Bits of features.def that code for `level` needs.
  llvm::Expected<std::array<uint64_t, 2>>
  requiredFeatures(const TargetLevel &level) const;

private:
  explicit CodeGenerator(llvm::Triple triple, const llvm::Target *target)
      : triple(std::move(triple)), target(target) {}
  std::unique_ptr<llvm::TargetMachine> createMachine() const;

  llvm::Triple triple;
  const llvm::Target *target;
};

/// Bits of features.def that this machine has; empty if it is not of the
/// triple's family.
std::optional<std::array<uint64_t, 2>> hostFeatures(const llvm::Triple &triple);

/// Guards the options of LLVM, which are the process's: whoever generates code
/// holds it shared, lld, which resets them, alone.
std::shared_mutex &llvmOptionsMutex();

} // namespace qcc::emit

#endif // QCC_LIB_EMIT_CODEGEN_H
