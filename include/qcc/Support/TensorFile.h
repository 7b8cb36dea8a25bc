//===- TensorFile.h - Tensor files by extension -----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_TENSORFILE_H
#define QCC_SUPPORT_TENSORFILE_H

#include "qcc/Support/HostTensor.h"
#include "qcc/Support/Result.h"

namespace qcc {

/// Loads `spec`: an .npz archive, an .npy or a .pb file, or several of them
/// separated by commas. Tensors of .npy files have no name.
Result<std::vector<HostTensor>> loadTensors(const std::string &spec);

/// Writes an .npz archive, or a single tensor to an .npy or .pb file. Nothing
/// is left behind on failure.
Status saveTensors(const std::string &path,
                   const std::vector<HostTensor> &tensors);

/// Whether `path` ends in `extension` (with its dot, lower case); upper-case
/// letters in the path count as lower-case ones.
bool hasExtension(const std::string &path, const char *extension);

} // namespace qcc

#endif // QCC_SUPPORT_TENSORFILE_H
