//===- ImageRows.h - Where the rows of an image stand -----------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_IMAGEROWS_H
#define QCC_LIB_CODEGEN_IMAGEROWS_H

#include "CodeBuilder.h"

namespace qcc {

/// The rows of channels-last images in a flat buffer: all of them, or a ring of
/// the last ones of one image.
struct ImageRows {
  int64_t height, rowElements;
  int64_t ring = 0; ///< rows of the ring; 0: all rows are there

  /// The first element of a row.
  mlir::Value at(CodeBuilder &c, mlir::Value image, mlir::Value row) const {
    return c.mul(ring ? c.rem(row, ring) : c.add(c.mul(image, height), row),
                 rowElements);
  }
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_IMAGEROWS_H
