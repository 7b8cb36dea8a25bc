//===- CostBasis.cpp - Where the times of a search are from ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CostBasis.h"
#include "HostRunner.h"
#include "Layers.h"

#include "../Runtime/program.h"

#include "qcc/Codegen/KernelCost.h"
#include "qcc/Codegen/NarrowActivations.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Support/ResultToExpected.h"
#include "qcc/Target/LevelCosts.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Threading.h"

using namespace mlir;
using namespace qcc;

llvm::Expected<CostBasis> CostBasis::create(const CompileOptions &options) {
  auto target = resolveTarget(options.target);
  if (!target)
    return target.takeError();
  CostBasis basis(options);
  basis.backend = target->backend;
  StringRef text = options.searchThreads;
  if (!text.empty() && (text.getAsInteger(10, basis.threads) ||
                        basis.threads == 0 || basis.threads > QCC_MAX_THREADS))
    return makeError("-search-threads=" + text +
                     ": expected a number of threads from 1 to " +
                     llvm::Twine(QCC_MAX_THREADS));
  llvm::ArrayRef<TargetLevel> levels = target->backend->levels();
  auto canRun = [&](unsigned index) {
    return canRunHere(*target->backend, levels[index]);
  };
  auto best = llvm::find_if(llvm::reverse(target->levels), canRun);
  basis.modelled = best == target->levels.rend();
  basis.level = levels[basis.modelled ? target->levels.back() : *best];
  basis.hasOthers = target->levels.size() > 1;
  // A level on its own packs weights as suits it best.
  if (!basis.hasOthers)
    basis.level.packing.reset();
  if (!basis.modelled)
    return basis;
  if (!basis.level.costs)
    return makeError("-precision=auto: this machine cannot run level " +
                     basis.level.name + " of -target=" + options.target +
                     ", and no costs are known of it; search on a machine "
                     "that has it, and take the result with -precision=FILE");
  if (basis.threads > 1)
    return makeError("-search-threads=" + text +
                     ": this machine cannot run "
                     "level " +
                     basis.level.name +
                     ", whose times are modelled, on one thread");
  return basis;
}

llvm::Expected<TimedRunners> CostBasis::compile(ModuleOp legalized) const {
  return createLevelRunners(legalized, *backend, level, *options, threads);
}

llvm::Expected<std::vector<StepTime>>
CostBasis::model(ModuleOp legalized) const {
  auto kernels = generateKernels(legalized, level, *options);
  if (!kernels)
    return kernels.takeError();
  PassManager pm(legalized.getContext(), ModuleOp::getOperationName());
  emitOptions(*options).prepare(pm, level);
  if (failed(pm.run(**kernels)))
    return makeError("the kernels of level " + level.name +
                     " cannot be modelled");
  KernelCost cost(**kernels, level);
  std::vector<StepTime> steps;
  (*kernels)->lookupSymbol<func::FuncOp>("main").walk([&](func::CallOp call) {
    steps.push_back(
        {llvm::join(getNodes(call), ", "), 1e-9 * cost.cycles(call)});
  });
  return steps;
}

llvm::Expected<OwningOpRef<ModuleOp>>
CostBasis::imitate(ModuleOp legalized) const {
  OwningOpRef<ModuleOp> copy(legalized.clone());
  PassManager pm(legalized.getContext(), ModuleOp::getOperationName());
  buildLayoutPipeline(pm);
  if (failed(pm.run(*copy)))
    return makeError("the model cannot be laid out");
  narrowActivations(*copy, level, /*widens=*/true);
  return copy;
}

std::string CostBasis::name() const {
  return (modelled ? "modelled for " : "measured at ") + level.name;
}

std::string CostBasis::processor() const {
  return std::string("a ") + level.costs->processor + " at 1 GHz";
}

unsigned CostBasis::countThreads() const {
  return threads ? threads
                 : llvm::hardware_concurrency().compute_thread_count();
}

std::string CostBasis::describe() const {
  if (modelled)
    return name() + " on one thread of " + processor();
  unsigned count = countThreads();
  return name() + " on " + std::to_string(count) +
         (count == 1 ? " thread" : " threads");
}

std::string CostBasis::explain() const {
  if (modelled)
    return "this machine cannot run -target=" + options->target +
           ": times are " + describe();
  if (hasOthers)
    return "times are " + describe() +
           ", the best level of -target=" + options->target +
           " that this machine can run";
  return "";
}
