//===- Link.h - Objects to artefacts -------------------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EMIT_LINK_H
#define QCC_LIB_EMIT_LINK_H

#include "qcc/Target/TargetBackend.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace qcc::emit {

using Bytes = llvm::SmallVector<char, 0>;

/// Fails, naming the symbols, if the objects need any besides the weak ones of
/// the thread library.
llvm::Error checkSymbols(llvm::ArrayRef<Bytes> objects);

/// With lld, in this process. The objects' memory is given back first.
llvm::Expected<Bytes> linkShared(const TargetBackend &backend,
                                 std::vector<Bytes> objects);
/// One object that defines only the ABI for others.
llvm::Expected<Bytes> linkRelocatable(const TargetBackend &backend,
                                      std::vector<Bytes> objects);
llvm::Expected<Bytes> archive(const Bytes &object);

/// The object with `prefix` in place of `mark` where symbols begin with that.
llvm::Expected<Bytes> renameSymbols(llvm::StringRef object,
                                    llvm::StringRef mark,
                                    llvm::StringRef prefix);

/// Bytes of an ELF file's sections that are loaded.
uint64_t loadedBytes(const Bytes &file);

} // namespace qcc::emit

#endif // QCC_LIB_EMIT_LINK_H
