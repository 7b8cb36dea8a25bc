//===- Assemble.h - Levels to objects ------------------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EMIT_ASSEMBLE_H
#define QCC_LIB_EMIT_ASSEMBLE_H

#include "CodeGen.h"
#include "Tables.h"
#include "qcc/Emit/Emit.h"
#include "llvm/IR/LLVMContext.h"

namespace qcc::emit {

/// An artefact in parts, ready to link.
struct Objects {
  std::vector<llvm::SmallVector<char, 0>> files;
  MemoryNeeds memory;
};

/// Lowers and compiles all levels; several objects, on all processors. The
/// result does not depend on how many there are.
llvm::Expected<Objects> assembleObjects(const TargetBackend &backend,
                                        llvm::ArrayRef<LevelModule> levels,
                                        const EmitOptions &options);

/// The same as one LLVM module, optimized.
llvm::Expected<std::unique_ptr<llvm::Module>>
assembleModule(const TargetBackend &backend, llvm::ArrayRef<LevelModule> levels,
               const EmitOptions &options, const CodeGenerator &generator,
               llvm::LLVMContext &context, MemoryNeeds &memory);

} // namespace qcc::emit

#endif // QCC_LIB_EMIT_ASSEMBLE_H
