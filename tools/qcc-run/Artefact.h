//===- Artefact.h - A loaded model ---------------------------- -*- C++ -*-===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef QCC_TOOLS_QCC_RUN_ARTEFACT_H
#define QCC_TOOLS_QCC_RUN_ARTEFACT_H

#include "qcc/Runtime/qcc_runtime.h"
#include "qcc/Support/HostTensor.h"
#include "qcc/Support/Result.h"

namespace qcc {

/// An artefact and one instance of it.
class Artefact {
public:
  static Result<Artefact> open(const std::string &path,
                               const std::string &prefix);
  Artefact(Artefact &&other);
  ~Artefact();

  Status create(int threads);
  const qcc_model_info &model() const { return *api->describe(); }
  const qcc_level_info &level() const { return model().levels[info.level]; }
  int threads() const { return info.threads; }

  /// Tensors of the right type and shape for all outputs.
  std::vector<HostTensor> makeOutputs() const;
  Status run(std::vector<HostTensor> &inputs, std::vector<HostTensor> &outputs);
  /// As run; nanoseconds per step.
  Result<std::vector<uint64_t>> profile(std::vector<HostTensor> &inputs,
                                        std::vector<HostTensor> &outputs);
  /// The intermediate tensors of the last run.
  Result<std::vector<HostTensor>> tensors();

private:
  Artefact() = default;
  Failure failure(int32_t status) const;

  void *library = nullptr;
  const qcc_api *api = nullptr;
  qcc_instance *instance = nullptr;
  qcc_instance_info info = {};
};

/// Seeded random inputs for a model.
std::vector<HostTensor> randomInputs(const qcc_model_info &model,
                                     uint64_t seed);

/// The tensors of `spec` (see loadTensors) in the order of `infos`: by name;
/// from files without names, in their order. `what` is "input" or "output".
Result<std::vector<HostTensor>> loadFor(const std::string &spec,
                                        const qcc_tensor_info *infos,
                                        uint32_t count, const char *what);

} // namespace qcc

#endif // QCC_TOOLS_QCC_RUN_ARTEFACT_H
