//===- Forms.cpp - A model in float, quantized and compiled ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Forms.h"
#include "Plans.h"
#include "Samples.h"

#include "qcc/Import/ONNX/Importer.h"

using namespace mlir;

OwningOpRef<ModuleOp> qcc::importModel(MLIRContext &context,
                                       const CompileOptions &options) {
  ImportOptions importOptions;
  importOptions.shapes = options.shapes;
  importOptions.outputs = options.outputs;
  if (options.model)
    return importONNXBuffer(context, options.model->bytes, options.input,
                            importOptions, options.model->directory);
  return importONNX(context, options.input, importOptions);
}

LogicalResult
qcc::runPlainPipeline(ModuleOp module,
                      llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  build(pm);
  return pm.run(module);
}

OwningOpRef<ModuleOp> qcc::makeForm(ModuleOp imported, Form form,
                                    const CompileOptions &options,
                                    PrecisionPlan *plan) {
  OwningOpRef<ModuleOp> copy(imported.clone());
  CompileOptions own = options;
  if (form == Form::Float) {
    own.quantize = QuantizeMode::None;
    own.precision = CompileOptions().precision;
    own.searchThreads.clear();
    for (std::string CompileOptions::*budget :
         {&CompileOptions::maxDrop, &CompileOptions::maxLatency,
          &CompileOptions::maxSize, &CompileOptions::maxRam})
      (own.*budget).clear();
  }
  ModelRunnerFactory run = createHostRunnerFactory(own);
  if (failed(insertQuantization(*copy, own, run, runPlainPipeline, plan)))
    return nullptr;
  if (failed(runPlainPipeline(*copy, [&](OpPassManager &pm) {
        if (form == Form::Compiled)
          buildLegalizePipeline(pm, run);
        buildNarrowPipeline(pm, own);
      })))
    return nullptr;
  return copy;
}

StringRef qcc::quantizeModeName(const CompileOptions &options) {
  if (narrowsWeights(options))
    return options.precision;
  switch (options.quantize) {
  case QuantizeMode::None:
    return "none";
  case QuantizeMode::Static:
    return "static";
  case QuantizeMode::Dynamic:
    return "dynamic";
  case QuantizeMode::WeightOnly:
    return "weight-only";
  case QuantizeMode::Auto:
    break;
  }
  if (hasSamples(options) || !options.calibrationTable.empty())
    return "static";
  return namesPlan(options) ? "none" : "dynamic";
}
