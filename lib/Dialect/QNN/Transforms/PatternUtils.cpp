//===- PatternUtils.cpp - What several simplifications look for -----------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatternUtils.h"

#include "qcc/Dialect/QNN/IR/Evaluate.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

LogicalResult qcc::qnn::applyToFixpoint(Operation *op,
                                        RewritePatternSet &&patterns) {
  // Each sweep but the last makes progress on some op.
  int64_t sweeps = 16;
  op->walk([&](Operation *) { ++sweeps; });
  if (succeeded(applyPatternsGreedily(
          op, std::move(patterns),
          GreedyRewriteConfig().setMaxIterations(sweeps).setMaxNumRewrites(
              1000 * sweeps))))
    return success();
  return op->emitError("internal error: simplifications undo each other; "
                       "please report this model");
}

std::optional<double> qcc::qnn::getUniform(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant || !isFloat(value))
    return std::nullopt;
  if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue()))
    return splat.getSplatValue<APFloat>().convertToDouble();
  int64_t count = tensorTypeOf(value).getNumElements();
  if (count == 0 || count > kMaxFoldElements)
    return std::nullopt;
  auto numbers = getConstantFloats(value);
  if (!numbers || !llvm::all_equal(*numbers))
    return std::nullopt;
  return numbers->front();
}

bool qcc::qnn::isClose(double a, double b, Type type) {
  double tolerance = type.isBF16() ? 8e-3 : type.isF16() ? 1e-3 : 1e-6;
  return std::abs(a - b) <= tolerance * std::abs(b);
}

std::optional<SmallVector<double>>
qcc::qnn::getChannelVector(Value value, ArrayRef<int64_t> shape,
                           int64_t channelDim) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant || !isFloat(value))
    return std::nullopt;
  ArrayRef<int64_t> own = shapeOf(value);
  int64_t lead = int64_t(shape.size()) - int64_t(own.size());
  if (lead < 0)
    return std::nullopt;
  for (auto [d, extent] : llvm::enumerate(own))
    if (extent != 1 &&
        (int64_t(d) + lead != channelDim || extent != shape[channelDim]))
      return std::nullopt;
  auto numbers = getConstantFloats(value);
  if (!numbers)
    return std::nullopt;
  if (numbers->size() == 1)
    numbers->assign(shape[channelDim], double(numbers->front()));
  return numbers;
}

Value qcc::qnn::createFloatConstant(OpBuilder &builder, Location loc,
                                    RankedTensorType type,
                                    ArrayRef<double> values, StringRef name) {
  std::vector<char> bytes;
  auto append = [&](const auto &number) {
    const char *from = reinterpret_cast<const char *>(&number);
    bytes.insert(bytes.end(), from, from + sizeof(number));
  };
  auto element = cast<FloatType>(type.getElementType());
  bytes.reserve(values.size() * element.getWidth() / 8);
  for (double value : values) {
    if (element.isF32()) {
      append(float(value));
      continue;
    }
    if (element.isF64()) {
      append(value);
      continue;
    }
    APFloat number(value);
    bool loses;
    number.convert(element.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &loses);
    append(uint16_t(number.bitcastToAPInt().getZExtValue()));
  }
  return createConstant(builder, loc, type, bytes, name);
}

void qcc::qnn::mergeLocation(Operation *op, Operation *other) {
  op->setLoc(FusedLoc::get(op->getContext(), {op->getLoc(), other->getLoc()}));
}

ActivationAttr qcc::qnn::getActivation(Operation *op) {
  if (!isa<ConvOp, ConvTransposeOp, MatmulOp, BinaryOp>(op))
    return {};
  return op->getAttrOfType<ActivationAttr>("activation");
}

bool qcc::qnn::canTakeActivation(Operation *op) {
  if (!isFloat(op->getResult(0)) || getActivation(op))
    return false;
  return isa<ConvOp, ConvTransposeOp, MatmulOp, BinaryOp>(op);
}
