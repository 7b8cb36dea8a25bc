//===- QNNIndexingOps.h - Ops on computed positions -------------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Apart from QNNOps.h, which is included everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_DIALECT_QNN_IR_QNNINDEXINGOPS_H
#define QCC_DIALECT_QNN_IR_QNNINDEXINGOPS_H

#include "qcc/Dialect/QNN/IR/QNNOps.h"

#define GET_OP_CLASSES
#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h.inc"

#endif // QCC_DIALECT_QNN_IR_QNNINDEXINGOPS_H
