//===- CalibrationTableTest.cpp - Calibration tables ----------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Calibration/CalibrationTable.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include "../UnitTest.h"

using namespace qcc;
using namespace qcc::test;

static std::string errorOf(const std::string &text) {
  auto table = CalibrationTable::parse(text, "t.yaml");
  return table ? "" : llvm::toString(table.takeError());
}

static std::string withEntry(const std::string &entry) {
  return "version: 1\ntensors:\n- " + entry + "\n";
}

TEST(CalibrationTable, RoundTrip) {
  CalibrationTable table;
  table.samples = 3;
  table.keepFloat = {"conv0", "a \"b\", c"};
  CalibrationEntry entry;
  entry.id = "layer \"1\"/x:0\n";
  entry.min = -1.f / 3;
  entry.max = 1e-30f;
  entry.method = "mse";
  entry.observedMin = -0.5f;
  entry.observedMax = 16777216.f;
  entry.count = 12;
  entry.zeros = 0.25;
  entry.quantiles = {-1, 0, 1};
  ASSERT_TRUE(table.add(entry));
  EXPECT_FALSE(table.add(entry));
  TempFolder folder;
  std::string path = folder.path("t.yaml");
  ASSERT_FALSE(bool(table.save(path)));
  auto back = CalibrationTable::load(path);
  ASSERT_TRUE(bool(back)) << llvm::toString(back.takeError());
  EXPECT_EQ(back->samples, 3u);
  EXPECT_EQ(back->keepFloat, table.keepFloat);
  const CalibrationEntry *read = back->find(entry.id);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->min, entry.min);
  EXPECT_EQ(read->max, entry.max);
  EXPECT_EQ(read->method, "mse");
  EXPECT_EQ(read->observedMax, entry.observedMax);
  EXPECT_EQ(read->quantiles, entry.quantiles);
  EXPECT_FALSE(back->find("other"));
}

TEST(CalibrationTable, CorrectionsRoundTrip) {
  CalibrationTable table;
  table.ptq = "gptq,correct-bias";
  table.correctedWithFloat = {"b"};
  LayerCorrection layer;
  layer.name = "layer \"1\"\n";
  layer.fingerprint = 0xfedcba9876543210;
  layer.rounding = {"a.(2,0,-1)", ""};
  layer.biasCorrection = {-1.f / 3, 1e-30f};
  table.layers = {layer, LayerCorrection()};
  table.channels = {{"smooth", "a \"b\"", {1.f / 3}, {0.25f}, {1e-20f}}};
  std::string text;
  llvm::raw_string_ostream os(text);
  table.print(os);
  auto back = CalibrationTable::parse(text, "t.yaml");
  ASSERT_TRUE(bool(back)) << llvm::toString(back.takeError());
  EXPECT_EQ(back->ptq, table.ptq);
  EXPECT_EQ(back->correctedWithFloat, table.correctedWithFloat);
  ASSERT_EQ(back->layers.size(), 2u);
  EXPECT_EQ(back->layers[0].name, layer.name);
  EXPECT_EQ(back->layers[0].fingerprint, layer.fingerprint);
  EXPECT_EQ(back->layers[0].rounding, layer.rounding);
  EXPECT_EQ(back->layers[0].biasCorrection, layer.biasCorrection);
  EXPECT_TRUE(back->layers[1].rounding.empty());
  ASSERT_EQ(back->channels.size(), 1u);
  EXPECT_EQ(back->channels[0].algorithm, "smooth");
  EXPECT_EQ(back->channels[0].layer, "a \"b\"");
  EXPECT_EQ(back->channels[0].maxima, table.channels[0].maxima);
  EXPECT_EQ(back->channels[0].deviations, table.channels[0].deviations);
}

TEST(CalibrationTable, EmptyAndMinimal) {
  CalibrationTable table;
  std::string text;
  llvm::raw_string_ostream os(text);
  table.print(os);
  EXPECT_EQ(errorOf(text), "");
  EXPECT_EQ(errorOf(withEntry("{id: a, min: -1, max: 2}")), "");
}

TEST(CalibrationTable, ErrorsNameTheLine) {
  struct Case {
    std::string text, expected;
  };
  for (const Case &c : {
           Case{withEntry("{id: a, min: 1, max: 0}"), "t.yaml:3:"},
           Case{withEntry("{id: a, min: 1, max: 0}"), "greater than 'max'"},
           Case{withEntry("{id: a, min: x, max: 0}"), "not a finite number"},
           Case{withEntry("{id: a, min: nan, max: 0}"), "not a finite number"},
           Case{withEntry("{id: a, min: 0, max: 1e60}"), "too large"},
           Case{withEntry("{id: a, min: 0}"), "needs 'id', 'min' and 'max'"},
           Case{withEntry("{id: a, min: 0, max: 1, mix: 2}"), "'mix'"},
           Case{withEntry("{id: a, min: 0, min: 0, max: 1}"), "twice"},
           Case{withEntry("{id: a, min: 0, max: 1}\n- {id: a, min: 0, max: 1}"),
                "t.yaml:4:"},
           Case{withEntry("{id: [a], min: 0, max: 1}"), "single value"},
           Case{"version: 2\n", "only version 1"},
           Case{"version: 1\nsamples: -1\n", "t.yaml:2:"},
           Case{"samples: 1\n", "version: 1"},
           Case{"version: 1\ntensors: {}\n", "list of tensors"},
           Case{"version: 1\nlayers: 3\n", "list of layers"},
           Case{"version: 1\nchannels:\n- {algorithm: smooth, input_of: a, "
                "maxima: [1], means: [], deviations: [1]}\n",
                "as many 'maxima' as"},
           Case{"version: 1\nlayers:\n- {name: a}\n",
                "needs 'name' and 'weights'"},
           Case{"version: 1\nlayers:\n- {name: a, weights: xyz}\n",
                "'xyz' is no hexadecimal number"},
           Case{"version: 1\nlayers:\n- {name: a, weights: 1}\n"
                "- {name: a, weights: 1}\n",
                "t.yaml:4:"},
           Case{withEntry("{id: a, min: 0, max: 1}") + "---\nversion: 1\n",
                "t.yaml:5:"},
           Case{withEntry("{id: a, min: 0, max: 1}") + "...\n---\n- 1\n",
                "one document"},
           Case{"", "key: value"},
           Case{"[1, 2]", "key: value"},
           Case{"version: 1\ntensors: [", "t.yaml:2:"},
           Case{"version: \"1", "t.yaml:1:"},
           Case{"\x01\xff\xfe", ""},
           Case{std::string(100000, '['), "key: value"},
       }) {
    std::string error = errorOf(c.text);
    EXPECT_NE(error, "") << c.text;
    EXPECT_NE(error.find(c.expected), std::string::npos) << error;
  }
}

TEST(CalibrationTable, TruncationAndNestingNeverCrash) {
  std::string text = "version: 1\nsamples: 2\ntensors:\n"
                     "- id: \"a\"\n  min: -1\n  max: 2\n  quantiles: [1, 2]\n";
  for (size_t size = 0; size <= text.size(); ++size)
    errorOf(text.substr(0, size));
  std::string nested = "version: 1\ntensors:\n";
  for (int i = 0; i < 50000; ++i)
    nested += "- ";
  EXPECT_NE(errorOf(nested), "");
  EXPECT_NE(errorOf("version: 1\ntensors: " + std::string(100000, '[')), "");
}
