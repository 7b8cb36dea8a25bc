//===- qcc.cpp - The command line of the compiler -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parses flags and calls the driver; the work is in lib/Driver.
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/Compiler.h"
#include "qcc/Driver/Options.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Driver/Version.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

namespace cl = llvm::cl;
using qcc::EmitKind;
using qcc::QuantizeMode;

static cl::OptionCategory category("qcc options");

static cl::opt<std::string> input(cl::Positional, cl::desc("MODEL.onnx"),
                                  cl::cat(category));
static cl::opt<std::string>
    output("o",
           cl::desc("output; the extension tells what is written: .so .o .a "
                    ".s .ll .mlir (- is standard output, for IR)"),
           cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string>
    target("target",
           cl::desc("native (default), x86-64, arm64, ...; help lists them"),
           cl::init("native"), cl::cat(category));
static cl::opt<std::string> emit(
    "emit",
    cl::desc(
        "what to write, whatever the extension: a phase (import, quantize, "
        "kernels, target, llvm) or a file kind (asm, obj, archive, shared)"),
    cl::cat(category));
static cl::opt<QuantizeMode> quantize(
    "quantize", cl::desc("how the model is quantized"),
    cl::values(
        clEnumValN(QuantizeMode::Auto, "auto",
                   "static with -calib or -calib-table, else dynamic where "
                   "that pays; explicit Q/DQ is kept (default)"),
        clEnumValN(QuantizeMode::None, "none", "add no quantization"),
        clEnumValN(QuantizeMode::Static, "static",
                   "int8, from calibration data"),
        clEnumValN(QuantizeMode::Dynamic, "dynamic",
                   "int8 weights, activations quantized at run time")),
    cl::init(QuantizeMode::Auto), cl::cat(category));
static cl::opt<std::string> calib(
    "calib",
    cl::desc("calibration data: .npz, or a folder of .npz or of .pb sets"),
    cl::value_desc("path"), cl::cat(category));
static cl::opt<std::string> calibMethod(
    "calib-method",
    cl::desc(
        "auto (by measured error, default), minmax, percentile, entropy, mse"),
    cl::init("auto"), cl::cat(category));
static cl::opt<std::string>
    calibTable("calib-table",
               cl::desc("reuse the ranges of this file; written if absent"),
               cl::value_desc("file"), cl::cat(category));
static cl::list<std::string>
    shapes("shape", cl::desc("bind the shape of an input: NAME:1x3x224x224"),
           cl::cat(category));
static cl::opt<std::string> prefix("prefix",
                                   cl::desc("prefix of the exported symbols"),
                                   cl::init("qcc_"), cl::cat(category));
static cl::opt<bool> emitHeader("emit-header",
                                cl::desc("also write the C header"),
                                cl::cat(category));
static cl::opt<bool>
    keepTensors("keep-tensors",
                cl::desc("keep every tensor for qcc-run -dump-tensors"),
                cl::cat(category));
static cl::opt<bool>
    reference("reference",
              cl::desc("plain loops only: the oracle of the kernels"),
              cl::cat(category));
static cl::opt<bool> timePhases("time",
                                cl::desc("report the time of each phase"),
                                cl::cat(category));
static cl::opt<std::string>
    dumpPhases("dump-phases",
               cl::desc("write the IR after each phase to this folder"),
               cl::value_desc("folder"), cl::cat(category));

static void fail(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "qcc") << message << "\n";
}

/// NAME:1x3x224x224, split at the last colon: names may hold colons.
static bool parseShape(llvm::StringRef text, qcc::CompileOptions &options) {
  auto [name, dims] = text.rsplit(':');
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<llvm::StringRef> parts;
  if (dims != "scalar")
    dims.split(parts, 'x');
  for (llvm::StringRef part : parts) {
    int64_t extent;
    if (part.getAsInteger(10, extent) || extent <= 0) {
      fail("-shape=" + text +
           ": expected NAME:1x3x224x224 with positive extents");
      return false;
    }
    shape.push_back(extent);
  }
  if (name.empty() || !options.shapes.try_emplace(name, shape).second) {
    fail("-shape=" + text + ": input name missing or given twice");
    return false;
  }
  return true;
}

static bool parseEmit(qcc::CompileOptions &options) {
  if (emit.empty())
    return true;
  static const std::pair<llvm::StringRef, EmitKind> kinds[] = {
      {"import", EmitKind::Import},       {"quantize", EmitKind::Quantize},
      {"kernels", EmitKind::Kernels},     {"target", EmitKind::Target},
      {"llvm", EmitKind::LLVMIR},         {"asm", EmitKind::Assembly},
      {"obj", EmitKind::Object},          {"archive", EmitKind::Archive},
      {"shared", EmitKind::SharedLibrary}};
  for (auto [word, kind] : kinds)
    if (emit == word) {
      options.emit = kind;
      return true;
    }
  fail("-emit=" + emit +
       ": expected import, quantize, kernels, target, llvm, "
       "asm, obj, archive or shared");
  return false;
}

/// One line per diagnostic: file, node, reason.
static llvm::LogicalResult printDiagnostic(mlir::Diagnostic &diagnostic) {
  llvm::raw_ostream &os = llvm::errs();
  switch (diagnostic.getSeverity()) {
  case mlir::DiagnosticSeverity::Error:
    llvm::WithColor::error(os, "qcc");
    break;
  case mlir::DiagnosticSeverity::Warning:
    llvm::WithColor::warning(os, "qcc");
    break;
  default:
    llvm::WithColor::note(os, "qcc");
  }
  std::string where = qcc::describeLocation(diagnostic.getLocation());
  if (!where.empty())
    os << where << ": ";
  os << diagnostic.str() << "\n";
  return llvm::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << qcc::versionString() << "\n"; });
  cl::ParseCommandLineOptions(argc, argv,
                              "qcc - compiles an ONNX model to native code\n");
  if (target == "help") {
    qcc::printTargets(llvm::outs());
    return 0;
  }
  if (input.empty() || output.empty()) {
    fail("usage: qcc MODEL.onnx -o OUT.so [options]; -help lists them");
    return 1;
  }

  qcc::CompileOptions options;
  options.input = input;
  options.output = output;
  options.target = target;
  options.prefix = prefix;
  options.quantize = quantize;
  options.calibrationPath = calib;
  options.calibrationMethod = calibMethod;
  options.calibrationTable = calibTable;
  options.emitHeader = emitHeader;
  options.keepTensors = keepTensors;
  options.reference = reference;
  options.time = timePhases;
  options.dumpPhases = dumpPhases;
  if (!parseEmit(options))
    return 1;
  for (const std::string &shape : shapes)
    if (!parseShape(shape, options))
      return 1;

  mlir::DialectRegistry registry;
  qcc::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  mlir::ScopedDiagnosticHandler handler(&context, printDiagnostic);
  qcc::CompileHooks hooks;
  hooks.configurePasses = [](mlir::PassManager &pm) {
    return mlir::applyPassManagerCLOptions(pm);
  };
  return mlir::failed(qcc::compile(context, options, hooks));
}
