//===- FusedKernels.h - Kernels that take elementwise chains ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_FUSEDKERNELS_H
#define QCC_LIB_CODEGEN_FUSEDKERNELS_H

#include "ElementwiseChain.h"
#include "Product.h"

namespace qcc {

llvm::LogicalResult emitProduct(const Product &product,
                                const ElementwiseChain &chain,
                                KernelEmitter &emitter);

} // namespace qcc

#endif // QCC_LIB_CODEGEN_FUSEDKERNELS_H
