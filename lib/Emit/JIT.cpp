//===- JIT.cpp - Models in the compiler's process -------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Assemble.h"
#include "Link.h"
#include "qcc/Emit/ProfilingRunner.h"
#include "qcc/Runtime/qcc_runtime.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace qcc;
using namespace qcc::emit;

namespace {
/// An artefact that lives in this process.
class JITRunner : public ModelRunner {
public:
  JITRunner(std::shared_ptr<orc::LLJIT> jit, const qcc_api *api,
            qcc_instance *instance)
      : jit(std::move(jit)), api(api), instance(instance) {}
  ~JITRunner() override { api->destroy(instance); }

  Expected<std::vector<HostTensor>> run(ArrayRef<HostTensor> inputs) override {
    return call(inputs, nullptr);
  }
  Expected<std::vector<StepTime>> profile(ArrayRef<HostTensor> inputs) override;

private:
  /// With the nanoseconds of each step, where asked for.
  Expected<std::vector<HostTensor>> call(ArrayRef<HostTensor> inputs,
                                         std::vector<uint64_t> *steps);

  std::shared_ptr<orc::LLJIT> jit; ///< owns the code
  const qcc_api *api;
  qcc_instance *instance;
};
} // namespace

static qcc_tensor view(const HostTensor &tensor) {
  return {const_cast<char *>(tensor.data.data()), int32_t(tensor.dtype),
          int32_t(tensor.shape.size()), tensor.shape.data(), nullptr};
}

Expected<std::vector<HostTensor>>
JITRunner::call(ArrayRef<HostTensor> inputs, std::vector<uint64_t> *steps) {
  const qcc_model_info *model = api->describe();
  std::vector<HostTensor> outputs(model->num_outputs);
  std::vector<qcc_tensor> in, out;
  for (const HostTensor &input : inputs)
    in.push_back(view(input));
  for (auto [i, output] : llvm::enumerate(outputs)) {
    const qcc_tensor_info &info = model->outputs[i];
    output.name = info.name;
    output.dtype = DType(info.dtype);
    output.shape.assign(info.shape, info.shape + info.rank);
    output.data.resize(size_t(output.numElements()) * byteSize(output.dtype));
    out.push_back(view(output));
  }
  int32_t status =
      steps ? api->profile(instance, in.data(), in.size(), out.data(),
                           out.size(), steps->data(), steps->size())
            : api->run(instance, in.data(), in.size(), out.data(), out.size());
  if (status != QCC_OK)
    return createStringError(StringRef(api->last_error(instance)));
  return outputs;
}

Expected<std::vector<StepTime>>
JITRunner::profile(ArrayRef<HostTensor> inputs) {
  const qcc_level_info &level = api->describe()->levels[0];
  std::vector<uint64_t> nanoseconds(level.num_steps);
  auto outputs = call(inputs, &nanoseconds);
  if (!outputs)
    return outputs.takeError();
  std::vector<StepTime> times;
  for (auto [i, time] : llvm::enumerate(nanoseconds))
    times.push_back({level.steps[i].nodes, double(time) * 1e-9});
  return times;
}

static Expected<std::shared_ptr<orc::LLJIT>> load(const TargetBackend &backend,
                                                  const LevelModule &level,
                                                  const EmitOptions &options) {
  EmitOptions own = options;
  own.prefix = "qcc_";
  Expected<Objects> objects = assembleObjects(backend, level, own);
  if (!objects)
    return objects.takeError();
  if (Error error = checkSymbols(objects->files))
    return std::move(error);
  auto machine = orc::JITTargetMachineBuilder(Triple(backend.triple()));
  auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(machine).create();
  if (!jit)
    return jit.takeError();
  orc::JITDylib &main = (*jit)->getMainJITDylib();
  auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      (*jit)->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  main.addGenerator(std::move(*process));
  for (const auto &object : objects->files)
    if (Error error = (*jit)->addObjectFile(MemoryBuffer::getMemBufferCopy(
            StringRef(object.data(), object.size()), "qcc.o")))
      return std::move(error);
  return std::shared_ptr<orc::LLJIT>(std::move(*jit));
}

/// With `threads` threads; 0: as many as the process has.
static Expected<std::unique_ptr<ModelRunner>>
instantiate(std::shared_ptr<orc::LLJIT> jit, unsigned threads) {
  auto symbol = jit->lookup("qcc_get_api");
  if (!symbol)
    return symbol.takeError();
  const qcc_api *api = symbol->toPtr<const qcc_api *()>()();
  qcc_instance *instance = nullptr;
  qcc_options create = {};
  create.struct_size = sizeof create;
  create.threads = threads;
  int32_t status = api->create(&create, &instance);
  if (status != QCC_OK)
    return createStringError(StringRef(api->status_text(status)));
  return std::make_unique<JITRunner>(std::move(jit), api, instance);
}

static Expected<std::unique_ptr<ModelRunner>>
createRunner(const TargetBackend &backend, const LevelModule &level,
             const EmitOptions &options, unsigned threads) {
  auto jit = load(backend, level, options);
  if (!jit)
    return jit.takeError();
  return instantiate(std::move(*jit), threads);
}

Expected<std::unique_ptr<ModelRunner>>
qcc::createJITRunner(const TargetBackend &backend, const LevelModule &level,
                     const EmitOptions &options) {
  return createRunner(backend, level, options, /*threads=*/0);
}

Expected<std::unique_ptr<ModelRunner>>
qcc::createProfilingRunner(const TargetBackend &backend,
                           const LevelModule &level,
                           const EmitOptions &options) {
  return createRunner(backend, level, options, /*threads=*/1);
}

Expected<TimedRunners> qcc::createTimedRunners(const TargetBackend &backend,
                                               const LevelModule &level,
                                               const EmitOptions &options,
                                               unsigned threads) {
  auto jit = load(backend, level, options);
  if (!jit)
    return jit.takeError();
  auto all = instantiate(*jit, /*threads=*/0);
  if (!all)
    return all.takeError();
  TimedRunners runners;
  runners.all = runners.timed = std::move(*all);
  if (threads == 0)
    return runners;
  auto timed = instantiate(std::move(*jit), threads);
  if (!timed)
    return timed.takeError();
  runners.timed = std::move(*timed);
  return runners;
}
