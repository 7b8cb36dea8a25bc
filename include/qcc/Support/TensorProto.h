//===- TensorProto.h - ONNX tensors in .pb files ----------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads and writes the protobuf message onnx.TensorProto by its wire format,
// without libonnx.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_SUPPORT_TENSORPROTO_H
#define QCC_SUPPORT_TENSORPROTO_H

#include "qcc/Support/HostTensor.h"
#include "qcc/Support/Result.h"

namespace qcc {

/// Strings, complex and 8-bit float elements, segments and external data are
/// refused.
Result<HostTensor> parseTensorProto(const char *data, size_t size);
Result<HostTensor> readTensorProtoFile(const std::string &path);

std::vector<char> writeTensorProto(const HostTensor &tensor);

} // namespace qcc

#endif // QCC_SUPPORT_TENSORPROTO_H
