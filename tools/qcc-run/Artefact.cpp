//===- Artefact.cpp - A loaded model --------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Artefact.h"

#include "qcc/Support/TensorFile.h"

#include <cstring>
#include <dlfcn.h>
#include <random>

using namespace qcc;

Result<Artefact> Artefact::open(const std::string &path,
                                const std::string &prefix) {
  Artefact artefact;
  // dlopen would search the system for a name without a slash.
  std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  artefact.library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!artefact.library)
    return Failure{std::string("cannot load ") + path + ": " + dlerror()};
  std::string symbol = prefix + "get_api";
  auto getAPI = reinterpret_cast<const qcc_api *(*)()>(
      dlsym(artefact.library, symbol.c_str()));
  if (!getAPI)
    return Failure{path + " is no model of qcc: it has no " + symbol +
                   " (-prefix= names the prefix that it was compiled with)"};
  artefact.api = getAPI();
  if (artefact.api->abi_version != QCC_ABI_VERSION)
    return Failure{path + " has version " +
                   std::to_string(artefact.api->abi_version) +
                   " of the interface, this program version " +
                   std::to_string(QCC_ABI_VERSION)};
  return artefact;
}

Artefact::Artefact(Artefact &&other)
    : library(other.library), api(other.api), instance(other.instance),
      info(other.info) {
  other.library = nullptr;
  other.instance = nullptr;
}

Artefact::~Artefact() {
  if (instance)
    api->destroy(instance);
  if (library)
    dlclose(library);
}

Failure Artefact::failure(int32_t status) const {
  std::string text = instance ? api->last_error(instance) : "";
  return {text.empty() ? api->status_text(status) : text};
}

Status Artefact::create(int threads) {
  qcc_options options = {};
  options.struct_size = sizeof(options);
  options.threads = threads;
  int32_t status = api->create(&options, &instance);
  if (status != QCC_OK)
    return failure(status);
  info.struct_size = sizeof(info);
  api->inspect(instance, &info);
  return {};
}

static HostTensor makeTensor(const qcc_tensor_info &info) {
  HostTensor tensor;
  tensor.name = info.name;
  tensor.dtype = DType(info.dtype);
  tensor.shape.assign(info.shape, info.shape + info.rank);
  tensor.data.resize(size_t(tensor.numElements()) * byteSize(tensor.dtype));
  return tensor;
}

std::vector<HostTensor> Artefact::makeOutputs() const {
  std::vector<HostTensor> outputs;
  for (uint32_t i = 0; i < model().num_outputs; ++i)
    outputs.push_back(makeTensor(model().outputs[i]));
  return outputs;
}

static std::vector<qcc_tensor> views(std::vector<HostTensor> &tensors) {
  std::vector<qcc_tensor> result;
  for (HostTensor &tensor : tensors)
    result.push_back({tensor.data.data(), int32_t(tensor.dtype),
                      int32_t(tensor.shape.size()), tensor.shape.data(),
                      nullptr});
  return result;
}

Status Artefact::run(std::vector<HostTensor> &inputs,
                     std::vector<HostTensor> &outputs) {
  std::vector<qcc_tensor> in = views(inputs), out = views(outputs);
  int32_t status = api->run(instance, in.data(), uint32_t(in.size()),
                            out.data(), uint32_t(out.size()));
  if (status != QCC_OK)
    return failure(status);
  return {};
}

Result<std::vector<uint64_t>>
Artefact::profile(std::vector<HostTensor> &inputs,
                  std::vector<HostTensor> &outputs) {
  std::vector<qcc_tensor> in = views(inputs), out = views(outputs);
  std::vector<uint64_t> times(level().num_steps);
  int32_t status =
      api->profile(instance, in.data(), uint32_t(in.size()), out.data(),
                   uint32_t(out.size()), times.data(), uint32_t(times.size()));
  if (status != QCC_OK)
    return failure(status);
  return times;
}

Result<std::vector<HostTensor>> Artefact::tensors() {
  std::vector<HostTensor> result;
  if (level().num_tensors == 0)
    return Failure{"the model was compiled without -keep-tensors"};
  for (uint32_t i = 0; i < level().num_tensors; ++i) {
    qcc_tensor view = {};
    int32_t status = api->get_tensor(instance, i, &view);
    if (status != QCC_OK)
      return failure(status);
    result.push_back(makeTensor(level().tensors[i]));
    if (!result.back().data.empty())
      std::memcpy(result.back().data.data(), view.data,
                  result.back().data.size());
  }
  return result;
}

template <typename T, typename Distribution>
static void fill(HostTensor &tensor, std::mt19937_64 &random,
                 Distribution distribution) {
  T *data = reinterpret_cast<T *>(tensor.data.data());
  for (size_t i = 0, e = tensor.data.size() / sizeof(T); i < e; ++i)
    data[i] = T(distribution(random));
}

/// Random halves: sign, an exponent of [1/8, 1) and any fraction.
static void fillHalf(HostTensor &tensor, std::mt19937_64 &random,
                     unsigned fractionBits, unsigned bias) {
  auto *data = reinterpret_cast<uint16_t *>(tensor.data.data());
  for (size_t i = 0, e = tensor.data.size() / 2; i < e; ++i) {
    uint64_t bits = random();
    uint64_t exponent = bias - 1 - (bits >> 32) % 3;
    data[i] = uint16_t((bits & 1) << 15 | exponent << fractionBits |
                       (bits >> 8 & ((1u << fractionBits) - 1)));
  }
}

std::vector<HostTensor> qcc::randomInputs(const qcc_model_info &model,
                                          uint64_t seed) {
  std::mt19937_64 random(seed);
  // Distributions of the standard library differ between libraries.
  auto unit = [](std::mt19937_64 &r) {
    return double(r() >> 11) * 0x1p-52 - 1;
  };
  auto byte = [](std::mt19937_64 &r) { return r() >> 56; };
  auto small = [](std::mt19937_64 &r) { return (r() >> 32) % 10; };
  auto bit = [](std::mt19937_64 &r) { return r() >> 63; };
  std::vector<HostTensor> inputs;
  for (uint32_t i = 0; i < model.num_inputs; ++i) {
    HostTensor tensor = makeTensor(model.inputs[i]);
    switch (tensor.dtype) {
    case DType::F32:
      fill<float>(tensor, random, unit);
      break;
    case DType::F64:
      fill<double>(tensor, random, unit);
      break;
    case DType::F16:
      fillHalf(tensor, random, 10, 15);
      break;
    case DType::BF16:
      fillHalf(tensor, random, 7, 127);
      break;
    case DType::Bool:
      fill<uint8_t>(tensor, random, bit);
      break;
    case DType::U8:
    case DType::I8:
      fill<uint8_t>(tensor, random, byte);
      break;
    case DType::U16:
    case DType::I16:
      fill<uint16_t>(tensor, random, small);
      break;
    case DType::U32:
    case DType::I32:
      fill<uint32_t>(tensor, random, small);
      break;
    default:
      fill<uint64_t>(tensor, random, small);
      break;
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

Result<std::vector<HostTensor>> qcc::loadFor(const std::string &spec,
                                             const qcc_tensor_info *infos,
                                             uint32_t count, const char *what) {
  Result<std::vector<HostTensor>> loaded = loadTensors(spec);
  if (!loaded)
    return loaded;
  std::vector<HostTensor> result;
  std::string missing, present;
  for (uint32_t i = 0; i < count; ++i) {
    const HostTensor *found = nullptr;
    for (const HostTensor &tensor : *loaded)
      if (tensor.name == infos[i].name)
        found = &tensor;
    if (found)
      result.push_back(*found);
    else if (missing.empty())
      missing = infos[i].name;
  }
  if (missing.empty())
    return result;
  // The tensors of .npy and .pb files need not have the model's names.
  bool archive = false;
  for (size_t at = 0; at != std::string::npos;) {
    size_t comma = spec.find(',', at);
    archive |= hasExtension(spec.substr(at, comma - at), ".npz");
    at = comma == std::string::npos ? comma : comma + 1;
  }
  if (!archive && loaded->size() == count)
    return loaded;
  for (const HostTensor &tensor : *loaded)
    present += (present.empty() ? "'" : ", '") + tensor.name + "'";
  return Failure{spec + ": no tensor for " + what + " '" + missing +
                 "'; it has " + (present.empty() ? "none" : present)};
}
