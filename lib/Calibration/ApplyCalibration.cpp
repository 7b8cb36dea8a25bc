//===- ApplyCalibration.cpp - From ranges to quantize and dequantize ------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Calibrate.h"
#include "qcc/Calibration/Passes.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"

namespace qcc {
#define GEN_PASS_DEF_APPLYCALIBRATION
#include "qcc/Calibration/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;
using namespace qcc::qnn;

static quant::UniformQuantizedType getUnsignedType(MLIRContext *context,
                                                   const QuantParams &params) {
  return quant::UniformQuantizedType::get(
      /*flags=*/0, IntegerType::get(context, 8), Float32Type::get(context),
      params.scale, params.zeroPoint, params.qmin, params.qmax);
}

Value qcc::quantizeAndDequantize(OpBuilder &builder, Value value,
                                 const CalibrationEntry &entry) {
  auto type =
      getUnsignedType(builder.getContext(), chooseParams(entry.min, entry.max));
  auto tensor = cast<RankedTensorType>(value.getType());
  Value quantized = QuantizeOp::create(builder, value.getLoc(),
                                       tensor.clone(Type(type)), value);
  return DequantizeOp::create(builder, value.getLoc(), tensor, quantized);
}

/// The same in 16 bits, which have room for whatever was observed.
static Value quantizeToWords(OpBuilder &builder, Value value,
                             const CalibrationEntry &entry) {
  float largest = std::max({std::abs(entry.min), std::abs(entry.max),
                            std::abs(entry.observedMin),
                            std::abs(entry.observedMax), 1e-30f});
  MLIRContext *context = builder.getContext();
  auto type = quant::UniformQuantizedType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, 16),
      Float32Type::get(context), largest / float(kLargestWord),
      /*zeroPoint=*/0, -kLargestWord, kLargestWord);
  auto tensor = cast<RankedTensorType>(value.getType());
  Value quantized = QuantizeOp::create(builder, value.getLoc(),
                                       tensor.clone(Type(type)), value);
  return DequantizeOp::create(builder, value.getLoc(), tensor, quantized);
}

LogicalResult qcc::applyCalibration(ModuleOp module,
                                    const CalibrationTable &table) {
  SmallVector<ObserveOp> observers;
  bool complete = true;
  module.walk([&](ObserveOp op) {
    observers.push_back(op);
    if (!table.find(op.getId())) {
      op.emitError("the calibration table has no entry '")
          << op.getId() << "'; calibrate the model again, or add one";
      complete = false;
    }
  });
  if (!complete)
    return failure();
  OpBuilder builder(module.getContext());
  for (ObserveOp op : observers) {
    builder.setInsertionPoint(op);
    const CalibrationEntry &entry = *table.find(op.getId());
    op.replaceAllUsesWith(
        op.getWords() ? quantizeToWords(builder, op.getInput(), entry)
                      : quantizeAndDequantize(builder, op.getInput(), entry));
    op.erase();
  }
  return success();
}

namespace {
struct ApplyCalibration
    : public qcc::impl::ApplyCalibrationBase<ApplyCalibration> {
  using ApplyCalibrationBase::ApplyCalibrationBase;
  void runOnOperation() override {
    llvm::Expected<CalibrationTable> loaded = CalibrationTable::load(table);
    if (!loaded) {
      getOperation().emitError(llvm::toString(loaded.takeError()));
      return signalPassFailure();
    }
    if (failed(applyCalibration(getOperation(), *loaded)))
      signalPassFailure();
  }
};
} // namespace
