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
#include "qcc/Driver/Explain.h"
#include "qcc/Driver/OptionText.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Driver/Version.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

namespace cl = llvm::cl;
using qcc::EmitKind;

static cl::OptionCategory category("qcc options");

static cl::opt<std::string> input(cl::Positional, cl::desc("MODEL.onnx"),
                                  cl::cat(category));
static cl::opt<std::string> output(
    "o",
    cl::desc("output; the extension tells what is written: .so .o .a "
             ".s .ll .mlir .onnx (with Q/DQ) (- is standard output, for IR)"),
    cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string>
    target("target",
           cl::desc("native (default), x86-64, arm64, ...; help lists them"),
           cl::init("native"), cl::cat(category));
static cl::opt<std::string> emit(
    "emit",
    cl::desc(
        "what to write, whatever the extension: a phase (import, quantize, "
        "kernels, target, llvm) or a file kind (asm, obj, archive, shared, "
        "qdq)"),
    cl::cat(category));
static cl::opt<std::string> quantize(
    "quantize",
    cl::desc("how the model is quantized: auto (static with -calib or "
             "-calib-table, else dynamic where that pays; of models that "
             "come with Q/DQ, integer products or blocks, nothing more), none "
             "(adds no quantization), static (int8, from "
             "calibration data), dynamic (int8 weights, activations quantized "
             "at run time), or weight-only[:int4|int8][,block=N]"
             "[,activations=int8|float] (weights of matrix products in blocks; "
             "default int4,block=32,activations=int8)"),
    cl::value_desc("mode"), cl::init("auto"), cl::cat(category));
static cl::opt<std::string> calib(
    "calib",
    cl::desc("calibration data: .npz, or a folder of .npz or of .pb sets"),
    cl::value_desc("path"), cl::cat(category));
static cl::opt<std::string> preprocess(
    "preprocess",
    cl::desc("the calibration data are images, made inputs by these steps: "
             "resize=256,crop=224,color=rgb,scale=1/255,mean=A/B/C,std=A/B/C,"
             "layout=nchw"),
    cl::value_desc("steps"), cl::cat(category));
static cl::opt<std::string> calibMethod(
    "calib-method",
    cl::desc("auto (by measured error, default), minmax, percentile, entropy, "
             "mse, output (of all of these, by the error of the outputs)"),
    cl::init("auto"), cl::cat(category));
static cl::opt<std::string>
    calibTable("calib-table",
               cl::desc("reuse what this file says of an earlier calibration; "
                        "written if absent"),
               cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string> precision(
    "precision",
    cl::desc(
        "what static quantization puts in 8 bits: guarded (default: all "
        "but layers that would spoil the outputs), int8 (all), int16 (16 "
        "bits instead where there are kernels), auto (as "
        "much as the budgets allow), or a file of -save-precision; or fp16, "
        "bf16: nothing is quantized, float weights are stored in 16 bits"),
    cl::init("guarded"), cl::cat(category));
static cl::opt<std::string>
    ptq("ptq",
        cl::desc("what static quantization does besides: auto, none, or a list "
                 "of equalize, smooth, absorb-bias, correct-bias, gptq, "
                 "adaround, clip-weights, clip-weights-octav"),
        cl::value_desc("list"), cl::init("auto"), cl::cat(category));
static cl::opt<std::string> attention(
    "attention",
    cl::desc("float products of attention: auto (factors rounded to 16 bits "
             "where the result is quantized while the model runs and that is "
             "faster), float, or int16 (wherever there is a kernel)"),
    cl::value_desc("precision"), cl::init("auto"), cl::cat(category));
static cl::opt<std::string> exportRecurrence(
    "export-recurrence",
    cl::desc("recurrent layers with 8-bit weights in ONNX files: exact "
             "(functions that quantize the states at each step, as compiled "
             "code does) or float (LSTM, GRU and RNN, whose states are not "
             "quantized)"),
    cl::value_desc("form"), cl::init("exact"), cl::cat(category));
static cl::opt<std::string>
    savePrecision("save-precision",
                  cl::desc("write the precision of each layer, and why"),
                  cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string>
    maxDrop("max-drop",
            cl::desc("budget of -precision=auto: top1:1%, top5:1%, "
                     "agreement:1%, agreement5:1%, kl:0.01, sqnr:20 or "
                     "cosine:0.99"),
            cl::value_desc("metric:value"), cl::cat(category));
static cl::opt<std::string>
    maxLatency("max-latency",
               cl::desc("budget of -precision=auto: one inference on this "
                        "machine"),
               cl::value_desc("ms"), cl::cat(category));
static cl::opt<std::string>
    maxSize("max-size", cl::desc("budget of -precision=auto: the artefact"),
            cl::value_desc("bytes"), cl::cat(category));
static cl::opt<std::string>
    maxRam("max-ram",
           cl::desc("budget of -precision=auto: memory of an instance"),
           cl::value_desc("bytes"), cl::cat(category));
static cl::opt<std::string> searchThreads(
    "search-threads",
    cl::desc("-precision=auto times inferences on so many threads (default: as "
             "many as an artefact takes by itself)"),
    cl::value_desc("number"), cl::cat(category));
static cl::opt<std::string>
    verify("verify",
           cl::desc("samples to verify the budget on and to report accuracy "
                    "of, with 'labels' for top1; else every second sample of "
                    "-calib"),
           cl::value_desc("path"), cl::cat(category));
static cl::list<std::string>
    shapes("shape", cl::desc("bind the shape of an input: NAME:1x3x224x224"),
           cl::cat(category));
static cl::list<std::string> outputNames(
    "outputs",
    cl::desc("values of the model that shall be its outputs: nodes behind "
             "them, and inputs that they do not need, are left out"),
    cl::CommaSeparated, cl::value_desc("name,..."), cl::cat(category));
static cl::list<std::string> inputFormats(
    "io",
    cl::desc("let an input take bytes: NAME:u8[:nhwc][,scale=1/255]"
             "[,mean=A/B/C][,std=A/B/C], folded into the model"),
    cl::value_desc("format"), cl::cat(category));
static cl::opt<std::string>
    tune("tune",
         cl::desc("measure on this machine how kernels are best cut; a file of "
                  "that is reused and kept up to date"),
         cl::value_desc("file"), cl::ValueOptional, cl::cat(category));
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
static cl::opt<std::string>
    report("report",
           cl::desc("write what was decided, why and what it costs: .html (a "
                    "page that needs nothing else) or .json"),
           cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string>
    layerName("layer", cl::desc("explain: only layers with this in their name"),
              cl::value_desc("text"), cl::cat(category));
static cl::opt<std::string> between(
    "between",
    cl::desc("bisect: what is compared, the right one first: two of float, qdq "
             "(quantized, computed literally), compiled, reference, or a "
             "target such as arm64"),
    cl::init("float,compiled"), cl::value_desc("form,form"), cl::cat(category));
static cl::opt<std::string>
    runner("runner",
           cl::desc("bisect: what runs artefacts of another target, in front "
                    "of qcc-run's arguments (default for arm64: qemu-aarch64)"),
           cl::value_desc("command"), cl::cat(category));
static cl::opt<std::string>
    against("against",
            cl::desc("bisect: the second model, if it is another file"),
            cl::value_desc("model"), cl::cat(category));
static cl::opt<std::string>
    samples("inputs",
            cl::desc("bisect: samples, as -calib= takes (default: those)"),
            cl::value_desc("path"), cl::cat(category));
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
  os << qcc::describeDiagnostic(diagnostic) << "\n";
  return llvm::success();
}

/// The word before the model; none compiles.
enum class Command { Compile, Explain, Bisect };

static Command takeCommand(int &argc, char **argv) {
  llvm::StringRef word = argc > 1 ? argv[1] : "";
  Command command = word == "explain"  ? Command::Explain
                    : word == "bisect" ? Command::Bisect
                                       : Command::Compile;
  if (command != Command::Compile) {
    std::copy(argv + 2, argv + argc + 1, argv + 1);
    --argc;
  }
  return command;
}

static llvm::LogicalResult run(Command command, mlir::MLIRContext &context,
                               const qcc::CompileOptions &options) {
  if (command == Command::Explain)
    return qcc::explain(context, options, layerName, llvm::outs());
  if (command == Command::Bisect) {
    qcc::BisectOptions bisect;
    bisect.expected = bisect.actual = options;
    if (!against.empty())
      bisect.actual.input = against;
    std::tie(bisect.expectedForm, bisect.actualForm) =
        llvm::StringRef(between).split(',');
    bisect.inputs = samples;
    bisect.runner = runner;
    return qcc::bisect(context, bisect, llvm::outs());
  }
  qcc::CompileHooks hooks;
  hooks.configurePasses = [](mlir::PassManager &pm) {
    return mlir::applyPassManagerCLOptions(pm);
  };
  return qcc::compile(context, options, hooks);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  Command command = takeCommand(argc, argv);
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << qcc::versionString() << "\n"; });
  cl::ParseCommandLineOptions(argc, argv,
                              "qcc - compiles an ONNX model to native code\n\n"
                              "  qcc MODEL.onnx -o OUT.so [options]\n"
                              "  qcc explain MODEL.onnx [options]   why each "
                              "layer has its precision\n"
                              "  qcc bisect MODEL.onnx [options]    the first "
                              "layer that goes wrong\n");
  if (target == "help") {
    qcc::printTargets(llvm::outs());
    return 0;
  }
  if (input.empty() || (output.empty() && command == Command::Compile)) {
    fail("usage: qcc MODEL.onnx -o OUT.so [options]; -help lists them");
    return 1;
  }

  qcc::CompileOptions options;
  options.input = input;
  options.output = output;
  options.target = target;
  options.prefix = prefix;
  if (llvm::Error error = qcc::setOption(options, "quantize", quantize)) {
    fail(llvm::toString(std::move(error)));
    return 1;
  }
  options.calibrationPath = calib;
  options.inputFormats = inputFormats;
  if (preprocess.getNumOccurrences())
    options.preprocess = preprocess;
  options.calibrationMethod = calibMethod;
  options.calibrationTable = calibTable;
  options.precision = precision;
  options.ptq = ptq;
  options.attention = attention;
  options.exportRecurrence = exportRecurrence;
  options.savePrecision = savePrecision;
  options.maxDrop = maxDrop;
  options.maxLatency = maxLatency;
  options.maxSize = maxSize;
  options.maxRam = maxRam;
  options.searchThreads = searchThreads;
  options.verifyPath = verify;
  if (tune.getNumOccurrences())
    options.tune = tune;
  options.emitHeader = emitHeader;
  options.keepTensors = keepTensors;
  options.reference = reference;
  options.time = timePhases;
  options.dumpPhases = dumpPhases;
  options.report = report;
  if (!emit.empty()) {
    llvm::Expected<EmitKind> kind = qcc::parseEmitKind(emit);
    if (!kind) {
      fail(llvm::toString(kind.takeError()));
      return 1;
    }
    options.emit = *kind;
  }
  options.outputs.assign(outputNames.begin(), outputNames.end());
  for (const std::string &shape : shapes)
    if (llvm::Error error = qcc::addShape(options, shape)) {
      fail(llvm::toString(std::move(error)));
      return 1;
    }

  mlir::DialectRegistry registry;
  qcc::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  mlir::ScopedDiagnosticHandler handler(&context, printDiagnostic);
  return mlir::failed(run(command, context, options));
}
