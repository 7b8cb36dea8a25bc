//===- SavedCorrectionsTest.cpp - Rounding in a table ---------------------===//
//
// Part of the qcc project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "qcc/Quantization/SavedCorrections.h"

#include "gtest/gtest.h"

#include <random>

using namespace qcc;

static std::string errorOf(llvm::StringRef text, size_t count) {
  auto differences = decodeRounding(text, count);
  return differences ? "" : llvm::toString(differences.takeError());
}

TEST(SavedCorrections, Encoding) {
  EXPECT_EQ(encodeRounding({}), "");
  EXPECT_EQ(encodeRounding({0, 0, 0, 0}), "-");
  EXPECT_EQ(encodeRounding({0, 0, 1, 0, 0, 0}), "n-");
  EXPECT_EQ(encodeRounding({1, 0, 0, 0, 0, 0, 0}), "v-");
  EXPECT_EQ(encodeRounding({0, 0, 0, 1}), ".v");
  EXPECT_EQ(encodeRounding({-1, -1, -1, 1, 1, 1}), "az");
  EXPECT_EQ(encodeRounding({0, 0, -1, 0, 0, 1}), "mn");
  EXPECT_EQ(encodeRounding({1, -2, 0, 0, 0, 0, 0, 3}), "(1,-2,0).(0,3,0)");
}

TEST(SavedCorrections, RoundTrip) {
  std::mt19937 random(3);
  for (size_t count = 0; count < 40; ++count)
    for (int largest : {0, 1, 2, 254}) {
      std::uniform_int_distribution<int> draw(-largest, largest);
      std::vector<int> differences(count);
      for (int &difference : differences)
        difference = draw(random);
      auto back = decodeRounding(encodeRounding(differences), count);
      ASSERT_TRUE(bool(back)) << llvm::toString(back.takeError());
      EXPECT_EQ(*back, differences);
    }
}

TEST(SavedCorrections, Malformed) {
  EXPECT_NE(errorOf("A", 3).find("'A' is neither"), std::string::npos);
  EXPECT_NE(errorOf("..", 3).find("more than the 3 weights"),
            std::string::npos);
  EXPECT_EQ(errorOf("..", 4), "");
  EXPECT_EQ(errorOf("..-", 4), "");
  EXPECT_NE(errorOf("-.", 4).find("'-' is neither"), std::string::npos);
  for (const char *text : {"(", "()", "(1,2)", "(1,2,3", "(1,2,3,4)"})
    EXPECT_NE(errorOf(text, 3).find("three numbers"), std::string::npos)
        << text;
  EXPECT_NE(errorOf("(1,x,3)", 3).find("'x' is no number"), std::string::npos);
  EXPECT_NE(errorOf("(1,99999999999,3)", 3), "");
}

TEST(SavedCorrections, CutShort) {
  for (const std::vector<int> &differences :
       {std::vector<int>{1, 0, 0, 0, -2, 0, 1}, {0, 0, 0, 1, 0, 0, 0, 0, 0}}) {
    std::string text = encodeRounding(differences);
    for (size_t size = 0; size < text.size(); ++size)
      EXPECT_NE(errorOf(text.substr(0, size), differences.size()), "") << text;
  }
  EXPECT_NE(errorOf("ab", 9).find("ends behind 6 of the 9 weights"),
            std::string::npos);
  EXPECT_NE(errorOf("", 3).find("remove the table"), std::string::npos);
}
