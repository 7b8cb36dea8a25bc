//===- qcc-run.cpp - Runs compiled models ---------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Artefact.h"
#include "Compare.h"
#include "Report.h"
#include "qcc/Support/Npy.h"
#include "qcc/Support/OutputFile.h"
#include "qcc/Support/TensorFile.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

using namespace qcc;

static const char usage[] =
    R"(usage: qcc-run MODEL.so [options]

Runs a model that qcc compiled.

  -inputs=FILE,...   .npz (keys: input names), .npy or .pb files; without it,
                     seeded random inputs
  -seed=N            of the random inputs (0)
  -o=FILE            writes the outputs: .npz, .npy or .pb
  -expect=FILE,...   compares the outputs; a mismatch exits 1
  -rtol=X -atol=X    tolerance of -expect: |got - expected| <= atol +
                     rtol * |expected| (1e-3, 1e-5)
  -bench=N           times N runs: min, median, p99 in ms
  -warmup=W          runs before that (5)
  -profile           time per step, the least of N runs (-bench=N, or 20),
                     its rate and share of this machine's peak (measured)
  -threads=T         0, the default: as many as the process may use
  -describe          inputs, outputs, levels, memory
  -dump-tensors=DIR  every intermediate tensor as .npy (needs qcc -keep-tensors)
  -json              -describe, -bench and -profile in JSON
  -prefix=SYM        of the model's functions (qcc_)

QCC_ISA=LEVEL in the environment caps the instruction set.
)";

namespace {
struct Options {
  std::string model, inputs, output, expect, dump, prefix = "qcc_";
  uint64_t seed = 0, bench = 0, warmup = 5, threads = 0;
  double rtol = 1e-3, atol = 1e-5;
  bool profile = false, describe = false, json = false, help = false;
};
} // namespace

static int fail(const std::string &message) {
  std::fflush(stdout);
  std::fprintf(stderr, "qcc-run: error: %s\n", message.c_str());
  return 1;
}

static bool parseNumber(const std::string &text, uint64_t &to) {
  char *end = nullptr;
  errno = 0;
  to = std::strtoull(text.c_str(), &end, 10);
  return !errno && !text.empty() && !*end && text[0] != '-';
}

static bool parseNumber(const std::string &text, double &to) {
  char *end = nullptr;
  to = std::strtod(text.c_str(), &end);
  return !text.empty() && !*end && to >= 0;
}

/// -name=value, -name value, --name=value; a flag without a value is true.
class OptionParser {
public:
  explicit OptionParser(Options &options)
      : texts{{"inputs", &options.inputs},
              {"o", &options.output},
              {"expect", &options.expect},
              {"dump-tensors", &options.dump},
              {"prefix", &options.prefix}},
        counts{{"seed", &options.seed},
               {"bench", &options.bench},
               {"warmup", &options.warmup},
               {"threads", &options.threads}},
        numbers{{"rtol", &options.rtol}, {"atol", &options.atol}},
        flags{{"profile", &options.profile},
              {"describe", &options.describe},
              {"json", &options.json},
              {"help", &options.help}},
        model(options.model) {}

  Status parse(int argc, char **argv) {
    for (int i = 1; i < argc; ++i) {
      std::string argument = argv[i];
      if (argument.size() < 2 || argument[0] != '-') {
        if (!model.empty())
          return Failure{"more than one model: " + model + ", " + argument};
        model = argument;
        continue;
      }
      argument.erase(0, argument[1] == '-' ? 2 : 1);
      size_t equals = argument.find('=');
      std::string key = argument.substr(0, equals);
      bool hasValue = equals != std::string::npos;
      std::string value = hasValue ? argument.substr(equals + 1) : "";
      if (!hasValue && !flags.count(key) && i + 1 < argc)
        value = argv[++i];
      if (Status status = set(key, value); !status)
        return status;
    }
    return {};
  }

private:
  Status set(const std::string &key, const std::string &value) {
    if (auto it = texts.find(key); it != texts.end()) {
      *it->second = value;
    } else if (auto it = flags.find(key); it != flags.end()) {
      *it->second = value != "false" && value != "0";
    } else if (auto it = counts.find(key); it != counts.end()) {
      if (!parseNumber(value, *it->second) || *it->second > 1000000000)
        return Failure{"-" + key + "=" + value + ": expected a number"};
    } else if (auto it = numbers.find(key); it != numbers.end()) {
      if (!parseNumber(value, *it->second))
        return Failure{"-" + key + "=" + value + ": expected a number"};
    } else {
      return Failure{"no option -" + key + "; see -help"};
    }
    return {};
  }

  std::map<std::string, std::string *> texts;
  std::map<std::string, uint64_t *> counts;
  std::map<std::string, double *> numbers;
  std::map<std::string, bool *> flags;
  std::string &model;
};

static uint64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return uint64_t(time.tv_sec) * 1000000000u + uint64_t(time.tv_nsec);
}

/// Numbers that NumPy has no type for are widened.
static HostTensor forNumPy(HostTensor tensor) {
  if (tensor.dtype != DType::BF16)
    return tensor;
  std::vector<char> wide(tensor.data.size() * 2);
  for (size_t i = 0; i < tensor.data.size() / 2; ++i)
    std::memcpy(&wide[i * 4 + 2], &tensor.data[i * 2], 2);
  tensor.data = std::move(wide);
  tensor.dtype = DType::F32;
  return tensor;
}

/// A file name for a tensor's name, which is none of `taken`: what has the name
/// of another one is numbered.
static std::string fileName(const std::string &name,
                            std::set<std::string> &taken) {
  std::string result;
  for (char c : name)
    result += std::isalnum(static_cast<unsigned char>(c)) || c == '.' ||
                      c == '-' || c == '_'
                  ? c
                  : '_';
  if (result.empty() || result[0] == '.')
    result.insert(0, "_");
  std::string unique = result;
  for (unsigned number = 1; !taken.insert(unique).second; ++number)
    unique = result + "." + std::to_string(number);
  return unique + ".npy";
}

static Status dumpTensors(Artefact &artefact, const std::string &folder) {
  Result<std::vector<HostTensor>> tensors = artefact.tensors();
  if (!tensors)
    return tensors.failure();
  if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    return Failure{"cannot create " + folder + ": " + std::strerror(errno)};
  std::set<std::string> taken;
  for (size_t i = 0; i < tensors->size(); ++i) {
    std::string path = folder + "/" + fileName((*tensors)[i].name, taken);
    Result<std::vector<char>> bytes = writeNpy(forNumPy((*tensors)[i]));
    if (!bytes)
      return Failure{path + ": " + bytes.error()};
    if (Status status = writeFile(path, bytes->data(), bytes->size()); !status)
      return status;
  }
  return {};
}

/// Prints each output that is not as expected; true if all are.
static bool matches(const Artefact &artefact,
                    const std::vector<HostTensor> &outputs,
                    const std::vector<HostTensor> &expected,
                    const Options &options) {
  bool good = true;
  double worst = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Difference difference = compare(forNumPy(outputs[i]), forNumPy(expected[i]),
                                    options.rtol, options.atol);
    worst = std::max(worst, difference.maxAbsolute);
    good &= difference.isMatch();
    const char *name = artefact.model().outputs[i].name;
    if (!difference.problem.empty())
      std::printf("output '%s': %s\n", name, difference.problem.c_str());
    else if (difference.count)
      std::printf("output '%s': %" PRId64 " of %" PRId64
                  " elements differ by more than %g + %g * |expected|; largest "
                  "error %g (relative %g) at element %" PRId64
                  ": got %.9g, expected %.9g\n",
                  name, difference.count, difference.total, options.atol,
                  options.rtol, difference.maxAbsolute, difference.maxRelative,
                  difference.worst, difference.got, difference.expected);
  }
  if (good)
    std::printf("as expected; largest error %g\n", worst);
  return good;
}

static Status bench(Artefact &artefact, std::vector<HostTensor> &inputs,
                    std::vector<HostTensor> &outputs, const Options &options) {
  for (uint64_t i = 0; i < options.warmup; ++i)
    if (Status status = artefact.run(inputs, outputs); !status)
      return status;
  if (!options.profile) {
    std::vector<uint64_t> times;
    for (uint64_t i = 0; i < options.bench; ++i) {
      uint64_t start = now();
      if (Status status = artefact.run(inputs, outputs); !status)
        return status;
      times.push_back(now() - start);
    }
    printTimes(artefact, std::move(times), options.json);
    return {};
  }
  std::vector<uint64_t> least;
  for (uint64_t i = 0, e = options.bench ? options.bench : 20; i < e; ++i) {
    Result<std::vector<uint64_t>> times = artefact.profile(inputs, outputs);
    if (!times)
      return times.failure();
    if (least.empty())
      least = *times;
    for (size_t k = 0; k < least.size(); ++k)
      least[k] = std::min(least[k], (*times)[k]);
  }
  printProfile(artefact, least, options.json);
  return {};
}

static int run(Artefact &artefact, const Options &options) {
  const qcc_model_info &model = artefact.model();
  if (options.describe)
    printDescription(artefact, options.json);
  bool runs = !options.inputs.empty() || !options.output.empty() ||
              !options.expect.empty() || !options.dump.empty() ||
              options.bench || options.profile;
  if (options.describe && !runs)
    return 0;
  std::vector<HostTensor> inputs;
  if (options.inputs.empty()) {
    inputs = randomInputs(model, options.seed);
  } else {
    Result<std::vector<HostTensor>> loaded =
        loadFor(options.inputs, model.inputs, model.num_inputs, "input");
    if (!loaded)
      return fail(loaded.error());
    inputs = std::move(*loaded);
  }
  std::vector<HostTensor> outputs = artefact.makeOutputs();
  if (Status status = artefact.run(inputs, outputs); !status)
    return fail(status.error());
  if (!options.dump.empty())
    if (Status status = dumpTensors(artefact, options.dump); !status)
      return fail("-dump-tensors: " + status.error());
  if (!options.output.empty()) {
    std::vector<HostTensor> saved;
    for (const HostTensor &output : outputs)
      saved.push_back(forNumPy(output));
    if (Status status = saveTensors(options.output, saved); !status)
      return fail(status.error());
  }
  bool good = true;
  if (!options.expect.empty()) {
    Result<std::vector<HostTensor>> expected =
        loadFor(options.expect, model.outputs, model.num_outputs, "output");
    if (!expected)
      return fail(expected.error());
    good = matches(artefact, outputs, *expected, options);
  }
  if (options.bench || options.profile)
    if (Status status = bench(artefact, inputs, outputs, options); !status)
      return fail(status.error());
  return good ? 0 : 1;
}

int main(int argc, char **argv) {
  Options options;
  if (Status status = OptionParser(options).parse(argc, argv); !status)
    return fail(status.error());
  if (options.help) {
    std::fputs(usage, stdout);
    return 0;
  }
  if (options.model.empty())
    return fail("no model given; see -help");
  Result<Artefact> artefact = Artefact::open(options.model, options.prefix);
  if (!artefact)
    return fail(artefact.error());
  if (Status status = artefact->create(int(options.threads)); !status)
    return fail(options.model + ": " + status.error());
  return run(*artefact, options);
}
