//===- Npy.h - NumPy's .npy format ------------------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_NPY_H
#define QCC_SUPPORT_NPY_H

#include "qcc/Support/ByteReader.h"
#include "qcc/Support/HostTensor.h"

namespace qcc {

/// What stands before the elements of an .npy file.
struct NpyHeader {
  DType dtype = DType::Undefined;
  std::vector<int64_t> shape;
  bool fortranOrder = false;
  bool bigEndian = false;
};

/// Reads versions 1 to 3 of the header. Strings, objects, records and complex
/// numbers are refused.
Result<NpyHeader> readNpyHeader(ByteReader &reader);

/// Swaps the bytes of each element, in place.
void swapBytes(char *data, uint64_t size, unsigned elementSize);

/// Reads a header and its elements; the result is row-major and little-endian
/// whatever the file is.
Result<HostTensor> readNpy(ByteReader &reader);
Result<HostTensor> readNpyFile(const std::string &path);

/// The bytes of an .npy file (version 1, row-major).
Result<std::vector<char>> writeNpy(const HostTensor &tensor);

} // namespace qcc

#endif // QCC_SUPPORT_NPY_H
