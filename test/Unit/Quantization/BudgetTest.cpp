//===- BudgetTest.cpp - Budgets, choices within them, plans ---------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/Budget.h"
#include "qcc/Quantization/PrecisionPlan.h"
#include "qcc/Quantization/PrecisionSearch.h"

#include "../UnitTest.h"

#include <cmath>

using namespace qcc;
using namespace qcc::test;

TEST(Budget, ParsesEachMetric) {
  struct Case {
    const char *text;
    DropMetric metric;
    double limit;
    unsigned classes = 1;
  };
  for (const Case &c : {Case{"top1:1%", DropMetric::TopK, 0.01},
                        Case{"top5:1%", DropMetric::TopK, 0.01, 5},
                        Case{"agreement:0.02", DropMetric::Agreement, 0.02},
                        Case{"agreement5:2%", DropMetric::Agreement, 0.02, 5},
                        Case{"kl:0.01", DropMetric::Divergence, 0.01},
                        Case{"sqnr:20", DropMetric::Noise, 0.01},
                        Case{"cosine:0.99", DropMetric::Angle, 0.01},
                        Case{"metric:0.5", DropMetric::User, 0.5}}) {
    auto budget = DropBudget::parse(c.text);
    ASSERT_TRUE(bool(budget)) << c.text;
    EXPECT_EQ(budget->metric, c.metric);
    EXPECT_EQ(budget->classes, c.classes);
    EXPECT_NEAR(budget->limit, c.limit, 1e-12);
  }
  for (const char *text :
       {"", "kl", "kl:", "kl:x", "kl:1%", "kl:-1", "top0:1%", "top:1%",
        "topx:1%", "top1:100%", "agreement0:1%", "metric:1%", "agreement:2",
        "cosine:1.5", "sqnr:inf"}) {
    auto budget = DropBudget::parse(text);
    EXPECT_FALSE(bool(budget)) << text;
    llvm::consumeError(budget.takeError());
  }
}

TEST(Budget, BoundIsAboveTheMean) {
  // Ten samples, one of which lost: 0.1 +- 1.645 * sqrt(0.1 / 10).
  std::vector<double> losses(10, 0);
  losses[3] = 1;
  BoundedMean bounded = boundMean(losses, /*isRate=*/false);
  EXPECT_NEAR(bounded.mean, 0.1, 1e-12);
  EXPECT_NEAR(bounded.upper, 0.1 + 1.645 * 0.1, 1e-9);
  // Samples that lost nothing do not prove that none can.
  std::vector<double> none(299, 0);
  EXPECT_EQ(boundMean(none, false).upper, 0);
  EXPECT_NEAR(boundMean(none, true).upper, 0.01, 1e-4);
  EXPECT_NEAR(finestRate(299), 0.01, 1e-4);
  EXPECT_EQ(finestRate(0), 1);
}

TEST(Budget, ChoosesTheMostTimeWithinTheLoss) {
  std::vector<double> losses = {6, 5, 5, 0, 1}, gains = {6, 5, 4, 1, -1};
  // 5 + 5 gains 9; 6 alone gains 6. The layer without loss always goes, the
  // one without gain never.
  llvm::BitVector keepFloat = chooseFloatLayers(losses, gains, 10);
  EXPECT_TRUE(keepFloat.test(0));
  EXPECT_FALSE(keepFloat.test(1));
  EXPECT_FALSE(keepFloat.test(2));
  EXPECT_FALSE(keepFloat.test(3));
  EXPECT_TRUE(keepFloat.test(4));
  EXPECT_EQ(chooseFloatLayers(losses, gains, 100).count(), 1u);
  EXPECT_EQ(chooseFloatLayers(losses, gains, 0).count(), 4u);
  EXPECT_EQ(chooseFloatLayers({}, {}, 1).size(), 0u);
  // All of the loss allows all, though its parts are rounded up.
  std::vector<double> parts = {1e-4, 0.95, 2e-4, 3e-4}, same(4, 1);
  double sum = parts[0] + parts[1] + parts[2] + parts[3];
  EXPECT_EQ(chooseFloatLayers(parts, same, sum).count(), 0u);
}

TEST(PrecisionPlan, RoundTrip) {
  PrecisionPlan plan;
  plan.layers.resize(3);
  plan.layers[0] = {
      "conv: \"1\"", Precision::Float, "too noisy", 8.5, 12, 0, 4};
  plan.layers[1].name = "fc";
  plan.layers[2] = {"mix", Precision::Int16, "", 9, 12, 6, 4};
  plan.budget = "-max-drop=kl:0.01";
  plan.times = "measured at avx2 on 2 threads";
  plan.points.resize(2);
  plan.points[0] = {2, 0.5, 1000, 64, true, 0.125, 0.25, "chosen"};
  plan.points[1] = {0, 0.75, 0, 0, false, 0, 0, "holds"};
  TempFolder folder;
  std::string path = folder.path("p.yaml");
  ASSERT_FALSE(bool(plan.save(path)));
  auto back = PrecisionPlan::load(path);
  ASSERT_TRUE(bool(back)) << llvm::toString(back.takeError());
  ASSERT_EQ(back->layers.size(), 3u);
  EXPECT_EQ(back->layers[0].name, plan.layers[0].name);
  EXPECT_EQ(back->layers[0].reason, "too noisy");
  EXPECT_EQ(back->layers[0].noiseDecibels, 8.5);
  EXPECT_EQ(back->budget, plan.budget);
  EXPECT_EQ(back->times, plan.times);
  ASSERT_EQ(back->points.size(), 2u);
  EXPECT_EQ(back->points[0].bytes, 1000u);
  EXPECT_EQ(back->points[0].upper, 0.25);
  EXPECT_EQ(back->points[0].verdict, "chosen");
  EXPECT_EQ(back->points[1].milliseconds, 0.75);
  EXPECT_EQ(back->layersOf(Precision::Float),
            std::vector<std::string>{"conv: \"1\""});
  EXPECT_EQ(back->layersOf(Precision::Int16), std::vector<std::string>{"mix"});
  EXPECT_EQ(back->layers[2].int16Microseconds, 6);
}

TEST(PrecisionPlan, ErrorsNameTheLine) {
  auto errorOf = [](const std::string &text) {
    auto plan = PrecisionPlan::parse(text, "p.yaml");
    return plan ? "" : llvm::toString(plan.takeError());
  };
  EXPECT_EQ(errorOf("version: 1\nlayers:\n- {name: a, precision: int8}\n"), "");
  EXPECT_NE(errorOf("version: 1\nlayers:\n- {name: a, precision: int4}\n")
                .find("'precision' is 'int4'"),
            std::string::npos);
  EXPECT_NE(errorOf("version: 1\nlayers: []\n---\nversion: 1\nlayers: []\n")
                .find("p.yaml: a precision plan is one document"),
            std::string::npos);
  EXPECT_NE(errorOf("version: 2\nlayers: []\n").find("version 1"),
            std::string::npos);
  EXPECT_NE(errorOf("version: 1\nlayers:\n- {name: a, precision: int8}\n"
                    "- {name: a, precision: int8}\n")
                .find("twice"),
            std::string::npos);
  EXPECT_NE(
      errorOf("version: 1\nlayers:\n- {name: a, mix: 1}\n").find("p.yaml:3"),
      std::string::npos);
  EXPECT_NE(errorOf("\x01[").find("p.yaml"), std::string::npos);
}
