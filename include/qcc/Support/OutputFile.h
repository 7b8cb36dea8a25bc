//===- OutputFile.h - Output that is whole or absent ------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_OUTPUTFILE_H
#define QCC_SUPPORT_OUTPUTFILE_H

#include "qcc/Support/Result.h"

#include <cstddef>

namespace qcc {

/// Writes a file under a temporary name beside `path`, and renames it once it
/// is complete: no failure leaves a partial file, or harms an existing one.
/// Devices and pipes are written directly.
Status writeFile(const std::string &path, const char *data, size_t size,
                 bool executable = false);

/// What writeFile would fail with for lack of a folder or of rights; for use
/// before the work whose result is to be written.
Status checkWritable(const std::string &path);

} // namespace qcc

#endif // QCC_SUPPORT_OUTPUTFILE_H
