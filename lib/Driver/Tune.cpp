//===- Tune.cpp - Tiles by measurement ------------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One knob after the other is turned for all shapes of the model at once: the
// model is compiled so, run in turns with the model as it was, and each shape
// keeps the better of both by the times of its own kernel calls. So a kernel is
// measured with the caches as the model leaves them, and a model costs as many
// compilations as there are knobs, however many shapes it has.
//
//===----------------------------------------------------------------------===//

#include "Tune.h"
#include "TuningFile.h"
#include "qcc/Calibration/Dataset.h"
#include "qcc/Driver/Targets.h"
#include "qcc/Emit/ProfilingRunner.h"
#include "qcc/Support/Progress.h"
#include "qcc/Support/ResultToExpected.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/TargetParser/Host.h"

#include <chrono>
#include <unistd.h>

using namespace mlir;
using namespace qcc;

/// Two variants run in turns for this long, at least and at most so often.
static constexpr double kTrialSeconds = 0.8;
static constexpr unsigned kLeastRuns = 8, kMostRuns = 200;
/// No choice may leave a kernel with fewer tiles, unless the rules do.
static constexpr int64_t kEnoughTiles = 8;
/// A choice must be better than the rules by this, and than another choice.
static constexpr double kLeastGain = 1.03, kBetter = 1.01;
/// The best choices together are measured once more; what is left must be this.
static constexpr double kConfirmedGain = 1.02;

/// The kind of this machine, as far as it decides which tiles are best.
static std::string describeHost() {
  std::string text = llvm::sys::getHostCPUName().str();
#ifdef _SC_LEVEL1_DCACHE_SIZE
  auto kilobytes = [](int name) {
    return std::to_string(std::max(0l, ::sysconf(name)) / 1024);
  };
  text += ", L1 " + kilobytes(_SC_LEVEL1_DCACHE_SIZE) + " KB, L2 " +
          kilobytes(_SC_LEVEL2_CACHE_SIZE) + " KB";
#endif
  return text;
}

namespace {

/// The model, compiled with some choices.
struct Variant {
  std::unique_ptr<ModelRunner> runner;
  /// Of each kernel call its shape, or an empty one.
  std::vector<std::string> calls;
  llvm::StringMap<TileChoice> taken;
  llvm::StringMap<int64_t> tiles; ///< that threads can share
  /// The least seconds of each call.
  std::vector<double> times;
};

/// Measures the shapes of a model at one level.
class Tuner {
public:
  Tuner(ModuleOp module, const TargetBackend &backend, const TargetLevel &level,
        const CompileOptions &options, bool keepsPacking)
      : module(module), backend(backend), level(level), options(options),
        keepsPacking(keepsPacking) {
    this->options.keepTensors = false;
  }

  /// The shapes of the model, in order of their first use.
  llvm::Expected<std::vector<std::string>> shapes();
  /// Measures those of `shapes`, the others as `known` says.
  llvm::Expected<std::vector<TunedShape>> measure(ArrayRef<std::string> shapes,
                                                  const TileChoices &known);

private:
  llvm::Expected<Variant> lower(const TileChoices &choices, bool compile);
  llvm::Error time(Variant &first, Variant &second);
  TileChoices turn(unsigned knob, ArrayRef<std::string> shapes,
                   const Variant &base, const TileChoices &best);
  /// Rows that leave registers for the weights and one activation.
  unsigned rowsFor(unsigned vectors) const {
    unsigned rows = (level.numVectorRegisters - 1 - vectors) / vectors;
    return std::clamp(rows, 1u, TileChoice::maxRows);
  }
  bool mayTakeVectors(unsigned vectors) const {
    return !level.packing ||
           level.packing->lanes() % (vectors * level.lanes()) == 0;
  }

  ModuleOp module;
  const TargetBackend &backend;
  const TargetLevel &level;
  CompileOptions options;
  /// Weights must stay as another level packs them.
  bool keepsPacking;
  std::vector<HostTensor> inputs;
};

} // namespace

/// Seconds of each shape's calls.
static llvm::StringMap<double> secondsByShape(const Variant &variant) {
  llvm::StringMap<double> seconds;
  for (auto [shape, time] : llvm::zip_equal(variant.calls, variant.times))
    if (!shape.empty())
      seconds[shape] += time;
  return seconds;
}

/// The number of knobs that turn() knows.
static constexpr unsigned kKnobs = 7;

/// What is tried by turning a knob, given what was best so far.
TileChoices Tuner::turn(unsigned knob, ArrayRef<std::string> shapes,
                        const Variant &base, const TileChoices &best) {
  TileChoices tried;
  for (const std::string &shape : shapes) {
    auto it = base.taken.find(shape);
    if (it == base.taken.end())
      continue;
    const TileChoice &rules = it->second;
    TileChoice choice = best.lookup(shape);
    bool isMatrix = rules.vectors.has_value();
    if (knob < TileChoice::maxVectors) {
      if (!isMatrix || !mayTakeVectors(knob + 1))
        continue;
      choice.vectors = knob + 1;
      choice.rows = rowsFor(knob + 1);
    } else if (knob == 4 && isMatrix) { // a row more
      unsigned rows = rowsFor(choice.vectors.value_or(*rules.vectors)) + 1;
      choice.rows = std::min(rows, TileChoice::maxRows);
    } else if (knob == 5 && rules.panelsOuter) {
      choice.panelsOuter = !*rules.panelsOuter;
    } else if (knob == 5 && !isMatrix && *rules.rows > 1) {
      choice.rows = std::min(*rules.rows / 2, TileChoice::maxRows);
    } else if (knob == 6 && isMatrix && rules.gathersWindows == false &&
               !keepsPacking) {
      choice.gathersWindows = true;
    } else if (knob == 6 && !isMatrix) {
      choice.rows = std::min(*rules.rows * 2, TileChoice::maxRows);
    } else {
      continue;
    }
    tried[shape] = choice;
  }
  return tried;
}

/// Kernels with these choices; with their code only where asked for.
llvm::Expected<Variant> Tuner::lower(const TileChoices &choices, bool compile) {
  OwningOpRef<ModuleOp> copy(module.clone());
  setTileChoices(*copy, level.name, choices);
  auto pipeline = [](ModuleOp m,
                     llvm::function_ref<void(OpPassManager &)> build) {
    PassManager pm(m.getContext(), ModuleOp::getOperationName());
    build(pm);
    return pm.run(m);
  };
  if (failed(lowerToKernels(*copy, level, options, pipeline)))
    return makeError("-tune: the kernels of level " + level.name +
                     " cannot be generated");
  Variant variant;
  auto main = copy->lookupSymbol<func::FuncOp>("main");
  main.walk([&](func::CallOp call) {
    auto callee = copy->lookupSymbol<func::FuncOp>(call.getCallee());
    auto [shape, taken] = getTiles(callee);
    variant.calls.push_back(shape.str());
    if (shape.empty())
      return;
    variant.taken[shape] = taken;
    variant.tiles[shape] =
        getConstantIntValue(call.getOperands().back()).value_or(0);
  });
  if (!compile)
    return variant;
  auto runner =
      createProfilingRunner(backend, {&level, *copy}, emitOptions(options));
  if (!runner)
    return runner.takeError();
  variant.runner = std::move(*runner);
  return variant;
}

llvm::Expected<std::vector<std::string>> Tuner::shapes() {
  auto variant = lower({}, /*compile=*/false);
  if (!variant)
    return variant.takeError();
  std::vector<std::string> shapes;
  for (const std::string &shape : variant->calls)
    if (!shape.empty() && !llvm::is_contained(shapes, shape))
      shapes.push_back(shape);
  return shapes;
}

/// Runs both in turns; the least time of each call counts.
llvm::Error Tuner::time(Variant &first, Variant &second) {
  first.times.clear();
  second.times.clear();
  auto start = std::chrono::steady_clock::now();
  auto elapsed = [&] {
    std::chrono::duration<double> d = std::chrono::steady_clock::now() - start;
    return d.count();
  };
  for (unsigned run = 0;
       run < kLeastRuns || (run < kMostRuns && elapsed() < kTrialSeconds);
       ++run)
    for (Variant *variant : {&first, &second}) {
      auto steps = variant->runner->profile(inputs);
      if (!steps)
        return steps.takeError();
      if (steps->size() != variant->calls.size())
        return makeError("-tune: the times do not fit the kernels");
      if (variant->times.empty())
        variant->times.assign(steps->size(), HUGE_VAL);
      for (auto [least, step] : llvm::zip_equal(variant->times, *steps))
        least = std::min(least, step.seconds);
    }
  return llvm::Error::success();
}

llvm::Expected<std::vector<TunedShape>>
Tuner::measure(ArrayRef<std::string> shapes, const TileChoices &known) {
  auto specs = getInputSpecs(module);
  if (!specs)
    return specs.takeError();
  for (const InputSpec &spec : *specs) {
    inputs.push_back({spec.name, spec.dtype, spec.shape, {}});
    inputs.back().data.resize(size_t(*byteCount(spec.shape, spec.dtype)));
  }

  Progress progress("tuning " + level.name, kKnobs + 2);
  auto base = lower(known, /*compile=*/true);
  if (!base)
    return base.takeError();
  progress.step();
  TileChoices best = known;
  llvm::StringMap<double> gains;
  /// The gain of each shape in `variant`, timed against the rules.
  auto compare =
      [&](Variant &variant,
          llvm::function_ref<void(StringRef, double)> use) -> llvm::Error {
    if (llvm::Error error = time(*base, variant))
      return error;
    llvm::StringMap<double> before = secondsByShape(*base),
                            after = secondsByShape(variant);
    for (const std::string &shape : shapes)
      if (after.contains(shape))
        use(shape, before.lookup(shape) / after.lookup(shape));
    return llvm::Error::success();
  };

  for (unsigned knob = 0; knob < kKnobs; ++knob, progress.step()) {
    TileChoices tried = turn(knob, shapes, *base, best), all = best;
    for (auto &entry : tried)
      all[entry.getKey()] = entry.getValue();
    auto plan = lower(all, /*compile=*/false);
    if (!plan)
      return plan.takeError();
    // Some choices end in what the rules take; others leave threads no work.
    auto isNew = [&](StringRef shape) {
      return tried.contains(shape) && plan->taken.contains(shape) &&
             plan->taken.lookup(shape) != base->taken.lookup(shape) &&
             plan->tiles.lookup(shape) >=
                 std::min(base->tiles.lookup(shape), kEnoughTiles);
    };
    if (llvm::none_of(shapes, isNew))
      continue;
    auto variant = lower(all, /*compile=*/true);
    if (!variant)
      return variant.takeError();
    if (llvm::Error error =
            compare(*variant, [&](StringRef shape, double gain) {
              double &bestGain = gains.try_emplace(shape, 1.0).first->second;
              if (isNew(shape) && gain >= kLeastGain &&
                  gain >= bestGain * kBetter) {
                best[shape] = tried.lookup(shape);
                bestGain = gain;
              }
            }))
      return std::move(error);
  }

  auto chosen = lower(best, /*compile=*/true);
  if (!chosen)
    return chosen.takeError();
  std::vector<TunedShape> result;
  if (llvm::Error error = compare(*chosen, [&](StringRef shape, double gain) {
        TunedShape entry{shape.str(), {}, 1};
        if (best.contains(shape) && gain >= kConfirmedGain) {
          entry.choice = best.lookup(shape);
          entry.gain = std::round(gain * 100) / 100;
        }
        result.push_back(std::move(entry));
      }))
    return std::move(error);
  progress.step();
  return result;
}

/// The choices of one level: from the file, measured where it has none.
static llvm::Error tuneLevel(ModuleOp module, const TargetBackend &backend,
                             const TargetLevel &level, bool keepsPacking,
                             const CompileOptions &options, TuningFile &file) {
  Tuner tuner(module, backend, level, options, keepsPacking);
  auto shapes = tuner.shapes();
  if (!shapes)
    return shapes.takeError();
  std::string host = describeHost();
  TunedLevel *entry = file.find(host, level.name);
  bool measurable = canRunHere(backend, level);
  if (!entry && !measurable) {
    entry = file.findOnly(level.name);
    std::string why = "-tune: this machine cannot run level " + level.name +
                      ", and no file has its tiles; ";
    if (!entry && !keepsPacking)
      return makeError(why + "write one with -tune=FILE on one that can");
    if (!entry) {
      emitRemark(module.getLoc()) << why << "it keeps the rules";
      return llvm::Error::success();
    }
  }
  if (!entry) {
    file.levels.push_back({host, level.name, {}});
    entry = &file.levels.back();
  }
  std::vector<std::string> missing;
  for (const std::string &shape : *shapes)
    if (!entry->find(shape))
      missing.push_back(shape);
  if (!missing.empty() && measurable) {
    auto measured = tuner.measure(missing, entry->choices());
    if (!measured)
      return measured.takeError();
    llvm::append_range(entry->kernels, *measured);
  }
  size_t others = llvm::count_if(*shapes, [&](const std::string &shape) {
    const TunedShape *tuned = entry->find(shape);
    return tuned && tuned->choice != TileChoice();
  });
  emitRemark(module.getLoc())
      << "-tune: level " << level.name << ": " << shapes->size() << " shapes, "
      << (measurable ? missing.size() : 0) << " measured, " << others
      << " not cut by the rules";
  setTileChoices(module, level.name, entry->choices());
  return llvm::Error::success();
}

llvm::Error qcc::tuneLevels(ModuleOp module, const TargetBackend &backend,
                            ArrayRef<TargetLevel> levels,
                            const CompileOptions &options) {
  const std::string &path = *options.tune;
  TuningFile file;
  if (!path.empty() && llvm::sys::fs::exists(path)) {
    auto loaded = TuningFile::load(path);
    if (!loaded)
      return loaded.takeError();
    file = std::move(*loaded);
  }
  std::string before = file.print();
  // Those that pack weights for others come first.
  for (bool shares : {false, true})
    for (const TargetLevel &level : levels)
      if ((level.packing != nullptr) == shares)
        if (llvm::Error error =
                tuneLevel(module, backend, level,
                          /*keepsPacking=*/levels.size() > 1, options, file))
          return error;
  if (path.empty() || file.print() == before)
    return llvm::Error::success();
  return file.save(path);
}
