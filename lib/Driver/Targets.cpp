//===- Targets.cpp - The targets that -target= can name -------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Driver/Targets.h"
#include "qcc/Driver/RegisterTargets.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace llvm;

namespace qcc {

namespace {
/// What a user may write: the name, the backend, the level (empty: all).
struct TargetAlias {
  StringRef name, backend, level;
};
} // namespace

static constexpr TargetAlias aliases[] = {
    {"x86-64", "x86-64", ""},
    {"x86-64-v2", "x86-64", "baseline"},
    {"x86-64-v3", "x86-64", "avx2"},
    {"x86-avx-vnni", "x86-64", "avx-vnni"},
    {"x86-avx512-vnni", "x86-64", "avx512-vnni"},
    {"x86-amx", "x86-64", "amx"},
    {"arm64", "arm64", ""},
    {"arm64-neon", "arm64", "neon"},
    {"arm64-dotprod", "arm64", "dotprod"},
};

static const TargetBackend *findBackend(StringRef name) {
  for (const auto &backend : registeredTargets())
    if (backend->name() == name)
      return backend.get();
  return nullptr;
}

Expected<TargetSpec> resolveTarget(StringRef name) {
  if (name == "native")
    return hostTarget();
  for (const TargetAlias &alias : aliases) {
    if (alias.name != name)
      continue;
    TargetSpec spec;
    spec.backend = findBackend(alias.backend);
    for (auto [i, level] : enumerate(spec.backend->levels()))
      if (alias.level.empty() || level.name == alias.level)
        spec.levels.push_back(i);
    return spec;
  }
  std::string known = "native";
  for (const TargetAlias &alias : aliases)
    known += ", " + alias.name.str();
  return createStringError("-target=" + name + ": no such target; there are " +
                           known);
}

/// Whether Linux lets this process use the tile registers of AMX.
static bool mayUseTiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long requestPermission = 0x1023, tileData = 18;
  return ::syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

/// Whether the host has every feature that the level's kernels use.
static bool hostHas(const TargetLevel &level, const StringMap<bool> &host) {
  SmallVector<StringRef> features;
  StringRef(level.features).split(features, ',', -1, false);
  return all_of(features,
                [&](StringRef feature) {
                  return !feature.consume_front("+") || host.lookup(feature);
                }) &&
         (!level.tiles || mayUseTiles());
}

/// The processor family of this machine; null if it is no target.
static const TargetBackend *hostBackend() {
  Triple triple(sys::getProcessTriple());
  return findBackend(triple.isX86()       ? "x86-64"
                     : triple.isAArch64() ? "arm64"
                                          : "");
}

bool canRunHere(const TargetBackend &backend, const TargetLevel &level) {
  return &backend == hostBackend() && hostHas(level, sys::getHostCPUFeatures());
}

Expected<TargetSpec> hostTarget() {
  const TargetBackend *backend = hostBackend();
  if (!backend)
    return createStringError("-target=native: this machine (" +
                             sys::getProcessTriple() +
                             ") is no target of qcc; name one with -target=");
  // The features, not the CPU's name: LLVM mistakes some CPUs for others.
  StringMap<bool> host = sys::getHostCPUFeatures();
  TargetSpec spec;
  spec.backend = backend;
  for (auto [i, level] : enumerate(backend->levels()))
    if (hostHas(level, host))
      spec.levels = {unsigned(i)};
  if (spec.levels.empty())
    return createStringError(
        "-target=native: this machine lacks even the baseline " +
        backend->levels().front().features);
  return spec;
}

void printTargets(raw_ostream &os) {
  os << format("%-18s", "native") << "the best level of this machine\n";
  for (const TargetAlias &alias : aliases) {
    const TargetBackend *backend = findBackend(alias.backend);
    os << format("%-18s", alias.name.data());
    bool first = true;
    for (const TargetLevel &level : backend->levels()) {
      if (!alias.level.empty() && level.name != alias.level)
        continue;
      os << (first ? "" : ", ") << level.name;
      first = false;
    }
    os << (alias.level.empty() ? " (chosen at load)\n" : "\n");
  }
}

} // namespace qcc
