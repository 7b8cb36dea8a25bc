//===- AArch64Target.cpp - Levels of 64-bit Arm ---------------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Target/AArch64/AArch64Target.h"
#include "AArch64MicroKernels.h"
#include "qcc/Target/LevelCosts.h"

using namespace qcc;

static constexpr LevelCosts makeA72Costs() {
  LevelCosts costs = {};
  costs.processor = "Cortex-A72";
  costs.issue = 3;
  costs.vectors = 2;
  costs.products = costs.dots = costs.conversions = costs.shuffles = 1;
  costs.loads = 1;
  costs.stores = 0.5;
  costs.divisionCycles = 34;
  costs.latency = 5;
  costs.takesParts = true;
  costs.nearSize = 1 << 20;
  costs.nearBytes = 8;
  costs.farBytes = 2;
  return costs;
}

static constexpr LevelCosts makeA76Costs() {
  LevelCosts costs = {};
  costs.processor = "Cortex-A76";
  costs.issue = 4;
  costs.vectors = costs.products = costs.dots = costs.shuffles = 2;
  costs.conversions = 0.5;
  costs.loads = 2;
  costs.stores = 1;
  costs.divisionCycles = 7;
  costs.latency = 4;
  costs.takesParts = true;
  costs.nearSize = 512 << 10;
  costs.nearBytes = 16;
  costs.farBytes = 4;
  return costs;
}

/// docs/costs.md says where the figures are from.
static constexpr LevelCosts costsA72 = makeA72Costs(),
                            costsA76 = makeA76Costs();

namespace {
class AArch64Target : public TargetBackend {
public:
  AArch64Target() {
    TargetLevel neon;
    neon.name = "neon";
    neon.cpu = "generic";
    neon.features = "+fp-armv8,+neon";
    neon.vectorBytes = 16;
    neon.numVectorRegisters = 32;
    neon.hasFMA = true;
    neon.unsignedActivations = false;
    neon.activationLoadBytes = 16;
    neon.int8Tile = {4, 2};
    neon.floatTile = {8, 2};
    neon.costs = &costsA72;
    neon.micro = createNeonKernels();

    TargetLevel dotprod = neon;
    dotprod.name = "dotprod";
    dotprod.features += ",+dotprod";
    dotprod.hasInt8Dot = true;
    dotprod.int8Tile = {8, 2};
    dotprod.costs = &costsA76;
    dotprod.micro = createDotProdKernels();

    all = {neon, dotprod};
    for (unsigned i = 0; i < all.size(); ++i)
      all[i].rank = i;
  }

  llvm::StringRef name() const override { return "arm64"; }
  llvm::StringRef triple() const override {
    return "aarch64-unknown-linux-gnu";
  }
  llvm::StringRef emulation() const override { return "aarch64linux"; }
  llvm::ArrayRef<TargetLevel> levels() const override { return all; }

private:
  std::vector<TargetLevel> all;
};
} // namespace

std::unique_ptr<TargetBackend> qcc::createAArch64Target() {
  return std::make_unique<AArch64Target>();
}
