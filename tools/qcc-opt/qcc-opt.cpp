//===- qcc-opt.cpp - The optimizer driver of qcc --------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/Passes.h"
#include "qcc/Codegen/Passes.h"
#include "qcc/Conversion/Passes.h"
#include "qcc/Dialect/QNN/IR/QNNOps.h"
#include "qcc/Dialect/QNN/Transforms/Passes.h"
#include "qcc/Driver/Passes.h"
#include "qcc/Quantization/Passes.h"
#include "qcc/Target/X86/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<qcc::qnn::QNNDialect>();
  mlir::registerAllPasses();
  qcc::qnn::registerQNNPasses();
  qcc::registerCalibrationPasses();
  qcc::registerCodegenPasses();
  qcc::registerConversionPasses();
  qcc::registerDriverPasses();
  qcc::registerQuantizationPasses();
  qcc::registerX86Passes();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "qcc optimizer driver\n", registry));
}
