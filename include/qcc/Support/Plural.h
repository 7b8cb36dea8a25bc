//===- Plural.h - Numbers with their nouns ----------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_PLURAL_H
#define QCC_SUPPORT_PLURAL_H

#include <cstddef>
#include <string>

namespace qcc {

/// "1 sample", "12 samples".
inline std::string countOf(size_t count, const std::string &noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

} // namespace qcc

#endif // QCC_SUPPORT_PLURAL_H
