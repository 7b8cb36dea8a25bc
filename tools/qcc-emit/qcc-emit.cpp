//===- qcc-emit.cpp - Kernels-phase modules to artefacts ------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A development tool: the last phase alone, on modules written by hand or by
// `qcc -emit=kernels`, one per level (their attribute qcc.level names it).
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Parser/Parser.h"
#include "qcc/Codegen/Passes.h"
#include "qcc/Dialect/QNN/IR/ConstantData.h"
#include "qcc/Emit/Emit.h"
#include "qcc/Target/AArch64/AArch64Target.h"
#include "qcc/Target/X86/X86Target.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace qcc;

static cl::list<std::string> inputs(cl::Positional, cl::OneOrMore,
                                    cl::desc("module.mlir, one per level"));
static cl::opt<std::string> output("o", cl::desc("output file"));
static cl::opt<std::string> target("target", cl::init("x86-64"),
                                   cl::desc("x86-64 or arm64"));
static cl::opt<std::string> prefix("prefix", cl::init("qcc_"),
                                   cl::desc("of exported symbols"));
static cl::opt<std::string> header("emit-header", cl::desc("header to write"));
static cl::opt<bool> keepTensors("keep-tensors", cl::desc("list all tensors"));
static cl::opt<bool> reference("reference", cl::desc("plain code"));
static cl::opt<bool> jit("jit", cl::desc("run in process on zeros; print the "
                                         "first output's first bytes"));

static cl::opt<bool> expandMath("expand-math",
                                cl::desc("run qcc-expand-math, as qcc does"));
static cl::opt<bool> showTimes("time", cl::desc("print the time of each part"));

static int fail(const Twine &message) {
  errs() << "qcc-emit: " << message << "\n";
  return 1;
}

/// Zeros for all inputs of @main.
static std::vector<HostTensor> zeroInputs(mlir::ModuleOp module) {
  std::vector<HostTensor> tensors;
  auto main = module.lookupSymbol<mlir::FunctionOpInterface>("main");
  for (unsigned i = 0; main && i < main.getNumArguments(); ++i) {
    auto type = main.getArgAttrOfType<mlir::TypeAttr>(i, "qcc.type");
    if (!main.getArgAttr(i, "qcc.input") || !type)
      continue;
    auto tensor = cast<mlir::RankedTensorType>(type.getValue());
    HostTensor input;
    input.dtype = qnn::getDType(tensor.getElementType());
    input.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
    input.data.resize(size_t(input.numElements()) * byteSize(input.dtype));
    tensors.push_back(std::move(input));
  }
  return tensors;
}

static int runJIT(const TargetBackend &backend, const LevelModule &level,
                  const EmitOptions &options) {
  std::vector<HostTensor> tensors = zeroInputs(level.module);
  auto runner = createJITRunner(backend, level, options);
  if (!runner)
    return fail(toString(runner.takeError()));
  auto results = (*runner)->run(tensors);
  if (!results)
    return fail(toString(results.takeError()));
  for (const HostTensor &result : *results) {
    outs() << result.name << ":";
    for (size_t i = 0; i < std::min<size_t>(result.data.size(), 16); ++i)
      outs() << " " << int(uint8_t(result.data[i]));
    outs() << "\n";
  }
  return 0;
}

static const TargetLevel *findLevel(const TargetBackend &backend,
                                    mlir::ModuleOp module) {
  auto name = module->getAttrOfType<mlir::StringAttr>("qcc.level");
  for (const TargetLevel &level : backend.levels())
    if (name && level.name == name.getValue())
      return &level;
  return nullptr;
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "qcc's last phase\n");
  std::unique_ptr<TargetBackend> backend =
      target == "arm64" ? createAArch64Target() : createX86Target();
  mlir::DialectRegistry registry;
  registerEmitDialects(registry);
  mlir::MLIRContext context(registry);
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules;
  std::vector<LevelModule> levels;
  for (const std::string &input : inputs) {
    modules.push_back(mlir::parseSourceFile<mlir::ModuleOp>(input, &context));
    if (!modules.back())
      return 1;
    levels.push_back({findLevel(*backend, *modules.back()), *modules.back()});
    if (!levels.back().level)
      return fail(input + ": qcc.level names no level of " + target);
  }
  mlir::DefaultTimingManager timing;
  timing.setEnabled(showTimes);
  mlir::TimingScope scope = timing.getRootScope();
  EmitOptions options;
  options.timing = &scope;
  options.configure = [&](mlir::PassManager &pm) {
    pm.enableTiming(scope);
    return success();
  };
  if (expandMath)
    options.prepare = [](mlir::OpPassManager &pm, const TargetLevel &level) {
      ExpandMathOptions math;
      math.fma = level.hasFMA;
      pm.addNestedPass<mlir::func::FuncOp>(createExpandMath(math));
    };
  options.prefix = prefix;
  options.keepTensors = keepTensors;
  options.reference = reference;
  if (jit)
    return runJIT(*backend, levels.front(), options);
  std::optional<ArtefactKind> kind =
      StringSwitch<std::optional<ArtefactKind>>(sys::path::extension(output))
          .Case(".so", ArtefactKind::SharedObject)
          .Case(".o", ArtefactKind::Object)
          .Case(".a", ArtefactKind::Archive)
          .Case(".s", ArtefactKind::Assembly)
          .Case(".ll", ArtefactKind::LLVMIR)
          .Default(std::nullopt);
  if (!kind)
    return fail("-o: .so, .o, .a, .s or .ll");
  mlir::OwningOpRef<mlir::ModuleOp> forHeader(modules.front()->clone());
  ArtefactSizes sizes;
  std::string headerPath = header; // lld resets all options
  return failed(
             emitArtefact(*backend, levels, options, *kind, output, &sizes)) ||
         (!headerPath.empty() &&
          failed(emitHeader(*forHeader, options, sizes, headerPath)));
}
