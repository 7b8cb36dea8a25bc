//===- Epilogue.h - Activations of kernels ----------------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_TRANSFORMS_EPILOGUE_H
#define QCC_DIALECT_QNN_TRANSFORMS_EPILOGUE_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

namespace qcc::qnn {

/// The functions that kernels of products compute in their epilogue. Others are
/// chains of elementwise ops, or tables, behind a kernel: with one of them as
/// its activation an op is left to the reference kernel.
bool isEpilogueActivation(UnaryKind kind);

} // namespace qcc::qnn

#endif // QCC_DIALECT_QNN_TRANSFORMS_EPILOGUE_H
