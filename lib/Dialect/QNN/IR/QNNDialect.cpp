//===- QNNDialect.cpp - The qnn dialect -----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpUtils.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Dialect/QNN/IR/QNNBlockOps.h"
#include "qcc/Dialect/QNN/IR/QNNIndexingOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc::qnn;

#include "qcc/Dialect/QNN/IR/QNNEnums.cpp.inc"
#include "qcc/Dialect/QNN/IR/QNNInterfaces.cpp.inc"
#include "qcc/Dialect/QNN/IR/QNNOpsDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "qcc/Dialect/QNN/IR/QNNAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "qcc/Dialect/QNN/IR/QNNOps.cpp.inc"

#define GET_OP_CLASSES
#include "qcc/Dialect/QNN/IR/QNNBlockOps.cpp.inc"

#define GET_OP_CLASSES
#include "qcc/Dialect/QNN/IR/QNNIndexingOps.cpp.inc"

void QNNDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "qcc/Dialect/QNN/IR/QNNAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qcc/Dialect/QNN/IR/QNNOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qcc/Dialect/QNN/IR/QNNBlockOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qcc/Dialect/QNN/IR/QNNIndexingOps.cpp.inc"
      >();
}

Operation *QNNDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                           Type type, Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!elements || !tensor)
    return nullptr;
  auto stored = dyn_cast<RankedTensorType>(elements.getType());
  if (!stored || stored.getShape() != tensor.getShape() ||
      stored.getElementType() != getStorageType(tensor.getElementType()))
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}

//===----------------------------------------------------------------------===//
// Shape inference as a whole
//===----------------------------------------------------------------------===//

static LogicalResult
inferShapes(Operation *op, SmallVectorImpl<ShapedTypeComponents> &inferred) {
  qcc::qnn::detail::InferenceError error(op->getLoc(),
                                         op->getName().getStringRef());
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (!type.hasStaticShape())
      return op->emitOpError("operand #")
             << i << " has a dynamic shape, " << type
             << "; bind the shapes of the graph's inputs first";
    if (failed(qcc::qnn::detail::checkExtents(error, type.getShape())))
      return failure();
  }
  auto infer = cast<InferShapedTypeOpInterface>(op);
  if (failed(infer.inferReturnTypeComponents(
          op->getContext(), op->getLoc(), op->getOperands(),
          op->getAttrDictionary(), op->getPropertiesStorage(), op->getRegions(),
          inferred)))
    return failure();
  if (inferred.size() != op->getNumResults())
    return op->emitOpError("infers ")
           << inferred.size() << " results, has " << op->getNumResults();
  return success();
}

LogicalResult qcc::qnn::refineResultShapes(Operation *op) {
  SmallVector<ShapedTypeComponents> inferred;
  if (failed(inferShapes(op, inferred)))
    return failure();
  for (auto [result, shape] : llvm::zip_equal(op->getResults(), inferred)) {
    auto type = cast<RankedTensorType>(result.getType());
    result.setType(type.clone(shape.getDims()));
  }
  return success();
}

LogicalResult qcc::qnn::detail::verifyInferredShape(Operation *op) {
  SmallVector<ShapedTypeComponents> inferred;
  if (failed(inferShapes(op, inferred)))
    return failure();
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    auto type = cast<RankedTensorType>(result.getType());
    if (type.getShape() != ArrayRef<int64_t>(inferred[i].getDims()))
      return op->emitOpError("result #")
             << i << " is declared as " << formatShape(type.getShape())
             << ", but operands and attributes give "
             << formatShape(inferred[i].getDims());
    if (failed(verifyPerAxis(op, type)))
      return failure();
  }
  return success();
}
