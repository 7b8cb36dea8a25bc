//===- QNNBlockOps.h - Ops on weights quantized in blocks ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Apart from QNNOps.h, which is included everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_IR_QNNBLOCKOPS_H
#define QCC_DIALECT_QNN_IR_QNNBLOCKOPS_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

#define GET_OP_CLASSES
#include "qcc/Dialect/QNN/IR/QNNBlockOps.h.inc"

#endif // QCC_DIALECT_QNN_IR_QNNBLOCKOPS_H
