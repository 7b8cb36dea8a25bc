//===- DepthwisePart.h - Depthwise convolutions of all kinds ----*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Depthwise convolutions of lines, images and volumes, and transposed ones, are
// the same to their kernels: windows of some lines of some planes.
//
// Of a transposed one, lines (and planes) of the result a stride apart read the
// same taps: they are a part, a convolution of stride 1 with some of the
// filter's lines. Along a line all taps are kept and the input is spread, with
// padding between its columns, so that lines of the result stay contiguous:
// results take more time to store than the products with padding.
//
//===----------------------------------------------------------------------===//

#ifndef QCC_LIB_CODEGEN_DEPTHWISEPART_H
#define QCC_LIB_CODEGEN_DEPTHWISEPART_H

#include "CodeBuilder.h"
#include "ConvShape.h"

#include <vector>

namespace qcc {

/// Where the rows of results stand, in elements: of all planes of all images.
struct ResultRows {
  int64_t first = 0, imagePitch, planes, planePitch, rowPitch;

  /// All of them, one behind the other.
  explicit ResultRows(const ConvShape &s)
      : imagePitch(s.od * s.oh * s.ow * s.oc), planes(s.od),
        planePitch(s.oh * s.ow * s.oc), rowPitch(s.ow * s.oc) {}
  /// The first element of a row of an image (see ConvShape::images()).
  mlir::Value at(CodeBuilder &c, mlir::Value image, mlir::Value row) const;
  std::string key() const;
};

/// What one kernel computes.
struct DepthwisePart {
  ConvShape shape;
  ConvTerms terms;
  ResultRows rows;
  int64_t products; ///< with weights of the filter

  /// All parts of a channels-last depthwise convolution that adds no residual;
  /// none of other ops and of those that the reference kernel is better for.
  static std::vector<DepthwisePart> get(mlir::Operation *op);
  mlir::Operation *op() const { return terms.result.getDefiningOp(); }
  /// Notes the products of the call that was emitted last.
  void noteProducts(mlir::Value buffer) const;
};

} // namespace qcc

#endif // QCC_LIB_CODEGEN_DEPTHWISEPART_H
