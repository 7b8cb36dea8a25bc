//===- Npz.h - NumPy's .npz archives of named tensors -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_NPZ_H
#define QCC_SUPPORT_NPZ_H

#include "qcc/Support/HostTensor.h"
#include "qcc/Support/Result.h"

namespace qcc {

/// All tensors of an archive, in its order.
Result<std::vector<HostTensor>> readNpz(const std::string &path);

/// One tensor of an archive.
Result<HostTensor> readNpzArray(const std::string &path,
                                const std::string &name);

/// An uncompressed archive; names must differ.
Result<std::vector<char>> writeNpz(const std::vector<HostTensor> &tensors);

/// The name of the tensor that an entry holds: "x" for "x.npy"; nothing for
/// other entries.
std::optional<std::string> npzTensorName(const std::string &entry);

} // namespace qcc

#endif // QCC_SUPPORT_NPZ_H
