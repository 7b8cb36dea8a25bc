//===- Tables.cpp - The program as constants ------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tables.h"

#include "../Runtime/program.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace qcc;
using namespace qcc::emit;

/// Below this much memory touched, waking a thread costs more than it gains.
static constexpr uint64_t kSerialBytes = 32 << 10;
/// The same for a round of many, where the caller's pool takes as long as that
/// of OpenMP or longer: some microseconds.
static constexpr uint64_t kCallersRoundBytes = 1 << 20;

/// The bits of qcc_step.serial.
static uint32_t serialBits(const ProgramStep &step) {
  if (step.bytes < kSerialBytes)
    return QCC_SERIAL_OWN | QCC_SERIAL_CALLERS;
  // What does not change is read in each round.
  uint64_t roundBytes = step.constantBytes + (step.bytes - step.constantBytes) /
                                                 uint64_t(step.rounds);
  return step.rounds > 1 && roundBytes < kCallersRoundBytes ? QCC_SERIAL_CALLERS
                                                            : 0;
}

static unsigned maxBuffers(ArrayRef<LevelProgram> levels) {
  size_t most = 0;
  for (const LevelProgram &level : levels)
    for (const ProgramStep &step : level.program.steps)
      most = std::max(most, step.buffers.size());
  return unsigned(most);
}

MemoryNeeds emit::memoryNeeds(ArrayRef<LevelProgram> levels) {
  const Program &first = levels.front().program;
  uint64_t arena = 0, pointers = 2 + first.inputs.size() +
                                 first.outputs.size() + maxBuffers(levels);
  for (const LevelProgram &level : levels)
    arena = std::max(arena, level.program.arenaBytes);
  MemoryNeeds needs;
  needs.arena = alignTo(QCC_INSTANCE_BYTES + 8 * pointers, QCC_ALIGNMENT) +
                alignTo(arena, QCC_ALIGNMENT) + QCC_ARENA_TAIL;
  needs.stridedArena = needs.arena;
  for (const auto &tensors : {first.inputs, first.outputs})
    for (const TensorDescription &tensor : tensors)
      needs.stridedArena += alignTo(tensor.byteSize(), QCC_ALIGNMENT);
  return needs;
}

std::string emit::entryName(StringRef prefix, const TargetLevel &level,
                            StringRef kernel) {
  std::string name = (prefix + level.name + "_" + kernel).str();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string emit::constantsName(StringRef prefix) {
  return (prefix + "constants").str();
}

namespace {
/// Builds the structs of lib/Runtime/program.h as LLVM constants.
class TableBuilder {
public:
  TableBuilder(Module &module, StringRef prefix, ConstantPool *pool)
      : module(module), context(module.getContext()), prefix(prefix),
        pool(pool) {}

  void addProgram(const TargetBackend &backend, ArrayRef<LevelProgram> levels,
                  StringRef buildId);

private:
  Constant *i32(int64_t value) {
    return ConstantInt::get(Type::getInt32Ty(context), value, true);
  }
  Constant *i64(uint64_t value) {
    return ConstantInt::get(Type::getInt64Ty(context), value);
  }
  Constant *record(ArrayRef<Constant *> fields, size_t expectedSize) {
    Constant *result = ConstantStruct::getAnon(context, fields);
    assert(module.getDataLayout().getTypeAllocSize(result->getType()) ==
               expectedSize &&
           "differs from lib/Runtime/program.h");
    (void)expectedSize;
    return result;
  }
  Constant *null() {
    return ConstantPointerNull::get(PointerType::get(context, 0));
  }

  GlobalVariable *global(Constant *value, const Twine &name,
                         uint64_t alignment);
  Constant *string(StringRef text);
  Constant *array(ArrayRef<Constant *> elements, const Twine &name);
  template <typename T> Constant *numbers(ArrayRef<T> values);
  Constant *blob(ArrayRef<char> bytes);
  Constant *constantsBegin();
  Constant *tensorInfo(const TensorDescription &tensor);
  Constant *tensorInfos(ArrayRef<TensorDescription> tensors);
  Constant *reference(const BufferRef &buffer, const Program &program);
  Constant *body(const TargetLevel &level, StringRef kernel);
  Constant *steps(const LevelProgram &level);
  Constant *levelInfo(const LevelProgram &level);
  Constant *levelTable(const LevelProgram &level);

  Module &module;
  LLVMContext &context;
  StringRef prefix;
  ConstantPool *pool;
  StringMap<Constant *> strings;
  DenseMap<Constant *, Constant *> globals; ///< equal contents: one copy
};
} // namespace

GlobalVariable *TableBuilder::global(Constant *value, const Twine &name,
                                     uint64_t alignment) {
  auto *variable =
      new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                         GlobalValue::PrivateLinkage, value, name);
  variable->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  variable->setAlignment(Align(alignment));
  return variable;
}

Constant *TableBuilder::string(StringRef text) {
  Constant *&result = strings[text];
  if (!result)
    result = global(ConstantDataArray::getString(context, text), "text", 1);
  return result;
}

Constant *TableBuilder::array(ArrayRef<Constant *> elements,
                              const Twine &name) {
  if (elements.empty())
    return null();
  auto *type = ArrayType::get(elements.front()->getType(), elements.size());
  return global(ConstantArray::get(type, elements), name, 8);
}

template <typename T> Constant *TableBuilder::numbers(ArrayRef<T> values) {
  if (values.empty())
    return null();
  Constant *value = ConstantDataArray::get(context, values);
  Constant *&result = globals[value];
  if (!result)
    result = global(value, "numbers", sizeof(T));
  return result;
}

/// Where the pool's object begins.
Constant *TableBuilder::constantsBegin() {
  std::string name = constantsName(prefix);
  if (GlobalVariable *known = module.getNamedGlobal(name))
    return known;
  auto *variable = new GlobalVariable(
      module, ArrayType::get(Type::getInt8Ty(context), 0), /*isConstant=*/true,
      GlobalValue::ExternalLinkage, nullptr, name);
  variable->setVisibility(GlobalValue::HiddenVisibility);
  variable->setDSOLocal(true);
  variable->setAlignment(Align(QCC_ALIGNMENT));
  return variable;
}

Constant *TableBuilder::blob(ArrayRef<char> bytes) {
  if (bytes.empty())
    return null();
  if (pool)
    return ConstantExpr::getInBoundsGetElementPtr(
        Type::getInt8Ty(context), constantsBegin(), i64(pool->add(bytes)));
  Constant *value =
      ConstantDataArray::getRaw(StringRef(bytes.data(), bytes.size()),
                                bytes.size(), Type::getInt8Ty(context));
  Constant *&result = globals[value];
  if (!result)
    result = global(value, "constant", QCC_ALIGNMENT);
  return result;
}

Constant *TableBuilder::tensorInfo(const TensorDescription &tensor) {
  return record({string(tensor.name), i32(int32_t(tensor.dtype)),
                 i32(tensor.shape.size()),
                 numbers(ArrayRef<int64_t>(tensor.shape)),
                 i32(tensor.scales.size()), i32(tensor.axis),
                 numbers(ArrayRef<float>(tensor.scales)),
                 numbers(ArrayRef<int32_t>(tensor.zeroPoints))},
                sizeof(qcc_tensor_info));
}

Constant *TableBuilder::tensorInfos(ArrayRef<TensorDescription> tensors) {
  SmallVector<Constant *> infos;
  for (const TensorDescription &tensor : tensors)
    infos.push_back(tensorInfo(tensor));
  return array(infos, "tensors");
}

Constant *TableBuilder::reference(const BufferRef &buffer,
                                  const Program &program) {
  Constant *offset;
  if (buffer.kind == BufferRef::Constant)
    offset = blob(program.constants[buffer.index].bytes());
  else
    offset = ConstantExpr::getIntToPtr(i64(buffer.offset),
                                       PointerType::get(context, 0));
  uint64_t base = 0;
  switch (buffer.kind) {
  case BufferRef::Constant:
    break;
  case BufferRef::Arena:
    base = 1;
    break;
  case BufferRef::Input:
    base = 2 + buffer.index;
    break;
  case BufferRef::Output:
    base = 2 + program.inputs.size() + buffer.index;
    break;
  }
  return record({offset, i64(base)}, sizeof(qcc_ref));
}

Constant *TableBuilder::body(const TargetLevel &level, StringRef kernel) {
  auto *type =
      FunctionType::get(Type::getVoidTy(context),
                        {PointerType::get(context, 0),
                         Type::getInt64Ty(context), Type::getInt64Ty(context)},
                        false);
  auto *function = cast<Function>(
      module.getOrInsertFunction(entryName(prefix, level, kernel), type)
          .getCallee());
  if (function->isDeclaration()) {
    function->setVisibility(GlobalValue::HiddenVisibility);
    function->setDSOLocal(true);
  }
  return function;
}

Constant *TableBuilder::steps(const LevelProgram &level) {
  SmallVector<Constant *> table;
  for (const ProgramStep &step : level.program.steps) {
    SmallVector<Constant *> refs;
    for (const BufferRef &buffer : step.buffers)
      refs.push_back(reference(buffer, level.program));
    table.push_back(
        record({body(*level.level, step.kernel), array(refs, "buffers"),
                i64(step.tiles), i64(step.rounds), i32(refs.size()),
                i32(serialBits(step))},
               sizeof(qcc_step)));
  }
  return array(table, "steps");
}

Constant *TableBuilder::levelTable(const LevelProgram &level) {
  SmallVector<Constant *> tensors;
  for (const ProgramTensor &tensor : level.program.tensors)
    tensors.push_back(reference(tensor.buffer, level.program));
  return record({i64(level.features[0]), i64(level.features[1]), steps(level),
                 array(tensors, "buffers")},
                sizeof(qcc_level));
}

Constant *TableBuilder::levelInfo(const LevelProgram &level) {
  SmallVector<Constant *> steps;
  for (const ProgramStep &step : level.program.steps)
    steps.push_back(
        record({string(step.kernel), string(step.nodes), i64(step.tiles),
                i64(step.macs), i32(int32_t(step.macsType)), i32(0)},
               sizeof(qcc_step_info)));
  std::vector<TensorDescription> tensors;
  for (const ProgramTensor &tensor : level.program.tensors)
    tensors.push_back(tensor.description);
  return record({string(level.level->name), i32(level.level->rank),
                 i32(steps.size()), array(steps, "steps"),
                 i64(level.program.arenaBytes), i32(tensors.size()), i32(0),
                 tensorInfos(tensors)},
                sizeof(qcc_level_info));
}

void TableBuilder::addProgram(const TargetBackend &backend,
                              ArrayRef<LevelProgram> levels,
                              StringRef buildId) {
  SmallVector<Constant *> infos, tables, names;
  for (const LevelProgram &level : levels) {
    infos.push_back(levelInfo(level));
    tables.push_back(levelTable(level));
  }
  for (const TargetLevel &level : backend.levels())
    names.push_back(
        record({string(level.name), i64(level.rank)}, sizeof(qcc_isa_name)));
  const Program &first = levels.front().program;
  MemoryNeeds needs = memoryNeeds(levels);
  Constant *info = record(
      {i32(QCC_ABI_VERSION), i32(sizeof(qcc_model_info)),
       string(backend.name()), string(buildId), i32(first.inputs.size()),
       i32(first.outputs.size()), tensorInfos(first.inputs),
       tensorInfos(first.outputs), i32(levels.size()), i32(QCC_ALIGNMENT),
       array(infos, "levels"), i64(needs.arena), i64(needs.stridedArena)},
      sizeof(qcc_model_info));
  Constant *program =
      record({info, array(tables, "levels"), array(names, "names"),
              i32(names.size()), i32(maxBuffers(levels))},
             sizeof(qcc_program));
  // Takes the place of the runtime's declaration where that is linked in.
  auto *variable = global(program, "", 8);
  variable->setLinkage(GlobalValue::ExternalLinkage);
  variable->setVisibility(GlobalValue::HiddenVisibility);
  variable->setDSOLocal(true);
  if (GlobalVariable *declared = module.getNamedGlobal("qcc_program")) {
    declared->replaceAllUsesWith(variable);
    variable->takeName(declared);
    declared->eraseFromParent();
  } else {
    variable->setName("qcc_program");
  }
}

void emit::addTables(Module &module, const TargetBackend &backend,
                     ArrayRef<LevelProgram> levels, StringRef prefix,
                     StringRef buildId, ConstantPool *pool) {
  TableBuilder(module, prefix, pool).addProgram(backend, levels, buildId);
}
