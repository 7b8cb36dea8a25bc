//===- Assemble.cpp - Levels to objects -----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Assemble.h"

#include "Link.h"
#include "RuntimeFiles.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA1.h"
#include "llvm/Support/ThreadPool.h"

using namespace llvm;
using namespace qcc;
using namespace qcc::emit;

/// About this many operations go into one object.
static constexpr uint64_t kOpsPerObject = 3000;

namespace {
/// Some kernels of a level, in a module of their own.
struct Bucket {
  const LevelProgram *level;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  uint64_t ops = 0;
};
} // namespace

static Error failureOf(const Twine &what) {
  return createStringError("internal error: " + what);
}

//===----------------------------------------------------------------------===//
// Reading and lowering
//===----------------------------------------------------------------------===//

static bool sameInterface(ArrayRef<TensorDescription> a,
                          ArrayRef<TensorDescription> b) {
  return llvm::equal(a, b, [](const auto &x, const auto &y) {
    return x.name == y.name && x.dtype == y.dtype && x.shape == y.shape;
  });
}

/// Removes what the tables have taken over: @main and its constants.
static void dropTabled(mlir::ModuleOp module) {
  module.lookupSymbol("main")->erase();
  DenseSet<mlir::StringAttr> used;
  module.walk([&](mlir::memref::GetGlobalOp op) {
    used.insert(op.getNameAttr().getAttr());
  });
  for (auto global :
       llvm::make_early_inc_range(module.getOps<mlir::memref::GlobalOp>()))
    if (!used.contains(global.getSymNameAttr()))
      global.erase();
}

/// A part of -time.
static mlir::TimingScope timed(const EmitOptions &options, StringRef name) {
  return options.timing ? options.timing->nest(name) : mlir::TimingScope();
}

static Expected<std::vector<LevelProgram>>
lowerLevels(ArrayRef<LevelModule> levels, const EmitOptions &options,
            const CodeGenerator &generator) {
  mlir::TimingScope scope = timed(options, "Lower to LLVM");
  std::vector<LevelProgram> result;
  for (const LevelModule &level : levels) {
    FailureOr<Program> program = readProgram(level.module, options.keepTensors);
    if (failed(program))
      return failureOf("@main of level '" + level.level->name +
                       "' is no list of calls");
    Expected<std::array<uint64_t, 2>> features =
        generator.requiredFeatures(*level.level);
    if (!features)
      return features.takeError();
    result.push_back({level.level, *features, std::move(*program)});
    const Program &first = result.front().program,
                  &last = result.back().program;
    if (!sameInterface(first.inputs, last.inputs) ||
        !sameInterface(first.outputs, last.outputs))
      return failureOf("the levels differ in inputs or outputs");
    dropTabled(level.module);
    if (failed(lowerKernelsToLLVM(level, options)) ||
        (options.lowered && failed(options.lowered(level))))
      return failureOf("kernels of level '" + level.level->name +
                       "' do not lower to LLVM");
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Buckets of kernels
//===----------------------------------------------------------------------===//

static uint64_t countOps(mlir::Operation *op) {
  uint64_t count = 0;
  op->walk([&](mlir::Operation *) { ++count; });
  return count;
}

/// Puts copies of the symbols that `op` uses into `to`, with what they use.
static void copyUsed(mlir::Operation *op, mlir::SymbolTable &from,
                     mlir::ModuleOp to) {
  auto uses = mlir::SymbolTable::getSymbolUses(op);
  if (!uses)
    return;
  for (const mlir::SymbolTable::SymbolUse &use : *uses) {
    auto name = use.getSymbolRef().getRootReference();
    mlir::Operation *symbol = from.lookup(name);
    if (!symbol || to.lookupSymbol(name))
      continue;
    to.push_back(symbol->clone());
    copyUsed(symbol, from, to);
  }
}

/// Moves the kernels of a level into `count` modules of about equal size.
static void fillBuckets(mlir::ModuleOp module, const LevelProgram &level,
                        unsigned count, std::vector<Bucket> &buckets) {
  mlir::SymbolTable symbols(module);
  struct Kernel {
    uint64_t ops;
    size_t index;
    mlir::Operation *op;
  };
  std::vector<Kernel> kernels;
  uint64_t total = 0;
  for (auto &[name, arguments] : level.program.kernels)
    if (mlir::Operation *kernel = symbols.lookup(name)) {
      kernels.push_back({countOps(kernel), kernels.size(), kernel});
      total += kernels.back().ops;
    }
  if (count == 0)
    count = unsigned(std::clamp<uint64_t>(total / kOpsPerObject, 1, 64));
  // Largest first, each to the bucket with least.
  llvm::sort(kernels, [](const Kernel &a, const Kernel &b) {
    return std::tie(b.ops, a.index) < std::tie(a.ops, b.index);
  });
  size_t first = buckets.size();
  for (unsigned i = 0; i < count; ++i)
    buckets.push_back({&level, mlir::ModuleOp::create(module.getLoc()), 0});
  for (const Kernel &kernel : kernels) {
    Bucket &bucket = *std::min_element(
        buckets.begin() + first, buckets.end(),
        [](const Bucket &a, const Bucket &b) { return a.ops < b.ops; });
    copyUsed(kernel.op, symbols, *bucket.module);
    kernel.op->moveBefore(bucket.module->getBody(),
                          bucket.module->getBody()->end());
    bucket.ops += kernel.ops;
  }
}

/// States what holds at every call of a kernel.
static void setArguments(Function &kernel, ArrayRef<KernelArgument> arguments) {
  LLVMContext &context = kernel.getContext();
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    AttrBuilder attributes(context);
    if (argument.overlaps)
      kernel.removeParamAttr(i, Attribute::NoAlias);
    else
      attributes.addAttribute(Attribute::NoAlias);
    attributes.addAlignmentAttr(Align(argument.alignment));
    if (argument.bytes)
      attributes.addDereferenceableAttr(argument.bytes);
    attributes.addAttribute(Attribute::NoFree);
    kernel.getArg(i)->addAttrs(attributes);
  }
}

/// void entry(ptr buffers, i64 begin, i64 end): calls the kernel.
static void addEntry(Function &kernel, const std::string &name) {
  Module &module = *kernel.getParent();
  LLVMContext &context = module.getContext();
  auto *pointer = PointerType::get(context, 0);
  auto *index = Type::getInt64Ty(context);
  auto *entry =
      Function::Create(FunctionType::get(Type::getVoidTy(context),
                                         {pointer, index, index}, false),
                       GlobalValue::ExternalLinkage, name, module);
  entry->setVisibility(GlobalValue::HiddenVisibility);
  entry->setDSOLocal(true);
  IRBuilder<> builder(BasicBlock::Create(context, "", entry));
  SmallVector<Value *> operands;
  unsigned numBuffers = kernel.arg_size() - 2;
  for (unsigned i = 0; i < numBuffers; ++i)
    operands.push_back(builder.CreateAlignedLoad(
        pointer,
        builder.CreateConstInBoundsGEP1_64(pointer, entry->getArg(0), i),
        Align(8)));
  operands.push_back(entry->getArg(1));
  operands.push_back(entry->getArg(2));
  builder.CreateCall(&kernel, operands)->setTailCall();
  builder.CreateRetVoid();
}

/// The bucket as an LLVM module, not yet optimized.
static Expected<std::unique_ptr<Module>>
translateBucket(const Bucket &bucket, const EmitOptions &options,
                const CodeGenerator &generator, LLVMContext &context) {
  std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(
      *bucket.module, context, "qcc", /*disableVerification=*/true);
  if (!module)
    return failureOf("kernels of level '" + bucket.level->level->name +
                     "' do not translate to LLVM IR");
  module->setSourceFileName("qcc");
  if (Error error = generator.prepare(*module))
    return std::move(error);
  const TargetLevel &level = *bucket.level->level;
  SmallVector<Function *> defined;
  for (Function &function : *module)
    if (!function.isDeclaration())
      defined.push_back(&function);
  for (GlobalVariable &global : module->globals())
    if (!global.isDeclaration())
      global.setLinkage(GlobalValue::InternalLinkage);
  for (Function *function : defined) {
    function->setLinkage(GlobalValue::InternalLinkage);
    function->setVisibility(GlobalValue::DefaultVisibility);
    generator.setLevel(*function, level);
    auto kernel = bucket.level->program.kernels.find(function->getName());
    if (kernel == bucket.level->program.kernels.end())
      continue;
    if (function->arg_size() != kernel->second.size() + 2 ||
        !function->getReturnType()->isVoidTy())
      return failureOf("kernel '" + function->getName() +
                       "' has a signature that the runtime cannot call");
    setArguments(*function, kernel->second);
    function->addFnAttr(Attribute::NoInline);
    std::string name = entryName(options.prefix, level, function->getName());
    addEntry(*function, name);
    function->setName(name + ".kernel");
  }
  return module;
}

//===----------------------------------------------------------------------===//
// The runtime and the tables
//===----------------------------------------------------------------------===//

/// Exports the ABI under the prefix; hides all else.
static void exportEntries(Module &module, StringRef prefix) {
  constexpr StringRef mark = "qcc_entry_";
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    StringRef name = function.getName();
    if (name.starts_with(mark))
      function.setName(prefix + name.drop_front(mark.size()));
    else if (name.starts_with("qcc_"))
      function.setLinkage(GlobalValue::InternalLinkage);
  }
}

static Expected<std::unique_ptr<Module>>
loadRuntime(const TargetBackend &backend, const EmitOptions &options,
            const CodeGenerator &generator, LLVMContext &context) {
  StringRef bitcode = runtimeFiles(Triple(backend.triple()).getArch()).bitcode;
  if (bitcode.empty())
    return failureOf("no runtime for " + backend.name());
  auto module = parseBitcodeFile(MemoryBufferRef(bitcode, "qcc"), context);
  if (!module)
    return module.takeError();
  (*module)->setSourceFileName("qcc");
  (*module)->setModuleIdentifier("qcc");
  if (Error error = generator.prepare(**module))
    return std::move(error);
  exportEntries(**module, options.prefix);
  return std::move(*module);
}

/// The runtime as it was compiled with qcc; only the prefix is the model's.
static Expected<SmallVector<char, 0>>
runtimeObject(const TargetBackend &backend, StringRef prefix) {
  StringRef object = runtimeFiles(Triple(backend.triple()).getArch()).object;
  if (object.empty())
    return failureOf("no runtime for " + backend.name());
  return renameSymbols(object, "qcc_entry_", prefix);
}

/// The tables as an object of their own: they name all others by symbols.
static Expected<SmallVector<char, 0>>
compileTables(const TargetBackend &backend, ArrayRef<LevelProgram> levels,
              const EmitOptions &options, StringRef buildId,
              const CodeGenerator &generator, ConstantPool &pool) {
  LLVMContext context;
  Module module("qcc", context);
  if (Error error = generator.prepare(module))
    return std::move(error);
  addTables(module, backend, levels, options.prefix, buildId, &pool);
  return generator.generate(module, CodeGenFileType::ObjectFile);
}

/// A name for this code, these constants and how they are put together.
static std::string hashOf(ArrayRef<SmallVector<char, 0>> objects,
                          ArrayRef<LevelProgram> levels) {
  SHA1 hash;
  auto addNumber = [&](uint64_t number) {
    std::array<uint8_t, 8> bytes;
    support::endian::write64le(bytes.data(), number);
    hash.update(bytes);
  };
  for (const auto &object : objects)
    hash.update(StringRef(object.data(), object.size()));
  for (const LevelProgram &level : levels) {
    for (const qnn::ConstantBytes &constant : level.program.constants)
      hash.update(StringRef(constant.bytes().data(), constant.bytes().size()));
    for (const ProgramStep &step : level.program.steps) {
      hash.update(step.kernel);
      addNumber(uint64_t(step.tiles));
      for (const BufferRef &buffer : step.buffers) {
        addNumber(buffer.kind);
        addNumber(buffer.index);
        addNumber(buffer.offset);
      }
    }
  }
  return toHex(hash.final(), /*LowerCase=*/true).substr(0, 16);
}

/// Turns LLVM's warning about a large stack frame into an error.
static void refuseDeepStack(const DiagnosticInfo *diagnostic, void *error) {
  auto *size = dyn_cast<DiagnosticInfoStackSize>(diagnostic);
  if (!size)
    return;
  raw_string_ostream stream(*static_cast<std::string *>(error));
  stream << "internal error: " << size->getFunction().getName() << " needs "
         << size->getStackSize() << " bytes of stack, more than artefacts "
         << "promise to need";
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

Expected<Objects> emit::assembleObjects(const TargetBackend &backend,
                                        ArrayRef<LevelModule> levels,
                                        const EmitOptions &options) {
  Expected<CodeGenerator> generator = CodeGenerator::create(backend);
  if (!generator)
    return generator.takeError();
  auto programs = lowerLevels(levels, options, *generator);
  if (!programs)
    return programs.takeError();
  std::vector<Bucket> buckets;
  for (auto [level, program] : llvm::zip(levels, *programs))
    fillBuckets(level.module, program, 0, buckets);

  mlir::TimingScope scope = timed(options, "Optimize and generate code");
  Objects objects;
  objects.memory = memoryNeeds(*programs);
  objects.files.resize(buckets.size());
  std::vector<std::string> errors(buckets.size());
  Effort effort = options.reference ? Effort::Reference : Effort::Full;
  auto compile = [&](size_t i) {
    LLVMContext context;
    context.setDiagnosticHandlerCallBack(refuseDeepStack, &errors[i]);
    auto module = translateBucket(buckets[i], options, *generator, context);
    if (!module) {
      errors[i] = toString(module.takeError());
      return;
    }
    generator->optimize(**module, effort);
    objects.files[i] =
        generator->generate(**module, CodeGenFileType::ObjectFile);
  };
  // The MLIR context is shared; without locks, only one may use it.
  mlir::ModuleOp any = levels.front().module;
  bool parallel = any.getContext()->isMultithreadingEnabled();
  DefaultThreadPool pool(hardware_concurrency(parallel ? 0 : 1));
  for (size_t i = 0; i < buckets.size(); ++i)
    pool.async(compile, i);
  pool.wait();
  for (const std::string &error : errors)
    if (!error.empty())
      return createStringError(error);

  std::string buildId = options.buildId.empty()
                            ? hashOf(objects.files, *programs)
                            : options.buildId;
  ConstantPool constants;
  auto tables = compileTables(backend, *programs, options, buildId, *generator,
                              constants);
  if (!tables)
    return tables.takeError();
  objects.files.push_back(std::move(*tables));
  objects.files.push_back(constants.writeObject(Triple(backend.triple()),
                                                constantsName(options.prefix)));
  auto runtime = runtimeObject(backend, options.prefix);
  if (!runtime)
    return runtime.takeError();
  objects.files.push_back(std::move(*runtime));
  return objects;
}

Expected<std::unique_ptr<Module>>
emit::assembleModule(const TargetBackend &backend, ArrayRef<LevelModule> levels,
                     const EmitOptions &options, const CodeGenerator &generator,
                     LLVMContext &context, MemoryNeeds &memory) {
  auto programs = lowerLevels(levels, options, generator);
  if (!programs)
    return programs.takeError();
  memory = memoryNeeds(*programs);
  std::string buildId =
      options.buildId.empty() ? hashOf({}, *programs) : options.buildId;
  auto main = loadRuntime(backend, options, generator, context);
  if (!main)
    return main.takeError();
  addTables(**main, backend, *programs, options.prefix, buildId,
            /*pool=*/nullptr);
  std::vector<Bucket> buckets;
  for (auto [level, program] : llvm::zip(levels, *programs))
    fillBuckets(level.module, program, 1, buckets);
  for (const Bucket &bucket : buckets) {
    auto module = translateBucket(bucket, options, generator, context);
    if (!module)
      return module.takeError();
    if (Linker::linkModules(**main, std::move(*module)))
      return failureOf("LLVM modules do not link");
  }
  generator.optimize(**main,
                     options.reference ? Effort::Reference : Effort::Full);
  return std::move(*main);
}
