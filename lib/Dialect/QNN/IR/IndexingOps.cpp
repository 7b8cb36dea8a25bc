//===- IndexingOps.cpp - Ops on computed positions ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"

#include "OpUtils.h"
#include "qcc/Dialect/QNN/IR/Evaluate.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;
using namespace qcc::qnn::detail;

/// Beyond this a kernel would not come to an end.
static constexpr int64_t kMaxSamplingRatio = 1024;

static bool isIndex(Type type) {
  return type.isSignlessInteger(32) || type.isSignlessInteger(64);
}

//===----------------------------------------------------------------------===//
// TopKOp
//===----------------------------------------------------------------------===//

QNN_INFER(TopKOp) {
  InferenceError error(loc, getOperationName());
  Shape result(shapeOf(adaptor.getInput()));
  int64_t axis = adaptor.getAxis(), k = adaptor.getK();
  if (failed(checkAxis(error, axis, int64_t(result.size()))))
    return failure();
  if (k < 0 || k > result[axis])
    return error("takes ", k, " of ", result[axis],
                 " elements along dimension ", axis);
  result[axis] = k;
  return success(succeeded(addResult(error, results, result)) &&
                 succeeded(addResult(error, results, result)));
}

LogicalResult TopKOp::verify() {
  Type in = elementType(getInput());
  if (elementType(getValues()) != in)
    return emitOpError("of ")
           << in << " cannot give values of " << elementType(getValues());
  if (!isIndex(elementType(getIndices())))
    return emitOpError("gives i32 or i64 indices, not ")
           << elementType(getIndices());
  return success();
}

//===----------------------------------------------------------------------===//
// Scatters
//===----------------------------------------------------------------------===//

template <typename Op> static LogicalResult verifyScatter(Op op) {
  Type type = elementType(op.getInput());
  if (!isIndex(elementType(op.getIndices())))
    return op.emitOpError("needs i32 or i64 indices, has ")
           << elementType(op.getIndices());
  if (elementType(op.getUpdates()) != type ||
      elementType(op.getResult()) != type)
    return op.emitOpError("needs one element type, has ")
           << type << ", " << elementType(op.getUpdates()) << " and "
           << elementType(op.getResult());
  if (type.isInteger(1) && op.getReduction() != ScatterReduction::None)
    return op.emitOpError(stringifyScatterReduction(op.getReduction()))
           << " is not defined on i1";
  return success();
}

QNN_INFER(ScatterElementsOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> indices = shapeOf(adaptor.getIndices());
  int64_t axis = adaptor.getAxis();
  if (failed(checkAxis(error, axis, int64_t(input.size()))))
    return failure();
  if (shapeOf(adaptor.getUpdates()) != indices)
    return error("has indices of shape ", formatShape(indices),
                 " and updates of shape ",
                 formatShape(shapeOf(adaptor.getUpdates())));
  bool fits = indices.size() == input.size();
  for (int64_t d = 0; fits && d < int64_t(input.size()); ++d)
    fits = d == axis || indices[d] <= input[d];
  if (!fits)
    return error("has indices of shape ", formatShape(indices),
                 ", which do not fit into an input of shape ",
                 formatShape(input));
  return addResult(error, results, input);
}

LogicalResult ScatterElementsOp::verify() { return verifyScatter(*this); }
OpFoldResult ScatterElementsOp::fold(FoldAdaptor adaptor) {
  return evaluate(*this, adaptor.getOperands());
}

QNN_INFER(ScatterNDOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> indices = shapeOf(adaptor.getIndices());
  if (indices.empty() || indices.back() < 1 ||
      indices.back() > int64_t(input.size()))
    return error("has indices of shape ", formatShape(indices),
                 ", which hold no coordinates in an input of shape ",
                 formatShape(input));
  Shape updates(indices.drop_back());
  llvm::append_range(updates, input.drop_front(indices.back()));
  if (shapeOf(adaptor.getUpdates()) != ArrayRef<int64_t>(updates))
    return error("needs updates of shape ", formatShape(updates), ", has ",
                 formatShape(shapeOf(adaptor.getUpdates())));
  return addResult(error, results, input);
}

LogicalResult ScatterNDOp::verify() { return verifyScatter(*this); }
OpFoldResult ScatterNDOp::fold(FoldAdaptor adaptor) {
  return evaluate(*this, adaptor.getOperands());
}

//===----------------------------------------------------------------------===//
// GridSampleOp
//===----------------------------------------------------------------------===//

QNN_INFER(GridSampleOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> grid = shapeOf(adaptor.getGrid());
  int64_t spatial = int64_t(input.size()) - 2;
  if (spatial < 1)
    return error("needs an image of at least three dimensions, has ",
                 formatShape(input));
  if (spatial > 3 || (spatial > 2 && adaptor.getMode() == ResizeMode::Cubic))
    return error("interpolates at most three dimensions, cubic two, has ",
                 spatial);
  if (grid.size() != input.size() || grid.front() != input.front() ||
      grid.back() != spatial)
    return error("has an input of shape ", formatShape(input),
                 " and a grid of shape ", formatShape(grid),
                 ", which do not fit together");
  Shape result(input.take_front(2));
  llvm::append_range(result, grid.drop_front().drop_back());
  if (llvm::is_contained(input.drop_front(2), 0) &&
      !llvm::is_contained(result, 0))
    return error("has nothing to interpolate in an input of shape ",
                 formatShape(input));
  return addResult(error, results, result);
}

LogicalResult GridSampleOp::verify() {
  if (getAlignCorners() && getInPixels())
    return emitOpError("has places in pixels, which know no corners");
  if (elementType(getResult()) != elementType(getInput()))
    return emitOpError("of ") << elementType(getInput()) << " cannot give "
                              << elementType(getResult());
  return success();
}

//===----------------------------------------------------------------------===//
// RoiAlignOp
//===----------------------------------------------------------------------===//

QNN_INFER(RoiAlignOp) {
  InferenceError error(loc, getOperationName());
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  ArrayRef<int64_t> rois = shapeOf(adaptor.getRois());
  if (input.size() != 4 || input[2] == 0 || input[3] == 0 || input[0] == 0)
    return error("needs an image of N x C x H x W, has ", formatShape(input));
  if (rois.size() != 2 || rois[1] != 4)
    return error("needs regions of R x 4 numbers, has ", formatShape(rois));
  if (shapeOf(adaptor.getBatchIndices()) != ArrayRef<int64_t>{rois[0]})
    return error("needs an image for each of ", rois[0], " regions, has ",
                 formatShape(shapeOf(adaptor.getBatchIndices())));
  int64_t height = adaptor.getOutputHeight(), width = adaptor.getOutputWidth();
  if (!allWithin({height, width}, 1, kMaxExtent) ||
      !allWithin(int64_t(adaptor.getSamplingRatio()), 0, kMaxSamplingRatio))
    return error("needs positive extents and a sampling ratio in [0, ",
                 kMaxSamplingRatio, "], has ", height, " x ", width, " and ",
                 int64_t(adaptor.getSamplingRatio()));
  return addResult(error, results, {rois[0], input[1], height, width});
}

LogicalResult RoiAlignOp::verify() {
  Type type = elementType(getInput());
  if (elementType(getRois()) != type || elementType(getResult()) != type)
    return emitOpError("needs one element type, has ")
           << type << ", " << elementType(getRois()) << " and "
           << elementType(getResult());
  if (!isIndex(elementType(getBatchIndices())))
    return emitOpError("needs i32 or i64 indices, has ")
           << elementType(getBatchIndices());
  return success();
}
