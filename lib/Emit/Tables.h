//===- Tables.h - The program as constants -------------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EMIT_TABLES_H
#define QCC_LIB_EMIT_TABLES_H

#include "ConstantPool.h"
#include "Program.h"
#include "qcc/Target/TargetBackend.h"
#include "llvm/IR/Module.h"

#include <array>

namespace qcc::emit {

/// A level that goes into an artefact.
struct LevelProgram {
  const TargetLevel *level = nullptr;
  std::array<uint64_t, 2> features{};
  Program program;
};

/// What qcc_model_info says about memory.
struct MemoryNeeds {
  uint64_t arena = 0, stridedArena = 0;
};
MemoryNeeds memoryNeeds(llvm::ArrayRef<LevelProgram> levels);

/// The function of a kernel that the tables point to:
/// void(ptr buffers, i64 begin, i64 end).
std::string entryName(llvm::StringRef prefix, const TargetLevel &level,
                      llvm::StringRef kernel);

/// The symbol at which the constants of a pool begin.
std::string constantsName(llvm::StringRef prefix);

/// Adds @qcc_program (lib/Runtime/program.h) and what it points to. The
/// constants of the kernels go into `pool`, or, if that is null, the module.
void addTables(llvm::Module &module, const TargetBackend &backend,
               llvm::ArrayRef<LevelProgram> levels, llvm::StringRef prefix,
               llvm::StringRef buildId, ConstantPool *pool);

} // namespace qcc::emit

#endif // QCC_LIB_EMIT_TABLES_H
