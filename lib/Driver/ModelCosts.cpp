//===- ModelCosts.cpp - Cycles of the kernel calls of a module ------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// This file implements qcc-model-costs.
//
//===----------------------------------------------------------------------===//

#include "qcc/Codegen/KernelCost.h"
#include "qcc/Driver/Passes.h"
#include "qcc/Driver/RegisterTargets.h"

#include <cmath>

namespace qcc {
#define GEN_PASS_DEF_MODELCOSTS
#include "qcc/Driver/Passes.h.inc"
} // namespace qcc

using namespace mlir;
using namespace qcc;

namespace {
struct ModelCosts : qcc::impl::ModelCostsBase<ModelCosts> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto name = module->getAttrOfType<StringAttr>("qcc.level");
    const TargetLevel *level = name ? findLevel(name.getValue()) : nullptr;
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!level || !level->costs || !main) {
      module.emitError("has no kernels of a level whose costs are known");
      return signalPassFailure();
    }
    KernelCost cost(module, *level);
    Builder builder(&getContext());
    main.walk([&](func::CallOp call) {
      call->setAttr("qcc.cycles",
                    builder.getI64IntegerAttr(std::llround(cost.cycles(call))));
    });
  }
};
} // namespace
