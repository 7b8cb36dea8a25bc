//===- ConstantPool.h - Constants as one section ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_EMIT_CONSTANTPOOL_H
#define QCC_LIB_EMIT_CONSTANTPOOL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/TargetParser/Triple.h"

#include <vector>

namespace qcc::emit {

/// Packed weights and tables, 64-byte aligned, equal contents once. They go
/// into an object as they are, without a detour through LLVM constants, which
/// would hold several copies of a large model.
class ConstantPool {
public:
  /// The place of these bytes, which must outlive the pool.
  uint64_t add(llvm::ArrayRef<char> bytes);

  /// A relocatable ELF file with all of them in read-only data; `symbol`
  /// (hidden) is their beginning.
  llvm::SmallVector<char, 0> writeObject(const llvm::Triple &triple,
                                         llvm::StringRef symbol) const;

private:
  struct Entry {
    uint64_t offset;
    llvm::ArrayRef<char> bytes;
  };
  std::vector<Entry> entries;
  llvm::DenseMap<uint64_t, llvm::SmallVector<size_t, 1>> byHash;
  uint64_t size = 0;
};

} // namespace qcc::emit

#endif // QCC_LIB_EMIT_CONSTANTPOOL_H
