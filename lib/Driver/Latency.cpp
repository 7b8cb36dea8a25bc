//===- Latency.cpp - Times of an artefact's layers ------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "qcc/Runtime/qcc_runtime.h"

#include "llvm/ADT/ScopeExit.h"

#include <dlfcn.h>

using namespace qcc;

/// Runs of the whole model; of each step the fastest counts.
static constexpr unsigned runs = 10;

static std::vector<char> makeZeros(const qcc_tensor_info &info) {
  int64_t count = 1;
  for (int32_t i = 0; i < info.rank; ++i)
    count *= info.shape[i];
  return std::vector<char>(size_t(count) * byteSize(DType(info.dtype)));
}

void qcc::addTimes(ModelReport &report, llvm::ArrayRef<StepTime> steps) {
  // A step computes nodes of one or several layers; it counts for the last.
  for (const StepTime &step : steps) {
    llvm::SmallVector<llvm::StringRef> nodes;
    llvm::StringRef(step.nodes).split(nodes, ", ");
    for (LayerReport &entry : llvm::reverse(report.layers))
      if (llvm::is_contained(nodes, entry.layer.name)) {
        entry.milliseconds =
            entry.milliseconds.value_or(0) + 1e3 * step.seconds;
        break;
      }
  }
}

bool qcc::measureLatency(ModelReport &report, const std::string &artefact,
                         const std::string &prefix) {
  std::string path =
      artefact.find('/') == std::string::npos ? "./" + artefact : artefact;
  void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return false;
  llvm::scope_exit close([&] { ::dlclose(library); });
  using GetApi = const qcc_api *();
  auto *getApi = reinterpret_cast<GetApi *>(
      ::dlsym(library, (prefix + "get_api").c_str()));
  if (!getApi)
    return false;
  const qcc_api *api = getApi();
  const qcc_model_info *model = api->describe();
  qcc_options options = {};
  options.struct_size = sizeof options;
  options.threads = 1;
  qcc_instance *instance = nullptr;
  if (api->create(&options, &instance) != QCC_OK)
    return false; // another processor's
  llvm::scope_exit destroy([&] { api->destroy(instance); });
  qcc_instance_info chosen = {};
  chosen.struct_size = sizeof chosen;
  if (api->inspect(instance, &chosen) != QCC_OK)
    return false;
  const qcc_level_info &level = model->levels[chosen.level];

  std::vector<std::vector<char>> data;
  std::vector<qcc_tensor> inputs, outputs;
  auto add = [&](const qcc_tensor_info &info, std::vector<qcc_tensor> &to) {
    data.push_back(makeZeros(info));
    to.push_back(
        {data.back().data(), info.dtype, info.rank, info.shape, nullptr});
  };
  for (uint32_t i = 0; i < model->num_inputs; ++i)
    add(model->inputs[i], inputs);
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    add(model->outputs[i], outputs);
  std::vector<uint64_t> fastest(level.num_steps, UINT64_MAX);
  for (unsigned i = 0; i < runs; ++i) {
    std::vector<uint64_t> times(level.num_steps);
    if (api->profile(instance, inputs.data(), model->num_inputs, outputs.data(),
                     model->num_outputs, times.data(),
                     level.num_steps) != QCC_OK)
      return false;
    for (auto [least, time] : llvm::zip(fastest, times))
      least = std::min(least, time);
  }

  std::vector<StepTime> steps;
  for (uint32_t i = 0; i < level.num_steps; ++i)
    steps.push_back({level.steps[i].nodes, double(fastest[i]) / 1e9});
  addTimes(report, steps);
  report.times = std::string("measured at ") + level.name +
                 " on one thread of this machine";
  return true;
}
