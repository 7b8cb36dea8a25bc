//===- Im2col.h - Windows of an image as rows of a matrix ------*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_IM2COL_H
#define QCC_LIB_CODEGEN_IM2COL_H

#include "ConvShape.h"

namespace qcc {

/// Gathers the windows of a channels-last image: row m of the matrix is the
/// window of output pixel m (flattened over images, rows and columns), its
/// columns are ordered kernel row, kernel column, channel of the group.
struct Im2col {
  ConvShape shape;
  double padding = 0;        ///< what lies outside the image, as an element
  unsigned vectorBytes = 16; ///< widest copy

  int64_t groupChannels() const { return shape.c / shape.group; }
  int64_t columns() const { return shape.kh * shape.kw * groupChannels(); }
  /// Whether the rows of the matrix are the pixels of the image themselves.
  bool isDirect() const {
    return shape.kh * shape.kw == 1 && shape.sh * shape.sw == 1 &&
           shape.padT == 0 && shape.padL == 0 && shape.oh == shape.h &&
           shape.ow == shape.w && shape.group == 1;
  }
  /// Writes row `pixel` to rows[at, at + columns()).
  void gatherRow(CodeBuilder &c, mlir::Value image, mlir::Value pixel,
                 mlir::Value group, mlir::Value rows, mlir::Value at) const;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_IM2COL_H
