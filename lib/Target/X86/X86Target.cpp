//===- X86Target.cpp - Levels of x86-64 -----------------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Target/X86/X86Target.h"
#include "X86MicroKernels.h"
#include "X86TileKernels.h"
#include "qcc/Target/LevelCosts.h"

using namespace qcc;

/// Of 128- and 256-bit vectors, without the time of a division.
static constexpr LevelCosts makeNarrowCosts(double divisionCycles) {
  LevelCosts costs = {};
  costs.processor = "Sapphire Rapids";
  costs.issue = 6;
  costs.vectors = 3;
  costs.products = costs.dots = costs.conversions = costs.shuffles = 2;
  costs.loads = 3;
  costs.stores = 2;
  costs.divisionCycles = divisionCycles;
  costs.latency = 4;
  costs.nearSize = 2 << 20;
  costs.nearBytes = 32;
  costs.farBytes = 7;
  return costs;
}

/// Without FMA additions have ports of their own.
static constexpr LevelCosts makeBaselineCosts() {
  LevelCosts costs = makeNarrowCosts(/*divisionCycles=*/3);
  costs.products = 3;
  return costs;
}

static constexpr LevelCosts makeWideCosts() {
  LevelCosts costs = makeNarrowCosts(/*divisionCycles=*/10);
  costs.vectors = 2;
  costs.shuffles = costs.stores = 1;
  costs.loads = 2;
  return costs;
}

static constexpr LevelCosts makeTileCosts() {
  LevelCosts costs = makeWideCosts();
  costs.tileDot = costs.tileStore = 16;
  costs.tileLoad = 8;
  return costs;
}

/// docs/costs.md says where the figures are from.
static constexpr LevelCosts costs128 = makeBaselineCosts(),
                            costs256 = makeNarrowCosts(/*divisionCycles=*/5),
                            costs512 = makeWideCosts(),
                            costsTiles = makeTileCosts();

namespace {
class X86Target : public TargetBackend {
public:
  X86Target() {
    // The generic CPUs of the psABI levels: a named CPU would bring features
    // that the runtime does not ask for. The features spell out all that it
    // does ask for.
    TargetLevel baseline;
    baseline.name = "baseline";
    baseline.cpu = "x86-64-v2";
    baseline.features = "+cx16,+popcnt,+sahf,+sse3,+ssse3,+sse4.1,+sse4.2";
    baseline.vectorBytes = 16;
    baseline.int8Tile = {3, 2};
    baseline.floatTile = {6, 2};
    baseline.hasInt16Dot = true;
    baseline.costs = &costs128;
    baseline.micro = createMultiplyAddKernels(16);

    TargetLevel avx2 = baseline;
    avx2.name = "avx2";
    avx2.cpu = "x86-64-v3";
    avx2.features += ",+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe";
    avx2.vectorBytes = 32;
    avx2.hasFMA = true;
    avx2.int8Tile = {4, 2};
    avx2.floatTile = {6, 2};
    avx2.costs = &costs256;
    avx2.micro = createMultiplyAddKernels(32);

    TargetLevel avxVnni = avx2;
    avxVnni.name = "avx-vnni";
    avxVnni.features += ",+avxvnni";
    // LLVM would make two instructions of some vpdpwssd.
    avxVnni.tuning = "+fast-dpwssd";
    avxVnni.hasInt8Dot = true;
    avxVnni.int8Tile = {6, 2};
    avxVnni.micro = createVNNIKernels(32, /*hasTableLookup=*/false);

    TargetLevel avx512 = avx2;
    avx512.name = "avx512-vnni";
    avx512.cpu = "x86-64-v4";
    avx512.features += ",+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"
                       ",+avx512vnni,+avx512vbmi";
    avx512.tuning = avxVnni.tuning;
    avx512.vectorBytes = 64;
    avx512.numVectorRegisters = 32;
    avx512.hasInt8Dot = true;
    avx512.int8Tile = {6, 4};
    avx512.floatTile = {6, 4};
    avx512.costs = &costs512;
    avx512.micro = createVNNIKernels(64, /*hasTableLookup=*/true);

    // The rest of the kernels are those of AVX512-VNNI, and so is the packing
    // of weights. Processors have all of this, or none; but a hypervisor may
    // hide a part.
    TargetLevel amx = avx512;
    amx.name = "amx";
    amx.features += ",+amx-tile,+amx-int8,+amx-bf16,+avx512bf16";
    amx.costs = &costsTiles;
    amx.tiles = createAMXKernels();

    // One packing of weights for all levels.
    auto packing = std::make_shared<const TargetLevel>(avx512);
    for (TargetLevel *level : {&baseline, &avx2, &avxVnni})
      level->packing = packing;

    all = {baseline, avx2, avxVnni, avx512, amx};
    for (unsigned i = 0; i < all.size(); ++i)
      all[i].rank = i;
  }

  llvm::StringRef name() const override { return "x86-64"; }
  llvm::StringRef triple() const override { return "x86_64-unknown-linux-gnu"; }
  llvm::StringRef emulation() const override { return "elf_x86_64"; }
  llvm::ArrayRef<TargetLevel> levels() const override { return all; }

private:
  std::vector<TargetLevel> all;
};
} // namespace

std::unique_ptr<TargetBackend> qcc::createX86Target() {
  return std::make_unique<X86Target>();
}
